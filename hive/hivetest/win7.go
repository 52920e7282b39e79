package hivetest

import (
	"fmt"
	"strings"
)

// Win7 returns .reg text of a small but plausible SYSTEM hive of 32-bit
// Windows 7 SP1 with the HASP drivers: what unloop reads in a real one, spelt
// and valued as Windows does. The sections of extra are merged over it when
// the text is built; they may carry the prefix HKEY_LOCAL_MACHINE\SYSTEM or, as
// here, none, but not both.
func Win7(extra string) string {
	const prefix = `HKEY_LOCAL_MACHINE\SYSTEM`
	var b strings.Builder
	b.WriteString(regHeader + "\n\n[Select]\n" +
		"\"Current\"=dword:00000001\n\"Default\"=dword:00000001\n\"Failed\"=dword:00000000\n\"LastKnownGood\"=dword:00000002\n\n" +
		"[MountedDevices]\n\"\\\\DosDevices\\\\C:\"=hex:4e,49,54,21,00,00,50,06,00,00,00,00\n\n" +
		"[Setup]\n\"SystemSetupInProgress\"=dword:00000000\n\"CmdLine\"=\"\"\n\n[WPA]\n\n")
	for _, set := range []string{"ControlSet001", "ControlSet002"} {
		writeControlSet(&b, set)
	}
	extra = strings.Replace(extra, regHeader, "", 1)
	text := b.String()
	if upper := strings.ToUpper(extra); strings.Contains(upper, "["+prefix) || strings.Contains(upper, "[-"+prefix) {
		text = strings.ReplaceAll(text, "\n[", "\n["+prefix+`\`)
	}
	return text + extra
}

func writeControlSet(b *strings.Builder, set string) {
	for _, block := range strings.Split(strings.TrimSpace(controlKeys), "\n\n") {
		fmt.Fprintf(b, "[%s\\%s\n\n", set, block)
	}
	for _, s := range win7Services {
		fmt.Fprintf(b, "[%s\\services\\%s]\n", set, s.name)
		fmt.Fprintf(b, "\"Type\"=dword:%08x\n\"Start\"=dword:%08x\n\"ErrorControl\"=dword:00000001\n", s.typ, s.start)
		for _, v := range []struct{ name, format, value string }{
			{"ImagePath", "str(2):%s", s.image}, {"DisplayName", "%s", s.display}, {"Group", "%s", s.group}, {"ObjectName", "%s", s.account},
		} {
			if v.value != "" {
				fmt.Fprintf(b, "%q="+v.format+"\n", v.name, `"`+strings.ReplaceAll(v.value, `\`, `\\`)+`"`)
			}
		}
		if s.depends != "" {
			fmt.Fprintf(b, "\"DependOnService\"=%s\n", multiSZ(s.depends))
		}
		b.WriteString("\n")
	}
}

// multiSZ spells names separated by commas as a REG_MULTI_SZ.
func multiSZ(names string) string {
	var bytes []string
	for _, u := range units(strings.ReplaceAll(names, ",", "\x00") + "\x00\x00") {
		bytes = append(bytes, fmt.Sprintf("%02x,%02x", u&0xFF, u>>8))
	}
	return "hex(7):" + strings.Join(bytes, ",")
}

// win7Service is one key below services; empty strings are absent values.
type win7Service struct {
	name           string
	typ, start     uint32
	image, display string
	group, account string
	depends        string
}

// win7Services are ordinary services and, last, the five of HASP.
var win7Services = []win7Service{
	{name: "ACPI", typ: 1, image: `system32\drivers\ACPI.sys`, display: "Microsoft ACPI Driver", group: "Boot Bus Extender"},
	{name: "atapi", typ: 1, image: `system32\drivers\atapi.sys`, display: "IDE Channel", group: "SCSI Miniport"},
	{name: "Beep", typ: 1, start: 1, display: "Beep", group: "Base"},
	{name: "Dhcp", typ: 0x20, start: 2, image: `%SystemRoot%\system32\svchost.exe -k LocalServiceNetworkRestricted`, group: "TDI",
		account: `NT Authority\LocalService`, depends: "NSI,Tdx,Afd"},
	{name: "Disk", typ: 1, image: `system32\DRIVERS\disk.sys`, display: "Disk Driver"},
	{name: "eventlog", typ: 0x20, start: 2, image: `%SystemRoot%\System32\svchost.exe -k LocalServiceNetworkRestricted`, group: "Event Log",
		account: `NT AUTHORITY\LocalService`},
	{name: "kbdclass", typ: 1, start: 3, image: `\SystemRoot\system32\drivers\kbdclass.sys`, display: "Keyboard Class Driver", group: "Keyboard Class"},
	{name: "LanmanWorkstation", typ: 0x20, start: 2, image: `%SystemRoot%\System32\svchost.exe -k NetworkService`, group: "NetworkProvider",
		account: `NT AUTHORITY\NetworkService`, depends: "Bowser,MRxSmb10,MRxSmb20,NSI"},
	{name: "Ntfs", typ: 2, start: 3, group: "Boot File System"},
	{name: "Null", typ: 1, start: 1, group: "Base"},
	{name: "partmgr", typ: 1, image: `System32\drivers\partmgr.sys`, group: "Boot Bus Extender"},
	{name: "Tcpip", typ: 1, image: `System32\drivers\tcpip.sys`, group: "PNP_TDI"},
	{name: "usbhub", typ: 1, start: 3, image: `\SystemRoot\system32\drivers\usbhub.sys`, display: "Microsoft USB Standard Hub Driver", group: "Base"},
	{name: "volmgr", typ: 1, image: `system32\drivers\volmgr.sys`, display: "Volume Manager Driver", group: "System Bus Extender"},

	{name: "Haspnt", typ: 1, start: 2, image: `system32\drivers\Haspnt.sys`, display: "Haspnt", depends: "hardlock"},
	{name: "Hardlock", typ: 1, start: 2, image: `system32\drivers\hardlock.sys`, display: "Hardlock"},
	{name: "akshasp", typ: 1, start: 3, image: `system32\DRIVERS\akshasp.sys`, display: "SafeNet Inc. HASP Key"},
	{name: "aksusb", typ: 1, start: 3, image: `system32\DRIVERS\aksusb.sys`, display: "SafeNet Inc. USB Key"},
	{name: "hasplms", typ: 0x10, start: 2, image: `C:\Windows\system32\hasplms.exe`, display: "Sentinel LDK License Manager", account: "LocalSystem"},
}

// controlKeys are the keys of a control set outside services, cut at the
// opening bracket and the control set's name.
const controlKeys = `
Control]
"SystemStartOptions"=" NOEXECUTE=OPTIN"
"CurrentUser"="USERNAME"

Control\Class\{36FC9E60-C465-11CF-8056-444553540000}]
@="Universal Serial Bus controllers"
"Class"="USB"
"NoInstallClass"="1"
"UpperFilters"=hex(7):00,00,00,00

Control\Class\{4D36E96B-E325-11CE-BFC1-08002BE10318}]
@="Keyboards"
"Class"="Keyboard"
"UpperFilters"=hex(7):6b,00,62,00,64,00,63,00,6c,00,61,00,73,00,73,00,00,00,00,00

