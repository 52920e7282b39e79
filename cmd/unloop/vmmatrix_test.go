//go:build linux

package main

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// matrix marks a test of the full matrix, which takes minutes.
func matrix(t *testing.T) {
	t.Helper()
	if os.Getenv(allVariable) != "1" {
		t.Skip(allVariable + " is not 1")
	}
	t.Parallel()
}

// poweredOff waits for a PC that has done its work and switches itself off.
func (m *vmRun) poweredOff() {
	m.t.Helper()
	m.expect(`unloop: power off`)
	m.ends("guest-shutdown")
}

// repairsUnasked boots a PC that is to repair its one disk by itself.
func repairsUnasked(t *testing.T, v vm, d *disk) {
	t.Helper()
	v.disks = []*disk{d}
	m := bootStick(t, v)
	m.result("REPAIRED")
	m.said(`unloop: the stick may be pulled out now`)
	m.poweredOff()
	m.wantRepaired(d)
}

// leavesAlone boots a PC on whose disks nothing is to be written, with that result, and
// returns the record.
func leavesAlone(t *testing.T, v vm, result string) tree {
	t.Helper()
	m := bootStick(t, v)
	m.result(result)
	m.poweredOff()
	for _, d := range m.disks {
		m.wantUntouched(d)
	}
	record, err := m.stick.onlyRecord()
	if err != nil {
		t.Error(err)
	}
	return record
}

// Whatever the disk hangs on, it is found.
func TestStickBus(t *testing.T) {
	for _, bus := range slices.Sorted(maps.Keys(buses)) {
		t.Run(bus, func(t *testing.T) {
			matrix(t)
			repairsUnasked(t, vm{bus: bus}, loopingDisk(t))
		})
	}
}

// Every kind of PC starts from the stick.
func TestStickPC(t *testing.T) {
	for name, v := range map[string]vm{
		"pentium2":              {cpu: "pentium2", memory: 256},
		"pentium3":              {cpu: "pentium3"},
		"64-bit CPU":            {cpu: "qemu64", memory: 2048},
		"UEFI":                  {firmware: "UEFI x64"},
		"UEFI, NVMe":            {firmware: "UEFI x64", bus: "NVMe"},
		"UEFI, USB":             {firmware: "UEFI x64", bus: "USB"},
		"Secure Boot, NVMe":     {firmware: "UEFI x64 Secure Boot", bus: "NVMe"},
		"32-bit UEFI":           {firmware: "UEFI ia32"},
		"32-bit UEFI, 64 bits":  {firmware: "UEFI ia32", cpu: "qemu64"},
		"plain text screen":     {menu: 2},
		"UEFI, plain text menu": {firmware: "UEFI x64", menu: 2},
	} {
		t.Run(name, func(t *testing.T) {
			matrix(t)
			repairsUnasked(t, v, loopingDisk(t))
		})
	}
}

// The hive of a real PC with the drivers.
func TestStickRealHive(t *testing.T) {
	matrix(t)
	repairsUnasked(t, vm{}, realDisk(t, "win7-x86-hasp-SYSTEM"))
}

// The PC reset itself while Windows wrote the hive.
func TestStickDirtyHive(t *testing.T) {
	matrix(t)
	repairsUnasked(t, vm{}, dirtyDisk(t))
}

// A volume that another program has made and filled.
func TestStickForeignVolume(t *testing.T) {
	matrix(t)
	repairsUnasked(t, vm{}, foreignDisk(t))
}

// Two sick disks are both repaired, each with a record of its own; the third, a healthy
// Windows 10, is not touched.
func TestStickThreeDisks(t *testing.T) {
	matrix(t)
	a, healthy := loopingDisk(t), realDisk(t, "win10-SYSTEM")
	b := pcDisk{system: sickHive(t, computerName("OTHER-PC"))}.build(t)
	m := bootStick(t, vm{bus: "AHCI", disks: []*disk{a, healthy, b}})
	m.result("REPAIRED")
	m.poweredOff()
	m.wantRepaired(a)
	m.wantRepaired(b)
	m.wantUntouched(healthy)
}

