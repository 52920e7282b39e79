package hive

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"unloop/hive/regf"
)

// Errors of an undo.
var (
	// ErrNoBackup: no backup belongs to the hive.
	ErrNoBackup = errors.New("no backup belongs to this hive")
	// ErrSeveralBackups: more than one does; somebody must choose.
	ErrSeveralBackups = errors.New("more than one backup belongs to this hive")
	// ErrDiffers: a value is neither what unloop wrote nor what was there before.
	ErrDiffers = errors.New("a value has been changed by somebody else")
)

// backupDepth is how far below a backup folder its manifests lie: one folder a
// run, in it one a hive.
const backupDepth = 3

// FindBackups reads the manifests in dir and the folders below it, but for those named in
// skip. Manifests that cannot be read are passed over and reported.
func FindBackups(dir string, skip ...string) (backups []*Backup, problems []error, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == dir:
			return err
		case err != nil:
			problems = append(problems, err)
			return nil
		case d.IsDir() && slices.Contains(skip, path):
			return fs.SkipDir
		case d.IsDir():
			if rel, _ := filepath.Rel(dir, path); strings.Count(rel, string(os.PathSeparator)) >= backupDepth {
				return fs.SkipDir
			}
		case d.Name() == ManifestName:
			b, err := ReadBackup(filepath.Dir(path))
			if err != nil {
				problems = append(problems, err)
				return nil
			}
			backups = append(backups, b)
		}
		return nil
	})
	slices.SortStableFunc(backups, func(a, b *Backup) int { return a.Time.Compare(b.Time) })
	return backups, problems, err
}

// ChooseBackup finds the one repair among backups, those of the same hive file, that an undo of h should take
// back: by content if the hive is still what a repair wrote, or again what it was
// before one; else by identity. Of several by content those made at this very target
// count alone; the newest if they would restore the same bytes. Errors: ErrNoBackup,
// *SeveralBackups.
func ChooseBackup(h *Hive, id HiveID, target Target, backups []*Backup) (*Backup, error) {
	b, err := choose(h, id, target, backups)
	if err != nil {
		return nil, err
	}
	for _, undo := range backups {
		if undo.Action == "undo" && undo.unfinished() && undo.Target.same(target) &&
			undo.Before.Primary == b.After.Primary && undo.Before.Log1 == b.After.Log1 {
			b.undoing = true
		}
	}
	return b, nil
}

// Candidates lists the repairs of the hive file of that name that may have been made at
// a target; surely says whether one of them was, by the volume's serial number or by the
// place.
func Candidates(backups []*Backup, name string, target Target) (found []*Backup, surely bool) {
	for _, b := range backups {
		if b.Action != "repair" || b.HiveName() != name || !sameVolume(b.Target, target) {
			continue
		}
		found = append(found, b)
		surely = surely || b.Target.same(target) || b.Target.VolumeSerial != "" && b.Target.VolumeSerial == target.VolumeSerial
	}
	return found, surely
}

func choose(h *Hive, id HiveID, target Target, backups []*Backup) (*Backup, error) {
	var after, before, undone, alike []*Backup
	for _, b := range backups {
		if b.Action != "repair" || b.HiveName() != h.Name() {
			continue
		}
		if b.After.Primary == h.Sum() {
			after = append(after, b)
		}
		switch back := b.before() == h.Sum() && sameVolume(b.Target, target); {
		case back && b.State == StateUndone:
			undone = append(undone, b)
		case back:
			before = append(before, b)
		}
		if b.Hive == id && b.State != StateUndone && sameVolume(b.Target, target) {
			alike = append(alike, b)
		}
	}
	switch {
	case len(after) > 0:
		return chooseExact(after, target)
	case len(before) > 0:
		return newest(before), nil
	case len(alike) > 0:
		return chooseAlike(alike, target)
	case len(undone) > 0: // an open one counts before it
		return newest(undone), nil
	}
	return nil, ErrNoBackup
}

// chooseAlike chooses among backups of hives with the same id: clones share it, so those
// made at this very target count alone, if there are any.
func chooseAlike(alike []*Backup, target Target) (*Backup, error) {
	alike = preferHere(alike, target)
	if len(alike) > 1 {
		return nil, &SeveralBackups{alike}
	}
	return alike[0], nil
}

// preferHere returns those of the backups that were made at this very target; all of them
// if none was.
func preferHere(backups []*Backup, target Target) []*Backup {
	here := slices.DeleteFunc(slices.Clone(backups), func(b *Backup) bool { return !b.Target.same(target) })
	if len(here) == 0 {
		return backups
	}
	return here
}

// unfinished says whether the run that made the backup did not come to its end.
func (m *Manifest) unfinished() bool { return m.State == StateStarted || m.State == StateFailed }

// sameVolume says whether a hive may be the one a backup was made of: clones share
// every id of the hive, but a volume's serial number, where known, is another.
func sameVolume(a, b Target) bool {
	return a.VolumeSerial == "" || b.VolumeSerial == "" || a.VolumeSerial == b.VolumeSerial
}

// newest prefers a backup whose repair was not taken back to the end.
func newest(backups []*Backup) *Backup {
	best := backups[0]
	for _, b := range backups[1:] {
		if b.State != StateUndone || best.State == StateUndone {
			best = b
		}
	}
	return best
}

