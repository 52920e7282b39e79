package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"unloop/image"
)

// carryOut is what repair and undo share once the changes are prepared: show them, stop
// there in a dry run, else ask once and write.
func (j *job) carryOut(o common) error {
	for _, w := range j.writers {
		w.diff(w.r, w.change, w.after)
	}
	if o.format == "cmd" {
		if err := j.script(); err != nil {
			return err
		}
	}
	if err := j.show(o); err != nil {
		return fmt.Errorf("%w: %w", errNotShown, err)
	}
	for _, err := range j.refusals() {
		j.main.Refused = append(j.main.Refused, objection{err})
		if o.dryRun && errors.Is(err, image.ErrReadOnly) {
			j.note("readonlynote", j.main.Hive)
			continue
		}
		return err
	}
	if o.dryRun {
		return j.endDryRun()
	}
	if !o.yes {
		if err := j.ask(j.label()); err != nil {
			return err
		}
	}
	return j.write()
}

// endDryRun ends a dry run; the judge is asked only where it must agree.
func (j *job) endDryRun() error {
	for _, w := range j.writers {
		w.r.Status = statusPlanned
		if j.crosscheck == "require" {
			if err := w.judge(); err != nil {
				return ofHive{w.r, err}
			}
		}
		j.stage(stageReport, "dryrun", w.r.Hive)
	}
	if len(j.writers) == 0 {
		j.main.Status = statusPlanned
		j.stage(stageReport, "dryrun", j.label())
	}
	return nil
}

// label names what is written.
func (j *job) label() string {
	var names []string
	for _, w := range j.writers {
		names = append(names, w.r.Hive)
	}
	if len(names) == 0 {
		return j.sleep.file.Label()
	}
	return strings.Join(names, ", ")
}

// show prints the diffs as they were asked for; JSON comes at the end. Who is asked must
// have seen them all the same, and nothing is written that could not be shown.
func (j *job) show(o common) error {
	var diff, reg string
	for _, w := range j.writers {
		diff += w.r.diffText
		if reg != "" {
			_, w.r.regText, _ = strings.Cut(w.r.regText, "\r\n") // one header is enough
		}
		reg += w.r.regText
	}
	if !o.dryRun && !o.yes && (o.format != "text" || !j.outTTY) {
		j.tell(strings.TrimSuffix(diff, "\n"))
	}
	switch {
	case o.format == "text":
		return j.printDiff(diff)
	case o.format == "reg":
		_, err := io.WriteString(j.out, reg)
		return err
	case o.format == "cmd":
		_, err := io.WriteString(j.out, j.main.cmdText)
		return err
	}
	return nil
}

// ask waits for the user's word. Anything but yes is no.
func (e *env) ask(label string) error {
	e.mu.Lock()
	fmt.Fprint(e.err, "unloop: "+e.text("ask", label)+" ")
	e.mu.Unlock()
	answer := make(chan string, 1)
	go func() {
		line, _ := e.in.ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-e.ctx.Done():
		return errInterrupted
	case a := <-answer:
		if a == "y" || a == "yes" || a == "はい" {
			return nil
		}
	}
	return errAnsweredNo
}
