package main

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"unloop/hive"
	"unloop/image"
)

// sheet is a report as people read it, in their language. report.txt and report.html are
// two ways to write down the same sheet. All its strings are safe for a terminal.
type sheet struct {
	Lang  string
	Title string
	Tool  string // who wrote it
	Cases []*sheetCase
}

// sheetCase is one Windows, or a target without one.
type sheetCase struct {
	Name     string // of the PC; else of the target
	Facts    []fact
	Mood     string // the colour: good, note, bad, calm
	Verdict  string // "" if there is none
	Because  string // of the verdict, a sentence
	Why      string // verdict and reason in one line; "" if there is no verdict
	Result   string // "" for a scan that went well
	Trouble  []string
	Parts    []sheetPart
	Appendix []sheetPart // report.txt has the account of scan in its place
}

type fact struct{ Label, Value string }

// sheetPart is a part with a heading of its own. What is empty is left out.
type sheetPart struct {
	Heading string
	Text    []string
	Points  []point
	Diff    []diffLine
	Code    []string // paths and commands
	Steps   []step
	Table   table
	Told    bool // the account tells it too: report.txt need not say it twice
}

// step is what to do next, and the command for it.
type step struct{ Text, Code string }

// diffLine is a line of a diff; Kind is head, key, old, new or "".
type diffLine struct{ Kind, Text string }

type table struct {
	Head   []string
	Rows   [][]string
	Widths []int // of the columns, in percent: no long name may push the others out
}

// subject is what a case is about.
type subject struct {
	t    *targetResult // without a name: a PC without a disk
	r    *result       // of SYSTEM; nil: no Windows
	also []*result     // of other hives of the same Windows
	rec  *stickReport  // nil: not on the stick
}

// results are those of all hives of one Windows.
func (s subject) results() []*result {
	if s.r == nil {
		return nil
	}
	return append([]*result{s.r}, s.also...)
}

// subjects shares the results of a target out among its installations.
func subjects(t *targetResult) (all []subject) {
	for _, r := range t.Installations {
		if n := len(all); n > 0 && r.label != "" && all[n-1].r.label == r.label {
			all[n-1].also = append(all[n-1].also, r)
			continue
		}
		all = append(all, subject{t: t, r: r})
	}
	if len(all) == 0 {
		all = append(all, subject{t: t})
	}
	return all
}

// sheet makes the report of a target.
func (e *env) sheet(t *targetResult) *sheet {
	return e.sheetOf(t.Verb, t.Tool, subjects(t))
}

// recordSheet makes the report of a record on the stick: of one installation, or of the PC.
func (e *env) recordSheet(rec *stickReport, r *result, t *targetResult) *sheet {
	if t == nil {
		t = &targetResult{Verb: "repair"}
	}
	s := subject{t: t, r: r, rec: rec}
	for _, of := range subjects(t) {
		if of.r == r {
			s.also = of.also
		}
	}
	return e.sheetOf(t.Verb, rec.Tool, []subject{s})
}

func (e *env) sheetOf(verb, tool string, all []subject) *sheet {
	title := map[string]string{"scan": e.text("sheet.scan"), "undo": e.text("sheet.undo")}[verb]
	s := &sheet{Lang: e.lang, Title: cmp.Or(title, e.text("rec.title")), Tool: e.text("rec.tool", tool)}
	for _, one := range all {
		s.Cases = append(s.Cases, e.sheetCase(one))
	}
	return s
}

func (e *env) sheetCase(s subject) *sheetCase {
	c := &sheetCase{Name: e.nameOf(s), Facts: e.facts(s), Mood: moodNames[s.mood()], Result: e.resultOf(s), Trouble: e.trouble(s)}
	if s.r != nil && s.r.findings != nil {
		why := e.reason(s.r.findings)
		c.Verdict, c.Because = e.verdict(s.r.findings), e.sentence(why)
		c.Why = e.text("sheet.why", c.Verdict, strings.TrimRight(why, ".。"))
	}
	c.Parts = e.sheetParts(s)
	c.Appendix = e.appendix(s)
	return c
}

// moodNames are the moods as the page calls them.
var moodNames = map[mood]string{moodCalm: "calm", moodGood: "good", moodNote: "note", moodBad: "bad"}

func (e *env) nameOf(s subject) string {
	switch {
	case s.r != nil && s.r.Windows != nil && s.r.Windows.Computer != "":
		return escape(s.r.Windows.Computer)
	case s.rec != nil && s.rec.Machine.String() != "":
		return escape(s.rec.Machine.String())
	case s.t.Target != "":
		return escape(filepath.Base(s.t.Target))
	}
	return e.text("label.pc")
}