func chooseExact(exact []*Backup, target Target) (*Backup, error) {
	exact = preferHere(exact, target)
	for _, b := range exact[1:] {
		if b.before() != exact[0].before() || b.Before.Log1 != exact[0].Before.Log1 {
			return nil, &SeveralBackups{exact}
		}
	}
	return newest(exact), nil
}

// SeveralBackups lists the backups between which somebody must choose.
type SeveralBackups struct{ Backups []*Backup }

func (e *SeveralBackups) Error() string {
	var dirs []string
	for _, b := range e.Backups {
		dirs = append(dirs, fmt.Sprintf("%s (%s, %d values)", b.Dir, b.Time.Format("2006-01-02 15:04"), len(b.Edits)))
	}
	return fmt.Sprintf("%v: %s", ErrSeveralBackups, strings.Join(dirs, ", "))
}

// Unwrap makes errors.Is find ErrSeveralBackups.
func (e *SeveralBackups) Unwrap() error { return ErrSeveralBackups }

// PlanUndo makes the change that takes b's repair back. If h is still the hive that
// the repair wrote, it becomes what it was, to the byte, and so does LOG1 unless
// somebody but an undo that did not end has written to it since (exact); a hive
// that had been dirty becomes what its log makes of it. An undo that did not end is
// ended. Else each edited value is put back, provided that it still is what the
// repair wrote; if one is not, the error wraps ErrDiffers and names it.
func (h *Hive) PlanUndo(b *Backup, files Files, mayGrow bool) (c *Change, exact bool, err error) {
	before, err := Open(files)
	if err != nil {
		return nil, false, fmt.Errorf("opening backup: %w", err)
	}
	if h.Sum() == b.After.Primary {
		c, err = h.restore(b, before)
		return c, true, err
	}
	back := &Change{Old: h, New: before, Diff: &Diff{}}
	if sameBins(h, before) {
		if len(files.Log1) == len(h.Files.Log1) && !bytes.Equal(files.Log1, h.Files.Log1) {
			back.log1 = files.Log1
		}
		return back, true, nil
	}
	c, err = h.UndoValues(b, mayGrow)
	return c, false, err
}

// UndoValues makes the change that puts each edited value back, and nothing else.
// Besides being the way back once Windows has run, it serves where the first bytes
// cannot be reached without a log.
func (h *Hive) UndoValues(b *Backup, mayGrow bool) (*Change, error) {
	edits, err := h.undoEdits(b)
	if err != nil {
		return nil, err
	}
	if len(edits) == 0 {
		return h.Finish(mayGrow)
	}
	return h.Prepare(&Plan{edits, h}, mayGrow)
}

// undoEdits returns the edits that take b's back, without those already taken back.
func (h *Hive) undoEdits(b *Backup) ([]Edit, error) {
	var edits []Edit
	for _, e := range slices.Backward(b.Edits) {
		undo, err := h.undoEdit(e)
		if err != nil {
			return nil, err
		}
		if undo != nil {
			edits = append(edits, *undo)
		}
	}
	return edits, nil
}

// undoEdit returns the edit that takes e back, or nil if the value is as before. Key
// and value may be spelt in other letter case by now.
func (h *Hive) undoEdit(e Edit) (*Edit, error) {
	k, path, ok, err := h.key(e.Path...)
	if err != nil {
		return nil, err
	}
	var found *Data
	if ok {
		e.Path = path
		if e.Name, found, err = value(k, e.Name); err != nil {
			return nil, err
		}
	}
	switch {
	case found.equal(e.Old):
		return nil, nil
	case !found.equal(e.New):
		return nil, fmt.Errorf("%w: %s is %s, unloop wrote %s over %s", ErrDiffers, e, orAbsent(found), orAbsent(e.New), orAbsent(e.Old))
	}
	r := e.reversed()
	return &r, nil
}

// restore makes the change back to the very bytes of a backup.
func (h *Hive) restore(b *Backup, before *Hive) (c *Change, err error) {
	c = &Change{Old: h, New: before, backward: true}
	for _, e := range slices.Backward(b.Edits) {
		c.Edits = append(c.Edits, e.reversed())
	}
	if c.Diff, err = Compare(h, before, false); err != nil {
		return nil, err
	}
	if err := c.Diff.check(c.Edits); err != nil {
		return nil, err
	}
	ours := h.ID().Log1 == b.After.Log1 || b.undoing
	if log1 := before.Files.Log1; log1 != nil && ours && len(log1) == len(h.Files.Log1) {
		c.log1 = log1
	}
	c.retrace = sync.OnceValues(func() ([][]regf.Patch, error) { return retrace(h, before, b.Edits) })
	return c, nil
}

// retrace repeats in memory the repair that made h of before, so that its states can be
// walked backward where there is no log to write. That takes another copy of the hive, so
// it is left until it is needed. nil: the repair went another way.
func retrace(h, before *Hive, edits []Edit) ([][]regf.Patch, error) {
	ed, err := before.reg.Edit(true)
	if err != nil {
		return nil, err
	}
	for _, e := range edits {
		if err := e.apply(before, ed); err != nil {
			return nil, err
		}
	}
	again, err := ed.Finish()
	if err != nil || !bytes.Equal(again.Bytes(), h.Bytes()) {
		return nil, err
	}
	return ed.Groups(), nil
}
