//go:build linux

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A run that is killed at any moment is ended by another one with the same --resume:
// nothing is left out, and nothing is repaired twice.
func TestBatchKilled(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	halves := 0
	t.Run("group", func(t *testing.T) {
		for try := range 6 {
			jobs := []string{"1", "4"}[try%2]
			t.Run(fmt.Sprintf("%d with jobs %s", try, jobs), func(t *testing.T) {
				t.Parallel()
				f := newPile(t, 16, nil)
				file := filepath.Join(f.state, "resume.jsonl")
				args := append([]string{"repair", "--yes", "--jobs", jobs, "--format", "json", "--resume", file}, f.images...)
				after, wait := rand.IntN(len(f.images)-4), time.Duration(rand.Int64N(int64(40*time.Millisecond)))
				reached := func() bool {
					if lines(file) < after {
						return false
					}
					time.Sleep(wait)
					return true
				}
				state, _, errs := f.signalled(t, reached, []os.Signal{syscall.SIGKILL}, args...)
				if !killed(state) && state.ExitCode() != 0 {
					t.Fatalf("exit code %d before it was killed: %s", state.ExitCode(), errs)
				}
				done := lines(file)
				code, out, errs := f.run(t, args...)
				if code != 0 {
					t.Fatalf("killed after %d and %v: the next run ends with %d: %s", after, wait, code, errs)
				}
				earlier := 0
				for line := range strings.Lines(out) {
					if readResult(t, line).Earlier {
						earlier++
					}
				}
				if n := strings.Count(out, "\n"); n != len(f.images) || earlier != done {
					t.Errorf("killed after %d and %v with %d noted: %d lines, %d of them earlier", after, wait, done, n, earlier)
				}
				if n := f.repaired(t, f.images); n != 0 {
					t.Errorf("killed after %d and %v: %d backups are not noted as done", after, wait, n)
				}
				if lines(file) != len(f.images) {
					t.Errorf("%d targets are noted, want %d", lines(file), len(f.images))
				}
				checkLines(t, file)
				mu.Lock()
				defer mu.Unlock()
				if done > 0 && done < len(f.images) {
					halves++
				}
			})
		}
	})
	t.Logf("%d of 6 runs were killed half-way", halves)
	if halves == 0 {
		t.Error("no run was killed half-way")
	}
}

// checkLines holds every line of a file of --resume against the schema.
func checkLines(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if err := checkJSON(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			t.Error(err)
		}
	}
}

// Two runs at once on the same images: each image is repaired by exactly one of them, and
// the other says that it is in use, has changed, or needs nothing.
func TestBatchTwice(t *testing.T) {
	t.Parallel()
	f := newPile(t, 10, nil)
	args := append([]string{"repair", "--yes", "--jobs", "2", "--format", "json"}, f.images...)
	var outs [2]string
	var wait sync.WaitGroup
	for i := range outs {
		wait.Go(func() {
			cmd := f.command(args...)
			var out bytes.Buffer
			cmd.Stdout = &out
			cmd.Run() //nolint:errcheck // its lines tell
			outs[i] = out.String()
		})
	}
	wait.Wait()
	repairs := map[string]int{}
	for _, out := range outs {
		if n := strings.Count(out, "\n"); n != len(f.images) {
			t.Fatalf("%d lines, want %d", n, len(f.images))
		}
		for line := range strings.Lines(out) {
			switch r := readResult(t, line); {
			case r.Exit == 0 && r.Installations[0].Status == statusRepaired:
				repairs[r.Target]++
			case r.Exit == 0 && r.Installations[0].Status == statusNothing:
			case r.Exit == exitRefused && (r.key() == "busydisk" || r.key() == "stale"):
			default:
				t.Errorf("%s", line)
			}
		}
	}
	for _, path := range f.images {
		if repairs[path] != 1 {
			t.Errorf("%s was repaired %d times", path, repairs[path])
		}
	}
	f.repaired(t, f.images)
}

// A signal, and another one, ends the updates that run, begins no other, and tells what
// is left; what is left can then be done.
func TestBatchInterrupted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		signal os.Signal
		jobs   string
	}{{os.Interrupt, "1"}, {os.Interrupt, "3"}, {syscall.SIGTERM, "2"}, {syscall.SIGHUP, "1"}} {
		t.Run(test.signal.String()+" "+test.jobs, func(t *testing.T) {
			t.Parallel()
			f := newPile(t, 16, nil)
			file := filepath.Join(f.state, "resume.jsonl")
			args := append([]string{"repair", "--yes", "--jobs", test.jobs, "--format", "json", "--resume", file}, f.images...)
			reached := func() bool { return lines(file) >= 3 }
			state, out, errs := f.signalled(t, reached, []os.Signal{test.signal, test.signal, os.Interrupt}, args...)
			if state.ExitCode() != int(exitFailed) {
				t.Fatalf("%v, want exit code 1: %s", state, errs)
			}
			if n := strings.Count(out, "\n"); n != len(f.images) {
				t.Errorf("%d lines of JSON, want %d", n, len(f.images))
			}
			var done, left []string
			for line := range strings.Lines(out) {
				switch r := readResult(t, line); {
				case r.Exit == 0:
					done = append(done, r.Target)
				case r.Exit == exitFailed && r.key() == "interrupted":
					left = append(left, r.Target)
				default:
					t.Errorf("%s", line)
				}
			}
			if len(done) < 3 || len(left) == 0 {
				t.Fatalf("%d done, %d left", len(done), len(left))
			}
			named := strings.Join(left[:min(len(left), maxLeft)], " ")
			if want := fmt.Sprintf("error: interrupted: %d done, %d left: %s", len(done), len(left), named); !strings.Contains(errs, want) {
				t.Errorf("no %q in\n%s", want, errs)
			}
			if !strings.Contains(errs, fmt.Sprintf("\n16 targets: %d repaired, %d not come to\n", len(done), len(left))) {
				t.Errorf("no sum in\n%s", errs)
			}
			if n := f.repaired(t, done); n != 0 {
				t.Errorf("%d backups are of updates that were not ended", n)
			}
			if code, _, errs := f.run(t, args...); code != 0 || f.repaired(t, f.images) != 0 {
				t.Errorf("the next run ends with %d: %s", code, errs)
			}
		})
	}
}
