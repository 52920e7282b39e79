package main

import (
	"errors"
	"fmt"

	"unloop/hive"
	"unloop/image"
)

// writer carries a change out: the stages from backup to verify.
type writer struct {
	*env
	src        *image.Source
	in         *image.Installation
	files      systemFiles
	change     *hive.Change
	r          *result
	action     string // "repair" or "undo"
	after      string // what the diff calls the new hive: "repaired" or "restored"
	done       status // what the result is once it is written
	backupDir  string // of all runs
	dir        string // of this one backup; "": one below backupDir, named after run and target
	named      bool   // the user named it
	crosscheck string // auto, require, off
}

// write makes the backup, applies the update and verifies it. Up to the backup
// nothing is written anywhere.
func (w *writer) write() error {
	if err := w.interrupted(); err != nil {
		return err
	}
	switch shared, why, err := w.src.SharesMedium(w.backupDir); {
	case errors.Is(err, image.ErrNotFound): // it was there when it was planned for
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errSharesMedium, err)
	case shared:
		return fmt.Errorf("%w: %s", errSharesMedium, why)
	}
	if err := w.lasting(); err != nil {
		return err
	}
	if err := w.src.BeginWrite(); err != nil {
		return err
	}
	if err := w.unchanged(); err != nil {
		return err
	}
	room, why := w.files.logRoom()
	u, err := w.change.Update(room)
	if err != nil {
		return err
	}
	if err := w.judge(); err != nil {
		return err
	}
	b, err := w.backup(u)
	if err != nil {
		return err
	}
	if err := w.interrupted(); err != nil {
		return errors.Join(err, b.SetState(hive.StateFailed))
	}
	if !u.Log && len(w.change.Edits) > 0 {
		w.stage(stageApply, "nolog", w.r.Hive, noLogReason(why, u))
	}
	if err := w.apply(u); err != nil {
		return errors.Join(err, b.SetState(hive.StateFailed))
	}
	if err := w.verify(u); err != nil {
		return errors.Join(fmt.Errorf("%w: %w", hive.ErrNotVerified, err), b.SetState(hive.StateFailed))
	}
	if err := b.SetState(hive.StateDone); err != nil {
		w.note("notmarked", b.Dir, err) // the hive is written and verified all the same
	}
	return nil
}

// noLogReason says why LOG1 is not written: what its place on the volume forbids, or
// what the update found.
func noLogReason(place error, u *hive.Update) string {
	if place != nil {
		return place.Error()
	}
	return u.NoLog
}

func (e *env) interrupted() error {
	if e.ctx.Err() != nil {
		return errInterrupted
	}
	return nil
}

// lasting refuses to keep the only way back of a PC's disk in memory, as the default
// folder of a live medium is; who names such a folder is told.
func (w *writer) lasting() error {
	if w.src.Kind() != image.KindDevice || !w.host.InMemory(w.backupDir) {
		return nil
	}
	if !w.named {
		return fmt.Errorf("%w: %s", errVolatile, w.backupDir)
	}
	w.note("volatilenote", w.backupDir)
	return nil
}

// unchanged reads hive and logs again, now that nobody else can write to them, and
// compares them with what the plan was made from.
func (w *writer) unchanged() error {
	files, err := openSystem(w.in)
	if err != nil {
		return err
	}
	defer w.busy(stageBackup, w.r.Hive)()
	if err := files.unchanged(w.change.Old.Files); err != nil {
		return fmt.Errorf("%s: %w", w.r.Hive, err)
	}
	w.files = files
	return files.primary.InPlace() // known now, it is not asked again between two writes
}

// judge has the new hive read by the crosscheck.
func (w *writer) judge() error {
	verdict, err := w.askJudge(w.change, w.crosscheck)
	w.r.Crosscheck = verdict
	if err == nil {
		w.stage(stagePlan, "crosschecked", w.r.Hive, verdict)
	}
	return err
}

// apply writes; Ctrl-C does not end it half-way, it takes effect afterwards.
func (w *writer) apply(u *hive.Update) error {
	defer w.busy(stageApply, w.r.Hive)()
	hiveBytes, logBytes := u.Bytes()
	w.r.Update = &updateResult{u.Log, u.Sectors(), hiveBytes, logBytes, string(u.After.Primary)}
	if err := u.Apply(w.files.primary, w.files.log1File()); err != nil {
		return err
	}
	w.stage(stageApply, "applied", w.r.Hive, u.Sectors(), hiveBytes, logBytes)
	return nil
}

// verify reads the hive back from the medium.
func (w *writer) verify(u *hive.Update) error {
	defer w.busy(stageVerify, w.r.Hive)()
	if err := w.files.primary.DropCache(); err != nil {
		return err
	}
	if err := u.Verify(w.files.primary); err != nil {
		return err
	}
	w.stage(stageVerify, "verified", w.r.Hive)
	return nil
}
