package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// batch is the work on many targets in one call. It keeps little of each that is done:
// memory is for the hives of those that are worked on.
type batch struct {
	*env
	o       common
	verb    string
	do      work
	named   bool
	targets []target
	past    *resume // nil without --resume
	bars    *bars   // nil: plain lines

	mu      sync.Mutex
	ended   int
	table   endTable
	exit    exitCode // of the targets so far
	written bool     // to any target
	prices  []price  // of what was
}

// outcome is what one target has come to.
type outcome struct {
	index  int
	out    bytes.Buffer // what is for stdout, where several write at once
	result *targetResult
}

// many says whether a call is meant for many targets, however few it finds.
func (o common) many() bool { return o.recursive || o.list || o.resume != "" }

// forEach runs work on every installation of every target and keeps the worst exit code.
func (e *env) forEach(args []string, o common, verb string, do work) error {
	if len(args) == 0 && o.recursive {
		return usageError{"usage.recursive", nil}
	}
	named, err := e.named(args)
	if err != nil {
		return err
	}
	targets, err := e.expand(named, o)
	if err != nil {
		return err
	}
	var past *resume
	if o.resume != "" {
		if err := e.resumeElsewhere(targets, o); err != nil {
			e.worst = worse(e.worst, e.complain(o.resume, err))
			return nil
		}
		past, err = openResume(o)
		var usage usageError
		switch {
		case errors.As(err, &usage):
			return err
		case err != nil:
			e.worst = worse(e.worst, e.complain(o.resume, err))
			return nil
		}
		defer past.close()
	}
	if len(targets) == 1 && !o.many() {
		e.worst = worse(e.worst, e.one(targets[0].path, o, verb, len(args) > 0, do).Exit)
		return nil
	}
	b := &batch{env: e, o: o, verb: verb, do: do, named: len(args) > 0, targets: targets, past: past}
	b.run()
	return b.conclude()
}

// asks says whether somebody is asked before a write. Then nothing is left out of what
// the stages have to say: it helps to answer.
func (b *batch) asks() bool { return b.verb != "scan" && !b.o.yes && !b.o.dryRun }

// run works on all targets, o.jobs at a time, and passes their results on in the order of the
// targets. A failure never stops the rest; Ctrl-C does, between two targets.
func (b *batch) run() {
	defer b.showBars()()
	todo, ended := make(chan int), make(chan *outcome)
	var wait sync.WaitGroup
	for range min(b.o.jobs, len(b.targets)) {
		wait.Go(func() {
			for i := range todo {
				ended <- b.work(i)
			}
		})
	}
	wait.Go(func() {
		defer close(todo)
		for i := range b.targets {
			todo <- i
		}
	})
	early := map[int]*outcome{}
	for next := 0; next < len(b.targets); {
		oc := <-ended
		for early[oc.index] = oc; early[next] != nil; next++ {
			b.pass(early[next])
			delete(early, next)
		}
	}
	wait.Wait()
}

// work brings one target to its end.
func (b *batch) work(i int) *outcome {
	oc := &outcome{index: i}
	job := *b.env
	job.about, job.quiet = b.targets[i].path, !b.asks()
	if b.o.jobs > 1 {
		job.out = &oc.out
	}
	job.slot = b.bars.begin(job.about)
	oc.result = b.result(&job, b.targets[i])
	b.bars.end(job.slot, oc.result.Exit == exitDone)
	b.ends(oc.result)
	return oc
}

// result does the work on one target, unless an earlier run has finished it or this one is
// being ended, and prints and notes what it came to.
func (b *batch) result(e *env, target target) *targetResult {
	if line, ok := e.finished(b.past, target.path, b.o.asked); ok {
		t, text, err := earlier(line, target.path)
		if err == nil && b.o.format == "json" {
			err = e.printRaw(text)
		}
		if err == nil {
			return t
		}
		e.note("problem", err) // it is looked at once more
	}
	t := e.newResult(target.path, b.o, b.verb)
	began := b.now()
	err := e.interrupted()
	switch {
	case err != nil:
		t.Error, t.noReport = e.errorResult(err), true // all such are told at the end
	case target.why != nil:
		t.noReport = true
		e.cannot(t, target.why)
	default:
		e.onTarget(t, b.named, b.o, b.do)
	}
	t.Took = seconds(b.now().Sub(began))
	t.conclude()
	if err == nil || b.o.format == "json" {
		if err := e.report(t, b.o); err != nil {
			e.notPrinted(t, err)
		}
	}
	if b.past != nil && !b.o.dryRun && !t.noReport && !t.interrupted() {
		if err := b.past.add(t, e.markOf(t, b.o.asked)); err != nil {
			e.lost.Add(1)
			e.note("resume.notwritten", b.past.path, err)
		}
	}
	return t
}

