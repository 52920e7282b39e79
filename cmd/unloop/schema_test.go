package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"unloop/image"
)

// schemaFile describes all JSON that the program writes.
const schemaFile = "report.schema.json"

// compiledSchema is the schema, ready to judge; compiledTable is that of tables. Scripts
// run in other folders.
var (
	compiledSchema = sync.OnceValues(func() (*jsonschema.Schema, error) { return compileSchema(schemaText, schemaErr) })
	compiledTable  = sync.OnceValues(func() (*jsonschema.Schema, error) { return compileSchema(tableText, tableErr) })
)

func compileSchema(text []byte, err error) (*jsonschema.Schema, error) {
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report", doc); err != nil {
		return nil, err
	}
	return c.Compile("report")
}

// schemaText and tableText are read before any test changes the folder.
var (
	schemaText, schemaErr = os.ReadFile(schemaFile)
	tableText, tableErr   = os.ReadFile("table.schema.json")
)

// checkJSON says what is wrong with one JSON text that the program wrote.
func checkJSON(text []byte) error {
	schema, err := compiledSchema()
	if bytes.HasPrefix(text, []byte(`{"schema":"`+tableSchema+`"`)) {
		schema, err = compiledTable()
	}
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%w in %s", err, text)
	}
	if err := schema.Validate(v); err != nil {
		return fmt.Errorf("%w\nin %s", err, text)
	}
	return nil
}

// checkOutput judges what a run has printed and left: every line of stdout where JSON was
// asked for, and every report.json below its folder of reports. at makes a path absolute.
func checkOutput(args []string, stdout string, at func(string) string) error {
	words := strings.Split(strings.ReplaceAll(strings.Join(args, "\x00"), "=", "\x00"), "\x00")
	after := func(flag string) string {
		if i := slices.Index(words, flag); i >= 0 && i+1 < len(words) {
			return words[i+1]
		}
		return ""
	}
	if after("--format") == "json" {
		for line := range strings.Lines(stdout) {
			if err := checkJSON([]byte(line)); err != nil {
				return err
			}
		}
	}
	if dir := after("--report"); dir != "" {
		return checkReports(at(dir))
	}
	return nil
}

