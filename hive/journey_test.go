package hive_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"

	"unloop/hive"
	"unloop/hive/regf"
)

// A journey is an update, from where, and how it comes about.
type journey struct {
	name     string
	start    *medium
	old, new *hive.Hive
	edits    []hive.Edit
	u        *hive.Update
	again    func(h *hive.Hive) (*hive.Change, error) // what a second run does
}

// log1Size is what Windows 7's SYSTEM.LOG1 usually has.
const log1Size = 262144

// journeys makes the repair of a hive and the two ways back, with or without a log.
func journeys(t testing.TB, primary []byte, mayGrow, logged bool) []*journey {
	t.Helper()
	m := &medium{primary: bytes.Clone(primary), mayGrow: mayGrow}
	if logged {
		m.log1 = bytes.Repeat([]byte("left in the log "), log1Size/16)
		copy(m.log1, make([]byte, regf.SectorSize))
	}
	return journeysFrom(t, m, int64(len(m.log1)))
}

// journeysFrom makes the repair of what a medium holds and the two ways back. Of
// LOG1 that many bytes may be written.
func journeysFrom(t testing.TB, m *medium, room int64) []*journey {
	t.Helper()
	repair := newJourney(t, "repair", m, room, func(h *hive.Hive) (*hive.Change, error) {
		p, err := h.Plan(inspect(t, h, hive.Scope{}), bothFixes)
		if err != nil {
			return nil, err
		}
		return h.Prepare(p, m.mayGrow)
	})
	done := m.clone()
	done.apply(t, repair.u)
	backup := &hive.Backup{Manifest: hive.Manifest{Before: m.files().Identity(), After: repair.u.After, Edits: repair.edits}}
	undo := func(h *hive.Hive) (*hive.Change, error) {
		c, _, err := h.PlanUndo(backup, m.files(), m.mayGrow)
		return c, err
	}
	later := done.clone() // Windows has run since
	touch(t, later.primary)
	return []*journey{repair, newJourney(t, "undo", done, room, undo), newJourney(t, "undo by value", later, room, undo)}
}

func newJourney(t testing.TB, name string, start *medium, room int64, change func(h *hive.Hive) (*hive.Change, error)) *journey {
	t.Helper()
	start = start.clone()
	c, err := change(open(t, start.files()))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	u, err := c.Update(room)
	if err != nil {
		t.Fatalf("Update for %s: %v", name, err)
	}
	if u.Log != (room > 0) {
		t.Fatalf("the update for %s has a log: %v", name, u.Log)
	}
	name = map[bool]string{true: "logged ", false: "ordered "}[u.Log] + name
	return &journey{name, start, c.Old, c.New, c.Edits, u, change}
}

// touch changes a value that no repair edits, as Windows would: in place, and with
// other sequence numbers.
func touch(t testing.TB, primary []byte) {
	t.Helper()
	h, err := regf.Parse(primary)
	if err != nil {
		t.Fatal(err)
	}
	root, err := h.Root()
	if err != nil {
		t.Fatal(err)
	}
	k, ok, err := root.Find("ControlSet001", "Control", "CrashControl")
	if err != nil || !ok {
		t.Fatalf("finding CrashControl: %v, %v", ok, err)
	}
	v, ok, err := k.Value("AutoReboot")
	if err != nil || !ok {
		t.Fatalf("finding AutoReboot: %v, %v", ok, err)
	}
	primary[v.Offset()+4+8] ^= 1
	seq := h.Base().PrimarySeq + 5
	copy(primary, h.Sequenced(seq, seq, h.Base().LastWritten))
}

// record carries the update out on a copy, which notes what was written.
func (j *journey) record(t testing.TB) *medium {
	t.Helper()
	m := j.start.clone()
	m.apply(t, j.u)
	return m
}

// tally counts states by how they ended.
type tally struct{ tried, different, old, between, new int }

