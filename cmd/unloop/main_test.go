//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Every promise of the command line is a script in testdata/script. Besides
// testscript's own commands a script has
//
//	code N unloop ARG...     run it and want exit code N; all JSON it writes must be
//	                         as the schema says
//	mkhive, mkdisk           fixtures, see fixture_test.go
//	zeros FILE SIZE          a file of zero bytes
//	cut FILE SIZE            cut a file short
//	poke FILE OFFSET TEXT    overwrite bytes
//	hiveof TARGET OUT [N]    copy the SYSTEM hive of the Nth installation out
//	                         (a name ending in .LOG1 takes its first log, one with
//	                         SOFTWARE in it that hive)
//	same A B                 equal bytes; ! same: different ones
//	clones A B MAX           two images differ in sectors of SYSTEM and LOG1
//	                         alone, in at most MAX of SYSTEM
//	watch PATH...            remember bytes and time stamps of all below
//	untouched                nothing that is watched has changed
//	lines N                  stdout has N lines
//	jsonget LINE PATH VALUE...  pairs of a path in a JSON line of stdout, as
//	                         a.0.b, and its value, as text
//	smallmount DIR SIZE      mount a small file system until the script ends
//	readonlymount DIR        make it read-only
//	ntfsmount IMAGE DIR      mount a bare volume with ntfs-3g, likewise
//	mkstick FILE             the image of a small stick
//	loopdev NAME FILE        a loop device of a file: $NAME, and $NAME_NAME without
//	                         its folder
//	typed TEXT               the file "typed", to be typed on a terminal
//	nofiles DIR              there are no files below DIR, if it is there at all
//
// and the conditions [realhives], [root] and [judge].
func TestScript(t *testing.T) {
	for _, tool := range []string{"xz", "mount", "ntfs-3g", "pkg-config"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") == "true" {
			t.Fatalf("a script would be skipped: %v", err)
		}
	}
	cache := realHives{dir: t.TempDir()}
	judge := sync.OnceValue(func() error { return buildJudge(cache.dir) })
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars,
				"HOME="+filepath.Join(e.WorkDir, "home"),
				"XDG_STATE_HOME="+filepath.Join(e.WorkDir, "state"),
				"BACKUPS="+filepath.Join(e.WorkDir, "state", "unloop", "backups"),
				"LANG=C",
				"PATH="+pathWithoutJudge(),
				"JUDGE="+cache.dir,
				"GORACE=atexit_sleep_ms=0",
			)
			e.Values[&cache] = new(watched)
			return nil
		},
		Condition: func(name string) (bool, error) { return condition(name, judge) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":          scriptCode,
			"mkhive":        func(ts *testscript.TestScript, neg bool, args []string) { scriptMkhive(ts, neg, args, &cache) },
			"mkdisk":        scriptMkdisk,
			"zeros":         scriptZeros,
			"cut":           scriptCut,
			"poke":          scriptPoke,
			"hiveof":        scriptHiveof,
			"same":          scriptSame,
			"clones":        scriptClones,
			"dirty":         scriptDirty,
			"putlog":        scriptPutlog,
			"nofiles":       scriptNofiles,
			"smallmount":    scriptSmallmount,
			"readonlymount": scriptReadonlymount,
			"ntfsmount":     scriptNTFSmount,
			"mkstick":       scriptMkstick,
			"loopdev":       scriptLoopdev,
			"typed":         scriptTyped,
			"lines":         scriptLines,
			"jsonget":       scriptJSONget,
			"watch":         func(ts *testscript.TestScript, _ bool, args []string) { ts.Value(&cache).(*watched).watch(ts, args) },
			"untouched": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Value(&cache).(*watched).untouched(ts, args)
			},
		},
	})
}

// The program runs in the test binary; goodjudge is a judge that agrees as long as
// package hive reads its own writing.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"unloop":    main,
		"goodjudge": goodJudge,
	})
}

// pathWithoutJudge is PATH without the folders that hold an installed judge.
func pathWithoutJudge() string {
	var keep []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, judgeName)); err != nil {
			keep = append(keep, dir)
		}
	}
	return strings.Join(keep, string(os.PathListSeparator))
}

func condition(name string, judge func() error) (bool, error) {
	switch name {
	case "realhives":
		_, err := os.Stat(realHivesDir())
		return err == nil, nil
	case "root":
		return os.Geteuid() == 0, nil
	case "judge":
		err := judge()
		if err != nil && os.Getenv("CI") == "true" {
			return false, err
		}
		return err == nil, nil
	}
	return false, fmt.Errorf("no condition %q", name)
}

// buildJudge builds the real judge, where cgo and libhivex are there.
func buildJudge(dir string) error {
	if out, err := exec.Command("pkg-config", "--exists", "hivex").CombinedOutput(); err != nil {
		return fmt.Errorf("asking pkg-config for hivex: %w: %s", err, out)
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, judgeName), "unloop/cmd/unloop-crosscheck")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the judge: %w: %s", err, out)
	}
	return nil
}

func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	default:
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	if args[1] == "unloop" {
		checkErrors(ts, got)
		ts.Check(checkOutput(args[2:], ts.ReadFile("stdout"), ts.MkAbs))
	}
}