// checkReports judges every report.json below a folder, if it is one.
func checkReports(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "report.json" {
			return nil // a usage error leaves no folder
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := checkJSON(text); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
}

// mustCheck fails the test where checkOutput finds something wrong.
func mustCheck(t *testing.T, args []string, stdout string) {
	t.Helper()
	if err := checkOutput(args, stdout, func(path string) string { return path }); err != nil {
		t.Errorf("unloop %q: %v", args, err)
	}
}

// schemaNode is what of a schema the tests below look at.
type schemaNode struct {
	Ref         string                 `json:"$ref"`
	Title       string                 `json:"title"`
	Description string                 `json:"description"`
	Type        string                 `json:"type"`
	Const       any                    `json:"const"`
	Enum        []any                  `json:"enum"`
	Required    []string               `json:"required"`
	Additional  json.RawMessage        `json:"additionalProperties"`
	Properties  map[string]*schemaNode `json:"properties"`
	Items       *schemaNode            `json:"items"`
	Defs        map[string]*schemaNode `json:"$defs"`
}

func readSchema(t *testing.T) *schemaNode {
	t.Helper()
	var s schemaNode
	if err := json.Unmarshal(schemaText, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// The schema has a property for every field of the structs that become JSON, required
// where it is never left out, of the field's type and with a description; and no other.
func TestSchemaAndStructs(t *testing.T) {
	w := walker{t, readSchema(t), map[string]reflect.Type{}}
	w.walk("target", reflect.TypeFor[targetResult]())
	w.walk("diff", reflect.TypeFor[diffResult]())
	w.walk("record", reflect.TypeFor[stickReport]())
	for name, def := range w.schema.Defs {
		if def.Properties != nil && w.seen[name] == nil {
			t.Errorf("no struct is behind %s", name)
		}
	}
	if got := w.schema.Defs["version"].Const; got != reportSchema {
		t.Errorf("the schema is of version %v, the program of %s", got, reportSchema)
	}
	if id := "urn:" + strings.ReplaceAll(reportSchema, "/", ":"); !strings.Contains(string(schemaText), `"$id": "`+id+`"`) {
		t.Errorf("the schema's id is not %s", id)
	}
}

// The schema of a table is that of its structs, and the words are those of the program.
func TestTableSchemaAndStructs(t *testing.T) {
	var s schemaNode
	if err := json.Unmarshal(tableText, &s); err != nil {
		t.Fatal(err)
	}
	w := walker{t, &s, map[string]reflect.Type{}}
	w.walk("table", reflect.TypeFor[fleetTable]())
	w.walk("row", reflect.TypeFor[fleetRow]())
	w.walk("problem", reflect.TypeFor[recordProblem]())
	if got := s.Defs["table"].Properties["schema"].Const; got != tableSchema {
		t.Errorf("the schema is of version %v, the program of %s", got, tableSchema)
	}
	prefixed := func(prefix string) []string {
		return constants(t, ".", func(name, _ string) bool { return strings.HasPrefix(name, prefix) })
	}
	row := s.Defs["row"].Properties
	for _, test := range []struct {
		node *schemaNode
		want []string
	}{
		{row["outcome"], prefixed("outcome")},
		{row["outcome"], outcomes()},
		{row["remarks"].Items, prefixed("remark")},
		{s.Defs["problem"].Properties["problem"], prefixed("problem")},
		{row["status"], append(constants(t, ".", func(_, typ string) bool { return typ == "status" }), "")},
		{row["verdict"], append(constants(t, "../../hive", func(_, typ string) bool { return typ == "Verdict" }), "")},
		{row["price"].Items, append(constants(t, "../../hive", func(_, typ string) bool { return typ == "Fix" }), "hibernation")},
	} {
		var got []string
		for _, word := range test.node.Enum {
			got = append(got, word.(string))
		}
		w.same(test.node.Description, got, test.want)
	}
}

// walker goes through the schema and the structs side by side.
type walker struct {
	t      *testing.T
	schema *schemaNode
	seen   map[string]reflect.Type
}

func (w walker) walk(name string, typ reflect.Type) {
	if was, ok := w.seen[name]; ok {
		if was != typ {
			w.t.Errorf("%s describes both %v and %v", name, was, typ)
		}
		return
	}
	w.seen[name] = typ
	def := w.schema.Defs[name]
	if def == nil || def.Title == "" || string(def.Additional) != "false" {
		w.t.Errorf("%s for %v: %+v", name, typ, def)
		return
	}
	var tags, required []string
	for i := range typ.NumField() {
		f := typ.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == "" {
			if f.IsExported() {
				w.t.Errorf("%v.%s has no JSON name", typ, f.Name)
			}
			continue
		}
		tags = append(tags, tag)
		if options == "" {
			required = append(required, tag)
		}
		if p := def.Properties[tag]; p != nil {
			w.field(name+"."+tag, p, f.Type)
		}
	}
	w.same(name+": properties", slices.Collect(maps.Keys(def.Properties)), tags)
	w.same(name+": required", def.Required, required)
}

func (w walker) same(what string, got, want []string) {
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("%s (-struct +schema):\n%s", what, diff)
	}
}

// field compares one property with the type of its field.
func (w walker) field(name string, p *schemaNode, typ reflect.Type) {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	def := w.schema.Defs[strings.TrimPrefix(p.Ref, "#/$defs/")]
	if p.Ref != "" && def == nil {
		w.t.Errorf("%s: there is no %s", name, p.Ref)
		return
	}
	if p.Description == "" && (def == nil || def.Description == "" && def.Title == "") && name[len(name)-2:] != "[]" {
		w.t.Errorf("%s has no description", name)
	}
	if p.Ref != "" && def.Properties != nil {
		w.walk(strings.TrimPrefix(p.Ref, "#/$defs/"), typ)
		return
	}
	if p.Ref != "" {
		p = def
	}
	if got, want := schemaType(p), jsonType(typ); got != want {
		w.t.Errorf("%s: %s, but %v is %s", name, got, typ, want)
	}
	if p.Items != nil {
		w.field(name+"[]", p.Items, typ.Elem())
	}
}

// schemaType is the type that a schema allows, given or by its values.
func schemaType(p *schemaNode) string {
	one := p.Const
	if len(p.Enum) > 0 {
		one = p.Enum[0]
	}
	switch one.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "integer"
	}
	return p.Type
}

// jsonType is the type that a field has in JSON.
func jsonType(typ reflect.Type) string {
	switch {
	case typ == reflect.TypeFor[time.Time](), typ == reflect.TypeFor[objection]():
		return "string"
	case typ == reflect.TypeFor[seconds](), typ.Kind() == reflect.Float64:
		return "number"
	}
	switch typ.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Slice:
		return "array"
	case reflect.Map, reflect.Struct:
		return "object"
	}
	return "integer"
}

