package main

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"sync"
	"testing"

	"github.com/rivo/uniseg"

	"unloop/image/stick"
)

// An eye reads what stands on a picture of the screen, as people do who know the font:
// cell by cell, by the pictures of the characters alone.
type eye struct {
	known map[sight]rune
}

// sight is what a character looks like in one or two cells.
type sight struct {
	width int
	rows  [cellHeight]uint16
}

func newEye(font *stick.Font) *eye {
	e := &eye{known: map[sight]rune{}}
	for _, r := range font.Runes() {
		s := sightOf(font, r)
		if other, taken := e.known[s]; !taken || r < other {
			e.known[s] = r
		}
	}
	delete(e.known, sight{width: 2}) // two blanks
	return e
}

func sightOf(font *stick.Font, r rune) sight {
	width := max(uniseg.StringWidth(string(r)), 1)
	return sight{width, picture(font, string(r), width)}
}

// plain is a text as the eye would read it: of characters that look alike, as Latin A and
// Greek Α do, it sees the first, and marks it does not see at all.
func (e *eye) plain(font *stick.Font, text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return e.known[sightOf(font, r)]
	}, strings.ReplaceAll(text, "\u3000", "  "))
}

// read returns the text of a picture, its rows without the blanks at their ends, and the
// colours of each row, from left to right, without those of blanks on the paper before.
func (e *eye) read(t testing.TB, img image.Image) (text string, looks [][]colours) {
	t.Helper()
	size := img.Bounds().Size()
	v := vision{width: size.X, all: make([]rgb, 0, size.X*size.Y)}
	for y := range size.Y {
		for x := range size.X {
			v.all = append(v.all, rgbOf(img.At(img.Bounds().Min.X+x, img.Bounds().Min.Y+y)))
		}
	}
	scale := max(min(size.X/960, size.Y/540), 1)
	width, height := size.X/(cellWidth*scale), size.Y/(cellHeight*scale)
	origin := image.Pt(size.X%(cellWidth*scale)/2, size.Y%(cellHeight*scale)/2)
	var b strings.Builder
	strange := 0
	for y := range height {
		line, row := "", []colours(nil)
		for x := 0; x < width; {
			at := origin.Add(image.Pt(x*cellWidth*scale, y*cellHeight*scale))
			r, n, two := e.cell(v, at, scale, x+1 < width)
			if n == 0 {
				if strange++; strange <= 3 {
					t.Errorf("in row %d, column %d, there is no character; before it %q", y, x, line)
				}
				r, n = '?', 1
			}
			if len(row) == 0 || row[len(row)-1] != two && (r != ' ' || row[len(row)-1].paper != two.paper) {
				row = append(row, two)
			}
			line += string(r)
			x += n
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		looks = append(looks, row)
	}
	return b.String(), looks
}

// vision is a picture's pixels, row by row.
type vision struct {
	width int
	all   []rgb
}

// cell reads the character at a place: one of two cells if there is one. Mostly its first
// pixel has the colour of the paper.
func (e *eye) cell(v vision, at image.Point, scale int, wide bool) (r rune, width int, two colours) {
	for width = 2; width > 0; width-- {
		if width == 2 && !wide {
			continue
		}
		for _, inverse := range []bool{false, true} {
			if s, two, ok := v.seen(at, scale, width, inverse); ok {
				if r, ok := e.known[s]; ok {
					return r, width, two
				}
			}
		}
	}
	return 0, 0, colours{}
}

// seen makes the pixels at a place rows of bits: those that differ from the first one, or
// inverse, those that do not. More than two colours, or pixels within one of the font's
// that differ, are no character.
func (v vision) seen(at image.Point, scale, width int, inverse bool) (s sight, two colours, ok bool) {
	s.width = width
	first := v.all[at.Y*v.width+at.X]
	other, several := first, false
	for y := range cellHeight * scale {
		row := v.all[(at.Y+y)*v.width+at.X:]
		for x := range width * cellWidth * scale {
			c := row[x]
			if c != first && several && c != other {
				return s, two, false
			}
			if c != first {
				other, several = c, true
			}
			bit := uint16(0x8000) >> (x / scale)
			ink := (c != first) != inverse
			if x%scale+y%scale > 0 && ink != (s.rows[y/scale]&bit != 0) {
				return s, two, false
			}
			if ink {
				s.rows[y/scale] |= bit
			}
		}
	}
	if inverse {
		first, other = other, first
	}
	return s, colours{other, first}, true
}

func rgbOf(c color.Color) rgb {
	r, g, b, _ := c.RGBA()
	return rgb{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
}

// testFont is a font in which no two characters look alike. It has the same ones as the
// stick's, and the circled numbers are too wide for their cell in both.
func testFont(t testing.TB) *stick.Font {
	t.Helper()
	font, err := onlyTestFont()
	if err != nil {
		t.Fatal(err)
	}
	return font
}

// onlyTestFont makes it once, which takes long.
var onlyTestFont = sync.OnceValues(func() (*stick.Font, error) {
	var source strings.Builder
	for r := rune(' '); r <= 0xFFFD; r++ {
		if !stick.FontHas(r) {
			continue
		}
		fmt.Fprintf(&source, "%04X:", r)
		wide := uniseg.StringWidth(string(r)) == 2 || r >= '①' && r <= '⑳'
		for y := range cellHeight {
			bit := r >> y & 1
			switch {
			case strings.ContainsRune(" \u00A0\u3000", r) && wide:
				source.WriteString("0000")
			case strings.ContainsRune(" \u00A0\u3000", r):
				source.WriteString("00")
			case wide:
				fmt.Fprintf(&source, "%04X", []int{0x0104, 0x2004}[bit])
			default:
				fmt.Fprintf(&source, "%02X", []int{0x08, 0x40}[bit])
			}
		}
		source.WriteByte('\n')
	}
	packed, err := stick.PackFont([]byte(source.String()))
	if err != nil {
		return nil, err
	}
	return stick.ParseFont(packed)
})

// memoryScreen is a framebuffer in memory, and the picture on it.
type memoryScreen struct {
	pixels
	data   []byte
	writes int
	fail   error
}

// plainPixels is a screen as most PCs have it.
func plainPixels(width, height int) pixels {
	return pixels{width: width, height: height, stride: width * 4, depth: 32, red: channel{16, 8}, green: channel{8, 8}, blue: channel{0, 8}}
}

func newMemoryScreen(p pixels) *memoryScreen {
	m := &memoryScreen{pixels: p, data: make([]byte, p.base+int64(p.height)*int64(p.stride))}
	for i := range m.data {
		m.data[i] = 0xA5 // what was there before
	}
	return m
}

// WriteAt writes pixels, which must be there.
func (m *memoryScreen) WriteAt(p []byte, at int64) (int, error) {
	m.writes++
	if m.fail != nil {
		return 0, m.fail
	}
	return copy(m.data[at:at+int64(len(p))], p), nil
}

// ColorModel is that of any colour.
func (m *memoryScreen) ColorModel() color.Model { return color.RGBAModel }

// Bounds is the visible screen.
func (m *memoryScreen) Bounds() image.Rectangle { return image.Rect(0, 0, m.width, m.height) }

// At returns a pixel, its parts filled up to eight bits.
func (m *memoryScreen) At(x, y int) color.Color {
	n := m.depth / 8
	at := m.base + int64(y)*int64(m.stride) + int64(x*n)
	number := uint32(0)
	for i, b := range m.data[at:][:n] {
		number |= uint32(b) << (8 * i)
	}
	of := func(c channel) uint8 {
		value := number >> c.offset & (1<<c.length - 1)
		return uint8(value << 8 >> c.length)
	}
	return color.RGBA{of(m.red), of(m.green), of(m.blue), 255}
}
