//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"unloop/hive"
	"unloop/hive/hivetest"
	"unloop/image"
)

// A scene is a sick PC in a folder of its own, to have accidents with.
type scene struct {
	name   string
	target string   // its name in the folder
	logged bool     // a repair writes SYSTEM.LOG1 first
	dirty  bool     // a repair replays a log before it edits
	flags  []string // of its repair, besides those of every one
	files  func(t *testing.T) map[string][]byte
}

func scenes() []scene {
	return []scene{
		{"disk with log", "pc.img", true, false, nil, func(t *testing.T) map[string][]byte {
			return map[string][]byte{"pc.img": volumeOf(t, sickHive(t, ""), make([]byte, 262144))}
		}},
		{"file without log", "SYSTEM", false, false, nil, func(t *testing.T) map[string][]byte {
			return map[string][]byte{"SYSTEM": sickHive(t, "")}
		}},
		{"dirty disk", "pc.img", true, true, nil, func(t *testing.T) map[string][]byte {
			primary, log := dirtyPair(t)
			return map[string][]byte{"pc.img": volumeOf(t, primary, log)}
		}},
		{"torn disk", "pc.img", true, true, nil, func(t *testing.T) map[string][]byte {
			primary, log := dirtyPair(t)
			copy(primary, bytes.Repeat([]byte("torn"), 128))
			return map[string][]byte{"pc.img": volumeOf(t, primary, log)}
		}},
		{"dirty file with one log", "SYSTEM", false, true, nil, func(t *testing.T) map[string][]byte {
			primary, log := dirtyPair(t)
			return map[string][]byte{"SYSTEM": primary, "SYSTEM.LOG": log}
		}},
		asleepScene(),
	}
}

// asleepScene is a PC that sleeps, of which a repair writes everything it can: it discards
// the hibernation, then changes both hives.
func asleepScene() scene {
	flags := []string{"--fix", "override,drivers,updates", "--discard-hibernation"}
	return scene{"two hives, asleep", "pc.img", true, false, flags, func(t *testing.T) map[string][]byte {
		const config = "Windows/System32/config/"
		soft, err := hivetest.Build(hivetest.Win7Software(""), hivetest.Options{FileName: "SOFTWARE", RootName: hivetest.SoftwareRoot, Fill: 4096})
		if err != nil {
			t.Fatal(err)
		}
		data, err := hivetest.BuildNTFS([]hivetest.NTFSFile{
			{Path: config + "SYSTEM", Data: sickHive(t, ""), Fragments: 3},
			{Path: config + "SYSTEM.LOG1", Data: make([]byte, 262144)},
			{Path: config + "SOFTWARE", Data: soft, Fragments: 2},
			{Path: config + "SOFTWARE.LOG1", Data: make([]byte, 65536)},
			{Path: "hiberfil.sys", Data: append([]byte("hibr"), bytes.Repeat([]byte("memory"), 1500)...)},
		}, hivetest.NTFSOptions{Size: 3 << 20, Unclean: true})
		if err != nil {
			t.Fatal(err)
		}
		return map[string][]byte{"pc.img": data}
	}}
}

// asleep says whether a Windows sleeps on the PC's disk. Wherever a repair or an undo was
// ended, a Windows that sleeps must find every byte as it was: on waking it would go on
// with what it remembers.
func (st *stage) asleep(t *testing.T) bool {
	t.Helper()
	src, err := image.Host{}.Open(st.target)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if src.Installations()[0].Hibernated != image.HiberSleeping {
		return false
	}
	st.wantPC(t, st.first, "with the signature in place")
	return true
}

