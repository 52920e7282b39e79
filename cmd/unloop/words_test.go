package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"testing"

	"unloop/image"
)

// english are the words in the source that a Japanese user may see in English all the
// same, or that nobody sees, with the reason.
var english = map[string]string{
	// What unloop says of errors and results begins with these in every language, for eyes
	// and programs that look for them.
	"unloop: error: ":                         "prefix of every error",
	"unloop: hint: ":                          "prefix of every hint",
	"unloop: result: ":                        "for those who watch a serial console, and the tests of virtual PCs",
	"unloop: times: kernel %v, %v, in all %v": "likewise",
	"unloop: error:":                          "prefix, of a console that cannot be opened",
	"\nunloop: error: %s\n":                   "prefix of every error",
	"unloop: hint: %s\n> ":                    "prefix of every hint",

	// The format of a diff is stable.
	"as found":               "header of a diff",
	"from the log":           "header of a diff",
	";unreadable as found: ": "line of a diff",
	";values that Windows itself changed, not shown: %d\n": "line of a diff",

	// Words of the command line.
	"text, json, reg":            "values of a flag",
	"text, json, reg, cmd":       "values of a flag",
	"text, json":                 "values of a flag",
	"auto, require, off":         "values of a flag",
	"all, default":               "values of a flag",
	"override, drivers, updates": "values of a flag",

	// JSON, whose words are English; people get them translated.
	"not installed":         "askJudge, see crosscheckWords",
	"cannot judge":          "askJudge, see crosscheckWords",
	"REPAIRED, BUT NOT ALL": "key of a message, and JSON",
	"UNDONE, BUT NOT ALL":   "key of a message, and JSON",
	"NOT UNDONE":            "key of a message, and JSON",
	"NOTHING TO DO":         "key of a message, and JSON",
	"NOT REPAIRED":          "key of a message, and JSON",
	"DRY RUN":               "key of a message, and JSON",
	"NOTHING WRITTEN":       "key of a message, and JSON",
	"nothing to do":         "key of a message, and JSON",

	// Compared with, or kept.
	"Failed to get":        "qemu-nbd says so of a lock",
	"NBD error %d":         "detail of an error",
	"to be filled":         "a BIOS says so in the place of a serial number",
	"not specified":        "likewise",
	"system serial number": "likewise",
	"default string":       "likewise",
	"not applicable":       "likewise",
	"system manufacturer":  "likewise",
	"system product name":  "likewise",
	"default user":         "name of a folder, in paths",
	"all users":            "likewise",
	`(?i)([\\/](?:users|documents and settings)[\\/]+)([^\\/"'<>|:*?]+)`: "likewise",
	"text, csv, json, html":      "what a flag takes",
	"already repaired":           "for programs, in a table: fleet.is",
	"to be repaired":             "likewise",
	"would be refused":           "likewise",
	"other version":              "likewise",
	"not affected":               "likewise",
	"no windows":                 "likewise",
	"hive dirty":                 "likewise: fleet.remark",
	"journal in use":             "likewise",
	"journal of a newer windows": "likewise",
	"hibernation discarded":      "likewise",
	"hibernation restored":       "likewise",
	"chkdsk due":                 "likewise",
	"same volume serial":         "likewise",
	"other causes possible":      "likewise",
	"repair would be refused":    "likewise",
	"not all looked at":          "likewise",
	", in PC ":                   "in a manifest, which is compared",
	"exit code %d":               "of a crash, beside a stack that is English",
}

// twoWords is how English looks in the source; so is one word where it is printed.
var (
	twoWords = regexp.MustCompile(`[A-Za-z]{2,},? [A-Za-z]{2,}`)
	oneWord  = regexp.MustCompile(`[A-Za-z]{2,}`)
	noWords  = regexp.MustCompile(`unloop|%[-+# 0-9.*]*[a-z]|\\x|\\u|\x1b\[[0-9;?]*[a-zA-Z]`)
)

// printers are the functions whose literals a person may see.
var printers = []string{"Fprint", "Fprintf", "Fprintln", "WriteString", "tell"}

// No English reaches a Japanese user by accident: text that is printed comes from the
// catalogue. The words of errors, in parentheses behind a message, are not looked at.
func TestNoEnglishByAccident(t *testing.T) {
	s := parseSource(t)
	seen := map[string]bool{}
	check := func(lit *ast.BasicLit, words *regexp.Regexp) {
		text := s.unquote(lit)
		if hasMessage("en", text) || !words.MatchString(noWords.ReplaceAllString(text, "")) {
			return
		}
		seen[text] = true
		if english[text] == "" {
			t.Errorf("%v: %s is English and not from the catalogue", s.set.Position(lit.Pos()), lit.Value)
		}
	}
	for _, file := range s.files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if name := funcName(n); name == "Errorf" || name == "New" {
					return false
				} else if slices.Contains(printers, name) {
					printed(n, func(lit *ast.BasicLit) { check(lit, oneWord) })
				}
			case *ast.Field:
				return n.Tag == nil
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					check(n, twoWords)
				}
			}
			return true
		})
	}
	for _, text := range slices.Sorted(maps.Keys(english)) {
		if !seen[text] {
			t.Errorf("%q is excused, but not in the source", text)
		}
	}
}

// printed finds the literals that a call prints: not those of calls inside it, Sprintf
// excepted.
func printed(call *ast.CallExpr, found func(*ast.BasicLit)) {
	for _, arg := range call.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				return funcName(n) == "Sprintf"
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					found(n)
				}
			}
			return true
		})
	}
}

// What programs read in English, people read in their language.
func TestWords(t *testing.T) {
	for _, test := range []struct{ lang, got, want string }{
		{"en", (&env{lang: "en"}).crosscheckWords("agrees (libhivex)"), "agrees (libhivex)"},
		{"ja", (&env{lang: "ja"}).crosscheckWords("agrees (libhivex)"), "一致（libhivex）"},
		{"ja", (&env{lang: "ja"}).crosscheckWords("cannot judge"), "判定不能"},
		{"ja", (&env{lang: "ja"}).crosscheckWords("new \x1bword"), `new \u001bword`},
		{"en", (&env{lang: "en"}).kindWord("device"), "device"},
		{"ja", (&env{lang: "ja"}).kindWord("device"), "デバイス"},
		{"ja", (&env{lang: "ja"}).kindWord(""), "開けません"},
		{"ja", (&env{lang: "ja"}).kindWord("tape"), "tape"},
	} {
		if test.got != test.want {
			t.Errorf("%s: %q, want %q", test.lang, test.got, test.want)
		}
	}
}

// An objection is in the reader's language before the error's own words, and JSON has these
// alone.
func TestObjections(t *testing.T) {
	asleep := objection{fmt.Errorf("pc.img:2: %w", image.ErrHibernated)}
	odd := objection{errors.New("something \x1bodd")}
	for _, test := range []struct {
		lang string
		why  objection
		want string
	}{
		{"en", asleep, "Windows is hibernated on this volume (pc.img:2: hibernated)"},
		{"ja", asleep, "このボリュームの Windows は休止状態です（pc.img:2: hibernated）"},
		{"ja", odd, `something \u001bodd`},
	} {
		if got := (&env{lang: test.lang}).refused(test.why); got != test.want {
			t.Errorf("refused(%v) in %s = %q, want %q", test.why, test.lang, got, test.want)
		}
	}
	if text, err := json.Marshal([]objection{asleep}); err != nil || string(text) != `["pc.img:2: hibernated"]` {
		t.Errorf("json.Marshal = %s, %v", text, err)
	}
}
