package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"unloop/hive"
	"unloop/image"
)

// repairOptions are the flags of repair, checked.
type repairOptions struct {
	common
	fixes      []hive.Fix
	scope      hive.Scope
	required   []string // services that must be there: who names one on the command line means it
	crosscheck string
	force      bool
	discard    bool // a hibernation
}

// common are the flags that repair and undo share.
type common struct {
	dryRun bool
	yes    bool
	backup string // folder of all backups
	named  bool   // the user named it
	report string // folder for reports; "" for none
	html   bool   // a page among them
	format string
	jobs   int

	recursive bool   // folders are looked into
	list      bool   // targets come from stdin
	resume    string // file that says what is finished; "" for none
	asked     string // what decides what is written, for that file

	verbose bool // scan: print what a log changes
}

func (e *env) commonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "dry-run", Aliases: []string{"n"}, Usage: e.text("flag.dryrun")},
		&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: e.text("flag.yes")},
		&cli.StringFlag{Name: "backup", Usage: "DIR|" + e.text("flag.backup")},
		&cli.StringFlag{Name: "report", Usage: "DIR|" + e.text("flag.report")},
		&cli.BoolFlag{Name: "html", Usage: e.text("flag.html")},
		&cli.StringFlag{Name: "format", Value: "text", Usage: "text|json|reg|cmd|" + e.text("flag.format")},
		&cli.IntFlag{Name: "jobs", Value: 1, Usage: "N|" + e.text("flag.jobs")},
		&cli.BoolFlag{Name: "recursive", Usage: e.text("flag.recursive")},
		&cli.StringFlag{Name: "resume", Usage: "FILE|" + e.text("flag.resume")},
		&cli.StringFlag{Name: "crosscheck", Value: "auto", Usage: "auto|require|off|" + e.text("flag.crosscheck")},
	}
}

func (e *env) repairCommand() *cli.Command {
	return &cli.Command{
		Name: "repair", ArgsUsage: "[TARGET...]",
		Usage: e.text("repair.usage"), Description: e.text("repair.description"),
		Flags: append(e.commonFlags(),
			&cli.StringSliceFlag{Name: "fix", Usage: "LIST|" + e.text("flag.fix")},
			&cli.StringSliceFlag{Name: "service", Usage: "NAME|" + e.text("flag.service")},
			&cli.StringFlag{Name: "control-set", Value: "all", Usage: "all|default|" + e.text("flag.controlset")},
			&cli.BoolFlag{Name: "discard-hibernation", Usage: e.text("flag.discard")},
			&cli.BoolFlag{Name: "force", Usage: e.text("flag.force")},
			cli.HelpFlag),
		Action: func(c *cli.Context) error {
			o, err := e.repairOptions(c)
			if err != nil {
				return err
			}
			return e.runRepair(c.Args().Slice(), o)
		},
	}
}

// commonOptions checks the shared flags. Without a terminal to ask on, writing
// needs --yes.
func (e *env) commonOptions(c *cli.Context) (o common, crosscheck string, err error) {
	o = common{
		dryRun: c.Bool("dry-run"), yes: c.Bool("yes"), backup: c.String("backup"),
		report: c.String("report"), html: c.Bool("html"), format: c.String("format"), jobs: c.Int("jobs"),
		recursive: c.Bool("recursive"), list: slices.Contains(c.Args().Slice(), stdinTargets), resume: c.String("resume"),
	}
	crosscheck = c.String("crosscheck")
	switch {
	case !slices.Contains([]string{"text", "json", "reg", "cmd"}, o.format):
		return o, "", usageError{"usage.choice", []any{"--format", o.format, "text, json, reg, cmd"}}
	case o.format == "cmd" && !o.dryRun:
		return o, "", usageError{"usage.cmd", nil}
	case o.html && o.report == "":
		return o, "", usageError{"usage.html", nil}
	case o.format == "reg" && !o.dryRun:
		return o, "", usageError{"usage.reg", nil}
	case crosscheck != "auto" && crosscheck != "require" && crosscheck != "off":
		return o, "", usageError{"usage.choice", []any{"--crosscheck", crosscheck, "auto, require, off"}}
	case o.jobs < 1 || o.jobs > 64:
		return o, "", usageError{"usage.jobs", []any{o.jobs}}
	case !o.dryRun && !o.yes && (!e.inTTY || o.jobs > 1 || o.list):
		return o, "", usageError{"usage.yes", nil}
	}
	o.named = o.backup != ""
	if !o.named {
		if o.backup, err = e.defaultBackup(); err != nil && !o.dryRun {
			return o, "", err
		}
	}
	return o, crosscheck, nil
}

