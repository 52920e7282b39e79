package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"unloop/image"
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

// pcKey is what tells a Windows from all others. Of what is not known, one of its own
// stands for nothing: known tells.
type pcKey struct {
	place    string // of a disk: serial number of the volume, and path on it; else the label
	computer string
	serial   string // of the PC
	bare     bool   // a target without a Windows
}

// key tells which Windows a row is about. PCs that were cloned from one disk have the same
// volume serial number, and files may be copies of each other, so that names count, too: of
// files those of the target, as nobody renames them; of disks not, which are called
// otherwise at every start.
func (s subject) key() (k pcKey) {
	if s.rec != nil {
		k.serial = s.rec.Machine.Serial
	}
	if s.r == nil {
		k.bare, k.place = true, s.t.Target
		return k
	}
	k.place = s.r.Hive
	if v := s.volume(); v.Serial != "" && v.SameSerial == "" && (s.rec != nil || s.t.Kind == image.KindDevice.String()) {
		_, path, _ := strings.Cut(strings.TrimPrefix(s.r.Hive, s.t.Target+":"), "/")
		k.place = v.Serial + "/" + strings.ToLower(path)
	}
	if s.r.Windows != nil {
		k.computer = strings.ToUpper(s.r.Windows.Computer)
	}
	return k
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

// settle gives a row whose PC's name or serial number is not known those of the only PC
// that its Windows can belong to: an undo does not read the name, and only a stick knows
// the serial number.
func (f *fleetReader) settle() {
	names := map[string]spellings{} // by the place
	for _, row := range f.rows {
		noted(names, row.key.place, row.key.computer, row.Computer)
	}
	for _, row := range f.rows {
		if name, ok := names[row.key.place].only(); ok && row.key.computer == "" {
			row.key.computer, row.Computer = name, names[row.key.place][name]
		}
	}
	serials := map[string]spellings{} // by the place and the PC's name
	at := func(row *fleetRow) string { return row.key.place + "\x00" + row.key.computer }
	for _, row := range f.rows {
		noted(serials, at(row), row.key.serial, row.key.serial)
	}
	for _, row := range f.rows {
		if serial, ok := serials[at(row)].only(); ok && row.key.serial == "" {
			row.key.serial = serial
		}
	}
}

// spellings are names: as they are compared, and as they are spelt.
type spellings map[string]string

func noted(in map[string]spellings, at, name, spelt string) {
	if in[at] == nil {
		in[at] = spellings{}
	}
	if name != "" {
		in[at][name] = spelt
	}
}

// only returns the one name that there is.
func (s spellings) only() (name string, ok bool) {
	all := slices.Collect(maps.Keys(s))
	if len(all) != 1 {
		return "", false
	}
	return all[0], true
}

// number gives each PC its number, and finds the newest row of each. A target without a
// Windows is superseded by whatever is newer of the same PC or target.
func (f *fleetReader) number() {
	pcs, latest := map[pcKey][]*fleetRow{}, map[string]string{}
	for _, row := range f.rows {
		if pcs[row.key] == nil {
			row.PC = len(pcs) + 1
		} else {
			row.PC = pcs[row.key][0].PC
		}
		pcs[row.key] = append(pcs[row.key], row)
		at := row.key.whereabouts(row)
		latest[at] = max(latest[at], row.Time)
	}
	for key, rows := range pcs {
		newest := rows[len(rows)-1] // they are in the order of their times
		newest.Newest = !key.bare || newest.Time >= latest[key.whereabouts(newest)]
		for _, row := range rows {
			row.borrow(rows)
		}
	}
}

// borrow takes from other records of the same PC what never changes and was not read.
func (row *fleetRow) borrow(rows []*fleetRow) {
	for _, other := range rows {
		row.Windows = cmp.Or(row.Windows, other.Windows)
		row.Maker, row.Model = cmp.Or(row.Maker, other.Maker), cmp.Or(row.Model, other.Model)
		row.Serial = cmp.Or(row.Serial, other.Serial)
	}
}

// whereabouts names the PC by its serial number, else the target.
func (k pcKey) whereabouts(row *fleetRow) string {
	if k.serial != "" {
		return "pc " + k.serial
	}
	return "target " + row.Target
}
