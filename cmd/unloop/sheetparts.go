package main

import (
	"path/filepath"
	"slices"
	"strings"

	"unloop/hive"
	"unloop/image"
)

// sheetParts are the parts of a report, in the order in which a customer asks: what is it,
// what was done, how do I go back, what does it cost, what now, was it safe.
func (e *env) sheetParts(s subject) (list []sheetPart) {
	for _, one := range []sheetPart{
		e.evidencePart(s), e.lookAlikePart(s), e.changePart(s), e.backupPart(s),
		e.pricePart(s), e.nextPart(s), e.safetyPart(s),
	} {
		if len(one.Text)+len(one.Points)+len(one.Diff)+len(one.Code)+len(one.Steps) > 0 {
			list = append(list, one)
		}
	}
	return list
}

// evidencePart gives each statement a word for its weight.
func (e *env) evidencePart(s subject) sheetPart {
	out := sheetPart{Heading: e.text("sheet.found"), Told: true}
	if s.r == nil || s.r.findings == nil {
		return out
	}
	add := func(weight hive.Weight, m mood, word string) {
		for _, line := range e.evidenceLines(s.r.findings, weight) {
			out.Points = append(out.Points, point{m, word, e.sentence(line)})
		}
	}
	add(hive.For, moodNote, e.text("weight.for"))
	add(hive.Against, moodGood, e.text("weight.against"))
	add(hive.Context, moodCalm, e.text("weight.context"))
	if f := s.r.findings; f.Select.Current != f.Select.Default {
		out.Points = append(out.Points, point{moodCalm, e.text("weight.context"), e.sentence(e.text("currentdefault", f.Select.Current, f.Select.Default))})
	}
	return out
}

func (e *env) lookAlikePart(s subject) sheetPart {
	out := sheetPart{Heading: e.text("sheet.lookalikes"), Told: true}
	if s.r == nil || s.r.findings == nil || len(s.r.findings.Diagnosis.LookAlikes) == 0 {
		return out
	}
	out.Text = []string{e.text("sheet.nopromise")}
	for _, line := range e.said(s.r.findings.Diagnosis.LookAlikes) {
		out.Points = append(out.Points, point{moodCalm, e.text("weight.possible"), e.sentence(line)})
	}
	return out
}

// changePart shows the values that change. What a log changes is Windows' own and is
// only counted.
func (e *env) changePart(s subject) sheetPart {
	heading := e.text("sheet.wouldchange")
	if s.r != nil && (s.worst().Status == statusRepaired || s.worst().Status == statusUndone) {
		heading = e.text("sheet.changed")
	}
	out := sheetPart{Heading: heading}
	for _, r := range s.results() {
		own := strings.TrimPrefix(r.diffText, r.logText)
		if own != "" && len(out.Text) == 0 {
			out.Text = append(out.Text, e.text("sheet.diffhelp"))
		}
		if r.Replay != nil && r.diffText != "" {
			out.Text = append(out.Text, e.text("sheet.replayed", r.Replay.Log, len(r.Replay.Edits)))
		}
		for line := range strings.Lines(own) {
			out.Diff = append(out.Diff, diffLineOf(strings.TrimSuffix(line, "\n")))
		}
	}
	return out
}

func diffLineOf(line string) diffLine {
	kind := ""
	switch {
	case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"):
		kind = "head"
	case strings.HasPrefix(line, "["):
		kind = "key"
	case strings.HasPrefix(line, "-"):
		kind = "old"
	case strings.HasPrefix(line, "+"):
		kind = "new"
	}
	return diffLine{kind, line}
}

// backupPart says where the hive lies as it was, and how to go back to it. Paths are
// whole: who reads this stands in another folder.
func (e *env) backupPart(s subject) sheetPart {
	out := sheetPart{Heading: e.text("sheet.backup")}
	if s.r == nil || s.worst().Backup == "" {
		return out
	}
	undone := s.worst().Status == statusUndone
	if s.rec != nil {
		out.Text = []string{e.text("rec.backup")}
		if slices.ContainsFunc(s.also, func(r *result) bool { return r.Backup != "" }) {
			out.Text = append(out.Text, e.text("rec.backupsoft"))
		}
		if !undone {
			out.Text = append(out.Text, e.text("rec.undo"))
		}
		return out
	}
	out.Text = []string{e.text("sheet.backupin")}
	for _, r := range s.results() {
		if r.Backup != "" {
			out.Code = append(out.Code, escape(absolute(r.Backup)))
		}
	}
	if !undone {
		out.Steps = []step{{e.text("sheet.howundo"), e.undoLine(s)}}
	}
	return out
}

func (e *env) undoLine(s subject) string {
	command := "unloop undo "
	if dir := s.worst().Backup; dir != "" {
		command += "--backup " + quotePath(absolute(s.worst().undoFrom)) + " "
	}
	return escape(command + quotePath(absolute(s.t.Target)))
}

