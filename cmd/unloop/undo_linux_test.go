package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// U takes the repair back with what is on the stick, to the byte, and says so.
func TestRescueUndoes(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "<enter>", "u", "<enter>", "p")
	if got := b.ask(); got != nextPowerOff {
		t.Errorf("ask = %v", got)
	}
	b.allRead()
	b.untouched("sda") // the repaired disk became the first one again
	if b.inside {
		t.Error("the stick is still mounted")
	}
	b.mustSay("unloop: result: REPAIRED", "unloop: result: UNDONE")
	all := b.records()
	if len(all) != 2 || !slices.Equal(keysOf(all[firstRecord+"-2"]), fullRecord) {
		t.Errorf("the records are %q, the second one holds %q", keysOf(all), keysOf(all[firstRecord+"-2"]))
	}
	if r := report(t, all[firstRecord+"-2"]); r.Result != "UNDONE" || r.Targets[0].Installations[0].Status != "undone" {
		t.Errorf("report.json: %+v", r)
	}
	if text := all[firstRecord+"-2"]["report.txt"]; !strings.Contains(text, "Result:   UNDONE") || strings.Contains(text, "Spectre") {
		t.Errorf("report.txt: %s", text)
	}
}

// Without a backup that belongs to the PC there is nothing to undo; that is no end, and
// nothing is written. Undone once is not offered again.
func TestRescueNothingToUndo(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "u", "x", "<enter>")
	if got := b.ask(); got != nextLook {
		t.Errorf("ask = %v, want another look", got)
	}
	b.allRead()
	b.untouched("sda")
	if page := b.page(-1); !strings.HasPrefix(strings.TrimLeft(page, "\n"), " unloop: nothing to undo\n") || len(b.records()) != 0 {
		t.Errorf("records %q, the page is\n%s", keysOf(b.records()), page)
	}
	b = newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "<enter>", "u", "<enter>", "u", "<enter>")
	b.ask()
	b.allRead()
	if page := b.page(-1); !strings.HasPrefix(strings.TrimLeft(page, "\n"), " unloop: nothing to undo\n") {
		t.Errorf("the last page is\n%s", page)
	}
}

// Of two repairs one can be taken back and the other kept.
func TestRescueUndoesOne(t *testing.T) {
	second := sickHive(t, "\n[ControlSet001\\Control\\ComputerName\\ComputerName]\n\"ComputerName\"=\"SECOND\"\n")
	for _, test := range []struct {
		press    []string
		want     next
		sda, sdc string
	}{
		{[]string{"<enter>", "<enter>", "u", "<enter>", "n", "p"}, nextPowerOff, "2", "4"},
		{[]string{"<enter>", "<enter>", "u", "n", "<enter>", "p"}, nextPowerOff, "4", "2"},
		{[]string{"<enter>", "<enter>", "u", "n", "n", "p"}, nextPowerOff, "4", "4"},
		{[]string{"<enter>", "<enter>", "u", "b"}, nextLook, "4", "4"},
		{[]string{"<enter>", "<enter>", "u", "<enter>", "b"}, nextLook, "2", "4"},
		{[]string{"<enter>", "u", "<enter>", "p"}, nextPowerOff, "2", "2"}, // the second was not repaired
	} {
		b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{}), "sdc": deskDisk(t, diskOptions{hive: second})}, test.press...)
		if got := b.ask(); got != test.want {
			t.Errorf("%q: ask = %v, want %v", test.press, got, test.want)
		}
		b.allRead()
		for disk, want := range map[string]string{"sda": test.sda, "sdc": test.sdc} {
			if got := b.start(disk, "haspnt"); got != "dword:0000000"+want {
				t.Errorf("%q: Haspnt's Start on %s is %s, want %s", test.press, disk, got, want)
			}
		}
		if done := strings.Count(strings.Join(test.press, ""), "<enter>"); len(b.records()) < done {
			t.Errorf("%q: %d records of %d writes", test.press, len(b.records()), done)
		}
		if test.want == nextLook && !b.inside {
			t.Errorf("%q: the stick is not mounted for another look", test.press)
		}
	}
}

// Of several backups that may belong to a changed hive a person chooses one.
func TestRescueWhichBackup(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "<enter>", "p")
	b.ask()
	if err := os.CopyFS("stick/records/another", os.DirFS(filepath.Join("stick/records", firstRecord))); err != nil {
		t.Fatal(err)
	}
	// Windows has run meanwhile: something else has changed.
	if code, _, stderr := unloop("repair", "--yes", "--crosscheck", "off", "--backup", "elsewhere", "--fix", "drivers", "--service", "akshasp", "dev/sda"); code != 0 {
		t.Fatal(stderr)
	}
	b.rescue, b.board = b.newRescue(), keyboard{pressing("u", "3", "2", "<enter>", "p")}
	b.ask()
	b.allRead()
	b.mustSay("unloop: result: UNDONE")
	for service, want := range map[string]string{"haspnt": "dword:00000002", "akshasp": "dword:00000004"} {
		if got := b.start("sda", service); got != want {
			t.Errorf("Start of %s is %s, want %s", service, got, want)
		}
	}
	if which := b.page(-3); !strings.Contains(which, "several repairs") || !strings.Contains(which, "2  2026-11-24 15:04") {
		t.Errorf("the page that asks is\n%s", which)
	}
}

// An undo whose backup is damaged says so, and leaves the disk alone.
func TestRescueNotUndone(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "<enter>", "p")
	b.ask()
	if err := os.Remove(filepath.Join("stick/records", firstRecord, "SYSTEM")); err != nil {
		t.Fatal(err)
	}
	b.rescue, b.board = b.newRescue(), keyboard{pressing("u", "p")}
	b.ask()
	b.allRead()
	if said := b.said(); !strings.Contains(said, "unloop: result: NOT UNDONE: ") || !strings.Contains(said, "hint: the folder in records is not complete") {
		t.Errorf("the log is\n%s", said)
	}
	if got := b.start("sda", "haspnt"); got != "dword:00000004" {
		t.Errorf("Start of haspnt is %s", got)
	}
}
