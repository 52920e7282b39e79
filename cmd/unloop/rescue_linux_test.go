package main

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// Enter repairs, and the record on the stick holds all there is to know: a report for
// people, one for programs, the diff that a dry run prints, and the way back.
func TestRescueRepairs(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "<enter>", "p")
	code, dryRun, stderr := unloop("repair", "--dry-run", "dev/sda")
	if code != 0 {
		t.Fatalf("unloop repair --dry-run: %d\n%s", code, stderr)
	}
	if got := b.ask(); got != nextPowerOff {
		t.Errorf("ask = %v, want a power-off", got)
	}
	b.allRead()
	if got := b.start("sda", "haspnt"); got != "dword:00000004" {
		t.Errorf("Haspnt's Start is %s", got)
	}
	b.mustSay("unloop: result: REPAIRED", "unloop: report:  record: records/"+firstRecord+" on the stick")
	record := b.record(firstRecord, fullRecord...)
	if record["diff.txt"] != dryRun {
		t.Errorf("diff.txt is not what a dry run prints:\n%s\nbut\n%s", record["diff.txt"], dryRun)
	}
	if !bytes.Equal([]byte(record["SYSTEM"]), sickHive(t, "")) {
		t.Error("SYSTEM in the record is not the hive as it was")
	}
	r := report(t, record)
	if r.Result != "REPAIRED" || r.Mode != "ask" || r.Reason != "" || r.Time != "2026-11-24 15:04:05" || r.Machine["serial"] != "YLAB001234" ||
		len(r.Targets) != 1 || len(r.Targets[0].Installations) != 1 {
		t.Fatalf("report.json: %+v", r)
	}
	in := r.Targets[0].Installations[0]
	if r.Hive != in.Hive || in.Status != "repaired" || in.Crosscheck != "agrees (goodjudge)" || in.Backup != "stick/records/"+firstRecord || len(in.Edits) == 0 {
		t.Errorf("report.json: %+v", in)
	}
	for _, want := range []string{"PC:       UNLOOP-PC\r\n", "Result:   REPAIRED\r\n", "serial number YLAB001234", "Spectre", "+\"Start\"=dword:00000004\r\n"} {
		if !strings.Contains(record["report.txt"], want) {
			t.Errorf("report.txt does not say %q:\n%s", want, record["report.txt"])
		}
	}
	for _, want := range []string{"<h1>UNLOOP-PC</h1>", "<strong>REPAIRED</strong>", "YLAB001234", "Spectre", "<ins>&#43;&#34;Start&#34;=dword:00000004</ins>"} {
		if !strings.Contains(record["report.html"], want) {
			t.Errorf("report.html does not say %q:\n%s", want, record["report.html"])
		}
	}
	if strings.Count(record["report.txt"], "\n") != strings.Count(record["report.txt"], "\r\n") {
		t.Error("report.txt mixes line ends")
	}
}

// A stick that comes late is followed as one that was there at once: another look reads
// its settings.
func TestRescueLateStick(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "<enter>", "<enter>", "<enter>", "p")
	b.stick, b.stickGone, b.inside = nil, errNoStick, false
	writeFile(t, "stick/unloop.toml", []byte("fix = ['override']\r\nkeyboard = 'us'\r\n"))
	if got := b.ask(); got != nextLook {
		t.Fatalf("ask = %v, want another look", got)
	}
	b.untouched("sda")
	if got := b.ask(); got != nextPowerOff {
		t.Fatalf("ask = %v", got)
	}
	b.allRead()
	record := b.record(firstRecord, fullRecord...)
	if diff := record["diff.txt"]; !strings.Contains(diff, "FeatureSettingsOverride") || strings.Contains(diff, "Start") {
		t.Errorf("the repair did not follow the stick's settings:\n%s", diff)
	}
}

// A stick that is not mounted is no place for a backup: its folder is in memory.
func TestRescueNeedsMount(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "<enter>", "p")
	b.inside = false
	b.ask()
	b.allRead()
	b.untouched("sda")
	if all := b.records(); len(all) != 0 {
		t.Errorf("records in memory: %q", keysOf(all))
	}
	if page := b.page(-1); !strings.HasPrefix(strings.TrimLeft(page, "\n"), " NOT REPAIRED\n") || !strings.Contains(page, "No record was written.") {
		t.Errorf("the last page is\n%s", page)
	}
}

