package hivetest

import "fmt"

// LoopingPC returns the files of a Windows volume around the SYSTEM hive, which
// is laid out in so many fragments: its logs, a SOFTWARE hive, and dummies
// where the HASP drivers lie.
func LoopingPC(system []byte, fragments int) ([]NTFSFile, error) {
	software, err := Build(Win7Software(""), Options{RootName: SoftwareRoot, FileName: "SOFTWARE", Fill: 4096})
	if err != nil {
		return nil, fmt.Errorf("building SOFTWARE: %w", err)
	}
	const config, drivers = "Windows/System32/config/", "Windows/System32/drivers/"
	return []NTFSFile{
		{Path: config + "SYSTEM", Data: system, Fragments: fragments},
		{Path: config + "SYSTEM.LOG1", Data: make([]byte, 262144)},
		{Path: config + "SYSTEM.LOG2"},
		{Path: config + "SOFTWARE", Data: software},
		{Path: config + "RegBack/SYSTEM"},
		{Path: drivers + "haspnt.sys", Data: []byte("MZ: not a driver\n"), Resident: true},
		{Path: drivers + "hardlock.sys", Data: append([]byte("MZ: not a driver\n"), make([]byte, 8000)...)},
		{Path: "Windows/explorer.exe", Data: []byte("MZ: not a program\n"), Resident: true},
		{Path: "Program Files/Common Files/desktop.ini", Data: []byte("[.ShellClassInfo]\r\n"), Resident: true},
	}, nil
}

// SampleDisk returns the disk of a looping PC: a System Reserved partition
// without Windows, then the files of LoopingPC with the journal in use. table
// is "mbr", "gpt" or "none", which is the Windows volume alone.
func SampleDisk(system []byte, table string, fragments int) ([]byte, error) {
	const mib = 1 << 20
	const windowsStart, size = 5 * mib, 64 * mib
	files, err := LoopingPC(system, fragments)
	if err != nil {
		return nil, fmt.Errorf("building sample disk: %w", err)
	}
	o := NTFSOptions{Size: size - windowsStart - mib, Unclean: true, HiddenSectors: windowsStart / sectorSize}
	if table == "none" {
		o.HiddenSectors = 0
	}
	windows, err := BuildNTFS(files, o)
	if err != nil {
		return nil, fmt.Errorf("building sample disk: %w", err)
	}
	boot, err := BuildNTFS([]NTFSFile{
		{Path: "bootmgr", Data: []byte("not a boot manager\n"), Resident: true},
		{Path: "Boot/BCD", Data: make([]byte, 4096)},
	}, NTFSOptions{Size: 4 * mib, Label: "System Reserved", Serial: 0x5EED, HiddenSectors: mib / sectorSize})
	if err != nil {
		return nil, fmt.Errorf("building sample disk: %w", err)
	}
	parts := []Part{{Start: mib, Data: boot, Active: true}, {Start: windowsStart, Data: windows}}
	switch table {
	case "mbr":
		return BuildMBR(parts, size)
	case "gpt":
		return BuildGPT(parts, size)
	case "none":
		return windows, nil
	}
	return nil, fmt.Errorf("building sample disk: no partition table %q; there are mbr, gpt, none", table)
}
