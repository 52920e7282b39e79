package stick

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is packed is what the source has, less what the stick has no use for.
func TestPackFont(t *testing.T) {
	packed, err := PackFont(aFontSource())
	if err != nil {
		t.Fatal(err)
	}
	f, err := ParseFont(packed)
	if err != nil {
		t.Fatal(err)
	}
	rows := func(r rune) (g [glyphRows]uint16) {
		for y := range g {
			g[y] = uint16(r)
		}
		return g
	}
	odd := func(r rune) (g [glyphRows]uint16) { // a narrow picture has two rows in four digits
		for y := range g {
			g[y] = uint16(r>>(8*(1-y%2))) << 8
		}
		return g
	}
	for r, want := range map[rune]Glyph{'A': {Rows: odd('A')}, 'é': {Rows: odd('é')}, 'ｱ': {Rows: odd('ｱ')}, 'あ': {rows('あ'), true}, '復': {rows('復'), true}} {
		if got, ok := f.Glyph(r); !ok || got != want {
			t.Errorf("Glyph(%q) = %v, %v, want %v", r, got, ok, want)
		}
	}
	for _, r := range []rune{-1, 0, '\n', 0x7F, 0x0700, 0x4E07 + 0x100*7, 0xFFFF, 0x10000 + 'A', 0x1F600} {
		if _, ok := f.Glyph(r); ok != FontHas(r) {
			t.Errorf("Glyph(%U) is there: %v, but FontHas says %v", r, ok, FontHas(r))
		}
	}
	runes := f.Runes()
	if len(runes) < 7800 || !slices.Contains(runes, '修') || slices.Contains(runes, 0x0707) {
		t.Errorf("%d characters, among them 修 %v, U+0707 %v", len(runes), slices.Contains(runes, '修'), slices.Contains(runes, 0x0707))
	}
}

// FontHas follows the tables of Shift JIS as Windows extends them, and the ranges.
func TestFontHas(t *testing.T) {
	for _, r := range " ~Aé…→│■�ぁ漢ｱ〓①㈱髙﨑～￥♪ЯΩ" {
		if !FontHas(r) {
			t.Errorf("%q, %U, is missing", r, r)
		}
	}
	for _, r := range "\t\x1b\x7f\u0300ก한简😀𠮟" {
		if FontHas(r) {
			t.Errorf("%q, %U, is there", r, r)
		}
	}
}

func TestPackFontRefuses(t *testing.T) {
	source := string(aFontSource())
	without := func(line string) string {
		i := strings.Index(source, line)
		return source[:i] + source[i+strings.IndexByte(source[i:], '\n')+1:]
	}
	for _, test := range []struct{ name, source, text string }{
		{"nothing", "", "U+0020"},
		{"a character missing", without("4FEE:"), "U+4FEE"},
		{"no colon", "0041 00\n" + source, "line 1"},
		{"no number", source + "x:" + strings.Repeat("0", 32) + "\n", "number"},
		{"too few digits", strings.Replace(source, "0041:00", "0041:", 1), "0041 has 30"},
		{"no digits", strings.Replace(source, "0041:00", "0041:0x", 1), "0041 has 32"},
		{"odd", strings.Replace(source, "0041:0", "0041:", 1), "0041 has 31"},
		{"out of order", without("0041:") + "0041:" + strings.Repeat("0", 32) + "\n", "order"},
		{"twice", "0020:" + strings.Repeat("0", 32) + "\n" + source, "order"},
	} {
		if packed, err := PackFont([]byte(test.source)); packed != nil || !errors.Is(err, ErrFont) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %d bytes, error %v, want one with %q", test.name, len(packed), err, test.text)
		}
	}
}

// smallFont has a narrow and two wide characters.
func smallFont() []byte {
	return (&Font{narrow: []uint16{'A'}, wide: []uint16{0x3042, 0x4E00}, narrowBits: noise(narrowSize, 1), wideBits: noise(2*wideSize, 2)}).encode()
}

func TestParseFontRefuses(t *testing.T) {
	good := smallFont()
	if _, err := ParseFont(good); err != nil {
		t.Fatal(err)
	}
	change := func(at int, b ...byte) []byte {
		data := bytes.Clone(good)
		copy(data[at:], b)
		return data
	}
	for name, data := range map[string][]byte{
		"empty": nil, "short": good[:fontHeader-1], "another magic": change(7, '2'), "cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 0),
		"a large count": change(8, 0xFF, 0xFF, 0xFF, 0xFF), "large counts": change(8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF),
		"out of order": change(fontHeader+2, 0, 0x50), "twice": change(fontHeader+2, 0, 0x4E),
	} {
		if f, err := ParseFont(data); f != nil || !errors.Is(err, ErrFont) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
}

// A font that is accepted is the same bytes again, has a picture for each of its
// characters, and none for others.
func FuzzParseFont(f *testing.F) {
	f.Add(smallFont())
	f.Add((&Font{}).encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		font, err := ParseFont(data)
		if err != nil {
			if font != nil {
				t.Error("a font comes with an error")
			}
			return
		}
		if diff := cmp.Diff(data, font.encode()); diff != "" {
			t.Errorf("encoded again (-was +is):\n%s", diff)
		}
		runes := font.Runes()
		for _, r := range runes {
			if _, ok := font.Glyph(r); !ok {
				t.Errorf("%U has no picture", r)
			}
		}
		for r := rune(-1); r < 0x10010; r += 13 {
			if _, ok := font.Glyph(r); ok != slices.Contains(runes, r) {
				t.Errorf("%U has a picture: %v", r, ok)
			}
		}
	})
}

// Debian's Unifont has all that is promised, and each character is as wide as it has
// cells; the circled numbers, which have one, are the exception.
func TestPackagesFont(t *testing.T) {
	tree, err := openTree(realPackages(t), "amd64")
	if err != nil {
		t.Fatal(err)
	}
	a := newArchive()
	if err := addFont(a, tree); err != nil {
		t.Fatal(err)
	}
	packed := a.members[fontName].data
	if len(packed) > 300_000 {
		t.Errorf("the font has %d bytes", len(packed))
	}
	f, err := ParseFont(packed)
	if err != nil {
		t.Fatal(err)
	}
	blank := 0
	for _, r := range f.Runes() {
		g, _ := f.Glyph(r)
		if g.Rows == [glyphRows]uint16{} {
			blank++
		}
	}
	if blank > 4 {
		t.Errorf("%d characters are blank, want no more than the spaces", blank)
	}
}
