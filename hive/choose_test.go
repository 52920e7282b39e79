package hive_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
)

func TestChooseBackup(t *testing.T) {
	h := win7(t, "")
	id, target := h.Identify(), hive.Target{Path: "/dev/sda", Partition: 2, VolumeSerial: "AAAA"}
	other := hive.HiveID{ResourceManager: id.ResourceManager, Computer: "ANOTHER"}
	type change func(b *hive.Backup)
	make := func(dir string, changes ...change) *hive.Backup {
		b := &hive.Backup{Dir: dir, Manifest: hive.Manifest{
			Action: "repair", State: hive.StateDone, Target: target, Hive: id,
			Before: hive.Identity{Primary: "before"}, After: hive.Identity{Primary: "after " + hive.Digest(dir)},
		}}
		for _, c := range changes {
			c(b)
		}
		return b
	}
	wroteThis := func(b *hive.Backup) { b.After.Primary = h.Sum() }
	fromThis := func(b *hive.Backup) { b.Before.Primary = h.Sum() }
	before := func(d hive.Digest) change { return func(b *hive.Backup) { b.Before.Primary = d } }
	at := func(t hive.Target) change { return func(b *hive.Backup) { b.Target = t } }
	of := func(id hive.HiveID) change { return func(b *hive.Backup) { b.Hive = id } }
	state := func(s hive.State) change { return func(b *hive.Backup) { b.State = s } }
	anUndo := func(b *hive.Backup) { b.Action = "undo" }
	elsewhere := hive.Target{Path: "/dev/sdb", Partition: 2, VolumeSerial: "BBBB"}
	noSerial := hive.Target{Path: "SYSTEM"}

	for _, tt := range []struct {
		name    string
		backups []*hive.Backup
		want    string // folder of the chosen one
		err     error
	}{
		{"none", nil, "", hive.ErrNoBackup},
		{"none of this hive", []*hive.Backup{make("a", of(other))}, "", hive.ErrNoBackup},
		{"only an undo", []*hive.Backup{make("a", wroteThis, anUndo)}, "", hive.ErrNoBackup},
		{"exact", []*hive.Backup{make("a"), make("b", wroteThis), make("c")}, "b", nil},
		{"exact, whatever its state, identity and place", []*hive.Backup{make("a", wroteThis, of(other), at(elsewhere), state(hive.StateUndone))}, "a", nil},
		{"exact, several to the same bytes: the newest", []*hive.Backup{make("a", wroteThis), make("b", wroteThis)}, "b", nil},
		{"exact, several to the same bytes, one made here", []*hive.Backup{make("a", wroteThis), make("b", wroteThis, at(elsewhere))}, "a", nil},
		{"exact, to different bytes", []*hive.Backup{make("a", wroteThis), make("b", wroteThis, before("others"))}, "", hive.ErrSeveralBackups},
		{"exact, to different bytes, one made here", []*hive.Backup{make("a", wroteThis), make("b", wroteThis, before("others"), at(elsewhere))}, "a", nil},
		{"as before a repair", []*hive.Backup{make("a"), make("b", fromThis)}, "b", nil},
		{"as before a repair and after another", []*hive.Backup{make("a", wroteThis), make("b", fromThis)}, "a", nil},
		{"as before the repair of a clone", []*hive.Backup{make("a", fromThis, at(elsewhere))}, "", hive.ErrNoBackup},
		{"alike", []*hive.Backup{make("a"), make("b", of(other))}, "a", nil},
		{"alike, begun only", []*hive.Backup{make("a", state(hive.StateStarted))}, "a", nil},
		{"alike, undone", []*hive.Backup{make("a", state(hive.StateUndone))}, "", hive.ErrNoBackup},
		{"alike, one undone", []*hive.Backup{make("a", state(hive.StateUndone)), make("b")}, "b", nil},
		{"alike, several", []*hive.Backup{make("a"), make("b")}, "", hive.ErrSeveralBackups},
		{"a clone with another volume serial", []*hive.Backup{make("a", at(elsewhere))}, "", hive.ErrNoBackup},
		{"a clone beside it", []*hive.Backup{make("a", at(elsewhere)), make("b")}, "b", nil},
		{"a clone whose volume serial is unknown", []*hive.Backup{make("a", at(noSerial)), make("b")}, "b", nil},
		{"two made here", []*hive.Backup{make("a"), make("b"), make("c", at(noSerial))}, "", hive.ErrSeveralBackups},
		{"made of a hive file", []*hive.Backup{make("a", at(noSerial))}, "a", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := hive.ChooseBackup(h, id, target, tt.backups)
			if !errors.Is(err, tt.err) || (got == nil) != (tt.err != nil) || got != nil && got.Dir != tt.want {
				t.Fatalf("ChooseBackup = %v, %v, want %q, %v", got, err, tt.want, tt.err)
			}
			var several *hive.SeveralBackups
			if errors.Is(err, hive.ErrSeveralBackups) {
				if !errors.As(err, &several) || len(several.Backups) != 2 || !strings.Contains(err.Error(), ": a (0001-01-01 00:00, 0 values), b (") {
					t.Errorf("the error %q does not list both", err)
				}
			}
		})
	}
}

