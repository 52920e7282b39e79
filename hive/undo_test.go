package hive_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// A repaired medium with the backup that was made of it.
type repairedMedium struct {
	*medium
	first  *medium // as it was before
	backup *hive.Backup
}

// repair repairs a hive in memory, after making a backup in a folder.
func repair(t testing.TB, primary, log1 []byte, logRoom int64) *repairedMedium {
	t.Helper()
	m := &medium{primary: bytes.Clone(primary), log1: bytes.Clone(log1), mayGrow: true}
	first := m.clone()
	h := open(t, first.files())
	c := prepare(t, h, hive.Scope{}, true)
	u := update(t, c, logRoom)
	b, err := hive.WriteBackup(t.TempDir()+"/run/hive", h.Files, hive.Manifest{
		Tool: "unloop test", Action: "repair", Hive: h.Identify(), After: u.After, Edits: c.Edits,
	})
	if err != nil {
		t.Fatalf("WriteBackup: %v", err)
	}
	if err := u.Apply(mediumFile{m, hive.PrimaryFile}, mediumFile{m, hive.Log1File}); err != nil {
		t.Fatalf("Apply: %v", err)
	}
	m.ops = nil
	return &repairedMedium{m, first, b}
}

// undo takes the repair back with what the backup on the disk says.
func (r *repairedMedium) undo(t testing.TB, logRoom int64) (c *hive.Change, exact bool) {
	t.Helper()
	c, exact, err := r.planUndo(t)
	if err != nil {
		t.Fatalf("PlanUndo: %v", err)
	}
	u := update(t, c, logRoom)
	if err := u.Apply(mediumFile{r.medium, hive.PrimaryFile}, mediumFile{r.medium, hive.Log1File}); err != nil {
		t.Fatalf("Apply: %v", err)
	}
	if got := r.files().Identity(); got != u.After {
		t.Errorf("after the undo the files are %v, announced %v", got, u.After)
	}
	return c, exact
}

func (r *repairedMedium) planUndo(t testing.TB) (c *hive.Change, exact bool, err error) {
	t.Helper()
	b, err := hive.ReadBackup(r.backup.Dir)
	if err != nil {
		t.Fatalf("ReadBackup: %v", err)
	}
	files, err := b.Read()
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	now := r.clone().files()
	return open(t, now).PlanUndo(b, files, true)
}

func TestUndoExact(t *testing.T) {
	built := fragmented(t, hivetest.Options{Fill: 3000})
	log := bytes.Repeat([]byte("left in the log "), log1Size/16)
	for _, tt := range []struct {
		name               string
		primary            func() []byte
		log1               []byte
		repairRoom, unRoom int64
	}{
		{"built, logged both ways", func() []byte { return built }, log, log1Size, log1Size},
		{"built, ordered both ways", func() []byte { return built }, nil, 0, 0},
		{"built, log too small", func() []byte { return built }, log[:1024], 1024, 1024},
		{"built, logged, then log too small to be written", func() []byte { return built }, log, log1Size, 0},
		{"built, ordered, then logged", func() []byte { return built }, log, 0, log1Size},
		{"grown over slack", func() []byte { return withStaleSlack(fragmented(t, hivetest.Options{Full: true})) }, log, log1Size, log1Size},
		{"grown over the end", func() []byte { return fragmented(t, hivetest.Options{Full: true}) }, log, log1Size, log1Size},
		{"grown over the end, ordered", func() []byte { return fragmented(t, hivetest.Options{Full: true}) }, nil, 0, 0},
		{"real, logged", func() []byte { return realHive(t, haspHive) }, log, log1Size, log1Size},
		{"real, ordered", func() []byte { return realHive(t, haspHive) }, nil, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := repair(t, tt.primary(), tt.log1, tt.repairRoom)
			if bytes.Equal(r.primary, r.first.primary) {
				t.Fatal("the repair changed nothing")
			}
			c, exact := r.undo(t, tt.unRoom)
			if !exact || !bytes.Equal(r.primary, r.first.primary) {
				t.Errorf("exact %v, and the hive is its first bytes again: %v", exact, bytes.Equal(r.primary, r.first.primary))
			}
			// A log that could not be written at the undo holds what the repair left there.
			if same := bytes.Equal(r.log1, r.first.log1); same != (tt.unRoom > 0 || tt.repairRoom == 0) {
				t.Errorf("LOG1 is its first bytes again: %v", same)
			}
			if reversed := compare(t, c.Old, c.New, false).Text(); reversed != c.Diff.Text() || reversed == "" {
				t.Errorf("the diff shown is not the one made:\n%s", c.Diff.Text())
			}
		})
	}
}

// Somebody wrote to LOG1 in the meantime: it is theirs, the hive alone goes back.
func TestUndoLeavesForeignLog(t *testing.T) {
	r := repair(t, fragmented(t, hivetest.Options{Fill: 3000}), make([]byte, log1Size), log1Size)
	r.log1[len(r.log1)-1] ^= 1
	if _, exact := r.undo(t, log1Size); !exact || !bytes.Equal(r.primary, r.first.primary) {
		t.Error("the hive is not its first bytes again")
	}
	if bytes.Equal(r.log1, r.first.log1) || r.log1[len(r.log1)-1] != 1 {
		t.Error("LOG1 was taken back although somebody had written to it")
	}
}

