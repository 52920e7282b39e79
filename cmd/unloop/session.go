package main

import (
	"errors"
	"fmt"
	"slices"

	"unloop/hive"
	"unloop/image"
)

// The stages of a run, the same words everywhere.
const (
	stageDiscover = "discover"
	stageInspect  = "inspect"
	stagePlan     = "plan"
	stageDiff     = "diff"
	stageBackup   = "backup"
	stageApply    = "apply"
	stageVerify   = "verify"
	stageReport   = "report"
)

// discover opens a target and finds the installations in it.
func (e *env) discover(target string) (*image.Source, error) {
	defer e.busy(stageDiscover, target)()
	src, err := e.host.Open(target)
	if err != nil {
		return nil, err
	}
	if err := recogniseTarget(src); err != nil {
		return nil, errors.Join(err, src.Close())
	}
	e.stage(stageDiscover, "discovered", target, e.targetWord(src.Kind().String(), formatOf(src)), len(src.Installations()))
	return src, nil
}

// inspected is a hive that was read, and what was seen in it.
type inspected struct {
	files    hiveFiles
	hive     *hive.Hive
	findings *hive.Findings
}

// inspect reads the SYSTEM hive of an installation and looks at it.
func (e *env) inspect(in *image.Installation, scope hive.Scope, r *result) (*inspected, error) {
	defer e.busy(stageInspect, r.Hive)()
	files, h, err := e.read(in, hive.PrimaryFile, r)
	if err != nil {
		return nil, err
	}
	f, err := e.weigh(in, h, scope, r)
	if err != nil {
		return nil, err
	}
	e.stage(stageInspect, "inspected", r.Hive, f.Windows, e.verdict(f))
	return &inspected{files, h, f}, nil
}

// weigh looks at a hive and at what lies beside it, and gives the verdict.
func (e *env) weigh(in *image.Installation, h *hive.Hive, scope hive.Scope, r *result) (*hive.Findings, error) {
	f, err := h.Inspect(scope)
	if err != nil {
		return nil, err
	}
	ev := e.gather(in, h, f)
	f.Weigh(ev.Evidence)
	for _, what := range ev.unread() {
		e.note("problem", what)
	}
	r.Warnings = slices.Concat(r.Warnings, ev.notes)
	r.fill(e, f)
	return f, nil
}

// read reads and checks a hive of an installation.
func (e *env) read(in *image.Installation, name string, r *result) (hiveFiles, *hive.Hive, error) {
	files, err := openHive(in, name)
	if err != nil {
		return files, nil, err
	}
	r.Hive = files.primary.Label()
	data, err := files.read()
	if err != nil {
		return files, nil, err
	}
	h, err := hive.Open(data)
	if err != nil {
		return files, nil, err
	}
	r.Warnings = h.Warnings
	if h.Replay != nil {
		e.replayed(r, h)
	}
	return files, h, nil
}

// replayed says what the log of a dirty hive holds.
func (e *env) replayed(r *result, h *hive.Hive) {
	r.Replay = &replayResult{Why: h.Replay.Why, Log: h.Replay.Log, Sectors: h.Replay.Sectors, Torn: h.Replay.Torn, Edits: []logEdit{}}
	e.stage(stageInspect, "dirtyhive", r.Hive, h.Replay.Log, h.Replay.Sectors)
	r.logText = diffHeader(r.Hive, "as found", r.Hive, "from the log")
	d, err := h.Replay.Diff()
	if err != nil {
		r.Replay.Unreadable = err.Error()
		r.logText += ";unreadable as found: " + escape(err.Error()) + "\n"
		return
	}
	r.Replay.Edits = logEdits(d)
	if h.Name() == hive.PrimaryFile {
		r.logText += d.Text()
		return
	}
	// A SOFTWARE hive names its owner and holds product keys.
	r.logText += fmt.Sprintf(";values that Windows itself changed, not shown: %d\n", len(r.Replay.Edits))
}

// diff prints what will change. The same text is printed by a dry run and by the
// run that writes.
func (e *env) diff(r *result, c *hive.Change, after string) {
	r.Edits = editResults(c.Edits)
	from := "as found"
	if r.Replay != nil {
		from = "from the log"
	}
	if len(c.Diff.Keys) > 0 {
		r.diffText = diffHeader(r.Hive, from, r.Hive, after) + c.Diff.Text()
	}
	r.diffText = r.logText + r.diffText
	r.regText = c.Diff.Reg(regRoot + c.Old.Name())
	e.stage(stageDiff, "differs", r.Hive, len(c.Edits))
}

// regRoot is where hives are found by name in a running Windows; regPrefix is SYSTEM's
// place.
const (
	regRoot   = `HKEY_LOCAL_MACHINE\`
	regPrefix = regRoot + "SYSTEM"
)

// diffHeader gives the two lines above a diff; they are never translated.
func diffHeader(a, asA, b, asB string) string {
	line := func(mark, label, as string) string {
		if as != "" {
			as = "  " + as
		}
		return mark + " " + escape(label) + as + "\n"
	}
	return line("---", a, asA) + line("+++", b, asB)
}
