package regf_test

import (
	"bytes"
	"slices"
	"testing"

	"unloop/hive/regf"
)

// run edits h and proves what must hold for every edit: the old hive is untouched,
// the new one is sound and differs by the edit alone, its base block ends a write,
// no cell in use before was taken, freed cells are merged, the groups hold every
// change, and the same edits give the same bytes.
func run(t *testing.T, h *regf.Hive, mayGrow bool, edits ...edit) (*regf.Hive, [][]regf.Patch) {
	t.Helper()
	before := bytes.Clone(h.Bytes())
	edited, groups, err := tryRun(h, mayGrow, edits...)
	if err != nil {
		t.Fatalf("%v: %v", edits, err)
	}
	if !bytes.Equal(before, h.Bytes()) {
		t.Fatalf("%v: the old hive changed", edits)
	}
	prove(t, h, edited, groups, edits)
	checkMerged(t, h, edited)
	again, _, err := tryRun(h, mayGrow, edits...)
	if err != nil || !bytes.Equal(again.Bytes(), edited.Bytes()) {
		t.Fatalf("%v: a second run, %v, gives other bytes", edits, err)
	}
	return edited, groups
}

// prove is the part of run that holds for every sound hive, however strange.
func prove(t *testing.T, h, edited *regf.Hive, groups [][]regf.Patch, edits []edit) {
	t.Helper()
	want := tree(t, h)
	for _, e := range edits {
		e.change(want)
	}
	if _, err := edited.Check(); err != nil {
		t.Fatalf("%v: the edited hive: %v", edits, err)
	}
	if d := diff(want, tree(t, edited)); d != "" {
		t.Fatalf("%v: (-want +got)\n%s", edits, d)
	}
	checkBase(t, h, edited)
	checkTaken(t, h, edited)
	if got := patched(h.Bytes(), slices.Concat(groups...), nil); !bytes.Equal(got, edited.Bytes()) {
		t.Fatalf("%v: all groups do not make the edited hive", edits)
	}
}

func tryRun(h *regf.Hive, mayGrow bool, edits ...edit) (*regf.Hive, [][]regf.Patch, error) {
	ed, err := h.Edit(mayGrow)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range edits {
		if err := e.do(ed); err != nil {
			return nil, nil, err
		}
	}
	edited, err := ed.Finish()
	return edited, ed.Groups(), err
}

func checkBase(t *testing.T, old, edited *regf.Hive) {
	t.Helper()
	want, got := old.Base(), edited.Base()
	want.PrimarySeq++
	want.SecondarySeq = want.PrimarySeq
	want.LastWritten = old.FirstBinTime()
	want.BinsSize, want.Checksum, want.Sum = got.BinsSize, got.Checksum, got.Sum
	if got != want || got.BinsSize < old.Base().BinsSize || edited.FirstBinTime() != old.FirstBinTime() {
		t.Errorf("base block %+v, want %+v", got, want)
	}
	if !bytes.Equal(old.Bytes()[512:4096], edited.Bytes()[512:4096]) {
		t.Error("the base block changed behind its first sector")
	}
}

// checkTaken: a cell allocated by the edit lies in what was free or not there at all.
func checkTaken(t *testing.T, old, edited *regf.Hive) {
	t.Helper()
	was := map[int64]cell{}
	var taken []cell
	for _, c := range cells(old) {
		was[c.off] = c
		if !c.free {
			taken = append(taken, c)
		}
	}
	for _, c := range cells(edited) {
		if c.free || was[c.off] == c {
			continue
		}
		i, _ := slices.BinarySearchFunc(taken, c.off, func(a cell, off int64) int { return int(a.off + a.size - 1 - off) })
		if i < len(taken) && taken[i].off < c.off+c.size {
			t.Errorf("the new cell at 0x%x overlaps the one that was at 0x%x", c.off, taken[i].off)
		}
	}
}

// checkMerged: no two free cells lie side by side that did not before.
func checkMerged(t *testing.T, old, edited *regf.Hive) {
	t.Helper()
	was := map[int64]cell{}
	for _, c := range cells(old) {
		was[c.off] = c
	}
	var last cell
	for _, c := range cells(edited) {
		if last.free && c.free && last.bin == c.bin && (was[last.off] != last || was[c.off] != c) {
			t.Errorf("free cells side by side at 0x%x and 0x%x", last.off, c.off)
		}
		last = c
	}
}

// patched returns b with the patches in it; of those not in sectors, if given, nothing.
func patched(b []byte, patches []regf.Patch, sectors map[int64]bool) []byte {
	out := bytes.Clone(b)
	for _, p := range patches {
		if end := p.Offset + int64(len(p.Data)); end > int64(len(out)) {
			out = append(out, make([]byte, end-int64(len(out)))...)
		}
		for i, c := range p.Data {
			if at := p.Offset + int64(i); sectors == nil || sectors[at/regf.SectorSize] {
				out[at] = c
			}
		}
	}
	return out
}
