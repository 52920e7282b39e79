package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"unloop/hive"
	"unloop/image"
)

// work is what a verb does with one installation.
type work func(e *env, src *image.Source, in *image.Installation, r *result) error

// notPrinted says that a target's result could not be printed or saved. That is a failure only
// where the result was all there was to it: exit code 1 promises an unchanged hive.
func (e *env) notPrinted(t *targetResult, err error) {
	e.lost.Add(1)
	for _, r := range t.Installations {
		if r.Status == statusRepaired || r.Status == statusUndone {
			e.note("notprinted", t.Target, err)
			return
		}
	}
	t.Exit = worse(t.Exit, e.complain(t.Target, err))
}

// one runs a verb's work on one target and reports it.
func (e *env) one(target string, o common, verb string, named bool, do work) *targetResult {
	t := e.newResult(target, o, verb)
	if err := e.interrupted(); err != nil {
		e.cannot(t, err)
	} else {
		e.onTarget(t, named, o, do)
	}
	t.conclude()
	if err := e.report(t, o); err != nil {
		e.notPrinted(t, err)
	}
	return t
}

// newResult begins the account of a target.
func (e *env) newResult(target string, o common, verb string) *targetResult {
	t := &targetResult{
		Schema: reportSchema, Tool: versionLine(), Time: e.now().UTC().Truncate(time.Second),
		Verb: verb, Target: target, DryRun: o.dryRun, Installations: []*result{},
	}
	if path, err := filepath.Abs(target); err == nil {
		t.Path = path
	}
	return t
}

// cannot says why nothing can be done with a target.
func (e *env) cannot(t *targetResult, err error) {
	t.Error = e.errorResult(err)
	e.complain(t.Target, err)
}

// onTarget opens a target and works on what is found in it.
func (e *env) onTarget(t *targetResult, named bool, o common, do work) {
	src := e.openTarget(t, named, o)
	if src == nil {
		return
	}
	e.eachInstallation(t, src, do)
	if err := src.NoWindows(); err != nil && named {
		e.cannot(t, err)
	}
	e.closeSource(t, src)
	if named {
		e.skippedAll(t)
	}
}

// openTarget opens a target and notes its volumes; nil if it cannot be opened, as the
// result then says, or is left alone.
func (e *env) openTarget(t *targetResult, named bool, o common) *image.Source {
	src, err := e.discover(t.Target)
	if err != nil {
		e.cannot(t, err)
		return nil
	}
	if own, _, err := src.SharesMedium(e.host.SystemFolder()); !named && (own || err != nil) {
		e.stage(stageDiscover, "owndisk", t.Target)
		e.closeSource(t, src)
		return nil
	}
	if err := e.elsewhere(src, o); err != nil {
		t.noReport = true
		e.cannot(t, err)
		e.closeSource(t, src)
		return nil
	}
	t.Kind, t.Volumes = src.Kind().String(), volumeResults(src.Volumes())
	e.noteImage(t, src.Container())
	e.serials.note(t.Target, t.Volumes)
	for _, v := range slices.Backward(t.Volumes) { // once is enough; Windows' own volume is rarely the first
		if v.SameSerial != "" {
			if e.quiet && !e.serials.first(v.Serial) {
				break
			}
			e.note("sameserial", t.Target, v.Serial, v.SameSerial)
			break
		}
	}
	for _, p := range src.Problems() {
		t.Problems = append(t.Problems, p.Error())
		e.note("problem", p)
	}
	return src
}

// eachInstallation works on what was found at a target, one result each.
func (e *env) eachInstallation(t *targetResult, src *image.Source, do work) {
	for _, in := range src.Installations() {
		r := &result{Hive: in.ConfigLabel("SYSTEM"), label: in.Label, in: in}
		t.Installations = append(t.Installations, r)
		err := do(e, src, in, r)
		if r.other != nil {
			t.Installations = append(t.Installations, r.other)
		}
		if err != nil {
			e.failed(r, err)
			r.leave()
		}
	}
}

// elsewhere refuses a report folder, or a file of --resume, on what is looked at: both are
// writes, too, and even a scan or dry run would make the first.
func (e *env) elsewhere(src *image.Source, o common) error {
	places := []string{o.report}
	if !o.dryRun {
		places = append(places, o.resume)
	}
	for _, place := range places {
		if place == "" {
			continue
		}
		shared, why, err := src.SharesMedium(place)
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", errNoReport, err)
		case shared:
			return fmt.Errorf("%w: %s", errReportShares, why)
		}
	}
	return nil
}

// closeSource gives lock and device back. An error then means that data may not have
// reached the medium.
func (e *env) closeSource(t *targetResult, src *image.Source) {
	err := src.Close()
	switch {
	case err == nil:
		return
	case src.Written() && t.anyError() && !t.anyWritten():
		e.note("notclosed", t.Target, err) // what became of the hive is told already
		return
	case src.Written():
		err = fmt.Errorf("%w: closing %s: %w", hive.ErrNotVerified, t.Target, err)
	}
	t.Error = e.errorResult(err)
	e.complain(t.Target, err)
}

// skippedAll complains when everything that was found at a named target was skipped,
// of the first reason for that.
func (e *env) skippedAll(t *targetResult) {
	for _, r := range t.Installations {
		if r.Status != statusSkipped {
			return
		}
	}
	if len(t.Installations) > 0 && t.Error == nil {
		err := t.Installations[0].err
		e.cannot(t, err)
	}
}
