package main

import (
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
)

// source is what the Go source of this folder says of messages.
type source struct {
	t      *testing.T
	set    *token.FileSet
	groups map[string]bool // what keys begin with, up to the dot
	files  []*ast.File
	used   map[string]bool       // keys that are named
	given  map[string][]ast.Expr // what variables of the declaration that is looked at are given
}

// taker is a function that takes a message's key.
type taker struct {
	at     int    // the key's place among the arguments
	filled bool   // what follows it fills the message
	prefix string // what the function puts before the key
	shared bool   // another type has a function of that name which takes none
}

// takers are the functions of that kind, by name.
type takers map[string]taker

// Every key that the source names has a message with as many format verbs as there are
// arguments, and every message is named.
func TestKeysAndSource(t *testing.T) {
	s := parseSource(t)
	global := takers{}
	for _, file := range s.files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				global.add(f.Name.Name, f.Type, f.Body)
			}
		}
	}
	for _, file := range s.files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && !global.same(f) {
				k := global[f.Name.Name]
				k.shared = true
				global[f.Name.Name] = k
			}
		}
	}
	global["hint"] = taker{prefix: "hint."}
	for _, name := range []string{"message", "hasMessage"} { // they look a key up
		delete(global, name)
	}
	for _, file := range s.files {
		for _, d := range file.Decls {
			s.look(d, global)
		}
	}
	for prefix, ends := range builtKeys() {
		for _, end := range ends {
			s.want(token.NoPos, prefix+end)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(messagesOf("en"))) {
		if !s.used[key] {
			t.Errorf("nothing uses the message %s", key)
		}
	}
}

// builtKeys are those that the source puts together, by how they begin.
func builtKeys() map[string][]string {
	built := map[string][]string{"error.": errorKeys(), "hint.": errorKeys()}
	for _, fix := range []hive.Fix{hive.FixOverride, hive.FixDrivers} {
		built["price."] = append(built["price."], string(fix))
	}
	for _, s := range []status{statusPlanned, statusLeft, statusNothing, statusSkipped, statusRepaired, statusUndone, statusRefused, statusFailed} {
		built["status."] = append(built["status."], strings.ReplaceAll(string(s), " ", ""))
	}
	for _, action := range actions() {
		built["batch."] = append(built["batch."], action, "n."+action)
	}
	built["result."] = []string{resultRepaired, resultPartly, resultUndone, resultPartUndo, resultNoUndo, resultNothing, resultFailed, resultDryRun, resultLeft}
	for key := range messagesOf("en") { // the stick's own hint stands for one of all
		if of, ok := strings.CutPrefix(key, "stickhint."); ok && hasMessage("en", "hint."+of) {
			built["stickhint."] = append(built["stickhint."], of)
		}
	}
	for _, g := range policies() {
		built["policy."] = append(built["policy."], g.key)
		for _, p := range g.rows {
			built["policy."] = append(built["policy."], p.key+".state", p.key+".does")
			if g.scans {
				built["policy."] = append(built["policy."], p.key+".scan")
			}
		}
	}
	built["fleet.is."] = outcomes()
	built["fleet.now."] = []string{stateOn, stateOff, statePartly, stateDisabled, stateEnabled, stateManual, stateAuto, stateGP}
	built["fleet.price."] = []string{string(hive.FixOverride), string(hive.FixDrivers), string(hive.FixUpdates), "hibernation"}
	built["fleet.remark."] = []string{
		remarkDirty, remarkJournal, remarkNewer, remarkSleeps, remarkDiscarded, remarkRestored, remarkCheck,
		remarkClone, remarkOthers, remarkForbidden, remarkUnseen,
	}
	built["fleet.why."] = []string{problemDamaged, problemTorn, problemVersion, problemUnreadable, problemNothing}
	built[""] = append([]string{string(statusRepaired) + "report", string(statusUndone) + "report"}, hive.StatementKeys()...)
	return built
}

