package main

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"unloop/hive/hivetest"
)

// heapWatch notes, at every line that is printed, what of the heap is in use.
type heapWatch struct{ inUse []int64 }

func (w *heapWatch) Write(p []byte) (int, error) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.inUse = append(w.inUse, int64(m.HeapAlloc))
	return len(p), nil
}

// Memory is for the targets that are worked on: of those that are done nothing is kept that
// is as large as a hive.
func TestBatchMemory(t *testing.T) {
	const size, targets = 2 << 20, 16
	data := buildHive(t, "", hivetest.Options{Slack: size})
	dir := t.TempDir()
	for i := range targets {
		writeFile(t, filepath.Join(dir, fmt.Sprintf("%02d.img", i)), data)
	}
	data = nil
	for _, test := range []struct {
		args string
		jobs int
	}{{"scan", 1}, {"repair --yes", 1}, {"undo --yes", 3}} {
		args := fmt.Sprintf("%s --jobs %d", test.args, test.jobs)
		p := play(t, strings.NewReader(""))
		t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
		w := new(heapWatch)
		p.out = w
		words := append([]string{"unloop"}, strings.Fields(args)...)
		if code := p.main(append(words, "--recursive", "--format", "json", dir)); code != exitDone {
			t.Fatalf("%s: exit code %d: %s", args, code, p.stderr.String())
		}
		if len(w.inUse) != targets {
			t.Fatalf("%s: %d lines, want %d", args, len(w.inUse), targets)
		}
		half := targets / 2
		if grown := slices.Max(w.inUse[half:]) - slices.Max(w.inUse[:half]); grown > int64(2*size*test.jobs) {
			t.Errorf("%s: up to %d bytes more are in use in the second half of the run: %d", args, grown, w.inUse)
		}
	}
}
