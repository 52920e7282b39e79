package main

import (
	"bufio"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"unloop/hive"
	"unloop/hive/hivetest"
	"unloop/image"
	"unloop/image/stick"
)

// A desk is where a PC stands that was started from the stick: its disks are images in
// dev, its /sys is a folder, the stick is a folder, and keys are pressed in advance.
type desk struct {
	*rescue
	t      *testing.T
	board  keyboard
	size   [2]int
	pages  []*testScreen
	known  []string      // the disks that the kernel knows
	pixels *memoryScreen // the PC's own screen; nil: none that can be drawn on
	font   *stick.Font   // the stick's, with it
	eye    *eye          // who reads it
	modes  []int         // what its console was switched to
	inside bool          // the stick is mounted
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
	t.Cleanup(d.schemaSays)
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
	e.lang, e.onStick, e.ctx, e.in = "en", true, d.t.Context(), bufio.NewReader(noKeys{d})
	clock := time.Date(2026, 11, 24, 15, 4, 5, 0, time.UTC)
	e.now = func() time.Time { return clock }
	e.times = newStopwatch(e.now)
	at := places{
		sys: "sys", dev: "dev", modules: "lib", stickAt: "stick", screen: d.openScreen, newFrame: d.openFrame,
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

func (d *desk) openScreen(quiet bool) (screen, error) {
	s := newTestScreen(d.t, d.size[0], d.size[1])
	s.keyboard = &d.board
	if quiet {
		s.instead = d.seen
	}
	d.pages = append(d.pages, s)
	return s, nil
}

// openFrame draws on the desk's own screen.
func (d *desk) openFrame() (*frame, error) {
	if d.pixels == nil {
		return nil, errNoCanvas
	}
	c, err := newCanvas(d.pixels.pixels, int64(len(d.pixels.data)), d.pixels, d.font)
	if err != nil {
		return nil, err
	}
	return newFrame(c, func(mode int) error { d.modes = append(d.modes, mode); return nil }), nil
}

// drawable gives the desk a screen of its own that unloop can draw on, with as many cells as
// its size says.
func (d *desk) drawable() {
	d.console, d.font = "tty1", testFont(d.t)
	d.eye = newEye(d.font)
	d.pixels = newMemoryScreen(plainPixels(d.size[0]*cellWidth, d.size[1]*cellHeight))
}

// seen is what a person reads on the desk's own screen.
func (d *desk) seen() string {
	d.t.Helper()
	text, _ := d.eye.read(d.t, d.pixels)
	return text
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
	files, err := openHive(src.Installations()[0], hive.PrimaryFile)
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
		one := map[string]string{}
		err := fs.WalkDir(os.DirFS(folder), ".", func(path string, f fs.DirEntry, err error) error {
			if err != nil || f.IsDir() {
				return err
			}
			data, err := os.ReadFile(filepath.Join(folder, path))
			one[path] = string(data)
			return err
		})
		if err != nil {
			d.t.Fatal(err)
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

// schemaSays fails the test if the schema does not describe a record on the stick.
func (d *desk) schemaSays() {
	if err := checkReports("stick/records"); err != nil {
		d.t.Error(err)
	}
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

var fullRecord = []string{"SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2", "diff.txt", "manifest.json", "report.html", "report.json", "report.txt"}
