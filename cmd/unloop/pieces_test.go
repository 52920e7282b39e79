package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// A file is cut into its objects, whatever their shape, and what breaks off is known.
func TestPieces(t *testing.T) {
	const pretty = "{\n  \"a\": [\n    {\n      \"b\": 1\n    }\n  ]\n}\n"
	long := `{"x":"` + strings.Repeat("y", 200<<10) + `"}`
	for _, test := range []struct {
		text string
		want []string // line number, whether it is a whole object, whether it breaks off
	}{
		{"", nil},
		{"\n \r\n\n", nil},
		{`{"a":1}`, []string{"1 true false"}},
		{"{\"a\":1}\n{\"b\":2}\r\n\n{}\n", []string{"1 true false", "2 true false", "4 true false"}},
		{pretty, []string{"1 true false"}},
		{pretty + pretty + `{"c":3}` + "\n" + pretty, []string{"1 true false", "8 true false", "15 true false", "16 true false"}},
		{strings.ReplaceAll(pretty, "\n", "\r\n"), []string{"1 true false"}},
		{"\ufeff{}\n", []string{"1 true false"}},
		{"unloop: discover: x\n{}\nunloop: report: y\n", []string{"2 true false"}},
		{"{}\n{\"a\":", []string{"1 true false", "2 false true"}},
		{"{}\n{\"a\":\n", []string{"1 true false", "2 false false"}},
		{"{\"a\":\n{}\n", []string{"1 false false", "2 true false"}},
		{pretty[:30], []string{"1 false false"}},
		{"no JSON\nat all", []string{"1 false false"}},
		{"junk\n{}\nmore\njunk\n{}", []string{"1 false false", "2 true false", "3 false false", "5 true false"}},
		{long + "\n" + long, []string{"1 true false", "2 true false"}},
		{"[1,\n2]\n", []string{"1 true false"}},
	} {
		for name, text := range map[string]string{"UTF-8": test.text, "UTF-16": utf16Text(test.text)} {
			var got []string
			p := newPieces(strings.NewReader(text))
			for p.next() {
				got = append(got, fmt.Sprint(p.at, " ", json.Valid(p.text), " ", p.open))
			}
			if diff := cmp.Diff(test.want, got); diff != "" || p.err != nil {
				t.Errorf("%.60q in %s: %v (-want +got):\n%s", test.text, name, p.err, diff)
			}
		}
	}
}

// utf16Text is text as PowerShell's > writes it.
func utf16Text(text string) string {
	b := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(strings.TrimPrefix(text, "\ufeff"))) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return string(b)
}

// A piece that is too long is cut off, and the next one is found.
func TestPiecesTooLong(t *testing.T) {
	for _, part := range []string{"y", "y\n "} {
		huge := io.MultiReader(strings.NewReader(`{"x":"`), io.LimitReader(&repeated{text: part}, maxRecord+(2<<20)), strings.NewReader("\n{}\n"))
		p := newPieces(huge)
		if !p.next() || !p.large || len(p.text) > maxRecord+(1<<20) {
			t.Errorf("%q: %d bytes, large %v", part, len(p.text), p.large)
		}
		if !p.next() || string(p.text) != "{}\n" || p.large || p.next() || p.err != nil {
			t.Errorf("%q: then %.20q, %v", part, p.text, p.err)
		}
	}
}

// repeated is a text over and over.
type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = r.text[r.at%len(r.text)]
		r.at++
	}
	return len(b), nil
}
