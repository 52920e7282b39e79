package main

import (
	"cmp"
	"slices"
	"strings"
)

// tableSchema is the version of the JSON of a table, as reportSchema is of all other.
const tableSchema = "unloop/table/1"

// fleetTable is what `unloop report` makes of many records.
type fleetTable struct {
	Schema     string          `json:"schema"`
	Tool       string          `json:"tool"`
	Time       string          `json:"time"` // when it was made: tableTime, UTC
	Latest     bool            `json:"latest"`
	Records    int             `json:"records"`
	Duplicates int             `json:"duplicates"` // the same record once more, counted once
	Outcomes   map[string]int  `json:"outcomes"`   // of the newest row of each PC
	Rows       []*fleetRow     `json:"rows"`
	Problems   []recordProblem `json:"problems"`
}

// table puts the rows in order, and tells PCs apart.
func (f *fleetReader) table(latest bool) *fleetTable {
	f.settle()
	slices.SortStableFunc(f.rows, func(a, b *fleetRow) int {
		return cmp.Or(compareNamed(a.key.computer, b.key.computer), compareNamed(a.key.serial, b.key.serial), cmp.Compare(a.key.place, b.key.place),
			cmp.Compare(a.Time, b.Time), cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Record, b.Record), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Hive, b.Hive))
	})
	f.number()
	t := &fleetTable{
		Schema: tableSchema, Tool: versionLine(), Time: f.now().UTC().Format(tableTime), Latest: latest,
		Records: f.records, Duplicates: f.twice, Outcomes: map[string]int{}, Rows: []*fleetRow{}, Problems: f.problems,
	}
	for _, row := range f.rows {
		if row.Newest {
			t.Outcomes[row.Outcome]++
		}
		if row.Newest || !latest {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// rank orders what was done to a PC in the same second: looked at, repaired, undone.
func (row *fleetRow) rank() int {
	switch {
	case row.Verb == "scan", row.DryRun:
		return 0
	case row.Verb == "repair":
		return 1
	}
	return 2
}

// compareNamed orders names; those without one come last.
func compareNamed(a, b string) int {
	if (a == "") != (b == "") {
		return strings.Compare(b, a)
	}
	return strings.Compare(a, b)
}
