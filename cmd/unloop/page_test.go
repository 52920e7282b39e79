package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gdamore/tcell/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"
)

// testScreen is a screen in memory. It keeps what was on it each time it was shown, and
// a person in a hurry has pressed all keys already.
type testScreen struct {
	tcell.SimulationScreen
	*keyboard
	shown   []string
	instead func() string // what is seen elsewhere, as this one only has the keys; nil: this one is seen
}

// keyboard holds the keys that nobody has read yet.
type keyboard struct{ keys []*tcell.EventKey }

func newTestScreen(t *testing.T, width, height int, keys ...*tcell.EventKey) *testScreen {
	t.Helper()
	s := &testScreen{SimulationScreen: tcell.NewSimulationScreen("UTF-8"), keyboard: &keyboard{keys}}
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	s.SetSize(width, height)
	return s
}

func (s *testScreen) Show() {
	s.SimulationScreen.Show()
	s.shown = append(s.shown, s.text())
}

func (s *testScreen) PollEvent() tcell.Event {
	if s.instead != nil {
		s.shown = append(s.shown, s.instead())
	}
	if len(s.keys) == 0 {
		return nil
	}
	key := s.keys[0]
	s.keys = s.keys[1:]
	return key
}

// last is what was on the screen in the end.
func (s *testScreen) last() string { return s.shown[len(s.shown)-1] }

