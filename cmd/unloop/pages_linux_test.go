package main

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"

	"unloop/hive/hivetest"
)

var updatePages = flag.Bool("update-pages", false, "write testdata/pages anew")

// golden compares a screen with the one in testdata/pages. home is the folder of this
// package, as the test is in the desk's.
func golden(t *testing.T, home, name, got string) {
	t.Helper()
	path := filepath.Join(home, "testdata", "pages", name+".txt")
	if *updatePages {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); run go test -update-pages if it is better now:\n%s", name, diff)
	}
}

// The pages that a technician meets, to the letter, on the screen of a PC and on the
// smallest that unloop is made for, in both languages; and some of the Japanese ones, read on
// the pixels, where unloop draws the screen itself.
func TestPages(t *testing.T) {
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	second := diskOptions{hive: sickHive(t, "\n[ControlSet001\\Control\\ComputerName\\ComputerName]\n\"ComputerName\"=\"SECOND\"\n")}
	dirty := func(t *testing.T) []byte {
		primary, log := dirtyPair(t)
		return volumeOf(t, primary, log)
	}
	unknown := buildHive(t, "[-ControlSet001\\Control\\Windows]\n[Select]\n\"Current\"=dword:00000002\n", hivetest.Options{RootName: "somebody"})
	for _, test := range []struct {
		name   string
		disks  map[string][]byte
		change func(*desk)
		press  []string
		page   int
	}{
		{"offer", map[string][]byte{"sda": deskDisk(t, diskOptions{})}, nil, []string{"r"}, 0},
		{"offer-two", map[string][]byte{"sda": deskDisk(t, diskOptions{}), "sdc": deskDisk(t, second)}, nil, []string{"r"}, 0},
		{"offer-warnings", map[string][]byte{"sda": deskDisk(t, diskOptions{hive: unknown}), "sdc": deskDisk(t, diskOptions{hive: otherWindows(t)})}, func(b *desk) {
			b.stick.readOnly = true
			_, b.unclear = parseSettings("mode = auto")
			b.machine = machine{}
		}, []string{"r"}, 0},
		{"offer-dirty", map[string][]byte{"sda": dirty(t)}, nil, []string{"r"}, 0},
		{"repaired", map[string][]byte{"sda": deskDisk(t, diskOptions{}), "sdc": deskDisk(t, diskOptions{hive: otherWindows(t)})}, nil, []string{"<enter>", "p"}, 1},
		{"undo", map[string][]byte{"sda": deskDisk(t, diskOptions{})}, nil, []string{"<enter>", "u", "b"}, 2},
		{"undone", map[string][]byte{"sda": deskDisk(t, diskOptions{})}, nil, []string{"<enter>", "u", "<enter>", "p"}, 3},
		{"noundo", map[string][]byte{"sda": deskDisk(t, diskOptions{})}, nil, []string{"u", "<enter>"}, 1},
		{"nothing", map[string][]byte{"sda": deskDisk(t, diskOptions{hive: otherWindows(t)})}, nil, []string{"p"}, 0},
		{"left", map[string][]byte{"sda": deskDisk(t, diskOptions{}), "sdc": deskDisk(t, second)}, nil, []string{"n", "n", "p"}, 2},
		{"partly", map[string][]byte{"sda": deskDisk(t, diskOptions{}), "sdc": deskDisk(t, diskOptions{hive: second.hive, hiber: "hibr"})}, nil, []string{"<enter>", "p"}, 1},
		{"failed-hibernated", map[string][]byte{"sda": deskDisk(t, diskOptions{hiber: "hibr"})}, nil, []string{"p"}, 0},
		{"failed-nodisk", nil, func(b *desk) {
			fakeTree(t, "sys/bus/pci/devices/0000:00:1f.2", map[string]string{"class": "0x010400\n", "vendor": "0x8086\n", "device": "0x282a\n"})
		}, []string{"p"}, 0},
		{"failed-nowindows", map[string][]byte{"sda": deskDisk(t, diskOptions{noWindows: true}), "sdc": make([]byte, 4096)}, nil, []string{"p"}, 0},
		{"failed-stick", map[string][]byte{"sda": deskDisk(t, diskOptions{})}, func(b *desk) { os.RemoveAll("sys/class/block/sdb1") }, []string{"<enter>", "p"}, 1},
		{"details", map[string][]byte{"sda": deskDisk(t, diskOptions{})}, nil, []string{"d", "<end>", "<enter>", "r"}, 1},
	} {
		for _, look := range []struct {
			suffix, lang string
			size         [2]int
			drawn        bool
		}{{"", "en", [2]int{80, 24}, false}, {"-small", "en", [2]int{40, 10}, false}, {"-ja", "ja", [2]int{80, 24}, false}, {"-ja", "ja", [2]int{80, 24}, true}} {
			if look.drawn && !slices.Contains([]string{"offer-warnings", "partly", "details"}, test.name) {
				continue // it takes long
			}
			t.Run(test.name+look.suffix, func(t *testing.T) {
				b := newDesk(t, test.disks, test.press...)
				b.size = look.size
				if look.drawn {
					b.drawable()
				}
				b.speak(look.lang)
				if test.change != nil {
					test.change(b)
				}
				b.ask()
				b.allRead()
				page := b.page(test.page)
				golden(t, home, test.name+look.suffix, page)
				for line := range strings.Lines(page) {
					if w := uniseg.StringWidth(strings.TrimSuffix(line, "\n")); w > look.size[0] {
						t.Errorf("a line of %d columns: %s", w, line)
					}
				}
			})
		}
	}
}

// What a dry run found is blue and says that nothing was written.
func TestDryRunPage(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "p")
	b.settings.Mode = modeDryRun
	if got := b.unattended(); got != nextPowerOff {
		t.Errorf("unattended = %v", got)
	}
	for _, want := range []string{" DRY RUN: would be repaired, nothing was written\n", "Windows 7 SP1 x86, dry run, nothing\n written", "Enter Look again"} {
		if !strings.Contains(b.page(0), want) {
			t.Errorf("no %q in\n%s", want, b.page(0))
		}
	}
}
