package hivetest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// PC is a PC that restarts in a loop, told by what differs from the usual one: 32-bit
// Windows 7 SP1 with the drivers of Win7, the updates of Win7Software, kernels of May
// 2018 and the loader of Win7BCD. The zero value is the usual one.
//
// With a SYSTEM hive of a real PC, give it as System: files are there for all drivers
// that Windows 7 itself starts.
type PC struct {
	System    []byte // the hive; nil: Win7, with SystemReg merged over it
	SystemReg string
	SystemLog []byte // SYSTEM.LOG1; nil: 262144 zeros

	Software    []byte // the hive; nil: Win7Software, with SoftwareReg merged over it
	SoftwareReg string
	SoftwareLog []byte // SOFTWARE.LOG1; nil: 262144 zeros

	BCD    []byte // the hive; nil: Win7BCD, with BCDReg merged over it
	BCDReg string

	Machine    uint16    // of kernels and drivers; default 0x014C, x86
	Kernel     [4]uint16 // version of both kernels; default 6.1.7601.24117
	KernelSize int       // bytes of each; default 64 KiB
	Boot       time.Time // when bootstat.dat was written; default 2018-05-10 08:15 UTC

	Files     []NTFSFile // further files of the Windows volume, or these instead of the usual ones
	Without   []string   // files and folders of the Windows volume that are not there
	Fragments int        // extents of SYSTEM

	Clean bool        // the journal of the Windows volume is emptied, not in use
	NTFS  NTFSOptions // what else its volume is; default size: what the files need
}

// usualDrivers are what Windows 7 and the HASP drivers have in System32/drivers and
// services of Win7, or of a real hive, name.
var usualDrivers = []string{
	"ACPI.sys", "atapi.sys", "beep.sys", "disk.sys", "kbdclass.sys", "lltdio.sys", "luafv.sys", "ntfs.sys", "null.sys", "partmgr.sys",
	"parvdm.sys", "peauth.sys", "rspndr.sys", "secdrv.sys", "tcpip.sys", "tcpipreg.sys", "usbhub.sys", "volmgr.sys",
}

// Windows returns the files of the Windows volume.
func (pc PC) Windows() ([]NTFSFile, error) {
	system, err1 := orBuild(pc.System, func() ([]byte, error) { return Build(Win7(pc.SystemReg), Options{Fill: 8192, Slack: 65536}) })
	software, err2 := orBuild(pc.Software, func() ([]byte, error) { return SoftwareHive(pc.SoftwareReg) })
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("building PC: %w", err)
	}
	const config = "Windows/System32/config/"
	log := make([]byte, 262144)
	files := []NTFSFile{
		{Path: config + "SYSTEM", Data: system, Fragments: pc.Fragments},
		{Path: config + "SYSTEM.LOG1", Data: orBytes(pc.SystemLog, log)},
		{Path: config + "SYSTEM.LOG2"},
		{Path: config + "SOFTWARE", Data: software},
		{Path: config + "SOFTWARE.LOG1", Data: orBytes(pc.SoftwareLog, log)},
		{Path: config + "SOFTWARE.LOG2"},
		{Path: config + "RegBack/SYSTEM"},
		{Path: "Program Files/Common Files/desktop.ini", Data: []byte("[.ShellClassInfo]\r\n"), Resident: true},
		{Path: "Users/hanako.secret/NTUSER.DAT", Data: []byte("not a hive\n"), Resident: true},
		{Path: "Windows/bootstat.dat", Data: make([]byte, 67584), Modified: cmp.Or(pc.Boot, usualBoot)},
		{Path: "Windows/servicing/Packages/" + RollupPackage(24117) + ".mum", Data: []byte(rollupManifest)},
	}
	files = append(files, pc.programs()...)
	for _, f := range pc.Files {
		i := slices.IndexFunc(files, func(old NTFSFile) bool { return strings.EqualFold(old.Path, f.Path) })
		if i < 0 {
			files = append(files, f)
			continue
		}
		f.Path = files[i].Path // two spellings would be two folders in Folder
		files[i] = f
	}
	return slices.DeleteFunc(files, pc.lacks), nil
}

// usualBoot is the morning after the updates of May 2018.
var usualBoot = time.Date(2018, 5, 10, 8, 15, 0, 0, time.UTC)

// rollupManifest begins as the manifest of KB4103718 does.
const rollupManifest = `<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v3" manifestVersion="1.0" description="Fix for KB4103718">
<package identifier="KB4103718" releaseType="Update" restart="possible"></package>
</assembly>
`

// programs returns kernels, drivers and what else is a PE file.
func (pc PC) programs() []NTFSFile {
	const system32 = "Windows/System32/"
	machine := cmp.Or(pc.Machine, 0x014C)
	kernel := PESized(machine, cmp.Or(pc.Kernel, [4]uint16{6, 1, 7601, 24117}), cmp.Or(pc.KernelSize, 65536))
	driver := PE(machine, [4]uint16{6, 1, 7601, 17514})
	updated := time.Date(2018, 4, 22, 2, 30, 0, 0, time.UTC)
	files := []NTFSFile{
		{Path: system32 + "ntoskrnl.exe", Data: kernel, Modified: updated},
		{Path: system32 + "ntkrnlpa.exe", Data: kernel, Modified: updated},
		{Path: system32 + "hasplms.exe", Data: PE(machine, [4]uint16{15, 0, 1, 57884})},
		{Path: system32 + "cmd.exe", Data: driver}, // by which libguestfs knows a Windows
		{Path: "Windows/explorer.exe", Data: driver},
	}
	for _, name := range usualDrivers {
		files = append(files, NTFSFile{Path: system32 + "drivers/" + name, Data: driver})
	}
	bought := time.Date(2009, 11, 3, 12, 0, 0, 0, time.UTC)
	for name, version := range map[string][4]uint16{
		"Haspnt.sys": {4, 97, 0, 0}, "hardlock.sys": {3, 42, 0, 0}, "akshasp.sys": {4, 8, 0, 0}, "aksusb.sys": {4, 8, 0, 0},
	} {
		files = append(files, NTFSFile{Path: system32 + "drivers/" + name, Data: PE(machine, version), Modified: bought})
	}
	slices.SortFunc(files, func(a, b NTFSFile) int { return strings.Compare(a.Path, b.Path) }) // a map has no order
	return files
}

