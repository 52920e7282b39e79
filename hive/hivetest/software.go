package hivetest

import (
	"fmt"
	"strings"
	"time"
)

// SoftwareRoot is the name of the root key of Windows 7's SOFTWARE hive.
const SoftwareRoot = "CMI-CreateHive{199DAFC2-6F16-4946-BF90-5A3FC3A60902}"

// CurrentState of a package of Component Based Servicing (Microsoft Tip of the Day
// 2015-10-12, "CBS servicing states").
const (
	StateAbsent           = 0
	StateUninstallPending = 5
	StateStaged           = 64
	StateSuperseded       = 80
	StateInstallPending   = 96
	StatePartial          = 101
	StateInstalled        = 112
)

// packagesKey is where Component Based Servicing keeps its packages.
const packagesKey = `Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages`

// RollupPackage is the name of the package of a monthly rollup for 32-bit Windows 7
// SP1. It holds the build and no KB number.
func RollupPackage(build int) string {
	return fmt.Sprintf("Package_for_RollupFix~31bf3856ad364e35~x86~~7601.%d.1.3", build)
}

// UpdatePackage is the name of the package of a single update, of a security-only
// one for example.
func UpdatePackage(kb int) string {
	return fmt.Sprintf("Package_for_KB%d~31bf3856ad364e35~x86~~6.1.1.3", kb)
}

// SubPackage is the name of a part of a single update.
func SubPackage(n, kb int) string {
	return fmt.Sprintf("Package_%d_for_KB%d~31bf3856ad364e35~x86~~6.1.1.3", n, kb)
}

// Package returns .reg text of a package of Component Based Servicing in a state (one
// of the constants), installed at a time; for the extra of Win7Software.
func Package(name string, state uint32, installed time.Time) string {
	stamp := filetime(installed)
	return fmt.Sprintf("\n[%s\\%s]\n"+`"InstallClient"="WindowsUpdateAgent"
"InstallName"="%s.mum"
"InstallLocation"="\\\\?\\C:\\Windows\\SoftwareDistribution\\Download\\"
"CurrentState"=dword:%08x
"SelfUpdate"=dword:00000000
"Visibility"=dword:00000001
"InstallTimeHigh"=dword:%08x
"InstallTimeLow"=dword:%08x
"InstallUser"="S-1-5-18"
`+"\n[%s\\%s\\Owners]\n\"%s\"=dword:00020070\n",
		packagesKey, name, name, state, stamp>>32, uint32(stamp), packagesKey, name, name)
}

// NoPackage returns .reg text that takes a package away again.
func NoPackage(name string) string {
	return fmt.Sprintf("\n[-%s\\%s]\n", packagesKey, name)
}

// Win7Software returns .reg text of a small SOFTWARE hive of 32-bit Windows 7 SP1 on
// a PC that loops, for Build with Options.Prefix HKEY_LOCAL_MACHINE\SOFTWARE or none,
// as the text has none: the rollup of May 2018 (KB4103718, build 24117) installed on
// that of February 2018, HASP programs among others, and what must never get into any
// output: the owner Hanako Secret, the user hanako.secret, a product key. extra is
// merged over it.
func Win7Software(extra string) string {
	var b strings.Builder
	b.WriteString(regHeader + "\n" + softwareKeys)
	for _, p := range []struct {
		name      string
		state     uint32
		installed time.Time
	}{
		{"Package_for_KB976932~31bf3856ad364e35~x86~~6.1.1.17514", StateInstalled, time.Date(2011, 4, 1, 10, 0, 0, 0, time.UTC)},
		{UpdatePackage(2952664), StateInstalled, time.Date(2017, 6, 14, 3, 0, 0, 0, time.UTC)},
		{SubPackage(1, 4099950), StateInstalled, time.Date(2018, 4, 11, 3, 5, 0, 0, time.UTC)},
		{UpdatePackage(4099950), StateInstalled, time.Date(2018, 4, 11, 3, 5, 0, 0, time.UTC)},
		{RollupPackage(24024), StateSuperseded, time.Date(2018, 2, 14, 3, 0, 0, 0, time.UTC)},
		{RollupPackage(24117), StateInstalled, time.Date(2018, 5, 9, 3, 0, 0, 0, time.UTC)},
	} {
		b.WriteString(Package(p.name, p.state, p.installed))
	}
	return b.String() + byHand + extra
}

// SoftwareHive builds Win7Software, clean.
func SoftwareHive(extra string) ([]byte, error) {
	return Build(Win7Software(extra), softwareOptions())
}

// DirtySoftwareHive builds a SOFTWARE hive whose last changes, those of late, are only
// in its log, and that log.
func DirtySoftwareHive(extra, late string) (primary, log []byte, err error) {
	before, err := SoftwareHive(extra)
	if err != nil {
		return nil, nil, err
	}
	after, err := SoftwareHive(extra + late)
	if err != nil {
		return nil, nil, err
	}
	return Dirty(before, after, 262144)
}

