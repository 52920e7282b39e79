package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
)

// The page of a table: its skeleton, its style below that of all pages, and the script
// that sorts and searches it. The page names the sums of both, so that a browser runs
// nothing else.
var (
	//go:embed fleet.html.tmpl
	fleetTemplate string
	//go:embed fleet.css
	fleetCSS string
	//go:embed fleet.js
	fleetJS string
)

// fleetPage is what the template is filled with. All its text is safe to show; the
// template engine escapes it for HTML.
type fleetPage struct {
	Lang, Title, Made                                                string
	Shown, StatesWord, SearchWord, LatestWord, DetailsWord, DiffWord string
	Style                                                            template.CSS
	Script                                                           template.JS
	StyleSum, ScriptSum                                              string
	Older                                                            bool // there are rows that are not the newest of their PC
	States                                                           []fleetState
	Heads                                                            []fleetHead
	Rows                                                             []fleetLine
	Foot, Problems                                                   []string
	Missing                                                          string // that there are problems
}

// fleetState is how things stand, with how many rows of that.
type fleetState struct {
	Outcome, Word, Mood string
	Count               int
}

type fleetHead struct {
	Word, Class string
	Number      bool // it sorts by number
}

// fleetLine is one row of the page.
type fleetLine struct {
	Outcome, Mood string
	Newest        bool
	Cells         []fleetCell
	Facts         []fact
	Diff          []diffLine
}

// fleetCell is one cell: a text, and smaller ones below it.
type fleetCell struct {
	Label, Text, Class string
	Below              []fleetSmall
	Keyed              bool // it sorts by Key
	Key                string
}

type fleetSmall struct{ Text, Class string }

// sumOf is how a Content-Security-Policy names a text.
func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// tableHTML is the table as one page that needs nothing else.
func (e *env) tableHTML(t *fleetTable) (string, error) {
	tmpl, err := template.New("table").Parse(fleetTemplate)
	if err != nil {
		return "", fmt.Errorf("reading the page's template: %w", err)
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, e.fleetPage(t)); err != nil {
		return "", fmt.Errorf("writing the page: %w", err)
	}
	return b.String(), nil
}

func (e *env) fleetPage(t *fleetTable) fleetPage {
	style := lookCSS + fleetCSS
	p := fleetPage{
		Lang: e.lang, Title: e.text("fleet.title"), Made: e.text("fleet.made", t.Time, versionName(t.Tool)),
		Shown: e.text("fleet.shown"), StatesWord: e.text("fleet.states"), SearchWord: e.text("fleet.search"), LatestWord: e.text("fleet.newestonly"),
		DetailsWord: e.text("fleet.details"), DiffWord: e.text("fleet.edits"),
		Style: template.CSS(style), StyleSum: sumOf(style), Script: template.JS(fleetJS), ScriptSum: sumOf(fleetJS),
		Heads: e.fleetHeads(), Foot: []string{e.sums(t), e.text("fleet.clocks")}, Problems: e.problemLines(t),
	}
	if n := len(t.Problems); n > 0 {
		p.Missing = e.text("fleet.missing", n)
	}
	counts, names := map[string]int{}, targetNames(t.Rows)
	for _, row := range t.Rows {
		counts[row.Outcome]++
		p.Older = p.Older || !row.Newest
		p.Rows = append(p.Rows, e.fleetLine(row, p.Heads, names[row.whole()]))
	}
	for _, outcome := range outcomes() {
		if counts[outcome] > 0 {
			p.States = append(p.States, fleetState{outcome, e.text("fleet.is." + outcome), moodNames[outcomeMood(outcome)], counts[outcome]})
		}
	}
	return p
}

// versionName is the program without its commit and system.
func versionName(tool string) string {
	name, _, _ := strings.Cut(tool, " (")
	return name
}

