package hivetest

import (
	"fmt"
	"strings"
)

// BCDRoot is the name of the root key of a BCD hive.
const BCDRoot = "NewStoreRoot"

// LoaderID names the object of the Windows 7 in Win7BCD that boots by default.
const LoaderID = "{b1d3a5c7-5e21-11e0-9d40-001122334455}"

// Elements of a loader that say how the processor runs (Microsoft,
// BcdOSLoaderElementTypes): for LoaderInteger.
const (
	ElementNX  = 0x25000020 // 0 OptIn, 1 OptOut, 2 AlwaysOff, 3 AlwaysOn
	ElementPAE = 0x25000021 // 0 default, 1 ForceEnable, 2 ForceDisable
)

// LoaderInteger returns .reg text that gives the default loader an element, for the
// extra of Win7BCD.
func LoaderInteger(element uint32, n byte) string {
	return fmt.Sprintf("\n[Objects\\%s\\Elements\\%08x]\n\"Element\"=hex:%02x,00,00,00,00,00,00,00\n", LoaderID, element, n)
}

// Win7BCD returns .reg text of the BCD hive of a PC with Windows 7: boot manager,
// Windows 7 as the default with nx OptIn and nothing said of pae, its recovery
// environment, memory test. extra is merged over it; see LoaderInteger.
func Win7BCD(extra string) string {
	text := strings.ReplaceAll(bcdKeys, "LOADER", LoaderID)
	text = strings.ReplaceAll(text, "RECOVERY", "{b1d3a5c8-5e21-11e0-9d40-001122334455}")
	text = strings.ReplaceAll(text, "RESUME", "{b1d3a5c6-5e21-11e0-9d40-001122334455}")
	text = strings.ReplaceAll(text, "DISPLAYORDER", multiSZ(LoaderID))
	return regHeader + "\n" + text + LoaderInteger(ElementNX, 0) + extra
}

// BCDHive builds Win7BCD as Windows keeps it: in the older version 1.3.
func BCDHive(extra string) ([]byte, error) {
	return Build(Win7BCD(extra), Options{RootName: BCDRoot, FileName: `\Device\HarddiskVolume1\Boot\BCD`, Minor: 3})
}

// bcdKeys are the objects of a BCD store, its long identifiers as words. The first is
// the boot manager.
const bcdKeys = `
[Description]
"KeyName"="BCD00000000"
"System"=dword:00000001
"TreatAsSystem"=dword:00000001

[Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Description]
"Type"=dword:10100002

[Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Elements\12000004]
"Element"="Windows Boot Manager"

[Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Elements\23000003]
"Element"="LOADER"

[Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Elements\24000001]
"Element"=DISPLAYORDER

[Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Elements\25000004]
"Element"=hex:1e,00,00,00,00,00,00,00

[Objects\LOADER\Description]
"Type"=dword:10200003

[Objects\LOADER\Elements\11000001]
"Element"=hex:00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,06,00,00,00,00,00,00,00,48,00,\
  00,00,00,00,00,00,00,00,10,06,00,00,00,00

[Objects\LOADER\Elements\12000002]
"Element"="\\Windows\\system32\\winload.exe"

[Objects\LOADER\Elements\12000004]
"Element"="Windows 7"

[Objects\LOADER\Elements\12000005]
"Element"="ja-JP"

[Objects\LOADER\Elements\16000009]
"Element"=hex:01

[Objects\LOADER\Elements\22000002]
"Element"="\\Windows"

[Objects\LOADER\Elements\23000003]
"Element"="RESUME"

[Objects\RECOVERY\Description]
"Type"=dword:10200003

[Objects\RECOVERY\Elements\12000002]
"Element"="\\windows\\system32\\winload.exe"

[Objects\RECOVERY\Elements\12000004]
"Element"="Windows Recovery Environment"

[Objects\RECOVERY\Elements\22000002]
"Element"="\\windows"

[Objects\RECOVERY\Elements\25000020]
"Element"=hex:02,00,00,00,00,00,00,00

[Objects\RECOVERY\Elements\46000010]
"Element"=hex:01

[Objects\RESUME\Description]
"Type"=dword:10200004

[Objects\RESUME\Elements\12000002]
"Element"="\\Windows\\system32\\winresume.exe"

[Objects\{b2721d73-1db4-4c62-bf78-c548a880142d}\Description]
"Type"=dword:10200005

[Objects\{b2721d73-1db4-4c62-bf78-c548a880142d}\Elements\12000002]
"Element"="\\boot\\memtest.exe"
`
