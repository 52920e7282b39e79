package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fleetOf is a folder of records as a workshop has them: PCs that were repaired with
// sticks, looked at, refused; the first real, the others made from it.
type fleetOf struct {
	*testing.T
	*env
	dir   string
	model *targetResult // a repair
	seen  *targetResult // a scan
}

func newWorkshop(t *testing.T, lang string) *fleetOf {
	t.Helper()
	e, seen := reported(t, lang, "scan")
	_, model := reportOn(t, lang, "repair", "pc.img", "backups")
	f := &fleetOf{t, e, "records", model, seen}
	f.env.run = "20261125T012000Z-k3v5m2qa"
	f.now = func() time.Time { return time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC) }
	return f
}

// target copies a result, for a PC of its own; change may do more.
func (f *fleetOf) target(of *targetResult, pc string, serial int, at string, change func(t *targetResult, r *result)) *targetResult {
	f.Helper()
	text, err := json.Marshal(of)
	if err != nil {
		f.Fatal(err)
	}
	t := new(targetResult)
	if err := json.Unmarshal(text, t); err != nil {
		f.Fatal(err)
	}
	r := t.Installations[0]
	r.Windows.Computer = pc
	t.Volumes[1].Serial = fmt.Sprintf("1C3A5B7D9E2F%04X", serial)
	if t.Time, err = time.Parse(tableTime, at); err != nil {
		f.Fatal(err)
	}
	if change != nil {
		change(t, r)
	}
	return t
}

// calls gives a target another name.
func calls(t *targetResult, name, kind string) {
	for _, r := range t.Installations {
		r.Hive = name + strings.TrimPrefix(r.Hive, t.Target)
	}
	t.Target, t.Path, t.Kind = name, "", kind
	if filepath.IsAbs(name) {
		t.Path = name
	}
}

// refuse lets the work end with an error.
func (f *fleetOf) refuse(r *result, err error) {
	r.Edits, r.Backup, r.Update, r.Crosscheck = nil, "", nil, ""
	r.fail(f.env, err)
	r.Error.Hint = "as it was then"
}

