package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"unloop/image"
)

// softwareRecord is what a record holds besides when SOFTWARE was changed, too.
var softwareRecord = []string{"software/SOFTWARE", "software/SOFTWARE.LOG1", "software/SOFTWARE.LOG2", "software/manifest.json"}

// withUpdates is a desk whose stick also changes the setting for updates.
func withUpdates(t *testing.T, d diskOptions, press ...string) *desk {
	t.Helper()
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, d)}, press...)
	b.settings.Fix = []string{"override", "drivers", "updates"}
	return b
}

// hibernated says what hiberfil.sys on a disk says.
func (d *desk) hibernated(disk string) string {
	d.t.Helper()
	src, err := image.Host{}.Open(filepath.Join("dev", disk))
	if err != nil {
		d.t.Fatal(err)
	}
	defer src.Close()
	return src.Installations()[0].Hibernated
}

// Both hives of a PC are one offer and one record; U takes both back, to the byte.
func TestRescueUpdates(t *testing.T) {
	b := withUpdates(t, diskOptions{}, "<enter>", "u", "<enter>", "p")
	code, dryRun, stderr := unloop("repair", "--dry-run", "--fix", "override,drivers,updates", "dev/sda")
	if code != 0 {
		t.Fatal(stderr)
	}
	if got := b.ask(); got != nextPowerOff {
		t.Errorf("ask = %v", got)
	}
	b.allRead()
	b.untouched("sda")
	b.mustSay("unloop: result: REPAIRED", "unloop: result: UNDONE")
	for n, want := range map[int]string{
		0: "Price:    Windows no longer installs updates by itself",
		1: "dev/sda:2/Windows/System32/config/SOFTWARE: REPAIRED",
	} {
		if !strings.Contains(b.page(n), want) {
			t.Errorf("page %d does not say %q:\n%s", n, want, b.page(n))
		}
	}
	all := b.records()
	files := slices.Sorted(slices.Values(append(slices.Clone(fullRecord), softwareRecord...)))
	for _, name := range []string{firstRecord, firstRecord + "-2"} {
		if got := keysOf(all[name]); len(all) != 2 || !slices.Equal(got, files) {
			t.Errorf("the records are %q; %s holds %q", keysOf(all), name, got)
		}
	}
	if all[firstRecord]["diff.txt"] != dryRun || !strings.Contains(dryRun, "AUOptions") {
		t.Errorf("diff.txt is not what a dry run prints:\n%s", all[firstRecord]["diff.txt"])
	}
	r := report(t, all[firstRecord])
	if in := r.Targets[0].Installations; len(in) != 2 || in[0].Status != "repaired" || in[1].Status != "repaired" || in[1].Crosscheck != "agrees (goodjudge)" || in[1].Edits[0].Name != "AUOptions" {
		t.Errorf("report.json: %+v", in)
	}
	if text := all[firstRecord]["report.txt"]; !strings.Contains(text, "Price of the setting for updates") || strings.Count(text, "SOFTWARE") == 0 {
		t.Errorf("report.txt: %s", text)
	}
}

// Without a person it goes the same way; and with a SYSTEM hive that is as it should be,
// SOFTWARE alone is an offer.
func TestRescueUpdatesUnattended(t *testing.T) {
	b := withUpdates(t, diskOptions{})
	b.settings.Mode, b.settings.After = modeAuto, afterPowerOff
	if got := b.unattended(); got != nextPowerOff {
		t.Errorf("unattended = %v", got)
	}
	b.mustSay("unloop: result: REPAIRED")

	b = withUpdates(t, diskOptions{}, "<enter>", "p")
	if code, _, stderr := unloop("repair", "--yes", "--crosscheck", "off", "--backup", "elsewhere", "dev/sda"); code != 0 {
		t.Fatal(stderr)
	}
	b.ask()
	b.allRead()
	b.mustSay("unloop: result: REPAIRED")
	files := slices.Sorted(slices.Values(append([]string{"diff.txt", "report.html", "report.json", "report.txt"}, softwareRecord...)))
	record := b.record(firstRecord, files...)
	if diff := record["diff.txt"]; !strings.Contains(diff, "AUOptions") || strings.Contains(diff, "Start") {
		t.Errorf("diff.txt: %s", diff)
	}
}

