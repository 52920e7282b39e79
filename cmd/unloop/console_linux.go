package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// runLog takes what the stages say: it shows it on the console, on the consoles beside
// it, and keeps it for the record.
type runLog struct {
	mu      sync.Mutex
	text    []byte
	main    *os.File
	instead io.Writer // of main, while unloop draws the screen itself
	mirrors []*os.File
}

// maxLogKept bounds what is kept; a run says a few kilobytes.
const maxLogKept = 1 << 20

func (l *runLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.text)+len(p) <= maxLogKept {
		l.text = append(l.text, p...)
	}
	var err error
	if l.instead != nil {
		_, err = l.instead.Write(p)
	} else {
		_, err = l.main.Write(p)
	}
	l.mirror(p)
	return len(p), err
}

// show shows what follows elsewhere instead of on the console; nil: there again.
func (l *runLog) show(instead io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.instead = instead
}

// mirror shows something on the consoles beside the one with the screen.
func (l *runLog) mirror(p []byte) {
	for i, f := range l.mirrors {
		if f != nil && writePatiently(f, p) != nil {
			l.mirrors[i] = nil // a port without a listener must not hold the repair up
		}
	}
}

// Aside tells the other consoles what stands on the screen. It is no part of the record.
func (l *runLog) Aside(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mirror([]byte(line + "\n"))
}

// Kept returns what was said so far.
func (l *runLog) Kept() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// writePatiently writes to a terminal opened without blocking.
func writePatiently(f *os.File, p []byte) error {
	return errors.Join(f.SetWriteDeadline(time.Now().Add(time.Second)), func() error { _, err := f.Write(p); return err }())
}

// consoleDevice is the device behind a console's name: keys on tty0 are those of the
// first virtual terminal.
func consoleDevice(name string) string {
	if name == "tty0" {
		name = "tty1"
	}
	return "/dev/" + name
}

// openMirrors opens the other consoles.
func openMirrors(names []string) []*os.File {
	var all []*os.File
	for _, name := range names {
		if fd, err := unix.Open(consoleDevice(name), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0); err == nil {
			all = append(all, os.NewFile(uintptr(fd), name))
		}
	}
	return all
}

// isVT says whether a console is the PC's own screen, where Linux shows no Japanese.
func isVT(name string) bool {
	rest, ok := strings.CutPrefix(name, "tty")
	return ok && strings.Trim(rest, "0123456789") == ""
}

// kiocSound is a request of the console driver: sound on or off (ioctl_console(2)).
const kiocSound = 0x4B2F

// tone is a sound of the PC's speaker.
type tone struct {
	hertz int // 0: silence
	long  time.Duration
}

// beepCode is what a mood sounds like: two rising tones for good, one for a note, three
// low ones for bad.
func beepCode(m mood) []tone {
	const short, long = 150 * time.Millisecond, 400 * time.Millisecond
	switch m {
	case moodGood:
		return []tone{{1000, short}, {0, short}, {1500, long}}
	case moodNote:
		return []tone{{1000, long}}
	case moodBad:
		return []tone{{400, long}, {0, short}, {400, long}, {0, short}, {400, long}}
	}
	return nil
}

// beep plays a code on the speaker; on a terminal that is not the PC's own it rings the
// bell as often.
func beep(console string, code []tone) {
	f, err := os.OpenFile(consoleDevice(console), os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	for _, t := range code {
		if !isVT(console) {
			if t.hertz > 0 {
				fmt.Fprint(f, "\a")
			}
			continue
		}
		period := 0
		if t.hertz > 0 {
			period = 1193182 / t.hertz // the timer's clock, in hertz
		}
		if unix.IoctlSetInt(int(f.Fd()), kiocSound, period) != nil {
			return
		}
		time.Sleep(t.long)
	}
	if isVT(console) {
		unix.IoctlSetInt(int(f.Fd()), kiocSound, 0)
	}
}

// calmTime is how long no page is shown after what went before: the second tap of a finger
// that tapped twice is no answer to it.
const calmTime = 300 * time.Millisecond

// forgetKeys drops what was typed on a terminal before there was a page. An Enter that was
// pressed while the disks were looked at must not repair, nor one during the repair restart.
func forgetKeys(tty *os.File) error {
	time.Sleep(calmTime)
	if err := unix.IoctlSetInt(int(tty.Fd()), unix.TCFLSH, unix.TCIFLUSH); err != nil {
		return fmt.Errorf("dropping the keys typed before: %w", err)
	}
	return nil
}

// jpKeys is how a Japanese keyboard (JIS X 6002, 106 keys) differs from an American one:
// the key's code, its character, and the one with Shift.
var jpKeys = []struct {
	code         uint8
	plain, shift byte
}{
	{3, '2', '"'}, {7, '6', '&'}, {8, '7', '\''}, {9, '8', '('}, {10, '9', ')'}, {11, '0', '~'}, {12, '-', '='}, {13, '^', '~'},
	{26, '@', '`'}, {27, '[', '{'}, {39, ';', '+'}, {40, ':', '*'}, {43, ']', '}'}, {89, '\\', '_'}, {124, '\\', '|'},
}

// A keymap as busybox dumps and loads it: a magic word, a flag for each of 256 tables,
// then 128 characters of 16 bits for each table that is there.
const (
	keymapMagic = "bkeymap"
	keymapFlags = 256
	keymapKeys  = 128
)

// japanese changes a keymap to that of a Japanese keyboard; the first two tables are
// those without and with Shift.
func japanese(keymap []byte) ([]byte, error) {
	tables := len(keymapMagic) + keymapFlags
	if len(keymap) < tables+2*2*keymapKeys || string(keymap[:len(keymapMagic)]) != keymapMagic ||
		keymap[len(keymapMagic)] != 1 || keymap[len(keymapMagic)+1] != 1 {
		return nil, errors.New("changing the keymap: it is not as busybox dumps it")
	}
	out := bytes.Clone(keymap)
	for _, k := range jpKeys {
		for table, c := range []byte{k.plain, k.shift} {
			binary.LittleEndian.PutUint16(out[tables+2*(table*keymapKeys+int(k.code)):], uint16(c))
		}
	}
	return out, nil
}

// setKeyboard gives the console the layout; "us" is what it has.
func setKeyboard(layout string) error {
	if layout != "jp" {
		return nil
	}
	run := func(applet string, in []byte) ([]byte, error) {
		cmd := exec.Command("busybox", applet) // it finds the console by itself
		cmd.Stdin = bytes.NewReader(in)
		return cmd.Output()
	}
	keymap, err := run("dumpkmap", nil)
	if err == nil {
		keymap, err = japanese(keymap)
	}
	if err == nil {
		_, err = run("loadkmap", keymap)
	}
	if err != nil {
		return fmt.Errorf("setting the keyboard: %w", err)
	}
	return nil
}
