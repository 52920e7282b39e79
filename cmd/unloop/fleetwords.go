package main

import (
	"fmt"
	"strings"

	"unloop/hive"
)

// verdictOf is a row's verdict in the user's language.
func (e *env) verdictOf(row *fleetRow) string {
	if row.Verdict == "" {
		return ""
	}
	if word := e.verdictWords(hive.Verdict(row.Verdict), false); word != "" {
		return word
	}
	return escape(row.Verdict) // of a newer unloop
}

// outcomeWords say how things stand.
func (e *env) outcomeWords(row *fleetRow) string {
	word := e.text("fleet.is." + row.Outcome)
	if row.DryRun && row.Outcome == outcomeOpen {
		return e.text("win.and", word, e.text("fleet.dryrun"))
	}
	return word
}

// rowPrices say what the PC pays.
func (e *env) rowPrices(row *fleetRow) (words []string) {
	for _, one := range row.Price {
		words = append(words, e.text("fleet.price."+one))
	}
	return words
}

func (e *env) rowRemarks(row *fleetRow) (words []string) {
	for _, one := range row.Remarks {
		words = append(words, e.text("fleet.remark."+one))
	}
	return words
}

// stateOf spells a word of an aftermath.
func (e *env) stateOf(word string) string {
	if word == "" {
		return ""
	}
	return e.text("fleet.now." + word)
}

// fleetFacts are all that is known of a row, in the order of its fields.
func (e *env) fleetFacts(row *fleetRow) (list []fact) {
	add := func(key, value string) {
		if value != "" {
			list = append(list, fact{e.text(key), escape(value)})
		}
	}
	clock := "fleet.utc"
	if row.Clock == "PC" {
		clock = "sheet.pcclock"
	}
	add("fleet.head.time", e.known(clock, row.Time))
	add("sheet.machine", strings.TrimSpace(row.Maker+" "+row.Model))
	add("table.serial", row.Serial)
	add("sheet.where", row.Hive)
	add("fleet.head.target", row.whole())
	add("fleet.volume", row.Volume)
	add("sheet.windows", row.Windows)
	add("fleet.kernelfile", row.Kernel)
	add("table.kb", strings.Join(row.Updates, ", "))
	add("fleet.head.updated", row.LastUpdate)
	add("fleet.head.verdict", e.verdictOf(row))
	add("fleet.because", row.Because)
	add("fleet.verb", e.verbOf(row))
	add("sheet.reason", row.Reason)
	add("fleet.detail", row.Detail)
	add("fleet.todo", row.Hint)
	add("fleet.override", e.stateOf(row.Override))
	add("fleet.drivers", e.stateOf(row.Drivers))
	add("fleet.windowsupdate", e.stateOf(row.Update))
	add("fleet.head.price", e.list(e.rowPrices(row)...))
	add("fleet.head.remarks", e.list(e.rowRemarks(row)...))
	add("fleet.backup", row.Backup)
	if row.Crosscheck != "" {
		add("table.crosscheck", e.crosscheckWords(row.Crosscheck))
	}
	if row.Seconds > 0 {
		add("fleet.seconds", fmt.Sprintf("%.1f s", row.Seconds))
	}
	add("fleet.tool", row.Tool)
	add("fleet.record", where(row.Record, row.Line))
	return list
}

// verbOf says what was done, and how it ended.
func (e *env) verbOf(row *fleetRow) string {
	words := row.Verb
	if key := "status." + strings.ReplaceAll(row.Status, " ", ""); hasMessage(e.lang, key) {
		words = e.list(words, e.text(key))
	}
	return words
}

// sums say how things stand with all PCs, by the newest row of each.
func (e *env) sums(t *fleetTable) string {
	var words []string
	all := 0
	for _, outcome := range outcomes() {
		if n := t.Outcomes[outcome]; n > 0 {
			all += n
			words = append(words, e.text("fleet.count", e.text("fleet.is."+outcome), n))
		}
	}
	return e.text("fleet.sums", t.Records, all, e.list(words...))
}

// problemLines name what is not in the table, and what counts once.
func (e *env) problemLines(t *fleetTable) (lines []string) {
	if t.Duplicates > 0 {
		lines = append(lines, e.text("fleet.twice", t.Duplicates))
	}
	for _, p := range t.Problems {
		lines = append(lines, e.text("fleet.problem", where(p.File, p.Line), e.text("fleet.why."+p.Problem), p.Detail))
	}
	return lines
}
