package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"unloop/hive"
	"unloop/image"
)

// softwareFolder is where the backup of a SOFTWARE hive lies, below that of the SYSTEM
// hive beside it: who names the one with --from has both.
const softwareFolder = "software"

// save makes the backups of all hives. If one cannot be made none stays, and nothing has
// been written to the target.
func (j *job) save() error {
	if err := j.recordSleep(); err != nil {
		return err
	}
	for _, w := range j.writers {
		if err := w.save(); err != nil {
			return ofHive{w.r, errors.Join(err, j.unsave())}
		}
	}
	return nil
}

// unsave takes back what save has done so far.
func (j *job) unsave() error {
	var all []error
	for _, w := range slices.Backward(j.writers) {
		switch {
		case w.saved == nil:
		case w.resumes:
			all = append(all, w.saved.SetState(hive.StateFailed))
		default:
			w.saved.Remove()
			j.removeEmpty(w.saved.Dir)
			w.r.Backup = ""
		}
	}
	return errors.Join(all...)
}

// save makes the backup of one hive, or finds that of a run that it ends.
func (w *writer) save() (err error) {
	defer w.busy(stageBackup, w.backupDir)()
	if b := w.resumed(); b != nil {
		w.saved, w.resumes = b, true
		w.r.Backup = b.Dir
		w.r.Edits = editResults(b.Edits) // the whole repair is told, and its price
		w.stage(stageBackup, "resumed", b.Dir)
		w.recordInto(&b.Manifest)
		return b.SetState(hive.StateStarted)
	}
	dir := w.folder()
	m := w.manifest()
	w.recordInto(&m)
	if w.saved, err = hive.WriteBackup(dir, w.change.Old.Files, m); err != nil {
		w.removeEmpty(dir)
		return err
	}
	if w.flush != nil {
		if err := w.flush(dir); err != nil {
			err = errors.Join(fmt.Errorf("%w: %w", hive.ErrBackup, err), w.saved.SetState(hive.StateFailed))
			w.saved = nil // left to whoever looks what became of the medium
			return err
		}
	}
	w.r.Backup = dir
	w.stage(stageBackup, "backedup", dir)
	return nil
}

// folder is where the backup of the hive is to lie.
func (w *writer) folder() string {
	dir := w.dir
	if dir == "" {
		dir = filepath.Join(w.backupDir, w.run, w.backupName())
	}
	if w.change.Old.Name() == hive.SoftwareFile {
		dir = filepath.Join(dir, softwareFolder)
	}
	return dir
}

// removeEmpty removes the folders above that of a backup that was not made, as far as
// nothing else is in them and they are no older than this run.
func (j *job) removeEmpty(dir string) {
	end := filepath.Clean(j.backupDir)
	if j.dir != "" {
		end = filepath.Dir(filepath.Clean(j.dir))
	}
	for dir = filepath.Dir(dir); dir != end && len(dir) > len(end); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil {
			return
		}
	}
}

// manifest describes what is about to be done.
func (w *writer) manifest() hive.Manifest {
	m := hive.Manifest{
		Tool: versionLine(), Action: w.action, Time: w.now().UTC(), Target: w.target(),
		Hive: w.id, Before: w.change.Old.ID(), After: w.update.After, Edits: w.change.Edits,
	}
	if w.main.Windows != nil {
		m.Windows = w.main.Windows.String()
	}
	if w.change.Old.Replay != nil {
		m.Clean = w.change.Old.Sum()
	}
	return m
}

// earlier lists the backups of earlier runs; none if their folder is not there yet. Those of
// this run are of other targets: to read them for each of many would take longer than the
// repairs.
func (w *writer) earlier() []*hive.Backup {
	backups, _, err := hive.FindBackups(w.backupDir, filepath.Join(w.backupDir, w.run))
	if err != nil {
		return nil
	}
	return backups
}

// continued finds the change that ends an earlier run without a log that was to do
// just this plan and was interrupted; nil if there is none.
func (w *writer) continued(h *hive.Hive, plan *hive.Plan) *hive.Change {
	backups := w.earlier()
	for _, b := range hive.Unfinished(backups, h.Name(), w.target(), w.action) {
		if c, ok := h.Continue(b); ok && !c.Nothing() && plan.Same(c.Edits) {
			return c
		}
	}
	return nil
}

// unnoted finds the backups of earlier runs whose work is done to the byte, but which were
// killed before they noted that.
func (w *writer) unnoted(h *hive.Hive) []*hive.Backup {
	backups := w.earlier()
	return slices.DeleteFunc(hive.Unfinished(backups, h.Name(), w.target(), w.action), func(b *hive.Backup) bool {
		return b.State != hive.StateStarted || b.After.Primary != h.Sum()
	})
}

// noteEnds notes in those manifests that the work is done.
func (e *env) noteEnds(r *result) {
	for _, one := range r.all() {
		for _, b := range one.unnoted {
			if err := b.SetState(hive.StateDone); err != nil {
				e.note("notmarked", b.Dir, err)
			}
		}
	}
}

// resumed finds the backup of an earlier run that was to write the same and ended
// half-way; its copies are older and better than any made now.
func (w *writer) resumed() *hive.Backup {
	backups := w.earlier()
	return hive.Resumes(w.change.Old, w.update, w.change.Edits, w.target(), w.action, backups)
}

// manifestTarget describes where the hive lies, for the manifest.
func (e *env) manifestTarget(src *image.Source, in *image.Installation, label string) hive.Target {
	t := hive.Target{Path: e.placeOf(src), Label: label}
	if v := in.Volume; v != nil {
		t.Partition, t.Offset, t.VolumeSerial = v.Index, v.Offset, v.Serial
	}
	return t
}

// placeOf names a target so that a later run recognises it.
func (e *env) placeOf(src *image.Source) string {
	if e.diskName != nil && src.Kind() == image.KindDevice {
		return e.diskName(src.Path())
	}
	if abs, err := filepath.Abs(src.Path()); err == nil {
		return abs
	}
	return src.Path()
}

func (w *writer) target() hive.Target { return w.manifestTarget(w.src, w.in, w.r.Hive) }

// backupName names the folder of one hive in a run's folder: a number, so that no
// two are the same, and what can be read of the label.
func (w *writer) backupName() string {
	i := slices.Index(w.src.Installations(), w.in)
	clean := strings.Map(func(c rune) rune {
		if c < 0x80 && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-') {
			return c
		}
		return '_'
	}, filepath.Base(w.src.Path()))
	return fmt.Sprintf("%s-%02d-%08x", strings.Trim(clean, "."), i+1, labelSum(w.target().Path))
}
