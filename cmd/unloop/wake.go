package main

import (
	"errors"
	"slices"

	"unloop/hive"
	"unloop/image"
)

// Errors of a hibernation that is to be discarded.
var (
	// errSleepFile: hiberfil.sys does not lie where its first bytes could be overwritten.
	errSleepFile = errors.New("hiberfil.sys cannot be changed where it lies")
	// errNotDiscarded: writing them failed. No hive has been written to by then.
	errNotDiscarded = errors.New("the hibernation could not be discarded")
)

// stays says why a hibernation is not put back: a message of the catalogue.
type stays struct {
	key  string
	args []any
}

func (s *stays) text(e *env) string { return e.text(s.key, slices.Clone(s.args)...) }

// planWake finds out whether the undo may put a hibernation back that a repair of this
// volume discarded. own are the backups that the undo goes by. That it may not is no
// error: the hives are undone all the same, and the result says why.
func (j *job) planWake(backups, own []*hive.Backup, exact bool) {
	found := hive.Discarded(backups, j.manifestTarget(j.src, j.in, ""))
	if len(found) == 0 || j.in.Hibernated == image.HiberSleeping {
		return
	}
	b, why := j.wakes(found, exact)
	switch {
	case b != nil:
		if why = j.openSleep(b); why == nil {
			j.noteSleep(stagePlan, hibernationResult{Planned: true}, sentence{key: "sleep.wakes", label: j.sleep.file.Label()})
			return
		}
	case !discarded(own, len(j.writers) > 0): // somebody else's, or of another start of this PC
		return
	}
	j.staysAwake(stagePlan, why)
}

// discarded says whether one of the runs that made these backups discarded a hibernation
// that is not back yet. Where a hive is still to be taken back, one that was put back before
// was that of a copy.
func discarded(own []*hive.Backup, again bool) bool {
	return slices.ContainsFunc(own, func(b *hive.Backup) bool { return b.Hibernation != nil && (again || !b.Hibernation.Restored) })
}

// wakes chooses of several hibernations the one that was discarded when the volume was as
// it is now, but for hives and logs: those are compared when they are undone.
func (j *job) wakes(found []*hive.Backup, exact bool) (*hive.Backup, *stays) {
	switch {
	case j.in.Volume == nil:
		return nil, &stays{key: "awake.mounted"}
	case !exact:
		return nil, &stays{key: "awake.inexact"}
	case !found[0].Hibernation.Stamped():
		return nil, &stays{key: "awake.unstamped"}
	}
	defer j.busy(stagePlan, j.main.Hive)()
	now, err := j.in.Stamp()
	if err != nil {
		return nil, &stays{"awake.unreadable", []any{err}}
	}
	for _, b := range found {
		if h := b.Hibernation; string(h.Journal) == now.Journal && string(h.MFT) == now.MFT {
			return b, nil
		}
	}
	return nil, &stays{key: "awake.changed"}
}

// openSleep opens the file whose signature is to be put back.
func (j *job) openSleep(b *hive.Backup) *stays {
	file, err := j.in.OpenSleepFile()
	if err == nil {
		err = file.Refusal()
	}
	if err != nil {
		return &stays{"awake.nofile", []any{err}}
	}
	sig, err := b.Hibernation.Bytes()
	if err != nil {
		return &stays{"awake.nofile", []any{err}}
	}
	j.sleep = &sleep{file: file, was: sig, backup: b}
	return nil
}

// staysAwake says that a hibernation is not put back.
func (j *job) staysAwake(stage string, why *stays) {
	j.noteSleep(stage, hibernationResult{}, sentence{"sleep.stays", j.main.Hive, why})
}

// putBack puts the signature back as the last thing an undo writes, when every hive and
// log of the volume, and the volume itself, is again as it was when it was zeroed.
func (j *job) putBack() {
	if !j.sleep.pending() {
		return
	}
	if why := j.stillAsleep(); why != nil {
		j.staysAwake(stageVerify, why)
		return
	}
	if err := j.sleep.file.PutBack(j.sleep.was); err != nil {
		j.staysAwake(stageApply, &stays{"awake.notwritten", []any{err}})
		return
	}
	j.noteSleep(stageApply, hibernationResult{Restored: true}, sentence{key: "sleep.restored", label: j.sleep.file.Label()})
	if len(j.writers) == 0 {
		j.main.Status = j.done
	}
	j.sleep.backup.Hibernation.Restored = true
	if err := j.sleep.backup.SetState(j.sleep.backup.State); err != nil {
		j.note("notmarked", j.sleep.backup.Dir, err)
	}
}

// stillAsleep compares the volume with the record; nil if they agree.
func (j *job) stillAsleep() *stays {
	defer j.busy(stageVerify, j.sleep.file.Label())()
	if err := j.sleep.file.DropCache(); err != nil {
		return &stays{"awake.unreadable", []any{err}}
	}
	was := j.sleep.backup.Hibernation
	now, err := j.in.Stamp()
	switch path := was.Differs(j.fileSums()); {
	case err != nil:
		return &stays{"awake.unreadable", []any{err}}
	case string(was.Journal) != now.Journal || string(was.MFT) != now.MFT:
		return &stays{key: "awake.changed"}
	case path != "":
		return &stays{"awake.file", []any{path}}
	}
	return nil
}
