package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"unloop/hive"
)

// ask is the stick's way with a person: it shows what was found and what a repair would
// change, and does what the keys say.
func (r *rescue) ask() next {
	l := r.repairs(false)
	defer l.close(r.env)
	for i := 0; i < len(l.offers); i++ {
		switch key := r.show(r.offerPage(l, i)); key {
		case '\n':
			r.carryOut(l.offers[i])
		case 'N':
		case 'U':
			r.breakOff(l)
			return r.undo()
		case 'R':
			r.breakOff(l)
			return nextReboot
		case 'P':
			r.breakOff(l)
			return nextPowerOff
		case 'J', 'E':
			if r.otherLanguage(); !l.begun() { // in it from the start
				r.lookAway()
				return nextLook
			}
			i--
		default:
			r.aside(key, l)
			i--
		}
	}
	return r.endPage(l, r.conclude(l))
}

// breakOff ends the work before the last offer was answered. What was done by then gets
// its record; concluded says whether that was anything.
func (r *rescue) breakOff(l *looked) (concluded bool) {
	if concluded = l.begun(); concluded {
		r.conclude(l)
	}
	l.close(r.env)
	return concluded
}

// aside does what a key asks for that changes nothing on the disks.
func (r *rescue) aside(key rune, l *looked) {
	switch key {
	case 'D':
		r.show(r.detailsPage(l))
	case 'S':
		r.shell()
	}
}

// undo shows what can be taken back, and takes it back.
func (r *rescue) undo() next {
	r.lookAway()
	r.times = newStopwatch(time.Now)
	if r.stickGone = r.findStick(); r.stickGone != nil {
		r.complain(r.text("label.stick"), r.stickGone)
	}
	l := r.undos()
	defer l.close(r.env)
	if len(l.offers) == 0 && l.failed() {
		return r.endPage(l, r.conclude(l))
	}
	if len(l.offers) == 0 {
		p := &page{title: r.text("stick.noundo"), mood: moodNote, keys: []pageKey{{'\n', r.text("key.back")}}}
		if r.stickGone != nil {
			p.add(lineBad, r.text("error.nostick", r.text("label.stick")))
			p.add(lineHead, r.hint("nostick"))
		}
		p.add(linePlain, r.text("stick.noundohelp"))
		p.add(linePlain, "")
		p.add(linePlain, r.accounts(l))
		r.show(p)
		if r.stickGone != nil { // it may be plugged in again by now
			return r.again()
		}
		return nextLook
	}
	for i := 0; i < len(l.offers); i++ {
		switch key := r.show(r.undoPage(l, i)); key {
		case '\n':
			r.carryOut(l.offers[i])
		case 'N':
		case 'B':
			if r.breakOff(l) {
				return r.again()
			}
			return nextLook
		default:
			r.aside(key, l)
			i--
		}
	}
	return r.endPage(l, r.conclude(l))
}

// endPage tells how it ended and what to do next.
func (r *rescue) endPage(l *looked, c conclusion) next {
	for {
		p := r.resultPage(l, c)
		switch key := r.show(p); key {
		case '\n':
			return r.again()
		case 'L':
			return r.again()
		case 'R':
			return nextReboot
		case 'P':
			return nextPowerOff
		case 'U':
			return r.undo()
		case 'J', 'E':
			r.otherLanguage()
		default:
			r.aside(key, l)
			if key == 'S' {
				r.releaseStick()
			}
		}
	}
}

// again gets ready for another look: a disk or stick may have been plugged in.
func (r *rescue) again() next {
	r.lookAway()
	r.times = newStopwatch(time.Now)
	if err := r.findDevices(); err != nil {
		r.note("problem", err)
	}
	r.ready()
	return nextLook
}

// offerPage is the one screen before a repair.
func (r *rescue) offerPage(l *looked, i int) *page {
	o := l.offers[i]
	p := &page{title: r.text("stick.offer", o.main.Windows.Computer), mood: moodCalm}
	if len(l.offers) > 1 {
		p.title += "  " + r.text("stick.of", i+1, len(l.offers))
	}
	r.about(p, o)
	r.warnings(p, l, o)
	for _, res := range o.main.all() {
		r.price(p, res)
	}
	p.add(linePlain, "")
	p.addDiff(o.main.diffs())
	p.keys = []pageKey{{'\n', r.text("key.repair")}, {'D', r.text("key.details")}, {'U', r.text("key.undo")},
		{'S', r.text("key.shell")}, {'R', r.text("key.reboot")}, {'P', r.text("key.poweroff")}}
	if len(l.offers) > 1 {
		p.keys = append(p.keys, pageKey{'N', r.text("key.next")})
	}
	p.keys = append(p.keys, r.languageKey()...)
	return p
}