// Keys that change nothing leave the disk as it is, and no record.
func TestRescueLeaves(t *testing.T) {
	for key, want := range map[string]next{"r": nextReboot, "p": nextPowerOff, "R": nextReboot} {
		b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "d", "<end>", "<enter>", key)
		if got := b.ask(); got != want {
			t.Errorf("%s: ask = %v, want %v", key, got, want)
		}
		b.allRead()
		b.untouched("sda")
		if all := b.records(); len(all) != 0 {
			t.Errorf("%s: there are records: %q", key, keysOf(all))
		}
	}
}

// Of two sick installations each is asked for. Whatever key ends it, what was done is in
// a record, and what was not is not called done.
func TestRescueTwo(t *testing.T) {
	for _, test := range []struct {
		press  []string
		want   next
		result string // of the log's last line; "" for none
		sda    string // Start of Haspnt
		sdc    string
	}{
		{[]string{"<enter>", "<enter>", "p"}, nextPowerOff, "REPAIRED", "4", "4"},
		{[]string{"<enter>", "n", "p"}, nextPowerOff, "REPAIRED", "4", "2"},
		{[]string{"n", "<enter>", "p"}, nextPowerOff, "REPAIRED", "2", "4"},
		{[]string{"n", "n", "p"}, nextPowerOff, "NOTHING WRITTEN", "2", "2"},
		{[]string{"n", "n", "r"}, nextReboot, "NOTHING WRITTEN", "2", "2"},
		{[]string{"<enter>", "p"}, nextPowerOff, "REPAIRED", "4", "2"},
		{[]string{"<enter>", "r"}, nextReboot, "REPAIRED", "4", "2"},
		{[]string{"n", "r"}, nextReboot, "", "2", "2"},
	} {
		b := newDesk(t, map[string][]byte{
			"sda": deskDisk(t, diskOptions{}),
			"sdc": deskDisk(t, diskOptions{hive: sickHive(t, "\n[ControlSet001\\Control\\ComputerName\\ComputerName]\n\"ComputerName\"=\"SECOND\"\n")}),
		}, test.press...)
		if got := b.ask(); got != test.want {
			t.Errorf("%q: ask = %v, want %v", test.press, got, test.want)
		}
		b.allRead()
		for disk, want := range map[string]string{"sda": test.sda, "sdc": test.sdc} {
			if got := b.start(disk, "haspnt"); got != "dword:0000000"+want {
				t.Errorf("%q: Haspnt's Start on %s is %s, want %s", test.press, disk, got, want)
			}
		}
		result := ""
		for line := range strings.Lines(b.said()) {
			if word, ok := strings.CutPrefix(line, "unloop: result: "); ok {
				result = strings.TrimSpace(word)
			}
		}
		if result != test.result {
			t.Errorf("%q: the log's result is %q, want %q", test.press, result, test.result)
		}
		repaired := 0
		for name, record := range b.records() {
			r := report(t, record)
			for _, target := range r.Targets {
				for _, in := range target.Installations {
					if in.Status == "planned" {
						t.Errorf("%q: %s calls %s planned although it is over", test.press, name, in.Hive)
					}
					if in.Hive != r.Hive {
						continue
					}
					if want := map[string]string{"repaired": "REPAIRED", "left": "NOTHING WRITTEN"}[in.Status]; r.Result != want || !strings.Contains(record["report.txt"], "Result:   "+want+"\r\n") {
						t.Errorf("%q: the record of %s, which was %s, says %s", test.press, in.Hive, in.Status, r.Result)
					}
					if in.Status == "repaired" {
						repaired++
					}
				}
			}
		}
		if want := strings.Count(test.sda+test.sdc, "4"); repaired != want {
			t.Errorf("%q: %d records of repairs, want %d", test.press, repaired, want)
		}
	}
}

// auto and dry-run go through without a question and follow what is to come after.
func TestRescueUnattended(t *testing.T) {
	for _, test := range []struct {
		mode, after string
		want        next
		result      string
	}{
		{modeAuto, afterPowerOff, nextPowerOff, "REPAIRED"},
		{modeAuto, afterReboot, nextReboot, "REPAIRED"},
		{modeDryRun, afterPowerOff, nextPowerOff, "DRY RUN"},
		{modeDryRun, afterReboot, nextReboot, "DRY RUN"},
	} {
		b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})})
		b.settings.Mode, b.settings.After = test.mode, test.after
		if got := b.unattended(); got != test.want {
			t.Errorf("%s, then %s: %v", test.mode, test.after, got)
		}
		b.mustSay("unloop: result: " + test.result)
		files := fullRecord
		if test.mode == modeDryRun {
			b.untouched("sda")
			files = []string{"diff.txt", "report.html", "report.json", "report.txt"}
		}
		record := b.record(firstRecord, files...)
		if r := report(t, record); r.Result != test.result || r.Mode != test.mode {
			t.Errorf("%s: report.json: %+v", test.mode, r)
		}
		if !strings.Contains(record["diff.txt"], "+\"FeatureSettingsOverride\"=dword:00000003\n") {
			t.Errorf("%s: diff.txt: %s", test.mode, record["diff.txt"])
		}
	}
}

