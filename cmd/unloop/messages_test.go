package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"unloop/hive"
	"unloop/image/stick"
)

var verbs = regexp.MustCompile(`%[-+# 0]*(\*|\d+)?(\.(\*|\d+)?)?.`)

// Both catalogues have the same keys, and in every message the same format verbs
// in the same order.
func TestCatalogues(t *testing.T) {
	for key, en := range messagesEN {
		ja, ok := messagesJA[key]
		if !ok {
			t.Errorf("%s has no Japanese message", key)
			continue
		}
		if a, b := verbs.FindAllString(en, -1), verbs.FindAllString(ja, -1); !slices.Equal(a, b) {
			t.Errorf("%s: format verbs %q in English, %q in Japanese", key, a, b)
		}
		for lang, m := range map[string]string{"English": en, "Japanese": ja} {
			if m == "" || strings.TrimSpace(m) != m {
				t.Errorf("%s: message %q in %s", key, m, lang)
			}
		}
	}
	for key := range messagesJA {
		if _, ok := messagesEN[key]; !ok {
			t.Errorf("%s has no English message", key)
		}
	}
}

// Whatever a person reads is translated: a Japanese message without one Japanese
// letter is a forgotten one, a few of names and verbs alone excepted.
func TestJapaneseIsJapanese(t *testing.T) {
	japanese := regexp.MustCompile(`[\p{Hiragana}\p{Katakana}\p{Han}]`)
	for key, ja := range messagesJA {
		bare := regexp.MustCompile(`[A-Za-z0-9.|]*`).ReplaceAllString(verbs.ReplaceAllString(messagesEN[key], ""), "")
		if !japanese.MatchString(ja) && ja == messagesEN[key] && strings.ContainsFunc(bare, func(r rune) bool { return r > ' ' && !strings.ContainsRune(":,()", r) }) {
			t.Errorf("%s: %q is not translated", key, ja)
		}
	}
	for key, en := range messagesEN {
		if japanese.MatchString(en) {
			t.Errorf("%s: %q in English", key, en)
		}
	}
}

// The stick's font has a picture of every character that a message has, in both languages.
func TestMessagesHaveGlyphs(t *testing.T) {
	for lang, messages := range map[string]map[string]string{"English": messagesEN, "Japanese": messagesJA} {
		for key, text := range messages {
			for _, r := range text {
				if r != '\n' && !stick.FontHas(r) {
					t.Errorf("%s in %s: %q, %U, is not in the font of the stick", key, lang, r, r)
				}
			}
		}
	}
}

// callKeys are the functions that take a message's key, and its place among their
// arguments; what follows it is filled into the message.
var callKeys = map[string]int{"text": 0, "note": 0, "stage": 1, "stageLine": 1, "line": 1}

// Every key used in the source exists, with as many format verbs as arguments, and
// every key is used.
func TestKeysAndSource(t *testing.T) {
	used := map[string]bool{}
	for _, key := range builtKeys() {
		used[key] = true
		if _, ok := messagesEN[key]; !ok {
			t.Errorf("there is no message %s", key)
		}
	}
	for path, file := range parseSource(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if s, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
					used[s] = true
				}
			case *ast.CompositeLit:
				if name, ok := n.Type.(*ast.Ident); ok && name.Name == "usageError" && len(n.Elts) == 2 {
					checkUsageError(t, path, n.Elts)
				}
			case *ast.CallExpr:
				if at, ok := callKeys[funcName(n)]; ok && at < len(n.Args) {
					checkKey(t, path, n.Args[at], len(n.Args)-at-1, n.Ellipsis.IsValid())
				}
			}
			return true
		})
	}
	for _, key := range slices.Sorted(maps.Keys(messagesEN)) {
		if !used[key] {
			t.Errorf("nothing uses the message %s", key)
		}
	}
}

// builtKeys are those that the source puts together: from errors, and from how the
// work on an installation ended.
func builtKeys() (keys []string) {
	for _, key := range errorKeys() {
		keys = append(keys, "error."+key, "hint."+key)
	}
	for _, s := range []status{statusPlanned, statusLeft, statusNothing, statusSkipped, statusRepaired, statusUndone, statusRefused, statusFailed} {
		keys = append(keys, "status."+strings.ReplaceAll(string(s), " ", ""))
	}
	for key := range messagesEN { // the stick's own hint stands for one of all
		if of, ok := strings.CutPrefix(key, "stickhint."); ok && messagesEN["hint."+of] != "" {
			keys = append(keys, key)
		}
	}
	for _, g := range policies() {
		keys = append(keys, "policy."+g.key)
		for _, p := range g.rows {
			keys = append(keys, "policy."+p.key+".state", "policy."+p.key+".does")
			if g.scans {
				keys = append(keys, "policy."+p.key+".scan")
			}
		}
	}
	keys = append(keys, "policy.state", "policy.scan", "policy.repair", "policy.does", "policy.code")
	for _, word := range []string{resultRepaired, resultPartly, resultUndone, resultPartUndo, resultNoUndo, resultNothing, resultFailed, resultDryRun, resultLeft} {
		keys = append(keys, "result."+word)
	}
	keys = append(keys, string(statusRepaired)+"report", string(statusUndone)+"report")
	return append(keys, hive.StatementKeys()...)
}