Control\ComputerName\ComputerName]
@="mnmsrvc"
"ComputerName"="UNLOOP-PC"

Control\CrashControl]
"AutoReboot"=dword:00000001
"CrashDumpEnabled"=dword:00000002

Control\Session Manager]
"BootExecute"=hex(7):61,00,75,00,74,00,6f,00,63,00,68,00,65,00,63,00,6b,00,20,00,\
  61,00,75,00,74,00,6f,00,63,00,68,00,6b,00,20,00,2a,00,00,00,00,00

Control\Session Manager\Environment]
"OS"="Windows_NT"
"NUMBER_OF_PROCESSORS"="2"
"PROCESSOR_ARCHITECTURE"="x86"
"PROCESSOR_IDENTIFIER"="x86 Family 6 Model 23 Stepping 10, GenuineIntel"
"PROCESSOR_LEVEL"="6"
"PROCESSOR_REVISION"="170a"
"windir"=str(2):"%SystemRoot%"

Control\Session Manager\Memory Management]
"ClearPageFileAtShutdown"=dword:00000000
"DisablePagingExecutive"=dword:00000000
"LargeSystemCache"=dword:00000000
"PagingFiles"=hex(7):3f,00,3a,00,5c,00,70,00,61,00,67,00,65,00,66,00,69,00,6c,00,65,00,\
  2e,00,73,00,79,00,73,00,00,00,00,00
"PhysicalAddressExtension"=dword:00000001
"SecondLevelDataCache"=dword:00000000

Control\Session Manager\Memory Management\PrefetchParameters]
"EnablePrefetcher"=dword:00000003

Control\Windows]
"CSDBuildNumber"=dword:0000446a
"CSDReleaseType"=dword:00000000
"CSDVersion"=dword:00000100
"Directory"=str(2):"%SystemRoot%"
"ErrorMode"=dword:00000000
"SystemDirectory"=str(2):"%SystemRoot%\\system32"

Enum\ROOT\LEGACY_HASPNT\0000]
"Service"="Haspnt"
"ClassGUID"="{8ECC055D-047F-11D1-A537-0000F8753ED1}"
"DeviceDesc"="Haspnt"

Hardware Profiles\0001\System\CurrentControlSet]

`
