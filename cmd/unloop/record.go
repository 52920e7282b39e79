package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
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
	s := e.recordSheet(rep, r, t)
	page, err := e.sheetHTML(s)
	if err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	files := map[string][]byte{
		"report.json": append(text, '\n'),
		"report.txt":  windowsText(e.sheetText(s, t)),
		"report.html": page,
	}
	diff := ""
	if r != nil {
		diff = r.diffs()
	}
	files["diff.txt"] = []byte(diff) // the format is stable, to the byte
	if failed != nil {
		files["dmesg.txt"] = failed
	}
	return files, nil
}
