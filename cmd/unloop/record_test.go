package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// A record is named after the moment, the PC and its serial number, in characters that
// every system takes.
func TestRecordName(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 999, time.UTC)
	for _, test := range []struct{ computer, serial, want string }{
		{"UNLOOP-PC", "YLAB001234", "20260102-030405-UNLOOP-PC-YLAB001234"},
		{"", "", "20260102-030405-unknown-noserial"},
		{"PC 1", "a/b", "20260102-030405-PC_1-a_b"},
		{"事務室の PC", "  ", "20260102-030405-事務室の_PC-noserial"},
	} {
		if got := recordName(now, test.computer, test.serial); got != test.want {
			t.Errorf("recordName(%q, %q) = %q, want %q", test.computer, test.serial, got, test.want)
		}
	}
}

// freshFolder never names what is there, be it a file or a link to nowhere.
func TestFreshFolder(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "x")
	for i, make := range []func(string) error{
		func(path string) error { return os.Mkdir(path, 0o777) },
		func(path string) error { return os.WriteFile(path, nil, 0o666) },
		func(path string) error { return os.Symlink("nowhere", path) },
		func(path string) error { return os.Mkdir(path, 0o777) },
	} {
		got := freshFolder(at)
		if want := []string{at, at + "-2", at + "-3", at + "-4"}[i]; got != want {
			t.Fatalf("freshFolder = %s, want %s", got, want)
		}
		if err := make(got); err != nil {
			t.Fatal(err)
		}
	}
	if got := freshFolder(filepath.Join(dir, "no", "such")); got != filepath.Join(dir, "no", "such") {
		t.Errorf("freshFolder in a folder that is not there = %s", got)
	}
}

// The files of a record are written beside those of a backup, over those of an earlier
// run; what cannot be written is an error.
func TestWriteRecord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "records", "one")
	if err := writeRecord(dir, map[string][]byte{"a": []byte("long before"), "b": {}}); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "SYSTEM"), []byte("kept"))
	if err := writeRecord(dir, map[string][]byte{"a": []byte("now")}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "now", "b": "", "SYSTEM": "kept"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v, want %q", name, got, err, want)
		}
	}
	if err := writeRecord(filepath.Join(dir, "a", "b"), nil); err == nil {
		t.Error("a folder in a file is no error")
	}
	if err := writeRecord(dir, map[string][]byte{"no/such": nil}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file in a folder that is not there: %v", err)
	}
}

// Where nothing was found a record says so, with what the PC is, and without names of
// fields that nobody knows.
func TestRecordOfNothing(t *testing.T) {
	e := testEnv(t)
	for _, test := range []struct {
		machine machine
		want    string // in report.txt; "" for no line of the machine
	}{
		{machine{Vendor: "FUJITSU", Product: "ESPRIMO", Serial: "1"}, "Machine:  FUJITSU ESPRIMO, serial number 1\r\n"},
		{machine{Product: "ESPRIMO"}, "Machine:  ESPRIMO, serial number ?\r\n"},
		{machine{BIOS: "6.00"}, "Machine:  ?, serial number ?\r\n"},
		{machine{}, ""},
	} {
		rep := &stickReport{Tool: "unloop 1", Time: "2026-01-02 03:04:05", Machine: test.machine, Mode: modeAuto, Result: resultFailed, Reason: "no disk"}
		files, err := e.recordFiles(rep, nil, nil, []byte("the log"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"diff.txt", "dmesg.txt", "report.html", "report.json", "report.txt"}, keysOfFiles(files)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		text := string(files["report.txt"])
		for _, want := range []string{"Date:     2026-01-02 03:04:05 (", "Result:   NOT REPAIRED\r\n", "Reason:   no disk\r\n", "Written by unloop 1\r\n", test.want} {
			if !strings.Contains(text, want) {
				t.Errorf("%+v: no %q in %s", test.machine, want, text)
			}
		}
		if test.want == "" && strings.Contains(text, "Machine:") || strings.Contains(text, "%!") || strings.Contains(text, "PC:") {
			t.Errorf("%+v: %s", test.machine, text)
		}
		var back stickReport
		if err := json.Unmarshal(files["report.json"], &back); err != nil || back.Machine != test.machine || back.Reason != "no disk" || back.Hive != "" {
			t.Errorf("report.json: %v\n%s", err, files["report.json"])
		}
	}
}

func keysOfFiles(m map[string][]byte) (keys []string) {
	for _, name := range []string{"diff.txt", "dmesg.txt", "manifest.json", "report.html", "report.json", "report.txt"} {
		if _, ok := m[name]; ok {
			keys = append(keys, name)
		}
	}
	return keys
}

// A record in Japanese is Japanese, from the title to the hints.
func TestRecordInJapanese(t *testing.T) {
	e := testEnv(t)
	e.lang = "ja"
	r := &result{Hive: "/dev/sda:2/Windows/System32/config/SYSTEM", Status: statusRefused}
	r.fail(e, errStickReadOnly)
	rep := &stickReport{Result: resultFailed}
	files, err := e.recordFiles(rep, r, &targetResult{Target: "/dev/sda", Installations: []*result{r}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(files["report.txt"])
	for _, want := range []string{message("ja", "rec.title", 1), "結果:     修復していません（NOT REPAIRED）", message("ja", "hint.stickreadonly", 1)} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if files["dmesg.txt"] != nil || len(files["diff.txt"]) != 0 || rep.Hive != r.Hive || !utf8.ValidString(text) {
		t.Errorf("files: %q", files)
	}
}
