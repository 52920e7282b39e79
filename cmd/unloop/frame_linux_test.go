package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/gdamore/tcell/v2"
)

// drawnDesk is a desk whose own screen speaks Japanese.
func drawnDesk(t *testing.T, press ...string) *desk {
	t.Helper()
	d := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, press...)
	d.drawable()
	d.speak("ja")
	return d
}

// Between pages the log stands on the screen: the newest lines, errors in red, and none of
// it on Linux's console, which has no Japanese. A page is not drawn over.
func TestFrameLog(t *testing.T) {
	d := drawnDesk(t)
	if seen := d.seen(); !strings.HasPrefix(seen, " unloop: 作業中\n\n") || !strings.HasSuffix(seen, "\n お待ちください\n") {
		t.Errorf("before the first line:\n%s", seen)
	}
	for i := range 30 {
		fmt.Fprintf(d.log, "%d 行目\n", i)
		if !strings.Contains(d.seen(), fmt.Sprintf("\n %d 行目\n", i)) {
			t.Fatalf("line %d is not seen:\n%s", i, d.seen())
		}
	}
	fmt.Fprint(d.log, "unloop: error: 失敗\nunloop: hint: もう一度\n")
	text, looks := d.eye.read(t, d.pixels)
	for i, line := range strings.Split(text, "\n") {
		if strings.Contains(line, "失敗") && inked(looks[i])[0] != palette()[lineStyle(lineBad)] {
			t.Errorf("the error is %v", looks[i])
		}
	}
	page := d.frame.open(newTestScreen(t, 80, 24))
	page.Clear()
	page.PutStrStyled(0, 0, "頁", tcell.StyleDefault)
	page.Show()
	fmt.Fprintln(d.log, "見えない")
	if seen := d.seen(); !strings.HasPrefix(seen, "頁\n\n") || strings.Contains(seen, "見えない") {
		t.Errorf("the page was drawn over:\n%s", seen)
	}
	page.Fini()
	fmt.Fprintln(d.log, "見える")
	if seen := d.seen(); !strings.Contains(seen, "見えない\n 見える\n") {
		t.Errorf("after the page:\n%s", seen)
	}
	if console, err := os.ReadFile("console"); err != nil || len(console) > 0 {
		t.Errorf("the console was told %q, %v", console, err)
	}
	if !strings.Contains(d.said(), "29 行目\n") {
		t.Error("the log is not kept")
	}
}

// A line longer than the screen, and a flood, are no matter.
func TestFrameLogIsBounded(t *testing.T) {
	d := drawnDesk(t)
	fmt.Fprintln(d.log, strings.Repeat("長い行", 2000))
	fmt.Fprint(d.log, strings.Repeat("x\n", 5000)+"最後\n")
	if seen := d.seen(); !strings.Contains(seen, "\n 最後\n") || len(d.frame.lines) > 24 {
		t.Errorf("%d lines are remembered:\n%s", len(d.frame.lines), seen)
	}
}

// What the screen's driver says when it fails ends the page, and from then on unloop
// speaks English on Linux's console.
func TestFrameFails(t *testing.T) {
	d := drawnDesk(t)
	d.pixels.fail = io.ErrShortWrite
	fmt.Fprintln(d.log, "一行") // is no error of the run
	s, err := d.openScreen(true)
	if err != nil {
		t.Fatal(err)
	}
	if key, err := samplePage().show(d.frame.open(s), ""); key != 0 || err == nil || !strings.Contains(err.Error(), io.ErrShortWrite.Error()) {
		t.Errorf("show = %q, %v", key, err)
	}

	d = drawnDesk(t)
	d.in.Reset(strings.NewReader("r\n"))
	stdout := os.Stdout
	t.Cleanup(func() { os.Stdout = stdout })
	if os.Stdout, err = os.Create("stdout"); err != nil {
		t.Fatal(err)
	}
	d.rescue.screen = func(bool) (screen, error) { return nil, errors.New("no keys") }
	if key := d.show(samplePage()); key != 'R' {
		t.Errorf("show = %q", key)
	}
	if d.frame != nil || d.lang != "en" || !slices.Equal(d.modes, []int{kdGraphics, kdText}) {
		t.Errorf("frame %v, language %s, console %v", d.frame, d.lang, d.modes)
	}
	d.mustSay("unloop: this screen cannot show Japanese, so it is English: no keys")
	if d.draws() {
		t.Error("it draws again")
	}
}

