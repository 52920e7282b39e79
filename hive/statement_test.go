package hive

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each statement has a key of its own and a weight, and each reason an English sentence
// with as many places as it has arguments.
func TestStatementTable(t *testing.T) {
	var keys []string
	for id, s := range statements {
		if s.key == "" || s.weight == "" || slices.Contains(keys, s.key) {
			t.Errorf("statement %d is %+v", id, s)
		}
		keys = append(keys, s.key)
		if reason := statementID(id) <= windowsUnknown; reason != (s.english != "") || reason && strings.Count(s.english, "%s") != s.args {
			t.Errorf("%s is %q in English, with %d arguments", s.key, s.english, s.args)
		}
	}
	if got := StatementKeys(); !slices.Equal(got, keys) {
		t.Errorf("StatementKeys = %q, want %q", got, keys)
	}
	if n, ok := StatementArgs("diag.none"); ok || n != 0 {
		t.Errorf("StatementArgs of no statement = %d, %v", n, ok)
	}
}

// Statements are made in one place, of the table alone: nothing in the package spells one
// out.
func TestSayAloneMakesStatements(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.CompositeLit); ok && spellsStatement(lit) {
				made = append(made, path)
			}
			return true
		})
	}
	if !slices.Equal(made, []string{"statement.go"}) {
		t.Errorf("statements are made in %q, want say in statement.go alone", made)
	}
}

// spellsStatement says whether a literal is a Statement, or a list with one spelt in it.
func spellsStatement(lit *ast.CompositeLit) bool {
	isStatement := func(e ast.Expr) bool {
		name, ok := e.(*ast.Ident)
		return ok && name.Name == "Statement"
	}
	if list, ok := lit.Type.(*ast.ArrayType); ok && isStatement(list.Elt) {
		return slices.ContainsFunc(lit.Elts, func(e ast.Expr) bool { _, spelt := e.(*ast.CompositeLit); return spelt })
	}
	return isStatement(lit.Type)
}