// stick writes the record of a stick, as the stick does.
func (f *fleetOf) stick(t *targetResult, m machine, word, reason string) string {
	f.Helper()
	r := &result{}
	if len(t.Installations) > 0 {
		calls(t, "/dev/sda", "device")
		r = t.Installations[0]
		if r.Backup != "" {
			r.Backup = "/stick/records/x"
		}
	}
	rep := &stickReport{
		Tool: t.Tool, Kernel: "6.1.0-44-686-pae", Time: t.Time.Format(tableTime), Machine: m, Mode: modeAsk, Result: word, Reason: reason,
		Stages: []stageTime{{"devices", seconds(4 * time.Second)}, {stageApply, seconds(250 * time.Millisecond)}}, Targets: []*targetResult{t},
	}
	t.Schema, t.Tool, t.Time = "", "", time.Time{}
	if len(t.Installations) == 0 {
		r = nil
	}
	files, err := f.recordFiles(rep, r, nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	if err := checkJSON(files["report.json"]); err != nil {
		f.Fatal(err)
	}
	computer := ""
	if r != nil {
		if r.Windows != nil {
			computer = r.Windows.Computer
		}
		if r.Backup != "" {
			files["manifest.json"] = []byte("{}")
		}
	}
	at, _ := time.Parse(tableTime, rep.Time)
	dir := filepath.Join(f.dir, recordName(at, computer, m.Serial))
	if err := writeRecord(dir, files); err != nil {
		f.Fatal(err)
	}
	return dir
}

// run writes the folder of a run with --report, or appends to a file of JSON Lines.
func (f *fleetOf) run(t *targetResult, lines string) {
	f.Helper()
	text, err := json.Marshal(t)
	if err == nil {
		err = checkJSON(text)
	}
	if err != nil {
		f.Fatal(err)
	}
	if lines == "" {
		f.env.err = new(strings.Builder)
		if err := f.writeReport(t, f.dir, false); err != nil {
			f.Fatal(err)
		}
		return
	}
	f.write(lines, append(text, '\n'))
}

// write appends to a file of the folder.
func (f *fleetOf) write(name string, data []byte) {
	f.Helper()
	err := os.MkdirAll(f.dir, 0o755)
	if err == nil {
		var file *os.File
		if file, err = os.OpenFile(filepath.Join(f.dir, name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666); err == nil {
			_, err = file.Write(data)
			err = errors.Join(err, file.Close())
		}
	}
	if err != nil {
		f.Fatal(err)
	}
}

// workshop is a folder with some of everything.
func (f *fleetOf) workshop() *fleetOf {
	f.Helper()
	const maker = "FUJITSU"
	f.stick(f.target(f.seen, "KEIRI-02", 2, "2026-11-24 09:12:40", func(t *targetResult, r *result) { t.Verb, r.Status = "repair", statusLeft }), machine{maker, "ESPRIMO D582/F", "YLAB002117", ""}, resultLeft, "")
	f.stick(f.target(f.model, "KEIRI-02", 2, "2026-11-24 09:15:05", nil), machine{maker, "ESPRIMO D582/F", "YLAB002117", ""}, resultRepaired, "")
	f.stick(f.target(f.model, "KEIRI-01", 1, "2026-11-24 09:31:44", func(_ *targetResult, r *result) {
		r.Replay = &replayResult{Why: "sequence numbers 41 and 40 differ", Log: "SYSTEM.LOG1", Sectors: 12, Edits: []logEdit{}}
	}), machine{maker, "ESPRIMO D582/F", "YLAB002098", ""}, resultRepaired, "")
	f.stick(f.target(f.model, "GENBA-07", 7, "2026-11-24 10:02:19", func(t *targetResult, r *result) {
		t.Volumes[1].Hibernated = "hibr"
		f.refuse(r, explanationFor(f.T, "hibernated"))
	}), machine{"NEC", "MK32ME-G", "3Y0012345", ""}, resultFailed, "as it was then")
	f.stick(f.target(f.model, "SEKKEI-03", 9, "2026-11-24 11:47:00", func(_ *targetResult, r *result) { r.Edits = r.Edits[:2] }), machine{"Dell Inc.", "OptiPlex 790", "7XK2P4J", ""}, resultRepaired, "")
	f.stick(&targetResult{Verb: "repair", Target: "", Installations: []*result{}, Tool: f.model.Tool, Time: time.Date(2026, 11, 24, 13, 5, 10, 0, time.UTC)},
		machine{"HP", "Compaq 6200 Pro", "JPA1290QW2", ""}, resultFailed, "no disk was found beside the stick")
	f.run(f.target(f.seen, "SOUKO-PC", 12, "2026-11-25 01:20:00", func(t *targetResult, r *result) { calls(t, "/srv/vm/souko.img", "image") }), "")
	f.run(f.target(f.model, "SOUKO-PC", 12, "2026-11-25 01:24:30", func(t *targetResult, r *result) {
		calls(t, "/srv/vm/souko.img", "image")
		r.Backup = "/srv/backups/20261125T012430Z-k3v5m2qa/souko.img-01-0c1d2e3f"
	}), "batch.jsonl")
	f.run(f.target(f.seen, "UKETSUKE", 14, "2026-11-25 01:24:31", func(t *targetResult, r *result) {
		calls(t, "/srv/vm/uketsuke.img", "image")
		r.Repaired = true
		for i := range r.Override {
			r.Override[i].Override, r.Override[i].Mask, r.Override[i].Active = "dword:00000003", "dword:00000003", true
		}
	}), "batch.jsonl")
	f.run(f.target(f.seen, "KENSA-11", 15, "2026-11-25 01:24:32", func(t *targetResult, r *result) { calls(t, "/srv/vm/kensa-11.img", "image") }), "batch.jsonl")
	f.run(&targetResult{
		Schema: reportSchema, Tool: f.model.Tool, Time: time.Date(2026, 11, 25, 1, 24, 33, 0, time.UTC), Verb: "repair", Target: "/srv/vm/old-xp.img", Exit: exitRefused,
		Installations: []*result{}, Error: &errorResult{"nowindows", exitRefused, "/srv/vm/old-xp.img: no Windows", "h"},
	}, "batch.jsonl")
	return f
}

// hostile is a folder of records that want to break out of a table, of either shape.
func (f *fleetOf) hostile() {
	f.Helper()
	odd := func(t *targetResult, r *result) {
		computer := hostile
		model := *f.model.Installations[0]
		r.findings = model.findings
		full(f.env, r, hostile)
		*r.Windows = model.findings.Windows
		r.Windows.Computer, r.Windows.Name, r.Hive, t.Target = computer, hostile, hostile+r.Hive, hostile
		r.Verdict, r.Reason, r.Backup, r.Crosscheck = hostile, hostile, hostile, hostile
		r.Diagnosis.Reason = statementResult{Key: hostile, Text: hostile}
		r.Edits[0] = editResult{Key: hostile, Name: hostile, Old: hostile, New: hostile}
		r.Error = &errorResult{hostile, 77, hostile, hostile}
		t.Error = r.Error
	}
	for name, of := range map[string]any{
		"run.json": f.target(f.model, "x", 1, "2026-11-24 09:12:40", func(t *targetResult, r *result) { odd(t, r); r.Status = hostile }),
		"stick.json": &stickReport{
			Schema: reportSchema, Tool: hostile, Time: hostile, Machine: machine{hostile, hostile, hostile, hostile}, Mode: hostile, Hive: hostile,
			Result: hostile, Reason: hostile, Targets: []*targetResult{nil, f.target(f.model, "x", 1, "2026-11-24 09:12:40", odd)},
		},
		"none.json":  &stickReport{Schema: reportSchema, Result: hostile, Targets: []*targetResult{}},
		"newer.json": map[string]string{"schema": schemaFamily + hostile},
		"odd.json":   map[string]any{"schema": reportSchema, "verb": hostile, "installations": []any{nil, map[string]any{"refused": []any{nil, hostile}}}},
		"type.json":  map[string]any{"schema": reportSchema, "installations": hostile},
	} {
		text, err := json.Marshal(of)
		if err != nil {
			f.Fatal(err)
		}
		f.write(name, text)
	}
}

// explanationFor is the error of a key.
func explanationFor(t *testing.T, key string) error {
	t.Helper()
	i := slices.IndexFunc(explanations(), func(x explained) bool { return x.key == key })
	if i < 0 {
		t.Fatalf("no error %s", key)
	}
	return explanations()[i].err
}

// table reads the folder and makes the table.
func (f *fleetOf) table(latest bool) *fleetTable {
	f.Helper()
	f.env.err = new(strings.Builder)
	r := f.newFleetReader()
	if err := r.readAll([]string{f.dir}); err != nil {
		f.Fatal(err)
	}
	return r.table(latest)
}