// Syncing a page draws all of it; that the console has another size is no key.
func TestFramePage(t *testing.T) {
	d := drawnDesk(t)
	s := &eventScreen{testScreen: newTestScreen(t, 80, 24), events: []tcell.Event{
		tcell.NewEventResize(80, 24), tcell.NewEventKey(tcell.KeyRune, 'p', tcell.ModNone),
	}}
	page := d.frame.open(s)
	page.Show()
	d.pixels.writes = 0
	if event, ok := page.PollEvent().(*tcell.EventKey); !ok || event.Rune() != 'p' || d.pixels.writes != 0 {
		t.Errorf("PollEvent = %v after %d writes", event, d.pixels.writes)
	}
	clear(d.pixels.data)
	page.PutStrStyled(0, 5, "全部", keyStyle())
	page.Sync()
	if seen := d.seen(); !strings.Contains(seen, "全部\n") || !strings.Contains(seen, "お待ちください") {
		t.Errorf("after Sync:\n%s", seen)
	}
}

// Our structures are those of the kernel.
func TestFramebufferLayout(t *testing.T) {
	var f fbFixed
	at, stride := uintptr(20), uintptr(44) // of a 32-bit kernel
	if unsafe.Sizeof(uintptr(0)) == 8 {
		at, stride = 24, 48
	}
	if unsafe.Sizeof(fbVariable{}) != 160 || unsafe.Offsetof(f.size) != at || unsafe.Offsetof(f.stride) != stride {
		t.Errorf("%d bytes; size at %d, stride at %d", unsafe.Sizeof(fbVariable{}), unsafe.Offsetof(f.size), unsafe.Offsetof(f.stride))
	}
	v := fbVariable{width: 800, height: 600, x: 2, y: 3, depth: 16}
	f = fbFixed{size: 1 << 20, visual: fbTrueColour, stride: 1604}
	v.red.offset, v.red.length, v.green.offset, v.green.length, v.blue.length = 11, 5, 5, 6, 5
	want := pixels{width: 800, height: 600, stride: 1604, base: 3*1604 + 4, depth: 16, red: channel{11, 5}, green: channel{5, 6}, blue: channel{0, 5}}
	if got := layout(&v, &f); got != want {
		t.Errorf("layout = %+v, want %+v", got, want)
	}
	if err := directColours(&v, &f); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(v *fbVariable, f *fbFixed){
		"planes": func(_ *fbVariable, f *fbFixed) { f.kind = 1 }, "a table": func(_ *fbVariable, f *fbFixed) { f.visual = 3 },
		"black and white": func(_ *fbVariable, f *fbFixed) { f.visual = 0 }, "grey": func(v *fbVariable, _ *fbFixed) { v.grayscale = 1 },
		"bits the other way": func(v *fbVariable, _ *fbFixed) { v.green.msbRight = 1 },
	} {
		v, f := v, f
		change(&v, &f)
		if err := directColours(&v, &f); !errors.Is(err, errNoCanvas) {
			t.Errorf("%s: %v", name, err)
		}
	}
	v.width, f.stride = 1<<32-1, 1<<32-1
	if got := layout(&v, &f); got.check(1<<32-1) == nil {
		t.Errorf("%+v is accepted", got)
	}
}

// What is no framebuffer is none.
func TestOpenFramebuffer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fb0")
	writeFile(t, file, make([]byte, 1000))
	for _, path := range []string{file, file + "none", os.DevNull} {
		if b, err := openFramebuffer(path); b != nil || !errors.Is(err, errNoCanvas) {
			t.Errorf("%s: %v, %v", path, b, err)
		}
	}
}
