package main

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"

	"unloop/hive"
	"unloop/image"
)

// work is what a verb does with one installation.
type work func(e *env, src *image.Source, in *image.Installation, r *result) error

// forEach runs work on every installation of every target, o.jobs targets at a
// time, prints results in the order of the targets and keeps the worst exit code.
// A failure never stops the rest; Ctrl-C does, between two targets.
func (e *env) forEach(named []string, o common, verb string, do work) error {
	targets, err := e.targets(named)
	if err != nil {
		return err
	}
	type outcome struct {
		out    bytes.Buffer
		result *targetResult
	}
	outcomes := make([]chan *outcome, len(targets))
	for i := range outcomes {
		outcomes[i] = make(chan *outcome, 1)
	}
	slots := make(chan struct{}, o.jobs)
	var wait sync.WaitGroup
	direct := o.jobs == 1
	next := 0
	for i, target := range targets {
		slots <- struct{}{}
		job := *e
		oc := new(outcome)
		if !direct {
			job.out = &oc.out
		}
		wait.Go(func() {
			defer func() { <-slots }()
			oc.result = job.one(target, o, verb, len(named) > 0, do)
			outcomes[i] <- oc
		})
		for ; direct && next <= i; next++ {
			wait.Wait()
			e.finish((<-outcomes[next]).result)
		}
	}
	for ; next < len(targets); next++ {
		oc := <-outcomes[next]
		if _, err := e.out.Write(oc.out.Bytes()); err != nil {
			e.notPrinted(oc.result, fmt.Errorf("%w: %w", errNotShown, err))
		}
		e.finish(oc.result)
	}
	return nil
}

// notPrinted says that a target's result could not be printed or saved. That is a failure only
// where the result was all there was to it: exit code 1 promises an unchanged hive.
func (e *env) notPrinted(t *targetResult, err error) {
	for _, r := range t.Installations {
		if r.Status == statusRepaired || r.Status == statusUndone {
			e.note("notprinted", t.Target, err)
			return
		}
	}
	t.Exit = worse(t.Exit, e.complain(t.Target, err))
}

func (e *env) finish(t *targetResult) { e.worst = worse(e.worst, t.Exit) }

// one runs a verb's work on one target and reports it.
func (e *env) one(target string, o common, verb string, named bool, do work) *targetResult {
	t := &targetResult{
		Schema: reportSchema, Tool: versionLine(), Time: e.now().UTC().Truncate(time.Second),
		Verb: verb, Target: target, DryRun: o.dryRun, Installations: []*result{},
	}
	if err := e.interrupted(); err != nil {
		t.Error = e.errorResult(err)
		e.complain(target, err)
	} else {
		e.onTarget(t, named, o, do)
	}
	t.conclude()
	if err := e.report(t, o); err != nil {
		e.notPrinted(t, err)
	}
	return t
}

// onTarget opens a target and works on what is found in it.
func (e *env) onTarget(t *targetResult, named bool, o common, do work) {
	src := e.openTarget(t, named, o)
	if src == nil {
		return
	}
	e.eachInstallation(t, src, do)
	if err := src.NoWindows(); err != nil && named {
		t.Error = e.errorResult(err)
		e.complain(t.Target, err)
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
		t.Error = e.errorResult(err)
		e.complain(t.Target, err)
		return nil
	}
	if own, _, err := src.SharesMedium(e.host.SystemFolder()); !named && (own || err != nil) {
		e.stage(stageDiscover, "owndisk", t.Target)
		e.closeSource(t, src)
		return nil
	}
	if err := e.reportElsewhere(src, o); err != nil {
		t.Error, t.noReport = e.errorResult(err), true
		e.complain(t.Target, err)
		e.closeSource(t, src)
		return nil
	}
	t.Kind, t.Volumes = src.Kind().String(), volumeResults(src.Volumes())
	e.noteImage(t, src.Container())
	e.serials.note(t.Target, t.Volumes)
	for _, v := range slices.Backward(t.Volumes) { // once is enough; Windows' own volume is rarely the first
		if v.SameSerial != "" {
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

// reportElsewhere refuses a report folder on what is looked at: a report is a write,
// too, and even a scan or dry run would make it.
func (e *env) reportElsewhere(src *image.Source, o common) error {
	if o.report == "" {
		return nil
	}
	shared, why, err := src.SharesMedium(o.report)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errNoReport, err)
	case shared:
		return fmt.Errorf("%w: %s", errReportShares, why)
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
		t.Error = e.errorResult(err)
		e.complain(t.Target, err)
	}
}
