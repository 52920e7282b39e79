package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
	e.stage(stageDiscover, "discovered", target, src.Kind(), len(src.Installations()))
	return src, nil
}

// inspected is a hive that was read, and what was seen in it.
type inspected struct {
	files    systemFiles
	hive     *hive.Hive
	findings *hive.Findings
}

// inspect reads the SYSTEM hive of an installation and looks at it.
func (e *env) inspect(in *image.Installation, scope hive.Scope, r *result) (*inspected, error) {
	defer e.busy(stageInspect, r.Hive)()
	files, h, err := e.read(in, r)
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
	r.Warnings = slices.Concat(r.Warnings, ev.notes)
	r.fill(e, f)
	return f, nil
}

// read reads and checks the SYSTEM hive of an installation.
func (e *env) read(in *image.Installation, r *result) (systemFiles, *hive.Hive, error) {
	files, err := openSystem(in)
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
	r.logText += d.Text()
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
	r.regText = c.Diff.Reg(regPrefix)
	e.stage(stageDiff, "differs", r.Hive, len(c.Edits))
}

// regPrefix is where a SYSTEM hive is found in a running Windows.
const regPrefix = `HKEY_LOCAL_MACHINE\SYSTEM`

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

// writer carries a change out: the stages from backup to verify.
type writer struct {
	*env
	src        *image.Source
	in         *image.Installation
	files      systemFiles
	change     *hive.Change
	r          *result
	action     string // "repair" or "undo"
	after      string // what the diff calls the new hive: "repaired" or "restored"
	done       status // what the result is once it is written
	backupDir  string // of all runs
	dir        string // of this one backup; "": one below backupDir, named after run and target
	named      bool   // the user named it
	crosscheck string // auto, require, off
}

// write makes the backup, applies the update and verifies it. Up to the backup
// nothing is written anywhere.
func (w *writer) write() error {
	if err := w.interrupted(); err != nil {
		return err
	}
	switch shared, why, err := w.src.SharesMedium(w.backupDir); {
	case errors.Is(err, image.ErrNotFound): // it was there when it was planned for
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errSharesMedium, err)
	case shared:
		return fmt.Errorf("%w: %s", errSharesMedium, why)
	}
	if err := w.lasting(); err != nil {
		return err
	}
	if err := w.src.BeginWrite(); err != nil {
		return err
	}
	if err := w.unchanged(); err != nil {
		return err
	}
	room, why := w.files.logRoom()
	u, err := w.change.Update(room)
	if err != nil {
		return err
	}
	if err := w.judge(); err != nil {
		return err
	}
	b, err := w.backup(u)
	if err != nil {
		return err
	}
	if err := w.interrupted(); err != nil {
		return errors.Join(err, b.SetState(hive.StateFailed))
	}
	if !u.Log && len(w.change.Edits) > 0 {
		w.stage(stageApply, "nolog", w.r.Hive, noLogReason(why, u))
	}
	if err := w.apply(u); err != nil {
		return errors.Join(err, b.SetState(hive.StateFailed))
	}
	if err := w.verify(u); err != nil {
		return errors.Join(fmt.Errorf("%w: %w", hive.ErrNotVerified, err), b.SetState(hive.StateFailed))
	}
	if err := b.SetState(hive.StateDone); err != nil {
		w.note("notmarked", b.Dir, err) // the hive is written and verified all the same
	}
	return nil
}

// noLogReason says why LOG1 is not written: what its place on the volume forbids, or
// what the update found.
func noLogReason(place error, u *hive.Update) string {
	if place != nil {
		return place.Error()
	}
	return u.NoLog
}

func (e *env) interrupted() error {
	if e.ctx.Err() != nil {
		return errInterrupted
	}
	return nil
}

// lasting refuses to keep the only way back of a PC's disk in memory, as the default
// folder of a live medium is; who names such a folder is told.
func (w *writer) lasting() error {
	if w.src.Kind() != image.KindDevice || !w.host.InMemory(w.backupDir) {
		return nil
	}
	if !w.named {
		return fmt.Errorf("%w: %s", errVolatile, w.backupDir)
	}
	w.note("volatilenote", w.backupDir)
	return nil
}

// unchanged reads hive and logs again, now that nobody else can write to them, and
// compares them with what the plan was made from.
func (w *writer) unchanged() error {
	files, err := openSystem(w.in)
	if err != nil {
		return err
	}
	defer w.busy(stageBackup, w.r.Hive)()
	if err := files.unchanged(w.change.Old.Files); err != nil {
		return fmt.Errorf("%s: %w", w.r.Hive, err)
	}
	w.files = files
	return files.primary.InPlace() // known now, it is not asked again between two writes
}

// judge has the new hive read by the crosscheck.
func (w *writer) judge() error {
	verdict, err := w.askJudge(w.change, w.crosscheck)
	w.r.Crosscheck = verdict
	if err == nil {
		w.stage(stagePlan, "crosschecked", w.r.Hive, verdict)
	}
	return err
}

