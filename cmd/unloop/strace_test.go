//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

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

// run runs the program while strace injects, as in "pwrite64:error=EIO:when=3", or
// only watches if there is no colon. strace counts the calls of each thread by
// itself, so that which one is hit is known only afterwards.
func (tp *tamperer) run(t *testing.T, inject string, args ...string) tampered {
	t.Helper()
	name, _, injecting := strings.Cut(inject, ":")
	log := filepath.Join(t.TempDir(), "strace")
	options := []string{"-f", "-qq", "-y", "-s", "0", "-o", log, "-e", "trace=pwrite64,fsync," + name}
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

// hit says which call of a name, counted from 1 in the order of all threads, was the
// first that an error was injected in, or the last one of a killed run; 0 for none.
func (r tampered) hit(name string) int {
	n := 0
	for _, c := range r.calls {
		if c.name != name {
			continue
		}
		n++
		if c.injected {
			return n
		}
	}
	if r.killed {
		return n
	}
	return 0
}

// until returns the calls up to the last that an error was injected in, on a file below
// dir. There may be several, one a thread: the program can go without some reads.
func (r tampered) until(dir string) []call {
	for i, c := range slices.Backward(r.calls) {
		if c.injected && strings.HasPrefix(c.path, dir) {
			return r.calls[:i+1]
		}
	}
	return nil
}

// count counts the calls of a name.
func (r tampered) count(name string) (n int) {
	for _, c := range r.calls {
		if c.name == name {
			n++
		}
	}
	return n
}

// tries bounds how often one call is aimed at. A call that follows others made by
// another thread may be out of reach.
const tries = 40

// everywhere runs a verb with an accident, signal=KILL or error=EIO …, at one in so
// many of its calls of a name, and lets look look at each. start is the state of the
// stage before each run.
func (tp *tamperer) everywhere(t *testing.T, st *stage, start tree, verb, name, accident string, oneIn int, look func(t *testing.T, r tampered)) {
	t.Helper()
	st.put(t, start)
	whole := tp.run(t, name, st.args(verb)...)
	total := whole.count(name)
	if whole.code != 0 || total == 0 {
		t.Fatalf("%s ends with %d after %d calls:\n%s", verb, whole.code, total, whole.stderr)
	}
	reached := map[int]bool{}
	for i := total; i > 0; i -= oneIn {
		for try := 0; !reached[i] && try < max(4, tries/oneIn); try++ {
			st.put(t, start)
			r := tp.run(t, fmt.Sprintf("%s:%s:when=%d", name, accident, i-try%i), st.args(verb)...)
			if n := r.hit(name); n > 0 && !reached[n] {
				reached[n] = true
				t.Run(fmt.Sprintf("%s, %s at %s %d of %d", verb, accident, name, n, total), func(t *testing.T) { look(t, r) })
			}
		}
	}
	if want := total / oneIn; len(reached) < want/2 {
		t.Errorf("%s, %s: strace reached %d calls of %s, want %d", verb, accident, len(reached), name, want)
	}
}

// unloop runs the program in this process and returns its exit code, stdout and
// stderr.
func unloop(args ...string) (code int, stdout, stderr string) {
	var out, errOut bytes.Buffer
	code = run(append([]string{"unloop", "--lang", "en"}, args...), strings.NewReader(""), &out, &errOut)
	if err := checkOutput(args, out.String(), filepath.Clean); err != nil {
		panic(err)
	}
	return code, out.String(), errOut.String()
}
