package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asProgram makes the test binary behave as the program, so that tests can run it as a process of its own.
const asProgram = "UNLOOP_CROSSCHECK_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// runProgram runs the program in this process.
func runProgram(stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func writeTemp(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hive")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParseArgs(t *testing.T) {
	type result struct {
		Path string
		Tree bool
		Bad  bool
	}
	for _, tt := range []struct {
		args string
		want result
	}{
		{"SYSTEM", result{Path: "SYSTEM"}},
		{"--tree SYSTEM", result{Path: "SYSTEM", Tree: true}},
		{"SYSTEM --tree", result{Path: "SYSTEM", Tree: true}},
		{"-- --tree", result{Path: "--tree"}},
		{"--tree -- -x", result{Path: "-x", Tree: true}},
		{"", result{Bad: true}},
		{"--tree", result{Bad: true}},
		{"A B", result{Bad: true}},
		{"-t SYSTEM", result{Bad: true}},
		{"SYSTEM --write", result{Bad: true}},
	} {
		path, tree, err := parseArgs(strings.Fields(tt.args))
		got := result{path, tree, errors.Is(err, errUsage)}
		if got != tt.want {
			t.Errorf("parseArgs(%q) = %+v, want %+v", tt.args, got, tt.want)
		}
	}
}

func TestReadQuestion(t *testing.T) {
	got, err := readQuestion(strings.NewReader(`{"keys":[{"path":["Select"],"values":["Default",""]},{"path":[]}]}`))
	want := Question{Keys: []KeyQuestion{{Path: []string{"Select"}, Values: []string{"Default", ""}}, {Path: []string{}}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("readQuestion: %v (-want +got)\n%s", err, diff)
	}
	for _, text := range []string{"", "{", "[]", `{"keys":[]} {"keys":[]}`, `{"keys":[{"path":["a"],"value":["b"]}]}`, `{"keys":[{"path":"a"}]}`} {
		if _, err := readQuestion(strings.NewReader(text)); !errors.Is(err, errUsage) {
			t.Errorf("readQuestion(%q) = %v, want %v", text, err, errUsage)
		}
	}
}

// A wrong call is told so before anything is opened, and says nothing on standard output.
func TestRunUsage(t *testing.T) {
	for _, tt := range []struct{ args, stdin string }{
		{"", `{"keys":[]}`},
		{"A B", `{"keys":[]}`},
		{"--tre /nonexistent", `{"keys":[]}`},
		{"/nonexistent", "who is there"},
		{"build", ""},
		{"build BASE", ""},
		{"build BASE OUT MORE", ""},
	} {
		code, stdout, stderr := runProgram(tt.stdin, strings.Fields(tt.args)...)
		if code != exitUsage || stdout != "" || !strings.HasPrefix(stderr, "unloop-crosscheck: error: wrong usage: ") {
			t.Errorf("run(%q) = %d, %q, %q; want %d, nothing, an error", tt.args, code, stdout, stderr, exitUsage)
		}
	}
}

func TestCheckClean(t *testing.T) {
	clean := tinyHive()
	for _, tt := range []struct {
		name    string
		content []byte
		want    string // in the error; "" for none
	}{
		{"clean", clean, ""},
		{"dirty", patched(clean, 4, 2), "is dirty: sequence numbers 2 and 1"},
		{"dirty in the highest byte", patched(clean, 11, 1), "is dirty"},
		{"other signature", patched(clean, 0, 'R'), "is not a hive"},
		{"short", clean[:11], "reading the base block"},
		{"empty", nil, "reading the base block"},
	} {
		err := checkClean(writeTemp(t, tt.content))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("checkClean(%s) = %v, want %q", tt.name, err, tt.want)
		}
	}
}

// patched copies content with one byte set.
func patched(content []byte, offset int, b byte) []byte {
	c := bytes.Clone(content)
	c[offset] = b
	return c
}

func TestMatch(t *testing.T) {
	names := []string{"Start", "START", "k", "größe", ""}
	for _, tt := range []struct {
		name string
		want int
	}{
		{"Start", 0},
		{"START", 1}, // exact before folded
		{"start", 0},
		{"K", 2},
		{"\u212a", -1}, // the Kelvin sign
		{"GRöSSE", -1},
		{"GRößE", 3},
		{"GRÖßE", -1}, // only ASCII letters fold
		{"Start\x00", -1},
		{"Star", -1},
		{"", 4},
	} {
		if got := match(names, tt.name); got != tt.want {
			t.Errorf("match(%q) = %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestAppendEscaped(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"Session Manager", "Session Manager"},
		{`a\b`, `a\x5cb`},
		{"zero\x00key\n", `zero\x00key\x0a`},
		{"\x7f\u0085", `\x7f\xc2\x85`}, // DEL, and a control character of two bytes
		{"復旧 größe", "復旧 größe"},
		{"\xff復\xe5", `\xff復\xe5`},
		{"\ufffd", "\ufffd"}, // the replacement character itself is fine
		{"", ""},
	} {
		if got := string(appendEscaped(nil, tt.name)); got != tt.want {
			t.Errorf("appendEscaped(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}
