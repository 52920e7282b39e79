package hive

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrUnquotable: a name or value cannot be spelt in a script for cmd.exe so that it
// surely arrives as it is.
var ErrUnquotable = errors.New("cannot be spelt for cmd.exe")

// CmdScript is the changes of one PC's hives as a script for cmd.exe and reg.exe, which
// every recovery environment of Windows has.
type CmdScript struct {
	Tool     string // program and version
	Label    string // of the SYSTEM hive
	Computer string // name of the PC; "" if unknown
	Default  uint32 // control set that knows that name
	Hives    []CmdHive
}

// CmdHive is what a CmdScript does to one hive.
type CmdHive struct {
	Name  string // PrimaryFile or SoftwareFile
	Edits []Edit
}

// maxCmdLine is below the 8191 characters of a line that cmd.exe reads.
const maxCmdLine = 8000

// Text gives the script, in ASCII with CRLF. It checks every old value of all hives before
// it writes the first, and reads every new one afterwards. SYSTEM, which knows whose PC it
// is, is loaded though nothing changes in it. The error wraps ErrUnquotable.
func (s CmdScript) Text() (string, error) {
	parts := &cmdParts{names: []string{PrimaryFile}}
	if plainComputer(s.Computer) && s.Default != 0 {
		fmt.Fprintf(&parts.check, "set \"HIVE=%s\"\nset \"KEY=%s\\Control\\ComputerName\\ComputerName\"\nset \"NAME=ComputerName\"\nset \"WANT=REG_SZ %s\"\ncall :expect\n",
			PrimaryFile, ControlSetName(s.Default), s.Computer)
	}
	for _, h := range s.Hives {
		if err := parts.add(h); err != nil {
			return "", err
		}
	}
	text := strings.NewReplacer("{TOOL}", comment(s.Tool), "{LABEL}", comment(s.Label), "{PC}", comment(s.Computer),
		"{HIVES}", strings.Join(parts.names, " "), "{UNDO}", parts.undo.String(), "{CHECK}", parts.check.String(),
		"{WRITE}", parts.write.String(), "{VERIFY}", parts.verify.String()).Replace(cmdFrame)
	for line := range strings.Lines(text) {
		if len(line) > maxCmdLine {
			return "", fmt.Errorf("writing a line of %d characters: %w", len(line), ErrUnquotable)
		}
	}
	return strings.ReplaceAll(text, "\n", "\r\n"), nil
}

// cmdParts are what differs from script to script.
type cmdParts struct {
	names                      []string // of hives
	check, write, verify, undo strings.Builder
}

// add spells the edits of one hive.
func (p *cmdParts) add(h CmdHive) error {
	if !plainName(h.Name) {
		return fmt.Errorf("hive %q: %w", h.Name, ErrUnquotable)
	}
	if !slices.Contains(p.names, h.Name) {
		p.names = append(p.names, h.Name)
	}
	for _, part := range []*strings.Builder{&p.check, &p.write, &p.verify} {
		fmt.Fprintf(part, "set \"HIVE=%s\"\n", h.Name)
	}
	fmt.Fprintf(&p.undo, "rem of %s:\n", h.Name)
	for _, e := range h.Edits {
		c, err := cmdEdit(e)
		if err != nil {
			return fmt.Errorf("writing %s for cmd.exe: %w", e, err)
		}
		p.check.WriteString(c.at + c.wantOld + "call :expect\n")
		p.write.WriteString(c.at + c.write)
		p.verify.WriteString(c.at + c.wantNew + "call :expect\n")
		p.undo.WriteString("rem   " + c.undo)
	}
	return nil
}

// cmdLines are the lines of one edit.
type cmdLines struct{ at, wantOld, write, wantNew, undo string }