func (e *env) fleetHeads() (heads []fleetHead) {
	for _, class := range []string{"pc", "time", "target", "windows", "verdict", "state", "price", "updated", "remarks"} {
		heads = append(heads, fleetHead{e.text("fleet.head." + class), class, class == "time" || class == "updated"})
	}
	return heads
}

// outcomeMood is the colour of an outcome.
func outcomeMood(outcome string) mood {
	switch outcome {
	case outcomeRepaired, outcomeAlready:
		return moodGood
	case outcomeFailed, outcomeRefused, outcomeBarred:
		return moodBad
	case outcomeOpen, outcomeUnknown, outcomeUndone:
		return moodNote
	}
	return moodCalm
}

// fleetLine makes a row of the page.
func (e *env) fleetLine(row *fleetRow, heads []fleetHead, target string) fleetLine {
	line := fleetLine{Outcome: row.Outcome, Mood: moodNames[outcomeMood(row.Outcome)], Newest: row.Newest, Facts: e.fleetFacts(row), Diff: editLines(row.edits)}
	add := func(text, class string, below ...fleetSmall) *fleetCell {
		below = slices.DeleteFunc(below, func(s fleetSmall) bool { return s.Text == "" })
		for i := range below {
			below[i].Text = escape(below[i].Text)
		}
		line.Cells = append(line.Cells, fleetCell{Label: heads[len(line.Cells)].Word, Text: escape(text), Class: class, Below: below})
		return &line.Cells[len(line.Cells)-1]
	}
	if row.Computer != "" {
		add(row.Computer, "name", fleetSmall{strings.TrimSpace(row.Maker + " " + row.Model), "soft"}, fleetSmall{e.known("fleet.serial", row.Serial), "soft"})
	} else {
		add(row.name(), "name")
	}
	older := ""
	if !row.Newest {
		older = e.text("fleet.older")
	}
	add(minuteOf(row.Time), "", fleetSmall{older, "soft"}).sortBy(row.Time)
	add(target, "")
	add(row.shortWindows(), "", fleetSmall{e.known("fleet.kernel", row.Kernel), "soft"})
	add(e.verdictOf(row), "")
	add(e.outcomeWords(row), "word", fleetSmall{row.Reason, ""}, fleetSmall{e.known("acc.hint", row.Hint), ""})
	add("", "", eachSmall(e.rowPrices(row))...)
	kb := ""
	if len(row.Updates) > 0 {
		kb = row.Updates[0]
	}
	day, _, _ := strings.Cut(row.LastUpdate, " ")
	add(day, "day", fleetSmall{kb, "soft"}).sortBy(row.LastUpdate)
	add("", "", eachSmall(e.rowRemarks(row))...)
	return line
}

// eachSmall puts each of several words on a line of its own.
func eachSmall(words []string) (list []fleetSmall) {
	for _, w := range words {
		list = append(list, fleetSmall{w, "each"})
	}
	return list
}

// sortBy gives a cell the moment of a time to be sorted by; none if it is not one.
func (c *fleetCell) sortBy(text string) {
	c.Keyed = true
	if t, err := time.Parse(tableTime, text); err == nil {
		c.Key = fmt.Sprint(t.Unix())
	}
}

// minuteOf is a time of a table without its seconds.
func minuteOf(text string) string {
	minute, _, _ := cutLast(text, ":")
	return minute
}

// editLines spell edits as a diff does.
func editLines(edits []editResult) (lines []diffLine) {
	key := ""
	for i, x := range edits {
		if i == 0 || x.Key != key {
			key = x.Key
			lines = append(lines, diffLine{"key", escape("[" + key + "]")})
		}
		if x.Old != "" {
			lines = append(lines, diffLine{"old", escape(fmt.Sprintf("-%q=%s", x.Name, x.Old))})
		}
		if x.New != "" {
			lines = append(lines, diffLine{"new", escape(fmt.Sprintf("+%q=%s", x.Name, x.New))})
		}
	}
	return lines
}