// price tells what a repair costs.
func (r *rescue) price(p *page, res *result) {
	for _, price := range res.prices() {
		p.add(lineNote, r.text(price.screen))
	}
}

// undoPage is the one screen before an undo.
func (r *rescue) undoPage(l *looked, i int) *page {
	o := l.offers[i]
	p := &page{title: r.text("stick.undo", orUnknown(o.own()[0].Hive.Computer)), mood: moodCalm}
	if len(l.offers) > 1 {
		p.title += "  " + r.text("stick.of", i+1, len(l.offers))
	}
	p.add(linePlain, r.text("stick.frombackup", o.own()[0].Time.Format("2006-01-02 15:04"), o.own()[0].Dir))
	p.add(linePlain, r.text("stick.disk", o.target.Target, r.diskAbout(o.target)))
	p.add(lineNote, r.text(map[bool]string{true: "stick.exact", false: "stick.byvalue"}[o.exact()]))
	if o.main.slept != nil {
		p.add(lineNote, o.main.slept.text(r.env))
	}
	p.add(linePlain, "")
	p.addDiff(o.main.diffs())
	p.keys = []pageKey{{'\n', r.text("key.putback")}, {'D', r.text("key.details")}, {'B', r.text("key.b")}, {'S', r.text("key.shell")}}
	if len(l.offers) > 1 {
		p.keys = append(p.keys, pageKey{'N', r.text("key.next")})
	}
	return p
}

// about tells which PC, disk and Windows this is, and what was found.
func (r *rescue) about(p *page, o *offer) {
	f := o.main.findings
	p.add(lineHead, r.text("stick.pc", orUnknown(f.Windows.Computer), orUnknown(r.machine.String()), orUnknown(r.machine.Serial)))
	p.add(linePlain, r.text("stick.disk", o.target.Target, r.diskAbout(o.target)))
	where := ""
	if v := o.in.Volume; v != nil && v.Index > 0 {
		where = r.text("stick.where", v.Index)
		if v.Label != "" {
			where += fmt.Sprintf(" %q", escape(v.Label))
		}
	}
	p.add(linePlain, r.text("stick.windows", f.Windows, where))
	p.add(lineBad, r.text("stick.verdict", r.verdict(f), r.reason(f)))
	for _, s := range services(f) {
		p.add(linePlain, r.text("stick.found", s))
	}
	if r.view != nil {
		p.add(linePlain, r.text("init.view", r.view.device, viewAt))
	}
}

// diskAbout says what disk a target is.
func (r *rescue) diskAbout(t *targetResult) string {
	name := strings.TrimPrefix(t.Target, r.dev+"/")
	about := diskAbout(r.sys, name)
	if serial := diskSerial(filepath.Join(r.sys, "class/block", name)); serial != "" {
		about += ", " + serial // two disks of one model are told apart
	}
	return about
}

// services merges what the control sets say of each driver into a line.
func services(f *hive.Findings) []string {
	var lines []string
	sets := map[string]string{}
	for _, s := range f.Services {
		start := s.Start.Text()
		if n, ok := s.StartType(); ok {
			start = itoa(int(n))
		}
		line := fmt.Sprintf("%s, Start %s, %s", s.Name, start, withoutUser(s.ImagePath))
		if _, known := sets[line]; !known {
			lines = append(lines, line)
		}
		sets[line] = strings.TrimPrefix(sets[line]+", "+hive.ControlSetName(s.Set), ", ")
	}
	for i, line := range lines {
		lines[i] = line + " (" + sets[line] + ")"
	}
	return lines
}

// warnings tells what a technician should know before Enter.
func (r *rescue) warnings(p *page, l *looked, o *offer) {
	if r.unclear != nil {
		p.add(lineBad, r.text("stick.settings", r.unclear))
	}
	if err := r.writable(); err != nil {
		word := err.Error()
		if key, _ := explain(err); key != "other" {
			word = strings.TrimPrefix(r.text("error."+key, ""), ": ")
		}
		p.add(lineBad, r.text("stick.nowrite", word))
	}
	f := o.main.findings
	if f.Verdict == hive.Unknown {
		p.add(lineBad, r.text("unknownwindows"))
	}
	if f.Select.Current != f.Select.Default {
		p.add(lineNote, r.text("currentdefault", f.Select.Current, f.Select.Default))
	}
	for _, d := range f.Bereaved() {
		p.add(lineNote, r.text("dependent", d.Name, d.Service, hive.ControlSetName(d.Set)))
	}
	for _, s := range doubts(f) {
		p.add(lineNote, r.say(s))
	}
	if n := len(f.Diagnosis.LookAlikes); n > 0 {
		p.add(lineNote, r.text("stick.lookalikes", n))
	}
	for _, w := range o.writers {
		if replay := w.r.Replay; replay != nil {
			p.add(lineNote, r.text("acc.replay", replay.Log, replay.Sectors, len(replay.Edits)))
		}
	}
	for _, other := range l.installations() {
		if other != o.main && (other.Status == statusSkipped || other.Error != nil) {
			p.add(lineNote, r.otherLine(other))
		}
	}
}