// If SOFTWARE cannot be changed neither is SYSTEM, and the reason stands on the screen.
func TestRescueUpdatesRefused(t *testing.T) {
	d := diskOptions{}
	d.pc.SoftwareReg = "\n[-Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update]\n"
	b := withUpdates(t, d, "p")
	b.ask()
	b.allRead()
	b.untouched("sda")
	page := b.page(-1)
	for _, want := range []string{"NOT REPAIRED", "Windows Update has no key for its settings", "take updates out of fix in unloop.toml", "SYSTEM: Windows 7 SP1 x86, left as it is"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
}

// A Windows that sleeps is refused unless the setting offers to give it up; the loss
// stands on the screen before anything is written. U at once puts it back.
func TestRescueDiscards(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{hiber: "hibr"})}, "<enter>", "u", "<enter>", "p")
	b.settings.Discard = true
	if got := b.ask(); got != nextPowerOff {
		t.Errorf("ask = %v", got)
	}
	b.allRead()
	b.untouched("sda")
	if b.hibernated("sda") != image.HiberSleeping {
		t.Error("it does not sleep again")
	}
	for n, want := range map[int]string{
		0: "Price:    what was open in the hibernated Windows is lost",
		1: "Price:    what was open in the hibernated Windows is lost",
		2: "the hibernation is put back last",
		3: "the hibernation is put back",
	} {
		if page := strings.Join(strings.Fields(b.page(n)), " "); !strings.Contains(page, strings.Join(strings.Fields(want), " ")) {
			t.Errorf("page %d does not say %q:\n%s", n, want, b.page(n))
		}
	}
	record := b.records()[firstRecord]
	for _, want := range []string{"Price of the discarded hibernation", "the hibernation is discarded"} {
		if !strings.Contains(record["report.txt"], want) {
			t.Errorf("report.txt does not say %q:\n%s", want, record["report.txt"])
		}
	}
	if !strings.Contains(record["report.json"], `"discarded": true`) {
		t.Errorf("report.json: %s", record["report.json"])
	}
}

// Left on the page, or without the setting, or in a mode without a person, it sleeps on.
func TestRescueLeavesAsleep(t *testing.T) {
	for _, test := range []struct {
		discard bool
		mode    string
		press   []string
	}{
		{false, modeAsk, []string{"p"}},
		{true, modeAsk, []string{"d", "<enter>", "p"}},
		{true, modeAuto, []string{"p"}},
		{true, modeDryRun, []string{"p"}},
	} {
		b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{hiber: "HIBR"})}, test.press...)
		b.settings.Discard, b.settings.Mode = test.discard, test.mode
		do := b.ask
		if test.mode != modeAsk {
			do = b.unattended
		}
		do()
		b.allRead()
		b.untouched("sda")
	}
}

// Something has run since: U takes the repair back, says that the hibernation stays
// discarded, and that is no failure.
func TestRescueStaysAwake(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{hiber: "hibr"})}, "<enter>", "p")
	b.settings.Discard = true
	b.ask()
	if code, _, stderr := unloop("repair", "--yes", "--crosscheck", "off", "--backup", "elsewhere", "--fix", "drivers", "--service", "akshasp", "dev/sda"); code != 0 {
		t.Fatal(stderr)
	}
	b.rescue, b.board = b.newRescue(), keyboard{pressing("u", "<enter>", "p")}
	b.ask()
	b.allRead()
	b.mustSay("unloop: result: UNDONE")
	for _, n := range []int{-2, -1} {
		if page := strings.Join(strings.Fields(b.page(n)), " "); !strings.Contains(page, "the hibernation stays discarded: the hive is no longer what the repair wrote") {
			t.Errorf("page %d does not say why:\n%s", n, b.page(n))
		}
	}
	if got := b.hibernated("sda"); got != image.HiberEmpty {
		t.Errorf("hiberfil.sys says %s", got)
	}
}

// A power cut between the last hive and the signature leaves nothing but that to be put
// back, which is an offer of its own.
func TestRescuePutsBackAlone(t *testing.T) {
	b := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{hiber: "hibr"})}, "<enter>", "u", "<enter>", "p")
	b.settings.Discard = true
	b.ask()
	src, err := image.Host{}.Open("dev/sda")
	if err != nil {
		t.Fatal(err)
	}
	file, err := src.Installations()[0].OpenSleepFile()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile("dev/sda", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 4), file.Extents()[0].DeviceOffset); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	b.rescue, b.board = b.newRescue(), keyboard{pressing("<enter>", "p")}
	b.undo()
	b.allRead()
	b.untouched("sda")
	b.mustSay("unloop: result: UNDONE")
}