func TestFindBackups(t *testing.T) {
	root := t.TempDir()
	add := func(day int, parts ...string) {
		m := someManifest()
		m.Time = time.Date(2018, 5, day, 0, 0, 0, 0, time.UTC)
		if _, err := hive.WriteBackup(filepath.Join(append([]string{root}, parts...)...), someFiles, m); err != nil {
			t.Fatal(err)
		}
	}
	add(9, "a")
	add(7, "run", "1")
	add(8, "run", "2")
	add(6, "run", "deep", "3")
	add(5, "run", "deep", "too", "4")
	bad := filepath.Join(root, "bad")
	if err := os.Mkdir(bad, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(bad, hive.ManifestName), []byte("{"))
	write(t, filepath.Join(root, "run", "notes.txt"), []byte("not a manifest"))

	backups, problems, err := hive.FindBackups(root)
	if err != nil || len(problems) != 1 || !strings.Contains(problems[0].Error(), bad) {
		t.Errorf("FindBackups: %v, problems %v, want one in %s", err, problems, bad)
	}
	var got []string
	for _, b := range backups {
		rel, _ := filepath.Rel(root, b.Dir)
		got = append(got, filepath.ToSlash(rel))
	}
	// The oldest lies deeper than unloop ever writes.
	if diff := cmp.Diff([]string{"run/deep/3", "run/1", "run/2", "a"}, got); diff != "" {
		t.Errorf("backups by time (-want +got):\n%s", diff)
	}
	if _, _, err := hive.FindBackups(filepath.Join(root, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("FindBackups of a folder that is not there: %v, want %v", err, os.ErrNotExist)
	}
}

// A run that did not end is found by what it was about to write, at the same place.
func TestResumes(t *testing.T) {
	h := win7(t, "")
	u := update(t, prepare(t, h, hive.Scope{}, false), 0)
	target := someManifest().Target
	for _, tt := range []struct {
		name   string
		state  hive.State
		change func(b *hive.Backup)
		want   bool
	}{
		{"begun", hive.StateStarted, func(*hive.Backup) {}, true},
		{"failed", hive.StateFailed, func(*hive.Backup) {}, true},
		{"done", hive.StateDone, func(*hive.Backup) {}, false},
		{"undone", hive.StateUndone, func(*hive.Backup) {}, false},
		{"to write something else", hive.StateStarted, func(b *hive.Backup) { b.After.Primary = "else" }, false},
		{"another action", hive.StateStarted, func(b *hive.Backup) { b.Action = "undo" }, false},
		{"another place", hive.StateStarted, func(b *hive.Backup) { b.Target.Partition++ }, false},
		{"damaged copy", hive.StateStarted, func(b *hive.Backup) { b.Files[0].SHA256 = "00" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := backup(t)
			b.State, b.After = tt.state, u.After
			tt.change(b)
			if got := hive.Resumes(h, u, nil, target, "repair", []*hive.Backup{b}); (got == b) != tt.want {
				t.Errorf("Resumes = %v, want it: %v", got, tt.want)
			}
		})
	}
}