// defaultBackup is the user's state folder; on Windows a folder beside the program.
func (e *env) defaultBackup() (string, error) {
	if dir := e.getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "unloop", "backups"), nil
	}
	return e.backupPlace()
}

func (e *env) repairOptions(c *cli.Context) (o repairOptions, err error) {
	if o.common, o.crosscheck, err = e.commonOptions(c); err != nil {
		return o, err
	}
	o.force, o.discard = c.Bool("force"), c.Bool("discard-hibernation")
	if o.fixes, err = parseFixes(c.StringSlice("fix")); err != nil {
		return o, err
	}
	if c.IsSet("service") {
		o.scope.Services = c.StringSlice("service")
		o.required = o.scope.Services
	}
	for _, name := range o.scope.Services {
		if !serviceName(name) {
			return o, usageError{"usage.service", []any{name}}
		}
	}
	if c.IsSet("service") && !slices.Contains(o.fixes, hive.FixDrivers) {
		return o, usageError{"usage.servicefix", nil}
	}
	switch set := c.String("control-set"); set {
	case "all":
	case "default":
		o.scope.DefaultSetOnly = true
	default:
		return o, usageError{"usage.choice", []any{"--control-set", set, "all, default"}}
	}
	o.asked = o.askedFor(c.String("control-set"))
	return o, nil
}

// askedFor spells what decides what a repair writes, always in the same way.
func (o repairOptions) askedFor(controlSet string) string {
	var fixes []string
	for _, fix := range o.fixes {
		fixes = append(fixes, string(fix))
	}
	words := []string{"repair", "--fix=" + strings.Join(slices.Sorted(slices.Values(fixes)), ","), "--control-set=" + controlSet}
	services := slices.Clone(o.scope.Services)
	for i, name := range services {
		services[i] = "--service=" + strings.ToLower(name)
	}
	words = append(words, slices.Compact(slices.Sorted(slices.Values(services)))...)
	if o.force {
		words = append(words, "--force")
	}
	if o.discard {
		words = append(words, "--discard-hibernation")
	}
	return strings.Join(words, " ")
}

// serviceName says whether a word can be the name of a service's key.
func serviceName(name string) bool {
	return strings.TrimSpace(name) != "" && !strings.ContainsAny(name, `\/`)
}

// parseFixes reads the lists of --fix; none given means override and drivers.
func parseFixes(lists []string) ([]hive.Fix, error) {
	if len(lists) == 0 {
		return []hive.Fix{hive.FixOverride, hive.FixDrivers}, nil
	}
	var fixes []hive.Fix
	for _, name := range strings.Split(strings.Join(lists, ","), ",") {
		fix := hive.Fix(name)
		if fix != hive.FixOverride && fix != hive.FixDrivers && fix != hive.FixUpdates {
			return nil, usageError{"usage.choice", []any{"--fix", name, "override, drivers, updates"}}
		}
		if !slices.Contains(fixes, fix) {
			fixes = append(fixes, fix)
		}
	}
	return fixes, nil
}

func (e *env) runRepair(named []string, o repairOptions) error {
	return e.forEach(named, o.common, "repair", func(e *env, src *image.Source, in *image.Installation, r *result) error {
		return e.repair(src, in, r, o, len(named) > 0 && len(src.Installations()) == 1)
	})
}

// repair works on one installation.
func (e *env) repair(src *image.Source, in *image.Installation, r *result, o repairOptions, alone bool) error {
	j, err := e.proposeRepair(src, in, r, o, alone)
	switch {
	case err != nil:
		return err
	case j != nil:
		return j.carryOut(o.common)
	case !o.dryRun:
		e.noteEnds(r)
	}
	return nil
}

// proposeRepair finds out what a repair would do to one installation and makes the
// new hives in memory. It only reads. A nil job without an error means that there
// is nothing to write: the result's status says why.
func (e *env) proposeRepair(src *image.Source, in *image.Installation, r *result, o repairOptions, alone bool) (*job, error) {
	seen, err := e.inspect(in, o.scope, r)
	if err != nil {
		return nil, err
	}
	if seen.findings.Verdict == hive.NotAffected && !o.force {
		if !alone {
			r.skip(errNotAffected)
			e.stage(stagePlan, "skipped", r.Hive, e.verdict(seen.findings))
			return nil, nil
		}
		return nil, fmt.Errorf("%w: %s", errNotAffected, seen.findings.Reason)
	}
	for _, name := range o.required {
		if !seen.findings.Has(name) {
			return nil, fmt.Errorf("%w: %q", errNoService, name)
		}
	}
	e.advise(seen.findings, o)
	j := &job{
		env: e, src: src, in: in, main: r, system: seen.hive, action: "repair", after: "repaired", done: statusRepaired,
		backupDir: o.backup, named: o.named, crosscheck: o.crosscheck,
	}
	if err := j.planRepair(seen, o); err != nil || !j.pending() {
		return nil, err
	}
	return j, nil
}

