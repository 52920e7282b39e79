package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"unloop/hive"
	"unloop/image"
)

type undoOptions struct {
	common
	from       string // a backup, or a folder of backups
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
	w, b, err := e.proposeUndo(src, in, r, o, alone)
	if err != nil || b == nil {
		return err
	}
	if w != nil {
		err = e.carryOut(w, o.common)
	}
	if err == nil && !o.dryRun && b.State != hive.StateUndone {
		e.markUndone(b)
	}
	return err
}

// proposeUndo finds the backup that belongs to an installation and makes the hive as
// it was in memory. It only reads. A nil backup without an error means that the
// installation is skipped, a nil writer that everything is as it was already.
func (e *env) proposeUndo(src *image.Source, in *image.Installation, r *result, o undoOptions, alone bool) (*writer, *hive.Backup, error) {
	done := e.busy(stageInspect, r.Hive)
	files, h, err := e.read(in, r)
	done()
	if err != nil {
		return nil, nil, err
	}
	b, err := e.chooseBackup(src, in, h, r, o)
	if errors.Is(err, hive.ErrNoBackup) && !alone {
		r.skip(err)
		e.stage(stagePlan, "nobackupskip", r.Hive)
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	e.stage(stageInspect, "backupchosen", r.Hive, b.Dir)
	change, exact, err := e.prepareUndo(h, b, files, r)
	if err != nil {
		return nil, nil, err
	}
	r.Exact = &exact
	if change.Nothing() {
		r.Status = statusNothing
		e.stage(stagePlan, "nothingundo", r.Hive)
		return nil, b, nil
	}
	e.stage(stagePlan, map[bool]string{true: "exact", false: "byvalue"}[exact], r.Hive, len(change.Edits))
	return &writer{
		env: e, src: src, in: in, files: files, change: change, r: r, action: "undo", after: "restored", done: statusUndone,
		backupDir: o.backup, named: o.named, crosscheck: o.crosscheck,
	}, b, nil
}

// prepareUndo makes the change that a backup asks for, to the byte where that is
// possible.
func (e *env) prepareUndo(h *hive.Hive, b *hive.Backup, files systemFiles, r *result) (change *hive.Change, exact bool, err error) {
	defer e.busy(stagePlan, r.Hive)()
	copies, err := b.Read()
	if err != nil {
		return nil, false, err
	}
	if change, exact, err = h.PlanUndo(b, copies, files.primary.MayGrow()); err != nil || !exact {
		return change, exact, err
	}
	room, _ := files.logRoom()
	if _, err := change.Update(room); err != nil {
		// Written by another version, which placed its cells otherwise, and without a
		// log there is no safe order back to the byte.
		change, err = h.UndoValues(b, files.primary.MayGrow())
		return change, false, err
	}
	return change, true, nil
}

func (e *env) markUndone(b *hive.Backup) {
	if err := b.SetState(hive.StateUndone); err != nil {
		e.note("notmarked", b.Dir, err)
	}
}

// chooseBackup finds the repair to be taken back.
func (e *env) chooseBackup(src *image.Source, in *image.Installation, h *hive.Hive, r *result, o undoOptions) (*hive.Backup, error) {
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
	return hive.ChooseBackup(h, h.Identify(), e.manifestTarget(src, in, r.Hive), backups)
}
