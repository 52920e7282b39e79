//go:build linux

package main

import (
	"strings"
	"testing"
	"time"
)

func TestPlainText(t *testing.T) {
	for in, want := range map[string]string{
		"log line\r\nnext":                     "log line\nnext",
		"\x1b[1;3Hat\x1b[0;1m three":           "at three",
		"\x1b[2;1Hone\x1b[2;6Htwo":             "one  two",
		"\x1b[2;1Hone\x1b[3;1Htwo":             "one\ntwo",
		"\x1b[5;1H電\x1b[5;3H源\x1b[5;6Hx":       "電源 x",
		"\x1b[5;1H  \b\b電\x1b[5;3H  \b\b源":     "電源",
		"\x1b]0;title\x07a\x1b]2;t\x1b\\b":     "ab",
		"\x1b(Ba\x1b)0b\x1b=c\x1b[?25l\x1b[Hd": "abc\nd",
	} {
		for _, cut := range []int{1, 2, 1000} { // as it may be cut by the line
			var p plainText
			for rest := in; rest != ""; {
				n := min(cut, len(rest))
				p.add([]byte(rest[:n]))
				rest = rest[n:]
			}
			if got := string(p.text); got != want {
				t.Errorf("%q is %q, want %q", in, got, want)
			}
		}
	}
}

func TestConsole(t *testing.T) {
	c := newConsole()
	go func() {
		c.Write([]byte("one two three "))
		c.Write([]byte("four\n"))
		c.end()
	}()
	const patient = 10 * time.Second
	for _, pattern := range []string{"t(w)o", "th[a-z]+", "four"} {
		if groups, _, err := c.expect(pattern, patient); err != nil || groups == nil {
			t.Errorf("expect(%q) = %q, %v", pattern, groups, err)
		}
	}
	if _, _, err := c.expect("one", patient); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("what has been seen is found again: %v", err)
	}

	c = newConsole()
	if _, _, err := c.expect("never", time.Millisecond); err == nil || !strings.Contains(err.Error(), "within") {
		t.Errorf("silence: %v, want an error", err)
	}
	c.Write([]byte("[    1.0] Kernel panic - not syncing: no init\n"))
	if _, _, err := c.expect("never", patient); err == nil || !strings.Contains(err.Error(), "instead of") {
		t.Errorf("a panic: %v, want an error", err)
	}
}
