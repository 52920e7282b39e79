//go:build linux

package main

import (
	"testing"
	"time"
)

// On every kind of screen that can be drawn on, the words are Japanese.
func TestStickScreen(t *testing.T) {
	for name, v := range map[string]vm{
		"pentium2":     {cpu: "pentium2", memory: 256},
		"VMware":       {vga: "vmware"},
		"UEFI":         {firmware: "UEFI x64"},
		"Secure Boot":  {firmware: "UEFI x64 Secure Boot"},
		"32-bit UEFI":  {firmware: "UEFI ia32"},
		"UEFI, virtio": {firmware: "UEFI x64", vga: "virtio"},
	} {
		t.Run(name, func(t *testing.T) {
			matrix(t)
			d := loopingDisk(t)
			v.disks, v.mode, v.settings, v.screen = []*disk{d}, "ask", inJapanese, "tty0"
			bootStick(t, v).repairsInJapanese(d)
		})
	}
}

// examplePC is the PC in the pictures of the README.
const examplePC = ",manufacturer=Example,product=Office PC 400"

// The boot menu has an entry for it, which the settings do not overrule. The pictures that
// are kept are scripts/screens/repair-ja.png and repaired-ja.png.
func TestStickScreenMenu(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}, mode: "ask", after: "ask", menu: 3, screen: "tty0", maker: examplePC})
	m.expectWithin(`unloop: unloop .*: この PC を調べています`, bootTime)
	m.repairsInJapanese(d)
}

// Where nothing can be drawn, the words are English by themselves.
func TestStickScreenless(t *testing.T) {
	for name, v := range map[string]vm{
		"no graphics card":       {vga: "none"},
		"UEFI, no graphics card": {firmware: "UEFI x64", vga: "none"},
		"plain text screen":      {menu: 2},
		"UEFI, plain text menu":  {firmware: "UEFI x64", menu: 2},
	} {
		t.Run(name, func(t *testing.T) {
			matrix(t)
			d := loopingDisk(t)
			v.disks, v.mode, v.settings, v.screen = []*disk{d}, "ask", inJapanese, "tty0"
			m := bootStick(t, v)
			if v.menu == 0 {
				m.expectWithin(`unloop: this screen cannot show Japanese, so it is English: `, bootTime)
			}
			m.repairsInEnglish(d)
		})
	}
}

// repairsInEnglish goes through a repair on Linux's console.
func (m *vmRun) repairsInEnglish(d *disk) {
	m.t.Helper()
	m.expectWithin(`unloop: the screen waits for a key: unloop: repair`, bootTime)
	if m.vga != "none" {
		m.shoot("plan")
	}
	m.press("enter")
	m.result("REPAIRED")
	m.said(`unloop: the stick may be pulled out now`)
	m.expect(`unloop: the screen waits for a key: REPAIRED`)
	if m.vga != "none" {
		m.shoot("repaired")
	}
	m.press("p")
	m.expect(`unloop: power off`)
	m.ends("guest-shutdown")
	m.wantRepaired(d)
}

// A stick as it is made speaks English on the PC's own screen. The pictures that are kept
// are scripts/screens/repair.png and repaired.png.
func TestStickScreenEnglish(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	bootStick(t, vm{disks: []*disk{d}, mode: "ask", after: "ask", screen: "tty0", maker: examplePC}).repairsInEnglish(d)
}

// A key changes the language, to and fro; the shell has the console for itself and gives
// it back.
func TestStickScreenLanguage(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}, mode: "ask", after: "ask", screen: "tty0"})
	m.expectWithin(`unloop: the screen waits for a key: unloop: repair`, bootTime)
	m.press("j")
	m.expect(`unloop: 画面でキーを待っています: .*修復しますか`)
	m.shows("japanese", moodCalm, " unloop: UNLOOP-PC を修復しますか？\n")
	m.press("s")
	m.expect(`unloop: shell: `)
	m.shoot("shell")
	m.typesKeys("exit\n")
	m.expect(`unloop: 画面でキーを待っています: .*修復しますか`)
	m.shows("japanese again", moodCalm, " unloop: UNLOOP-PC を修復しますか？\n")
	m.press("e")
	m.expect(`unloop: the screen waits for a key: unloop: repair`)
	m.shows("english", moodCalm, " unloop: repair UNLOOP-PC?\n", "  J Japanese\n")
	m.press("enter")
	m.result("REPAIRED")
	m.expect(`unloop: the screen waits for a key: REPAIRED`)
	m.shows("repaired", moodGood, "\n REPAIRED\n")
	m.press("j")
	m.expect(`unloop: 画面でキーを待っています: 修復しました`)
	m.shows("repaired japanese", moodGood, "\n 修復しました（REPAIRED）\n")
	m.press("p")
	m.ends("guest-shutdown")
	m.wantRepaired(d)
}

// While unloop works, the screen says what it does.
func TestStickScreenWorking(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}, settings: "mode = \"auto\"\nafter = \"poweroff\"\nlanguage = \"ja\"\n", screen: "tty0", sluggish: true})
	m.expectWithin(`unloop: backup: +書き込み`, bootTime)
	m.shows("working", moodCalm, " unloop: 作業中\n", "\n unloop: backup:  書き込み、読み戻して照合しました: ", "\n お待ちください\n")
	m.result("REPAIRED")
	m.ends("guest-shutdown")
	m.wantRepaired(d)
}

// typesKeys types on the PC's own keyboard: lower-case letters, digits, and what a shell
// needs of the other characters.
func (m *vmRun) typesKeys(text string) {
	m.t.Helper()
	others := map[rune][]string{' ': {"spc"}, '\n': {"ret"}, '-': {"minus"}, ';': {"semicolon"}, '(': {"shift", "9"}, ')': {"shift", "0"}, '&': {"shift", "7"}}
	for _, c := range text {
		names, ok := others[c]
		if !ok {
			names = []string{string(c)}
		}
		if err := m.qmp.press(m.patience(qmpTime), names...); err != nil {
			m.t.Fatalf("pressing %q: %v", names, err)
		}
		time.Sleep(150 * time.Millisecond) // QEMU holds each for 100
	}
}

// A session that dies while it draws leaves the screen to the console, which tells it;
// the next one draws again.
func TestStickScreenDies(t *testing.T) {
	matrix(t)
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}, mode: "ask", settings: inJapanese, screen: "tty0"})
	const waits = `unloop: 画面でキーを待っています: .*修復しますか`
	m.expectWithin(waits, bootTime)
	m.press("s")
	m.expect(`unloop: shell: `)
	m.typesKeys("(sleep 8;killall -9 exe)&\nexit\n") // as it was started
	m.expect(waits)
	m.shows("before", moodCalm, " unloop: UNLOOP-PC を修復しますか？\n")
	time.Sleep(m.patience(12 * time.Second))
	m.shoot("dead")
	if bar := rgbOf(m.picture("dead").At(0, 0)); bar == palette()[barStyle(moodCalm)].paper {
		t.Error("the page still stands on the screen")
	}
	m.press("enter")
	m.expectWithin(waits, bootTime)
	m.shows("after", moodCalm, " unloop: UNLOOP-PC を修復しますか？\n")
	m.press("p")
	m.ends("guest-shutdown")
	m.wantUntouched(d)
}
