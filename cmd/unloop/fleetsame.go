package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"unloop/image"
)

// pcKey is what tells a Windows from all others.
type pcKey struct {
	place    string // of a disk: serial number of the volume, and path on it; else where the hive is
	computer string
	serial   string // of the PC
	bare     bool   // a target without a Windows
	alone    bool   // nothing tells whether another record is of the same
	own      int    // the number of such a row
}

// key tells which Windows a row is about. PCs that were cloned from one disk have the same
// volume serial number, and files may be copies of each other, so that names count, too.
// What it cannot tell makes a PC of its own: one too many is seen, one too few is a PC that
// nobody repairs.
func (s subject) key() (k pcKey) {
	if s.rec != nil {
		k.serial = s.rec.Machine.Serial
	}
	path, file := s.t.absolute(), s.file()
	if s.r == nil {
		k.bare, k.place = true, cmp.Or(path, s.t.Target)
		k.alone = k.serial == "" && file == ""
		return k
	}
	if s.r.Windows != nil {
		k.computer = strings.ToUpper(s.r.Windows.Computer)
	}
	inside := strings.TrimLeft(strings.TrimPrefix(s.r.Hive, s.t.Target), `:/\`)
	k.place = cmp.Or(path, s.t.Target) + ":" + inside
	known := path != ""
	if v := s.volume(); v.Serial != "" && v.SameSerial == "" && s.onDevice() {
		_, path, _ := strings.Cut(strings.TrimPrefix(s.r.Hive, s.t.Target+":"), "/")
		k.place, known = v.Serial+"/"+strings.ToLower(path), true
	}
	k.alone = k.serial == "" && (!known || file == "" && k.computer == "")
	return k
}

// file is the target's absolute path if it is a file, which stays what it is. It is empty
// for devices and folders, where another PC's disk is found under the same name tomorrow,
// and for a relative name, which may be of any folder.
func (s subject) file() string {
	if s.onDevice() || s.t.Kind == image.KindFolder.String() {
		return ""
	}
	return s.t.absolute()
}

func (s subject) onDevice() bool {
	path := s.t.absolute()
	below := strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, `\\.\`) || len(path) == len(`C:\`) && strings.HasSuffix(path, `:\`)
	return s.rec != nil || s.t.Kind == image.KindDevice.String() || s.t.Kind == "" && below
}

// absolute is the target by its absolute path; "" if the record does not tell. It may have
// been written on another system than this one.
func (t *targetResult) absolute() string {
	if t.Path == "" && t.Resume != nil {
		return t.Resume.Path
	}
	if name := t.Target; t.Path == "" && (strings.HasPrefix(name, "/") || strings.HasPrefix(name, `\\`) || len(name) > 2 && name[1:3] == `:\`) {
		return name
	}
	return t.Path
}

// settle numbers the rows that stand alone, and gives others whose PC's name was not read
// that of the only PC that their Windows can belong to: an undo does not read it, nor does
// a repair that fails early. On a disk that takes the PC's serial number, as clones agree
// in all else.
func (f *fleetReader) settle() {
	names := map[string]spellings{}
	at := func(row *fleetRow) string { return row.key.place + "\x00" + row.key.serial }
	for i, row := range f.rows {
		if row.key.alone {
			row.key.own = i + 1
			continue
		}
		noted(names, at(row), row.key.computer, row.Computer)
	}
	for _, row := range f.rows {
		if name, ok := names[at(row)].only(); ok && row.key.computer == "" && !row.key.alone {
			row.key.computer, row.Computer = name, names[at(row)][name]
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
// Windows is superseded by whatever is newer of the same PC or file.
func (f *fleetReader) number() {
	pcs, latest := map[pcKey][]*fleetRow{}, map[string]string{}
	for _, row := range f.rows {
		if pcs[row.key] == nil {
			row.PC = len(pcs) + 1
		} else {
			row.PC = pcs[row.key][0].PC
		}
		pcs[row.key] = append(pcs[row.key], row)
		if at := row.whereabouts(); at != "" {
			latest[at] = max(latest[at], row.Time)
		}
	}
	for key, rows := range pcs {
		newest := rows[len(rows)-1] // they are in the order of their times
		newest.Newest = !key.bare || newest.Time >= latest[newest.whereabouts()]
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

// whereabouts names the PC by its serial number, else the file; "" if neither is known.
func (row *fleetRow) whereabouts() string {
	switch {
	case row.key.serial != "":
		return "pc " + row.key.serial
	case row.file != "":
		return "file " + row.file
	}
	return ""
}
