package main

import (
	"encoding/hex"
	"errors"
	"fmt"

	"unloop/hive"
	"unloop/image"
)

// sleep is the hibernation of an installation's volume: a repair discards it, as the
// user ordered, before it writes to a hive; an undo puts it back, after all hives, if
// nothing has changed on the volume since.
type sleep struct {
	file   *image.SleepFile
	was    image.Signature   // as a repair finds it, or as an undo puts it back
	record *hive.Hibernation // repair: for the manifest
	backup *hive.Backup      // undo: whose manifest has the record
}

// sentence is what is said of a hibernation, in whichever language.
type sentence struct {
	key   string // of the message; its argument is the file
	label string
	stays *stays // why it is not put back; nil unless it is not
}

// text spells the sentence.
func (s *sentence) text(e *env) string {
	if s.stays == nil {
		return e.text(s.key, s.label)
	}
	return e.text(s.key, s.label, s.stays.text(e))
}

// noteSleep notes what becomes of the hibernation, for programs and for people.
func (j *job) noteSleep(stage string, h hibernationResult, s sentence) {
	if s.stays != nil {
		english := *j.env
		english.lang = "en"
		h.Why = s.stays.text(&english)
	}
	j.main.Hibernation, j.main.slept = &h, &s
	j.times.ended(stage)
	j.stageText(stage, s.text(j.env))
}

// pending says whether there is a hibernation to be put back.
func (s *sleep) pending() bool { return s != nil && s.backup != nil }

// opened is the file, nil if there is nothing to be done to it.
func (s *sleep) opened() *image.SleepFile {
	if s == nil {
		return nil
	}
	return s.file
}

// discards says whether a repair is to discard a hibernation.
func (j *job) discards() bool { return j.sleep != nil && j.action == "repair" }

// planDiscard opens the hibernation that is to be discarded.
func (j *job) planDiscard() error {
	file, err := j.in.OpenSleepFile()
	if err != nil {
		return fmt.Errorf("%w: %w", errSleepFile, err)
	}
	was, err := file.Signature()
	if err == nil {
		err = file.Refusal()
	}
	if err == nil && !was.Sleeping() {
		err = image.ErrChanged
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errSleepFile, err)
	}
	j.sleep = &sleep{file: file, was: was}
	j.noteSleep(stagePlan, hibernationResult{Planned: true}, sentence{key: "sleep.discards", label: file.Label()})
	return nil
}

// refusals says what forbids the job, the gravest first. A hibernation does not if it is
// to be discarded.
func (j *job) refusals() []error {
	var names []string
	for _, w := range j.writers {
		names = append(names, w.change.Old.Name())
	}
	var all []error
	for _, err := range j.src.Refusals(j.in, names...) {
		if j.discards() && errors.Is(err, image.ErrHibernated) {
			continue
		}
		all = append(all, err)
	}
	return all
}

// recordSleep notes how the volume is just before its hibernation is discarded. Another
// installation of the same run may have discarded it.
func (j *job) recordSleep() error {
	if !j.discards() {
		return nil
	}
	if j.in.Hibernated != image.HiberSleeping {
		j.sleep, j.main.Hibernation, j.main.slept = nil, nil, nil
		return nil
	}
	defer j.busy(stageBackup, j.sleep.file.Label())()
	record := &hive.Hibernation{File: j.sleep.file.Label(), Signature: hex.EncodeToString(j.sleep.was[:])}
	j.sleep.record = record
	if j.in.Volume == nil {
		return nil
	}
	stamp, err := j.in.Stamp()
	if err == nil {
		record.Journal, record.MFT, record.Files = hive.Digest(stamp.Journal), hive.Digest(stamp.MFT), j.fileSums()
		return nil
	}
	j.note("unstamped", j.sleep.file.Label(), err)
	return nil
}

// recordInto puts the record into the manifest of the hive that is written first, and
// learns from that of an earlier run that it has discarded a hibernation.
func (w *writer) recordInto(m *hive.Manifest) {
	if w != w.writers[0] {
		return
	}
	if w.discards() {
		m.Hibernation = w.sleep.record
	} else if m.Hibernation != nil && !m.Hibernation.Restored {
		w.noteSleep(stageBackup, hibernationResult{Discarded: true}, sentence{key: "sleep.discarded", label: m.Hibernation.File})
	}
}

// fileSums sums all hives and logs on the installation's volume that unloop may write.
// What cannot be read it cannot write either.
func (j *job) fileSums() map[string]hive.Digest {
	sums := map[string]hive.Digest{}
	for _, in := range j.src.Installations() {
		if in.Volume != j.in.Volume {
			continue
		}
		for _, name := range []string{hive.PrimaryFile, hive.SoftwareFile} {
			for _, suffix := range []string{"", ".LOG1", ".LOG2", ".LOG"} {
				file, err := in.Open(name + suffix)
				if err != nil {
					continue
				}
				if sum, err := hive.SumOf(file, file.Size()); err == nil {
					sums[in.ConfigPath(name+suffix)] = sum
				}
			}
		}
	}
	return sums
}

// discard zeroes the signature: from now on Windows starts anew. It comes after the
// backups and before any hive, so that at no time a changed hive lies under a Windows that
// would wake and go on with the old one.
func (j *job) discard() error {
	if !j.discards() {
		return nil
	}
	if err := j.sleep.file.Discard(j.sleep.was); err != nil {
		return fmt.Errorf("%w: %w", errNotDiscarded, err)
	}
	j.noteSleep(stageApply, hibernationResult{Discarded: true}, sentence{key: "sleep.discarded", label: j.sleep.file.Label()})
	return nil
}
