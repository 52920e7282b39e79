//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// need skips a test where an outside program is missing; in CI that is an error.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
}

// A tamperer runs the program, built as it is shipped, under strace.
type tamperer struct{ program string }

func newTamperer(t *testing.T) *tamperer {
	t.Helper()
	need(t, "strace")
	tp := &tamperer{filepath.Join(t.TempDir(), "unloop")}
	cmd := exec.Command("go", "build", "-o", tp.program, "unloop/cmd/unloop")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building unloop: %v: %s", err, out)
	}
	return tp
}

// tampered is how such a run ended.
type tampered struct {
	code   int
	killed bool
	stderr string
	calls  []call // of the system calls that were traced
}

// call is one system call on an open file.
type call struct {
	name     string
	path     string
	offset   int64 // of a pread64 or pwrite64
	injected bool
}

// run runs the program while strace injects, as in "pwrite64:error=EIO:when=3",
// or only watches the call if there is no colon. strace counts the calls of each
// thread by itself, so that which one is hit is known only afterwards.
func (tp *tamperer) run(t *testing.T, inject string, args ...string) tampered {
	t.Helper()
	name, _, injecting := strings.Cut(inject, ":")
	log := filepath.Join(t.TempDir(), "strace")
	options := []string{"-f", "-qq", "-y", "-s", "0", "-o", log, "-e", "trace=" + name}
	if injecting {
		options = append(options, "-e", "inject="+inject)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "strace", append(append(options, tp.program), args...)...)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("strace %s: %v", inject, errors.Join(err, ctx.Err()))
	}
	r := tampered{code: cmd.ProcessState.ExitCode(), stderr: errOut.String()}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	r.killed = status.Signaled() && status.Signal() == syscall.SIGKILL
	if r.code < 0 && !r.killed {
		t.Fatalf("strace %s: %v: %s", inject, status, r.stderr)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	r.calls = parseTrace(string(text))
	return r
}

var (
	traceCall    = regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*)>(.*)`)
	traceResumed = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)`)
	traceOffset  = regexp.MustCompile(`, (\d+)(?:\)| <unfinished)`)
)

func parseTrace(text string) (calls []call) {
	unfinished := map[string]int{} // by thread
	for line := range strings.Lines(text) {
		if m := traceCall.FindStringSubmatch(line); m != nil {
			c := call{name: m[2], path: m[3], injected: strings.Contains(m[4], "(INJECTED)")}
			if off := traceOffset.FindStringSubmatch(m[4]); off != nil {
				c.offset, _ = strconv.ParseInt(off[1], 10, 64)
			}
			unfinished[m[1]] = len(calls)
			calls = append(calls, c)
		} else if m := traceResumed.FindStringSubmatch(line); m != nil && strings.Contains(m[2], "(INJECTED)") {
			calls[unfinished[m[1]]].injected = true
		}
	}
	return calls
}

// hit returns the first call in which an error was injected.
func (r tampered) hit() (call, bool) {
	for _, c := range r.calls {
		if c.injected {
			return c, true
		}
	}
	return call{}, false
}

// unloop runs the program in this process and returns its exit code, stdout and
// stderr.
func unloop(args ...string) (code int, stdout, stderr string) {
	var out, errOut bytes.Buffer
	code = run(append([]string{"unloop", "--lang", "en"}, args...), strings.NewReader(""), &out, &errOut)
	return code, out.String(), errOut.String()
}