// Every statement of a diagnosis has its message in both languages, with a place for each
// of its arguments, which are strings.
func TestStatements(t *testing.T) {
	for _, key := range hive.StatementKeys() {
		want, _ := hive.StatementArgs(key)
		for lang, messages := range map[string]map[string]string{"en": messagesEN, "ja": messagesJA} {
			places := verbs.FindAllString(messages[key], -1)
			if messages[key] == "" || len(places) != want || slices.ContainsFunc(places, func(v string) bool { return v != "%s" }) {
				t.Errorf("%s in %s is %q, which has %q for %d arguments", key, lang, messages[key], places, want)
			}
		}
	}
	for key := range messagesEN {
		if _, ok := hive.StatementArgs(key); !ok && strings.HasPrefix(key, "diag.") {
			t.Errorf("there is no statement %s", key)
		}
	}
}

// errorKeys are all that explain can return.
func errorKeys() []string {
	keys := []string{"halfwritten", "logonly", "broken", "other"}
	for _, x := range explanations() {
		keys = append(keys, x.key)
	}
	return keys
}

func parseSource(t *testing.T) map[string]*ast.File {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*ast.File{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "messages_") {
			continue
		}
		if files[path], err = parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution); err != nil {
			t.Fatal(err)
		}
	}
	if len(files) == 0 {
		t.Fatal("no source to look at")
	}
	return files
}

func funcName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if _, isCall := f.X.(*ast.CallExpr); !isCall {
			return f.Sel.Name
		}
	}
	return ""
}

// checkKey checks a key that stands in the source as a literal.
func checkKey(t *testing.T, path string, arg ast.Expr, n int, ellipsis bool) {
	t.Helper()
	lit, ok := arg.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return
	}
	key, _ := strconv.Unquote(lit.Value)
	m, ok := messagesEN[key]
	if !ok {
		t.Errorf("%s: there is no message %q", path, key)
		return
	}
	if want := len(verbs.FindAllString(m, -1)); n != want && !ellipsis {
		t.Errorf("%s: %d arguments for message %s, which takes %d", path, n, key, want)
	}
}

func checkUsageError(t *testing.T, path string, elts []ast.Expr) {
	t.Helper()
	n := 0
	if list, ok := elts[1].(*ast.CompositeLit); ok {
		n = len(list.Elts)
	}
	checkKey(t, path, elts[0], n, false)
}

// Numbers of the help and messages do not come from nowhere: a wrong verb would show
// as %!d(…).
func TestNoBadVerbs(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		for _, args := range [][]string{
			{"--help"}, {"scan", "--help"}, {"repair", "--help"}, {"undo", "--help"}, {"diff", "--help"}, {"stick", "--help"}, {"stick", "write", "--help"},
			{"stick"}, {"stick", "write"}, {"stick", "write", "x"}, {"stick", "write", "-y", "nowhere"},
			{"repair", "--jobs", "0"}, {"repair", "--fix", "x", "-n"}, {"diff", "a"}, {"scan", "--jobs", "many"}, {"scan", "nowhere"},
		} {
			_, stdout, stderr := runProgram(t, append([]string{"--lang", lang}, args...)...)
			if i := strings.Index(stdout+stderr, "%!"); i >= 0 {
				t.Errorf("unloop %q in %s: %s", args, lang, (stdout + stderr)[i:])
			}
		}
	}
	if got := message("en", "no.such"); got != "no.such" {
		t.Errorf("message of an unknown key = %q, want the key", got)
	}
}

func TestLangFrom(t *testing.T) {
	for _, test := range []struct{ all, messages, lang, want string }{
		{"", "", "", "en"},
		{"", "", "ja_JP.UTF-8", "ja"},
		{"", "", "ja", "ja"},
		{"", "", "C", "en"},
		{"", "", "de_DE.UTF-8", "en"},
		{"", "C", "ja_JP.UTF-8", "en"},
		{"", "ja_JP.UTF-8", "C", "ja"},
		{"C", "ja_JP.UTF-8", "ja_JP.UTF-8", "en"},
		{"ja_JP.UTF-8", "C", "C", "ja"},
	} {
		vars := map[string]string{"LC_ALL": test.all, "LC_MESSAGES": test.messages, "LANG": test.lang}
		if got := langFrom(func(name string) string { return vars[name] }); got != test.want {
			t.Errorf("langFrom(%v) = %s, want %s", fmt.Sprint(vars), got, test.want)
		}
	}
}
