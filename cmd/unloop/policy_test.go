package main

import (
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updatePolicy = flag.Bool("update-policy", false, "write the table of what is refused into the READMEs anew")

// The marks between which the READMEs show the table.
const policyBegin, policyEnd = "<!-- policy -->\n", "\n<!-- end of policy -->"

// README.md and its Japanese counterpart show the table that the program has.
func TestReadmeShowsThePolicy(t *testing.T) {
	for _, lang := range languages {
		text := readme(t, lang)
		before, rest, ok := strings.Cut(text, policyBegin)
		shown, after, ok2 := strings.Cut(rest, policyEnd)
		if !ok || !ok2 {
			t.Fatalf("%s has no %q and %q", readmePath(lang), policyBegin, policyEnd)
		}
		want := policyTable(lang)
		if *updatePolicy {
			if err := os.WriteFile(readmePath(lang), []byte(before+policyBegin+want+policyEnd+after), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(shown, "\n")); diff != "" {
			t.Errorf("the table in %s (-want +README); run go test -run Policy -update-policy if the code is right:\n%s", readmePath(lang), diff)
		}
	}
}

// Each row ends as its errors do, and whatever is refused has a row.
func TestPolicyAndExplanations(t *testing.T) {
	var rows []policy
	for _, g := range policies() {
		rows = append(rows, g.rows...)
	}
	keys := map[string]bool{}
	for _, p := range rows {
		if keys[p.key] {
			t.Errorf("two rows are called %s", p.key)
		}
		keys[p.key] = true
		if len(p.errs) == 0 && p.code != exitDone {
			t.Errorf("%s: exit code %d without an error", p.key, p.code)
		}
		for _, err := range p.errs {
			if key, code := explain(err); code != p.code {
				t.Errorf("%s: %v is %s with exit code %d, the row says %d", p.key, err, key, code, p.code)
			}
		}
	}
	for _, x := range explanations() {
		has := func(p policy) bool {
			return slices.ContainsFunc(p.errs, func(err error) bool { return errors.Is(x.err, err) })
		}
		if x.code == exitRefused && !slices.ContainsFunc(rows, has) {
			t.Errorf("%v is refused and has no row", x.err)
		}
	}
}

// The words of the table do not break its cells, in either language.
func TestPolicyWords(t *testing.T) {
	for _, lang := range languages {
		for line := range strings.Lines(policyTable(lang)) {
			if n := strings.Count(line, "|"); n != 0 && n != 4 && n != 5 {
				t.Errorf("%s: %d bars in %q", lang, n, line)
			}
			if strings.Contains(line, "policy.") {
				t.Errorf("%s: no words for %q", lang, line)
			}
		}
	}
}