// lacks says whether a file is one of those that are not there.
func (pc PC) lacks(f NTFSFile) bool {
	return slices.ContainsFunc(pc.Without, func(path string) bool {
		return strings.EqualFold(f.Path, path) || strings.HasPrefix(strings.ToUpper(f.Path), strings.ToUpper(path)+"/")
	})
}

// Reserved returns the files that Windows boots by. They lie on a System Reserved
// volume of their own, or on the Windows volume where there is no other.
func (pc PC) Reserved() ([]NTFSFile, error) {
	bcd, err := orBuild(pc.BCD, func() ([]byte, error) { return BCDHive(pc.BCDReg) })
	if err != nil {
		return nil, fmt.Errorf("building PC: %w", err)
	}
	return []NTFSFile{
		{Path: "bootmgr", Data: []byte("not a boot manager\n"), Resident: true},
		{Path: "Boot/BCD", Data: bcd},
		{Path: "Boot/BCD.LOG", Data: make([]byte, 21504)},
		{Path: "Boot/memtest.exe", Data: PE(0x014C, [4]uint16{6, 1, 7601, 17514})},
	}, nil
}

// All returns the files of a PC with one volume: those of Windows and of its boot.
func (pc PC) All() ([]NTFSFile, error) {
	windows, err1 := pc.Windows()
	boot, err2 := pc.Reserved()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return append(windows, slices.DeleteFunc(boot, pc.lacks)...), nil
}

// Volume returns one NTFS volume with everything on it, its journal in use.
func (pc PC) Volume() ([]byte, error) {
	files, err := pc.All()
	if err != nil {
		return nil, err
	}
	return pc.volume(files, 0)
}

// Disk returns a disk with System Reserved and the Windows volume; table is "mbr",
// "gpt", or "none" for what Volume returns.
func (pc PC) Disk(table string) ([]byte, error) {
	if table == "none" {
		return pc.Volume()
	}
	parts, err := pc.Parts()
	if err != nil {
		return nil, err
	}
	size := parts[1].Start + int64(len(parts[1].Data)) + diskMiB
	switch table {
	case "mbr":
		return BuildMBR(parts, size)
	case "gpt":
		return BuildGPT(parts, size)
	}
	return nil, fmt.Errorf("building PC: no partition table %q; there are mbr, gpt, none", table)
}

// diskMiB is the unit partitions begin at.
const diskMiB = 1 << 20

// Parts returns both partitions of the PC's disk: 4 MiB from 1 MiB on, and Windows
// from 5 MiB on.
func (pc PC) Parts() ([]Part, error) {
	const reservedStart, windowsStart = diskMiB, 5 * diskMiB
	bootFiles, err1 := pc.Reserved()
	files, err2 := pc.Windows()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	boot, err := BuildNTFS(bootFiles, NTFSOptions{
		Size: windowsStart - reservedStart, Label: "System Reserved", Serial: 0x5EED, HiddenSectors: reservedStart / sectorSize,
	})
	if err != nil {
		return nil, fmt.Errorf("building PC: %w", err)
	}
	windows, err := pc.volume(files, windowsStart/sectorSize)
	if err != nil {
		return nil, err
	}
	return []Part{{Start: reservedStart, Data: boot, Active: true}, {Start: windowsStart, Data: windows}}, nil
}

// volume builds the Windows volume, of whole MiB.
func (pc PC) volume(files []NTFSFile, hidden uint32) ([]byte, error) {
	o := pc.NTFS
	o.HiddenSectors = hidden
	if !pc.Clean {
		o.Unclean = true
	}
	if o.Size == 0 {
		for _, f := range files {
			o.Size += roundUp(int64(len(f.Data)), 65536) + recordSize
		}
		o.Size = roundUp(o.Size+3*diskMiB, diskMiB)
	}
	data, err := BuildNTFS(files, o)
	if err != nil {
		return nil, fmt.Errorf("building PC: %w", err)
	}
	return data, nil
}

// Folder writes the files of All below dir, as a mounted volume shows them.
func (pc PC) Folder(dir string) error {
	files, err := pc.All()
	if err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return fmt.Errorf("writing PC: %w", err)
		}
		if err := os.WriteFile(path, f.Data, 0o666); err != nil {
			return fmt.Errorf("writing PC: %w", err)
		}
		when := cmp.Or(f.Modified, time.Unix(defaultTime/10_000_000-windowsEpoch, 0))
		if err := os.Chtimes(path, when, when); err != nil {
			return fmt.Errorf("writing PC: %w", err)
		}
	}
	return nil
}

// orBuild returns data, or what build gives where there is none.
func orBuild(data []byte, build func() ([]byte, error)) ([]byte, error) {
	if data != nil {
		return data, nil
	}
	return build()
}

func orBytes(data, otherwise []byte) []byte {
	if data != nil {
		return data
	}
	return otherwise
}
