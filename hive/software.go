package hive

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

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
	Version string // "" if it is not told
}

// String names the program with its version, which many names end with already.
func (p Program) String() string {
	if p.Version == "" || strings.HasSuffix(p.Name, " "+p.Version) {
		return p.Name
	}
	return p.Name + " " + p.Version
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

// Keys of the SOFTWARE hive.
const (
	keyWindowsNT = `Microsoft\Windows NT\CurrentVersion`
	keyUninstall = `Microsoft\Windows\CurrentVersion\Uninstall`
	keyServicing = `Microsoft\Windows\CurrentVersion\Component Based Servicing`
	keyAutoUp    = `Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update`
	keyAUPolicy  = `Policies\Microsoft\Windows\WindowsUpdate\AU`
	keyInstaller = `Aladdin Knowledge Systems\HASP\Driver\Installer`
)

// installerName stands for the HASP driver's installer, which has no name of its own.
const installerName = `HASP\Driver\Installer`

// maxPrograms bounds the programs that are kept.
const maxPrograms = 100

// ReadSoftware reads what matters of a SOFTWARE hive. The hive is not checked as a
// whole; what cannot be read is left out and the first such problem told. A dirty hive
// is replayed in memory if its log is there and belongs to it, else read as it lies.
// Errors: ErrNotHive, *FormatError, or that it is another hive.
func ReadSoftware(f Files) (*Software, error) {
	p, err := peekAt(f)
	if err != nil {
		return nil, fmt.Errorf("reading SOFTWARE hive: %w", err)
	}
	k, ok := p.key(path(keyWindowsNT)...)
	if !ok {
		return nil, fmt.Errorf("reading SOFTWARE hive: %w", p.missing(keyWindowsNT))
	}
	s := &Software{
		Product:    p.value(k, "ProductName").text(),
		CSDVersion: p.value(k, "CSDVersion").text(),
		Build:      p.value(k, "CurrentBuild").text(),
		BuildLab:   p.value(k, "BuildLabEx").text(),
		Programs:   p.programs(),
		Servicing:  p.servicing(),
		AutoUpdate: p.autoUpdate(),
	}
	if s.Build == "" {
		s.Build = p.value(k, "CurrentBuildNumber").text()
	}
	s.Updates, s.LastUpdate = p.packages(path(keyServicing))
	s.Problem = p.problem
	return s, nil
}

// missing says that a key every such hive has is not there, and why if that is known.
func (p *peek) missing(key string) error {
	if p.problem != "" {
		return errors.New(p.problem)
	}
	return fmt.Errorf("%w: %s (its root key is %q)", ErrNoKey, key, p.root.Name())
}

func path(key string) []string { return strings.Split(key, `\`) }

// programs lists what is installed of HASP and Sentinel.
func (p *peek) programs() (programs []Program) {
	for _, k := range p.subkeys(path(keyUninstall)...) {
		name := p.value(k, "DisplayName").text()
		if isDongleProgram(name) && len(programs) < maxPrograms {
			programs = append(programs, Program{name, p.value(k, "DisplayVersion").text()})
		}
	}
	k, ok := p.key(path(keyInstaller)...)
	if !ok {
		return programs
	}
	version := p.value(k, "DrvPkgVersion").text()
	if version == "" {
		version = p.value(k, "Version").text()
	}
	return append(programs, Program{installerName, version})
}

// isDongleProgram says whether a program's name is one of HASP or Sentinel. SentinelOne
// and its agent are an antivirus program of another maker.
func isDongleProgram(name string) bool {
	name = " " + strings.ToLower(name)
	has := func(word string) bool { return strings.Contains(name, word) }
	if slices.ContainsFunc([]string{"sentinelone", "sentinel one", "sentinel agent", "sentinelagent"}, has) {
		return false
	}
	begins := func(word string) bool { return beginsWord(name, word) }
	return begins("hasp") || begins("hardlock") || begins("sentinel") && slices.ContainsFunc(dongleWords[:], begins)
}

// dongleWords tell what Sentinel is meant: others watch hard disks or satellites.
var dongleWords = [...]string{"driver", "runtime", "run-time", "protection", "license", "licence", "ldk", "key", "superpro", "ultrapro", "hl",
	"ドライバ", "ランタイム", "ライセンス"}

// beginsWord says whether a word of a name begins so.
func beginsWord(name, begin string) bool {
	for i := range name {
		before, size := utf8.DecodeLastRuneInString(name[:i])
		if size > 0 && !unicode.IsLetter(before) && strings.HasPrefix(name[i:], begin) {
			return true
		}
	}
	return false
}

// servicing looks for what Windows has not finished.
func (p *peek) servicing() Servicing {
	_, pending := p.key(path(keyServicing + `\RebootPending`)...)
	_, progress := p.key(path(keyServicing + `\RebootInProgress`)...)
	return Servicing{
		PackagesPending:  len(p.subkeys(path(keyServicing+`\PackagesPending`)...)) > 0,
		RebootPending:    pending,
		RebootInProgress: progress,
	}
}

func (p *peek) autoUpdate() (au AutoUpdate) {
	if k, ok := p.key(path(keyAutoUp)...); ok {
		au.Options = p.number(k, auOptions)
	}
	if k, ok := p.key(path(keyAUPolicy)...); ok {
		au.PolicyOptions, au.PolicyNoAutoUpdate = p.number(k, auOptions), p.number(k, "NoAutoUpdate")
	}
	return au
}
