package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"unloop/hive"
	"unloop/image"
)

// job is what is to be done to one installation: its hives, in the order in which they
// are written, and the hibernation of its volume.
type job struct {
	*env
	src        *image.Source
	in         *image.Installation
	main       *result        // of the SYSTEM hive, and of the installation as a whole
	system     *hive.Hive     // as found
	action     string         // "repair" or "undo"
	after      string         // what the diff calls a new hive: "repaired" or "restored"
	done       status         // what a result is once its hive is written
	backupDir  string         // of all runs
	dir        string         // of this one backup; "": one below backupDir, named after run and target
	named      bool           // the user named it
	crosscheck string         // auto, require, off
	writers    []*writer      // none: the hives are as they should be
	settled    []*hive.Backup // undo: of repairs of hives that are as they were already
	sleep      *sleep         // what becomes of a hibernation; nil: there is none
}

// writer carries the change of one hive out: the stages from backup to verify.
type writer struct {
	*job
	r      *result
	files  hiveFiles
	change *hive.Change
	id     hive.HiveID
	undoes *hive.Backup // undo: of the repair that is taken back
	exact  bool         // undo: to the byte

	// Known when it is ready to be written.
	update  *hive.Update
	noLog   error        // why the place of LOG1 on the volume forbids its use
	saved   *hive.Backup // as it was
	resumes bool         // an earlier run made the backup
}

// ofHive says which of an installation's hives an error is about.
type ofHive struct {
	r *result
	error
}

func (o ofHive) Unwrap() error { return o.error }

// failed notes an error in the result of the hive it is about, r if it does not say
// which, and tells it.
func (e *env) failed(r *result, err error) {
	var of ofHive
	if errors.As(err, &of) {
		r = of.r
	}
	r.fail(e, err)
	e.complain(r.Hive, err)
}

// leave says of those hives of an installation of which nothing else is known that
// nothing was written.
func (r *result) leave() {
	for _, one := range r.all() {
		if one.Status == "" || one.Status == statusPlanned {
			one.Status = statusLeft
			one.unplan()
		}
	}
}

// pending says whether there is anything to write.
func (j *job) pending() bool { return len(j.writers) > 0 || j.sleep.pending() }

// first is the result of the hive that is written first.
func (j *job) first() *result {
	if len(j.writers) == 0 {
		return j.main
	}
	return j.writers[0].r
}

// write makes all backups, then applies and verifies one hive after the other. Up to the
// backups nothing is written anywhere, and all of it is judged before.
func (j *job) write() error {
	if err := j.begin(); err != nil {
		return err
	}
	for _, w := range j.writers {
		if err := w.ready(); err != nil {
			return ofHive{w.r, err}
		}
	}
	if err := image.Disjoint(j.written()...); err != nil {
		return err
	}
	if err := j.save(); err != nil {
		return err
	}
	if err := j.interrupted(); err != nil {
		return errors.Join(err, j.unsave()) // nothing is written yet
	}
	if err := j.startWriting(); err != nil {
		return errors.Join(err, j.giveUp())
	}
	if err := j.discard(); err != nil {
		return errors.Join(err, j.giveUp())
	}
	for _, w := range j.writers {
		if err := w.carry(); err != nil {
			return ofHive{w.r, errors.Join(err, j.giveUp())}
		}
		w.r.Status, w.r.undoFrom = j.done, j.backupDir
	}
	j.settle()
	j.putBack()
	return nil
}

// begin refuses what endangers backup or medium, and locks the medium.
func (j *job) begin() error {
	if err := j.interrupted(); err != nil {
		return err
	}
	if len(j.writers) > 0 {
		if err := j.keepable(); err != nil {
			return err
		}
	}
	return j.src.BeginWrite()
}

// startWriting has an image opened for writing, now that the backup is there, and makes
// sure that nobody was faster.
func (j *job) startWriting() error {
	anew, err := j.src.StartWriting()
	if err != nil || !anew {
		return err
	}
	for _, w := range j.writers {
		if err := w.unchanged(); err != nil {
			return ofHive{w.r, err}
		}
	}
	return nil
}

// keepable says why a backup in the folder would not be there when it is needed.
func (j *job) keepable() error {
	switch shared, why, err := j.src.SharesMedium(j.backupDir); {
	case errors.Is(err, image.ErrNotFound): // it was there when it was planned for
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errSharesMedium, err)
	case shared:
		return fmt.Errorf("%w: %s", errSharesMedium, why)
	}
	return j.lasting()
}

// written lists the files that may be written, of those that are there.
func (j *job) written() []*image.File {
	var all []*image.File
	for _, w := range j.writers {
		all = append(all, w.files.primary)
		if w.update.Log {
			all = append(all, w.files.log1)
		}
	}
	if file := j.sleep.opened(); file != nil {
		all = append(all, file.File)
	}
	return all
}

// kept is the folder of the backup that was made, here or by the run that this one ends;
// "" if none was.
func (j *job) kept() string {
	for _, w := range j.writers {
		switch {
		case w.r.Backup == "":
		case w.r.of != nil:
			return filepath.Dir(w.r.Backup)
		default:
			return w.r.Backup
		}
	}
	return ""
}

// giveUp notes in the manifests of all hives that are not written that the run failed.
func (j *job) giveUp() error {
	var all []error
	for _, w := range j.writers {
		if w.saved != nil && w.saved.State == hive.StateStarted {
			all = append(all, w.saved.SetState(hive.StateFailed))
		}
	}
	return errors.Join(all...)
}

// settle notes in the manifests of repairs that they are taken back.
func (j *job) settle() {
	for _, b := range j.settled {
		j.markUndone(b)
	}
	for _, w := range j.writers {
		if w.undoes != nil {
			j.markUndone(w.undoes)
		}
	}
}

func (e *env) interrupted() error {
	if e.ctx.Err() != nil {
		return errInterrupted
	}
	return nil
}

// lasting refuses to keep the only way back of a PC's disk in memory, as the default
// folder of a live medium is; who names such a folder is told.
func (j *job) lasting() error {
	ofPC := j.src.Kind() == image.KindDevice || runtime.GOOS == "windows" // in WinPE a PC's disk is a folder
	if !ofPC || !j.host.InMemory(j.backupDir) {
		return nil
	}
	if !j.named {
		return fmt.Errorf("%w: %s", errVolatile, j.backupDir)
	}
	j.note("volatilenote", j.backupDir)
	return nil
}
