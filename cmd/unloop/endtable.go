package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/rivo/uniseg"
)

// endTable is how all targets of a run ended, a line for each Windows.
type endTable struct {
	rows    []tableRow
	counts  map[string]int // targets by how they ended
	total   int
	reasons []string // why, of those that failed or were refused, and what to do
	left    []string // targets that were not come to
}

// tableRow is one line. Action is the key of a word, without its "batch.".
type tableRow struct {
	target, windows, verdict, action, took string
}

// actions are the ways in which a target can end, the worst first; the first that holds for
// one of its lines counts for a target.
func actions() []string {
	return []string{
		"left", "broken", "failed", "refused", "forbidden", "skipped", "nothing", "found", "earlier", "planned", "undone", "repaired",
	}
}

// actionOf says how the work on an installation ended.
func (r *result) actionOf() string {
	switch {
	case r.Error != nil:
		return r.Error.action()
	case r.Status == statusNothing, r.Status == statusLeft:
		return "nothing"
	case r.Status == statusFound && len(r.Refused) > 0:
		return "forbidden"
	}
	return string(r.Status)
}

func (err *errorResult) action() string {
	switch {
	case err.Key == "interrupted":
		return "left"
	case err.Exit == exitBroken:
		return "broken"
	case err.Exit == exitRefused:
		return "refused"
	}
	return "failed"
}

