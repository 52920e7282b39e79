package hive

import (
	"bytes"
	"maps"
	"slices"

	"unloop/hive/regf"
)

// Continue says whether h is a state in the middle of the update without a log that
// b's run was making, and returns the change that ends just that update. A new plan
// from such a state would choose other free cells, and the first bytes could then no
// longer be reached.
func (h *Hive) Continue(b *Backup) (*Change, bool) {
	files, err := b.Read()
	if err != nil || h.Replay != nil {
		return nil, false
	}
	before, err := Open(files)
	if err != nil || before.Replay != nil {
		return nil, false
	}
	ed, err := before.reg.Edit(true)
	if err != nil {
		return nil, false
	}
	for _, e := range b.Edits {
		if err := e.apply(before, ed); err != nil {
			return nil, false
		}
	}
	reg, err := ed.Finish()
	if err != nil || Sum(reg.Bytes()) != b.After.Primary {
		return nil, false
	}
	groups := ed.Groups()
	reached := groupsReached(before.Bytes(), h.Bytes(), groups)
	if reached < 0 {
		return nil, false
	}
	c := &Change{Old: h, groups: groups[reached:]}
	for _, e := range b.Edits {
		if found, err := h.valueAt(e.Name, e.Path...); err != nil || !found.equal(e.New) {
			c.Edits = append(c.Edits, e)
		}
	}
	if c.New, err = open(reg); err != nil {
		return nil, false
	}
	if c.Diff, err = Compare(h, c.New, false); err != nil || c.Diff.check(c.Edits) != nil {
		return nil, false
	}
	return c, true
}

// groupsReached returns how many groups of patches made now from before, the next one
// perhaps in part, sector by sector; -1 if none of these states is now's.
func groupsReached(before, now []byte, groups [][]regf.Patch) int {
	state := map[int64][]byte{} // sectors as the groups so far leave them
	differ := map[int64]bool{}
	for _, w := range differingSectors(before, now) {
		differ[w.Offset] = true
	}
	for k := range len(groups) + 1 {
		next := maps.Clone(state)
		if k < len(groups) {
			for _, p := range groups[k] {
				for off := p.Offset &^ (regf.SectorSize - 1); off < p.Offset+int64(len(p.Data)); off += regf.SectorSize {
					sector := bytes.Clone(sectorAt(next, before, off))
					copyInto(sector, off, p)
					next[off] = sector
					differ[off] = true
				}
			}
		}
		if between(before, now, state, next, differ) {
			return k
		}
		state = next
	}
	return -1
}

// between says whether each of these sectors is now what it is in one of two states.
func between(before, now []byte, state, next map[int64][]byte, sectors map[int64]bool) bool {
	seen := map[int64][]byte{}
	for off := range sectors {
		is := sectorAt(seen, now, off)
		was := state[off]
		if was == nil {
			was = sectorAt(map[int64][]byte{}, before, off)
		}
		if !bytes.Equal(is, was) && !bytes.Equal(is, next[off]) {
			return false
		}
	}
	return true
}

// Unfinished returns the backups of runs at this target that did not end and that were
// of the hive file of that name.
func Unfinished(backups []*Backup, name string, target Target, action string) []*Backup {
	return slices.DeleteFunc(slices.Clone(backups), func(b *Backup) bool {
		return !b.unfinished() || b.Action != action || b.HiveName() != name || !b.Target.same(target)
	})
}

// Resumes finds the backup of an earlier run at the same target that did not end and
// whose work u ends: it was to write the very same hive, or h is that backup's hive
// with some of its edits made and nothing else. Its copies are the first ones, and
// are kept instead of making others of a half-written state. The backup returned says
// in After and Edits what will have been done in all; it is the caller's to save.
func Resumes(h *Hive, u *Update, edits []Edit, target Target, action string, backups []*Backup) *Backup {
	for _, b := range Unfinished(backups, h.Name(), target, action) {
		files, err := b.Read()
		if err != nil {
			continue
		}
		if b.After.Primary == u.After.Primary {
			b.After = u.After
			return b
		}
		if done, ok := b.partlyDone(files, h); ok {
			b.After, b.Edits = u.After, joined(done, edits)
			return b
		}
	}
	return nil
}

// partlyDone returns those edits of b that h shows, if h differs from the hive in the
// copies by nothing else. Time stamps count: had Windows run in between, some would
// differ.
func (b *Backup) partlyDone(files Files, h *Hive) (done []Edit, ok bool) {
	before, err := Open(files)
	if err != nil {
		return nil, false
	}
	diff, err := Compare(before, h, true)
	if err != nil {
		return nil, false
	}
	for _, e := range b.Edits {
		if found, err := h.valueAt(e.Name, e.Path...); err != nil || !found.equal(e.Old) {
			done = append(done, e)
		}
	}
	return done, diff.check(done) == nil
}

// joined returns the edits done with those to come; of two of one value the first
// tells what was there, the second what will be.
func joined(done, edits []Edit) []Edit {
	all := slices.Clone(done)
	for _, e := range edits {
		i := slices.IndexFunc(all, func(d Edit) bool { return d.String() == e.String() })
		if i < 0 {
			all = append(all, e)
			continue
		}
		all[i].New = e.New
	}
	return all
}