// facts say when, and of which PC, disk and Windows.
func (e *env) facts(s subject) (list []fact) {
	add := func(key, value string) {
		if value != "" {
			list = append(list, fact{e.text(key), escape(value)})
		}
	}
	add("sheet.date", e.dateOf(s))
	if s.r != nil && s.r.Windows != nil {
		add("sheet.pc", orUnknown(s.r.Windows.Computer))
		add("sheet.windows", windowsWords(s.r))
	}
	if m := s.rec; m != nil && m.Machine != (machine{}) {
		add("sheet.machine", e.text("sheet.serial", orUnknown(m.Machine.String()), orUnknown(m.Machine.Serial)))
	}
	if s.r != nil {
		add("sheet.where", s.r.Hive)
	} else {
		add("sheet.where", s.t.Target)
	}
	if s.t.Format != "" && s.t.Format != image.FormatRaw {
		add("sheet.image", strings.Join(append([]string{string(s.t.Format)}, e.imageNotes(s.t)...), "; "))
	}
	if s.r != nil && s.r.System != nil {
		add("sheet.lastboot", stamp(s.r.System.LastBoot))
		add("sheet.lastupdate", stamp(s.r.System.LastUpdate))
	}
	return list
}

// dateOf is the day and minute, with the zone where one is known.
func (e *env) dateOf(s subject) string {
	switch {
	case s.rec != nil:
		return e.text("sheet.pcclock", s.rec.Time)
	case s.t.Time.IsZero():
		return ""
	}
	return s.t.Time.In(e.now().Location()).Format("2006-01-02 15:04 (UTC-07:00)")
}

// stamp is a time that a file or hive told.
func stamp(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return minute(*t)
}

// windowsWords names the Windows as the SOFTWARE hive does, if it was read.
func windowsWords(r *result) string {
	short := r.Windows.String()
	if r.System == nil || r.System.Product == "" {
		return short
	}
	return strings.Join(strings.Fields(r.System.Product+" "+r.System.CSDVersion), " ") + " (" + short + ")"
}

// sentence makes one of a line of the console: with a capital, unless it begins with a
// name, and with a full stop.
func (e *env) sentence(text string) string {
	last, _ := utf8.DecodeLastRuneInString(text)
	if word, _, _ := strings.Cut(text, " "); e.lang == "en" && lowerWord(word) {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	switch {
	case text == "" || unicode.IsPunct(last) && last != ')' && last != '）' && last != '"':
		return text
	case e.lang == "ja":
		return text + "。"
	}
	return text + "."
}

// lowerWord says whether a word is an ordinary one in small letters, no path and no name
// of a file.
func lowerWord(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool { return r < 'a' || r > 'z' })
}

// resultOf is how the work ended, in a word; "" where there was nothing to do but look.
func (e *env) resultOf(s subject) string {
	switch {
	case s.rec != nil:
		return e.text("result." + s.rec.Result)
	case s.r == nil && s.t.Error == nil:
		return e.text("sheet.nowindows")
	case s.r == nil:
		return e.text("status.failed")
	case s.worst().Status == statusFound:
		return ""
	}
	return e.text("status." + strings.ReplaceAll(string(s.worst().Status), " ", ""))
}

// worst is the result that counts among those of one Windows: one that failed, then one
// that something was done to.
func (s subject) worst() *result {
	for _, wanted := range [][]status{{statusFailed, statusRefused}, {statusRepaired, statusUndone, statusPlanned}} {
		for _, r := range s.results() {
			if slices.Contains(wanted, r.Status) {
				return r
			}
		}
	}
	return s.r
}

// mood is the colour of a case.
func (s subject) mood() mood {
	if s.r == nil {
		if s.rec == nil && s.t.Error == nil {
			return moodNote
		}
		return moodBad
	}
	switch s.worst().Status {
	case statusRepaired, statusUndone:
		return moodGood
	case statusFailed, statusRefused:
		return moodBad
	case statusNothing:
		return moodNote
	case statusFound:
		return verdictMood(s.r)
	}
	return moodCalm
}

func verdictMood(r *result) mood {
	switch {
	case r.Repaired:
		return moodGood
	case r.Verdict == hive.Affected:
		return moodBad
	case r.Verdict == hive.NotAffected:
		return moodCalm
	}
	return moodNote
}

// trouble says what went wrong, and what to do about it.
func (e *env) trouble(s subject) []string {
	if s.rec != nil && s.rec.Reason != "" {
		return []string{escape(s.rec.Reason)}
	}
	why, label := s.t.Error, s.t.Target
	if s.r != nil {
		if w := s.worst(); w.Error != nil {
			why, label = w.Error, w.Hive
		}
	}
	if why == nil {
		return nil
	}
	return []string{e.text("error."+why.Key, label), e.hint(why.Key), e.text("sheet.detail", why.Detail)}
}