// computerName is .reg text that gives the PC of a hive another name.
func computerName(name string) string {
	var b strings.Builder
	for _, set := range controlSets {
		b.WriteString("\n[" + set + "\\Control\\ComputerName\\ComputerName]\n\"ComputerName\"=\"" + name + "\"\n")
	}
	return b.String()
}

// A healthy Windows, and one that has been repaired, are left alone.
func TestStickNothingToDo(t *testing.T) {
	for name, make := range map[string]func(*testing.T) *disk{
		"Windows 10": func(t *testing.T) *disk { return realDisk(t, "win10-SYSTEM") },
		"repaired":   repairedDisk,
	} {
		t.Run(name, func(t *testing.T) {
			matrix(t)
			leavesAlone(t, vm{disks: []*disk{make(t)}}, "NOTHING TO DO")
		})
	}
}

// What cannot be repaired is told, with a reason, and not touched.
func TestStickNotRepaired(t *testing.T) {
	for name, tt := range map[string]struct {
		disks  func(*testing.T) []*disk
		result string
	}{
		"hibernated": {func(t *testing.T) []*disk { return []*disk{sleepingDisk(t)} }, "NOT REPAIRED: .*hibernat.*"},
		"no Windows": {func(t *testing.T) []*disk { return []*disk{emptyDisk(t)} }, "NOT REPAIRED: .*no Windows.*"},
		"no disk":    {func(t *testing.T) []*disk { return []*disk{} }, "NOT REPAIRED: .*no disk.*"},
		"bad sector": {func(t *testing.T) []*disk { return []*disk{wornDisk(t)} }, "NOT REPAIRED: .*"},
	} {
		t.Run(name, func(t *testing.T) {
			matrix(t)
			record := leavesAlone(t, vm{disks: tt.disks(t)}, tt.result)
			if !bytes.Contains(record["dmesg.txt"], []byte("Linux version")) {
				t.Error("the kernel's messages are not in the record")
			}
		})
	}
}

// A dry run writes the record and nothing else, whether the file on the stick or the boot
// menu asks for it.
func TestStickDryRun(t *testing.T) {
	for name, v := range map[string]vm{"settings": {mode: "dry-run"}, "menu": {menu: 1}, "UEFI, menu": {firmware: "UEFI x64", menu: 1}} {
		t.Run(name, func(t *testing.T) {
			matrix(t)
			record := leavesAlone(t, v, "DRY RUN")
			if diff := record["diff.txt"]; !bytes.Contains(diff, []byte(`+"FeatureSettingsOverride"=dword:00000003`)) {
				t.Errorf("the record does not say what would change:\n%s", diff)
			}
		})
	}
}

// A stick that nothing can be written to repairs nothing, as there would be no backup.
func TestStickWithoutRoom(t *testing.T) {
	for name, v := range map[string]vm{"write-protected": {readOnly: true}, "full": {full: true}} {
		t.Run(name, func(t *testing.T) {
			matrix(t)
			d := loopingDisk(t)
			v.disks = []*disk{d}
			m := bootStick(t, v)
			m.result("NOT REPAIRED: .*")
			m.expect(`P Power off`) // as there is no record either, somebody is to read it
			m.press("p")
			m.poweredOff()
			m.wantUntouched(d)
			if added, err := m.stick.added(); err != nil || len(added) > 0 {
				t.Errorf("on the stick there is more: %q, %v", slices.Sorted(maps.Keys(added)), err)
			}
		})
	}
}

// After a repair without a person the PC restarts when the stick has been pulled out.
func TestStickRestarts(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{after: "reboot", disks: []*disk{d}})
	m.result("REPAIRED")
	m.expect(`unloop: pull the stick out now`)
	m.pull()
	m.expect(`unloop: reboot`)
	m.ends("guest-reset")
	m.wantRepaired(d)
}