// Every statement of a diagnosis has its message in both languages, with a place for each
// of its arguments, which are strings.
func TestStatements(t *testing.T) {
	for _, key := range hive.StatementKeys() {
		want, _ := hive.StatementArgs(key)
		for _, lang := range languages {
			text := message(lang, key, 1)
			places := verbs.FindAllString(text, -1)
			if !hasMessage(lang, key) || len(places) != want || slices.ContainsFunc(places, func(v string) bool { return v != "%s" }) {
				t.Errorf("%s in %s is %q, which has %q for %d arguments", key, lang, text, places, want)
			}
		}
	}
	for key := range messagesOf("en") {
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

// parseSource reads every file but tests, those for other systems too.
func parseSource(t *testing.T) *source {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	s := &source{t: t, set: token.NewFileSet(), used: map[string]bool{}, groups: map[string]bool{}}
	for key := range messagesOf("en") {
		if group, _, ok := strings.Cut(key, "."); ok {
			s.groups[group] = true
		}
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(s.set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s.files = append(s.files, file)
	}
	if len(s.files) == 0 {
		t.Fatal("no source to look at")
	}
	return s
}

// literal looks at any text of the source: it names a message if it is its key, and is a mistake
// if it looks like one. Keys on their way to a function are seen here.
func (s *source) literal(lit *ast.BasicLit) {
	if lit.Kind != token.STRING {
		return
	}
	text := s.unquote(lit)
	group, _, ok := strings.Cut(text, ".")
	switch {
	case hasMessage("en", text):
		s.used[text] = true
	case ok && s.groups[group] && keyLike.MatchString(text) && !strings.HasSuffix(text, ".txt"):
		s.t.Errorf("%v: there is no message %q", s.set.Position(lit.Pos()), text)
	}
}

// keyFields are the fields of structs that hold keys; what they are given is seen by literal.
var keyFields = []string{"key", "Key", "long", "screen"}

// keyLike is what the key of a message looks like.
var keyLike = regexp.MustCompile(`^[a-z]+(\.[a-z0-9]+)+$`)

// add notes a function that has a parameter called key.
func (known takers) add(name string, f *ast.FuncType, body *ast.BlockStmt) {
	at := 0
	for i, p := range f.Params.List {
		for _, param := range p.Names {
			if text, ok := p.Type.(*ast.Ident); ok && text.Name == "string" && param.Name == "key" {
				known[name] = taker{at: at, filled: i == len(f.Params.List)-2 && isVariadic(f), prefix: putBefore(body)}
			}
			at++
		}
	}
}

// same says whether a function is one that was noted, or has a name of its own.
func (known takers) same(f *ast.FuncDecl) bool {
	if _, ok := known[f.Name.Name]; !ok {
		return true
	}
	own := takers{}
	own.add(f.Name.Name, f.Type, f.Body)
	return len(own) > 0
}

// putBefore finds what a function puts before its key.
func putBefore(body *ast.BlockStmt) (prefix string) {
	ast.Inspect(body, func(n ast.Node) bool {
		if sum, ok := n.(*ast.BinaryExpr); ok {
			lit, isLit := sum.X.(*ast.BasicLit)
			key, isKey := sum.Y.(*ast.Ident)
			if isLit && isKey && key.Name == "key" {
				prefix, _ = strconv.Unquote(lit.Value)
			}
		}
		return true
	})
	return prefix
}

func isVariadic(f *ast.FuncType) bool {
	if len(f.Params.List) == 0 {
		return false
	}
	_, ok := f.Params.List[len(f.Params.List)-1].Type.(*ast.Ellipsis)
	return ok
}

// look finds the places in a declaration where keys stand.
func (s *source) look(d ast.Decl, global takers) {
	known := maps.Clone(global)
	s.given = map[string][]ast.Expr{}
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field: // a parameter such as line func(string, ...any)
			if f, ok := n.Type.(*ast.FuncType); ok && len(n.Names) == 1 && isVariadic(f) {
				known[n.Names[0].Name] = taker{at: len(f.Params.List) - 2, filled: true}
			}
		case *ast.AssignStmt:
			s.assigned(n, known)
		case *ast.BasicLit:
			s.literal(n)
		case *ast.CompositeLit:
			if name, ok := n.Type.(*ast.Ident); ok && name.Name == "usageError" && len(n.Elts) == 2 {
				count := 0
				if args, ok := n.Elts[1].(*ast.CompositeLit); ok {
					count = len(args.Elts)
				}
				s.key(n.Elts[0], "", count)
			}
		case *ast.CallExpr:
			if k, ok := known[funcName(n)]; ok && k.at < len(n.Args) {
				if _, lit := n.Args[k.at].(*ast.BasicLit); k.shared && !lit {
					return true
				}
				count := len(n.Args) - k.at - 1
				if n.Ellipsis.IsValid() || !k.filled {
					count = -1
				}
				s.key(n.Args[k.at], k.prefix, count)
			}
		}
		return true
	})
}