// Windows has run since and changed other values: ours alone go back.
func TestUndoByValue(t *testing.T) {
	for _, room := range []int64{log1Size, 0} {
		r := repair(t, fragmented(t, hivetest.Options{Fill: 3000}), make([]byte, log1Size), room)
		touch(t, r.primary)
		touched := r.clone()
		c, exact := r.undo(t, room)
		if exact || len(c.Edits) != len(r.backup.Edits) {
			t.Errorf("exact %v, %d edits, want %d by value", exact, len(c.Edits), len(r.backup.Edits))
		}
		const theirs = "[ControlSet001\\Control\\CrashControl]\n-\"AutoReboot\"=dword:00000001\n+\"AutoReboot\"=dword:00000000\n"
		left := compare(t, open(t, r.first.files()), open(t, r.files()), true)
		if diff := cmp.Diff(theirs, left.Text()); diff != "" {
			t.Errorf("room %d: what is left of the repair and what Windows wrote (-want +got):\n%s", room, diff)
		}
		if bytes.Equal(touched.primary, r.primary) {
			t.Error("the undo wrote nothing")
		}
		again, _, err := r.planUndo(t)
		if err != nil || len(again.Edits) != 0 || !again.Nothing() {
			t.Errorf("a second undo: %v, plans %v", err, again)
		}
	}
}

// setValue edits one value of a medium's hive, as somebody else would.
func setValue(t *testing.T, m *medium, key, name string, d *hive.Data) {
	t.Helper()
	h := open(t, m.clone().files())
	e := hive.Edit{Path: path(key), Name: name, New: d}
	for _, k := range compare(t, open(t, hive.Files{Primary: buildText(t, "[x]", hivetest.Options{})}), h, false).Keys {
		for _, v := range k.Values {
			if hive.FormatRegKey(k.Path) == key && v.Name == name {
				e.Old = v.New
			}
		}
	}
	c, err := h.Prepare(planOf(t, h, e), true)
	if err != nil {
		t.Fatal(err)
	}
	m.primary = bytes.Clone(c.New.Bytes())
}

// A value that is no longer what unloop wrote is not touched, nor is any other.
func TestUndoRefused(t *testing.T) {
	const class = `ControlSet001\Control\Class\{1}`
	for _, tt := range []struct {
		name, key, value string
		now              *hive.Data
		words            string
	}{
		{"other number", `ControlSet001\services\Haspnt`, "Start", dword(3), `ControlSet001\services\Haspnt\Start is dword:00000003, unloop wrote dword:00000004 over dword:00000002`},
		{"deleted", memoryManagement, "FeatureSettingsOverrideMask", nil, ""},
		{"more bits", memoryManagement, "FeatureSettingsOverride", dword(11), `Memory Management\FeatureSettingsOverride is dword:0000000b, unloop wrote dword:00000003 over absent`},
		{"other type", memoryManagement, "FeatureSettingsOverride", &hive.Data{Type: hive.RegSZ, Bytes: hive.EncodeSZ("3")}, `FeatureSettingsOverride is "3"`},
		{"list has another name", class, "UpperFilters", multiSZ("kbdclass", "new"), class + `\UpperFilters is hex(7)`},
		{"deleted list is back", class, "LowerFilters", multiSZ("new"), class + `\LowerFilters is hex(7)`},
		{"deleted list is back as it was", class, "LowerFilters", multiSZ("Haspnt"), ""},
		{"back already", `ControlSet002\services\Hardlock`, "Start", dword(2), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := repair(t, fragmented(t, hivetest.Options{Fill: 3000}), nil, 0)
			setValue(t, r.medium, tt.key, tt.value, tt.now)
			c, exact, err := r.planUndo(t)
			if tt.words == "" {
				if err != nil || exact || len(c.Edits) != len(r.backup.Edits)-1 {
					t.Errorf("PlanUndo: %v, exact %v, want all edits but one", err, exact)
				}
				return
			}
			if !errors.Is(err, hive.ErrDiffers) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("PlanUndo: %v, want %v with %q", err, hive.ErrDiffers, tt.words)
			}
		})
	}
}

// A program may have written the key or value anew, in other letter case.
func TestUndoOfRenamedValue(t *testing.T) {
	r := repair(t, build(t, "", hivetest.Options{Fill: 4096}), nil, 0)
	i := bytes.Index(r.primary, []byte("FeatureSettingsOverrideMask"))
	copy(r.primary[i:], "FEATURESETTINGSOVERRIDEMASK")
	i = bytes.Index(r.primary, []byte("Haspnt\x00"))
	copy(r.primary[i:], "HASPNT")
	if c, _ := r.undo(t, 0); len(c.Edits) != len(r.backup.Edits) {
		t.Errorf("%d edits, want %d", len(c.Edits), len(r.backup.Edits))
	}
	left := compare(t, open(t, r.first.files()), open(t, r.files()), false).Text()
	if want := "[ControlSet001\\services\\HASPNT]\n-;name=\"Haspnt\"\n+;name=\"HASPNT\"\n"; left != want {
		t.Errorf("left after the undo:\n%s\nwant the other spelling alone:\n%s", left, want)
	}
}

func TestUndoWithForeignBackup(t *testing.T) {
	r := repair(t, fragmented(t, hivetest.Options{Fill: 3000}), nil, 0)
	other := build(t, "[other]", hivetest.Options{})
	if c, _, err := open(t, r.files()).PlanUndo(r.backup, hive.Files{Primary: other}, false); err == nil {
		t.Errorf("PlanUndo with the copy of another hive = %v, want an error", c)
	}
	broken := bytes.Clone(r.first.primary)
	broken[4096] ^= 1
	if c, _, err := open(t, r.files()).PlanUndo(r.backup, hive.Files{Primary: broken}, false); err == nil {
		t.Errorf("PlanUndo with a broken copy = %v, want an error", c)
	}
}