func cmdEdit(e Edit) (c cmdLines, err error) {
	key, err := cmdKey(e.Path)
	if err != nil {
		return c, err
	}
	if !plainName(e.Name) { // the loop over reg's answer cuts it at blanks
		return c, fmt.Errorf("value name: %w", ErrUnquotable)
	}
	c.at = fmt.Sprintf("set \"KEY=%s\"\nset \"NAME=%s\"\n", key, e.Name)
	was, err := cmdData(e.Old)
	if err != nil {
		return c, err
	}
	will, err := cmdData(e.New)
	if err != nil {
		return c, err
	}
	c.wantOld, c.wantNew = fmt.Sprintf("set \"WANT=%s\"\n", was.shown()), fmt.Sprintf("set \"WANT=%s\"\n", will.shown())
	c.write, c.undo = "call :delete\n", fmt.Sprintf("reg delete \"HKLM\\NAME\\%s\" /v \"%s\" /f\n", key, e.Name)
	if will.typ != "" {
		c.write = fmt.Sprintf("set \"TYPE=%s\"\nset \"DATA=%s\"\ncall :add\n", will.typ, will.text)
	}
	if was.typ != "" {
		c.undo = fmt.Sprintf("reg add \"HKLM\\NAME\\%s\" /v \"%s\" /t %s /d \"%s\" /f\n", key, e.Name, was.typ, was.text)
	}
	return c, nil
}

// cmdValue is a value as "reg add" takes it; without a type there is none.
type cmdValue struct{ typ, text string }

// shown is how "reg query" shows it.
func (v cmdValue) shown() string {
	if v.typ == "" {
		return "absent"
	}
	return v.typ + " " + v.text
}

// cmdData spells a value; none for nil.
func cmdData(d *Data) (cmdValue, error) {
	if d == nil {
		return cmdValue{}, nil
	}
	if n, ok := d.dword(); ok {
		return cmdValue{d.Type.String(), fmt.Sprintf("0x%x", n)}, nil
	}
	text, ok := d.cmdText()
	if !ok {
		return cmdValue{}, fmt.Errorf("%s: %w", d.Type, ErrUnquotable)
	}
	quoted, err := cmdQuote(text)
	return cmdValue{d.Type.String(), quoted}, err
}

// cmdText is a string or list as one text, false where reg.exe would not make the same
// data of it.
func (d *Data) cmdText() (string, bool) {
	var text string
	var back []byte
	switch d.Type {
	case RegSZ:
		text = DecodeSZ(d.Bytes)
		back = EncodeSZ(text)
	case RegMultiSZ:
		text = strings.Join(DecodeMultiSZ(d.Bytes), `\0`)
		back = EncodeMultiSZ(strings.Split(text, `\0`))
	}
	empty := strings.Contains(`\0`+text+`\0`, `\0\0`)
	return text, bytes.Equal(back, d.Bytes) && !empty && strings.TrimSpace(text) == text && !strings.HasSuffix(text, `\`)
}

func cmdKey(path []string) (string, error) {
	for _, name := range path {
		if name == "" || strings.Contains(name, `\`) || strings.TrimSpace(name) != name {
			return "", fmt.Errorf("key name %q: %w", name, ErrUnquotable)
		}
	}
	return cmdQuote(strings.Join(path, `\`))
}

// cmdQuote spells a text as it stands between the quotes of a script's line. There, of
// all that cmd.exe obeys, only the percent sign still counts, and is doubled; a quote
// has no spelling, and what lies outside ASCII means something else in every code page.
func cmdQuote(s string) (string, error) {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || c == '"' {
			return "", fmt.Errorf("text %q: %w", s, ErrUnquotable)
		}
	}
	return strings.ReplaceAll(s, "%", "%%"), nil
}

func letterOrDigit(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func plainName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return !letterOrDigit(c) && c != '_' })
}

func plainComputer(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return !letterOrDigit(c) && c != '-' && c != '_' })
}

// comment makes a text harmless in a rem line.
func comment(s string) string {
	return strings.Map(func(c rune) rune {
		if letterOrDigit(c) || strings.ContainsRune(` .,:;_-+()/\`, c) {
			return c
		}
		return '?'
	}, s)
}