// A failure is no reason to restart a PC that would only loop on, and one without a record
// waits for somebody to read it.
func TestRescueUnattendedFails(t *testing.T) {
	for _, test := range []struct {
		after    string
		readOnly bool
		pages    int
		want     next
	}{
		{afterReboot, false, 1, nextPowerOff},
		{afterPowerOff, false, 0, nextPowerOff},
		{afterReboot, true, 1, nextPowerOff},
		{afterPowerOff, true, 1, nextPowerOff},
	} {
		b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{hiber: "hibr"})}, slices.Repeat([]string{"p"}, test.pages)...)
		b.settings.Mode, b.settings.After, b.stick.readOnly = modeAuto, test.after, test.readOnly
		if got := b.unattended(); got != test.want {
			t.Errorf("%s, read-only %v: %v", test.after, test.readOnly, got)
		}
		b.allRead()
		b.untouched("sda")
	}
}

// A dry run stays one: looking again offers no repair, and its end no undo.
func TestRescueDryRunStays(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "u", "<enter>", "u", "p")
	b.settings.Mode = modeDryRun
	writeFile(t, "stick/unloop.toml", []byte("mode = 'dry-run'\n"))
	for i, want := range []next{nextLook, nextPowerOff} {
		if got := b.turn(i == 0)(); got != want {
			t.Errorf("turn %d = %v, want %v", i+1, got, want)
		}
	}
	b.allRead()
	b.untouched("sda")
}

// Who comes back after auto is a person, who is asked.
func TestRescueAutoAsksAgain(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "p")
	b.settings.Mode = modeAuto
	if got := b.turn(false)(); got != nextPowerOff {
		t.Errorf("turn = %v", got)
	}
	b.allRead()
	b.untouched("sda")
}

// The settings choose what is repaired.
func TestRescueFollowsSettings(t *testing.T) {
	for _, test := range []struct {
		fix, services []string
		haspnt        string
		aksusb        string
	}{
		{[]string{"override"}, hive.DefaultServices(), "2", "3"},
		{[]string{"drivers"}, hive.DefaultServices(), "4", "3"},
		{[]string{"override", "drivers"}, []string{"aksusb"}, "2", "4"},
		{[]string{"drivers", "override"}, []string{}, "2", "3"},
	} {
		b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})})
		b.settings.Mode, b.settings.After, b.settings.Fix, b.settings.Services = modeAuto, afterPowerOff, test.fix, test.services
		b.unattended()
		if a, s := b.start("sda", "haspnt"), b.start("sda", "aksusb"); a != "dword:0000000"+test.haspnt || s != "dword:0000000"+test.aksusb {
			t.Errorf("%q, %q: Haspnt %s, aksusb %s\n%s", test.fix, test.services, a, s, b.said())
		}
	}
}

