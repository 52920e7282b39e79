//go:build linux

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"unloop/hive"
	"unloop/hive/hivetest"
	"unloop/image"
)

// realHivesDir holds hives of real PCs, which are no part of the repository.
func realHivesDir() string {
	if dir := os.Getenv("UNLOOP_TESTDATA"); dir != "" {
		return dir
	}
	dir, _ := filepath.Abs(filepath.Join("..", "..", "..", "shared", "hives"))
	return dir
}

// realHives unpacks each real hive once.
type realHives struct {
	dir string
	mu  sync.Mutex
}

func (r *realHives) read(name string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	path := filepath.Join(r.dir, name)
	if data, err := os.ReadFile(path); err == nil {
		return data, nil
	}
	data, err := exec.Command("xz", "-dc", filepath.Join(realHivesDir(), name+".xz")).Output()
	if err != nil {
		return nil, fmt.Errorf("unpacking %s with xz: %w", name, err)
	}
	return data, os.WriteFile(path, data, 0o666)
}

// scriptMkhive builds a hive: Windows 7 with HASP, the .reg text of a file merged
// over it.
//
//	mkhive OUT [-real NAME | -bare] [-root NAME] [-slack SIZE] [-full] [REGFILE]
func scriptMkhive(ts *testscript.TestScript, _ bool, args []string, cache *realHives) {
	fs := flag.NewFlagSet("mkhive", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	realName := fs.String("real", "", "the hive of a real PC instead")
	bare := fs.Bool("bare", false, "nothing but REGFILE")
	root := fs.String("root", "", "name of the root key")
	slack := fs.String("slack", "0", "zero bytes after the last bin")
	full := fs.Bool("full", false, "no free cells")
	if len(args) == 0 {
		ts.Fatalf("usage: mkhive OUT [FLAG...] [REGFILE]")
	}
	ts.Check(fs.Parse(args[1:]))
	out := ts.MkAbs(args[0])
	if *realName != "" {
		data, err := cache.read(*realName)
		ts.Check(err)
		ts.Check(os.WriteFile(out, data, 0o666))
		return
	}
	var extra string
	if fs.NArg() > 0 {
		extra = ts.ReadFile(fs.Arg(0))
	}
	o := hivetest.Options{RootName: *root, Slack: int(parseSize(ts, *slack)), Full: *full}
	if !*full {
		o.Fill = 16384
	}
	text := hivetest.Win7(extra)
	if *bare {
		text = extra
	}
	data, err := hivetest.Build(text, o)
	ts.Check(err)
	ts.Check(os.WriteFile(out, data, 0o666))
}

// scriptMkdisk builds the disk of a looping PC: a System Reserved partition, then
// the Windows volume, then perhaps a second one.
//
//	mkdisk OUT [-hive FILE] [-table mbr|gpt|none] [-fragments N] [-two FILE]
//	       [-old FILE] [-attr compressed|sparse|encrypted|resident] [-hiber TEXT]
//	       [-bitlocker] [-label TEXT] [-nolog] [-nowindows] [-folder NAME]
func scriptMkdisk(ts *testscript.TestScript, _ bool, args []string) {
	fs := flag.NewFlagSet("mkdisk", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var d diskOptions
	hivePath := fs.String("hive", "", "SYSTEM")
	two := fs.String("two", "", "SYSTEM of a second Windows in a partition of its own")
	old := fs.String("old", "", "SYSTEM of a Windows.old")
	fs.StringVar(&d.table, "table", "mbr", "partition table")
	fs.IntVar(&d.fragments, "fragments", 1, "extents of SYSTEM")
	fs.StringVar(&d.attr, "attr", "", "how SYSTEM lies on the volume")
	fs.StringVar(&d.hiber, "hiber", "", "first bytes of hiberfil.sys")
	fs.BoolVar(&d.bitlocker, "bitlocker", false, "mark the volume as encrypted")
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
	read := func(path string) []byte {
		if path == "" {
			return nil
		}
		return []byte(ts.ReadFile(path))
	}
	if d.hive = read(*hivePath); d.hive == nil {
		var err error
		d.hive, err = hivetest.Build(hivetest.Win7(""), hivetest.Options{Fill: 16384})
		ts.Check(err)
	}
	d.two, d.old = read(*two), read(*old)
	data, err := d.build()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o666))
}

