//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"unloop/hive"
)

// TestKilled kills the program at the writes and syncs of a repair and of an undo,
// as a power cut would. Whatever is left must be the old hive or the new one, and a
// second run, or an undo, must bring it to the end as if nothing had happened.
func TestKilled(t *testing.T) {
	k := &killer{tamperer: newTamperer(t)}
	t.Run("group", func(t *testing.T) {
		for _, s := range scenes() {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				st := s.play(t)
				k.everywhere(t, st, "repair", "pwrite64", 1)
				if s.dirty { // the rest is as with a clean hive
					k.everywhere(t, st, "undo", "pwrite64", 8)
					return
				}
				k.everywhere(t, st, "repair", "fsync", 1)
				k.everywhere(t, st, "undo", "pwrite64", 1)
				k.everywhere(t, st, "undo", "fsync", 1)
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

// tries bounds how often one call is aimed at: strace counts the calls of each
// thread by itself, and the Go runtime moves work between threads.
const tries = 200

// everywhere kills a verb at one in so many of its calls, and looks at what is left.
func (k *killer) everywhere(t *testing.T, st *stage, verb, syscall string, oneIn int) {
	t.Helper()
	start, after := st.first, st.afterRepair
	if verb == "undo" {
		start, after = st.repaired, st.afterUndo
	}
	st.put(t, start)
	whole := k.run(t, syscall, st.args(verb)...)
	if whole.code != 0 || len(whole.calls) == 0 {
		t.Fatalf("%s ends with %d after %d calls:\n%s", verb, whole.code, len(whole.calls), whole.stderr)
	}
	reached := map[int]bool{}
	for i := len(whole.calls); i > 0; i -= oneIn {
		for try := 0; !reached[i]; try++ {
			if try == tries {
				t.Fatalf("%s: strace does not reach %s %d of %d", verb, syscall, i, len(whole.calls))
			}
			st.put(t, start)
			r := k.run(t, fmt.Sprintf("%s:signal=KILL:when=%d", syscall, i-try%i), st.args(verb)...)
			if n := len(r.calls); r.killed && !reached[n] {
				reached[n] = true
				t.Run(fmt.Sprintf("%s at %s %d of %d", verb, syscall, n, len(whole.calls)), func(t *testing.T) {
					found := st.found(t)
					k.count(found)
					after(t, found)
				})
			}
		}
	}
}

func (k *killer) count(found string) {
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
}

// afterRepair expects that another repair brings the killed one to its end and keeps
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

// afterUndo expects that another undo brings the killed one to its end.
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
