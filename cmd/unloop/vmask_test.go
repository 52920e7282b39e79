//go:build linux

package main

import (
	"bytes"
	"path"
	"testing"
	"time"
)

// asked waits for the screen that a mode = "ask" shows first.
func (m *vmRun) asked() {
	m.t.Helper()
	m.expectWithin(`unloop: repair .*\?`, bootTime)
	m.expect(`P Power off`)
}

// A tour of the keys on a serial console, then the repair.
func TestStickKeys(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}, mode: "ask", after: "ask"})
	m.asked()
	m.press("d")
	m.expect(`unloop: details`)
	m.expect(`Enter Back`)
	m.press("enter")
	m.asked()
	m.press("s")
	m.expect(`unloop: shell: `)
	m.types("ls /windows/Windows/System32/config; touch /windows/x; ls -d /stick/records")
	m.expect(`SYSTEM\.LOG1`)
	m.expect(`Read-only file system`)
	m.types("exit")
	m.asked()
	m.press("enter")
	m.result("REPAIRED")
	m.expect(`P Power off`)
	m.press("p")
	m.poweredOff()
	m.wantRepaired(d)
}

// What the shell has changed on the disk, past what unloop had read of it, is no longer
// what the plan was made from.
func TestStickShellWrites(t *testing.T) {
	matrix(t)
	m := bootStick(t, vm{disks: []*disk{loopingDisk(t)}, mode: "ask", after: "ask"})
	m.asked()
	m.press("s")
	m.expect(`unloop: shell: `)
	m.types("umount /windows; ntfs-3g /dev/sda2 /mnt && printf x | dd of=/mnt/Windows/System32/config/SYSTEM bs=1 seek=300 conv=notrunc && umount /mnt && echo has been changed; exit")
	m.expect(`\nhas been changed`)
	m.asked()
	m.press("enter")
	m.result("NOT REPAIRED: .*changed since the plan was made.*")
	m.expect(`P Power off`)
	m.press("p")
	m.poweredOff()
}

// No key but Enter writes.
func TestStickLeft(t *testing.T) {
	for key, reason := range map[string]string{"p": "guest-shutdown", "r": "guest-reset"} {
		t.Run(key, func(t *testing.T) {
			matrix(t)
			d := loopingDisk(t)
			m := bootStick(t, vm{disks: []*disk{d}, mode: "ask"})
			m.asked()
			m.press("x")
			m.press(key)
			m.ends(reason)
			m.wantUntouched(d)
		})
	}
}

// An Enter that was pressed before there was a question is no answer to it, and the second
// of two is none to what follows.
func TestStickImpatient(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}, mode: "ask", after: "ask"})
	m.expectWithin(`unloop: discover: `, bootTime)
	m.twice("enter")
	m.asked()
	m.press("d")
	m.expect(`unloop: details`)
	m.expect(`Enter Back`)
	m.twice("enter")
	m.asked()
	m.press("p")
	m.poweredOff()
	m.wantUntouched(d)
}

// twice presses a key as a finger does that taps twice.
func (m *vmRun) twice(key string) {
	m.t.Helper()
	m.press(key)
	time.Sleep(150 * time.Millisecond)
	m.press(key)
}

// What one start of the stick repairs, the next one takes back, to the byte.
func TestStickUndo(t *testing.T) {
	for name, firmware := range map[string]string{"BIOS": "BIOS", "Secure Boot": "UEFI x64 Secure Boot"} {
		t.Run(name, func(t *testing.T) {
			matrix(t)
			d := loopingDisk(t)
			first := bootStick(t, vm{firmware: firmware, bus: "AHCI", disks: []*disk{d}})
			first.result("REPAIRED")
			first.poweredOff()
			first.wantRepaired(d)

			m := bootStick(t, vm{firmware: firmware, bus: "AHCI", disks: []*disk{d}, used: first.stick, mode: "ask"})
			m.expectWithin(`unloop: result: NOTHING TO DO`, bootTime)
			m.expect(`U Undo`)
			m.press("u")
			m.expect(`take the repair of .* back\?`)
			m.expect(`Enter Put back`)
			m.press("enter")
			m.result("UNDONE")
			m.expect(`P Power off`)
			m.press("p")
			m.poweredOff()
			m.wantUntouched(d)
		})
	}
}