// assigned notes what a variable is given; a function may take a key, or hide one that does.
func (s *source) assigned(n *ast.AssignStmt, known takers) {
	for i, left := range n.Lhs[:len(n.Rhs)] { // of "key, known := m[x]" the first
		name, ok := left.(*ast.Ident)
		if !ok {
			continue
		}
		s.given[name.Name] = append(s.given[name.Name], n.Rhs[i])
		if f, ok := n.Rhs[i].(*ast.FuncLit); ok {
			delete(known, name.Name)
			known.add(name.Name, f.Type, f.Body)
		}
	}
}

// key checks what stands in the place of a key, where prefix is put before it; count is how
// many arguments fill it, -1 if that is not seen here.
func (s *source) key(e ast.Expr, prefix string, count int) {
	switch e := e.(type) {
	case *ast.BasicLit:
		key := prefix + s.unquote(e)
		if !s.want(e.Pos(), key) || count < 0 {
			return
		}
		if want := len(verbs.FindAllString(message("en", key, 1), -1)); count != want {
			s.t.Errorf("%v: %d arguments for message %s, which takes %d", s.set.Position(e.Pos()), count, key, want)
		}
	case *ast.IndexExpr: // one of several
		s.key(e.X, prefix, -1)
	case *ast.CompositeLit:
		s.literals(e)
	case *ast.CallExpr:
		if funcName(e) != "explain" { // whose keys are among those of builtKeys
			s.t.Errorf("%v: a key from a call that this test does not follow", s.set.Position(e.Pos()))
		}
	case *ast.BinaryExpr:
		s.built(e)
	case *ast.Ident:
		if !strings.EqualFold(e.Name, "key") && len(s.given[e.Name]) == 0 {
			s.t.Errorf("%v: a key from %s, which this test does not follow", s.set.Position(e.Pos()), e.Name)
		}
		for _, value := range s.given[e.Name] {
			s.key(value, prefix, -1)
		}
	case *ast.SelectorExpr:
		if !slices.Contains(keyFields, e.Sel.Name) {
			s.t.Errorf("%v: a key from %s, which this test does not follow", s.set.Position(e.Pos()), e.Sel.Name)
		}
	default:
		s.t.Errorf("%v: a key that this test does not follow", s.set.Position(e.Pos()))
	}
}

// built checks that a key which is put together is one that builtKeys knows.
func (s *source) built(e *ast.BinaryExpr) {
	built := builtKeys()
	if lit, ok := e.X.(*ast.BasicLit); ok && built[s.unquote(lit)] != nil {
		return
	}
	for _, ends := range built {
		if lit, ok := e.Y.(*ast.BasicLit); ok && slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(end, s.unquote(lit)) }) {
			return
		}
	}
	s.t.Errorf("%v: a key is put together that builtKeys does not know", s.set.Position(e.Pos()))
}

// literals takes the values of a map of keys, or a single one.
func (s *source) literals(e ast.Expr) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			s.literals(n.Value)
			return false
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				s.want(n.Pos(), s.unquote(n))
			}
		}
		return true
	})
}

// want notes that a key is used, and says whether it has a message.
func (s *source) want(at token.Pos, key string) bool {
	s.used[key] = true
	if !hasMessage("en", key) {
		s.t.Errorf("%v: there is no message %q", s.set.Position(at), key)
		return false
	}
	return true
}

func (s *source) unquote(lit *ast.BasicLit) string {
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		s.t.Errorf("%v: %s: %v", s.set.Position(lit.Pos()), lit.Value, err)
	}
	return text
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
