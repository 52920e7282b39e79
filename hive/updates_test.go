package hive_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// Keys of a SOFTWARE hive.
const (
	autoUpdate   = `Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update`
	updatePolicy = `Policies\Microsoft\Windows\WindowsUpdate\AU`
)

// software builds a small SOFTWARE hive with extra merged over it. Its Auto Update key is
// set to install by itself.
func software(t testing.TB, extra string, o hivetest.Options) []byte {
	t.Helper()
	o.FileName, o.RootName = "emRoot\\System32\\Config\\SOFTWARE", "CMI-CreateHive{199DAFC2-6F16-4946-BF90-5A3FC3A60902}"
	text := "[Microsoft\\Windows NT\\CurrentVersion]\n\"ProductName\"=\"Windows 7 Professional\"\n" +
		"[" + autoUpdate + "]\n\"AUOptions\"=dword:4\n\"IncludeRecommendedUpdates\"=dword:1\n" + extra
	return buildText(t, text, o)
}

func softwareFiles(t testing.TB, extra string) hive.Files {
	t.Helper()
	return hive.Files{Name: hive.SoftwareFile, Primary: software(t, extra, hivetest.Options{Fill: 4096})}
}

func TestPlanUpdates(t *testing.T) {
	edit := func(name string, old *hive.Data) []hive.Edit {
		return []hive.Edit{{Fix: hive.FixUpdates, Path: path(autoUpdate), Name: name, Old: old, New: dword(2)}}
	}
	in := func(line string) string { return "[" + autoUpdate + "]\n" + line }
	for _, tt := range []struct {
		name, extra string
		want        []hive.Edit
		err         error
	}{
		{"installs by itself", "", edit("AUOptions", dword(4)), nil},
		{"downloads by itself", in(`"AUOptions"=dword:3`), edit("AUOptions", dword(3)), nil},
		{"not chosen yet", in(`"AUOptions"=dword:0`), edit("AUOptions", dword(0)), nil},
		{"absent", in(`"AUOptions"=-`), edit("AUOptions", nil), nil},
		{"name as stored", in("\"AUOptions\"=-\n\"auoptions\"=dword:4"), edit("auoptions", dword(4)), nil},
		{"asks already", in(`"AUOptions"=dword:2`), nil, nil},
		{"never looks", in(`"AUOptions"=dword:1`), nil, nil},
		{"a policy is left alone", "[" + updatePolicy + "]\n\"AUOptions\"=dword:4\n\"NoAutoUpdate\"=dword:0", edit("AUOptions", dword(4)), nil},
		{"no number", in(`"AUOptions"="2"`), nil, hive.ErrUnexpected},
		{"no key", "[-" + autoUpdate + "]", nil, hive.ErrNoAutoUpdate},
		{"another hive", "[-Microsoft\\Windows NT]", nil, hive.ErrNotSoftware},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := open(t, softwareFiles(t, tt.extra)).PlanUpdates()
			if !errors.Is(err, tt.err) || (p == nil) != (tt.err != nil) {
				t.Fatalf("PlanUpdates = %v, %v, want %v", p, err, tt.err)
			}
			if tt.err != nil {
				return
			}
			if diff := cmp.Diff(tt.want, p.Edits); diff != "" {
				t.Errorf("edits (-want +got):\n%s", diff)
			}
		})
	}
	if p, err := win7(t, "").PlanUpdates(); !errors.Is(err, hive.ErrNotSoftware) {
		t.Errorf("PlanUpdates of a SYSTEM hive = %v, %v, want %v", p, err, hive.ErrNotSoftware)
	}
}

