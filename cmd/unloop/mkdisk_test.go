//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"unloop/hive/hivetest"
)

// scriptMkdisk builds the disk of a looping PC: a System Reserved partition, then
// the Windows volume, then perhaps a second one.
//
//	mkdisk OUT [-hive FILE] [-table mbr|gpt|none] [-fragments N] [-two FILE]
//	       [-old FILE] [-hiber TEXT] [-label TEXT] [-nolog] [-nowindows] [-folder NAME]
//	       [-attr compressed|sparse|encrypted|resident|free|uninitialised]
//	       [-state clean|dirty|journal2|sector4k|bitlocker|torn|dyntype|MEMBER]...
//	       [-kernel VERSION] [-x64] [-software REGFILE] [-bcd REGFILE] [-dump CODE]
//	       [-put PATH=FILE]... [-without PATH]...
//
// Torn is the MFT record of hiberfil.sys; a MEMBER is a mark of disk members. Around the
// hive of another Windows than 7, 32-bit, there is only what is asked for.
func scriptMkdisk(ts *testscript.TestScript, _ bool, args []string) {
	fs := flag.NewFlagSet("mkdisk", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	d := diskOptions{fragments: 1}
	read := func(to *[]byte) func(string) error {
		return func(path string) error { *to = []byte(ts.ReadFile(path)); return nil }
	}
	text := func(to *string) func(string) error {
		return func(path string) error { *to = ts.ReadFile(path); return nil }
	}
	fs.Func("hive", "SYSTEM", read(&d.hive))
	fs.Func("two", "SYSTEM of a second Windows in a partition of its own", read(&d.two))
	fs.Func("old", "SYSTEM of a Windows.old", read(&d.old))
	fs.Func("software", ".reg text merged over SOFTWARE", text(&d.pc.SoftwareReg))
	fs.Func("bcd", ".reg text merged over BCD", text(&d.pc.BCDReg))
	fs.Func("kernel", "version of the kernels", func(s string) error { return scanVersion(s, &d.pc.Kernel) })
	fs.Func("without", "a file or folder that is not there", func(s string) error { d.pc.Without = append(d.pc.Without, s); return nil })
	fs.Func("state", "what is wrong with the volume or disk", d.setState)
	fs.Func("dump", "bug check code of a crash dump", d.addDump)
	fs.Func("put", "a further file", func(s string) error {
		path, file, _ := strings.Cut(s, "=")
		d.pc.Files = append(d.pc.Files, hivetest.NTFSFile{Path: path, Data: []byte(ts.ReadFile(file))})
		return nil
	})
	fs.BoolFunc("x64", "programs for 64 bits", func(string) error { d.pc.Machine = 0x8664; return nil })
	fs.StringVar(&d.table, "table", "mbr", "partition table")
	fs.IntVar(&d.fragments, "fragments", 1, "extents of SYSTEM")
	fs.StringVar(&d.attr, "attr", "", "how SYSTEM lies on the volume")
	fs.StringVar(&d.hiber, "hiber", "", "first bytes of hiberfil.sys")
	fs.StringVar(&d.label, "label", "", "volume label")
	fs.BoolVar(&d.noLog, "nolog", false, "no SYSTEM.LOG1")
	fs.BoolVar(&d.noWindows, "nowindows", false, "no Windows folder")
	fs.StringVar(&d.folder, "folder", "Windows", "the Windows folder")
	if len(args) == 0 {
		ts.Fatalf("usage: mkdisk OUT [FLAG...]")
	}
	ts.Check(fs.Parse(args[1:]))
	if fs.NArg() > 0 {
		ts.Fatalf("mkdisk: what is %q?", fs.Args())
	}
	if d.hive == nil {
		var err error
		d.hive, err = hivetest.Build(hivetest.Win7(""), hivetest.Options{Fill: 16384})
		ts.Check(err)
	}
	data, err := d.build()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o666))
}

type diskOptions struct {
	table, attr, hiber, label, folder string
	fragments                         int
	bitlocker, noLog, noWindows       bool
	torn, sector4k                    bool
	hive, two, old                    []byte
	pc                                hivetest.PC // what else the first volume has
	partType                          byte        // of it
	member                            string      // of memberMarks
}

func scanVersion(s string, v *[4]uint16) error {
	_, err := fmt.Sscanf(s, "%d.%d.%d.%d", &v[0], &v[1], &v[2], &v[3])
	return err
}

func (d *diskOptions) setState(s string) error {
	switch s {
	case "clean":
		d.pc.Clean = true
	case "dirty":
		d.pc.NTFS.Dirty = true
	case "journal2":
		d.pc.NTFS.NewJournal = true
	case "sector4k":
		d.sector4k = true
	case "bitlocker":
		d.bitlocker = true
	case "torn":
		d.torn = true
	case "dyntype":
		d.partType = 0x42
	default:
		if _, ok := memberMarks[s]; !ok {
			return errors.New("no such state")
		}
		d.member = s
	}
	return nil
}

// memberMarks are what members of a RAID or dynamic disk have: a place, in sectors, from
// the end of the disk if negative, and what is there.
var memberMarks = map[string]struct {
	sector int
	magic  string
}{
	"intel":   {-2, "Intel Raid ISM Cfg Sig. 1.3.00"},
	"ddf":     {-1, "\xDE\x11\xDE\x11"},
	"nvidia":  {-2, "NVIDIA  "},
	"lsi":     {-1, "$XIDE$"},
	"promise": {-63, "Promise Technology, Inc."},
	"md":      {8, "\xfc\x4e\x2b\xa9\x01\x00\x00\x00"},
	"ldm":     {6, "PRIVHEAD"},
}