// rowsOf makes the lines of a target. A SOFTWARE hive has none of its own: the worse of the
// two counts.
func (e *env) rowsOf(t *targetResult) []tableRow {
	took := ""
	if t.Took > 0 {
		took = e.text("batch.took", float64(t.Took)/1e9)
	}
	var rows []tableRow
	for _, r := range t.Installations {
		action := r.actionOf()
		switch {
		case r.of != nil && len(rows) > 0:
			last := &rows[len(rows)-1]
			last.action = actionOf([]tableRow{*last, {action: action}})
			continue
		case t.Earlier:
			action = "earlier"
		}
		row := tableRow{target: t.Target, action: action, took: took}
		if len(t.Installations) > 1 && r.label != "" {
			row.target = r.label
		}
		if r.Windows != nil {
			row.windows, row.verdict = strings.TrimPrefix(r.Windows.String(), "Windows "), e.shortVerdict(r)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		rows = []tableRow{{target: t.Target, action: "skipped", took: took}}
	}
	if t.Error != nil {
		rows = failAll(rows, t.Error.action())
	}
	return rows
}

// failAll lets what went wrong with the target as a whole count for each of its Windows that
// was worked on, or for all of them where none was.
func failAll(rows []tableRow, action string) []tableRow {
	skipped := func(row tableRow) bool { return row.action == "skipped" }
	none := !slices.ContainsFunc(rows, func(row tableRow) bool { return !skipped(row) })
	for i, row := range rows {
		if none || !skipped(row) {
			rows[i].action = worseAction(row.action, action)
		}
	}
	return rows
}

// actionOf says how a target, or a Windows of several hives, ended: as the worst of them. Of
// those, what was merely found and skipped does not count, nor what needed nothing.
func actionOf(rows []tableRow) string {
	action := "skipped"
	for _, row := range rows {
		switch {
		case idle(action) && row.action != "skipped":
			action = row.action
		case !idle(row.action):
			action = worseAction(action, row.action)
		}
	}
	return action
}

// idle says that nothing was done and nothing is left to be done.
func idle(action string) bool { return action == "skipped" || action == "nothing" }

// worseAction is the one that comes first among the actions.
func worseAction(a, b string) string {
	if slices.Index(actions(), b) < slices.Index(actions(), a) {
		return b
	}
	return a
}

// shortVerdict names a verdict in few words.
func (e *env) shortVerdict(r *result) string {
	if r.Repaired {
		return e.text("batch.already")
	}
	return e.verdictWords(r.Verdict, false)
}

// add keeps what the table tells of a target.
func (b *endTable) add(e *env, t *targetResult) {
	if b.counts == nil {
		b.counts = map[string]int{}
	}
	b.total++
	rows := e.rowsOf(t)
	b.rows = append(b.rows, rows...)
	b.counts[actionOf(rows)]++
	if t.interrupted() {
		b.left = append(b.left, t.Target)
		return
	}
	b.reason(e, t.Target, t.Error)
	for _, r := range t.Installations {
		b.reason(e, r.Hive, r.Error)
		if r.Status == statusFound && r.Error == nil && len(r.Refused) > 0 {
			b.reason(e, r.Hive, e.errorResult(r.Refused[0].error))
		}
	}
}

func (b *endTable) reason(e *env, label string, err *errorResult) {
	if err != nil {
		b.reasons = append(b.reasons, "  "+e.failure(label, err)+"\n    "+e.text("acc.hint", e.hint(err.Key))+"\n")
	}
}

// text sets the table, the sums and the reasons.
func (b *endTable) text(e *env) string {
	l := listing{head: []string{
		e.text("batch.target"), e.text("batch.windows"), e.text("batch.verdict"), e.text("batch.action"), e.text("batch.time"),
	}}
	for _, r := range b.rows {
		l.rows = append(l.rows, []string{r.target, r.windows, r.verdict, e.text("batch." + r.action), r.took})
	}
	folder := fitTargets(l.rows, helpWidth)
	text := "\n"
	if folder != "" {
		text += e.text("batch.folder", folder) + "\n"
	}
	text += l.withoutEmpty().String() + "\n" + e.text("batch.sum", b.total, b.sums(e)) + "\n"
	if len(b.reasons) > 0 {
		text += "\n" + e.text("batch.reasons") + "\n" + strings.Join(b.reasons, "")
	}
	return text
}

// sums counts the targets by how they ended.
func (b *endTable) sums(e *env) string {
	all := ""
	for _, action := range slices.Backward(actions()) {
		n := b.counts[action]
		switch one := e.text("batch.n."+action, n); {
		case n == 0:
		case all == "":
			all = one
		default:
			all = e.text("batch.join", all, one)
		}
	}
	return all
}

// narrowest is what a target keeps of its name in any case, in columns.
const narrowest = 24

// fitTargets shortens the names in the first column so that lines fit into the width: first
// by the folder that all lie in, which it returns, then in the middle of the name.
func fitTargets(rows [][]string, width int) (folder string) {
	rest, longest := 0, 0
	for i := range rows[0] {
		column := 0
		for _, row := range rows {
			column = max(column, uniseg.StringWidth(escape(row[i])))
		}
		if i == 0 {
			longest = column
		} else {
			rest += max(column, 8) + 2
		}
	}
	room := max(width-rest, narrowest)
	if longest <= room {
		return ""
	}
	if folder = commonFolder(rows); folder != "" {
		for _, row := range rows {
			row[0] = strings.TrimPrefix(strings.TrimPrefix(row[0], folder), string(filepath.Separator))
		}
	}
	for _, row := range rows {
		row[0] = shorten(escape(row[0]), room)
	}
	return folder
}

// commonFolder is the folder that all targets lie in, below it or deeper; "" if there is none.
func commonFolder(rows [][]string) string {
	common := filepath.Dir(rows[0][0])
	for _, row := range rows {
		for common != filepath.Dir(common) && !strings.HasPrefix(row[0], common+string(filepath.Separator)) {
			common = filepath.Dir(common)
		}
	}
	if common == filepath.Dir(common) {
		return ""
	}
	return common
}

// shorten takes the middle out of a text that is wider than room.
func shorten(s string, room int) string {
	if uniseg.StringWidth(s) <= room {
		return s
	}
	var pieces []string
	for g := uniseg.NewGraphemes(s); g.Next(); {
		pieces = append(pieces, g.Str())
	}
	head := room / 3
	from, to := 0, len(pieces)
	for w := 0; from < len(pieces) && w+uniseg.StringWidth(pieces[from]) <= head; from++ {
		w += uniseg.StringWidth(pieces[from])
	}
	for w := head + 1; to > from && w+uniseg.StringWidth(pieces[to-1]) <= room; to-- {
		w += uniseg.StringWidth(pieces[to-1])
	}
	return strings.Join(pieces[:from], "") + "…" + strings.Join(pieces[to:], "")
}
