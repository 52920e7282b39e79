package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"

	"unloop/hive"
	"unloop/hive/hivetest"
	"unloop/image"
)

// A desk is where a PC stands that was started from the stick: its disks are images in
// dev, its /sys is a folder, the stick is a folder, and keys are pressed in advance.
type desk struct {
	*rescue
	t      *testing.T
	board  keyboard
	size   [2]int
	pages  []*testScreen
	known  []string // the disks that the kernel knows
	inside bool     // the stick is mounted
	before map[string]hive.Digest
}

// deskSys is what the kernel tells of a PC with two disks and the stick.
var deskSys = map[string]string{
	"class/dmi/id/sys_vendor":         "FUJITSU\n",
	"class/dmi/id/product_name":       "ESPRIMO D582\n",
	"class/dmi/id/product_serial":     "YLAB001234\n",
	"class/dmi/id/bios_version":       "V4.6.5.1\n",
	"class/block/sda/device/vendor":   "ATA     \n",
	"class/block/sda/device/model":    "WDC WD2500AAKX-0\n",
	"class/block/sda/size":            "488397168\n",
	"class/block/sda/sda1/start":      "2048\n",
	"class/block/sda/sda2/start":      "6144\n",
	"class/block/sdc/device/vendor":   "ATA     \n",
	"class/block/sdc/device/model":    "ST1000DM003\n",
	"class/block/sdc/size":            "1953525168\n",
	"class/block/sdb/device/vendor":   "Generic \n",
	"class/block/sdb/device/model":    "Flash Disk      \n",
	"class/block/sdb/size":            "15728640\n",
	"class/block/sdb/sdb1/start":      "2048\n",
	"class/block/sdb1/ro":             "0\n",
	"class/block/sdb1/partition":      "1\n",
	"bus/pci/devices/0000:00:1f.2/":   "",
	"bus/pci/devices/0000:03:00.0/id": "",
}

const deskStick = "ABCD-1234"

// newDesk starts a PC whose disks are given by their kernel names.
func newDesk(t *testing.T, disks map[string][]byte, press ...string) *desk {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	fakeTree(t, "sys", deskSys)
	fakeTree(t, "dev", map[string]string{"sdb1": string(fatSector(0xABCD1234))})
	fakeTree(t, ".", map[string]string{
		"stick/records/": "", "dev/": "", "tmp/": "",
		"bin/goodjudge": "-> " + self, "bin/" + judgeName: "#!/bin/sh\nexec goodjudge \"$@\"\n",
	})
	if err := os.Chmod(filepath.Join("bin", judgeName), 0o755); err != nil {
		t.Fatal(err)
	}
	bin, err := filepath.Abs("bin")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin) // nothing is mounted or beeps
	t.Setenv("TMPDIR", filepath.Join(filepath.Dir(bin), "tmp"))
	d := &desk{t: t, board: keyboard{pressing(press...)}, size: [2]int{80, 24}, before: map[string]hive.Digest{}}
	for name, data := range disks {
		if data == nil {
			continue
		}
		path := filepath.Join("dev", name)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		d.known, d.before[name] = append(d.known, path), hive.Sum(data)
	}
	slices.Sort(d.known)
	d.rescue = d.newRescue()
	return d
}

func (d *desk) newRescue() *rescue {
	console, err := os.Create("console")
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { console.Close() })
	log := &runLog{main: console}
	e := newEnv(nil, strings.NewReader(""), log, log)
	e.lang, e.ctx, e.in = "en", d.t.Context(), bufio.NewReader(noKeys{d})
	clock := time.Date(2026, 11, 24, 15, 4, 5, 0, time.UTC)
	e.now = func() time.Time { return clock }
	e.times = newStopwatch(e.now)
	at := places{
		sys: "sys", dev: "dev", modules: "lib", stickAt: "stick", screen: d.openScreen,
		allDisks: func() ([]string, error) { return slices.Clone(d.known), nil },
		mounted:  func(string) bool { return d.inside },
		mount:    func(*stickVolume, string) error { d.inside = true; return nil },
		unmount:  func(*stickVolume, string) error { d.inside = false; return nil },
	}
	d.inside = true
	return &rescue{
		env: e, places: at, log: log, console: "none", kernel: map[string]string{"unloop.stick": deskStick},
		settings: defaultSettings(), machine: readMachine("sys"),
		stick: &stickVolume{device: "dev/sdb1", disk: "dev/sdb", about: "Generic Flash Disk 8.1 GB"},
	}
}

// noKeys is typed on when a page waits for a key that the test has not foreseen.
type noKeys struct{ *desk }

func (n noKeys) Read([]byte) (int, error) {
	n.t.Fatalf("no key is left for\n%s", n.page(-1))
	return 0, io.EOF
}

func (d *desk) openScreen() (tcell.Screen, error) {
	s := newTestScreen(d.t, d.size[0], d.size[1])
	s.keyboard = &d.board
	d.pages = append(d.pages, s)
	return s, nil
}