// checkErrors holds for every run: an error line and its hint come together, none
// with exit code 0, at least one otherwise; a usage error is all that is said.
func checkErrors(ts *testscript.TestScript, code int) {
	errs, lines := 0, strings.Split(strings.TrimSuffix(ts.ReadFile("stderr"), "\n"), "\n")
	for i, line := range lines {
		if !strings.Contains(line, "unloop: error: ") { // a question may stand before it
			continue
		}
		errs++
		if i+1 == len(lines) || !strings.HasPrefix(lines[i+1], "unloop: hint: ") {
			ts.Fatalf("no hint after %q", line)
		}
	}
	switch {
	case code == 0 && errs > 0, code != 0 && errs == 0:
		ts.Fatalf("exit code %d and %d errors", code, errs)
	case code == int(exitUsage) && (len(lines) != 2 || ts.ReadFile("stdout") != ""):
		ts.Fatalf("a usage error is not all that is said")
	}
}

// parseSize reads a number of bytes: 512, 0x200, 4k, 8m.
func parseSize(ts *testscript.TestScript, s string) int64 {
	digits, unit := s, int64(1)
	switch {
	case strings.HasSuffix(s, "k"):
		digits, unit = strings.TrimSuffix(s, "k"), 1<<10
	case strings.HasSuffix(s, "m"):
		digits, unit = strings.TrimSuffix(s, "m"), 1<<20
	}
	n, err := strconv.ParseInt(digits, 0, 64)
	ts.Check(err)
	return n * unit
}

func wantArgs(ts *testscript.TestScript, args []string, n int, usage string) {
	if len(args) != n {
		ts.Fatalf("usage: %s", usage)
	}
}

func scriptZeros(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 2, "zeros FILE SIZE")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), make([]byte, parseSize(ts, args[1])), 0o666))
}

func scriptCut(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 2, "cut FILE SIZE")
	ts.Check(os.Truncate(ts.MkAbs(args[0]), parseSize(ts, args[1])))
}

func scriptPoke(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 3, "poke FILE OFFSET TEXT")
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteAt([]byte(args[2]), parseSize(ts, args[1]))
	ts.Check(errors.Join(err, f.Close()))
}

func scriptSame(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, args, 2, "same A B")
	a, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	b, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	switch at := firstDifference(a, b); {
	case neg && at < 0:
		ts.Fatalf("%s and %s are the same", args[0], args[1])
	case !neg && at >= 0:
		ts.Fatalf("%s (%d bytes) and %s (%d bytes) differ from 0x%x on", args[0], len(a), args[1], len(b), at)
	}
}

// firstDifference returns the offset of the first byte that differs, -1 if none does.
func firstDifference(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func stdoutLines(ts *testscript.TestScript) []string {
	text := ts.ReadFile("stdout")
	if text != "" && !strings.HasSuffix(text, "\n") {
		ts.Fatalf("stdout ends in the middle of a line")
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func scriptLines(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 1, "lines N")
	if n := len(stdoutLines(ts)); fmt.Sprint(n) != args[0] {
		ts.Fatalf("stdout has %d lines, want %s", n, args[0])
	}
}

func scriptJSONget(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 || len(args)%2 == 0 {
		ts.Fatalf("usage: jsonget LINE PATH VALUE...")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	line := stdoutLines(ts)[n]
	var whole any
	numbers := json.NewDecoder(strings.NewReader(line))
	numbers.UseNumber()
	ts.Check(numbers.Decode(&whole))
	var compact bytes.Buffer
	ts.Check(json.Compact(&compact, []byte(line)))
	if compact.String() != line {
		ts.Fatalf("line %d is not compact", n)
	}
	for i := 1; i < len(args); i += 2 {
		if got, ok := walkJSON(whole, args[i]); !ok || got != args[i+1] {
			ts.Fatalf("%s is %q (there: %v), want %q", args[i], got, ok, args[i+1])
		}
	}
}

// walkJSON follows a path such as installations.0.hive and returns what is there as text.
func walkJSON(v any, path string) (string, bool) {
	for _, name := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = at[name]; !ok {
				return "", false
			}
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(at) {
				return "", false
			}
			v = at[i]
		}
	}
	return fmt.Sprint(v), true
}

func scriptNofiles(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 1, "nofiles DIR")
	filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			ts.Fatalf("%s is there", path)
		}
		return nil
	})
}

func scriptSmallmount(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 2, "smallmount DIR SIZE")
	dir := ts.MkAbs(args[0])
	ts.Check(ts.Exec("mount", "-t", "tmpfs", "-o", "size="+args[1], "tmpfs", dir))
	ts.Defer(func() { exec.Command("umount", dir).Run() })
}

func scriptReadonlymount(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 1, "readonlymount DIR")
	ts.Check(ts.Exec("mount", "-o", "remount,ro", ts.MkAbs(args[0])))
}

func scriptNTFSmount(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 2, "ntfsmount IMAGE DIR")
	dir := ts.MkAbs(args[1])
	ts.Check(ts.Exec("ntfs-3g", ts.MkAbs(args[0]), dir))
	ts.Defer(func() { exec.Command("umount", dir).Run() })
}
