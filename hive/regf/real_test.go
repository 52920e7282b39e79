package regf_test

import (
	"bytes"
	"testing"

	"unloop/hive/regf"
)

// repair lists the edits of the main job on the hive with HASP services.
func repair() []edit {
	var edits []edit
	for _, set := range []string{"ControlSet001", "ControlSet002"} {
		memory := []string{set, "Control", "Session Manager", "Memory Management"}
		edits = append(edits,
			edit{memory, "FeatureSettingsOverride", dword, "\x03\x00\x00\x00", false},
			edit{memory, "FeatureSettingsOverrideMask", dword, "\x03\x00\x00\x00", false},
			edit{[]string{set, "services", "Haspnt"}, "Start", dword, "\x04\x00\x00\x00", false},
			edit{[]string{set, "services", "Hardlock"}, "Start", dword, "\x04\x00\x00\x00", false},
		)
	}
	return edits
}

// TestRepairRealHive: the main job changes 15 sectors of 16 MB or fewer, beside the base
// block, and no byte of the file's length.
func TestRepairRealHive(t *testing.T) {
	if testing.Short() {
		t.Skip("a hive of 16 MB")
	}
	h := sound(t, unpack(t, "win7-x86-hasp-SYSTEM.xz"))
	edited, groups := run(t, h, false, repair()...)
	old, b := h.Bytes(), edited.Bytes()
	if len(old) != len(b) || edited.Base().BinsSize != h.Base().BinsSize {
		t.Fatalf("the hive has %d bytes, bins 0x%x; it had %d, 0x%x", len(b), edited.Base().BinsSize, len(old), h.Base().BinsSize)
	}
	changed := 0
	for at := regf.SectorSize; at < len(b); at += regf.SectorSize {
		if !bytes.Equal(old[at:at+regf.SectorSize], b[at:at+regf.SectorSize]) {
			changed++
		}
	}
	if changed > 15 || bytes.Equal(old[:regf.SectorSize], b[:regf.SectorSize]) {
		t.Errorf("%d sectors changed beside the base block, want at most 15", changed)
	}
	encoded := regf.EncodeLog(h, edited, h.Base().PrimarySeq+1)
	if len(encoded) > 128<<10 {
		t.Errorf("the log has %d bytes, want at most 128 KiB", len(encoded))
	}
	l, err := regf.DecodeLog(encoded)
	if err != nil {
		t.Fatal(err)
	}
	checkReplay(t, "repair", l, dirtied(h), b)
	// The order without a log, group by group; what lies between is tried on built hives.
	for i := range groups {
		var done []regf.Patch
		for _, g := range groups[:i] {
			done = append(done, g...)
		}
		sound(t, patched(old, done, nil))
	}
	t.Logf("%d sectors, %d groups, a log of %d bytes", changed, len(groups), len(encoded))
}