// otherLine tells in a line how it stands with an installation.
func (r *rescue) otherLine(res *result) string {
	word := r.text("status." + strings.ReplaceAll(string(res.Status), " ", ""))
	if res.Windows != nil {
		word = r.text("stick.standing", res.Windows, word)
	}
	return r.text("stick.other", res.Hive, word)
}

// resultPage is the screen at the end.
func (r *rescue) resultPage(l *looked, c conclusion) *page {
	p := &page{title: r.text("result." + c.result), mood: c.mood, end: true}
	if c.why != nil {
		p.add(lineBad, r.because(c))
		p.add(lineHead, r.hint(c.why.Key))
		p.add(linePlain, r.text("stick.detail", c.why.Detail))
		p.add(linePlain, "")
	}
	for _, res := range l.installations() {
		kind := map[status]lineKind{statusRepaired: lineGood, statusUndone: lineGood, statusFailed: lineBad, statusRefused: lineBad}[res.Status]
		if res.Status == statusSkipped || res.Status == statusNothing {
			kind = lineNote
		}
		p.add(kind, r.otherLine(res))
		if res.findings != nil && res.Status != statusUndone { // they are of the repaired hive then
			p.add(linePlain, "  "+r.text("stick.verdict", r.verdict(res.findings), r.reason(res.findings)))
		}
		if res.Backup != "" && !r.unrecorded {
			p.add(linePlain, "  "+r.text("stick.backup", strings.TrimPrefix(res.Backup, r.stickAt+"/")))
		}
		if res.Status == statusRepaired {
			r.price(p, res)
		} else if res.slept != nil {
			p.add(lineNote, "  "+res.slept.text(r.env))
		}
	}
	for _, t := range l.targets {
		switch {
		case t.Error != nil && t.Error != c.why:
			p.add(lineBad, r.text("error."+t.Error.Key, t.Target))
		case t.Error == nil && len(t.Installations) == 0:
			p.add(lineNote, r.text("stick.nowindows", t.Target, r.diskAbout(t)))
		}
	}
	r.afterwards(p, c)
	return p
}

// afterwards says what to do with the stick, and offers the keys.
func (r *rescue) afterwards(p *page, c conclusion) {
	p.add(linePlain, "")
	if r.unclear != nil {
		p.add(lineBad, r.text("stick.settings", r.unclear))
	}
	switch {
	case r.unrecorded:
		p.add(lineBad, r.text("stick.norecord"))
		if c.result == resultRepaired || c.result == resultUndone {
			p.add(lineBad, r.text("stick.keepstick"))
		}
	case r.mounted(r.stickAt):
		p.add(lineBad, r.text("stick.stillmounted"))
	case c.result == resultRepaired:
		p.add(lineHead, r.text("stick.nextrepaired"))
	default:
		p.add(lineHead, r.text("stick.maypull"))
	}
	if c.mood != moodGood { // a second Enter, meant for the question before, must not restart the PC
		p.keys = append(p.keys, pageKey{'\n', r.text("key.again")})
	}
	p.keys = append(p.keys, pageKey{'L', ""}, pageKey{'D', r.text("key.details")})
	if r.settings.Mode != modeDryRun {
		p.keys = append(p.keys, pageKey{'U', r.text("key.undo")})
	}
	p.keys = append(p.keys, pageKey{'S', r.text("key.shell")}, pageKey{'R', r.text("key.reboot")}, pageKey{'P', r.text("key.poweroff")})
	p.keys = append(p.keys, r.languageKey()...)
}

// detailsPage shows all that was found, and the log.
func (r *rescue) detailsPage(l *looked) *page {
	p := &page{title: r.text("stick.details"), mood: moodCalm, keys: []pageKey{{'\n', r.text("key.back")}}}
	p.add(linePlain, r.accounts(l))
	p.add(lineHead, r.text("stick.log"))
	for line := range strings.Lines(r.log.Kept()) {
		p.add(linePlain, escape(strings.TrimSuffix(line, "\n")))
	}
	return p
}

// accounts is the account of every disk that was looked at.
func (r *rescue) accounts(l *looked) string {
	var b bytes.Buffer
	for _, t := range l.targets {
		r.account(&b, t, true)
	}
	return b.String()
}
