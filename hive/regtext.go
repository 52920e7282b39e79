package hive

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The .reg spelling follows regedit's, with two additions that make it lossless
// and safe on a terminal whatever a hive holds:
//
//   - in a quoted name or string, \uXXXX stands for one UTF-16 code unit.
//     Regedit doubles every backslash, so it never writes that itself;
//   - in a key path, where regedit escapes nothing, \\uXXXX does. No key name is
//     empty, so a doubled backslash cannot stand for anything else.
//
// Escaped are control and format characters, line separators, unpaired
// surrogates, in key names a backslash too, and a "-" at the start of a path,
// which would read as a deletion.

// RegSection is one [key] of a .reg text with the values under it.
type RegSection struct {
	Path   []string // key names from the hive's root on, without the hive prefix
	Delete bool     // [-key]: the key goes, with everything below it
	Values []RegValue
}

// RegValue is one value line of a .reg text.
type RegValue struct {
	Name   string // WTF-8, see EncodeUTF16; "" is the default value, spelt @
	Delete bool   // "name"=-
	Type   ValueType
	Data   []byte
}

// FormatRegValue returns a value as one line of .reg text without a line end.
// A REG_SZ is shown as text only if that loses nothing: exactly one NUL, at
// the end, and only graphic characters before it. Everything else, 4-byte
// REG_DWORDs apart, is shown as hex bytes. ParseReg gives the same value back.
func FormatRegValue(name string, typ ValueType, data []byte) string {
	label := "@"
	if name != "" {
		label = quoteReg(name)
	}
	return label + "=" + formatRegData(typ, data)
}

// FormatRegKey returns a key path as it stands between the brackets of a .reg
// text, its names joined by backslashes. The root key is the empty string.
func FormatRegKey(path []string) string {
	names := make([]string, len(path))
	for i, name := range path {
		names[i] = escapeReg(name, true)
		if i == 0 && strings.HasPrefix(name, "-") {
			names[i] = `\\u002d` + names[i][1:]
		}
	}
	return strings.Join(names, `\`)
}

func formatRegData(typ ValueType, data []byte) string {
	switch {
	case typ == RegDWORD && len(data) == 4:
		return fmt.Sprintf("dword:%02x%02x%02x%02x", data[3], data[2], data[1], data[0])
	case typ == RegSZ && plainSZ(data):
		return quoteReg(DecodeSZ(data))
	}
	var b strings.Builder
	b.WriteString("hex")
	if typ != RegBinary {
		fmt.Fprintf(&b, "(%x)", uint32(typ))
	}
	b.WriteByte(':')
	for i, c := range data {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte("0123456789abcdef"[c>>4])
		b.WriteByte("0123456789abcdef"[c&15])
	}
	return b.String()
}

// plainSZ reports whether data is what EncodeSZ makes of graphic text.
func plainSZ(data []byte) bool {
	n := len(data)
	return n >= 2 && n%2 == 0 && data[n-1]|data[n-2] == 0 && graphic(DecodeUTF16(data[:n-2]))
}

// quoteReg returns s in quotes, with \", \\ and \uXXXX.
func quoteReg(s string) string {
	return `"` + escapeReg(s, false) + `"`
}

// escapeReg spells s as it stands between quotes or, if inKey, in a key path.
func escapeReg(s string, inKey bool) string {
	lead := `\u`
	if inKey {
		lead = `\\u`
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		units := utf16.AppendRune(nil, r)
		if u, ok := surrogateAt(s, i); ok {
			r, n, units = unicode.MaxRune, 3, []uint16{u}
		}
		i += n
		switch {
		case !inKey && (r == '"' || r == '\\'):
			b.WriteString(`\` + string(r))
		case unicode.IsGraphic(r) && r != '\\':
			b.WriteRune(r)
		default:
			for _, u := range units {
				fmt.Fprintf(&b, "%s%04x", lead, u)
			}
		}
	}
	return b.String()
}

// hexUnit reads the four digits of an escape at the start of s.
func hexUnit(s string) (uint16, error) {
	if len(s) < 4 {
		return 0, fmt.Errorf("escape of %s is cut short", quoteReg(s))
	}
	u, err := strconv.ParseUint(s[:4], 16, 16)
	if err != nil {
		return 0, fmt.Errorf("escape of %s is not four hex digits", quoteReg(s[:4]))
	}
	return uint16(u), nil
}
