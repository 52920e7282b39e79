package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// logTo makes a log whose console is a file, with mirrors.
func logTo(t *testing.T, mirrors ...*os.File) (l *runLog, said func() string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "console")
	main, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { main.Close() })
	return &runLog{main: main, mirrors: mirrors}, func() string {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// What is said reaches the console, its mirrors and the record.
func TestRunLog(t *testing.T) {
	r, w := pipe(t)
	l, said := logTo(t, w)
	for _, line := range []string{"unloop: one\n", "unloop: 二\n"} {
		if n, err := l.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
	}
	const want = "unloop: one\nunloop: 二\n"
	mirrored := make([]byte, 100)
	n, err := r.Read(mirrored)
	if err != nil || said() != want || l.Kept() != want || string(mirrored[:n]) != want {
		t.Errorf("console %q, kept %q, mirror %q, %v, want %q", said(), l.Kept(), mirrored[:n], err, want)
	}
}

// A mirror that nobody listens to holds nothing up for long, and only once; one that is
// gone does no harm.
func TestRunLogBlocked(t *testing.T) {
	_, blocked := pipe(t)
	gone, broken := pipe(t)
	gone.Close()
	l, said := logTo(t, blocked, broken)
	line := strings.Repeat("x", 99) + "\n"
	start := time.Now()
	for range 2000 { // more than a pipe holds
		if _, err := l.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("a mirror held 2000 lines up for %v", d)
	}
	if got := strings.Count(said(), line); got != 2000 {
		t.Errorf("the console got %d lines of 2000", got)
	}
}

// What is kept has an end; the console goes on.
func TestRunLogEnds(t *testing.T) {
	l, said := logTo(t)
	line := strings.Repeat("y", 1<<16-1) + "\n"
	const lines = maxLogKept/(1<<16) + 5
	for range lines {
		if _, err := l.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.Kept()) != maxLogKept || len(said()) != lines*len(line) {
		t.Errorf("%d bytes are kept, %d shown", len(l.Kept()), len(said()))
	}
}

// Stages that go on say so while others speak: lines stay whole.
func TestRunLogTogether(t *testing.T) {
	r, w := pipe(t)
	l, said := logTo(t, w)
	var wait sync.WaitGroup
	for who := range 8 {
		wait.Go(func() {
			for i := range 50 {
				fmt.Fprintf(l, "unloop: %d %d\n", who, i)
				_ = l.Kept()
			}
		})
	}
	wait.Wait()
	w.Close()
	var mirrored bytes.Buffer
	if _, err := mirrored.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(said()), "\n")
	if len(lines) != 400 || mirrored.String() != said() || l.Kept() != said() {
		t.Fatalf("%d lines; the mirror and what is kept have %d and %d bytes of %d", len(lines), mirrored.Len(), len(l.Kept()), len(said()))
	}
	for _, line := range lines {
		var who, i int
		if n, err := fmt.Sscanf(line, "unloop: %d %d", &who, &i); n != 2 || err != nil {
			t.Errorf("a line is torn: %q", line)
		}
	}
}

func TestConsoleNames(t *testing.T) {
	for _, test := range []struct {
		name, device string
		vt           bool
	}{
		{"tty0", "/dev/tty1", true}, {"tty1", "/dev/tty1", true}, {"tty12", "/dev/tty12", true}, {"ttyS0", "/dev/ttyS0", false},
		{"ttyUSB0", "/dev/ttyUSB0", false}, {"hvc0", "/dev/hvc0", false}, {"tty", "/dev/tty", true},
	} {
		if got := consoleDevice(test.name); got != test.device {
			t.Errorf("consoleDevice(%s) = %s, want %s", test.name, got, test.device)
		}
		if got := isVT(test.name); got != test.vt {
			t.Errorf("isVT(%s) = %v", test.name, got)
		}
	}
	if got := openMirrors([]string{"no-such-console", ""}); len(got) != 0 {
		t.Errorf("mirrors that are not there: %v", got)
	}
}

// Each end sounds otherwise, bad the longest, and the calm one not at all.
func TestBeepCode(t *testing.T) {
	long := func(m mood) (d time.Duration) {
		for _, tone := range beepCode(m) {
			d += tone.long
		}
		return d
	}
	if beepCode(moodCalm) != nil || long(moodNote) == 0 || long(moodGood) <= long(moodNote) || long(moodBad) <= long(moodGood) {
		t.Errorf("calm %v, note %v, good %v, bad %v", long(moodCalm), long(moodNote), long(moodGood), long(moodBad))
	}
	beep("no-such-console", beepCode(moodBad)) // no sound is no failure
}

