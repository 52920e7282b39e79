package hive_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
	"unloop/hive/hivetest"
)

const memoryManagement = `ControlSet001\Control\Session Manager\Memory Management`

// edits plans one fix for the default control set.
func edits(t *testing.T, h *hive.Hive, fix hive.Fix) []hive.Edit {
	t.Helper()
	p, err := h.Plan(inspect(t, h, hive.Scope{DefaultSetOnly: true}), []hive.Fix{fix})
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	return p.Edits
}

func TestOverrideEdits(t *testing.T) {
	const value, mask = "FeatureSettingsOverride", "FeatureSettingsOverrideMask"
	edit := func(name string, old, new *hive.Data) hive.Edit {
		return hive.Edit{Fix: hive.FixOverride, Path: path(memoryManagement), Name: name, Old: old, New: new}
	}
	for _, tt := range []struct {
		name, extra string
		want        []hive.Edit
	}{
		{"absent", "", []hive.Edit{edit(value, nil, dword(3)), edit(mask, nil, dword(3))}},
		{"8/8", "\"" + value + "\"=dword:8\n\"" + mask + "\"=dword:8", []hive.Edit{edit(value, dword(8), dword(11)), edit(mask, dword(8), dword(11))}},
		{"72/3", "\"" + value + "\"=dword:48\n\"" + mask + "\"=dword:3", []hive.Edit{edit(value, dword(72), dword(75))}},
		{"0/1", "\"" + value + "\"=dword:0\n\"" + mask + "\"=dword:1", []hive.Edit{edit(value, dword(0), dword(3)), edit(mask, dword(1), dword(3))}},
		{"3/3 already", "\"" + value + "\"=dword:3\n\"" + mask + "\"=dword:3", nil},
		{"all bits already", "\"" + value + "\"=dword:ffffffff\n\"" + mask + "\"=dword:f", nil},
		{"only the mask there", "\"" + mask + "\"=dword:3", []hive.Edit{edit(value, nil, dword(3))}},
		{"only the override there", "\"" + value + "\"=dword:2", []hive.Edit{edit(value, dword(2), dword(3)), edit(mask, nil, dword(3))}},
		{"names as stored", "\"FEATUREsettingsOverride\"=dword:0\n\"" + mask + "\"=dword:3", []hive.Edit{edit("FEATUREsettingsOverride", dword(0), dword(3))}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := edits(t, win7(t, "["+memoryManagement+"]\n"+tt.extra), hive.FixOverride)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("edits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDriverEdits(t *testing.T) {
	start := func(service string, old uint32) hive.Edit {
		return hive.Edit{Fix: hive.FixDrivers, Path: path(`ControlSet001\services\` + service), Name: "Start", Old: dword(old), New: dword(4)}
	}
	for _, tt := range []struct {
		name, extra string
		want        []hive.Edit
	}{
		{"as built", "", []hive.Edit{start("Hardlock", 2), start("Haspnt", 2)}},
		{"boot and demand start", "[ControlSet001\\services\\Haspnt]\n\"Start\"=dword:0\n[ControlSet001\\services\\Hardlock]\n\"Start\"=dword:3",
			[]hive.Edit{start("Hardlock", 3), start("Haspnt", 0)}},
		{"one disabled", "[ControlSet001\\services\\Haspnt]\n\"Start\"=dword:4", []hive.Edit{start("Hardlock", 2)}},
		{"one without Start", "[ControlSet001\\services\\Hardlock]\n\"Start\"=-", []hive.Edit{start("Haspnt", 2)}},
		{"one absent", "[-ControlSet001\\services\\Haspnt]", []hive.Edit{start("Hardlock", 2)}},
		{"both absent", haspGone, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, edits(t, win7(t, tt.extra), hive.FixDrivers)); diff != "" {
				t.Errorf("edits (-want +got):\n%s", diff)
			}
		})
	}
}

// mixed changes what a repair finds, a little of everything.
const mixed = `
[ControlSet001\Control\Class\{36FC9E60-C465-11CF-8056-444553540000}]
"UpperFilters"=hex(7):61,00,00,00,68,00,61,00,72,00,64,00,6c,00,6f,00,63,00,6b,00,00,00,00,00
[ControlSet001\Enum\USB\VID_0529\5&1]
"LowerFilters"=hex(7):48,00,61,00,73,00,70,00,6e,00,74,00,00,00,00,00
[ControlSet002\Control\Session Manager\Memory Management]
"FeatureSettingsOverride"=dword:8
"FeatureSettingsOverrideMask"=dword:8
[-ControlSet002\services\Haspnt]
[ControlSet002\services\HASPNT]
"Start"=dword:0
`

// mixedDiff is what a repair makes of it, in the spelling users see.
const mixedDiff = `[ControlSet001\Control\Class\{36FC9E60-C465-11CF-8056-444553540000}]
-"UpperFilters"=hex(7):61,00,00,00,68,00,61,00,72,00,64,00,6c,00,6f,00,63,00,6b,00,00,00,00,00
+"UpperFilters"=hex(7):61,00,00,00,00,00
[ControlSet001\Control\Session Manager\Memory Management]
+"FeatureSettingsOverride"=dword:00000003
+"FeatureSettingsOverrideMask"=dword:00000003
[ControlSet001\Enum\USB\VID_0529\5&1]
-"LowerFilters"=hex(7):48,00,61,00,73,00,70,00,6e,00,74,00,00,00,00,00
[ControlSet001\services\Hardlock]
-"Start"=dword:00000002
+"Start"=dword:00000004
[ControlSet001\services\Haspnt]
-"Start"=dword:00000002
+"Start"=dword:00000004
[ControlSet002\Control\Session Manager\Memory Management]
-"FeatureSettingsOverride"=dword:00000008
+"FeatureSettingsOverride"=dword:0000000b
-"FeatureSettingsOverrideMask"=dword:00000008
+"FeatureSettingsOverrideMask"=dword:0000000b
[ControlSet002\services\Hardlock]
-"Start"=dword:00000002
+"Start"=dword:00000004
[ControlSet002\services\HASPNT]
-"Start"=dword:00000000
+"Start"=dword:00000004
`

func TestPrepare(t *testing.T) {
	primary := build(t, mixed, hivetest.Options{Fill: 4096})
	original := bytes.Clone(primary)
	h := open(t, hive.Files{Primary: primary})
	c := prepare(t, h, hive.Scope{}, false)
	if diff := cmp.Diff(mixedDiff, c.Diff.Text()); diff != "" {
		t.Errorf("diff (-want +got):\n%s", diff)
	}
	if c.Old != h || !bytes.Equal(h.Bytes(), original) {
		t.Error("preparing changed the original")
	}
	again := prepare(t, open(t, hive.Files{Primary: c.New.Bytes()}), hive.Scope{}, false)
	if len(again.Edits) != 0 || again.Diff.Text() != "" {
		t.Errorf("a second repair plans %v", again.Edits)
	}
	reversed := compare(t, c.New, h, false)
	swap := strings.NewReplacer("\n+", "\n-", "\n-", "\n+")
	if got, want := sortedLines(reversed.Text()), sortedLines(swap.Replace(mixedDiff)); got != want {
		t.Errorf("the diff backward is not the diff with its signs changed (-want +got):\n%s", cmp.Diff(want, got))
	}
}

// The example of the manual, to the letter.
func TestPrepareShowsTheManualsDiff(t *testing.T) {
	const want = `[ControlSet001\Control\Session Manager\Memory Management]
+"FeatureSettingsOverride"=dword:00000003
+"FeatureSettingsOverrideMask"=dword:00000003
[ControlSet001\services\Hardlock]
-"Start"=dword:00000002
+"Start"=dword:00000004
[ControlSet001\services\Haspnt]
-"Start"=dword:00000002
+"Start"=dword:00000004
`
	for name, primary := range map[string]func() []byte{
		"built": func() []byte { return build(t, "", hivetest.Options{Fill: 4096}) },
		"real":  func() []byte { return realHive(t, haspHive) },
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, hive.Files{Primary: primary()})
			if diff := cmp.Diff(want, prepare(t, h, hive.Scope{DefaultSetOnly: true}, false).Diff.Text()); diff != "" {
				t.Errorf("diff (-want +got):\n%s", diff)
			}
			both := want + strings.ReplaceAll(want, "ControlSet001", "ControlSet002")
			if diff := cmp.Diff(both, prepare(t, h, hive.Scope{}, false).Diff.Text()); diff != "" {
				t.Errorf("diff of both control sets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlanUnknownFix(t *testing.T) {
	h := win7(t, "")
	if p, err := h.Plan(inspect(t, h, hive.Scope{}), []hive.Fix{"magic"}); p != nil || err == nil || !strings.Contains(err.Error(), `"magic"`) {
		t.Errorf("Plan = %v, %v, want an error that names the fix", p, err)
	}
}

func TestPlanStale(t *testing.T) {
	files := hive.Files{Primary: build(t, "", hivetest.Options{Fill: 4096}), Log1: make([]byte, 1024), Log2: []byte{}}
	h := open(t, files)
	p, err := h.Plan(inspect(t, h, hive.Scope{}), bothFixes)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(f *hive.Files)
	}{
		{"hive", func(f *hive.Files) { f.Primary = build(t, "[x]", hivetest.Options{Fill: 4096}) }},
		{"hive's slack", func(f *hive.Files) { f.Primary = append(bytes.Clone(f.Primary), 1) }},
		{"LOG1", func(f *hive.Files) { f.Log1 = append(make([]byte, 1023), 1) }},
		{"LOG1 gone", func(f *hive.Files) { f.Log1 = nil }},
		{"LOG2 no longer empty", func(f *hive.Files) { f.Log2 = []byte{0} }},
		{"LOG2 gone", func(f *hive.Files) { f.Log2 = nil }},
		{"LOG has come", func(f *hive.Files) { f.Log = []byte{} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changed := files
			tt.change(&changed)
			if c, err := open(t, changed).Prepare(p, false); c != nil || !errors.Is(err, hive.ErrStale) {
				t.Errorf("Prepare = %v, %v, want %v", c, err, hive.ErrStale)
			}
		})
	}
	if _, err := open(t, files).Prepare(p, false); err != nil {
		t.Errorf("Prepare on the same files read again: %v", err)
	}
}

// An edit is refused where the hive does not hold the old value it carries.
func TestPrepareComparesOldValues(t *testing.T) {
	haspnt := path(`ControlSet001\services\Haspnt`)
	for _, tt := range []struct {
		name  string
		edit  hive.Edit
		want  error
		words string
	}{
		{"other data", hive.Edit{Path: haspnt, Name: "Start", Old: dword(3), New: dword(4)}, hive.ErrStale, "Start is dword:00000002, planned for dword:00000003"},
		{"other type", hive.Edit{Path: haspnt, Name: "Start", Old: &hive.Data{Type: hive.RegBinary, Bytes: []byte{2, 0, 0, 0}}, New: dword(4)}, hive.ErrStale, "hex:02,00,00,00"},
		{"planned as absent", hive.Edit{Path: haspnt, Name: "Start", New: dword(4)}, hive.ErrStale, "planned for absent"},
		{"is absent", hive.Edit{Path: haspnt, Name: "Tag", Old: dword(1), New: dword(4)}, hive.ErrStale, "Tag is absent"},
		{"key is absent", hive.Edit{Path: path(`ControlSet003\services\Haspnt`), Name: "Start", Old: dword(2), New: dword(4)}, hive.ErrNoKey, `ControlSet003\services\Haspnt`},
		{"nothing changes", hive.Edit{Path: haspnt, Name: "Start", Old: dword(2), New: dword(2)}, hive.ErrMismatch, "Start did not change"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := win7(t, "")
			_, err := h.Prepare(planOf(t, h, tt.edit), false)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("Prepare: %v, want %v with %q", err, tt.want, tt.words)
			}
		})
	}
}

// planOf makes a plan of edits for h.
func planOf(t testing.TB, h *hive.Hive, edits ...hive.Edit) *hive.Plan {
	t.Helper()
	p, err := h.Plan(&hive.Findings{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Edits = edits
	return p
}

// A hive without any free cell must grow: over its slack, over its end if it may.
func TestPrepareMustGrow(t *testing.T) {
	full := build(t, "", hivetest.Options{Full: true})
	if _, err := planned(t, full, false); !errors.Is(err, hive.ErrMustGrow) {
		t.Errorf("Prepare of a full hive: %v, want %v", err, hive.ErrMustGrow)
	}
	grown, err := planned(t, full, true)
	if err != nil || grown.New.Size() != int64(len(full))+4096 {
		t.Fatalf("Prepare of a full hive that may grow: %v", err)
	}
	slack, err := planned(t, append(bytes.Clone(full), make([]byte, 4096)...), false)
	if err != nil || !bytes.Equal(slack.New.Bytes(), grown.New.Bytes()) {
		t.Errorf("Prepare of a full hive with slack (%v) is not that of one that may grow", err)
	}
}

func planned(t *testing.T, primary []byte, mayGrow bool) (*hive.Change, error) {
	t.Helper()
	h := open(t, hive.Files{Primary: primary})
	p, err := h.Plan(inspect(t, h, hive.Scope{}), bothFixes)
	if err != nil {
		t.Fatal(err)
	}
	return h.Prepare(p, mayGrow)
}

func TestEditJSON(t *testing.T) {
	for _, want := range []hive.Edit{
		{Fix: hive.FixDrivers, Path: path(`ControlSet001\services\Haspnt`), Name: "Start", Old: dword(2), New: dword(4)},
		{Path: []string{"a\x00b", `c\d`}, Old: nil, New: multiSZ("x", "y")},
		{Path: []string{"k"}, Name: "n", Old: &hive.Data{Type: 0xFFFF0001, Bytes: []byte{}}},
	} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got hive.Edit
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("Unmarshal(%s): %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("round trip through %s (-want +got):\n%s", text, diff)
		}
	}
	var d hive.Data
	if err := json.Unmarshal([]byte(`{"type":4,"data":"0g"}`), &d); err == nil {
		t.Error("Unmarshal takes data that are not hex")
	}
}