func softwareOptions() Options {
	return Options{RootName: SoftwareRoot, FileName: "SOFTWARE", Fill: 8192}
}

// byHand is a package that somebody installed from a folder of their own.
const byHand = `
[Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages\Package_for_KB3125574~31bf3856ad364e35~x86~~6.1.4.4]
"InstallClient"="WUSA"
"InstallName"="update.mum"
"InstallLocation"="\\\\?\\C:\\Users\\hanako.secret\\Downloads\\"
"CurrentState"=dword:00000070
"InstallTimeHigh"=dword:01d1ae00
"InstallTimeLow"=dword:00000000
"InstallUser"="S-1-5-21-1004336348-1177238915-682003330-1001"
"Visibility"=dword:00000001

`

// softwareKeys are the keys outside Packages that something reads, or must not show.
const softwareKeys = `
[Aladdin Knowledge Systems\HASP\Driver\Installer]
"DrvPkgVersion"="7.53"
"Version"="7.53.1.66350"
"InstCount"=dword:00000001

[Classes\.txt]
@="txtfile"

[Microsoft\Windows NT\CurrentVersion]
"ProductName"="Windows 7 Professional"
"EditionID"="Professional"
"InstallationType"="Client"
"CurrentVersion"="6.1"
"CurrentBuild"="7601"
"CurrentBuildNumber"="7601"
"CurrentType"="Multiprocessor Free"
"CSDVersion"="Service Pack 1"
"CSDBuildNumber"="1130"
"BuildLab"="7601.win7sp1_ldr.180422-0600"
"BuildLabEx"="7601.24117.x86fre.win7sp1_ldr.180422-0600"
"InstallDate"=dword:4d95a1b0
"PathName"="C:\\Windows"
"SystemRoot"="C:\\Windows"
"SoftwareType"="System"
"RegisteredOwner"="Hanako Secret"
"RegisteredOrganization"="Secret Works Ltd"
"ProductId"="00371-OEM-8992671-00524"
"DigitalProductId"=hex:a4,00,00,00,03,00,00,00,30,30,33,37,31,2d,4f,45,4d,2d,38,39,39,32,36,\
  37,31,2d,30,30,35,32,34,00,8a,00,00,00,58,31,35,2d,33,37,33,36,32,00,00,00,00,00,00,00,5e,c0,\
  13,37,5e,c2,e7,13,37,5e,c2,e7,13,37,5e,c2,00,00,00,00,00,00

[Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1004336348-1177238915-682003330-1001]
"ProfileImagePath"=str(2):"C:\\Users\\hanako.secret"

[Microsoft\Windows NT\CurrentVersion\Winlogon]
"DefaultUserName"="hanako.secret"
"DefaultPassword"="secret-Passw0rd"

[Microsoft\Windows\CurrentVersion\Component Based Servicing]
"Version"="6.1.7601.24117"

[Microsoft\Windows\CurrentVersion\Component Based Servicing\SessionsPending]
"Exclusive"=dword:00000000
"TotalSessionPhases"=dword:00000000

[Microsoft\Windows\CurrentVersion\Uninstall\7-Zip]
"DisplayName"="7-Zip 16.04"
"DisplayVersion"="16.04"
"Publisher"="Igor Pavlov"

[Microsoft\Windows\CurrentVersion\Uninstall\AddressBook]

[Microsoft\Windows\CurrentVersion\Uninstall\{3A1B5F0C-9D2E-4C67-8F10-5B6C7D8E9FA0}]
"DisplayName"="Sentinel System Driver Installer 7.5.9"
"DisplayVersion"="7.5.9"
"Publisher"="SafeNet, Inc."
"InstallSource"="C:\\Users\\hanako.secret\\Downloads\\"
"InstallLocation"="C:\\Program Files\\Common Files\\SafeNet Sentinel\\"

[Microsoft\Windows\CurrentVersion\Uninstall\{41C2D7E8-0F3A-4B5C-9D6E-7F8091A2B3C4}]
"DisplayName"="Sentinel HASP Run-time"
"DisplayVersion"="6.60"
"Publisher"="SafeNet, Inc."

[Microsoft\Windows\CurrentVersion\Uninstall\{5D3E9F1A-2B4C-4D5E-8F60-718293A4B5C6}]
"DisplayName"="Sentinel Agent"
"DisplayVersion"="2.6.0.5858"
"Publisher"="SentinelOne"

[Microsoft\Windows\CurrentVersion\Uninstall\{6E4FA02B-3C5D-4E6F-9071-8293A4B5C6D7}]
"DisplayName"="SentinelOne"
"DisplayVersion"="2.6.0.5858"

[Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update]
"AUOptions"=dword:00000004
"CachedAUOptions"=dword:00000004
"ElevateNonAdmins"=dword:00000001
"IncludeRecommendedUpdates"=dword:00000001

`
