package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"unloop/hive"
)

// section is a part of an account for people: a heading and the lines below it.
type section struct {
	head  string
	lines []string
}

// maxUpdateLines bounds the updates that an account names.
const maxUpdateLines = 12

// sections tells what was found at an installation, but for the verdict, which stands
// above: which Windows this is, why the verdict, what else there may be, what stands in
// the registry, and whether it is safe to write. Empty ones are left out.
func (e *env) sections(r *result) []section {
	var all []section
	add := func(head string, lines []string) {
		if len(lines) > 0 {
			all = append(all, section{head, lines})
		}
	}
	if f := r.findings; f != nil {
		add(e.text("head.windows"), e.windowsLines(f, r.System))
		add(e.text("head.for"), e.evidenceLines(f, hive.For))
		add(e.text("head.against"), e.evidenceLines(f, hive.Against))
		add(e.text("head.context"), e.evidenceLines(f, hive.Context))
		add(e.text("head.lookalikes"), e.said(f.Diagnosis.LookAlikes))
		add(e.text("head.updates"), e.updateLines(f))
		add(e.text("head.autoupdate"), e.autoUpdateLines(f))
		add(e.text("head.registry"), e.registryLines(f))
	}
	add(e.text("head.safety"), texts(e.safety(r)))
	return all
}

// windowsLines tell which Windows this is.
func (e *env) windowsLines(f *hive.Findings, s *systemResult) []string {
	name, arch := f.Windows.String(), "" // which has it already
	if s.Product != "" {
		name, arch = strings.TrimSpace(s.Product+" "+s.CSDVersion), f.Windows.Arch
	}
	lines := []string{e.list(name, e.known("win.build", s.Build), arch, e.known("win.computer", f.Windows.Computer))}
	add := func(line string) {
		if line != "" {
			lines = append(lines, line)
		}
	}
	add(e.known("win.cpu", f.Windows.CPU))
	pae := ""
	if key := map[string]string{"on": "win.on", "off": "win.off"}[s.PAE]; key != "" {
		pae = e.text("win.pae", e.text(key))
	}
	add(e.known("win.memory", e.list(pae, e.known("win.nx", s.NX))))
	var kernels []string
	for _, k := range s.Kernels {
		if k.Presence == string(hive.Present) {
			kernels = append(kernels, strings.TrimSpace(path.Base(k.Path)+" "+k.Version))
		}
	}
	add(e.known("win.kernels", strings.Join(kernels, ", ")))
	add(e.known("win.lastboot", stamp(s.LastBoot)))
	add(e.known("win.lastupdate", stamp(s.LastUpdate)))
	return lines
}

// known spells a message about something; "" if that is not known.
func (e *env) known(key, what string) string {
	if what == "" {
		return ""
	}
	return e.text(key, what)
}

// list joins what is known.
func (e *env) list(words ...string) string {
	all := ""
	for _, w := range words {
		switch {
		case w == "":
		case all == "":
			all = w
		default:
			all = e.text("win.and", all, w)
		}
	}
	return escape(all)
}

// minute spells a time for people. A PC's own time zone is not known.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// toldElsewhere are statements of the evidence that say what the section on Windows says
// as well.
var toldElsewhere = [...]string{"diag.system.fits", "diag.machine.fits", "diag.product", "diag.laststart", "diag.lastupdate"}

// evidenceLines are the statements of the evidence that speak one way.
func (e *env) evidenceLines(f *hive.Findings, weight hive.Weight) []string {
	var some []hive.Statement
	for _, s := range f.Diagnosis.Evidence {
		if s.Weight == weight && !slices.Contains(toldElsewhere[:], s.Key) {
			some = append(some, s)
		}
	}
	return e.said(some)
}

// said spells statements.
func (e *env) said(all []hive.Statement) (lines []string) {
	for _, s := range all {
		lines = append(lines, e.say(s))
	}
	return lines
}

// updateLines list the updates since March 2018 that the evidence does not name.
func (e *env) updateLines(f *hive.Findings) (lines []string) {
	named := map[string]bool{}
	for _, s := range f.Diagnosis.Evidence {
		for _, a := range s.Args {
			named[a] = true
		}
	}
	left := 0
	for _, u := range f.NewUpdates() {
		switch {
		case named[u.Package]:
		case len(lines) < maxUpdateLines:
			lines = append(lines, e.text("update.line", u.Label(), e.list(hive.StateName(u.State), day(u.Installed))))
		default:
			left++
		}
	}
	if left > 0 {
		lines = append(lines, e.text("update.more", left))
	}
	return lines
}

// day spells the day of a time; "" for none.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02")
}

// autoUpdateLines tell how Windows Update is set.
func (e *env) autoUpdateLines(f *hive.Findings) (lines []string) {
	if f.Evidence.Software == nil {
		return nil
	}
	au := f.Evidence.Software.AutoUpdate
	if au.Options != nil {
		lines = append(lines, e.text("au.setting", *au.Options, e.updateOption(*au.Options)))
	}
	if au.PolicyOptions != nil {
		lines = append(lines, e.text("au.policy", *au.PolicyOptions, e.updateOption(*au.PolicyOptions)))
	}
	if au.PolicyNoAutoUpdate != nil {
		key := map[bool]string{true: "au.off", false: "au.noteoff"}[*au.PolicyNoAutoUpdate != 0]
		lines = append(lines, e.text(key, *au.PolicyNoAutoUpdate))
	}
	return lines
}

// updateOption says what a value of AUOptions means.
func (e *env) updateOption(n uint32) string {
	keys := [...]string{"au.other", "au.never", "au.ask", "au.download", "au.automatic", "au.local"}
	if n >= uint32(len(keys)) {
		n = 0
	}
	return e.text(keys[n])
}

// registryLines are the values that a repair looks at, in every control set.
func (e *env) registryLines(f *hive.Findings) []string {
	lines := []string{e.text("acc.select", f.Select.Default, f.Select.Current, f.Select.LastKnownGood)}
	for _, o := range f.Overrides {
		lines = append(lines, e.text("acc.override", hive.ControlSetName(o.Set), orAbsent(e, o.Values[0].Data.Text()), orAbsent(e, o.Values[1].Data.Text())))
	}
	for _, s := range f.Services {
		lines = append(lines, e.text("acc.service", hive.ControlSetName(s.Set), s.Name, e.startType(s), withoutUser(s.ImagePath)))
	}
	return lines
}

// startType names a service's start type as Windows' own tools do.
func (e *env) startType(s hive.Service) string {
	if s.Start == nil {
		return e.text("absent")
	}
	n, ok := s.StartType()
	if !ok || n > hive.StartDisabled {
		return s.Start.Text()
	}
	return fmt.Sprintf("%d (%s)", n, [...]string{"boot", "system", "auto", "demand", "disabled"}[n])
}

// reason says in the user's language why the verdict is what it is.
func (e *env) reason(f *hive.Findings) string { return e.say(f.Diagnosis.Reason) }

func orUnknown(s string) string {
	if s == "" {
		return "?"
	}
	return s
}

func orAbsent(e *env, s string) string {
	if s == "" {
		return e.text("absent")
	}
	return s
}
