package stick

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The font of the stick is for a screen that unloop draws itself: Linux's console has
// room for 512 characters, and no Japanese ones. It is one file, its numbers
// little-endian:
//
//	0   8 bytes  "UNLOOPF1"
//	8   uint32   N: how many characters are 8 pixels wide
//	12  uint32   W: how many are 16 pixels wide
//	16           N code points of 2 bytes, ascending, then W, ascending
//	             N pictures of 16 bytes: a byte for each row from the top, its
//	             highest bit the leftmost pixel
//	             W pictures of 32 bytes: two bytes for each row, the left half first
//
// Not supported: characters above U+FFFF, heights other than 16, and kerning.

// ErrFont means that a font is not what the stick needs.
var ErrFont = errors.New("not a font for the stick")

const (
	fontMagic  = "UNLOOPF1"
	fontHeader = 16
	glyphRows  = 16
	narrowSize = glyphRows
	wideSize   = 2 * glyphRows
)

// Glyph is the picture of a character: rows from the top, the leftmost pixel in the
// highest bit. Of a narrow one only the high byte of each row is used.
type Glyph struct {
	Rows [glyphRows]uint16
	Wide bool // 16 pixels, not 8
}

// Font holds the pictures of characters.
type Font struct {
	narrow, wide         []uint16 // code points, ascending
	narrowBits, wideBits []byte   // their pictures, in the same order
}

// ParseFont reads a font in the format of this file, and keeps data. The error wraps
// ErrFont.
func ParseFont(data []byte) (*Font, error) {
	if len(data) < fontHeader || string(data[:len(fontMagic)]) != fontMagic {
		return nil, fmt.Errorf("reading the font: %w: it does not begin with %s", ErrFont, fontMagic)
	}
	narrow, wide := int64(binary.LittleEndian.Uint32(data[8:])), int64(binary.LittleEndian.Uint32(data[12:]))
	if want := fontHeader + narrow*(2+narrowSize) + wide*(2+wideSize); int64(len(data)) != want {
		return nil, fmt.Errorf("reading the font: %w: %d bytes instead of %d", ErrFont, len(data), want)
	}
	f := new(Font)
	rest := data[fontHeader:]
	f.narrow, rest = codePoints(rest, int(narrow))
	f.wide, rest = codePoints(rest, int(wide))
	f.narrowBits, f.wideBits = rest[:narrow*narrowSize], rest[narrow*narrowSize:]
	if !ascending(f.narrow) || !ascending(f.wide) {
		return nil, fmt.Errorf("reading the font: %w: its characters are out of order", ErrFont)
	}
	return f, nil
}

func codePoints(data []byte, n int) (codes []uint16, rest []byte) {
	codes = make([]uint16, n)
	for i := range codes {
		codes[i] = binary.LittleEndian.Uint16(data[2*i:])
	}
	return codes, data[2*n:]
}

func ascending(codes []uint16) bool {
	for i := 1; i < len(codes); i++ {
		if codes[i-1] >= codes[i] {
			return false
		}
	}
	return true
}

// Glyph returns the picture of a character, if the font has it.
func (f *Font) Glyph(r rune) (g Glyph, ok bool) {
	if r < 0 || r > 0xFFFF {
		return Glyph{}, false
	}
	if i, ok := slices.BinarySearch(f.narrow, uint16(r)); ok {
		for y, b := range f.narrowBits[i*narrowSize:][:narrowSize] {
			g.Rows[y] = uint16(b) << 8
		}
		return g, true
	}
	i, ok := slices.BinarySearch(f.wide, uint16(r))
	if !ok {
		return Glyph{}, false
	}
	g.Wide = true
	for y := range g.Rows {
		g.Rows[y] = binary.BigEndian.Uint16(f.wideBits[i*wideSize+2*y:])
	}
	return g, true
}

// Runes lists the characters that the font has, the narrow ones first.
func (f *Font) Runes() []rune {
	var all []rune
	for _, code := range slices.Concat(f.narrow, f.wide) {
		all = append(all, rune(code))
	}
	return all
}

// encode writes the font.
func (f *Font) encode() []byte {
	var b bytes.Buffer
	b.WriteString(fontMagic)
	number := func(n int) { b.Write(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	number(len(f.narrow))
	number(len(f.wide))
	for _, code := range slices.Concat(f.narrow, f.wide) {
		b.Write(binary.LittleEndian.AppendUint16(nil, code))
	}
	b.Write(f.narrowBits)
	b.Write(f.wideBits)
	return b.Bytes()
}
