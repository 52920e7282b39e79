package hive

import "time"

// Software is what the SOFTWARE hive tells. Names of persons and product keys are not
// read at all.
type Software struct {
	Product    string // ProductName
	CSDVersion string // "Service Pack 1"
	Build      string // CurrentBuild
	BuildLab   string // BuildLabEx

	Programs   []Program // HASP and Sentinel software that is installed
	Updates    []UpdatePackage
	Servicing  Servicing
	AutoUpdate AutoUpdate
	LastUpdate time.Time // latest install time among the packages; zero if unknown
	Problem    string    // why part of the hive could not be read; "" if all was
}

// Program is an entry of Uninstall, or of the HASP driver's installer.
type Program struct {
	Name    string
	Version string
}

// UpdatePackage is a package of Component Based Servicing that brings a kernel: a monthly
// rollup (Package_for_RollupFix) or a single update (Package_for_KB…).
type UpdatePackage struct {
	Package   string // name of its key
	KB        string // "KB4103718"; "" if the table does not know the build
	Build     int    // of Windows 7 SP1, 24117; 0 if not known
	State     int    // CurrentState
	Installed time.Time
}

// Servicing is what is left half done.
type Servicing struct {
	PackagesPending  bool
	RebootPending    bool
	RebootInProgress bool
}

// AutoUpdate is how Windows Update is set. Policies win over settings.
type AutoUpdate struct {
	Options            *uint32 // AUOptions; nil: absent
	PolicyOptions      *uint32
	PolicyNoAutoUpdate *uint32
}

// BootConfig is what the BCD hive tells of a Windows' boot entry. Nil: not set there.
type BootConfig struct {
	NX  *uint64 // 0 OptIn, 1 OptOut, 2 AlwaysOff, 3 AlwaysOn
	PAE *uint64 // 0 default, 1 ForceEnable, 2 ForceDisable
}
