package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// played is a run of the program inside the test, with its streams in hand.
type played struct {
	*env
	stdout, stderr lockedBuffer
	cancel         context.CancelFunc
}

// lockedBuffer may be looked at while the program writes to it.
type lockedBuffer struct {
	lock chan struct{} // holds one token
	buf  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	<-b.lock
	defer func() { b.lock <- struct{}{} }()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	<-b.lock
	defer func() { b.lock <- struct{}{} }()
	return b.buf.String()
}

func newLockedBuffer() lockedBuffer {
	b := lockedBuffer{lock: make(chan struct{}, 1)}
	b.lock <- struct{}{}
	return b
}

// play prepares a run with a state folder of its own, on a terminal that in types on.
func play(t *testing.T, in io.Reader) *played {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("PATH", t.TempDir()) // no judge
	p := &played{stdout: newLockedBuffer(), stderr: newLockedBuffer()}
	p.env = newEnv(nil, in, &p.stdout, &p.stderr)
	p.lang, p.inTTY = "en", true
	p.ctx, p.cancel = context.WithCancel(t.Context())
	t.Cleanup(p.cancel)
	return p
}

// noBackups fails the test if there is any file in the state folder.
func noBackups(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(os.Getenv("XDG_STATE_HOME"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s is there", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Ctrl-C before apply: exit code 1, nothing written, no backup, every target named.
func TestInterruptedBefore(t *testing.T) {
	data := buildHive(t, "", hivetest.Options{})
	dir := t.TempDir()
	a, b := writeFile(t, filepath.Join(dir, "a"), data), writeFile(t, filepath.Join(dir, "b"), data)
	for _, verb := range []string{"repair", "undo", "scan"} {
		p := play(t, strings.NewReader(""))
		p.cancel()
		args := []string{"unloop", verb, a, b}
		if verb != "scan" {
			args = append(args, "--yes")
		}
		if code := p.main(args); code != exitFailed {
			t.Errorf("%s: exit code %d, want %d", verb, code, exitFailed)
		}
		for _, target := range []string{a, b} {
			if !strings.Contains(p.stderr.String(), "error: interrupted: 0 done, 2 left: "+a+" "+b) {
				t.Errorf("%s: %s is not named in %s", verb, target, p.stderr.String())
			}
			if now, err := os.ReadFile(target); err != nil || hive.Sum(now) != hive.Sum(data) {
				t.Errorf("%s: %s has changed", verb, target)
			}
		}
		noBackups(t)
	}
}

// Ctrl-C while it asks: the same, without waiting for an answer.
func TestInterruptedWhileAsking(t *testing.T) {
	data := buildHive(t, "", hivetest.Options{})
	target := writeFile(t, filepath.Join(t.TempDir(), "SYSTEM"), data)
	never, typist := io.Pipe()
	defer typist.Close()
	p := play(t, never)
	ended := make(chan exitCode, 1)
	go func() { ended <- p.main([]string{"unloop", "repair", target}) }()
	deadline := time.After(30 * time.Second)
	for !strings.Contains(p.stderr.String(), "[y/N]") {
		select {
		case <-deadline:
			t.Fatalf("it does not ask: %s", p.stderr.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	p.cancel()
	select {
	case code := <-ended:
		if code != exitFailed || !strings.Contains(p.stderr.String(), "interrupted before anything was written") {
			t.Errorf("exit code %d: %s", code, p.stderr.String())
		}
	case <-deadline:
		t.Fatal("it goes on waiting for an answer")
	}
	if now, err := os.ReadFile(target); err != nil || hive.Sum(now) != hive.Sum(data) {
		t.Error("the target has changed")
	}
	noBackups(t)
}

// Several answers in one stream go to the questions in their order.
func TestAnswersInOrder(t *testing.T) {
	dir := t.TempDir()
	data := buildHive(t, "", hivetest.Options{})
	a, b := writeFile(t, filepath.Join(dir, "a"), data), writeFile(t, filepath.Join(dir, "b"), data)
	p := play(t, strings.NewReader("n\ny\n"))
	if code := p.main([]string{"unloop", "repair", a, b}); code != exitFailed {
		t.Errorf("exit code %d, want %d: one answer was no", code, exitFailed)
	}
	if !strings.Contains(p.stderr.String(), "error: "+a+": not written, the answer was no") || !strings.Contains(p.stderr.String(), b+": REPAIRED") {
		t.Errorf("stderr: %s", p.stderr.String())
	}
}

// The end of input is no answer, and so a no.
func TestNoAnswer(t *testing.T) {
	for _, typed := range []string{"", "\n", "n\n", "no\n", "yy\n", "yes please\n", "Y es\n", "いいえ\n"} {
		target := writeFile(t, filepath.Join(t.TempDir(), "SYSTEM"), buildHive(t, "", hivetest.Options{}))
		p := play(t, strings.NewReader(typed))
		if code := p.main([]string{"unloop", "repair", target}); code != exitFailed {
			t.Errorf("answer %q: exit code %d, want %d", typed, code, exitFailed)
		}
		noBackups(t)
	}
	for _, typed := range []string{"y\n", "Y\n", " yes \n", "YES", "はい\n"} {
		target := writeFile(t, filepath.Join(t.TempDir(), "SYSTEM"), buildHive(t, "", hivetest.Options{}))
		p := play(t, strings.NewReader(typed))
		if code := p.main([]string{"unloop", "repair", target}); code != exitDone {
			t.Errorf("answer %q: exit code %d, want %d", typed, code, exitDone)
		}
	}
}

// Progress: a stage that lasts says so after a second, and stops saying so.
func TestBusy(t *testing.T) {
	p := play(t, strings.NewReader(""))
	done := p.busy(stageApply, "x")
	time.Sleep(1200 * time.Millisecond)
	done()
	if got, want := p.stderr.String(), "unloop: apply:   x: still working (1 s)\n"; got != want {
		t.Errorf("busy says %q, want %q", got, want)
	}
	p.busy(stageApply, "short")()
	if strings.Contains(p.stderr.String(), "short") {
		t.Errorf("a short stage says %q", p.stderr.String())
	}
}
