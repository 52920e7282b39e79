package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Value types that have a spelling of their own.
const (
	regSz     = 1
	regBinary = 3
	regDword  = 4
)

// section is one [key] of .reg text.
type section struct {
	path   []string
	delete bool // [-key]
	values []change
}

// change is one line below it; a delete is "name"=-.
type change struct {
	value
	delete bool
}

const (
	regHeader = "Windows Registry Editor Version 5.00"
	regPrefix = `HKEY_LOCAL_MACHINE\SYSTEM`
)

// parseReg reads .reg text in UTF-8: the header, [key] and [-key], and values as "text", dword:, hex:, hex(TYPE):,
// str(TYPE):"text" or - (delete). A path is taken from the hive's root, after the prefix HKEY_LOCAL_MACHINE\SYSTEM if
// it has that one. UTF-16 text is refused.
func parseReg(r io.Reader) ([]section, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxQuestion)
	if !lines.Scan() || strings.TrimPrefix(strings.TrimSpace(lines.Text()), "\ufeff") != regHeader {
		return nil, fmt.Errorf("reading .reg text: line 1: not %q in UTF-8", regHeader)
	}
	var sections []section
	var joined string // lines that go on in the next one
	for number := 2; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == ';' {
			continue
		}
		if body, more := strings.CutSuffix(line, `\`); more && line[0] != '[' {
			joined += body
			continue
		}
		line, joined = joined+line, ""
		var err error
		if sections, err = parseLine(sections, line); err != nil {
			return nil, fmt.Errorf("reading .reg text: line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading .reg text: %w", err)
	}
	if joined != "" {
		return nil, errors.New("reading .reg text: ends in the middle of a value")
	}
	return sections, nil
}

func parseLine(sections []section, line string) ([]section, error) {
	if line[0] == '[' {
		s, err := parseSection(line)
		if err != nil {
			return nil, err
		}
		return append(sections, s), nil
	}
	if len(sections) == 0 || sections[len(sections)-1].delete {
		return nil, errors.New("value outside a key")
	}
	c, err := parseChange(line)
	if err != nil {
		return nil, err
	}
	last := &sections[len(sections)-1]
	last.values = append(last.values, c)
	return sections, nil
}

func parseSection(line string) (section, error) {
	path, ok := strings.CutSuffix(line[1:], "]")
	if !ok {
		return section{}, errors.New("key without its closing bracket")
	}
	var s section
	path, s.delete = strings.CutPrefix(path, "-")
	if len(path) >= len(regPrefix) && equalFoldASCII(path[:len(regPrefix)], regPrefix) {
		path = path[len(regPrefix):]
	} else if strings.HasPrefix(path, "HKEY_") {
		return section{}, fmt.Errorf("key outside %s", regPrefix)
	}
	if path = strings.TrimPrefix(path, `\`); path != "" {
		s.path = strings.Split(path, `\`)
	}
	return s, nil
}

func parseChange(line string) (change, error) {
	var c change
	rest, unnamed := strings.CutPrefix(line, "@")
	if !unnamed {
		var err error
		if c.name, rest, err = parseQuoted(line); err != nil {
			return change{}, err
		}
	}
	rest, ok := strings.CutPrefix(rest, "=")
	if !ok {
		return change{}, errors.New("value without an equals sign")
	}
	if c.delete = rest == "-"; c.delete {
		return c, nil
	}
	var err error
	c.typ, c.data, err = parseData(rest)
	return c, err
}

func parseData(s string) (typ uint32, data []byte, err error) {
	if strings.HasPrefix(s, `"`) {
		s = "str(1):" + s
	}
	kind, body, ok := strings.Cut(s, ":")
	if !ok {
		return 0, nil, fmt.Errorf("data %q of no known kind", s)
	}
	typ = regBinary
	if name, inner, typed := strings.Cut(strings.TrimSuffix(kind, ")"), "("); typed {
		t, err := strconv.ParseUint(inner, 16, 32)
		if err != nil {
			return 0, nil, fmt.Errorf("type %q is not a hexadecimal number", inner)
		}
		kind, typ = name+"(", uint32(t)
	}
	switch kind {
	case "dword":
		n, err := strconv.ParseUint(body, 16, 32)
		return regDword, binary.LittleEndian.AppendUint32(nil, uint32(n)), err
	case "hex", "hex(":
		data, err := hex.DecodeString(strings.NewReplacer(",", "", " ", "", "\t", "").Replace(body))
		return typ, data, err
	case "str(":
		text, rest, err := parseQuoted(body)
		if err == nil && rest != "" {
			err = fmt.Errorf("%q after the text", rest)
		}
		return typ, utf16z(text), err
	}
	return 0, nil, fmt.Errorf("data of unknown kind %q", kind)
}

// parseQuoted takes a quoted string, in which a backslash stands before a quote or another backslash, off s.
func parseQuoted(s string) (text, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		return "", "", fmt.Errorf("%q where a quote should be", s)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], nil
		case '\\':
			if i++; i == len(s) {
				return "", "", errors.New("text ends in a backslash")
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", errors.New("text without its closing quote")
}