// The words that the schema lists are those of the program.
func TestSchemaWords(t *testing.T) {
	defs := readSchema(t).Defs
	var volumes []string
	for kind := image.VolumeOther; kind <= image.VolumeDynamic; kind++ {
		volumes = append(volumes, kind.String())
	}
	var kinds []string
	for kind := image.KindHive; kind <= image.KindDevice; kind++ {
		kinds = append(kinds, kind.String())
	}
	stages := append(constants(t, ".", func(name, _ string) bool { return strings.HasPrefix(name, "stage") }), "devices", "stick")
	for _, test := range []struct {
		def, property string
		want          []string
	}{
		{"error", "key", errorKeys()},
		{"installation", "status", constants(t, ".", func(_, typ string) bool { return typ == "status" })},
		{"installation", "verdict", constants(t, "../../hive", func(_, typ string) bool { return typ == "Verdict" })},
		{"windows", "windows7SP1x86", constants(t, "../../hive", func(_, typ string) bool { return typ == "Match" })},
		{"statement", "weight", constants(t, "../../hive", func(_, typ string) bool { return typ == "Weight" })},
		{"file", "presence", constants(t, "../../hive", func(name, typ string) bool { return typ == "Presence" && name != "PresenceUnknown" })},
		{"volume", "hibernated", constants(t, "../../image", func(name, _ string) bool { return strings.HasPrefix(name, "Hiber") })},
		{"volume", "kind", volumes},
		{"target", "kind", kinds},
		{"record", "mode", constants(t, ".", func(name, _ string) bool { return strings.HasPrefix(name, "mode") })},
		{"record", "result", constants(t, ".", func(name, typ string) bool { return strings.HasPrefix(name, "result") && typ == "" })},
		{"stage", "stage", stages},
	} {
		var got []string
		for _, word := range defs[test.def].Properties[test.property].Enum {
			got = append(got, word.(string))
		}
		slices.Sort(got)
		want := slices.Compact(slices.Sorted(slices.Values(test.want)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s.%s (-program +schema):\n%s", test.def, test.property, diff)
		}
	}
}

// constants are the strings of a package's constants, chosen by their name and type.
func constants(t *testing.T, dir string, wanted func(name, typ string) bool) (words []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if decl, ok := n.(*ast.GenDecl); ok && decl.Tok == token.CONST {
				for _, spec := range decl.Specs {
					words = append(words, constantsOf(spec.(*ast.ValueSpec), wanted)...)
				}
			}
			return true
		})
	}
	return words
}

func constantsOf(spec *ast.ValueSpec, wanted func(name, typ string) bool) (words []string) {
	typ := ""
	if ident, ok := spec.Type.(*ast.Ident); ok {
		typ = ident.Name
	}
	for i, name := range spec.Names {
		if i >= len(spec.Values) || !wanted(name.Name, typ) {
			continue
		}
		if lit, ok := spec.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if word, err := strconv.Unquote(lit.Value); err == nil {
				words = append(words, word)
			}
		}
	}
	return words
}

// The schema refuses what the program does not write.
func TestSchemaRefuses(t *testing.T) {
	const good = `{"schema":"unloop/report/1","tool":"unloop 1","time":"2026-11-24T15:04:05Z","verb":"scan","target":"x","exit":0,"installations":[{"hive":"x","status":"found","alreadyRepaired":false}]}`
	if err := checkJSON([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`unloop/report/1`, `unloop/report/2`},
		{`"schema":"unloop/report/1",`, ``},
		{`"time":"2026-11-24T15:04:05Z",`, ``},
		{`2026-11-24T15`, `2026-11-24 15`},
		{`"found"`, `"lost"`},
		{`"exit":0`, `"exit":2`},
		{`"exit":0`, `"exit":"0"`},
		{`"exit":0`, `"exit":0,"owner":"T. Yamada"`},
		{`"status"`, `"registeredOwner":"T. Yamada","status"`},
		{`"alreadyRepaired":false`, `"alreadyRepaired":false,"edits":[{"key":"k","name":"n","old":"2","new":"dword:00000004"}]`},
		{`"alreadyRepaired":false`, `"alreadyRepaired":false,"update":{"log":true,"sectors":1,"hiveBytes":512,"logBytes":0,"sha256":"abc"}`},
		{`"installations":[`, `"installations":[null,`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if err := checkJSON([]byte(bad)); bad == good || err == nil {
			t.Errorf("%s passes", bad)
		}
	}
}
