package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"unloop/hive"
)

// recordsFolder is where the stick keeps its records, beside unloop.toml.
const recordsFolder = "records"

// stickReport is report.json of a record: the run, and every disk that was looked at.
type stickReport struct {
	Schema  string          `json:"schema"`
	Tool    string          `json:"tool"`
	Kernel  string          `json:"kernel"`
	Time    string          `json:"time"` // by the PC's clock, whose zone the stick does not know
	Machine machine         `json:"machine"`
	Mode    string          `json:"mode"`
	Hive    string          `json:"hive,omitempty"` // the installation this record is about
	Result  string          `json:"result"`
	Reason  string          `json:"reason,omitempty"`
	Stages  []stageTime     `json:"stages"`
	Targets []*targetResult `json:"targets"`
}

// recordTime spells the PC's clock for names of folders.
const recordTime = "20060102-150405"

// recordName names the record of one PC: date, PC name, BIOS serial number.
func recordName(now time.Time, computer, serial string) string {
	return fmt.Sprintf("%s-%s-%s", now.Format(recordTime), fileWord(computer, "unknown"), fileWord(serial, "noserial"))
}

// freshFolder is dir, or dir-2, dir-3 … if it is there already.
func freshFolder(dir string) string {
	for i := 1; ; i++ {
		name := dir
		if i > 1 {
			name = fmt.Sprintf("%s-%d", dir, i)
		}
		if _, err := os.Lstat(name); err != nil {
			return name
		}
	}
}

// writeRecord writes the files of a record beside the backup, if there is one, and sees
// to it that they are on the medium.
func writeRecord(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	for name, data := range files {
		if err := writeDurably(filepath.Join(dir, name), data); err != nil {
			return fmt.Errorf("writing the record: %w", err)
		}
	}
	for _, folder := range []string{dir, filepath.Dir(dir)} {
		if err := syncFolder(folder); err != nil {
			return fmt.Errorf("writing the record: %w", err)
		}
	}
	return nil
}

func writeDurably(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// windowsText gives a text the line ends that Windows' Notepad needs: a record is read
// where the stick is plugged in next.
func windowsText(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

// recordText is report.txt: what a customer can read.
func (e *env) recordText(rep *stickReport, r *result, t *targetResult) string {
	var b strings.Builder
	line := func(key string, args ...any) { b.WriteString(e.text(key, args...) + "\n") }
	line("rec.title")
	b.WriteString("\n")
	line("rec.date", rep.Time)
	if r != nil && r.Windows != nil {
		line("rec.pc", orUnknown(r.Windows.Computer))
		line("rec.windows", r.Windows, r.Hive)
	}
	if rep.Machine != (machine{}) {
		line("rec.machine", orUnknown(rep.Machine.String()), orUnknown(rep.Machine.Serial))
	}
	if r != nil && r.findings != nil {
		line("rec.verdict", e.verdict(r.findings), e.reason(r.findings))
	}
	line("rec.result", e.text("result."+rep.Result))
	if rep.Reason != "" {
		line("rec.reason", rep.Reason)
	}
	if r != nil && (r.Status == statusRepaired || r.Status == statusUndone) {
		e.recordDone(line, r)
	}
	if t != nil {
		var account bytes.Buffer
		e.account(&account, t, false)
		b.WriteString("\n" + e.text("rec.account") + "\n\n" + account.String())
	}
	b.WriteString("\n")
	line("rec.tool", rep.Tool)
	return b.String()
}

// recordDone says what was done, what it costs, and the way back.
func (e *env) recordDone(line func(string, ...any), r *result) {
	if r.Update != nil {
		line("rec.written", r.Update.Sectors, r.Crosscheck)
	}
	line("rec.backup")
	if r.Status == statusUndone {
		return
	}
	line("rec.undo")
	if hasFix(r, hive.FixOverride) {
		line("price.override")
	}
	if hasFix(r, hive.FixDrivers) {
		line("price.drivers")
	}
}

// recordFiles makes the files of a record. about is the installation it is of, nil when
// none was found; failed adds the kernel's log and ours.
func (e *env) recordFiles(rep *stickReport, r *result, t *targetResult, failed []byte) (map[string][]byte, error) {
	rep.Schema = reportSchema
	rep.Stages, rep.Targets = append([]stageTime{}, rep.Stages...), append([]*targetResult{}, rep.Targets...) // never null
	if r != nil {
		rep.Hive = r.Hive
	}
	text, err := json.MarshalIndent(rep, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	files := map[string][]byte{
		"report.json": append(text, '\n'),
		"report.txt":  windowsText(e.recordText(rep, r, t)),
	}
	diff := ""
	if r != nil {
		diff = r.diffText
	}
	files["diff.txt"] = []byte(diff) // the format is stable, to the byte
	if failed != nil {
		files["dmesg.txt"] = failed
	}
	return files, nil
}
