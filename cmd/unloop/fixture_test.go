//go:build linux

package main

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
	if strings.Contains(args[1], "SOFTWARE") {
		name = "SOFTWARE"
	}
	if strings.HasSuffix(args[1], ".LOG1") {
		name += ".LOG1"
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
