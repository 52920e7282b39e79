package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"unloop/hive"
)

// quietReader reads in memory.
func quietReader(t testing.TB) *fleetReader {
	e := newEnv(nil, strings.NewReader(""), io.Discard, io.Discard)
	e.lang, e.ctx = "en", t.Context()
	return e.newFleetReader()
}

// Ctrl-C ends the reading, and there is no table of a half.
func TestReportInterrupted(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "report.json"), []byte(`{"schema":"unloop/report/1","verb":"scan","target":"x","installations":[]}`))
	for _, cancelled := range []bool{false, true} {
		var out bytes.Buffer
		r := quietReader(t)
		r.out = &out
		ctx, cancel := context.WithCancel(t.Context())
		r.ctx = ctx
		if cancelled {
			cancel()
		}
		err := r.runReport([]string{dir}, fleetOptions{format: "json"})
		if errors.Is(err, errInterrupted) != cancelled || (out.Len() == 0) != cancelled {
			t.Errorf("cancelled %v: %v, %s", cancelled, err, &out)
		}
		cancel()
	}
}

// FuzzFleet holds for every file: nothing panics, what is not ours is passed over in
// silence, and what is made of the rest is written so that no terminal obeys it.
func FuzzFleet(f *testing.F) {
	run := `{"schema":"unloop/report/1","tool":"unloop 1","time":"2026-11-24T15:04:05Z","verb":"repair","target":"x","exit":0,"volumes":[{"partition":2,"serial":"00"}],` +
		`"installations":[{"hive":"x:2/W/SYSTEM","status":"repaired","windows":{"name":"Windows 7","computer":"=A"},"verdict":"affected","alreadyRepaired":false,` +
		`"override":[{"controlSet":"ControlSet001","featureSettingsOverride":"dword:00000003"}],"refused":["no",null],"edits":[{"key":"k","name":"Start","new":"dword:4"}]},null]}`
	stick := `{"schema":"unloop/report/1","machine":{"serial":"1"},"time":"2026-11-24 15:04:05","mode":"ask","hive":"x:2/W/SYSTEM","result":"NOT REPAIRED","stages":[{"stage":"apply","seconds":1.5}],"targets":[null,` + run + `]}`
	for _, seed := range []string{run, stick, run + "\n" + stick + "\n" + run[:100], "{\n" + run[1:], strings.Replace(run, "/1", "/2", 1), `{"schema":"unloop/report/1","installations":{}}`, utf16Text(run)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := quietReader(t)
		r.readStream("f.json", bytes.NewReader(data))
		if len(r.rows) == 0 {
			return
		}
		table := r.table(false)
		for _, row := range table.Rows {
			if row.PC < 1 || row.Record != "f.json" || row.Outcome == "" {
				t.Errorf("%+v", row)
			}
		}
		for _, format := range []string{"text", "csv", "json"} { // a page takes long; it has tests of its own
			text, err := r.tableAs(format, table)
			if err != nil {
				t.Fatal(err)
			}
			text = strings.TrimPrefix(text, "\ufeff")
			for _, c := range text {
				if unprintable(c) && !strings.ContainsRune("\r\n\t", c) && c != '\ufffd' {
					t.Fatalf("%s holds %U", format, c)
				}
			}
		}
	})
}

// Ten thousand records make a table in seconds.
func BenchmarkFleet(b *testing.B) {
	record, err := json.Marshal(targetResult{
		Schema: reportSchema, Tool: "unloop 1", Time: time.Date(2026, 11, 24, 15, 4, 5, 0, time.UTC), Verb: "repair", Target: "TARGET", Kind: "image",
		Installations: []*result{{
			Hive: "TARGET:2/Windows/System32/config/SYSTEM", Status: statusRepaired, Windows: &hive.Windows{Name: "Windows 7", Computer: "PC"}, Verdict: hive.Affected,
			Diagnosis: &diagnosisResult{Evidence: slices.Repeat([]statementResult{{Key: "diag.machine.fits", Text: strings.Repeat("evidence ", 20)}}, 60)},
			Edits:     slices.Repeat([]editResult{{Key: `ControlSet001\services\Haspnt`, Name: "Start", Old: "dword:00000002", New: "dword:00000004"}}, 8),
		}},
	})
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	for file := range 10 {
		var lines bytes.Buffer
		for i := range 1000 {
			lines.Write(bytes.ReplaceAll(record, []byte("TARGET"), fmt.Appendf(nil, "/srv/%d-%d.img", file, i)))
			lines.WriteByte('\n')
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.jsonl", file)), lines.Bytes(), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	for _, format := range []string{"text", "csv", "json", "html"} {
		b.Run(format, func(b *testing.B) {
			b.SetBytes(int64(len(record)) * 10000)
			for b.Loop() {
				r := quietReader(b)
				if err := r.readAll([]string{dir}); err != nil || r.records != 10000 {
					b.Fatal(err, r.records)
				}
				if _, err := r.tableAs(format, r.table(true)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
