package hive

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// ValueType is the type number of a registry value. Windows stores any 32-bit
// number there; the constants are the ones it gives a meaning to.
type ValueType uint32

// The value types of winnt.h.
const (
	RegNone                     ValueType = 0
	RegSZ                       ValueType = 1
	RegExpandSZ                 ValueType = 2
	RegBinary                   ValueType = 3
	RegDWORD                    ValueType = 4
	RegDWORDBigEndian           ValueType = 5
	RegLink                     ValueType = 6
	RegMultiSZ                  ValueType = 7
	RegResourceList             ValueType = 8
	RegFullResourceDescriptor   ValueType = 9
	RegResourceRequirementsList ValueType = 10
	RegQWORD                    ValueType = 11
)

// String returns the name Windows gives the type, such as "REG_SZ", and
// "type 0x…" for a number without a name.
func (t ValueType) String() string {
	names := [...]string{
		"REG_NONE", "REG_SZ", "REG_EXPAND_SZ", "REG_BINARY", "REG_DWORD",
		"REG_DWORD_BIG_ENDIAN", "REG_LINK", "REG_MULTI_SZ", "REG_RESOURCE_LIST",
		"REG_FULL_RESOURCE_DESCRIPTOR", "REG_RESOURCE_REQUIREMENTS_LIST", "REG_QWORD",
	}
	if int64(t) < int64(len(names)) {
		return names[t]
	}
	return fmt.Sprintf("type 0x%x", uint32(t))
}

// EncodeUTF16 returns s as UTF-16LE, without a terminator. An unpaired
// surrogate, spelt in s as the three bytes of its code point (WTF-8), becomes
// that code unit again; any other byte that is not UTF-8 becomes U+FFFD.
func EncodeUTF16(s string) []byte {
	b := make([]byte, 0, 2*len(s))
	for _, u := range encodeUnits(s) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// DecodeUTF16 is the opposite of EncodeUTF16. It keeps every code unit, NULs
// included, spells unpaired surrogates in WTF-8 and ignores an odd last byte.
func DecodeUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return decodeUnits(units)
}

// EncodeSZ returns s as the data of a REG_SZ: UTF-16LE and one NUL.
func EncodeSZ(s string) []byte {
	return append(EncodeUTF16(s), 0, 0)
}

// DecodeSZ returns the text before the first NUL of b, as Windows reads a
// REG_SZ or REG_EXPAND_SZ. A missing terminator is tolerated.
func DecodeSZ(b []byte) string {
	s, _, _ := strings.Cut(DecodeUTF16(b), "\x00")
	return s
}

// EncodeMultiSZ returns list as the data of a REG_MULTI_SZ: each string and
// the list end with a NUL.
func EncodeMultiSZ(list []string) []byte {
	var b []byte
	for _, s := range list {
		b = append(b, EncodeSZ(s)...)
	}
	return append(b, 0, 0)
}

// DecodeMultiSZ returns the strings of a REG_MULTI_SZ. Missing terminators and
// an odd last byte are tolerated. Empty strings are kept: real lists hold them,
// two NULs alone being a list of one empty string, and a list that is written
// back must not lose what stood behind one.
func DecodeMultiSZ(b []byte) []string {
	s := strings.TrimSuffix(DecodeUTF16(b), "\x00")
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\x00"), "\x00")
}

// encodeUnits returns the UTF-16 code units of a WTF-8 string.
func encodeUnits(s string) []uint16 {
	units := make([]uint16, 0, len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if u, ok := surrogateAt(s, i); ok {
			units, i = append(units, u), i+3
			continue
		}
		units, i = utf16.AppendRune(units, r), i+n
	}
	return units
}

// surrogateAt reports the surrogate code unit that WTF-8 spells at s[i:].
func surrogateAt(s string, i int) (uint16, bool) {
	if len(s)-i < 3 || s[i] != 0xED || s[i+1]&0xE0 != 0xA0 || s[i+2]&0xC0 != 0x80 {
		return 0, false
	}
	return 0xD800 | uint16(s[i+1]&0x1F)<<6 | uint16(s[i+2]&0x3F), true
}

// decodeUnits returns UTF-16 code units as a WTF-8 string.
func decodeUnits(units []uint16) string {
	b := make([]byte, 0, len(units))
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if !utf16.IsSurrogate(r) {
			b = utf8.AppendRune(b, r)
			continue
		}
		if i+1 < len(units) {
			if pair := utf16.DecodeRune(r, rune(units[i+1])); pair != unicode.ReplacementChar {
				b, i = utf8.AppendRune(b, pair), i+1
				continue
			}
		}
		b = append(b, 0xED, 0x80|byte(r>>6&0x3F), 0x80|byte(r&0x3F))
	}
	return string(b)
}

// graphic reports whether every rune of s may be shown on a terminal as it is:
// letters, marks, numbers, punctuation, symbols and spaces, but no control or
// format characters (bidirectional overrides among them), line separators or
// unpaired surrogates.
func graphic(s string) bool {
	return utf8.ValidString(s) && !slices.ContainsFunc([]rune(s), func(r rune) bool { return !unicode.IsGraphic(r) })
}
