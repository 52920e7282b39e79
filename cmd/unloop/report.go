package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"unloop/hive"
)

// report prints what was done to a target, and writes it to the report folder.
func (e *env) report(t *targetResult, o common) error {
	for _, r := range t.Installations {
		if r.written() {
			e.summary(t.Target, r)
		}
		if r.slept != nil && !t.DryRun {
			e.stageText(stageReport, r.slept.text(e))
		}
	}
	if t.Verb == "scan" && o.format == "text" {
		if err := e.printAccount(t, o.verbose); err != nil {
			return fmt.Errorf("%w: %w", errNotShown, err)
		}
	}
	if o.format == "json" {
		if err := e.printJSON(t); err != nil {
			return fmt.Errorf("%w: %w", errNotShown, err)
		}
	}
	if o.report == "" || t.noReport {
		return nil
	}
	return e.writeReport(t, o.report, o.html)
}

// summary tells the person at the PC how it ended, how to go back, and the price.
func (e *env) summary(target string, r *result) {
	e.stage(stageReport, string(r.Status)+"report", r.Hive)
	if r.Backup != "" { // not where a hibernation alone was put back
		e.stage(stageReport, "crosscheckwas", e.crosscheckWords(r.Crosscheck))
		e.stage(stageReport, "backupat", r.Backup)
	}
	if r.Status == statusUndone {
		return
	}
	if r.of == nil || !r.of.written() { // once is enough
		e.stage(stageReport, "howundo", quotePath(r.undoFrom), quotePath(target))
	}
	for _, price := range r.prices() {
		e.stage(stageReport, price.long)
	}
}

// written says whether the hive was written to, and all went well.
func (r *result) written() bool { return r.Status == statusRepaired || r.Status == statusUndone }

// all lists the results of an installation's hives.
func (r *result) all() []*result {
	if r.other == nil {
		return []*result{r}
	}
	return []*result{r, r.other}
}

// diffs is what changes in all hives of an installation.
func (r *result) diffs() string {
	text := ""
	for _, one := range r.all() {
		text += one.diffText
	}
	return text
}

// price is what a fix costs, by the keys of two messages: at length, and for the screen of
// the stick.
type price struct{ long, screen string }

// priceOf tells what a fix costs.
func priceOf(fix hive.Fix) price {
	return map[hive.Fix]price{
		hive.FixOverride: {"price.override", "stick.priceoverride"},
		hive.FixDrivers:  {"price.drivers", "stick.pricedrivers"},
		hive.FixUpdates:  {"price.updates", "stick.priceupdates"},
	}[fix]
}

// prices tells what the repair of a hive costs.
func (r *result) prices() []price {
	var prices []price
	for _, fix := range []hive.Fix{hive.FixOverride, hive.FixDrivers, hive.FixUpdates} {
		switch {
		case !hasFix(r.Edits, fix):
		case fix == hive.FixUpdates && r.AutoUpdate.overruled():
			prices = append(prices, price{"price.policy", "stick.pricepolicy"})
		default:
			prices = append(prices, priceOf(fix))
		}
	}
	if h := r.Hibernation; h != nil && (h.Planned || h.Discarded) {
		prices = append(prices, price{"price.hibernation", "stick.pricehibernation"})
	}
	return prices
}

func hasFix(edits []editResult, fix hive.Fix) bool {
	return slices.ContainsFunc(edits, func(x editResult) bool { return x.Fix == string(fix) })
}

// shellQuote makes a path safe to paste into a shell.
func shellQuote(s string) string {
	if !plainWord(s, "/._-+:@") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// plainWord says whether s has nothing but ASCII letters, digits and these signs.
func plainWord(s, signs string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(signs, c))
	})
}

// writeReport writes the reports of one target into a folder of its own below dir. Half
// a report is removed: a program would stumble over it.
func (e *env) writeReport(t *targetResult, dir string, html bool) error {
	files, err := e.reportFiles(t, html)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoReport, err)
	}
	folder, err := e.reportFolder(t, dir)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoReport, err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			return errors.Join(fmt.Errorf("%w: %w", errNoReport, err), os.RemoveAll(folder))
		}
	}
	e.stage(stageReport, "reportat", folder)
	return nil
}

// reportFolder makes a new folder for the reports of a target.
func (e *env) reportFolder(t *targetResult, dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s-%08x", e.run, labelSum(t.Target))
	folder := filepath.Join(dir, name)
	for i := 2; ; i++ {
		err := os.Mkdir(folder, 0o755)
		if err == nil || !os.IsExist(err) || i > 1000 {
			return folder, err
		}
		folder = filepath.Join(dir, fmt.Sprintf("%s-%d", name, i))
	}
}

