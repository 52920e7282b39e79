package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
)

// testEnv is an env without streams, for tests of the command line's shape.
func testEnv(t *testing.T) *env {
	t.Helper()
	e := newEnv(nil, strings.NewReader(""), nil, nil)
	e.lang, e.ctx = "en", t.Context()
	return e
}

// The library gets flags first, then "--", then targets, or nothing at all.
func TestArrangeArgs(t *testing.T) {
	for _, test := range []struct {
		args string // one word an argument, ~ for a space
		want string // "" for a usage error
		key  string // of the usage error
	}{
		{args: "", want: ""},
		{args: "--version", want: "--version"},
		{args: "scan", want: "scan --"},
		{args: "scan X", want: "scan -- X"},
		{args: "repair X --dry-run", want: "repair --dry-run -- X"},
		{args: "repair --dry-run X", want: "repair --dry-run -- X"},
		{args: "repair X -n Y -y Z", want: "repair -n -y -- X Y Z"},
		{args: "repair X -ny", want: "repair -n -y -- X"},
		{args: "repair X --backup b Y", want: "repair --backup=b -- X Y"},
		{args: "repair X --backup=-x", want: "repair --backup=-x -- X"},
		{args: "repair --backup=a=b X", want: "repair --backup=a=b -- X"},
		{args: "repair X -- --dry-run", want: "repair -- X --dry-run"},
		{args: "repair -- -n --", want: "repair -- -n --"},
		{args: "repair X --fix a --fix b", want: "repair --fix=a --fix=b -- X"},
		{args: "repair X --service a,b", want: "repair --service=a,b -- X"},
		{args: "repair --dry-run=true X", want: "repair --dry-run=true -- X"},
		{args: "repair -n -n X", want: "repair -n -n -- X"},
		{args: "--lang ja repair X", want: "--lang=ja repair -- X"},
		{args: "repair X --lang ja", want: "--lang=ja repair -- X"},
		{args: "--lang ja repair X --lang ja", want: "--lang=ja --lang=ja repair -- X"},
		{args: "repair h help", want: "repair -- h help"},
		{args: "repair X --help", want: "repair --help"},
		{args: "repair X -h --yes", want: "repair --help"},
		{args: "repair X --yes --version", want: "--version"},
		{args: "--version repair X --yes", want: "--version"},
		{args: "help", want: "--help"},
		{args: "help repair", want: "repair --help"},
		{args: "help --lang ja repair", want: "--lang=ja repair --help"},
		{args: "repair ~", want: "repair -- ~"},

		{args: "stick write X", want: "stick write -- X"},
		{args: "stick write X --yes", want: "stick write --yes -- X"},
		{args: "stick write X -ny --image i", want: "stick write -n -y --image=i -- X"},
		{args: "stick write --image=-i -- --yes", want: "stick write --image=-i -- --yes"},
		{args: "stick write h help", want: "stick write -- h help"},
		{args: "--lang ja stick write X", want: "--lang=ja stick write -- X"},
		{args: "stick --lang ja write X", want: "--lang=ja stick write -- X"},
		{args: "stick write X --lang ja", want: "--lang=ja stick write -- X"},
		{args: "stick write X --help", want: "stick write --help"},
		{args: "stick --help write X", want: "stick write --help"},
		{args: "stick --help", want: "stick --help"},
		{args: "stick -h", want: "stick --help"},
		{args: "stick help", want: "stick --help"},
		{args: "stick help write", want: "stick write --help"},
		{args: "help stick", want: "stick --help"},
		{args: "help stick write", want: "stick write --help"},
		{args: "help --lang ja stick write", want: "--lang=ja stick write --help"},
		{args: "stick --version", want: "--version"},
		{args: "stick write --version", want: "--version"},

		{args: "stick", key: "usage.subverb"},
		{args: "stick --lang ja", key: "usage.subverb"},
		{args: "stick burn X", key: "usage.verb"},
		{args: "stick help burn", key: "usage.verb"},
		{args: "help stick burn", key: "usage.verb"},
		{args: "help stick write X", key: "usage.verb"},
		{args: "stick -- write X", key: "usage.verb"},
		{args: "write X", key: "usage.verb"},
		{args: "stick --yes write X", key: "usage.flag"},
		{args: "stick write X --backup b", key: "usage.flag"},
		{args: "stick write --image --yes X", key: "usage.value"},
		{args: "stick write X --force-name", key: "usage.value"},
		{args: "stick write X --yes=no", key: "usage.bool"},
		{args: "stick write --image a X --image b", key: "usage.twice"},
		{args: "stick write -", key: "usage.dash"},
		{args: "stick - write X", key: "usage.dash"},
		{args: "--lang ja stick --lang en write X", key: "usage.twice"},
		{args: "repair - -n X", want: "repair -n -- - X"},
		{args: "scan X -", want: "scan -- X -"},
		{args: "repair X --dry-rum", key: "usage.flag"},
		{args: "repair X -q", key: "usage.flag"},
		{args: "repair X -nq", key: "usage.flag"},
		{args: "repair X --n", key: "usage.flag"},
		{args: "repair X -dry-run", key: "usage.flag"},
		{args: "repair X --=x", key: "usage.flag"},
		{args: "repair X --from b", key: "usage.flag"},
		{args: "scan --force X", key: "usage.flag"},
		{args: "--yes repair X", key: "usage.flag"},
		{args: "- repair X", key: "usage.dash"},
		{args: "stick write - X", key: "usage.dash"},
		{args: "diff X -", key: "usage.dash"},
		{args: "-", key: "usage.dash"},
		{args: "repair --backup --dry-run X", key: "usage.value"},
		{args: "repair X --backup", key: "usage.value"},
		{args: "repair X --backup= -n", key: "usage.value"},
		{args: "repair X --backup -- -n", key: "usage.value"},
		{args: "repair X --dry-run=yes", key: "usage.bool"},
		{args: "repair X --dry-run=", key: "usage.bool"},
		{args: "repair X --dry-run --dry-run=false", key: "usage.twice"},
		{args: "repair X -n --dry-run=false", key: "usage.twice"},
		{args: "repair --backup a X --backup b", key: "usage.twice"},
		{args: "--lang ja repair X --lang en", key: "usage.twice"},
		{args: "mend X", key: "usage.verb"},
		{args: "X repair", key: "usage.verb"},
		{args: "-- repair X", key: "usage.verb"},
		{args: "help mend", key: "usage.verb"},
		{args: "help repair scan", key: "usage.verb"},
		{args: "help repair --yes", key: "usage.flag"},
	} {
		var args []string
		for _, word := range strings.Fields(test.args) {
			args = append(args, strings.ReplaceAll(word, "~", " "))
		}
		e := testEnv(t)
		got, err := arrangeArgs(e.app(), append([]string{"unloop"}, args...))
		var usage usageError
		switch errors.As(err, &usage); {
		case usage.key != test.key:
			t.Errorf("arrangeArgs(%s) = %q, %v, want usage error %q", test.args, got, err, test.key)
		case test.key == "":
			want := []string{"unloop"}
			for _, word := range strings.Fields(test.want) {
				want = append(want, strings.ReplaceAll(word, "~", " "))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("arrangeArgs(%s) (-want +got):\n%s", test.args, diff)
			}
		}
	}
}

// No verb's flag but the boolean ones has one letter: short takes no value.
func TestShortFlagsTakeNoValue(t *testing.T) {
	var all []*cli.Command
	for _, c := range testEnv(t).app().Commands {
		all = append(append(all, c), c.Subcommands...)
	}
	for _, c := range all {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				if len(name) == 1 && takesValue(f) {
					t.Errorf("%s -%s takes a value", c.Name, name)
				}
			}
		}
	}
}

// A usage error of the library itself ends with exit code 2 as well, and quickly:
// nothing is looked at.
func TestUsageBeforeAnything(t *testing.T) {
	start := time.Now()
	for _, args := range [][]string{{"repair", "--jobs", "x"}, {"scan", "--jobs", "1e3"}, {"undo", "--yes", "--jobs", ""}} {
		code, stdout, stderr := runProgram(t, args...)
		if code != int(exitUsage) || stdout != "" || !strings.HasPrefix(stderr, "unloop: error: ") {
			t.Errorf("unloop %q: exit code %d, %q, %q", args, code, stdout, stderr)
		}
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("usage errors took %v", d)
	}
}