func sickHive(t *testing.T, extra string) []byte {
	t.Helper()
	data, err := hivetest.Build(hivetest.Win7(extra), hivetest.Options{Fill: 8192})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// dirtyPair is a hive that a reset has left dirty, and its log.
func dirtyPair(t *testing.T) (primary, log []byte) {
	t.Helper()
	before := sickHive(t, `
[ControlSet001\Control\ComputerName\ComputerName]
"ComputerName"="RESET-PC1"
[ControlSet001\services\Haspnt]
"Start"=dword:00000003
[ControlSet002\services\aksusb]
"Start"=dword:00000004
`)
	primary, log, err := hivetest.Dirty(before, sickHive(t, ""), 262144)
	if err != nil {
		t.Fatal(err)
	}
	return primary, log
}

// volumeOf builds a small volume with Windows on it.
func volumeOf(t *testing.T, primary, log1 []byte) []byte {
	t.Helper()
	const config = "Windows/System32/config/"
	data, err := hivetest.BuildNTFS([]hivetest.NTFSFile{
		{Path: config + "SYSTEM", Data: primary, Fragments: 3},
		{Path: config + "SYSTEM.LOG1", Data: log1},
		{Path: config + "SYSTEM.LOG2"},
	}, hivetest.NTFSOptions{Size: 3 << 20, Unclean: true})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A stage is the folder in which a scene is played: the PC's files, and backups.
type stage struct {
	scene
	dir           string
	first         tree // the PC as it was found …
	repaired      tree // … repaired, with the backup …
	undone        tree // … and with the repair taken back
	old, new      *hive.Hive
	target, backs string
	extents       []image.Extent // of the hive on the disk
}

// tree is the content of a folder, by path below it.
type tree map[string][]byte

// play sets a scene up and plays it once without an accident.
func (s scene) play(t *testing.T) *stage {
	t.Helper()
	st := &stage{scene: s, dir: t.TempDir()}
	st.target, st.backs = filepath.Join(st.dir, "pc", s.target), filepath.Join(st.dir, "backups")
	st.first = tree{}
	for name, data := range s.files(t) {
		st.first["pc/"+name] = data
	}
	st.put(t, st.first)
	st.old = st.read(t)
	st.must(t, "repair")
	st.repaired = st.look(t)
	st.new = st.read(t)
	st.must(t, "undo")
	st.undone = st.look(t).pc()
	switch left := st.read(t); {
	case s.dirty && (left.Replay != nil || !bytes.Equal(left.Bytes(), st.old.Bytes())):
		t.Fatalf("%s: the undo does not end at the replayed, clean hive", s.name)
	case !s.dirty && !maps.EqualFunc(st.undone, st.first, bytes.Equal):
		t.Fatalf("%s: the undo does not give the first bytes back", s.name)
	}
	return st
}

// pc returns what belongs to the PC.
func (t tree) pc() tree {
	pc := tree{}
	for name, data := range t {
		if filepath.Dir(name) == "pc" {
			pc[name] = data
		}
	}
	return pc
}

// put makes the folder's content that of a tree.
func (st *stage) put(t *testing.T, to tree) {
	t.Helper()
	now := st.look(t)
	for name := range now {
		if _, ok := to[name]; !ok {
			if err := os.Remove(filepath.Join(st.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, data := range to {
		if old, ok := now[name]; ok && bytes.Equal(old, data) {
			continue
		}
		path := filepath.Join(st.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
}

func (st *stage) look(t *testing.T) tree {
	t.Helper()
	found := tree{}
	err := fs.WalkDir(os.DirFS(st.dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		found[path], err = os.ReadFile(filepath.Join(st.dir, path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// args are the arguments of a run that writes.
func (st *stage) args(verb string) []string {
	args := []string{verb, "--yes", "--crosscheck", "off", "--backup", st.backs}
	if verb == "repair" {
		args = append(args, st.flags...)
	}
	return append(args, st.target)
}

// must runs a verb in this process, to its end, and returns what it says on stderr.
func (st *stage) must(t *testing.T, verb string) string {
	t.Helper()
	code, _, stderr := unloop(st.args(verb)...)
	if code != 0 {
		t.Fatalf("%s: %s ends with %d:\n%s", st.name, verb, code, stderr)
	}
	return stderr
}

// readFiles reads the PC's hive and logs.
func (st *stage) readFiles(t *testing.T) hive.Files {
	t.Helper()
	src, err := image.Host{}.Open(st.target)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	files, err := openHive(src.Installations()[0], hive.PrimaryFile)
	if err != nil {
		t.Fatal(err)
	}
	st.extents = files.primary.Extents()
	data, err := files.read()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// read opens the PC's hive, replaying its log where it is dirty.
func (st *stage) read(t *testing.T) *hive.Hive {
	t.Helper()
	h, err := hive.Open(st.readFiles(t))
	if err != nil {
		t.Fatalf("%s: the hive as found: %v", st.name, err)
	}
	return h
}

// inHive says whether a call read or wrote the hive itself.
func (st *stage) inHive(c call) bool {
	if c.path != st.target {
		return false
	}
	within := func(x image.Extent) bool {
		return c.offset >= x.DeviceOffset && c.offset < x.DeviceOffset+x.Length
	}
	return st.extents == nil || slices.ContainsFunc(st.extents, within)
}

// found says of the hive on the medium whether it is "old" or "new", by itself or
// after replaying the log. Without a log each edit may be made or not: "between".
func (st *stage) found(t *testing.T) string {
	t.Helper()
	st.asleep(t)
	h := st.read(t)
	if h.Replay != nil && !st.logged && !st.dirty {
		t.Fatalf("%s: the hive is dirty without a log of its own", st.name)
	}
	switch {
	case sameBins(h, st.old):
		return "old"
	case sameBins(h, st.new):
		return "new"
	case st.logged:
		t.Fatalf("%s: the hive is neither the old nor the new one", st.name)
	}
	possible := changes(t, st.old, st.new)
	for _, c := range changes(t, st.old, h) {
		if !slices.Contains(possible, c) {
			t.Fatalf("%s: %s, which nobody planned", st.name, c)
		}
	}
	return "between"
}

func sameBins(a, b *hive.Hive) bool {
	const baseBlock = 4096
	return bytes.Equal(a.Bytes()[baseBlock:], b.Bytes()[baseBlock:])
}

// changes lists how two hives differ, value by value.
func changes(t *testing.T, a, b *hive.Hive) (list []string) {
	t.Helper()
	d, err := hive.Compare(a, b, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range d.Keys {
		if k.Side != hive.InBoth || len(k.Notes) > 0 {
			list = append(list, "the key "+hive.FormatRegKey(k.Path)+" changed")
		}
		for _, v := range k.Values {
			list = append(list, fmt.Sprintf("%s %s: %s to %s", hive.FormatRegKey(k.Path), v.Name, v.Old.Text(), v.New.Text()))
		}
	}
	return list
}

// repairBackup returns the one backup that a repair has made.
func (st *stage) repairBackup(t *testing.T) *hive.Backup {
	t.Helper()
	all, _, err := hive.FindBackups(st.backs)
	if err != nil {
		t.Fatal(err)
	}
	var repairs []*hive.Backup
	for _, b := range all {
		if b.Action == "repair" && b.HiveName() == hive.PrimaryFile {
			repairs = append(repairs, b)
		}
	}
	if len(repairs) != 1 {
		t.Fatalf("%s: %d backups of repairs, want 1", st.name, len(repairs))
	}
	return repairs[0]
}

// wantPC compares the PC's files with a tree's.
func (st *stage) wantPC(t *testing.T, want tree, after string) {
	t.Helper()
	got := st.look(t).pc()
	for name, data := range want.pc() {
		if at := firstDifference(got[name], data); at >= 0 {
			t.Fatalf("%s: %s, %s is not as it should be from 0x%x on", st.name, after, name, at)
		}
	}
	if len(got) != len(want.pc()) {
		t.Fatalf("%s: %s, there are %d files, want %d", st.name, after, len(got), len(want.pc()))
	}
}

// afterRepair expects that another repair brings the broken one to its end and keeps
// the first backup, and that an undo leads back, at once as well as later.
func (st *stage) afterRepair(t *testing.T, found string) {
	t.Helper()
	left := st.look(t)
	if backups, _, err := hive.FindBackups(st.backs); err == nil && len(backups) > 0 {
		st.must(t, "undo")
		st.wantEnd(t, "an undo at once", found, st.undone, st.old)
	}
	st.put(t, left)
	more := st.must(t, "repair")
	st.wantEnd(t, "a second repair", found, st.repaired, st.new)
	b := st.repairBackup(t)
	if b.State != hive.StateDone && !strings.Contains(more, "nothing to do") {
		t.Errorf("after a second repair the backup's state is %s", b.State)
	}
	if b.Before != st.old.ID() {
		t.Errorf("after a second repair the backup is not of the hive as first found")
	}
	st.must(t, "undo")
	st.wantEnd(t, "repair and undo", found, st.undone, st.old)
}

// afterUndo expects that another undo brings the broken one to its end.
func (st *stage) afterUndo(t *testing.T, found string) {
	t.Helper()
	st.must(t, "undo")
	st.wantEnd(t, "a second undo", found, st.undone, st.old)
	if b := st.repairBackup(t); b.State != hive.StateUndone {
		t.Errorf("after a second undo the backup's state is %s", b.State)
	}
}

// wantEnd expects the PC to be as it would have been without the accident: to the
// byte, but for what a half-made edit without a log leaves in free cells and in the
// sequence numbers; then in every value.
func (st *stage) wantEnd(t *testing.T, after, found string, want tree, h *hive.Hive) {
	t.Helper()
	if st.logged {
		st.wantPC(t, want, "after "+after)
		return
	}
	got := st.read(t)
	if differ := changes(t, h, got); len(differ) > 0 || got.Replay != nil {
		t.Errorf("after %s of a hive found %s: %q, dirty: %v", after, found, differ, got.Replay != nil)
	}
}
