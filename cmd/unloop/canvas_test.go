package main

import (
	"errors"
	"image"
	"io"
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"
	"github.com/google/go-cmp/cmp"
)

// japanesePage has a line of every kind, characters of one and two cells, and some that
// the font does not have.
func japanesePage() *page {
	p := &page{title: "unloop: 事務室１ を修復しますか", mood: moodCalm, keys: []pageKey{{'\n', "Enter 修復する"}, {'D', "D 詳細"}}}
	p.add(lineHead, "PC:       UNLOOP-PC (シリアル番号 4711)")
	p.add(lineNote, "副作用:   ｶﾀｶﾅ と ①②③ … → ─│┌")
	p.add(lineBad, "判定:     한글 ก 😀 e\u0301")
	p.addDiff("--- a\n-\"Start\"=dword:00000002\n+\"Start\"=dword:00000004\n \"Type\"=dword:00000001\n")
	p.add(lineGood, "修復しました")
	return p
}

// shownOn draws a page on a framebuffer and returns its picture.
func shownOn(t *testing.T, p *page, screen pixels) (*memoryScreen, *canvas) {
	t.Helper()
	m := newMemoryScreen(screen)
	c, err := newCanvas(screen, int64(len(m.data)), m, testFont(t))
	if err != nil {
		t.Fatal(err)
	}
	g := c.grid()
	p.draw(g, 0, "{from}-{to}")
	if err := c.draw(g); err != nil {
		t.Fatal(err)
	}
	return m, c
}

