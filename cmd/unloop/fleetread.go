package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Why a record is not in the table.
var (
	errNoRecords     = errors.New("no records of unloop")
	errDamagedRecord = errors.New("the record is damaged")
	errOtherRecord   = errors.New("the record is of another version of unloop")
)

// Bounds of a folder of records.
const (
	maxRecordDepth = 32 // folders below the one that was named
	schemaFamily   = "unloop/report/"
)

// recordProblem is a file, or a line of one, that is not in the table.
type recordProblem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"` // of JSON Lines
	Problem string `json:"problem"`        // "damaged", "torn", "newer", "unreadable", "nothing"
	Detail  string `json:"detail"`
}

// What may be wrong with a record.
const (
	problemDamaged    = "damaged"
	problemTorn       = "torn" // the last line of JSON Lines breaks off, as when its writer was killed
	problemVersion    = "other version"
	problemUnreadable = "unreadable"
	problemNothing    = "nothing" // no record at all
)

// fleetReader collects the records in folders and files. It writes nowhere.
type fleetReader struct {
	*env
	rows     []*fleetRow
	records  int
	twice    int // records that were there before
	problems []recordProblem
	seen     map[[sha256.Size]byte]bool
	files    []fs.FileInfo // that hold records
}

func (e *env) newFleetReader() *fleetReader {
	return &fleetReader{env: e, seen: map[[sha256.Size]byte]bool{}, problems: []recordProblem{}}
}

// readAll reads what was named. The error is that of an interruption.
func (f *fleetReader) readAll(named []string) error {
	for _, name := range named {
		before, problems := f.records+f.twice, len(f.problems)
		if err := f.readNamed(name); err != nil {
			return err
		}
		told := slices.ContainsFunc(f.problems[problems:], func(p recordProblem) bool { return p.Problem != problemTorn })
		if f.records+f.twice == before && !told {
			f.trouble(name, 0, problemNothing, errNoRecords)
		}
	}
	return nil
}

func (f *fleetReader) readNamed(name string) error {
	defer f.busy(stageDiscover, name)()
	info, err := os.Stat(name)
	switch {
	case err != nil:
		f.trouble(name, 0, problemUnreadable, err)
	case info.IsDir():
		return f.walk(name)
	case info.Mode().IsRegular():
		f.readFile(name)
	default:
		f.trouble(name, 0, problemNothing, fmt.Errorf("%w: neither a folder nor an ordinary file", errNoRecords))
	}
	return f.interrupted()
}

// walk reads the files below a folder that may hold records. Links are not followed.
func (f *fleetReader) walk(root string) error {
	return fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		at := filepath.Join(root, filepath.FromSlash(path))
		if err := f.interrupted(); err != nil {
			return err
		}
		switch {
		case err != nil:
			f.trouble(at, 0, problemUnreadable, err)
			return fs.SkipDir
		case d.IsDir() && strings.Count(path, "/") >= maxRecordDepth:
			f.trouble(at, 0, problemUnreadable, fmt.Errorf("%w: %d folders deep", errNoRecords, maxRecordDepth))
			return fs.SkipDir
		case d.Type().IsRegular() && mayHoldRecords(d.Name()):
			f.readFile(at)
		}
		return nil
	})
}

func mayHoldRecords(name string) bool {
	return slices.Contains([]string{".json", ".jsonl", ".ndjson"}, strings.ToLower(filepath.Ext(name)))
}

// readFile reads the records of a file, if it has any.
func (f *fleetReader) readFile(path string) {
	file, err := os.Open(path)
	if err != nil {
		f.trouble(path, 0, problemUnreadable, err)
		return
	}
	defer file.Close() // only read from
	before := f.records + f.twice
	f.readStream(path, file)
	if info, err := file.Stat(); err == nil && f.records+f.twice > before {
		f.files = append(f.files, info)
	}
}

// readStream reads records, and stops at the first piece of a file that is not unloop's.
func (f *fleetReader) readStream(path string, in io.Reader) {
	ours, p := false, newPieces(in)
	for f.interrupted() == nil && p.next() {
		if is := f.piece(path, p, ours); !is && !ours {
			break // somebody else's file
		}
		ours = true
	}
	switch {
	case p.err != nil:
		f.trouble(path, 0, problemUnreadable, fmt.Errorf("%w: %w", errDamagedRecord, p.err)) // whatever else a read error means
	case !ours && p.text == nil && strings.EqualFold(filepath.Base(path), "report.json"):
		f.trouble(path, 0, problemDamaged, fmt.Errorf("%w: the file is empty", errDamagedRecord))
	}
}