// What cannot be repaired is red, with reason and hint on the screen and in the record,
// and the disk is left alone.
func TestRescueRefuses(t *testing.T) {
	unknown := buildHive(t, "[-ControlSet001\\Control\\Windows]\n", hivetest.Options{RootName: "somebody"})
	broken := sickHive(t, "")
	copy(broken[4096:], "xbin")
	for _, test := range []struct {
		name   string
		disk   []byte
		change func(*desk)
		press  []string
		result string // as the log has it
		screen string
		record string // "" if there can be none
	}{
		{"hibernated", deskDisk(t, diskOptions{hiber: "hibr"}), nil, []string{"p"},
			"NOT REPAIRED: dev/sda:2/Windows/System32/config/SYSTEM: Windows is hibernated on this volume", "start that Windows and shut it down", firstRecord},
		{"bitlocker", deskDisk(t, diskOptions{bitlocker: true}), nil, []string{"p"},
			"NOT REPAIRED: this PC: the volume is encrypted by BitLocker", "unlock it from Windows' recovery", "20261124-150405-unknown-YLAB001234"},
		{"no Windows", deskDisk(t, diskOptions{noWindows: true}), nil, []string{"p"},
			"NOT REPAIRED: this PC: no Windows is found on its disks", "dev/sda, ATA WDC WD2500AAKX-0 250.1 GB: no Windows", "20261124-150405-unknown-YLAB001234"},
		{"no disk", nil, func(b *desk) { b.allDisks = func() ([]string, error) { return nil, errors.New("no /sys") } }, []string{"p"},
			"NOT REPAIRED: this PC: no disk is seen but the stick", "check cables", "20261124-150405-unknown-YLAB001234"},
		{"broken hive", deskDisk(t, diskOptions{hive: broken}), nil, []string{"p"},
			"NOT REPAIRED: dev/sda:2/Windows/System32/config/SYSTEM: ", "Windows\\System32\\config\\RegBack", "20261124-150405-unknown-YLAB001234"},
		{"no stick", deskDisk(t, diskOptions{}), func(b *desk) { b.stickGone = errNoStick }, []string{"<enter>", "p"},
			"NOT REPAIRED: dev/sda:2/Windows/System32/config/SYSTEM: the stick that unloop was started from is not seen now, so no backup can be written", "plug the stick into another port", ""},
		{"stick pulled", deskDisk(t, diskOptions{}), func(b *desk) { os.RemoveAll("sys/class/block/sdb1") }, []string{"<enter>", "p"},
			"NOT REPAIRED: dev/sda:2/Windows/System32/config/SYSTEM: the stick is no longer plugged in, so no backup can be written", "No record was written.", ""},
		{"stick read-only", deskDisk(t, diskOptions{}), func(b *desk) { b.stick.readOnly = true }, []string{"<enter>", "p"},
			"NOT REPAIRED: dev/sda:2/Windows/System32/config/SYSTEM: the stick is write-protected, so no backup can be written", "move its switch", ""},
		{"stick takes nothing", deskDisk(t, diskOptions{}), func(b *desk) {
			os.Remove("stick/records")
			os.WriteFile("stick/records", nil, 0o666)
		}, []string{"<enter>", "p"},
			"NOT REPAIRED: dev/sda:2/Windows/System32/config/SYSTEM: the backup cannot be written to the stick", "No record was written.", ""},
		{"no judge", deskDisk(t, diskOptions{}), func(b *desk) { os.Remove("bin/" + judgeName) }, []string{"<enter>", "p"},
			"NOT REPAIRED: dev/sda:2/Windows/System32/config/SYSTEM: a crosscheck is required but there is none", "crosscheck", firstRecord},
		{"unknown, auto", deskDisk(t, diskOptions{hive: unknown}), func(b *desk) { b.settings.Mode = modeAuto }, []string{"p"},
			"NOT REPAIRED: dev/sda:2/Windows/System32/config/SYSTEM: left alone, the hive does not tell which Windows it belongs to", "set mode = \"ask\"", firstRecord},
		{"no judge, dry run", deskDisk(t, diskOptions{}), func(b *desk) { os.Remove("bin/" + judgeName); b.settings.Mode = modeDryRun }, []string{"p"},
			"NOT REPAIRED: dev/sda:2/Windows/System32/config/SYSTEM: a crosscheck is required but there is none", "crosscheck", firstRecord},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newDesk(t, map[string][]byte{"sda": test.disk}, test.press...)
			if test.change != nil {
				test.change(b)
			}
			do := b.ask
			if b.settings.Mode != modeAsk {
				do = b.unattended
			}
			if got := do(); got != nextPowerOff {
				t.Errorf("ended with %v", got)
			}
			b.allRead()
			b.untouched(keysOf(b.before)...)
			if !strings.Contains(b.said(), "unloop: result: "+test.result) {
				t.Errorf("the log has no result %q:\n%s", test.result, b.said())
			}
			if last := b.page(-1); !strings.HasPrefix(strings.TrimLeft(last, "\n"), " NOT REPAIRED") || !strings.Contains(last, test.screen) {
				t.Errorf("the screen does not say %q:\n%s", test.screen, last)
			}
			if test.record == "" {
				if strings.Contains(b.page(-1), "may be pulled out") {
					t.Errorf("the screen does not say that there is no record:\n%s", b.page(-1))
				}
				return
			}
			record := b.record(test.record, slices.DeleteFunc(keysOf(b.records()[test.record]), func(name string) bool { return strings.HasPrefix(name, "SYSTEM") })...)
			r := report(t, record)
			if r.Result != "NOT REPAIRED" || r.Reason == "" || !strings.Contains(record["report.txt"], "Reason:   ") || !strings.Contains(record["dmesg.txt"], "unloop: ") {
				t.Errorf("the record does not say why: %+v\n%s\n%s", r, record["report.txt"], record["dmesg.txt"])
			}
		})
	}
}