// The power fails while the hive is written: the backup is on the stick by then, and the
// next start ends what was begun and keeps it. FAT once had an empty manifest.
func TestStickPowerCut(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	first := bootStick(t, vm{disks: []*disk{d}, sluggish: true})
	first.expectWithin(`unloop: backup: +written, read back and compared`, bootTime)
	first.kill()
	<-first.ended

	m := bootStick(t, vm{disks: []*disk{d}, used: first.stick})
	m.expectWithin(`an earlier run was interrupted; its backup is kept`, bootTime)
	m.result("REPAIRED")
	m.pulledEarly = true // to fsck.fat a power cut is the same
	m.poweredOff()
	if err := d.repaired(); err != nil {
		t.Error(err)
	}
	files, err := m.stick.tree()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		if path.Base(name) == "SYSTEM" && bytes.Equal(data, d.files.Primary) &&
			bytes.Contains(files[path.Dir(name)+"/manifest.json"], []byte(`"state": "done"`)) {
			return
		}
	}
	t.Error("the backup of before the power cut is not on the stick")
}

// Without a stick to write the backup to, Enter writes nothing.
func TestStickPulled(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}, mode: "ask"})
	m.asked()
	m.pull()
	m.press("enter")
	m.result("NOT REPAIRED: .*")
	m.expect(`P Power off`)
	m.press("p")
	m.poweredOff()
	m.wantUntouched(d)
}

// All that is needed is in memory: once unloop says so, the stick may go.
func TestStickPulledAfter(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}, mode: "ask"})
	m.asked()
	m.press("enter")
	m.result("REPAIRED")
	m.said(`unloop: the stick may be pulled out now`)
	m.pull()
	m.expect(`P Power off`)
	m.press("d")
	m.expect(`unloop: details`)
	m.press("enter")
	m.expect(`P Power off`)
	m.press("p")
	m.poweredOff()
	m.wantRepaired(d)
}

// An unloop.toml that is not understood makes unloop ask, whatever it says.
func TestStickSettings(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}, settings: "mode = \"auto\"\nafter = \"poweroff\nfix = 7\n"})
	m.expectWithin(`unloop: error: unloop.toml: the settings are not followed`, bootTime)
	m.asked()
	m.press("p")
	m.poweredOff()
	m.wantUntouched(d)
}

// Of two sticks that are copies of each other a person chooses.
func TestStickTwins(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}, twin: true})
	m.expectWithin(`several sticks with the same id`, bootTime)
	m.press("1")
	m.result("REPAIRED")
	m.poweredOff()
	if err := d.repaired(); err != nil {
		t.Error(err)
	}
}

// A session that dies is no end: it is told, and starts again.
func TestStickSessionDies(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}, mode: "ask"})
	m.asked()
	m.press("s")
	m.expect(`unloop: shell: `)
	m.types("kill -9 $PPID")
	m.expect(`unloop has stopped unexpectedly`)
	m.types("")
	m.asked()
	m.press("enter")
	m.result("REPAIRED")
	m.expect(`P Power off`)
	m.press("p")
	m.poweredOff()
	m.wantRepaired(d)
}

// The words are Japanese where a console can show them.
func TestStickJapanese(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}, settings: "mode = \"ask\"\nlanguage = \"ja\"\nafter = \"ask\"\n"})
	m.expectWithin(`P 電源を切る`, bootTime)
	m.press("enter")
	m.result("REPAIRED")
	m.expect(`P 電源を切る`)
	m.press("p")
	m.ends("guest-shutdown")
	m.wantRepaired(d)
}
