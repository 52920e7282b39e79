package main

import (
	"errors"
	"fmt"
	"slices"

	"unloop/image"
)

// looked is what was found on the disks of a PC, still open, and what could be done.
type looked struct {
	targets []*targetResult
	sources []*image.Source // of each target; nil where it could not be opened
	offers  []*offer
}

// offer is a repair or undo that was prepared and waits for a word.
type offer struct {
	*job
	target *targetResult
}

// propose prepares what could be done to one installation.
type propose func(e *env, src *image.Source, in *image.Installation, r *result) (*job, error)

// look opens disks and prepares what could be done on each. It only reads. A failure
// stands in the result of what it concerns.
func (e *env) look(disks []string, verb string, dryRun bool, do propose) *looked {
	l := new(looked)
	for _, disk := range disks {
		t := &targetResult{Verb: verb, Target: disk, DryRun: dryRun, Installations: []*result{}}
		src := e.openTarget(t, true, common{})
		l.targets, l.sources = append(l.targets, t), append(l.sources, src)
		if src == nil {
			continue
		}
		e.eachInstallation(t, src, func(e *env, src *image.Source, in *image.Installation, r *result) error {
			j, err := do(e, src, in, r)
			if err != nil || j == nil || !j.pending() {
				return err
			}
			if err := j.offer(); err != nil {
				return err
			}
			l.offers = append(l.offers, &offer{j, t})
			return nil
		})
		for _, hidden := range []error{image.ErrBitLocker, image.ErrRaidMember, image.ErrDynamicDisk} {
			if err := src.NoWindows(); errors.Is(err, hidden) {
				t.Problems = append(t.Problems, err.Error())
			}
		}
	}
	return l
}

// offer shows what a job would change, unless it is refused.
func (j *job) offer() error {
	for _, w := range j.writers {
		w.diff(w.r, w.change, w.after)
	}
	all := j.refusals()
	for _, err := range all {
		j.main.Refused = append(j.main.Refused, objection{err})
	}
	if len(all) > 0 {
		return all[0]
	}
	for _, w := range j.writers {
		w.r.Status = statusPlanned
	}
	j.first().Status = statusPlanned
	return nil
}

// close gives the disks back.
func (l *looked) close(e *env) {
	for i, src := range l.sources {
		if src != nil {
			e.closeSource(l.targets[i], src)
			l.sources[i] = nil
		}
	}
}

// installations lists the results of all targets.
func (l *looked) installations() []*result {
	var all []*result
	for _, t := range l.targets {
		all = append(all, t.Installations...)
	}
	return all
}

// targetOf finds the target of a result.
func (l *looked) targetOf(r *result) *targetResult {
	for _, t := range l.targets {
		for _, own := range t.Installations {
			if own == r {
				return t
			}
		}
	}
	return nil
}

// conclusion is how the work on a PC ended, in a word that the screen, the log and the
// record share.
type conclusion struct {
	result string // one of the results below
	mood   mood
	why    *errorResult // of the first failure
	label  string       // what failed; "": the PC
}

// because says why it ended badly.
func (e *env) because(c conclusion) string {
	label := c.label
	if label == "" {
		label = e.text("label.pc")
	}
	return e.text("error."+c.why.Key, label)
}

// The results.
const (
	resultRepaired = "REPAIRED"
	resultPartly   = "REPAIRED, BUT NOT ALL"
	resultUndone   = "UNDONE"
	resultPartUndo = "UNDONE, BUT NOT ALL"
	resultNoUndo   = "NOT UNDONE"
	resultNothing  = "NOTHING TO DO"
	resultFailed   = "NOT REPAIRED"
	resultDryRun   = "DRY RUN"
	resultLeft     = "NOTHING WRITTEN"
)

// conclude sums the results up, in the words of what was to be done.
func (l *looked) conclude() conclusion {
	c := l.sumUp()
	if len(l.targets) > 0 && l.targets[0].Verb == "undo" {
		switch c.result {
		case resultFailed:
			c.result = resultNoUndo
		case resultPartly:
			c.result = resultPartUndo
		}
	}
	return c
}

// sumUp counts how the work ended on each installation. Installations that were merely found and skipped do not
// count beside others. That a disk could not be given back, so that what was written may
// not have reached it, counts before all.
func (l *looked) sumUp() conclusion {
	var c conclusion
	count := map[status]int{}
	for _, t := range l.targets {
		if t.Error != nil && len(t.Installations) > 0 {
			return conclusion{resultFailed, moodBad, t.Error, t.Target}
		}
		if t.Error != nil && c.why == nil {
			c.why, c.label = t.Error, t.Target
		}
		for _, r := range t.Installations {
			count[r.Status]++
			if r.Error != nil && (c.why == nil || len(t.Installations) > 0 && c.label == t.Target) {
				c.why, c.label = r.Error, r.Hive
			}
		}
	}
	failed := count[statusFailed] + count[statusRefused]
	done := count[statusRepaired] + count[statusUndone]
	switch {
	case done > 0 && failed > 0:
		c.result, c.mood = resultPartly, moodNote
	case failed > 0:
		c.result, c.mood = resultFailed, moodBad
	case count[statusRepaired] > 0:
		c.result, c.mood = resultRepaired, moodGood
	case count[statusUndone] > 0:
		c.result, c.mood = resultUndone, moodGood
	case count[statusPlanned] > 0:
		c.result, c.mood = resultDryRun, moodCalm
	case count[statusLeft] > 0:
		c.result, c.mood = resultLeft, moodNote
	case len(l.installations()) == 0:
		c.result, c.mood = resultFailed, moodBad
	case count[statusNothing] == 0 && c.why != nil: // what could not be read may be the sick one
		c.result, c.mood = resultFailed, moodBad
	default:
		c.result, c.mood = resultNothing, moodNote
	}
	if c.mood != moodBad && c.result != resultPartly {
		c.why, c.label = nil, ""
	}
	return c
}

// leave says of the offers that nobody took that they were left.
func (l *looked) leave() {
	for _, o := range l.offers {
		if !o.target.DryRun {
			o.main.leave()
		}
	}
}

// failed says whether an installation could not be worked on.
func (l *looked) failed() bool {
	return slices.ContainsFunc(l.installations(), func(r *result) bool { return r.Error != nil })
}

// begun says whether anything was done, or tried.
func (l *looked) begun() bool {
	return slices.ContainsFunc(l.offers, func(o *offer) bool { return o.first().Status != statusPlanned })
}

// only is what was found, but for all installations except one.
func (l *looked) only(r *result) *looked {
	t := *l.targetOf(r)
	t.Installations = []*result{r}
	if r != nil && r.other != nil {
		t.Installations = append(t.Installations, r.other)
	}
	return &looked{targets: []*targetResult{&t}}
}

// nothingFound says why no installation was found: no disk at all, or none with Windows.
func (e *env) nothingFound(l *looked, driverless []string) error {
	if len(l.targets) == 0 {
		if len(driverless) == 0 {
			return errNoDisk
		}
		return fmt.Errorf("%w: %v", errNoDisk, driverless)
	}
	for _, src := range l.sources {
		if src == nil {
			continue
		}
		for _, hidden := range []error{image.ErrBitLocker, image.ErrRaidMember, image.ErrDynamicDisk, image.ErrDamaged} {
			if err := src.NoWindows(); errors.Is(err, hidden) {
				return err
			}
		}
	}
	return errNoWindowsHere
}