// reportFiles makes the reports of a target: for programs, for people, and, where it is
// wanted, as a page.
func (e *env) reportFiles(t *targetResult, html bool) (map[string][]byte, error) {
	text, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return nil, err
	}
	s := e.sheet(t)
	files := map[string][]byte{"report.json": append(text, '\n'), "report.txt": []byte(e.sheetText(s, t))}
	if html {
		files["report.html"], err = e.sheetHTML(s)
	}
	return files, err
}

// verdict names the verdict in the user's language.
func (e *env) verdict(f *hive.Findings) string { return e.verdictWords(f.Verdict, f.AlreadyRepaired) }

// verdictWords names a verdict that is known from a report.
func (e *env) verdictWords(v hive.Verdict, repaired bool) string {
	key := map[hive.Verdict]string{
		hive.Affected: "verdict.affected", hive.Probable: "verdict.probable",
		hive.NotAffected: "verdict.not", hive.Unknown: "verdict.unknown",
	}[v]
	if repaired {
		return e.text(key) + e.text("verdict.repaired")
	}
	return e.text(key)
}

// account writes what was found at a target, and what was done, for people.
func (e *env) account(b *bytes.Buffer, t *targetResult, verbose bool) {
	e.accountFound(b, t)
	for _, r := range t.Installations {
		switch {
		case t.Verb != "scan" && r.diffText != "":
			b.WriteString("\n" + r.diffText)
		case t.Verb == "scan" && verbose && r.logText != "":
			b.WriteString("\n" + r.logText)
		}
	}
}

// accountFound is the account without its diffs.
func (e *env) accountFound(b *bytes.Buffer, t *targetResult) {
	line := func(indent int, key string, args ...any) {
		b.WriteString(strings.Repeat("  ", indent) + e.text(key, args...) + "\n")
	}
	line(0, "acc.target", t.Target, e.targetWord(t.Kind, t.Format))
	for _, text := range e.imageNotes(t) {
		line(1, "acc.line", text)
	}
	for _, v := range t.Volumes {
		line(1, "acc.volume", v.Partition, v.Kind, v.Label, float64(v.Size)/(1<<20), v.Serial)
		if v.SameSerial != "" {
			line(2, "acc.sameserial", v.SameSerial)
		}
		if !t.holdsWindows(v.Partition) { // else its state is told with that
			e.accountVolume(line, v)
		}
	}
	for _, p := range t.Problems {
		line(1, "problem", p)
	}
	for _, r := range t.Installations {
		e.accountHive(line, r)
	}
	if t.Error != nil {
		line(1, "acc.error", e.failure(t.Target, t.Error))
		line(1, "acc.hint", e.hint(t.Error.Key))
	}
}

// holdsWindows says whether an installation was found on that partition.
func (t *targetResult) holdsWindows(partition int) bool {
	return slices.ContainsFunc(t.Installations, func(r *result) bool { return r.in != nil && r.in.Volume != nil && r.in.Volume.Index == partition })
}

func (e *env) accountVolume(line func(int, string, ...any), v volumeResult) {
	if v.JournalUnclean {
		line(2, "acc.journal")
	}
	if newerJournal(v.JournalVersion) {
		line(2, "acc.journalnew", v.JournalVersion)
	}
	if v.Hibernated != "" {
		line(2, "acc.hibernation", v.Hibernated)
	}
}

// newerJournal says whether a journal is in a version that Windows 7 does not write.
func newerJournal(version string) bool {
	major, _, ok := strings.Cut(version, ".")
	return ok && major != "1"
}

// accountHive tells the verdict first, then what it rests on, and how the work ended.
func (e *env) accountHive(line func(int, string, ...any), r *result) {
	line(1, "acc.hive", r.Hive)
	if r.findings != nil {
		line(2, "acc.verdict", e.verdict(r.findings), e.reason(r.findings))
	}
	for _, s := range e.sections(r) {
		line(2, "acc.line", s.head)
		for _, text := range s.lines {
			line(3, "acc.line", text)
		}
	}
	switch r.Status {
	case statusFound:
	default:
		line(2, "acc.status", e.text("status."+strings.ReplaceAll(string(r.Status), " ", "")))
	}
	if r.Backup != "" {
		line(2, "backupat", r.Backup)
		line(2, "crosscheckwas", e.crosscheckWords(r.Crosscheck))
	}
	if r.Error != nil {
		line(2, "acc.error", e.failure(r.Hive, r.Error))
		line(2, "acc.hint", e.hint(r.Error.Key))
	}
}