// What can be read on the pixels of every kind of framebuffer is what a terminal of as
// many cells shows, and nothing is drawn outside of the screen.
func TestCanvas(t *testing.T) {
	font := testFont(t)
	eye := newEye(font)
	rgb565 := pixels{stride: 2048, depth: 16, red: channel{11, 5}, green: channel{5, 6}, blue: channel{0, 5}}
	for _, test := range []struct {
		name                 string
		screen               pixels
		width, height        int // pixels
		columns, rows, scale int
	}{
		{"vga", plainPixels(640, 480), 640, 480, 80, 30, 1},
		{"usual", plainPixels(1024, 768), 1024, 768, 128, 48, 1},
		{"odd", pixels{stride: 1366*4 + 40, depth: 32, red: channel{16, 8}, green: channel{8, 8}, blue: channel{0, 8}}, 1366, 777, 170, 48, 1},
		{"16 bits", rgb565, 800, 600, 100, 37, 1},
		{"15 bits, farther down", pixels{stride: 1600, base: 4096, depth: 16, red: channel{10, 5}, green: channel{5, 5}, blue: channel{0, 5}}, 800, 600, 100, 37, 1},
		{"24 bits", pixels{stride: 2400, depth: 24, red: channel{16, 8}, green: channel{8, 8}, blue: channel{0, 8}}, 800, 600, 100, 37, 1},
		{"blue first", pixels{stride: 3200, depth: 32, red: channel{0, 8}, green: channel{8, 8}, blue: channel{16, 8}}, 800, 600, 100, 37, 1},
		{"10 bits", pixels{stride: 3200, depth: 32, red: channel{20, 10}, green: channel{10, 10}, blue: channel{0, 10}}, 800, 600, 100, 37, 1},
		{"large", plainPixels(1930, 1081), 1930, 1081, 120, 33, 2},
	} {
		test.screen.width, test.screen.height = test.width, test.height
		m, c := shownOn(t, japanesePage(), test.screen)
		if width, height := c.grid().Size(); width != test.columns || height != test.rows || c.scale != test.scale {
			t.Errorf("%s: %d x %d cells, scale %d, want %d x %d, %d", test.name, width, height, c.scale, test.columns, test.rows, test.scale)
		}
		s := newTestScreen(t, test.columns, test.rows)
		japanesePage().draw(s, 0, "{from}-{to}")
		s.Show()
		want := strings.NewReplacer("한글", "〓〓", "ก", string(noNarrow), "😀", "〓", "e\u0301", "e").Replace(s.last())
		got, _ := eye.read(t, m)
		if diff := cmp.Diff(eye.plain(font, want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		for i, b := range m.data[:m.base] {
			if b != 0xA5 {
				t.Fatalf("%s: byte %d before the screen was written", test.name, i)
			}
		}
	}
}

// The colours tell what a line is, and the bar goes from edge to edge whatever is left
// over.
func TestCanvasColours(t *testing.T) {
	eye := newEye(testFont(t))
	for _, m := range []mood{moodCalm, moodGood, moodNote, moodBad} {
		p := japanesePage()
		p.mood = m
		screen, _ := shownOn(t, p, plainPixels(645, 390))
		_, looks := eye.read(t, screen)
		all := palette()
		want := [][]colours{{all[barStyle(m)]}}
		for _, kind := range []lineKind{lineHead, lineNote, lineBad, lineHead, lineRemoved, lineAdded, linePlain, lineGood} {
			want = append(want, []colours{all[lineStyle(kind)]})
		}
		for i := range want {
			// The colour of what is all blank cannot be seen: only ink counts.
			got := inked(looks[i])
			if diff := cmp.Diff(want[i], got, cmp.AllowUnexported(colours{}, rgb{})); diff != "" {
				t.Errorf("mood %d, row %d (-want +got):\n%s", m, i, diff)
			}
		}
		if got := inked(looks[len(looks)-1]); len(got) != 1 || got[0] != all[keyStyle()] {
			t.Errorf("mood %d: the keys are %v", m, got)
		}
		paper := all[barStyle(m)].paper
		for _, x := range []int{0, 1, 320, 643, 644} {
			if got := rgbOf(screen.At(x, 3)); got != paper {
				t.Errorf("mood %d: the bar at %d is %v, want %v", m, x, got, paper)
			}
		}
	}
}

// inked leaves those colours out in which nothing is drawn.
func inked(row []colours) (out []colours) {
	for _, two := range row {
		if two.ink != two.paper {
			out = append(out, two)
		}
	}
	return out
}

// Every style of a page has colours, no two moods the same, and all can be read: ink and
// paper differ by at least 4.5 to 1 (WCAG 2.1, 1.4.3).
func TestPalette(t *testing.T) {
	all := palette()
	styles := []tcell.Style{dimStyle(), keyStyle(), tcell.StyleDefault}
	for _, m := range []mood{moodCalm, moodGood, moodNote, moodBad} {
		styles = append(styles, barStyle(m))
	}
	for kind := linePlain; kind <= lineBad; kind++ {
		styles = append(styles, lineStyle(kind))
	}
	papers := map[rgb]bool{}
	for _, style := range styles {
		two, ok := all[style]
		if !ok {
			t.Errorf("there are no colours for %v", style)
		}
		if ratio := contrast(two); ratio < 4.5 {
			t.Errorf("%v: contrast %.1f", two, ratio)
		}
		papers[two.paper] = true
	}
	if len(papers) != 6 { // four moods, keys, the text
		t.Errorf("%d colours of paper: %v", len(papers), papers)
	}
}

// contrast is how much lighter one of two colours is than the other.
func contrast(two colours) float64 {
	light := func(c rgb) float64 {
		linear := func(v uint8) float64 { f := float64(v) / 255; return f * f } // near enough to sRGB
		return 0.2126*linear(c.red) + 0.7152*linear(c.green) + 0.0722*linear(c.blue) + 0.05
	}
	a, b := light(two.ink), light(two.paper)
	return max(a, b) / min(a, b)
}

// A row that has not changed is not drawn again.
func TestCanvasIsThrifty(t *testing.T) {
	m, c := shownOn(t, japanesePage(), plainPixels(800, 600))
	g := c.grid()
	japanesePage().draw(g, 0, "")
	for _, test := range []struct {
		name   string
		change func()
		want   int
	}{
		{"nothing", func() {}, 0},
		{"one row", func() { g.PutStrStyled(10, 20, "復", lineStyle(lineBad)) }, 1},
		{"its colour", func() { g.PutStrStyled(10, 20, "復", lineStyle(lineGood)) }, 1},
		{"two rows", func() { g.PutStrStyled(0, 0, "x", barStyle(moodBad)); g.PutStrStyled(0, 36, "x", keyStyle()) }, 2},
	} {
		test.change()
		m.writes = 0
		if err := c.draw(g); err != nil || m.writes != test.want {
			t.Errorf("%s: %d writes, want %d; %v", test.name, m.writes, test.want, err)
		}
	}
	m.fail = io.ErrShortWrite
	g.Clear()
	if err := c.draw(g); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a screen that is gone: %v", err)
	}
}

// What cannot be drawn on, or is too small for a page, is refused.
func TestPixelsRefuses(t *testing.T) {
	const size = 800 * 600 * 4
	for name, change := range map[string]func(p *pixels){
		"1 bit": func(p *pixels) { p.depth = 1 }, "8 bits": func(p *pixels) { p.depth = 8 }, "0 bits": func(p *pixels) { p.depth = 0 },
		"no red": func(p *pixels) { p.red.length = 0 }, "blue too far left": func(p *pixels) { p.blue = channel{25, 8} },
		"a wide green": func(p *pixels) { p.green.length = 17 }, "a huge offset": func(p *pixels) { p.red.offset = 1 << 31 },
		"narrow": func(p *pixels) { p.width = 312 }, "low": func(p *pixels) { p.height = 152 }, "no size": func(p *pixels) { p.width, p.height = 0, 0 },
		"short rows": func(p *pixels) { p.stride = 3196 }, "too long": func(p *pixels) { p.height = 601 }, "too far down": func(p *pixels) { p.base = 4 },
		"before": func(p *pixels) { p.base = -4 }, "absurd": func(p *pixels) { p.width, p.height, p.stride = 1<<24, 1<<24, 1<<24 },
	} {
		p := plainPixels(800, 600)
		if err := p.check(size); err != nil {
			t.Fatal(err)
		}
		change(&p)
		if err := p.check(size); !errors.Is(err, errNoCanvas) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever a driver says of its framebuffer: what is accepted is drawn on within its
// bounds, and what was drawn can be read.
func FuzzCanvas(f *testing.F) {
	font := testFont(f)
	f.Add(640, 480, 640*4, int64(0), 32, uint32(16), uint32(8), "日本語")
	f.Add(801, 601, 1700, int64(100), 16, uint32(11), uint32(5), "e\u0301 ①")
	f.Add(1920, 1080, 1920*3, int64(7), 24, uint32(0), uint32(16), "x")
	f.Fuzz(func(t *testing.T, width, height, stride int, base int64, depth int, offset, length uint32, text string) {
		if len(text) > 1000 || height > 1<<11 || stride > 1<<14 || base > 1<<16 {
			return
		}
		p := pixels{width, height, stride, base, depth, channel{offset, length}, channel{offset / 2, length}, channel{0, length}}
		size := base + int64(height)*int64(stride)
		if p.check(size) != nil {
			return
		}
		m := newMemoryScreen(p)
		c, err := newCanvas(p, size, m, font)
		if err != nil {
			t.Fatal(err)
		}
		g := c.grid()
		g.PutStrStyled(1, 1, text, lineStyle(lineHead))
		if err := c.draw(g); err != nil {
			t.Fatal(err)
		}
		if got := m.Bounds(); !got.Eq(image.Rect(0, 0, width, height)) {
			t.Error(got)
		}
	})
}

// The text that a grid holds is the text of a terminal.
func TestCells(t *testing.T) {
	for _, text := range []string{"", "a", "日本語", "a日b本c", "0123456789", "012345678日本", "e\u0301x", "한글", "\u0301", "０１２３４５６"} {
		for x := -1; x < 12; x++ {
			c, s := newCells(10, 2), newTestScreen(t, 10, 2)
			s.Clear()
			c.PutStrStyled(x, 1, text, tcell.StyleDefault)
			s.PutStrStyled(x, 1, text, tcell.StyleDefault)
			c.PutStrStyled(0, 2, text, tcell.StyleDefault)
			s.Show()
			if x < 0 {
				continue // there tcell shows the part that is inside
			}
			var got strings.Builder
			for y := range 2 {
				line := ""
				for _, one := range c.row(y) {
					line += one.text
				}
				got.WriteString(strings.TrimRight(line, " ") + "\n")
			}
			if diff := cmp.Diff(s.last(), got.String()); diff != "" {
				t.Errorf("%q at %d (-tcell +cells):\n%s", text, x, diff)
			}
		}
	}
}