func (n tally) report(t testing.TB, name string) {
	t.Helper()
	text := fmt.Sprintf("crash: %s: %d states, %d old, %d new, 0 otherwise", name, n.tried, n.old, n.new)
	if n.different > 0 {
		text = fmt.Sprintf("crash: %s: %d states (%d different), %d old, %d new, %d with some edits", name, n.tried, n.different, n.old, n.new, n.between)
	}
	t.Log(text)
	fmt.Fprintln(os.Stdout, text)
	if n.old == 0 || n.new == 0 {
		t.Errorf("%s: no state ended old, or none new", name)
	}
}

func (n *tally) count(end string) {
	n.tried++
	switch end {
	case "old":
		n.old++
	case "new":
		n.new++
	default:
		n.between++
	}
}

// touched lists the sectors of the hive that an update writes.
func touched(u *hive.Update) []int64 {
	var offsets []int64
	for _, s := range u.Steps {
		for _, w := range s.Writes {
			for at := int64(0); s.File == hive.PrimaryFile && at < int64(len(w.Data)); at += regf.SectorSize {
				offsets = append(offsets, w.Offset+at)
			}
		}
	}
	return offsets
}

// logged plays every crash of an update with a log: each must be, by itself or
// after replaying the log, the old hive or the new one, to the byte of its bins.
// Every so many states are recovered whole and by Open too; fewer of those in which
// the log alone has changed beside a clean hive.
func (j *journey) logged(m *medium, pairs, wholeEvery int) (n tally, err error) {
	offsets := touched(j.u)
	clean, end := -1, "" // version of a clean hive, and what it is, whatever the log
	err = m.crashes(j.start, true, pairs, func(c crash) error {
		if c.version != clean {
			r, err := recoverSectors(c.medium, offsets)
			if err != nil {
				return err
			}
			if end, err = r.which(j); err != nil {
				return err
			}
			if clean = -1; !r.replayed {
				clean = c.version
			}
		}
		n.count(end)
		if c.version == clean && n.tried%1000 != 0 || n.tried%wholeEvery != 0 {
			return nil
		}
		return j.recoversWhole(c.medium, end)
	})
	return n, err
}

// A recovery is what a reader of the format finds in a hive where it can differ
// from the old and the new one.
type recovery struct {
	replayed bool
	binsSize uint32
	sectors  map[int64][]byte
}

// recoverSectors recovers a hive as far as the sectors at these offsets and those
// of the log go: as they lie if the base block is clean, else from the log that
// belongs to the hive. All others are the same in every state.
func recoverSectors(m *medium, offsets []int64) (recovery, error) {
	r := recovery{replayed: dirty(m), sectors: map[int64][]byte{}}
	for _, off := range offsets {
		if off < int64(len(m.primary)) {
			r.sectors[off] = m.primary[off:][:regf.SectorSize]
		}
	}
	if r.replayed {
		log, err := regf.DecodeLog(m.log1)
		if err != nil {
			return r, err
		}
		if err := log.Applies(m.primary); err != nil {
			return r, err
		}
		for _, p := range log.Pages {
			for at := int64(0); at < int64(len(p.Data)); at += regf.SectorSize {
				r.sectors[p.Offset+at] = p.Data[at:][:regf.SectorSize]
			}
		}
		r.binsSize = log.Base.BinsSize
		return r, nil
	}
	bb, err := regf.DecodeBaseBlock(m.primary)
	r.binsSize = bb.BinsSize
	return r, err
}

var errNeither = errors.New("neither the old hive nor the new one")

// which says whether a recovered hive is "old" or "new".
func (r recovery) which(j *journey) (string, error) {
	switch {
	case r.is(j.old.Bytes()):
		return "old", nil
	case r.is(j.new.Bytes()):
		return "new", nil
	}
	return "", errNeither
}

func (r recovery) is(want []byte) bool {
	bb, err := regf.DecodeBaseBlock(want)
	if err != nil || bb.BinsSize != r.binsSize {
		return false
	}
	for off, got := range r.sectors {
		if off >= regf.BaseBlockSize && off < regf.BaseBlockSize+int64(bb.BinsSize) && !bytes.Equal(got, want[off:][:regf.SectorSize]) {
			return false
		}
	}
	return true
}

