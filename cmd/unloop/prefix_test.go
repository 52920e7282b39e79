//go:build linux

package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"unloop/hive"
	"unloop/image"
)

// imageWrite is one write to the PC's disk.
type imageWrite struct {
	offset int64
	data   []byte
}

var tracedWrite = regexp.MustCompile(`pwrite64\(\d+<((?:\\x[0-9a-f]{2})*)>, "((?:\\x[0-9a-f]{2})*)", \d+, (\d+)`)

// writes runs a verb under strace and returns what it writes to the PC's disk, in order.
func (tp *tamperer) writes(t *testing.T, st *stage, verb string) []imageWrite {
	t.Helper()
	log := filepath.Join(t.TempDir(), "strace")
	args := append([]string{"-f", "-qq", "-y", "-xx", "-s", "1048576", "-e", "trace=pwrite64", "-o", log, tp.program}, st.args(verb)...)
	if out, err := exec.Command("strace", args...).CombinedOutput(); err != nil {
		t.Fatalf("strace %s: %v: %s", verb, err, out)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var all []imageWrite
	for _, m := range tracedWrite.FindAllStringSubmatch(string(text), -1) {
		offset, err := strconv.ParseInt(m[3], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if string(unhex(m[1])) == st.target {
			all = append(all, imageWrite{offset, unhex(m[2])})
		}
	}
	return all
}

// TestPrefixes stops a repair that does all it can, and its undo, after each of its writes
// to the disk. What a power cut leaves then is, of each hive, the old or the new one; a
// Windows that sleeps finds every byte as it was; and a second run, or an undo, ends as if
// nothing had happened.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	tp := newTamperer(t)
	st := asleepScene().play(t)
	soft := map[bool]*hive.Hive{}
	for repaired, tree := range map[bool]tree{false: st.first, true: st.repaired} {
		st.put(t, tree)
		soft[repaired] = st.readHive(t, hive.SoftwareFile)
	}
	count := map[string]int{}
	each := func(verb string, start tree, after func()) {
		st.put(t, start)
		writes := tp.writes(t, st, verb)
		backups := st.look(t) // as the run leaves them, but for how it ended
		disk := bytes.Clone(start["pc/pc.img"])
		for i := 0; ; i++ {
			st.put(t, backups)
			st.put(t, withDisk(backups, disk))
			st.reopen(t, verb)
			found := st.found(t) + ", SOFTWARE " + st.which(t, soft)
			if st.asleep(t) {
				found += ", asleep"
			}
			count[verb+": "+found]++
			after()
			if i == len(writes) {
				return
			}
			copy(disk[writes[i].offset:], writes[i].data)
		}
	}
	each("repair", st.first, func() { st.afterRepair(t, st.found(t)) })
	each("undo", st.repaired, func() { st.afterUndo(t, st.found(t)) })
	for _, want := range []string{
		"repair: old, SOFTWARE old, asleep", "repair: old, SOFTWARE old", "repair: new, SOFTWARE old", "repair: new, SOFTWARE new",
		"undo: new, SOFTWARE new", "undo: old, SOFTWARE new", "undo: old, SOFTWARE old", "undo: old, SOFTWARE old, asleep",
	} {
		if count[want] == 0 {
			t.Errorf("no write left %s", want)
		}
		delete(count, want)
	}
	if len(count) > 0 {
		t.Errorf("left, too: %v", count)
	}
}

// TestDiscardFails lets each write and some of the syncs of such a repair fail. That of
// the signature ends it with the hives untouched, and a second run goes on from there.
func TestDiscardFails(t *testing.T) {
	t.Parallel()
	tp := newTamperer(t)
	st := asleepScene().play(t)
	st.put(t, st.first)
	src, err := image.Host{}.Open(st.target)
	if err != nil {
		t.Fatal(err)
	}
	file, err := src.Installations()[0].OpenSleepFile()
	if err != nil {
		t.Fatal(err)
	}
	signature := file.Extents()[0].DeviceOffset
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	hits := 0
	look := func(t *testing.T, r tampered) {
		wantHint(t, r.code, r.stderr)
		found := st.found(t)
		for _, c := range r.calls {
			if !c.injected || c.path != st.target || c.name != "pwrite64" || c.offset != signature {
				continue
			}
			hits++
			if exitCode(r.code) != exitFailed || !strings.Contains(r.stderr, "the hibernation could not be discarded; the hive is untouched") || !st.asleep(t) {
				t.Errorf("exit code %d:\n%s", r.code, r.stderr)
			}
		}
		st.afterRepair(t, found)
	}
	tp.everywhere(t, st, st.first, "repair", "pwrite64", "error=EIO", 1, look)
	tp.everywhere(t, st, st.first, "repair", "fsync", "error=EIO", 4, look)
	if hits == 0 {
		t.Error("the write of the signature did not fail once")
	}
}

func withDisk(files tree, disk []byte) tree {
	with := tree{}
	for name, data := range files {
		with[name] = data
	}
	with["pc/pc.img"] = bytes.Clone(disk)
	return with
}

// reopen makes the manifests those of a run that was ended while it wrote.
func (st *stage) reopen(t *testing.T, verb string) {
	t.Helper()
	all, _, err := hive.FindBackups(st.backs)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		state := hive.StateDone
		if b.Action == verb {
			state = hive.StateStarted
		}
		if b.Hibernation != nil {
			b.Hibernation.Restored = false
		}
		if err := b.SetState(state); err != nil {
			t.Fatal(err)
		}
	}
}

// which says whether the SOFTWARE hive is old or new, by itself or after replaying its log.
func (st *stage) which(t *testing.T, soft map[bool]*hive.Hive) string {
	t.Helper()
	switch h := st.readHive(t, hive.SoftwareFile); {
	case sameBins(h, soft[false]):
		return "old"
	case sameBins(h, soft[true]):
		return "new"
	}
	t.Fatal("SOFTWARE is neither the old nor the new one")
	return ""
}

func (st *stage) readHive(t *testing.T, name string) *hive.Hive {
	t.Helper()
	src, err := image.Host{}.Open(st.target)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	files, err := openHive(src.Installations()[0], name)
	if err != nil {
		t.Fatal(err)
	}
	data, err := files.read()
	if err != nil {
		t.Fatal(err)
	}
	h, err := hive.Open(data)
	if err != nil {
		t.Fatal(fmt.Errorf("%s as found: %w", name, err))
	}
	return h
}