// absolute is a path as it is from every folder.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// prices spells them as sentences.
func (e *env) prices(prices []price) (list []string) {
	for _, one := range prices {
		list = append(list, e.sentence(e.text(one.long)))
	}
	return list
}

// pricePart tells what a repair costs: the one that was made or planned, else the one
// that a scan makes likely.
func (e *env) pricePart(s subject) sheetPart {
	out := sheetPart{Heading: e.text("sheet.price")}
	if s.r == nil || s.t.Verb == "undo" {
		return out
	}
	for _, r := range s.results() {
		switch r.Status {
		case statusRepaired, statusPlanned, statusLeft, statusNothing: // that may have cost a hibernation
			out.Text = append(out.Text, e.prices(r.prices())...)
		case statusFound:
			if r.curable() {
				out.Text = append(out.Text, e.prices([]price{priceOf(hive.FixOverride), priceOf(hive.FixDrivers)})...)
			}
		}
	}
	return out
}

// curable says whether a repair would be offered.
func (r *result) curable() bool {
	return !r.Repaired && (r.Verdict == hive.Affected || r.Verdict == hive.Probable)
}

// safetyPart tells in which state disk and hive were left, and what forbids writing.
func (e *env) safetyPart(s subject) sheetPart {
	out := sheetPart{Heading: e.text("sheet.safety"), Told: true}
	for _, r := range s.results() {
		out.Points = append(out.Points, e.safety(r)...)
	}
	for _, v := range s.t.Volumes {
		if !s.t.holdsWindows(v.Partition) { // else its state is told with that
			out.Points = append(out.Points, e.volumePoints(v)...)
		}
		if v.SameSerial != "" {
			out.Points = append(out.Points, e.judged(moodNote, "sheet.partition", v.Partition, e.text("acc.sameserial", v.SameSerial)))
		}
	}
	for _, p := range s.t.Problems {
		out.Points = append(out.Points, e.judged(moodNote, "problem", p))
	}
	for i := range out.Points {
		out.Points[i].Text = e.sentence(out.Points[i].Text)
	}
	return out
}

// volumePoints tell how a volume without Windows was left.
func (e *env) volumePoints(v volumeResult) (list []point) {
	add := func(key string, args ...any) {
		list = append(list, e.judged(moodNote, "sheet.partition", v.Partition, e.text(key, args...)))
	}
	if v.JournalUnclean {
		add("acc.journal")
	}
	if newerJournal(v.JournalVersion) {
		add("acc.journalnew", v.JournalVersion)
	}
	if v.Hibernated != "" {
		add("acc.hibernation", v.Hibernated)
	}
	if v.Kind != image.VolumeNTFS.String() && v.Kind != image.VolumeOther.String() {
		add("sheet.closedvolume", v.Kind)
	}
	return list
}

// nextPart tells what to do now.
func (e *env) nextPart(s subject) sheetPart {
	out := sheetPart{Heading: e.text("sheet.next")}
	if s.r == nil {
		return out
	}
	switch s.worst().Status {
	case statusRepaired:
		out.Steps = e.afterRepair(s)
	case statusUndone:
		out.Steps = []step{{e.text("next.undone"), ""}}
	case statusPlanned:
		out.Steps = []step{{e.text("next.planned"), e.command(s, s.t.Verb)}}
	case statusLeft:
		out.Steps = []step{{e.text("next.left"), ""}}
	case statusNothing:
		if s.t.Verb == "undo" {
			out.Steps = []step{{e.text("next.undone"), ""}}
			break
		}
		out.Steps = e.already(s)
	case statusFound, statusSkipped:
		out.Steps = e.afterScan(s)
	}
	return out
}

// command is a verb for this target; none on the stick, where keys do that.
func (e *env) command(s subject, verb string) string {
	if s.rec != nil {
		return ""
	}
	return escape("unloop " + verb + " " + quotePath(absolute(s.t.Target)))
}

func (e *env) afterRepair(s subject) []step {
	steps := []step{{Text: e.text("next.start")}}
	if s.rec != nil {
		steps[0].Text = e.text("next.pull")
	}
	return append(steps, step{Text: e.text("next.still")}, step{Text: e.text("next.driver")}, step{Text: e.text("next.keep")})
}

// already is what follows for a PC that had been repaired before.
func (e *env) already(s subject) []step {
	takeBack := step{e.text("next.takeback"), e.command(s, "undo")}
	if s.rec != nil {
		takeBack.Text = e.text("next.takebackstick")
	}
	return []step{{Text: e.text("next.already")}, takeBack}
}

func (e *env) afterScan(s subject) []step {
	switch {
	case s.r.findings == nil:
		return nil
	case s.r.Repaired:
		return e.already(s)
	case s.r.curable():
		return []step{{e.text("next.repair"), e.command(s, "repair")}}
	case s.r.Verdict == hive.NotAffected:
		return []step{{Text: e.text("next.not")}}
	}
	return []step{{e.text("next.unknown"), e.command(s, "repair")}}
}