// Nothing to do: a healthy Windows, and one that was repaired already.
func TestRescueNothing(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{hive: otherWindows(t)})}, "p")
	b.ask()
	b.allRead()
	b.untouched("sda")
	b.mustSay("unloop: result: NOTHING TO DO")
	if r := report(t, b.record(firstRecord, "diff.txt", "report.html", "report.json", "report.txt")); r.Result != "NOTHING TO DO" || r.Targets[0].Installations[0].Status != "skipped" {
		t.Errorf("report.json: %+v", r)
	}

	b = newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "<enter>", "p", "p")
	b.ask()
	b.rescue = b.newRescue()
	b.ask()
	b.allRead()
	b.mustSay("unloop: result: NOTHING TO DO")
	if page := b.page(-1); !strings.Contains(page, "affected, already repaired") {
		t.Errorf("the second look shows\n%s", page)
	}
}

// A hive that the stick repairs although nobody can tell its Windows says so before.
func TestRescueUnknownIsAsked(t *testing.T) {
	unknown := buildHive(t, "[-ControlSet001\\Control\\Windows]\n", hivetest.Options{RootName: "somebody"})
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{hive: unknown})}, "<enter>", "p")
	b.ask()
	b.allRead()
	if !strings.Contains(b.page(0), "the hive does not tell which Windows it belongs to") {
		t.Errorf("the page does not warn:\n%s", b.page(0))
	}
	if got := b.start("sda", "haspnt"); got != "dword:00000004" {
		t.Errorf("Haspnt's Start is %s", got)
	}
}

// A PC name that no file system likes, and one in Japanese, name a record all the same.
func TestRescueNames(t *testing.T) {
	for name, want := range map[string]string{"..": "unknown", "a/b\\c:d": "a_b_c_d", "事務室１": "事務室１", "x\x1b[2J": "x__2J"} {
		text := hivetest.Win7("\n[ControlSet001\\Control\\ComputerName\\ComputerName]\n\"ComputerName\"=\"" + strings.ReplaceAll(name, `\`, `\\`) + "\"\n")
		data, err := hivetest.Build(text, hivetest.Options{Fill: 8192})
		if err != nil {
			t.Fatal(err)
		}
		b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{hive: data})}, "<enter>", "p")
		b.ask()
		b.record("20261124-150405-"+want+"-YLAB001234", fullRecord...)
		for i := range b.pages {
			if strings.ContainsRune(b.page(i), 0x1b) {
				t.Errorf("%q reaches the screen", name)
			}
		}
	}
}

// Sticks with the same id: their keys are numbers, and the one chosen is taken.
func TestWhichStick(t *testing.T) {
	b := newDesk(t, nil, "0", "<enter>", "x", "3", "2")
	all := []stickVolume{{device: "/dev/sdb1", about: "Generic Flash Disk 8.1 GB"}, {device: "/dev/sdd1", about: "Other\x1b 4.0 GB"}}
	if got := b.whichStick(all); got != &all[1] {
		t.Errorf("whichStick = %+v", got)
	}
	for _, want := range []string{" 1  /dev/sdb1  Generic Flash Disk 8.1 GB\n", " 2  /dev/sdd1  Other\\u001b 4.0 GB\n"} {
		if !strings.Contains(b.page(0), want) {
			t.Errorf("the page lacks %q:\n%s", want, b.page(0))
		}
	}
	b = newDesk(t, nil, "9")
	many := make([]stickVolume, 12)
	if got := b.whichStick(many); got != &many[8] {
		t.Error("the ninth of many was not taken")
	}
}

// The stick itself, and any other with its id, is never looked at.
func TestDisksWithoutStick(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": make([]byte, 1024), "sdb": make([]byte, 1024), "sdb1": fatSector(0xABCD1234)})
	fakeTree(t, "sys/devices", map[string]string{"pci/sdb/sdb1/partition": "1\n", "pci/sdb/sdb1/ro": "0\n"})
	os.RemoveAll("sys/class/block/sdb1")
	fakeTree(t, "sys/class/block", map[string]string{"sdb1": "-> ../../devices/pci/sdb/sdb1"})
	b.known = []string{"dev/sda", "dev/sdb"}
	if got := b.disks(); !slices.Equal(got, []string{"dev/sda"}) {
		t.Errorf("disks = %q", got)
	}
}
