package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"
)

// A page waits for its own keys, in both cases, with Enter as the terminal sends it;
// others mean nothing to it.
func TestShowKeys(t *testing.T) {
	for _, test := range []struct {
		press []string
		want  rune
	}{
		{[]string{"<enter>"}, '\n'},
		{[]string{"<lf>"}, '\n'},
		{[]string{"d"}, 'D'},
		{[]string{"D"}, 'D'},
		{[]string{"l"}, 'L'}, // without a word on the screen
		{[]string{"xyz1+ \u3042", "<esc>", "<f1>", "r"}, 'R'},
		{[]string{"<up>", "<down>", "<pgdn>", "<pgup>", "<home>", "<end>", "p"}, 'P'},
	} {
		s := newTestScreen(t, 80, 24, pressing(test.press...)...)
		got, err := samplePage().show(s, "more")
		if got != test.want || err != nil || len(s.keys) != 0 {
			t.Errorf("%q: %q, %v with %d keys left, want %q", test.press, got, err, len(s.keys), test.want)
		}
	}
	s := newTestScreen(t, 80, 24, pressing("x")...)
	if got, err := samplePage().show(s, "more"); got != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a screen that ends: %q, %v", got, err)
	}
}

// A screen that fails, or changes its size, does not end the page for good.
func TestShowEvents(t *testing.T) {
	s := &eventScreen{testScreen: newTestScreen(t, 20, 5), events: []tcell.Event{
		tcell.NewEventResize(80, 24), tcell.NewEventError(errors.New("hung up")),
	}}
	if got, err := samplePage().show(s, "more"); got != 0 || err == nil || err.Error() != "hung up" {
		t.Errorf("show = %q, %v", got, err)
	}
	if len(s.shown) != 2 {
		t.Errorf("drawn %d times, want once more after the resize", len(s.shown))
	}
}

type eventScreen struct {
	*testScreen
	events []tcell.Event
}

func (s *eventScreen) PollEvent() tcell.Event {
	event := s.events[0]
	s.events = s.events[1:]
	return event
}

func longPage(lines int) *page {
	p := &page{title: "long", keys: samplePage().keys}
	for i := range lines {
		p.add(linePlain, fmt.Sprintf("<%d>", i))
	}
	return p
}

// Arrows move the text by a line, page keys and the space bar by a screen of which
// one line stays, never past either end.
func TestScroll(t *testing.T) {
	const rows, all = 6, 30 // of 10 lines title, keys and the place between take 4
	for _, test := range []struct {
		press []string
		top   int
	}{
		{nil, 0},
		{[]string{"<up>"}, 0},
		{[]string{"<down>"}, 1},
		{[]string{"<down>", "<down>", "<up>"}, 1},
		{[]string{"<end>"}, all - rows},
		{[]string{"<end>", "<down>", "<pgdn>"}, all - rows},
		{[]string{"<end>", "<up>"}, all - rows - 1},
		{[]string{"<end>", "<home>"}, 0},
		{[]string{"<pgdn>"}, rows - 1},
		{[]string{" "}, rows - 1},
		{[]string{"<pgdn>", "<pgdn>", "<pgup>"}, rows - 1},
		{[]string{"<pgdn>", "<pgup>", "<pgup>"}, 0},
	} {
		s := newTestScreen(t, 80, 10, pressing(append(test.press, "p")...)...)
		p := longPage(all)
		if _, err := p.show(s, "{from}-{to}/{of}"); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("%d-%d/%d", test.top+1, test.top+rows, all)
		if !strings.Contains(s.last(), fmt.Sprintf("<%d>", test.top)) || !strings.Contains(s.last(), want) {
			t.Errorf("%q: want %s in\n%s", test.press, want, s.last())
		}
	}
}

// However small the screen and however many lines the keys take: who leafs through a
// page with one key sees all of it.
func TestLeafThrough(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {80, 10}, {40, 10}, {30, 8}, {20, 12}, {12, 9}, {80, 5}, {80, 4}} {
		for _, key := range []string{"<pgdn>", " ", "<down>"} {
			const lines = 60
			keys := pressing(strings.Split(strings.Repeat(key+"|", 2*lines), "|")...)
			s := newTestScreen(t, size[0], size[1], keys...)
			if _, err := longPage(lines).show(s, ""); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatal(err)
			}
			all := strings.Join(s.shown, "")
			for i := range lines {
				if !strings.Contains(all, fmt.Sprintf("<%d>", i)) {
					t.Errorf("%dx%d: line %d never comes with %s", size[0], size[1], i, key)
					break
				}
			}
		}
	}
}

// Where there is no screen, the page is printed and the keys are typed, with Enter.
func TestAsk(t *testing.T) {
	for _, test := range []struct {
		typed string
		want  rune
		asked int
	}{
		{"\n", '\n', 1},
		{"\r\n", '\n', 1},
		{"  \n", '\n', 1},
		{"d\n", 'D', 1},
		{" Details\n", 'D', 1},
		{"x\n?\nr\n", 'R', 3},
		{"\x1b[A\nl\nd\n", 'L', 2},
		{"d", 0, 1},
		{"", 0, 1},
	} {
		var out bytes.Buffer
		got, err := samplePage().ask(bufio.NewReader(strings.NewReader(test.typed)), &out)
		if got != test.want || (err == nil) != (test.want != 0) {
			t.Errorf("%q: %q, %v, want %q", test.typed, got, err, test.want)
		}
		if n := strings.Count(out.String(), "\n> "); n != test.asked {
			t.Errorf("%q: asked %d times, want %d", test.typed, n, test.asked)
		}
		for _, want := range []string{"*** unloop: repair UNLOOP-PC? ***", "PC:       UNLOOP-PC", "+\"Start\"=dword:00000004", "P Power off"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q: no %q in %s", test.typed, want, out.String())
			}
		}
	}
}