func TestAutoUpdate(t *testing.T) {
	for _, tt := range []struct {
		extra            string
		want             string
		never, overruled bool
	}{
		{"", "4 - -", false, false},
		{"[" + autoUpdate + "]\n\"AUOptions\"=dword:1", "1 - -", true, false},
		{"[-" + autoUpdate + "]", "- - -", false, false},
		{"[" + updatePolicy + "]\n\"AUOptions\"=dword:5\n\"NoAutoUpdate\"=dword:1", "4 5 1", false, true},
		{"[" + updatePolicy + "]\n\"AUOptions\"=\"4\"\n\"NoAutoUpdate\"=dword:0", "4 - 0", false, true},
	} {
		au, err := open(t, softwareFiles(t, tt.extra)).AutoUpdate()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range []*uint32{au.Options, au.PolicyOptions, au.PolicyNoAutoUpdate} {
			if n == nil {
				got = append(got, "-")
			} else {
				got = append(got, fmt.Sprint(*n))
			}
		}
		if s := strings.Join(got, " "); s != tt.want || au.NeverLooks() != tt.never || au.Overruled() != tt.overruled {
			t.Errorf("%q: %s, never %v, overruled %v", tt.extra, s, au.NeverLooks(), au.Overruled())
		}
	}
}

// The change is in the value alone, and the way back leads to the first byte.
func TestUpdatesRepairAndUndo(t *testing.T) {
	for _, room := range []int64{log1Size, 0} {
		m := &medium{name: hive.SoftwareFile, log1: make([]byte, log1Size)}
		m.primary = software(t, "["+autoUpdate+"]\n\"AUOptions\"=-", hivetest.Options{Fill: 4096})
		first := m.clone()
		h := open(t, first.files())
		p, err := h.PlanUpdates()
		if err != nil {
			t.Fatal(err)
		}
		c, err := h.Prepare(p, false)
		if err != nil {
			t.Fatal(err)
		}
		const want = "[" + autoUpdate + "]\n+\"AUOptions\"=dword:00000002\n"
		if c.Diff.Text() != want {
			t.Errorf("the diff is\n%s", c.Diff.Text())
		}
		u := update(t, c, room)
		b, err := hive.WriteBackup(filepath.Join(t.TempDir(), "b"), h.Files, hive.Manifest{Action: "repair", Hive: h.Identify(), After: u.After, Edits: c.Edits})
		if err != nil {
			t.Fatal(err)
		}
		if got := names(t, b.Dir); strings.Join(got, " ") != "SOFTWARE SOFTWARE.LOG1 manifest.json" {
			t.Errorf("the backup holds %q", got)
		}
		m.apply(t, u)
		again, err := hive.ReadBackup(b.Dir)
		if err != nil || again.HiveName() != hive.SoftwareFile {
			t.Fatalf("ReadBackup = %v, %v", again, err)
		}
		copies, err := again.Read()
		if err != nil || copies.Name != hive.SoftwareFile {
			t.Fatalf("Read = %q, %v", copies.Name, err)
		}
		now := open(t, m.clone().files())
		if chosen, err := hive.ChooseBackup(now, now.Identify(), hive.Target{}, []*hive.Backup{again}); err != nil || chosen != again {
			t.Fatalf("ChooseBackup = %v, %v", chosen, err)
		}
		back, exact, err := now.PlanUndo(again, copies, false)
		if err != nil || !exact {
			t.Fatalf("PlanUndo: exact %v, %v", exact, err)
		}
		m.apply(t, update(t, back, room))
		if diff := cmp.Diff(first.files(), m.files()); diff != "" {
			t.Error("the first bytes are not back")
		}
	}
}

// A dirty SOFTWARE hive is replayed from logs of its own name.
func TestUpdatesOfDirtyHive(t *testing.T) {
	before := software(t, "", hivetest.Options{Fill: 4096})
	after := software(t, "["+autoUpdate+"]\n\"AUOptions\"=dword:3", hivetest.Options{Fill: 4096})
	primary, log1, err := hivetest.Dirty(before, after, log1Size)
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, hive.Files{Name: hive.SoftwareFile, Primary: primary, Log1: log1})
	p, err := h.PlanUpdates()
	if err != nil || h.Replay.Log != "SOFTWARE.LOG1" || p.Edits[0].Old.Text() != "dword:00000003" {
		t.Errorf("replayed from %s, plan %v, %v", h.Replay.Log, p, err)
	}
	if _, err := hive.Open(hive.Files{Name: hive.SoftwareFile, Primary: primary, Log2: []byte("?")}); !errors.Is(err, hive.ErrNoLog) || !strings.Contains(err.Error(), "SOFTWARE.LOG2") {
		t.Errorf("without its log: %v", err)
	}
}