// recordHead tells what a JSON object is.
type recordHead struct {
	Schema        string          `json:"schema"`
	Machine       json.RawMessage `json:"machine"`
	Targets       json.RawMessage `json:"targets"`
	Installations json.RawMessage `json:"installations"`
	Seconds       float64         `json:"seconds"` // that the work on a target took, if it was measured
}

// piece takes the record in a piece of a file, and says whether it is one of unloop's, be
// it damaged. ours: others in this file are.
func (f *fleetReader) piece(path string, p *pieces, ours bool) bool {
	line := p.at
	if line == 1 && bytes.Contains(bytes.TrimSpace(p.text), []byte("\n")) {
		line = 0 // a file of its own
	}
	var head recordHead
	err := json.Unmarshal(p.text, &head)
	claims := ours || bytes.Contains(p.text[:min(len(p.text), 4096)], []byte(schemaFamily)) || strings.EqualFold(filepath.Base(path), "report.json") && !json.Valid(p.text)
	switch {
	case p.large && claims:
		f.trouble(path, line, problemDamaged, fmt.Errorf("%w: longer than %d MiB", errDamagedRecord, maxRecord>>20))
	case err != nil && !claims:
		return false
	case err != nil && p.open && p.text[0] == '{':
		f.trouble(path, line, problemTorn, fmt.Errorf("%w: the last line breaks off", errDamagedRecord))
	case err != nil:
		f.trouble(path, line, problemDamaged, fmt.Errorf("%w: %w", errDamagedRecord, err))
	case head.Schema == reportSchema:
		f.record(path, line, p.text, head)
	case strings.HasPrefix(head.Schema, schemaFamily):
		f.trouble(path, line, problemVersion, fmt.Errorf("%w: %q, this one reads %s", errOtherRecord, head.Schema, reportSchema))
	default:
		return ours
	}
	return true
}

// record reads a record of either shape. A comparison of hives is neither.
func (f *fleetReader) record(path string, line int, text []byte, head recordHead) {
	src := recordSource{path: path, line: line, seconds: max(0, head.Seconds)}
	var of any
	switch {
	case head.Machine != nil && head.Targets != nil:
		src.stick = new(stickReport)
		of = src.stick
	case head.Installations != nil:
		src.run = new(targetResult)
		of = src.run
	default:
		return
	}
	err := json.Unmarshal(text, of)
	src.tidy()
	var sum [sha256.Size]byte
	if err == nil {
		sum, err = src.sum()
	}
	switch {
	case err != nil:
		f.trouble(path, line, problemDamaged, fmt.Errorf("%w: %w", errDamagedRecord, err))
	case f.seen[sum]:
		f.twice++
	default:
		f.seen[sum] = true
		f.records++
		f.rows = append(f.rows, f.fleetRows(src)...)
	}
}

// sum is the same of what tells the same: the line of a run and its report.json, which are
// spelt differently, a file that was copied twice, a target that a later run passed over.
func (src recordSource) sum() ([sha256.Size]byte, error) {
	var what any = src.stick
	if t := src.run; t != nil {
		what = targetResult{
			Tool: t.Tool, Time: t.Time, Verb: t.Verb, Target: t.Target, Path: t.Path, DryRun: t.DryRun, Exit: t.Exit,
			Volumes: t.Volumes, Problems: t.Problems, Installations: t.Installations, Error: t.Error,
		}
	}
	text, err := json.Marshal(what)
	return sha256.Sum256(text), err
}

// trouble notes what is not in the table, and says so.
func (f *fleetReader) trouble(path string, line int, problem string, err error) {
	f.problems = append(f.problems, recordProblem{path, line, problem, oneLine(err)})
	if problem == problemTorn {
		f.note("fleet.torn", where(path, line))
		return
	}
	f.worst = worse(f.worst, f.complain(where(path, line), err))
}

// where names a file, and a line of it if that is given.
func where(path string, line int) string {
	if line == 0 {
		return path
	}
	return fmt.Sprintf("%s:%d", path, line)
}

// tidy leaves out what no unloop writes: nothing in place of a result.
func (src recordSource) tidy() {
	if src.stick != nil {
		src.stick.Targets = slices.DeleteFunc(src.stick.Targets, func(t *targetResult) bool { return t == nil })
	}
	for _, t := range src.targets() {
		t.Installations = slices.DeleteFunc(t.Installations, func(r *result) bool { return r == nil })
		for _, r := range t.Installations {
			r.Refused = slices.DeleteFunc(r.Refused, func(o objection) bool { return o.error == nil })
		}
	}
}