type diskOptions struct {
	table, attr, hiber, label, folder string
	fragments                         int
	bitlocker, noLog, noWindows       bool
	hive, two, old                    []byte
	pc                                hivetest.PC // what else the first volume has
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
	parts := []hivetest.Part{{Start: mib, Data: boot, Active: true}, {Start: 3 * mib, Data: windows}}
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
	if d.table == "gpt" {
		return hivetest.BuildGPT(parts, end+mib)
	}
	return hivetest.BuildMBR(parts, end+mib)
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
		files = append(files, hivetest.NTFSFile{Path: "hiberfil.sys", Data: append([]byte(d.hiber), make([]byte, 8188)...)})
	}
	const mib = 1 << 20
	size := (int64(len(d.hive)+2*len(d.old))/mib + 6) * mib
	o := hivetest.NTFSOptions{Size: size, Unclean: true, Label: d.label, Serial: uint64(hiveSerial(d.hive))}
	data, err := hivetest.BuildNTFS(files, o)
	if err == nil && d.bitlocker {
		copy(data[3:], "-FVE-FS-")
	}
	return data, err
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
	files = slices.DeleteFunc(files, func(f hivetest.NTFSFile) bool {
		return !isWindows7(d.hive) && !strings.HasPrefix(f.Path, system)
	})
	for i, f := range files {
		if f.Path == system {
			f.Fragments, f.Resident = d.fragments, d.attr == "resident"
			f.Compressed, f.Sparse, f.Encrypted = d.attr == "compressed", d.attr == "sparse", d.attr == "encrypted"
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

// hiveSerial gives volumes with different hives different serial numbers.
func hiveSerial(data []byte) uint32 { return labelSum(string(hive.Sum(data))) | 1 }

// openSystemOf opens the SYSTEM hive, or its first log, of installation n of a
// target with the program's own reader, which the tests of image hold against others.
func openSystemOf(ts *testscript.TestScript, target, name string, n int) (*image.Source, *image.File) {
	src, err := image.Host{}.Open(ts.MkAbs(target))
	ts.Check(err)
	if len(src.Installations()) < n {
		ts.Fatalf("%s: %d installations", target, len(src.Installations()))
	}
	f, err := src.Installations()[n-1].Open(name)
	ts.Check(err)
	return src, f
}

func scriptHiveof(ts *testscript.TestScript, _ bool, args []string) {
	n := 1
	if len(args) == 3 {
		var err error
		n, err = strconv.Atoi(args[2])
		ts.Check(err)
	} else {
		wantArgs(ts, args, 2, "hiveof TARGET OUT [N]")
	}
	name := "SYSTEM"
	if strings.HasSuffix(args[1], ".LOG1") {
		name = "SYSTEM.LOG1"
	}
	src, f := openSystemOf(ts, args[0], name, n)
	data, err := readAll(f, maxHive)
	ts.Check(err)
	ts.Check(src.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o666))
}

// scriptClones compares two images sector by sector.
func scriptClones(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 3, "clones A B MAX")
	a, b := ts.ReadFile(args[0]), ts.ReadFile(args[1])
	if len(a) != len(b) {
		ts.Fatalf("%d and %d bytes", len(a), len(b))
	}
	src, primary := openSystemOf(ts, args[0], "SYSTEM", 1)
	_, log := openSystemOf(ts, args[0], "SYSTEM.LOG1", 1)
	defer src.Close()
	within := func(f *image.File, at int64) bool {
		for _, x := range f.Extents() {
			if at >= x.DeviceOffset && at < x.DeviceOffset+x.Length {
				return true
			}
		}
		return false
	}
	sectors := 0
	for at := int64(0); at < int64(len(a)); at += 512 {
		end := min(at+512, int64(len(a)))
		switch {
		case a[at:end] == b[at:end]:
		case within(primary, at):
			sectors++
		case !within(log, at):
			ts.Fatalf("the sector at 0x%x, which is neither SYSTEM's nor LOG1's, differs", at)
		}
	}
	if limit, err := strconv.Atoi(args[2]); err != nil || sectors > limit || sectors == 0 {
		ts.Fatalf("%d sectors of SYSTEM differ, want 1 to %s", sectors, args[2])
	}
}

// goodJudge is a judge that answers from package hive.
func goodJudge() {
	if err := answerFrom(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answerFrom(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	h, err := hive.Open(hive.Files{Primary: data})
	if err != nil {
		return err
	}
	if err := answerQuestion(h, os.Stdin, os.Stdout); err != nil {
		return err
	}
	return h.Listing(os.Stdout)
}

// answerQuestion reads the values asked for from a diff of the hive against an
// empty one, the only way to all values that package hive offers.
func answerQuestion(b *hive.Hive, in io.Reader, out io.Writer) error {
	var q judgeQuestion
	if err := json.NewDecoder(in).Decode(&q); err != nil {
		return err
	}
	empty, err := hivetest.Build("", hivetest.Options{})
	if err != nil {
		return err
	}
	a, err := hive.Open(hive.Files{Primary: empty})
	if err != nil {
		return err
	}
	d, err := hive.Compare(a, b, false)
	if err != nil {
		return err
	}
	values := map[string]*hive.Data{}
	keys := map[string]bool{}
	for _, k := range d.Keys {
		keys[hive.FormatRegKey(k.Path)] = true
		for _, v := range k.Values {
			values[hive.FormatRegKey(append(k.Path[:len(k.Path):len(k.Path)], v.Name))] = v.New
		}
	}
	type value struct {
		Found bool   `json:"found"`
		Type  uint32 `json:"type"`
		Data  string `json:"data"`
	}
	type key struct {
		Found  bool    `json:"found"`
		Values []value `json:"values"`
	}
	answer := struct {
		Judge string `json:"judge"`
		Keys  []key  `json:"keys"`
	}{Judge: "goodjudge 1.0"}
	for _, k := range q.Keys {
		one := key{Found: keys[hive.FormatRegKey(k.Path)]}
		for _, name := range k.Values {
			v := value{}
			if d := values[hive.FormatRegKey(append(k.Path[:len(k.Path):len(k.Path)], name))]; d != nil {
				v = value{true, uint32(d.Type), hex.EncodeToString(d.Bytes)}
			}
			one.Values = append(one.Values, v)
		}
		answer.Keys = append(answer.Keys, one)
	}
	return json.NewEncoder(out).Encode(answer)
}