// printRaw prints a line of JSON that was made before.
func (e *env) printRaw(line []byte) error {
	if _, err := e.out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("%w: %w", errNotShown, err)
	}
	return nil
}

// ends says in one line how a target ended.
func (b *batch) ends(t *targetResult) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.interrupted() {
		return
	}
	b.ended++
	var words []string
	for _, r := range b.rowsOf(t) {
		if word := b.text("batch." + r.action); !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	b.note("batch.ended", b.ended, len(b.targets), t.Target, strings.Join(words, ", "), time.Duration(t.Took).Seconds())
}

// pass hands a result on, in its turn: prints what waited for that, and keeps what the end
// needs.
func (b *batch) pass(oc *outcome) {
	t := oc.result
	if oc.out.Len() > 0 {
		if _, err := b.out.Write(oc.out.Bytes()); err != nil {
			b.notPrinted(t, fmt.Errorf("%w: %w", errNotShown, err))
		}
	}
	b.exit = worse(b.exit, t.Exit)
	b.table.add(b.env, t)
	for _, r := range t.Installations {
		if t.Earlier || !r.written() {
			continue
		}
		b.written = true
		for _, p := range r.prices() {
			if t.Verb == "repair" && !slices.Contains(b.prices, p) {
				b.prices = append(b.prices, p)
			}
		}
	}
}

// conclude ends the run: the table, where the backups are and what the change costs, and
// what is left to be done.
func (b *batch) conclude() error {
	b.worst = worse(b.worst, b.exit)
	text := b.table.text(b.env)
	if b.o.format == "text" {
		if _, err := b.out.Write([]byte(text)); err != nil && b.written {
			b.note("notprinted", b.text("batch.table"), err)
		} else if err != nil {
			return fmt.Errorf("%w: %w", errNotShown, err)
		}
	} else {
		b.tell(strings.TrimSuffix(text, "\n"))
	}
	if b.o.report != "" && !b.asks() {
		b.stage(stageReport, "reportat", b.o.report)
	}
	if b.written && !b.asks() {
		b.stage(stageReport, "backupat", filepath.Join(b.o.backup, b.env.run))
		if b.verb == "repair" {
			b.stage(stageReport, "batch.howundo", quotePath(b.o.backup))
		}
		for _, p := range b.prices {
			b.stage(stageReport, p.long)
		}
	}
	if n := b.lost.Load(); n > 0 {
		b.note("batch.lost", n)
	}
	if left := b.table.left; len(left) > 0 {
		b.unfinished(left)
	}
	return nil
}

// maxLeft bounds how many targets are named that a run has not come to.
const maxLeft = 10

// unfinished says what a run that was ended by Ctrl-C has left.
func (b *batch) unfinished(left []string) {
	var names []string
	for _, name := range left[:min(len(left), maxLeft)] {
		names = append(names, quotePath(name))
	}
	words := strings.Join(names, " ")
	if more := len(left) - len(names); more > 0 {
		words = b.text("batch.more", words, more)
	}
	hint := "hint.left"
	if b.past != nil {
		hint = "hint.leftresume"
	}
	b.tell("unloop: error: " + b.text("error.left", len(b.targets)-len(left), len(left), words) + "\n" +
		"unloop: hint: " + b.text(hint))
}

// interrupted says whether a target was left because the run was being ended.
func (t *targetResult) interrupted() bool {
	all := []*errorResult{t.Error}
	for _, r := range t.Installations {
		all = append(all, r.Error)
	}
	return slices.ContainsFunc(all, func(err *errorResult) bool { return err != nil && err.Key == "interrupted" })
}
