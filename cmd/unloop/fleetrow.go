package main

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"unloop/hive"
)

// fleetRow is one Windows in one record, or a target without one. Its fields are the
// columns of CSV and the rows of JSON, under the same names; table.schema.json describes
// them.
type fleetRow struct {
	PC         int      `json:"pc"`     // the same in all rows of one PC, from 1
	Newest     bool     `json:"newest"` // of this PC
	Time       string   `json:"time"`   // tableTime, "" if not known
	Clock      string   `json:"clock"`  // whose time it is: UTC, PC
	Outcome    string   `json:"outcome"`
	Computer   string   `json:"computer"`
	Maker      string   `json:"maker"`
	Model      string   `json:"model"`
	Serial     string   `json:"serial"`
	Target     string   `json:"target"`
	Path       string   `json:"path"` // of the target, absolute
	Hive       string   `json:"hive"`
	Volume     string   `json:"volume"` // serial number
	Windows    string   `json:"windows"`
	Kernel     string   `json:"kernel"`
	LastUpdate string   `json:"lastUpdate"` // tableTime
	Updates    []string `json:"updates"`
	Verdict    string   `json:"verdict"`
	Because    string   `json:"because"` // of the verdict
	Verb       string   `json:"verb"`
	DryRun     bool     `json:"dryRun"`
	Status     string   `json:"status"`
	Error      string   `json:"error"`  // its key
	Reason     string   `json:"reason"` // for people, as are because and hint
	Detail     string   `json:"detail"`
	Hint       string   `json:"hint"`
	Override   string   `json:"override"`
	Drivers    string   `json:"drivers"`
	Update     string   `json:"windowsUpdate"`
	Price      []string `json:"price"`
	Remarks    []string `json:"remarks"`
	Edits      int      `json:"edits"` // values written, or that a dry run would
	Backup     string   `json:"backup"`
	Crosscheck string   `json:"crosscheck"`
	Seconds    float64  `json:"seconds"` // 0: not known
	Tool       string   `json:"tool"`
	Record     string   `json:"record"` // its file
	Line       int      `json:"line"`   // of JSON Lines; 0 in a file of its own

	edits []editResult
	key   pcKey
	file  string // that it is about, see subject.file
}

// tableTime spells a time in a table, so that spreadsheets take it for one.
const tableTime = "2006-01-02 15:04:05"

// recordSource is one record and where it was: of a run, or of a stick.
type recordSource struct {
	path    string
	line    int
	seconds float64 // that the work took; 0 if not known
	run     *targetResult
	stick   *stickReport
}

// targets are those that the record is of.
func (src recordSource) targets() []*targetResult {
	if src.stick == nil {
		return []*targetResult{src.run}
	}
	return src.stick.Targets
}

// fleetRows makes the rows of a record. That of a stick tells of one Windows, though it lists
// all disks that were there: the others have records of their own.
func (e *env) fleetRows(src recordSource) (rows []*fleetRow) {
	var all []subject
	for _, t := range src.targets() {
		for _, r := range t.Installations {
			r.label = folderOf(r.Hive)
		}
		for _, s := range subjects(t) {
			s.rec = src.stick
			all = append(all, s)
		}
	}
	for _, s := range all {
		if src.stick != nil && s.r != nil && s.r.Hive == src.stick.Hive {
			return []*fleetRow{e.rowOf(src, s)}
		}
	}
	if src.stick != nil && len(all) == 0 {
		all = []subject{{t: &targetResult{Verb: "repair"}, rec: src.stick}}
	}
	for _, s := range all {
		rows = append(rows, e.rowOf(src, s))
		if src.stick != nil && s.r == nil {
			break // a PC without Windows, however many disks it has
		}
	}
	return rows
}