// Backups of the two hives of one PC are never taken for one another, whatever else they
// share.
func TestBackupsOfTwoHives(t *testing.T) {
	system, soft := win7(t, ""), open(t, softwareFiles(t, ""))
	target := someManifest().Target
	make := func(h *hive.Hive, action string, state hive.State) *hive.Backup {
		b := &hive.Backup{Manifest: hive.Manifest{Action: action, State: state, Target: target, Hive: system.Identify()}}
		if h == soft {
			b.HiveFile = hive.SoftwareFile
		}
		b.Before.Primary, b.After.Primary = "before", soft.Sum() // by content, too, it may be either's
		return b
	}
	of := []*hive.Backup{make(system, "repair", hive.StateStarted), make(soft, "repair", hive.StateStarted)}
	for i, h := range []*hive.Hive{system, soft} {
		if b, err := hive.ChooseBackup(h, system.Identify(), target, of); err != nil || b != of[i] {
			t.Errorf("ChooseBackup of %s = %v, %v", h.Name(), b, err)
		}
		if b, err := hive.ChooseBackup(h, system.Identify(), target, of[1-i:2-i]); !errors.Is(err, hive.ErrNoBackup) {
			t.Errorf("ChooseBackup of %s takes the other's backup: %v, %v", h.Name(), b, err)
		}
		if got := hive.Unfinished(of, h.Name(), target, "repair"); len(got) != 1 || got[0] != of[i] {
			t.Errorf("Unfinished of %s = %v", h.Name(), got)
		}
	}
}

// A manifest of a hive that unloop does not edit is none of ours; nothing in it may lead
// to other files.
func TestManifestOfHives(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"format":1,"files":[{"name":"SYSTEM"}]}`:                                 true,
		`{"format":1,"hiveFile":"SYSTEM","files":[{"name":"SYSTEM"}]}`:             true,
		`{"format":1,"hiveFile":"SOFTWARE","files":[{"name":"SOFTWARE"}]}`:         true,
		`{"format":1,"hiveFile":"SOFTWARE","files":[{"name":"SYSTEM"}]}`:           false,
		`{"format":1,"files":[{"name":"SOFTWARE"}]}`:                               false,
		`{"format":1,"hiveFile":"SAM","files":[{"name":"SAM"}]}`:                   false,
		`{"format":1,"hiveFile":"../../SYSTEM","files":[{"name":"../../SYSTEM"}]}`: false,
	} {
		if m, err := hive.ParseManifest([]byte(text)); (err == nil) != ok {
			t.Errorf("ParseManifest(%s) = %v, %v", text, m, err)
		}
	}
}

// Every crash in the edit of a SOFTWARE hive ends as one in a SYSTEM hive does.
func TestCrashUpdates(t *testing.T) {
	if raceDetector {
		t.Skip("too slow under the race detector")
	}
	for _, extra := range []string{"", "[" + autoUpdate + "]\n\"AUOptions\"=-"} {
		for _, room := range []int64{log1Size, 0} {
			m := &medium{name: hive.SoftwareFile, primary: software(t, extra, hivetest.Options{Fill: 3000}), log1: make([]byte, room)}
			repair := newJourney(t, "updates", m, room, func(h *hive.Hive) (*hive.Change, error) {
				p, err := h.PlanUpdates()
				if err != nil || len(p.Edits) == 0 {
					return &hive.Change{Old: h, New: h, Diff: &hive.Diff{}}, err
				}
				return h.Prepare(p, false)
			})
			repair.play(t, "SOFTWARE", -1, 1)
			done := m.clone()
			done.apply(t, repair.u)
			backup := &hive.Backup{Manifest: hive.Manifest{Before: m.files().Identity(), After: repair.u.After, Edits: repair.edits, HiveFile: hive.SoftwareFile}}
			newJourney(t, "undo of updates", done, room, func(h *hive.Hive) (*hive.Change, error) {
				c, _, err := h.PlanUndo(backup, m.files(), false)
				return c, err
			}).play(t, "SOFTWARE", -1, 1)
		}
	}
}
