package stick

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"

	"golang.org/x/text/encoding/japanese"
)

// fontName is where the first root file system has the font.
const fontName = "lib/unloop/font"

// fontSource is where Debian's package unifont has its font with Japanese forms of the
// characters that China, Japan and Korea share.
const fontSource = "usr/share/unifont/unifont_jp.hex"

// fontExtras are what a screen may show beyond Japanese, first and last character.
var fontExtras = [...][2]rune{
	{0x00A0, 0x017F}, // Latin-1 and Latin Extended-A
	{0x2010, 0x2027}, // dashes, quotation marks, dots
	{0x2190, 0x21FF}, // arrows
	{0x2500, 0x25FF}, // box drawing, blocks, shapes
	{0xFFFD, 0xFFFD}, // the sign for what has no picture
}

// FontHas says whether the stick's font has a picture of a character: those of code page
// 932, in which a Japanese Windows 7 writes names, Latin ones, and those that pages are
// drawn with.
func FontHas(r rune) bool {
	for _, extra := range fontExtras {
		if extra[0] <= r && r <= extra[1] {
			return true
		}
	}
	if r < ' ' || r == 0x7F || r > 0xFFFF {
		return false
	}
	_, err := japanese.ShiftJIS.NewEncoder().String(string(r)) // it is code page 932 by another name
	return err == nil
}

// PackFont makes the stick's font out of Unifont's source: a line for each character, in
// ascending order, its number and after a colon its picture, both hexadecimal. The
// source must have all characters that FontHas promises; if not, or if it is not such a
// source, the error wraps ErrFont.
func PackFont(source []byte) ([]byte, error) {
	f := new(Font)
	line := 0
	for text := range bytes.Lines(source) {
		line++
		code, picture, err := hexLine(bytes.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("reading line %d of the font's source: %w: %w", line, ErrFont, err)
		}
		if !FontHas(code) {
			continue
		}
		if len(picture) == narrowSize {
			f.narrow, f.narrowBits = append(f.narrow, uint16(code)), append(f.narrowBits, picture...)
		} else {
			f.wide, f.wideBits = append(f.wide, uint16(code)), append(f.wideBits, picture...)
		}
	}
	packed := f.encode()
	if f, err := ParseFont(packed); err != nil {
		return nil, err
	} else if err := f.complete(); err != nil {
		return nil, err
	}
	return packed, nil
}

// hexLine reads one character of the source.
func hexLine(line []byte) (code rune, picture []byte, err error) {
	number, digits, found := bytes.Cut(line, []byte(":"))
	n, err := strconv.ParseUint(string(number), 16, 32)
	if err != nil || !found {
		return 0, nil, fmt.Errorf("no number of a character and colon in %.20q", line)
	}
	picture = make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(picture, digits); err != nil || len(picture) != narrowSize && len(picture) != wideSize {
		return 0, nil, fmt.Errorf("the picture of %04X has %d digits", n, len(digits))
	}
	return rune(n), picture, nil
}

// complete looks for every character that is promised.
func (f *Font) complete() error {
	for r := rune(' '); r <= 0xFFFF; r++ {
		if _, ok := f.Glyph(r); !ok && FontHas(r) {
			return fmt.Errorf("making the font: %w: there is no %U", ErrFont, r)
		}
	}
	return nil
}
