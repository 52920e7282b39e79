package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"
)

// helps are the arguments that show all there is to show.
func helps() [][]string {
	return [][]string{
		{"--help"}, {"scan", "--help"}, {"repair", "--help"}, {"undo", "--help"}, {"diff", "--help"}, {"report", "--help"},
		{"stick", "--help"}, {"stick", "build", "--help"}, {"stick", "write", "--help"},
	}
}

// Every help fits the narrowest terminal in both languages, though a Japanese letter takes
// two columns, and no line of it is English alone in Japanese.
func TestHelpFitsTheTerminal(t *testing.T) {
	for _, lang := range languages {
		for _, args := range helps() {
			help := runIn(t, append([]string{"--lang", lang}, args...)...)
			for line := range strings.Lines(help) {
				line = strings.TrimSuffix(line, "\n")
				if w := uniseg.StringWidth(line); w > helpWidth || strings.TrimRight(line, " ") != line {
					t.Errorf("unloop %q in %s: a line of %d columns: %q", args, lang, w, line)
				}
			}
		}
	}
}

// "help" asked for as a verb gives the same as the flag.
func TestHelpVerb(t *testing.T) {
	for _, lang := range languages {
		for _, args := range helps() {
			asked := append([]string{"--lang", lang, "help"}, args[:len(args)-1]...)
			if diff := cmp.Diff(runIn(t, append([]string{"--lang", lang}, args...)...), runIn(t, asked...)); diff != "" {
				t.Errorf("unloop %q is not unloop %q (-flag +verb):\n%s", asked, args, diff)
			}
		}
	}
}

// What does not fit goes on below where it began, and no line begins with what Japanese
// does not let begin one.
func TestHang(t *testing.T) {
	for _, test := range []struct{ head, text, want string }{
		{"  -x  ", "short", "  -x  short\n"},
		{"  -x  ", "", "  -x  \n"},
		{strings.Repeat("h", 70) + " ", "two words", strings.Repeat("h", 70) + " two words\n"},
		{strings.Repeat("h", 70) + " ", "three words here", strings.Repeat("h", 70) + " three\n" + strings.Repeat(" ", 71) + "words\n" + strings.Repeat(" ", 71) + "here\n"},
		{strings.Repeat("か", 36), "何も書く。書く", strings.Repeat("か", 36) + "何も書\n" + strings.Repeat(" ", 72) + "く。書く\n"},
		{"- ", "one\ntwo", "- one\n  two\n"},
	} {
		var b strings.Builder
		hang(&b, test.head, test.text)
		if b.String() != test.want {
			t.Errorf("hang(%q, %q) = %q, want %q", test.head, test.text, b.String(), test.want)
		}
	}
}
