package regf_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// judge runs a foreign program on a hive and returns what it prints.
func judge(t *testing.T, hive []byte, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", name)
	} else if err != nil {
		t.Skipf("%s is not installed", name)
	}
	file := filepath.Join(t.TempDir(), "hive")
	if err := os.WriteFile(file, hive, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range args {
		args[i] = strings.Replace(args[i], "HIVE", file, 1)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PERL_UNICODE=O")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, &stderr)
	}
	return string(out)
}

// regTree spells a tree as .reg text.
func regTree(n *node, path []string) string {
	var b strings.Builder
	if len(path) > 0 || len(n.Values) > 0 {
		b.WriteString(regText(path, n.Values...))
	}
	for _, s := range n.Subkeys {
		b.WriteString(regTree(s, append(slices.Clip(path), s.Name)))
	}
	return b.String()
}

// TestEditAgainstJudges: to foreign programs an edited hive looks like one that was
// built with the new values to begin with, by hivetest, which shares no code with us.
func TestEditAgainstJudges(t *testing.T) {
	names := []string{"inline DWORD", "add two to three", "add a Latin-1 name", "add a UTF-16 name", "add an empty one", "longest", "other type, plain",
		"other type of the default value", "delete a middle one", "delete all", "several in one key", "big data replaced", "two new bins", "many pages"}
	for _, tt := range editCases {
		if !slices.Contains(names, tt.name) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			edited, _ := run(t, sound(t, build(t, tt.reg, tt.o)), tt.mayGrow, tt.edits...)
			built := build(t, regTree(tree(t, edited), nil), hivetest.Options{Minor: tt.o.Minor})
			for _, j := range [][]string{
				{"hivexregedit", "--export", "HIVE", `\`},
				{"reglookup", "-H", "HIVE"},
			} {
				want := judge(t, built, j[0], slices.Clone(j[1:])...)
				got := judge(t, edited.Bytes(), j[0], slices.Clone(j[1:])...)
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s reads (-built +edited):\n%s", j[0], d)
				}
			}
		})
	}
}

// TestRealHiveAgainstHivex: libhivex reads the same from a real hive that we replayed
// as from the one that Windows itself replayed.
func TestRealHiveAgainstHivex(t *testing.T) {
	l, err := regf.DecodeLog(plain(t, "old-dirty/OldDirtyHive.LOG1"))
	if err != nil {
		t.Fatal(err)
	}
	replayed, err := l.Replay(plain(t, "old-dirty/OldDirtyHive"))
	if err != nil {
		t.Fatal(err)
	}
	want := judge(t, plain(t, "old-dirty/RecoveredHive_Windows7"), "hivexregedit", "--export", "HIVE", `\`)
	got := judge(t, replayed, "hivexregedit", "--export", "HIVE", `\`)
	if want != got {
		t.Errorf("hivexregedit reads %d bytes, of Windows' own hive %d", len(got), len(want))
	}
}