// recoversWhole recovers a hive by regf alone and by Open, and compares all bins.
func (j *journey) recoversWhole(m *medium, end string) error {
	want := j.old
	if end == "new" {
		want = j.new
	}
	primary := m.primary
	if dirty(m) {
		log, err := regf.DecodeLog(m.log1)
		if err != nil {
			return err
		}
		if primary, err = log.Replay(primary); err != nil {
			return err
		}
	}
	opened, err := hive.Open(m.files())
	if err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	for _, got := range [][]byte{primary, opened.Bytes()} {
		b, err := bins(got)
		if err != nil {
			return err
		}
		if w, err := bins(want.Bytes()); err != nil || !bytes.Equal(b, w) {
			return fmt.Errorf("recovered whole: %w", errNeither)
		}
	}
	return nil
}

// bins returns the hive bins of a clean hive.
func bins(primary []byte) ([]byte, error) {
	h, err := regf.Parse(primary)
	if err != nil {
		return nil, err
	}
	return primary[regf.BaseBlockSize:][:h.Base().BinsSize], nil
}

// ordered plays every crash of an update without a log: each must be a sound and
// clean hive in which every edit is made or not, and nothing else changed; only one
// that was dirty at the start may be so until its log is replayed. Every so many of
// the states that differ, a second run must bring it to the end.
func (j *journey) ordered(m *medium, pairs, finishEvery int) (n tally, err error) {
	offsets := touched(j.u)
	seen := map[hive.Digest]string{}
	err = m.crashes(j.start, false, pairs, func(c crash) error {
		id := fingerprint(c.medium, offsets)
		end, ok := seen[id]
		if !ok {
			if dirty(c.medium) && !dirty(j.start) {
				return errors.New("the hive is dirty")
			}
			h, err := hive.Open(c.files())
			if err != nil {
				return fmt.Errorf("opening: %w", err)
			}
			if end, err = j.made(h); err != nil {
				return err
			}
			if n.different++; n.different%finishEvery == 0 {
				if err := j.finishes(h); err != nil {
					return err
				}
			}
			seen[id] = end
		}
		n.count(end)
		return nil
	})
	return n, err
}

// fingerprint is the same for two states of one recording only if they are alike.
func fingerprint(m *medium, touched []int64) hive.Digest {
	b := []byte(fmt.Sprint(len(m.primary)))
	for _, off := range touched {
		if off < int64(len(m.primary)) {
			b = append(b, m.primary[off:][:regf.SectorSize]...)
		}
	}
	return hive.Sum(b)
}

// dirty says whether a hive must be replayed before anything else.
func dirty(m *medium) bool {
	bb, err := regf.DecodeBaseBlock(m.primary)
	return err != nil || bb.Dirty() != ""
}

// made says whether of the journey's edits none, all or some are made in h.
func (j *journey) made(h *hive.Hive) (string, error) {
	d, err := hive.Compare(j.old, h, true)
	if err != nil {
		return "", err
	}
	n := 0
	for _, k := range d.Keys {
		for _, v := range k.Values {
			if !j.isEdit(k, v) {
				return "", fmt.Errorf("something else changed:\n%s", d.Text())
			}
			n++
		}
		if k.Side != hive.InBoth || len(k.Notes) > 0 {
			return "", fmt.Errorf("a key changed:\n%s", d.Text())
		}
	}
	switch n {
	case 0:
		return "old", nil
	case len(j.edits):
		return "new", nil
	}
	return "between", nil
}

func (j *journey) isEdit(k hive.KeyDiff, v hive.ValueDiff) bool {
	for _, e := range j.edits {
		if hive.FormatRegKey(e.Path) == hive.FormatRegKey(k.Path) && e.Name == v.Name &&
			e.Old.Text() == v.Old.Text() && e.New.Text() == v.New.Text() {
			return true
		}
	}
	return false
}

// finishes lets a second run bring a hive to the end.
func (j *journey) finishes(h *hive.Hive) error {
	c, err := j.again(h)
	if err != nil {
		return fmt.Errorf("second run: %w", err)
	}
	left, err := hive.Compare(j.new, c.New, true)
	if err == nil && len(left.Keys) > 0 {
		err = fmt.Errorf("second run leaves\n%s", left.Text())
	}
	return err
}