// folderOf is the folder of a hive by its label.
func folderOf(label string) string { return label[:strings.LastIndexAny(label, `/\`)+1] }

// rowOf makes one row.
func (e *env) rowOf(src recordSource, s subject) *fleetRow {
	row := &fleetRow{
		Target: s.t.Target, Path: s.t.absolute(), Verb: s.t.Verb, DryRun: s.t.DryRun, Tool: s.t.Tool, Record: src.path, Line: src.line,
		Updates: []string{}, Price: []string{}, Remarks: []string{},
	}
	row.Time, row.Clock, row.Seconds = timeInTable(&s.t.Time), "UTC", src.seconds
	if rec := s.rec; rec != nil {
		row.Time, row.Clock, row.Tool = rec.Time, "PC", rec.Tool
		row.Maker, row.Model, row.Serial = rec.Machine.Vendor, rec.Machine.Product, rec.Machine.Serial
		row.DryRun = row.DryRun || rec.Mode == modeDryRun
		for _, stage := range rec.Stages {
			row.Seconds += time.Duration(stage.Took).Seconds()
		}
	}
	if s.r != nil {
		e.fillWindows(row, s)
	}
	row.Status = s.statusWord()
	e.fillTrouble(row, s)
	row.Outcome = s.outcome()
	row.Backup = backupOf(src, s)
	row.key, row.file = s.key(), s.file()
	return row
}

// timeInTable spells a time for a table; "" if there is none.
func timeInTable(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(tableTime)
}

// fillWindows tells which Windows it is, how it stands, and what was done to it.
func (e *env) fillWindows(row *fleetRow, s subject) {
	r, a := s.r, s.after()
	row.Hive, row.Volume, row.Verdict, row.Crosscheck = r.Hive, s.volume().Serial, string(r.Verdict), s.worst().Crosscheck
	row.Override, row.Drivers, row.Update, row.Price = a.override, a.drivers, a.updates, append(row.Price, a.prices...)
	if r.Windows != nil {
		row.Computer, row.Windows = r.Windows.Computer, r.Windows.String()
	}
	if r.System != nil {
		row.LastUpdate = timeInTable(r.System.LastUpdate)
		for _, k := range slices.Backward(r.System.Kernels) {
			row.Kernel = cmp.Or(k.Version, row.Kernel)
		}
		if r.System.Product != "" && r.Windows != nil {
			row.Windows = windowsWords(r)
		}
	}
	if r.Diagnosis != nil {
		row.Because = e.statementWords(r.Diagnosis.Reason)
	}
	row.Updates = append(row.Updates, installedUpdates(r)...)
	row.Remarks = append(row.Remarks, s.remarks()...)
	for _, one := range s.results() {
		row.edits = append(row.edits, one.Edits...)
	}
	row.Edits = len(row.edits)
}

// statementWords spells a statement that is known from a report only, in the user's
// language if that has the sentence.
func (e *env) statementWords(s statementResult) string {
	if n, known := hive.StatementArgs(s.Key); !known || n != len(s.Args) {
		return s.Text
	}
	args := make([]any, len(s.Args))
	for i, a := range s.Args {
		args[i] = a
	}
	return e.text(s.Key, args...)
}

// installedUpdates are the updates that bring a kernel, the newest first.
func installedUpdates(r *result) (names []string) {
	all := slices.DeleteFunc(slices.Clone(r.Updates), func(u updatePackageResult) bool { return u.State != hive.StateInstalled })
	slices.SortStableFunc(all, func(a, b updatePackageResult) int { return b.Build - a.Build })
	for _, u := range all {
		if name := cmp.Or(u.KB, u.Package); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// backupOf is the folder of the backup. That of a stick lies beside its record, wherever
// that has been copied to.
func backupOf(src recordSource, s subject) string {
	if s.r == nil || s.worst().Backup == "" {
		return ""
	}
	if s.rec != nil {
		beside := filepath.Dir(src.path)
		if info, err := os.Lstat(filepath.Join(beside, hive.ManifestName)); err == nil && info.Mode().IsRegular() {
			return beside
		}
	}
	return s.worst().Backup
}
