package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape makes a string from a hive, disk or path safe for a terminal: control and
// format characters, invisible separators and bytes that are not UTF-8 become
// \x or \u escapes.
func escape(s string) string {
	if !strings.ContainsFunc(s, unprintable) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unprintable(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

func unprintable(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }

// Colours of a diff on a terminal.
const (
	red   = "\x1b[31m"
	green = "\x1b[32m"
	bold  = "\x1b[1m"
	plain = "\x1b[0m"
)

// printDiff writes diff text, in colour where stdout is a terminal and NO_COLOR is
// not set.
func (e *env) printDiff(text string) error {
	if !e.colour || e.getenv("NO_COLOR") != "" {
		_, err := io.WriteString(e.out, text)
		return err
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		colour := ""
		switch {
		case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"):
			colour = bold
		case strings.HasPrefix(line, "-"):
			colour = red
		case strings.HasPrefix(line, "+"):
			colour = green
		}
		if colour == "" {
			b.WriteString(line)
			continue
		}
		b.WriteString(colour + strings.TrimSuffix(line, "\n") + plain + "\n")
	}
	_, err := io.WriteString(e.out, b.String())
	return err
}