// backup writes the copies and the manifest.
func (w *writer) backup(u *hive.Update) (*hive.Backup, error) {
	defer w.busy(stageBackup, w.backupDir)()
	if b := w.resumed(u); b != nil {
		w.r.Backup = b.Dir
		w.r.Edits = editResults(b.Edits) // the whole repair is told, and its price
		w.stage(stageBackup, "resumed", b.Dir)
		return b, b.SetState(hive.StateStarted)
	}
	dir := w.dir
	if dir == "" {
		dir = filepath.Join(w.backupDir, w.run, w.backupName())
	}
	m := hive.Manifest{
		Tool: versionLine(), Action: w.action, Time: w.now().UTC(), Target: w.target(),
		Hive: w.change.Old.Identify(), Before: w.change.Old.ID(), After: u.After, Edits: w.change.Edits,
	}
	if w.r.Windows != nil {
		m.Windows = w.r.Windows.String()
	}
	if w.change.Old.Replay != nil {
		m.Clean = w.change.Old.Sum()
	}
	b, err := hive.WriteBackup(dir, w.change.Old.Files, m)
	if err != nil {
		if w.dir == "" {
			os.Remove(filepath.Dir(dir)) // the run's folder, if nothing else is in it
		}
		return nil, err
	}
	if w.flush != nil {
		if err := w.flush(dir); err != nil {
			return nil, errors.Join(fmt.Errorf("%w: %w", hive.ErrBackup, err), b.SetState(hive.StateFailed))
		}
	}
	w.r.Backup = dir
	w.stage(stageBackup, "backedup", dir)
	return b, nil
}

// continued finds the change that ends an earlier run without a log that was to do
// just this plan and was interrupted; nil if there is none.
func (w *writer) continued(h *hive.Hive, plan *hive.Plan) *hive.Change {
	backups, _, err := hive.FindBackups(w.backupDir)
	if err != nil {
		return nil // there is none yet
	}
	for _, b := range hive.Unfinished(backups, w.target(), w.action) {
		if c, ok := h.Continue(b); ok && !c.Nothing() && plan.Same(c.Edits) {
			return c
		}
	}
	return nil
}

// resumed finds the backup of an earlier run that was to write the same and ended
// half-way; its copies are older and better than any made now.
func (w *writer) resumed(u *hive.Update) *hive.Backup {
	backups, _, err := hive.FindBackups(w.backupDir)
	if err != nil {
		return nil // there is none yet
	}
	return hive.Resumes(w.change.Old, u, w.change.Edits, w.target(), w.action, backups)
}

// manifestTarget describes where the hive lies, for the manifest.
func (e *env) manifestTarget(src *image.Source, in *image.Installation, label string) hive.Target {
	t := hive.Target{Path: e.placeOf(src), Label: label}
	if v := in.Volume; v != nil {
		t.Partition, t.Offset, t.VolumeSerial = v.Index, v.Offset, v.Serial
	}
	return t
}

// placeOf names a target so that a later run recognises it.
func (e *env) placeOf(src *image.Source) string {
	if e.diskName != nil && src.Kind() == image.KindDevice {
		return e.diskName(src.Path())
	}
	if abs, err := filepath.Abs(src.Path()); err == nil {
		return abs
	}
	return src.Path()
}

func (w *writer) target() hive.Target { return w.manifestTarget(w.src, w.in, w.r.Hive) }

// backupName names the folder of one hive in a run's folder: a number, so that no
// two are the same, and what can be read of the label.
func (w *writer) backupName() string {
	i := slices.Index(w.src.Installations(), w.in)
	clean := strings.Map(func(c rune) rune {
		if c < 0x80 && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-') {
			return c
		}
		return '_'
	}, filepath.Base(w.src.Path()))
	return fmt.Sprintf("%s-%02d-%08x", strings.Trim(clean, "."), i+1, labelSum(w.target().Path))
}

// apply writes; Ctrl-C does not end it half-way, it takes effect afterwards.
func (w *writer) apply(u *hive.Update) error {
	defer w.busy(stageApply, w.r.Hive)()
	hiveBytes, logBytes := u.Bytes()
	w.r.Update = &updateResult{u.Log, u.Sectors(), hiveBytes, logBytes, string(u.After.Primary)}
	if err := u.Apply(w.files.primary, w.files.log1File()); err != nil {
		return err
	}
	w.stage(stageApply, "applied", w.r.Hive, u.Sectors(), hiveBytes, logBytes)
	return nil
}

// verify reads the hive back from the medium.
func (w *writer) verify(u *hive.Update) error {
	defer w.busy(stageVerify, w.r.Hive)()
	if err := w.files.primary.DropCache(); err != nil {
		return err
	}
	if err := u.Verify(w.files.primary); err != nil {
		return err
	}
	w.stage(stageVerify, "verified", w.r.Hive)
	return nil
}
