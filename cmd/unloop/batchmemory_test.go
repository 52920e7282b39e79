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
	for _, args := range []string{"scan", "repair --yes", "undo --yes --jobs 3"} {
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
		if grown := slices.Max(w.inUse[half:]) - slices.Max(w.inUse[:half]); grown > 2*size {
			t.Errorf("%s: up to %d bytes more are in use in the second half of the run: %d", args, grown, w.inUse)
		}
	}
}
