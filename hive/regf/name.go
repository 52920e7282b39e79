package regf

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

// name is a key or value name as stored: Latin-1 ("compressed") or UTF-16LE.
type name struct {
	raw    []byte
	latin1 bool
}

// units is the number of UTF-16 code units.
func (n name) units() int {
	if n.latin1 {
		return len(n.raw)
	}
	return len(n.raw) / 2
}

func (n name) unit(i int) uint16 {
	if n.latin1 {
		return uint16(n.raw[i])
	}
	return binary.LittleEndian.Uint16(n.raw[2*i:])
}

// String gives the name as UTF-8. A surrogate without its partner keeps its
// value as three bytes (WTF-8), so that two different names never look the same.
func (n name) String() string {
	if n.latin1 && isASCII(n.raw) {
		return string(n.raw)
	}
	var out []byte
	for i := 0; i < n.units(); i++ {
		r := rune(n.unit(i))
		if isHigh(r) && i+1 < n.units() && isLow(rune(n.unit(i+1))) {
			r = (r-0xD800)<<10 + rune(n.unit(i+1)) - 0xDC00 + 0x10000
			i++
		}
		if r >= 0xD800 && r < 0xE000 {
			out = append(out, 0xED, byte(0x80|r>>6&0x3F), byte(0x80|r&0x3F))
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

// same says whether both names have the same characters, case included, however
// they are stored.
func (n name) same(other name) bool {
	if n.latin1 == other.latin1 {
		return string(n.raw) == string(other.raw)
	}
	if n.units() != other.units() {
		return false
	}
	for i := range n.units() {
		if n.unit(i) != other.unit(i) {
			return false
		}
	}
	return true
}

// ascii says whether every code unit is below 128, so that Windows' upper-case
// table and ours cannot differ.
func (n name) ascii() bool {
	for i := 0; i < n.units(); i++ {
		if n.unit(i) >= 0x80 {
			return false
		}
	}
	return true
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func isHigh(r rune) bool { return r >= 0xD800 && r < 0xDC00 }
func isLow(r rune) bool  { return r >= 0xDC00 && r < 0xE000 }

// upcase maps a code unit as Windows does when it compares names, one unit to one
// unit. Go's table is newer than Windows 7's and knows more pairs, so names outside
// ASCII are never trusted to this beyond a warning (see Check).
func upcase(u uint16) uint16 {
	switch {
	case u < 'a':
		return u
	case u <= 'z':
		return u - 'a' + 'A'
	case u < 0xB5:
		return u
	}
	switch u {
	case 0xB5, 0xDF, 0x131, 0x17F: // µ ß ı ſ stay as they are
		return u
	}
	up := unicode.ToUpper(rune(u))
	if up > 0xFFFF {
		return u
	}
	return uint16(up)
}

// compareNames orders names as Windows sorts subkeys: by upper-cased code units.
func compareNames(a, b name) int {
	n := min(a.units(), b.units())
	for i := 0; i < n; i++ {
		x, y := a.unit(i), b.unit(i)
		if x == y {
			continue
		}
		if x, y = upcase(x), upcase(y); x != y {
			return int(x) - int(y)
		}
	}
	return a.units() - b.units()
}

// nameOf makes the stored form of s: Latin-1 where every character fits, else
// UTF-16LE.
func nameOf(s string) name {
	if b := []byte(s); isASCII(b) {
		return name{b, true}
	}
	var latin, wide []byte
	fits := true
	for len(s) > 0 {
		r, n := decodeWTF8(s)
		s = s[n:]
		if r > 0xFF {
			fits = false
		}
		if fits {
			latin = append(latin, byte(r))
		}
		if r >= 0x10000 {
			r -= 0x10000
			wide = binary.LittleEndian.AppendUint16(wide, uint16(0xD800+r>>10))
			r = 0xDC00 + r&0x3FF
		}
		wide = binary.LittleEndian.AppendUint16(wide, uint16(r))
	}
	if fits {
		return name{latin, true}
	}
	return name{wide, false}
}

// decodeWTF8 is utf8.DecodeRuneInString that also takes lone surrogates.
func decodeWTF8(s string) (rune, int) {
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 && len(s) >= 3 && s[0] == 0xED && s[1]&0xE0 == 0xA0 && s[2]&0xC0 == 0x80 {
		return 0xD000 | rune(s[1]&0x3F)<<6 | rune(s[2]&0x3F), 3
	}
	return r, n
}

// EqualNames says whether Windows takes a and b for the same key or value name.
func EqualNames(a, b string) bool { return CompareNames(a, b) == 0 }

// CompareNames orders two names as Windows sorts subkeys.
func CompareNames(a, b string) int {
	if a == b {
		return 0
	}
	return compareNames(nameOf(a), nameOf(b))
}

// FoldName returns a string that is equal for names Windows takes for the same, and
// that sorts as Windows sorts subkeys. It is not for reading.
func FoldName(s string) string {
	n := nameOf(s)
	folded := make([]byte, 0, 2*n.units())
	for i := range n.units() {
		folded = binary.BigEndian.AppendUint16(folded, upcase(n.unit(i)))
	}
	return string(folded)
}
