package hive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseReg reads a .reg text: UTF-16LE with a byte order mark, or UTF-8 with
// or without one, headed "Windows Registry Editor Version 5.00" or "REGEDIT4".
// Beside regedit's spelling it takes hivex's str(N):"…", which stands for
// UTF-16 text and one NUL, and the escapes FormatRegValue and FormatRegKey make.
// Each key must begin with prefix (letter case aside), which is cut off.
// An error names the line; the sections are nil then.
func ParseReg(text []byte, prefix string) ([]RegSection, error) {
	lines, err := regLines(text)
	if err != nil {
		return nil, fmt.Errorf("reading .reg text: %w", err)
	}
	p := regParser{prefix: prefix}
	for i := 0; i < len(lines); i++ {
		first := i
		if continues(lines[i]) {
			for i+1 < len(lines) && strings.HasSuffix(lines[i], `\`) {
				lines[i] = strings.TrimSuffix(lines[i], `\`)
				i++
			}
		}
		if err := p.line(strings.Join(lines[first:i+1], "")); err != nil {
			return nil, fmt.Errorf("reading .reg text: line %d: %w", first+1, err)
		}
	}
	if !p.header {
		return nil, errors.New(`reading .reg text: first line is neither "Windows Registry Editor Version 5.00" nor "REGEDIT4"`)
	}
	return p.sections, nil
}

// regLines decodes text and cuts it into lines without surrounding blanks.
func regLines(text []byte) ([]string, error) {
	s := string(bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF")))
	if utf16, ok := bytes.CutPrefix(text, []byte("\xFF\xFE")); ok {
		s = DecodeUTF16(utf16)
	} else if !utf8.ValidString(s) {
		line := 1 + strings.Count(s[:invalidAt(s)], "\n")
		return nil, fmt.Errorf("line %d: text is neither UTF-16 with a byte order mark nor UTF-8", line)
	}
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.Trim(lines[i], " \t\r")
	}
	return lines, nil
}

// invalidAt returns the offset of the first byte of s that is not UTF-8.
func invalidAt(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return len(s)
}

// continues reports whether line goes on in the next one: only hex bytes do.
func continues(line string) bool {
	return strings.HasSuffix(line, `\`) && strings.Contains(line, "hex") &&
		!strings.HasPrefix(line, ";") && !strings.HasPrefix(line, "[")
}

// regParser holds what earlier lines decided.
type regParser struct {
	prefix   string
	header   bool
	ansi     bool // REGEDIT4: hex bytes of string types are one byte a character
	sections []RegSection
}

func (p *regParser) line(line string) error {
	switch {
	case line == "" || line[0] == ';':
		return nil
	case !p.header:
		p.ansi = line == "REGEDIT4"
		p.header = p.ansi || line == "Windows Registry Editor Version 5.00"
		if !p.header {
			return errors.New(`neither "Windows Registry Editor Version 5.00" nor "REGEDIT4"`)
		}
		return nil
	case line[0] == '[':
		return p.key(line)
	}
	if len(p.sections) == 0 {
		return errors.New("value before the first key")
	}
	section := &p.sections[len(p.sections)-1]
	if section.Delete {
		return errors.New("value under a deleted key")
	}
	v, err := p.value(line)
	if err != nil {
		return err
	}
	section.Values = append(section.Values, v)
	return nil
}

func (p *regParser) key(line string) error {
	s, ok := strings.CutSuffix(line[1:], "]")
	if !ok {
		return errors.New("key without closing bracket")
	}
	s, del := strings.CutPrefix(s, "-")
	rest, err := cutRegPrefix(s, p.prefix)
	if err != nil {
		return err
	}
	path, err := splitRegKey(rest)
	if err != nil {
		return err
	}
	p.sections = append(p.sections, RegSection{Path: path, Delete: del})
	return nil
}

// cutRegPrefix returns key without prefix and the backslash after it. Without a
// prefix a leading backslash is tolerated: hivexregedit exports it.
func cutRegPrefix(key, prefix string) (string, error) {
	if prefix == "" {
		if strings.HasPrefix(key, `\`) && !strings.HasPrefix(key, `\\u`) {
			key = key[1:]
		}
		return key, nil
	}
	if len(key) < len(prefix) || !strings.EqualFold(key[:len(prefix)], prefix) {
		return "", fmt.Errorf("key does not begin with %s", prefix)
	}
	key = key[len(prefix):]
	if key != "" && key[0] != '\\' {
		return "", fmt.Errorf("key does not begin with %s", prefix)
	}
	return strings.TrimPrefix(key, `\`), nil
}

// splitRegKey is the opposite of FormatRegKey.
func splitRegKey(s string) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	var path []string
	var units []uint16
	for s != "" {
		switch i := strings.IndexByte(s, '\\'); {
		case i < 0:
			units, s = append(units, encodeUnits(s)...), ""
		case i > 0:
			units, s = append(units, encodeUnits(s[:i])...), s[i:]
		case strings.HasPrefix(s, `\\u`):
			u, err := hexUnit(s[3:])
			if err != nil {
				return nil, err
			}
			units, s = append(units, u), s[7:]
		case len(units) == 0 || len(s) == 1:
			return nil, errors.New("empty key name")
		default:
			path, units, s = append(path, decodeUnits(units)), nil, s[1:]
		}
	}
	return append(path, decodeUnits(units)), nil
}

func (p *regParser) value(line string) (RegValue, error) {
	var v RegValue
	rest := line[1:]
	switch line[0] {
	case '@':
	case '"':
		var err error
		if v.Name, rest, err = unquoteReg(line); err != nil {
			return v, fmt.Errorf("value name: %w", err)
		}
	default:
		return v, errors.New("neither a key, a value nor a comment")
	}
	data, ok := strings.CutPrefix(strings.TrimLeft(rest, " \t"), "=")
	if !ok {
		return v, errors.New("no = after the value name")
	}
	data = strings.TrimLeft(data, " \t")
	if uncomment(data) == "-" {
		v.Delete = true
		return v, nil
	}
	var err error
	v.Type, v.Data, err = p.data(data)
	return v, err
}

// data reads what stands right of the equals sign.
func (p *regParser) data(s string) (ValueType, []byte, error) {
	if strings.HasPrefix(s, `"`) {
		data, err := regString(s)
		return RegSZ, data, err
	}
	kind, rest, ok := strings.Cut(s, ":")
	if !ok {
		return 0, nil, errors.New("data of unknown kind")
	}
	if kind == "dword" {
		u, err := strconv.ParseUint(uncomment(rest), 16, 32)
		if err != nil {
			return 0, nil, errors.New("dword: not a hex number of up to 32 bits")
		}
		return RegDWORD, binary.LittleEndian.AppendUint32(nil, uint32(u)), nil
	}
	typ := RegBinary
	word, number, numbered := strings.Cut(kind, "(")
	if numbered {
		u, err := strconv.ParseUint(strings.TrimSuffix(number, ")"), 16, 32)
		if err != nil || !strings.HasSuffix(number, ")") {
			return 0, nil, errors.New("type is not a hex number of up to 32 bits in parentheses")
		}
		typ = ValueType(u)
	}
	switch {
	case word == "hex":
		data, err := p.hexBytes(typ, uncomment(rest))
		return typ, data, err
	case word == "str" && numbered:
		data, err := regString(rest)
		return typ, data, err
	}
	return 0, nil, errors.New("data of unknown kind")
}

// hexBytes reads bytes separated by commas. In a REGEDIT4 text the bytes of
// string types are characters of an unnamed code page; only ASCII is certain.
func (p *regParser) hexBytes(typ ValueType, s string) ([]byte, error) {
	wide := p.ansi && (typ == RegSZ || typ == RegExpandSZ || typ == RegMultiSZ)
	var data []byte
	for s = strings.TrimSpace(s); s != ""; {
		digits, rest, _ := strings.Cut(s, ",")
		u, err := strconv.ParseUint(strings.TrimSpace(digits), 16, 8)
		if err != nil {
			return nil, errors.New("hex: not a list of bytes separated by commas")
		}
		if wide && u > 0x7F {
			return nil, errors.New("hex: REGEDIT4 text that is not ASCII")
		}
		data = append(data, byte(u))
		if wide {
			data = append(data, 0)
		}
		s = strings.TrimSpace(rest)
	}
	return data, nil
}

// regString reads a quoted string as UTF-16LE with one NUL.
func regString(s string) ([]byte, error) {
	text, rest, err := unquoteReg(s)
	if err != nil {
		return nil, err
	}
	if uncomment(rest) != "" {
		return nil, errors.New("text after the closing quote")
	}
	return EncodeSZ(text), nil
}

// unquoteReg reads the quoted string s begins with and returns what follows it.
func unquoteReg(s string) (text, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		return "", "", errors.New("no opening quote")
	}
	var units []uint16
	for s = s[1:]; ; {
		i := strings.IndexAny(s, `"\`)
		if i < 0 {
			return "", "", errors.New("no closing quote")
		}
		units = append(units, encodeUnits(s[:i])...)
		if s[i] == '"' {
			return decodeUnits(units), s[i+1:], nil
		}
		s = s[i+1:]
		switch {
		case strings.HasPrefix(s, `"`), strings.HasPrefix(s, `\`):
			units, s = append(units, uint16(s[0])), s[1:]
		case strings.HasPrefix(s, "u"):
			u, err := hexUnit(s[1:])
			if err != nil {
				return "", "", err
			}
			units, s = append(units, u), s[5:]
		default:
			return "", "", errors.New(`a lone \ in a quoted string; it is spelt \\`)
		}
	}
}

// uncomment cuts off a trailing comment and the blanks before it.
func uncomment(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.TrimRight(s, " \t")
}
