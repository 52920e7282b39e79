package main

import (
	"errors"
	"fmt"

	"unloop/hive"
)

// ready looks at the hive again, now that nobody else can write to it, decides what is
// written in which order, and has the new hive judged.
func (w *writer) ready() error {
	if err := w.unchanged(); err != nil {
		return err
	}
	room, why := w.files.logRoom()
	u, err := w.change.Update(room)
	if err != nil {
		return err
	}
	w.update, w.noLog = u, why
	return w.judge()
}

// unchanged reads hive and logs again, now that nobody else can write to them, and
// compares them with what the plan was made from.
func (w *writer) unchanged() error {
	files, err := openHive(w.in, w.change.Old.Name())
	if err != nil {
		return err
	}
	defer w.busy(stageBackup, w.r.Hive)()
	if err := files.unchanged(w.change.Old.Files); err != nil {
		return fmt.Errorf("%s: %w", w.r.Hive, err)
	}
	w.files = files
	// Known now, it is not asked again between two writes.
	return errors.Join(files.primary.InPlace(), files.primary.BeginWrite())
}

// judge has the new hive read by the crosscheck.
func (w *writer) judge() error {
	verdict, err := w.askJudge(w.change, w.crosscheck)
	w.r.Crosscheck = verdict
	if err == nil {
		w.stage(stagePlan, "crosschecked", w.r.Hive, w.crosscheckWords(verdict))
	}
	return err
}

// carry applies and verifies the update, and notes that in the manifest.
func (w *writer) carry() error {
	if !w.update.Log && len(w.change.Edits) > 0 {
		w.stage(stageApply, map[bool]string{false: "nolog", true: "nologsoft"}[w.r.of != nil], w.r.Hive, w.noLogReason())
	}
	if err := w.apply(); err != nil {
		return err
	}
	if err := w.verify(); err != nil {
		return fmt.Errorf("%w: %w", hive.ErrNotVerified, err)
	}
	if err := w.saved.SetState(hive.StateDone); err != nil {
		w.note("notmarked", w.saved.Dir, err) // the hive is written and verified all the same
	}
	return nil
}

// noLogReason says why LOG1 is not written: what its place on the volume forbids, or
// what the update found.
func (w *writer) noLogReason() string {
	if w.noLog != nil {
		return w.noLog.Error()
	}
	return w.update.NoLog
}

// apply writes; Ctrl-C does not end it half-way, it takes effect afterwards.
func (w *writer) apply() error {
	defer w.busy(stageApply, w.r.Hive)()
	hiveBytes, logBytes := w.update.Bytes()
	w.r.Update = &updateResult{w.update.Log, w.update.Sectors(), hiveBytes, logBytes, string(w.update.After.Primary)}
	if err := w.update.Apply(w.files.primary, w.files.log1File()); err != nil {
		return err
	}
	w.stage(stageApply, "applied", w.r.Hive, w.update.Sectors(), hiveBytes, logBytes)
	return nil
}

// verify reads the hive back from the medium.
func (w *writer) verify() error {
	defer w.busy(stageVerify, w.r.Hive)()
	if err := w.files.primary.DropCache(); err != nil {
		return err
	}
	if err := w.update.Verify(w.files.primary); err != nil {
		return err
	}
	w.stage(stageVerify, "verified", w.r.Hive)
	return nil
}