// americanKeymap is a keymap as busybox dumps it from a kernel that knows no other.
func americanKeymap(tables int) []byte {
	b := append([]byte(keymapMagic), make([]byte, keymapFlags)...)
	for i := range tables {
		b[len(keymapMagic)+i] = 1
		for key := range keymapKeys {
			b = binary.LittleEndian.AppendUint16(b, uint16(0xF000+i*256+key))
		}
	}
	return b
}

// The Japanese keymap has its own characters on the keys that differ, plain and with
// Shift, and all else from the keymap that was there.
func TestJapaneseKeymap(t *testing.T) {
	old := americanKeymap(4)
	got, err := japanese(old)
	if err != nil || len(got) != len(old) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	at := func(b []byte, table, key int) uint16 {
		return binary.LittleEndian.Uint16(b[len(keymapMagic)+keymapFlags+2*(table*keymapKeys+key):])
	}
	for _, test := range []struct {
		key          int
		plain, shift rune
	}{{3, '2', '"'}, {26, '@', '`'}, {39, ';', '+'}, {40, ':', '*'}, {89, '\\', '_'}, {124, '\\', '|'}} {
		if a, b := at(got, 0, test.key), at(got, 1, test.key); a != uint16(test.plain) || b != uint16(test.shift) {
			t.Errorf("key %d: %c %c, want %c %c", test.key, a, b, test.plain, test.shift)
		}
	}
	changed := 0
	for table := range 4 {
		for key := range keymapKeys {
			if at(got, table, key) != at(old, table, key) {
				changed++
			}
		}
	}
	if changed != 2*len(jpKeys) || !bytes.Equal(old, americanKeymap(4)) {
		t.Errorf("%d keys changed, want %d, and none of the old keymap", changed, 2*len(jpKeys))
	}
	keys := map[uint8]bool{}
	for _, k := range jpKeys {
		if keys[k.code] || int(k.code) >= keymapKeys {
			t.Errorf("key %d is there twice, or not on a keyboard", k.code)
		}
		keys[k.code] = true
	}
}

func TestOddKeymaps(t *testing.T) {
	good := americanKeymap(2)
	noShift := slices.Clone(good)
	noShift[len(keymapMagic)+1] = 0
	for name, keymap := range map[string][]byte{
		"none": nil, "magic": append([]byte("xkeymap"), good[len(keymapMagic):]...), "short": good[:len(good)-1], "one table": americanKeymap(1), "no table with Shift": noShift,
	} {
		if got, err := japanese(keymap); got != nil || err == nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// Whatever busybox says: no panic, and either an error or a keymap as long as before
// whose head is the same.
func FuzzKeymap(f *testing.F) {
	f.Add(americanKeymap(2))
	f.Add(americanKeymap(7)[:2000])
	f.Add([]byte("bkeymap\x01\x01"))
	f.Fuzz(func(t *testing.T, keymap []byte) {
		got, err := japanese(keymap)
		const head = len(keymapMagic) + keymapFlags
		if (got == nil) != (err != nil) || err == nil && (len(got) != len(keymap) || !bytes.Equal(got[:head], keymap[:head])) {
			t.Errorf("%d bytes of %d, %v", len(got), len(keymap), err)
		}
	})
}

// An American keyboard needs nothing; a Japanese one without the program that sets it is
// an error that says so.
func TestSetKeyboard(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := setKeyboard("us"); err != nil {
		t.Error(err)
	}
	if err := setKeyboard("jp"); err == nil || !strings.HasPrefix(err.Error(), "setting the keyboard: ") {
		t.Errorf("without busybox: %v", err)
	}
}

// What was typed before a page is shown is forgotten, be it a whole line or a part; what
// is typed afterwards is not.
func TestForgetKeys(t *testing.T) {
	keys, tty := terminal(t)
	for _, typed := range []string{"\r", "\r\rp", "p"} {
		if _, err := keys.WriteString(typed); err != nil {
			t.Fatal(err)
		}
		if err := forgetKeys(tty); err != nil {
			t.Fatal(err)
		}
		if _, err := keys.WriteString("x\r"); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 80)
		if n, err := tty.Read(b); err != nil || string(b[:n]) != "x\n" {
			t.Errorf("after %q the terminal gives %q, %v", typed, b[:n], err)
		}
	}
	if r, _ := pipe(t); forgetKeys(r) == nil {
		t.Error("a pipe took a request for a terminal")
	}
}

// terminal makes a terminal with a keyboard to type on.
func terminal(t *testing.T) (keys, tty *os.File) {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { keys.Close() })
	if err := unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return keys, tty
}
