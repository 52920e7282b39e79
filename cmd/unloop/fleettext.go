package main

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// csv writes the table for spreadsheets and programs: RFC 4180, in UTF-8 with the mark
// that tells a Japanese Excel so. Names of columns and words are those of JSON.
func (t *fleetTable) csv() (string, error) {
	var b strings.Builder
	b.WriteString("\ufeff")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if err := w.Write(columnNames()); err != nil {
		return "", fmt.Errorf("writing CSV: %w", err)
	}
	for _, row := range t.Rows {
		if err := w.Write(row.cells()); err != nil {
			return "", fmt.Errorf("writing CSV: %w", err)
		}
	}
	w.Flush()
	return b.String(), w.Error()
}

// columnNames are the names of a row's fields in JSON.
func columnNames() (names []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[fleetRow]()) {
		if name := f.Tag.Get("json"); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// cells are the fields of a row as text.
func (row *fleetRow) cells() (cells []string) {
	v := reflect.ValueOf(*row)
	for _, f := range reflect.VisibleFields(v.Type()) {
		if f.Tag.Get("json") == "" {
			continue
		}
		text := ""
		switch x := v.FieldByIndex(f.Index).Interface().(type) {
		case string:
			text = x
		case []string:
			text = strings.Join(x, "; ")
		case bool:
			text = strconv.FormatBool(x)
		case int:
			text = strconv.Itoa(x)
		case float64:
			text = strconv.FormatFloat(x, 'f', -1, 64)
		}
		cells = append(cells, csvCell(text))
	}
	return cells
}

// csvCell makes a text safe for terminals and spreadsheets: one that a spreadsheet would
// calculate gets an apostrophe in front, be the sign of a formula as wide as a Japanese
// letter. Tabs and line ends become escapes.
func csvCell(text string) string {
	text = escape(text)
	if first, _ := utf8.DecodeRuneInString(text); strings.ContainsRune("=+-@＝＋－＠", first) && text != "" {
		return "'" + text
	}
	return text
}

// maxNameColumns is what a name may take in the text; the other formats have it whole.
const maxNameColumns = 24

// tableText writes the table for people: what matters in a line each, then what was not
// done and why, and where the backups are.
func (e *env) tableText(t *fleetTable) string {
	l := listing{head: e.heads([]string{"fleet.head.pc", "fleet.head.time", "fleet.head.windows", "fleet.head.verdict", "fleet.head.state", "fleet.head.price", "fleet.head.target"})}
	names := cutNames(targetNames(t.Rows))
	for _, row := range t.Rows {
		l.rows = append(l.rows, []string{
			shortened(row.name()), minuteOf(row.Time), row.shortWindows(), e.verdictOf(row), e.outcomeWords(row),
			strings.Join(row.Price, ", "), names[row.whole()],
		})
	}
	var b strings.Builder
	b.WriteString(l.String())
	e.textOfTrouble(&b, t)
	e.textOfBackups(&b, t)
	b.WriteString("\n" + e.sums(t) + "\n")
	for _, line := range e.problemLines(t) {
		b.WriteString(line + "\n")
	}
	return b.String()
}

func (e *env) textOfTrouble(b *strings.Builder, t *fleetTable) {
	headed := false
	for _, row := range t.Rows {
		if row.Reason == "" || !row.Newest {
			continue // or it may be done by now
		}
		if !headed {
			b.WriteString("\n" + heading(e.text("fleet.notdone")))
			headed = true
		}
		b.WriteString(e.text("acc.because", e.list(row.names()...), where(row.Record, row.Line)) + "\n  " + escape(row.Reason) + "\n")
		if row.Hint != "" {
			b.WriteString("  " + e.text("acc.hint", row.Hint) + "\n")
		}
	}
}

func (e *env) textOfBackups(b *strings.Builder, t *fleetTable) {
	l := listing{head: e.heads([]string{"fleet.head.pc", "fleet.backup"})}
	for _, row := range t.Rows {
		if row.Backup != "" {
			l.rows = append(l.rows, []string{row.name(), row.Backup})
		}
	}
	if len(l.rows) > 0 {
		b.WriteString("\n" + l.String())
	}
}

// name is what a person calls the PC, or the target.
func (row *fleetRow) name() string {
	machine := strings.TrimSpace(row.Maker + " " + row.Model + " " + row.Serial)
	return cmp.Or(row.Computer, machine, row.targetName(), "?")
}

// names are those of the PC and of the target.
func (row *fleetRow) names() []string {
	switch name := row.name(); {
	case row.whole() == "":
		return []string{name}
	case name == row.targetName():
		return []string{row.whole()}
	default:
		return []string{name, row.whole()}
	}
}

// whole is the target by its absolute path if that is known.
func (row *fleetRow) whole() string { return cmp.Or(row.Path, row.Target) }

// targetName is the target without its folders.
func (row *fleetRow) targetName() string {
	return lastParts(row.whole(), 1)
}

// shortWindows is the Windows without its edition.
func (row *fleetRow) shortWindows() string {
	if _, short, ok := cutLast(strings.TrimSuffix(row.Windows, ")"), "("); ok {
		return short
	}
	return row.Windows
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func shortened(name string) string {
	name = escape(name)
	if piece, rest := cutLine(name, maxNameColumns); rest != "" {
		return piece + "…"
	}
	return name
}