// planRepair plans each hive that the fixes change. If one of them cannot be prepared
// none is written.
func (j *job) planRepair(seen *inspected, o repairOptions) error {
	ofSystem := slices.DeleteFunc(slices.Clone(o.fixes), func(f hive.Fix) bool { return f == hive.FixUpdates })
	if len(ofSystem) == 0 {
		j.main.Status = statusNothing
	} else {
		plan, err := seen.hive.Plan(seen.findings, ofSystem)
		if err != nil {
			return err
		}
		w := &writer{job: j, r: j.main, files: seen.files, id: seen.hive.Identify()}
		if err := w.plan(seen.hive, plan); err != nil {
			return err
		}
	}
	if len(ofSystem) < len(o.fixes) {
		if err := j.planUpdates(); err != nil {
			return err
		}
	}
	if o.discard && len(j.writers) > 0 && j.in.Hibernated == image.HiberSleeping {
		return j.planDiscard()
	}
	return nil
}

// plan makes the new hive in memory and adds it to what is written, unless it is as it
// should be already.
func (w *writer) plan(h *hive.Hive, plan *hive.Plan) error {
	if w.change = w.continued(h, plan); w.change != nil {
		w.stage(stagePlan, "continued", w.r.Hive)
		w.writers = append(w.writers, w)
		return nil
	}
	switch {
	case len(plan.Edits) == 0 && h.Replay == nil:
		w.r.Status = statusNothing
		w.r.unnoted = w.unnoted(h)
		w.stage(stagePlan, "nothing", w.r.Hive)
		return nil
	case len(plan.Edits) == 0:
		w.stage(stagePlan, "replayonly", w.r.Hive)
	default:
		w.stage(stagePlan, "planned", w.r.Hive, len(plan.Edits))
	}
	if err := w.prepare(h, plan); err != nil {
		return err
	}
	w.writers = append(w.writers, w)
	return nil
}

// prepare makes the change of a plan; of one without edits, the replay alone.
func (w *writer) prepare(h *hive.Hive, plan *hive.Plan) (err error) {
	defer w.busy(stagePlan, w.r.Hive)()
	mayGrow := w.files.primary.MayGrow()
	if len(plan.Edits) == 0 {
		w.change, err = h.Finish(mayGrow)
	} else {
		w.change, err = h.Prepare(plan, mayGrow)
	}
	return err
}

// advise says what a technician should know before and after: what is missing,
// what depends on the drivers, and the price of each fix.
func (e *env) advise(f *hive.Findings, o repairOptions) {
	if len(f.Services) == 0 && slices.Contains(o.fixes, hive.FixDrivers) && slices.Contains(o.fixes, hive.FixOverride) {
		e.note("noservices", strings.Join(hive.DefaultServices(), ", "))
	}
	if f.Verdict == hive.Unknown {
		e.note("unknownwindows")
	}
	if f.Select.Current != f.Select.Default {
		e.note("currentdefault", f.Select.Current, f.Select.Default)
	}
	for _, d := range f.Bereaved() {
		e.note("dependent", d.Name, d.Service, hive.ControlSetName(d.Set))
	}
	for _, s := range doubts(f) {
		// Of many PCs of one kind once is enough: the report of each has it, too.
		if text := e.say(s); !e.quiet || e.serials.first(text) {
			e.remark(text)
		}
	}
	if n := len(f.Diagnosis.LookAlikes); n > 0 {
		e.note("lookalikes", n)
	}
}

// doubts are statements of a diagnosis that make the cause doubtful though they change no
// verdict: a CPU that, by Microsoft's own check, is left as it was.
func doubts(f *hive.Findings) []hive.Statement {
	return slices.DeleteFunc(slices.Clone(f.Diagnosis.Evidence), func(s hive.Statement) bool {
		return s.Key != "diag.cpu.amd" && s.Key != "diag.cpu.atom"
	})
}

// labelSum is a short number for a path, to tell backups of equal names apart.
func labelSum(s string) uint32 {
	sum := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint32(sum[:])
}
