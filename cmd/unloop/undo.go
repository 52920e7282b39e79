package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"unloop/hive"
	"unloop/image"
)

type undoOptions struct {
	common
	from       string         // a backup, or a folder of backups
	chosen     []*hive.Backup // by a person, of several
	crosscheck string
}

func (e *env) undoCommand() *cli.Command {
	return &cli.Command{
		Name: "undo", ArgsUsage: "[TARGET...]",
		Usage: e.text("undo.usage"), Description: e.text("undo.description"),
		Flags: append(e.commonFlags(),
			&cli.StringFlag{Name: "from", Usage: "DIR|" + e.text("flag.from")},
			cli.HelpFlag),
		Action: func(c *cli.Context) error {
			o := undoOptions{from: c.String("from")}
			var err error
			if o.common, o.crosscheck, err = e.commonOptions(c); err != nil {
				return err
			}
			o.asked = "undo"
			if o.from != "" {
				o.asked += " --from=" + o.from
			}
			return e.runUndo(c.Args().Slice(), o)
		},
	}
}

func (e *env) runUndo(named []string, o undoOptions) error {
	return e.forEach(named, o.common, "undo", func(e *env, src *image.Source, in *image.Installation, r *result) error {
		return e.undo(src, in, r, o, len(named) > 0 && len(src.Installations()) == 1)
	})
}

// undo takes the repair of one installation back.
func (e *env) undo(src *image.Source, in *image.Installation, r *result, o undoOptions, alone bool) error {
	j, err := e.proposeUndo(src, in, r, o, alone)
	switch {
	case err != nil || j == nil:
		return err
	case j.pending():
		return j.carryOut(o.common)
	case !o.dryRun:
		j.settle()
	}
	return nil
}

// proposeUndo finds the backups that belong to an installation and makes its hives as
// they were in memory. It only reads. A nil job without an error means that the
// installation is skipped, one that is not pending that everything is as it was already.
func (e *env) proposeUndo(src *image.Source, in *image.Installation, r *result, o undoOptions, alone bool) (*job, error) {
	j := &job{
		env: e, src: src, in: in, main: r, action: "undo", after: "restored", done: statusUndone,
		backupDir: o.backup, named: o.named, crosscheck: o.crosscheck,
	}
	backups, missing := e.findBackups(o)
	_, err := j.takeBack(r, hive.PrimaryFile, backups, missing, o)
	other := j.undoUpdates(backups, o)
	for _, err := range []error{err, other} {
		if errors.Is(err, hive.ErrSeveralBackups) { // somebody must choose first
			return nil, err
		}
	}
	if other != nil {
		e.failed(r.other, other)
	}
	found := len(j.writers)+len(j.settled) > 0
	switch {
	case errors.Is(err, hive.ErrNoBackup) && (found || !alone):
		r.skip(err)
		e.stage(stagePlan, "nobackupskip", r.Hive)
	case err != nil && found: // each hive goes back by its own backup
		e.failed(r, err)
	case err != nil:
		return nil, err
	}
	if !found {
		return nil, nil
	}
	untouched := errors.Is(err, hive.ErrNoBackup) // by any repair; all files are compared in the end
	j.planWake(backups, j.own(), (err == nil || untouched) && other == nil && j.exact())
	return j, nil
}

// own lists the backups that the undo goes by.
func (j *job) own() []*hive.Backup {
	own := slices.Clone(j.settled)
	for _, w := range j.writers {
		own = append(own, w.undoes)
	}
	return own
}

// exact says whether all hives go back to the byte.
func (j *job) exact() bool {
	return !slices.ContainsFunc(j.writers, func(w *writer) bool { return !w.exact })
}

// takeBack makes one hive as it was before the repair, in memory, and adds it to what is
// written, unless it is so already. missing says why there are no backups. Without a
// backup chosen, the error may be about a hive that was never repaired.
func (j *job) takeBack(r *result, name string, backups []*hive.Backup, missing error, o undoOptions) (chosen bool, err error) {
	w := &writer{job: j, r: r}
	done := j.busy(stageInspect, r.Hive)
	files, h, err := j.read(j.in, name, r)
	done()
	switch {
	case err != nil:
		return false, err
	case missing != nil:
		return false, missing
	}
	w.files, w.id = files, h.Identify()
	if name == hive.PrimaryFile {
		j.system = h
	} else if j.system != nil {
		w.id.Computer = j.system.Identify().Computer
	}
	if w.undoes, err = hive.ChooseBackup(h, w.id, w.target(), o.among(backups)); err != nil {
		return false, err
	}
	j.stage(stageInspect, "backupchosen", r.Hive, w.undoes.Dir)
	if err := w.prepareUndo(h); err != nil {
		return true, err
	}
	r.Exact = &w.exact
	if w.change.Nothing() {
		r.Status = statusNothing
		j.stage(stagePlan, "nothingundo", r.Hive)
		j.settled = append(j.settled, w.undoes)
		return true, nil
	}
	j.stage(stagePlan, map[bool]string{true: "exact", false: "byvalue"}[w.exact], r.Hive, len(w.change.Edits))
	j.writers = append(j.writers, w)
	return true, nil
}

// prepareUndo makes the change that a backup asks for, to the byte where that is
// possible.
func (w *writer) prepareUndo(h *hive.Hive) error {
	defer w.busy(stagePlan, w.r.Hive)()
	copies, err := w.undoes.Read()
	if err != nil {
		return err
	}
	mayGrow := w.files.primary.MayGrow()
	if w.change, w.exact, err = h.PlanUndo(w.undoes, copies, mayGrow); err != nil || !w.exact {
		return err
	}
	room, _ := w.files.logRoom()
	if _, err := w.change.Update(room); err != nil {
		// Written by another version, which placed its cells otherwise, and without a
		// log there is no safe order back to the byte.
		w.exact = false
		w.change, err = h.UndoValues(w.undoes, mayGrow)
		return err
	}
	return nil
}

func (e *env) markUndone(b *hive.Backup) {
	if b.State == hive.StateUndone {
		return
	}
	if err := b.SetState(hive.StateUndone); err != nil {
		e.note("notmarked", b.Dir, err)
	}
}

// findBackups reads the manifests that an undo may go by.
func (e *env) findBackups(o undoOptions) ([]*hive.Backup, error) {
	dir := o.backup
	if o.from != "" {
		dir = o.from
	}
	backups, problems, err := hive.FindBackups(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", hive.ErrNoBackup, err)
	}
	for _, p := range problems {
		e.note("problem", p)
	}
	return backups, nil
}

// among leaves, of the backups of the same hive as one that was chosen, that one alone.
func (o undoOptions) among(backups []*hive.Backup) []*hive.Backup {
	return slices.DeleteFunc(slices.Clone(backups), func(b *hive.Backup) bool {
		return slices.ContainsFunc(o.chosen, func(c *hive.Backup) bool { return c.HiveName() == b.HiveName() && c.Dir != b.Dir })
	})
}
