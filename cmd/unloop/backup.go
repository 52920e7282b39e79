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

// backup writes the copies and the manifest.
func (w *writer) backup(u *hive.Update) (*hive.Backup, error) {
	defer w.busy(stageBackup, w.backupDir)()
	if b := w.resumed(u); b != nil {
		w.r.Backup = b.Dir
		w.r.Edits = editResults(b.Edits) // the whole repair is told, and its price
		w.stage(stageBackup, "resumed", b.Dir)
		return b, b.SetState(hive.StateStarted)
	}
	dir := w.dir
	if dir == "" {
		dir = filepath.Join(w.backupDir, w.run, w.backupName())
	}
	m := hive.Manifest{
		Tool: versionLine(), Action: w.action, Time: w.now().UTC(), Target: w.target(),
		Hive: w.change.Old.Identify(), Before: w.change.Old.ID(), After: u.After, Edits: w.change.Edits,
	}
	if w.r.Windows != nil {
		m.Windows = w.r.Windows.String()
	}
	if w.change.Old.Replay != nil {
		m.Clean = w.change.Old.Sum()
	}
	b, err := hive.WriteBackup(dir, w.change.Old.Files, m)
	if err != nil {
		if w.dir == "" {
			os.Remove(filepath.Dir(dir)) // the run's folder, if nothing else is in it
		}
		return nil, err
	}
	if w.flush != nil {
		if err := w.flush(dir); err != nil {
			return nil, errors.Join(fmt.Errorf("%w: %w", hive.ErrBackup, err), b.SetState(hive.StateFailed))
		}
	}
	w.r.Backup = dir
	w.stage(stageBackup, "backedup", dir)
	return b, nil
}

// continued finds the change that ends an earlier run without a log that was to do
// just this plan and was interrupted; nil if there is none.
func (w *writer) continued(h *hive.Hive, plan *hive.Plan) *hive.Change {
	backups, _, err := hive.FindBackups(w.backupDir)
	if err != nil {
		return nil // there is none yet
	}
	for _, b := range hive.Unfinished(backups, h.Name(), w.target(), w.action) {
		if c, ok := h.Continue(b); ok && !c.Nothing() && plan.Same(c.Edits) {
			return c
		}
	}
	return nil
}

// resumed finds the backup of an earlier run that was to write the same and ended
// half-way; its copies are older and better than any made now.
func (w *writer) resumed(u *hive.Update) *hive.Backup {
	backups, _, err := hive.FindBackups(w.backupDir)
	if err != nil {
		return nil // there is none yet
	}
	return hive.Resumes(w.change.Old, u, w.change.Edits, w.target(), w.action, backups)
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