func (s *testScreen) text() string {
	cells, width, height := s.GetContents()
	var b strings.Builder
	for y := range height {
		var line strings.Builder
		for x := 0; x < width; {
			word := string(cells[y*width+x].Runes)
			line.WriteString(word)
			x += max(uniseg.StringWidth(word), 1)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// pressing spells key presses: letters are themselves, words in <> the other keys.
func pressing(words ...string) (keys []*tcell.EventKey) {
	names := map[string]tcell.Key{
		"<enter>": tcell.KeyEnter, "<lf>": tcell.KeyLF, "<up>": tcell.KeyUp, "<down>": tcell.KeyDown, "<pgup>": tcell.KeyPgUp,
		"<pgdn>": tcell.KeyPgDn, "<home>": tcell.KeyHome, "<end>": tcell.KeyEnd, "<esc>": tcell.KeyEscape, "<f1>": tcell.KeyF1,
	}
	for _, word := range words {
		if k, ok := names[word]; ok {
			keys = append(keys, tcell.NewEventKey(k, 0, tcell.ModNone))
			continue
		}
		for _, r := range word {
			keys = append(keys, tcell.NewEventKey(tcell.KeyRune, r, tcell.ModNone))
		}
	}
	return keys
}

func samplePage() *page {
	p := &page{title: "unloop: repair UNLOOP-PC?", keys: []pageKey{
		{'\n', "Enter Repair"}, {'D', "D Details"}, {'L', ""}, {'U', "U Undo a repair"}, {'R', "R Restart"}, {'P', "P Power off"},
	}}
	p.add(lineHead, "PC:       UNLOOP-PC (serial number 4711)")
	p.add(linePlain, "")
	p.add(lineNote, "Price:    the protection against Meltdown and Spectre v2 is off on this PC: keep it off the open network.")
	p.addDiff("--- a\n+++ b\n[ControlSet001]\n-\"Start\"=dword:00000002\n+\"Start\"=dword:00000004\n \"Type\"=dword:00000001\n")
	return p
}

// A page has its title on top, then the text, and at the bottom the keys that have a
// word, in as many lines as they need.
func TestDraw(t *testing.T) {
	for _, test := range []struct {
		width, height, top int
		want               string
	}{
		{60, 16, 0, `
 unloop: repair UNLOOP-PC?
 PC:       UNLOOP-PC (serial number 4711)

 Price:    the protection against Meltdown and Spectre v2
 is off on this PC: keep it off the open network.
 --- a
 +++ b
 [ControlSet001]
 -"Start"=dword:00000002
 +"Start"=dword:00000004
  "Type"=dword:00000001



 Enter Repair  D Details  U Undo a repair  R Restart
 P Power off
`},
		{40, 10, 4, `
 unloop: repair UNLOOP-PC?
 Meltdown and Spectre v2 is off on this
 PC: keep it off the open network.
 --- a
 +++ b
 lines 5-8 of 12

 Enter Repair  D Details
 U Undo a repair  R Restart
 P Power off
`},
		{40, 10, 100, `
 unloop: repair UNLOOP-PC?
 [ControlSet001]
 -"Start"=dword:00000002
 +"Start"=dword:00000004
  "Type"=dword:00000001
 lines 9-12 of 12

 Enter Repair  D Details
 U Undo a repair  R Restart
 P Power off
`},
	} {
		s := newTestScreen(t, test.width, test.height)
		samplePage().draw(s, test.top, "lines {from}-{to} of {of}")
		s.Show()
		if diff := cmp.Diff(test.want[1:], s.last()); diff != "" {
			t.Errorf("%dx%d from line %d (-want +got):\n%s", test.width, test.height, test.top, diff)
		}
	}
}

// On no screen, however small, does drawing fail, and the keys are what stays longest.
func TestDrawTiny(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 2}, {3, 1}, {10, 3}, {80, 1}, {80, 3}, {20, 5}, {1, 50}} {
		s := newTestScreen(t, size[0], size[1])
		p := samplePage()
		p.add(linePlain, "日本語のとても長い行です")
		for top := range 5 {
			p.draw(s, top, "{from}-{to} {of}")
			s.Show()
		}
		if got := strings.Split(s.last(), "\n")[size[1]-1]; size[0] >= 10 && !strings.Contains(got, "P Power") && !strings.Contains(got, "off") {
			t.Errorf("%dx%d: the last line is %q", size[0], size[1], got)
		}
	}
}

// The colour of a bar tells the mood, that of a line what kind it is: no two are alike.
func TestStyles(t *testing.T) {
	seen := map[tcell.Style]string{}
	for _, m := range []mood{moodCalm, moodGood, moodNote, moodBad} {
		if other, ok := seen[barStyle(m)]; ok {
			t.Errorf("mood %d looks like %s", m, other)
		}
		seen[barStyle(m)] = fmt.Sprint("mood ", m)
	}
	for a, b := range map[lineKind]lineKind{lineAdded: lineRemoved, lineGood: lineBad, lineNote: lineBad, linePlain: lineHead} {
		if lineStyle(a) == lineStyle(b) {
			t.Errorf("lines of kind %d and %d look alike", a, b)
		}
	}
	want := []lineKind{lineHead, linePlain, lineNote, lineHead, lineHead, lineHead, lineRemoved, lineAdded, linePlain}
	var got []lineKind
	for _, line := range samplePage().body {
		got = append(got, line.kind)
	}
	if !slices.Equal(got, want) {
		t.Errorf("kinds of lines = %v, want %v", got, want)
	}
}

// Lines are broken at blanks where there are any, and inside long words; a Japanese
// character takes two columns and is not cut; what is set in stays set in.
func TestWrapped(t *testing.T) {
	for _, test := range []struct {
		width int
		text  string
		want  []string
	}{
		{10, "", []string{""}},
		{10, "0123456789", []string{"0123456789"}},
		{10, "0123456789a", []string{"0123456789", "a"}},
		{10, "one two three", []string{"one two", "three"}},
		{7, "one two three", []string{"one two", "three"}},
		{3, "one two three", []string{"one", "two", "thr", "ee"}},
		{10, "one two th", []string{"one two th"}},
		{10, "seven letters", []string{"seven", "letters"}},
		{6, "日本語です", []string{"日本語", "です"}},
		{7, "日本語です", []string{"日本語", "です"}},
		{7, "ab日本語", []string{"ab日本", "語"}},
		{10, "この USB メモリを", []string{"この USB", "メモリを"}},
		{12, "この USB メモリを", []string{"この USB メ", "モリを"}},
		{8, "修復する。次", []string{"修復す", "る。次"}},
		{8, "修復「一」次", []string{"修復", "「一」次"}},
		{9, "設定 (値) です", []string{"設定 (値)", "です"}},
		{8, "U で、ー、ー", []string{"U", "で、ー、", "ー"}}, // nowhere else
		{1, "日本", []string{"日", "本"}},
		{4, "café crème", []string{"café", "crèm", "e"}},
		{4, "cafe\u0301 cre\u0300me", []string{"cafe\u0301", "cre\u0300m", "e"}},
		{26, "  indented text that is longer than one", []string{"  indented text that is", "  longer than one"}},
		{10, "    deep and long", []string{"    deep", "and long"}}, // no room to set in
		{10, "two\nlines\n\nand", []string{"two", "lines", "", "and"}},
	} {
		p := new(page)
		p.add(linePlain, test.text)
		var got []string
		for _, line := range p.wrapped(test.width) {
			got = append(got, line.text)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q at %d columns (-want +got):\n%s", test.text, test.width, diff)
		}
	}
}

// However a text is broken, no line is wider than the screen, unless a single character
// is, and nothing but blanks is lost at the ends of lines.
func FuzzWrapped(f *testing.F) {
	f.Add("one two three four", 7)
	f.Add("  a b\n\n日本語 の テキスト", 5)
	f.Add("e\u0301\u0301 \U0001F468\u200D\U0001F469\u200D\U0001F467 \U0001F1EF\U0001F1F5", 2)
	f.Add("\t\x00\xff  x ", -3)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if len(text) > 1000 || !utf8.ValidString(text) {
			return
		}
		width = width % 100
		p := new(page)
		p.add(linePlain, text)
		var all strings.Builder
		for _, line := range p.wrapped(width) {
			all.WriteString(line.text)
			if w := uniseg.StringWidth(line.text); w > width && uniseg.GraphemeClusterCount(strings.TrimLeft(line.text, " ")) > 1 {
				t.Errorf("%q takes %d columns of %d", line.text, w, width)
			}
		}
		bare := func(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(s) }
		if got, want := bare(all.String()), bare(text); got != want {
			t.Errorf("%q becomes %q", want, got)
		}
	})
}

// A line is cut in two that give it again, with at most the blank between them lost,
// and something is always cut off.
func FuzzCutLine(f *testing.F) {
	f.Add("one two three", 5)
	f.Add(" 日本語", 3)
	f.Add("\U0001F1EF\U0001F1F5\U0001F1EF", 2)
	f.Fuzz(func(t *testing.T, s string, width int) {
		if len(s) > 1000 {
			return
		}
		piece, rest := cutLine(s, width)
		if piece+rest != s && piece+" "+rest != s {
			t.Errorf("cutLine(%q, %d) = %q, %q", s, width, piece, rest)
		}
		if s != "" && len(rest) >= len(s) {
			t.Errorf("cutLine(%q, %d) cuts nothing off", s, width)
		}
	})
}
