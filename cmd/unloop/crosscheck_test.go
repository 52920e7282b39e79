package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// judged plans the usual repair of a small hive.
func judged(t *testing.T) *hive.Change {
	t.Helper()
	h, err := hive.Open(hive.Files{Primary: buildHive(t, "", hivetest.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	f, err := h.Inspect(hive.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Plan(f, []hive.Fix{hive.FixOverride, hive.FixDrivers})
	if err != nil {
		t.Fatal(err)
	}
	c, err := h.Prepare(p, true)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rightAnswer is what a judge that reads c.New as unloop does prints.
func rightAnswer(t *testing.T, c *hive.Change) string {
	t.Helper()
	var keys []string
	for _, e := range c.Edits {
		keys = append(keys, fmt.Sprintf(`{"found":true,"values":[{"found":true,"type":%d,"data":"%x"}]}`, e.New.Type, e.New.Bytes))
	}
	var listing bytes.Buffer
	if err := c.New.Listing(&listing); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"judge":"libtest 1.0","keys":[%s]}`, strings.Join(keys, ",")) + "\n" + listing.String()
}

// useJudge puts a shell script on PATH as the judge.
func useJudge(t *testing.T, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the judges are shell scripts")
	}
	dir := t.TempDir()
	if script != "" {
		if err := os.WriteFile(filepath.Join(dir, judgeName), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+"/usr/bin"+string(os.PathListSeparator)+"/bin")
	if script == "" {
		t.Setenv("PATH", dir)
	}
	t.Setenv("TMPDIR", t.TempDir()) // for the copies
}

func TestAskJudge(t *testing.T) {
	c := judged(t)
	answer := filepath.Join(t.TempDir(), "answer")
	if err := os.WriteFile(answer, []byte(rightAnswer(t, c)), 0o666); err != nil {
		t.Fatal(err)
	}
	right := "cat >/dev/null; cat " + shellQuote(answer)
	edited := "cat >/dev/null; sed '%s' " + shellQuote(answer)
	const none, agrees, disagrees, unfit = "not installed", "agrees (libtest)", "disagrees", "cannot judge"
	for _, test := range []struct {
		name, script string
		auto         string // the verdict where it is used if there
		autoErr      error
		require      string // … and where it is insisted on
		requireErr   error
	}{
		{"none", "", none, nil, none, errNoJudge},
		{"right", right, agrees, nil, agrees, nil},
		{"other value", fmt.Sprintf(edited, `s/"data":"04000000"/"data":"02000000"/`), disagrees, errDisagree, disagrees, errDisagree},
		{"other type", fmt.Sprintf(edited, `s/"type":4/"type":3/`), disagrees, errDisagree, disagrees, errDisagree},
		{"no key", fmt.Sprintf(edited, `1s/"found":true,"values"/"found":false,"values"/`), disagrees, errDisagree, disagrees, errDisagree},
		{"no value", fmt.Sprintf(edited, `1s/"found":true,"type"/"found":false,"type"/`), disagrees, errDisagree, disagrees, errDisagree},
		{"too few values", fmt.Sprintf(edited, `1s/"values":\[[^]]*\]/"values":[]/`), disagrees, errDisagree, disagrees, errDisagree},
		{"no hex", fmt.Sprintf(edited, `1s/"data":"04/"data":"0x/`), disagrees, errDisagree, disagrees, errDisagree},
		{"another key otherwise", fmt.Sprintf(edited, `5s/^../zz/`), disagrees, errDisagree, disagrees, errDisagree},
		{"a key less", fmt.Sprintf(edited, "7d"), disagrees, errDisagree, disagrees, errDisagree},
		{"no end", fmt.Sprintf(edited, "$d"), disagrees, errDisagree, disagrees, errDisagree},
		{"too much", right + "; echo more", disagrees, errDisagree, disagrees, errDisagree},
		{"no listing", fmt.Sprintf(edited, "2,$d"), disagrees, errDisagree, disagrees, errDisagree},
		{"garbage", "cat >/dev/null; echo agrees", disagrees, errDisagree, disagrees, errDisagree},
		{"null", "cat >/dev/null; echo null", disagrees, errDisagree, disagrees, errDisagree},
		{"silence", "cat >/dev/null", disagrees, errDisagree, disagrees, errDisagree},
		{"does not listen", "exit 0", disagrees, errDisagree, disagrees, errDisagree},
		{"crash", "kill -SEGV $$", disagrees, errDisagree, disagrees, errDisagree},
		{"killed", "kill -KILL $$", disagrees, errDisagree, disagrees, errDisagree},
		{"right, then crash", right + "; kill -ABRT $$", disagrees, errDisagree, disagrees, errDisagree},
		{"unreadable", "cat >/dev/null; echo no >&2; exit 1", disagrees, errDisagree, disagrees, errDisagree},
		{"misunderstood", "exit 2", disagrees, errDisagree, disagrees, errDisagree},
		{"unfit", "cat >/dev/null; echo misreads >&2; exit 3", unfit, nil, unfit, errNoJudge},
		{"hangs", "sleep 60", disagrees, errDisagree, disagrees, errDisagree},
		{"hangs deaf", "trap '' TERM INT; sleep 60 & wait; sleep 60", disagrees, errDisagree, disagrees, errDisagree},
	} {
		t.Run(test.name, func(t *testing.T) {
			useJudge(t, test.script)
			e := testEnv(t)
			if strings.HasPrefix(test.name, "hangs") {
				e.judgeTime = 200 * time.Millisecond
			}
			start := time.Now()
			for _, mode := range []struct {
				name, want string
				err        error
			}{{"off", "off", nil}, {"auto", test.auto, test.autoErr}, {"require", test.require, test.requireErr}} {
				got, err := e.askJudge(c, mode.name)
				if got != mode.want || !errors.Is(err, mode.err) || (err == nil) != (mode.err == nil) {
					t.Errorf("%s: %q, %v, want %q, %v", mode.name, got, err, mode.want, mode.err)
				}
			}
			if d := time.Since(start); strings.HasPrefix(test.name, "hangs") && d > 20*time.Second {
				t.Errorf("waited %v for a judge that hangs", d)
			}
			if left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// The judge is asked for exactly the edited values, of a copy of the new hive.
func TestJudgeQuestion(t *testing.T) {
	c := judged(t)
	dir := t.TempDir()
	useJudge(t, fmt.Sprintf(`cat >%s/question; cp "$2" %[1]s/copy; echo "$1" >%[1]s/flag; ls -A "$TMPDIR" >%[1]s/named; exit 3`, shellQuote(dir)))
	if _, err := testEnv(t).askJudge(c, "auto"); err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(filepath.Join(dir, "copy"))
	if err != nil || !bytes.Equal(copied, c.New.Bytes()) {
		t.Errorf("the copy (%d bytes, %v) is not the new hive", len(copied), err)
	}
	if flag, _ := os.ReadFile(filepath.Join(dir, "flag")); string(flag) != "--tree\n" {
		t.Errorf("first argument %q", flag)
	}
	// Killed now, unloop would leave somebody's hive behind if it had a name.
	if named, err := os.ReadFile(filepath.Join(dir, "named")); err != nil || runtime.GOOS == "linux" && len(named) > 0 {
		t.Errorf("while the judge reads it the copy is called %q, %v", named, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "question"))
	if err != nil {
		t.Fatal(err)
	}
	var q judgeQuestion
	if err := json.Unmarshal(text, &q); err != nil {
		t.Fatal(err)
	}
	if len(q.Keys) != len(c.Edits) || len(q.Keys) == 0 {
		t.Fatalf("%d keys asked for, %d edits", len(q.Keys), len(c.Edits))
	}
	for i, e := range c.Edits {
		if hive.FormatRegKey(q.Keys[i].Path) != hive.FormatRegKey(e.Path) || len(q.Keys[i].Values) != 1 || q.Keys[i].Values[0] != e.Name {
			t.Errorf("question %d: %+v, want %v", i, q.Keys[i], e)
		}
	}
}

// Ctrl-C on a terminal reaches the judge too; its end is then no disagreement.
func TestJudgeInterrupted(t *testing.T) {
	useJudge(t, "kill -INT $$")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := testEnv(t)
	e.ctx = ctx
	if _, err := e.askJudge(judged(t), "auto"); !errors.Is(err, errInterrupted) {
		t.Errorf("askJudge = %v, want %v", err, errInterrupted)
	}
}