// page is what stood on page n at last, of the negative numbers from the end.
func (d *desk) page(n int) string {
	if n < 0 {
		n += len(d.pages)
	}
	if n < 0 || n >= len(d.pages) {
		d.t.Fatalf("there are only %d pages", len(d.pages))
	}
	return d.pages[n].last()
}

// allRead fails the test if keys are left: fewer pages came than it was made for.
func (d *desk) allRead() {
	d.t.Helper()
	if n := len(d.board.keys); n > 0 {
		d.t.Errorf("%d keys were not waited for; the last page is\n%s", n, d.page(-1))
	}
}

// untouched fails the test if a disk has changed.
func (d *desk) untouched(names ...string) {
	d.t.Helper()
	for _, name := range names {
		if data, err := os.ReadFile(filepath.Join("dev", name)); err != nil || hive.Sum(data) != d.before[name] {
			d.t.Errorf("the disk %s has changed (%v)", name, err)
		}
	}
}

// start says which start type a driver has on a disk's first Windows.
func (d *desk) start(disk, service string) string {
	d.t.Helper()
	src, err := image.Host{}.Open(filepath.Join("dev", disk))
	if err != nil {
		d.t.Fatal(err)
	}
	defer src.Close()
	files, err := openSystem(src.Installations()[0])
	if err != nil {
		d.t.Fatal(err)
	}
	data, err := files.read()
	if err != nil {
		d.t.Fatal(err)
	}
	h, err := hive.Open(data)
	if err != nil {
		d.t.Fatal(err)
	}
	f, err := h.Inspect(hive.Scope{Services: []string{service}})
	if err != nil {
		d.t.Fatal(err)
	}
	return f.Services[0].Start.Text()
}

// records lists the records on the stick, by the files in each.
func (d *desk) records() map[string]map[string]string {
	d.t.Helper()
	all := map[string]map[string]string{}
	folders, err := filepath.Glob("stick/records/*")
	if err != nil {
		d.t.Fatal(err)
	}
	for _, folder := range folders {
		files, err := os.ReadDir(folder)
		if err != nil {
			d.t.Fatal(err)
		}
		one := map[string]string{}
		for _, file := range files {
			data, err := os.ReadFile(filepath.Join(folder, file.Name()))
			if err != nil {
				d.t.Fatal(err)
			}
			one[file.Name()] = string(data)
		}
		all[filepath.Base(folder)] = one
	}
	return all
}

// record returns the only record, which must have just these files.
func (d *desk) record(name string, files ...string) map[string]string {
	d.t.Helper()
	all := d.records()
	if len(all) != 1 || all[name] == nil {
		d.t.Fatalf("the records are %q, want %s alone", keysOf(all), name)
	}
	if got := keysOf(all[name]); !slices.Equal(got, files) {
		d.t.Errorf("the record has the files %q, want %q", got, files)
	}
	return all[name]
}

func keysOf[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// report reads report.json of a record as anybody would.
func report(t *testing.T, record map[string]string) (r struct {
	Tool, Kernel, Time, Mode, Hive, Result, Reason string
	Machine                                        map[string]string
	Stages                                         []struct {
		Stage   string
		Seconds float64
	}
	Targets []struct {
		Target        string
		Exit          int
		Installations []struct {
			Hive, Status, Verdict, Crosscheck, Backup string
			Edits                                     []struct{ Key, Name, Old, New string }
			Error                                     *struct{ Key, Hint string }
		}
	}
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(record["report.json"]), &r); err != nil {
		t.Fatalf("report.json: %v\n%s", err, record["report.json"])
	}
	return r
}

// said is what the console and the log were told.
func (d *desk) said() string { return d.log.Kept() }

// mustSay fails the test if the log lacks a line.
func (d *desk) mustSay(lines ...string) {
	d.t.Helper()
	for _, line := range lines {
		if !strings.Contains(d.said(), line+"\n") {
			d.t.Errorf("the log has no line %q:\n%s", line, d.said())
		}
	}
}

// deskDisk is the disk of a looping PC: a System Reserved partition, then Windows.
func deskDisk(t *testing.T, d diskOptions) []byte {
	t.Helper()
	if d.hive == nil {
		d.hive = sickHive(t, "")
	}
	d.table, d.label, d.folder, d.fragments = "mbr", "Windows", "Windows", 3
	data, err := d.build()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// otherWindows is a hive that has nothing to do with the fault.
func otherWindows(t *testing.T) []byte {
	t.Helper()
	return buildHive(t, "", hivetest.Options{RootName: "ROOT"})
}

const firstRecord = "20261124-150405-UNLOOP-PC-YLAB001234"

var fullRecord = []string{"SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2", "diff.txt", "manifest.json", "report.json", "report.txt"}

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
	if strings.Count(record["report.txt"], "\n") != strings.Count(record["report.txt"], "\r\n") {
		t.Error("report.txt mixes line ends")
	}
}

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
			files = []string{"diff.txt", "report.json", "report.txt"}
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
	if r := report(t, b.record(firstRecord, "diff.txt", "report.json", "report.txt")); r.Result != "NOTHING TO DO" || r.Targets[0].Installations[0].Status != "skipped" {
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
