//go:build linux

package main

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// TestKilled kills the program at the writes and syncs of a repair and of an undo,
// as a power cut would. Whatever is left must be the old hive or the new one, and a
// second run, or an undo, must bring it to the end as if nothing had happened.
func TestKilled(t *testing.T) {
	t.Parallel()
	k := &killer{tamperer: newTamperer(t)}
	t.Run("group", func(t *testing.T) {
		for _, s := range scenes() {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				st := s.play(t)
				repair := func(name string) {
					k.everywhere(t, st, st.first, "repair", name, "signal=KILL", 1, func(t *testing.T, _ tampered) { st.afterRepair(t, k.count(st.found(t))) })
				}
				undo := func(name string, oneIn int) {
					k.everywhere(t, st, st.repaired, "undo", name, "signal=KILL", oneIn, func(t *testing.T, _ tampered) { st.afterUndo(t, k.count(st.found(t))) })
				}
				repair("pwrite64")
				if s.dirty { // the rest is as with a clean hive
					undo("pwrite64", 8)
					return
				}
				if len(s.flags) > 0 { // TestPrefixes ends it after each write
					undo("pwrite64", 12)
					return
				}
				repair("fsync")
				undo("pwrite64", 1)
				undo("fsync", 1)
			})
		}
	})
	text := fmt.Sprintf("killed: %d runs of unloop, %d left the hive old, %d new, %d between", k.old+k.new+k.between, k.old, k.new, k.between)
	t.Log(text)
	fmt.Fprintln(os.Stdout, text)
	if k.old == 0 || k.new == 0 || k.between == 0 {
		t.Error("want all three")
	}
}

// A killer counts its runs by what they left behind.
type killer struct {
	*tamperer
	mu                sync.Mutex
	old, new, between int
}

func (k *killer) count(found string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch found {
	case "old":
		k.old++
	case "new":
		k.new++
	default:
		k.between++
	}
	return found
}
