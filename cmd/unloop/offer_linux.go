package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"unloop/hive"
	"unloop/image"
)

// recognise notes which PC an undo is of, for the record.
func (e *env) recognise(in *image.Installation, j *job, err error, res *result) {
	var h *hive.Hive
	switch {
	case j != nil && !j.pending(), j == nil && err == nil:
		return // skipped, or nothing to do
	case j != nil && j.system != nil:
		h = j.system
	default:
		if _, h, err = e.read(in, hive.PrimaryFile, res); err != nil {
			return // that is what went wrong
		}
	}
	_, _ = e.weigh(in, h, hive.Scope{}, res) // if not, the record does without
}

// whichBackup asks which of several repairs is to be taken back; the newest stand first.
func (r *rescue) whichBackup(in *image.Installation, backups []*hive.Backup) *hive.Backup {
	backups = slices.Clone(backups)
	slices.Reverse(backups)
	p := &page{title: r.text("stick.whichbackup"), mood: moodNote}
	p.add(linePlain, r.text("stick.whichbackuphelp", in.ConfigLabel(backups[0].HiveName())))
	p.add(linePlain, "")
	for i, b := range backups[:min(len(backups), 9)] {
		p.add(linePlain, r.text("stick.onebackup", i+1, b.Time.Format("2006-01-02 15:04"), b.Hive.Computer, len(b.Edits), strings.TrimPrefix(b.Dir, r.stickAt+"/")))
		p.keys = append(p.keys, pageKey{rune('1' + i), itoa(i + 1)})
	}
	return backups[int(r.show(p)-'1')]
}

// repairs looks at the disks for what can be repaired.
func (r *rescue) repairs(dryRun bool) *looked {
	o := repairOptions{crosscheck: "require"}
	o.fixes, _ = parseFixes(r.settings.Fix) // checked when they were read
	if !slices.Equal(r.settings.Services, hive.DefaultServices()) {
		o.scope.Services = r.settings.Services
	}
	o.backup, o.named = filepath.Join(r.stickAt, recordsFolder), true
	o.discard = r.settings.Discard && r.settings.Mode == modeAsk
	l := r.look(r.disks(), "repair", dryRun, func(e *env, src *image.Source, in *image.Installation, res *result) (*job, error) {
		return e.proposeRepair(src, in, res, o, false)
	})
	r.lookInto(l)
	return l
}

// undos looks at the disks for what can be taken back with the backups on the stick.
func (r *rescue) undos() *looked {
	o := undoOptions{crosscheck: "require"}
	o.backup, o.named = filepath.Join(r.stickAt, recordsFolder), true
	return r.look(r.disks(), "undo", false, func(e *env, src *image.Source, in *image.Installation, res *result) (*job, error) {
		o := o
		j, err := e.proposeUndo(src, in, res, o, false)
		var several *hive.SeveralBackups
		for range 2 { // of each hive there may be some
			if !errors.As(err, &several) {
				break
			}
			o.chosen = append(o.chosen, r.whichBackup(in, several.Backups))
			j, err = e.proposeUndo(src, in, res, o, false)
		}
		e.recognise(in, j, err, res)
		return j, err
	})
}

// lookInto mounts the Windows volume that matters most read-only, for the shell.
func (r *rescue) lookInto(l *looked) {
	var in *image.Installation
	var disk string
	for i, src := range l.sources {
		if src != nil && in == nil && len(src.Installations()) > 0 {
			in, disk = src.Installations()[0], l.targets[i].Target
		}
	}
	if len(l.offers) > 0 {
		in, disk = l.offers[0].in, l.offers[0].target.Target
	}
	if in == nil || in.Volume == nil || r.view != nil {
		return
	}
	device, err := partitionAt(r.sys, disk, in.Volume.Offset)
	if err != nil {
		r.note("init.noview", err)
		return
	}
	r.windows = device
	r.openView()
}

// openView mounts the Windows volume, unless it is mounted.
func (r *rescue) openView() {
	if r.view != nil || r.windows == "" {
		return
	}
	var err error
	if r.view, err = openView(r.windows); err != nil {
		r.note("init.noview", err)
		return
	}
	r.stage(stageDiscover, "init.view", r.windows, viewAt)
}

// lookAway unmounts it again, as nothing may be mounted that is written to.
func (r *rescue) lookAway() {
	if err := r.view.close(); err != nil {
		r.note("init.problem", err)
	}
	r.view = nil
}

// unattended is auto and dry-run: everything without a question.
func (r *rescue) unattended() next {
	dryRun := r.settings.Mode == modeDryRun
	l := r.repairs(dryRun)
	r.lookAway()
	for _, o := range l.offers {
		switch {
		case dryRun:
			for _, w := range o.writers {
				if err := w.judge(); err != nil {
					r.failed(w.r, err)
				}
			}
		case o.main.Verdict == hive.Unknown:
			r.failed(o.main, errUnknownWindows)
			o.main.leave()
		default:
			r.carryOut(o)
		}
	}
	c := r.conclude(l)
	switch after := r.settings.After; {
	case after == afterShell:
		r.shell()
		r.releaseStick()
	case r.unrecorded, after == afterReboot && c.why != nil: // nobody would learn of it
	case after == afterReboot:
		return nextReboot
	case after == afterPowerOff:
		return nextPowerOff
	}
	return r.endPage(l, c)
}

// carryOut writes one offer, its backup going into the record of its own.
func (r *rescue) carryOut(o *offer) {
	r.lookAway()
	if err := r.writable(); err != nil {
		r.failed(o.main, err)
		o.main.leave()
		return
	}
	o.dir = r.recordFolder(o.main)
	err := o.write()
	switch {
	case err == nil:
		return
	case !r.stick.present(r.sys):
		err = fmt.Errorf("%w: %w", errStickGone, err)
	case errors.Is(err, hive.ErrBackup):
		err = fmt.Errorf("%w: %w", errStickBackup, err)
	}
	r.failed(o.main, err)
	o.main.leave()
}

// writable says why no backup can be written to the stick.
func (r *rescue) writable() error {
	switch {
	case r.stickGone != nil:
		return r.stickGone
	case r.stick == nil:
		return errNoStick
	case !r.mounted(r.stickAt): // its folder is in memory then
		return errNoStick
	case !r.stick.present(r.sys):
		return errStickGone
	case r.stick.readOnly:
		return errStickReadOnly
	}
	return nil
}