func (d *diskOptions) addDump(code string) error {
	var n uint32
	if _, err := fmt.Sscanf(code, "0x%x", &n); err != nil {
		return err
	}
	when := time.Date(2018, 5, 10, 8, 16, 5, 0, time.UTC)
	d.pc.Files = append(d.pc.Files, hivetest.NTFSFile{
		Path: "Windows/Minidump/051018-15600-01.dmp", Data: hivetest.Dump32(n, when), Modified: when,
	})
	return nil
}

func (d *diskOptions) build() ([]byte, error) {
	const mib = 1 << 20
	windows, err := d.volume()
	if err != nil {
		return nil, err
	}
	if d.table == "none" {
		return windows, nil
	}
	bootFiles, err := d.pc.Reserved()
	if err != nil {
		return nil, err
	}
	boot, err := hivetest.BuildNTFS(bootFiles, hivetest.NTFSOptions{Size: 2 * mib, Label: "System Reserved", Serial: 0x5EED})
	if err != nil {
		return nil, err
	}
	parts := []hivetest.Part{{Start: mib, Data: boot, Active: true}, {Start: 3 * mib, Data: windows, Type: d.partType}}
	end := int64(3*mib + len(windows))
	if d.two != nil {
		second := diskOptions{hive: d.two, folder: "Windows", fragments: 1, label: "second"}
		data, err := second.volume()
		if err != nil {
			return nil, err
		}
		parts = append(parts, hivetest.Part{Start: end, Data: data})
		end += int64(len(data))
	}
	builder := hivetest.BuildMBR
	if d.table == "gpt" {
		builder = hivetest.BuildGPT
	}
	disk, err := builder(parts, end+mib)
	if m, ok := memberMarks[d.member]; ok && err == nil {
		at := 512 * m.sector
		if at < 0 {
			at += len(disk)
		}
		copy(disk[at:], m.magic)
	}
	return disk, err
}

// volume builds the NTFS volume with Windows on it, its journal in use. Around the
// hive of a Windows 7 there is the rest of a looping PC.
func (d *diskOptions) volume() ([]byte, error) {
	files, err := d.files()
	if err != nil {
		return nil, err
	}
	if d.old != nil {
		files = append(files, hivetest.NTFSFile{Path: "Windows.old/Windows/System32/config/SYSTEM", Data: d.old})
		files = append(files, hivetest.NTFSFile{Path: "windows.OLD.000/System32/config/SYSTEM", Data: d.old})
	}
	if d.hiber != "" {
		files = append(files, hivetest.NTFSFile{Path: "hiberfil.sys", Data: append([]byte(d.hiber), make([]byte, 8188)...), Broken: d.torn})
	}
	const mib = 1 << 20
	o := d.pc.NTFS
	o.Size = (int64(len(d.hive)+2*len(d.old))/mib + 6) * mib
	o.Unclean, o.Label, o.Serial = !d.pc.Clean, d.label, uint64(hiveSerial(d.hive))
	data, err := hivetest.BuildNTFS(files, o)
	if err != nil {
		return nil, err
	}
	if d.bitlocker {
		copy(data[3:], "-FVE-FS-")
	}
	if d.sector4k {
		countIn4k(data)
	}
	return data, nil
}

// countIn4k makes the boot sector count in sectors of 4096 bytes, with the same clusters.
func countIn4k(volume []byte) {
	le := binary.LittleEndian
	le.PutUint16(volume[11:], 4096)
	volume[13] = 1
	le.PutUint64(volume[40:], le.Uint64(volume[40:])/8)
}

// files are those of the volume, but for what Windows sleeps in and what an older one
// has left.
func (d *diskOptions) files() ([]hivetest.NTFSFile, error) {
	if d.noWindows {
		return []hivetest.NTFSFile{{Path: "Users/Public/desktop.ini", Data: []byte("[.ShellClassInfo]\r\n"), Resident: true}}, nil
	}
	const system = "Windows/System32/config/SYSTEM"
	pc := d.pc
	pc.System = d.hive
	if d.noLog {
		pc.Without = append(pc.Without, system+".LOG1")
	}
	files, err := pc.Windows()
	whole := isWindows7(d.hive) || pc.Machine != 0 || pc.Kernel != [4]uint16{} || pc.SoftwareReg != ""
	files = slices.DeleteFunc(files, func(f hivetest.NTFSFile) bool {
		asked := slices.ContainsFunc(pc.Files, func(own hivetest.NTFSFile) bool { return strings.EqualFold(own.Path, f.Path) })
		return !whole && !asked && !strings.HasPrefix(f.Path, system)
	})
	for i, f := range files {
		if f.Path == system {
			f.Fragments, f.Resident, f.Free = d.fragments, d.attr == "resident", d.attr == "free"
			f.Compressed, f.Sparse, f.Encrypted = d.attr == "compressed", d.attr == "sparse", d.attr == "encrypted"
			if d.attr == "uninitialised" {
				f.Initialized = 100
			}
		}
		if name, ok := strings.CutPrefix(f.Path, "Windows/"); ok {
			f.Path = d.folder + "/" + name
		}
		files[i] = f
	}
	return files, err
}

// isWindows7 says whether a hive, by its root key, is that of a 32-bit Windows 7.
func isWindows7(system []byte) bool {
	return bytes.Contains(system[:min(len(system), 8192)], []byte("{F10156BE-0E87-4EFB-969E-5DA29D131144}"))
}
