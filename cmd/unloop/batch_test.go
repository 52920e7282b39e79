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
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"unloop/hive"
	"unloop/hive/hivetest"
	"unloop/image"
)

// A pile is a folder of disk images, all copies of one looping PC but for those that are
// broken.
type pile struct {
	dir, state string // state: for backups
	program    string
	images     []string // full paths
}

// newPile makes n sparse images; broken says how some of them are spoilt.
func newPile(t *testing.T, n int, broken map[int]func(*testing.T, string)) *pile {
	t.Helper()
	program, err := exec.LookPath("unloop") // the test binary under that name
	if err != nil {
		t.Fatal(err)
	}
	f := &pile{dir: t.TempDir(), state: t.TempDir(), program: program}
	disk, err := pileDisk()
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		path := filepath.Join(f.dir, fmt.Sprintf("disk%02d.img", i+1))
		writeDisk(t, path, disk)
		if spoil := broken[i]; spoil != nil {
			spoil(t, path)
		}
		f.images = append(f.images, path)
	}
	return f
}

// pileDisk is the disk that all images of a pile are copies of.
var pileDisk = sync.OnceValues(func() ([]byte, error) {
	system, err := hivetest.Build(hivetest.Win7(""), hivetest.Options{Fill: 16384})
	if err != nil {
		return nil, err
	}
	return (&diskOptions{table: "mbr", fragments: 1, folder: "Windows", hive: system}).build()
})

// pileHive is what a repair makes of its hive: the same whoever makes it.
var pileHive = sync.OnceValues(func() (hive.Digest, error) {
	system, err := hivetest.Build(hivetest.Win7(""), hivetest.Options{Fill: 16384})
	if err != nil {
		return "", err
	}
	h, err := hive.Open(hive.Files{Primary: system})
	if err != nil {
		return "", err
	}
	f, err := h.Inspect(hive.Scope{})
	if err != nil {
		return "", err
	}
	plan, err := h.Plan(f, []hive.Fix{hive.FixOverride, hive.FixDrivers})
	if err != nil {
		return "", err
	}
	c, err := h.Prepare(plan, false)
	if err != nil {
		return "", err
	}
	u, err := c.Update(1 << 20)
	if err != nil {
		return "", err
	}
	return u.After.Primary, nil
})

// writeDisk writes a disk without its zeros.
func writeDisk(t *testing.T, path string, disk []byte) {
	t.Helper()
	if err := writeSparse(path, bytes.NewReader(disk), int64(len(disk))); err != nil {
		t.Fatal(err)
	}
}

// hiveIn opens the SYSTEM hive of an image.
func hiveIn(t *testing.T, path string) *image.File {
	t.Helper()
	src, err := image.Host{}.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	if len(src.Installations()) != 1 {
		t.Fatalf("%s: %d installations", path, len(src.Installations()))
	}
	file, err := src.Installations()[0].Open("SYSTEM")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// systemSum reads the SYSTEM hive of an image, which must be sound and clean.
func systemSum(t *testing.T, path string) hive.Digest {
	t.Helper()
	data, err := readAll(hiveIn(t, path), maxHive)
	if err != nil {
		t.Fatal(err)
	}
	h, err := hive.Open(hive.Files{Primary: data})
	if err != nil || h.Replay != nil {
		t.Errorf("%s: the hive is not sound and clean: %v", path, err)
	}
	return hive.Sum(data)
}

func (f *pile) command(args ...string) *exec.Cmd {
	cmd := exec.Command(f.program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "XDG_STATE_HOME="+f.state, "PATH="+pathWithoutJudge())
	return cmd
}

// run runs unloop and returns how it ended.
func (f *pile) run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := f.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	mustCheck(t, args, out.String())
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// repaired checks that every image of those was repaired, once: one backup each, none for
// any other. It returns how many of the backups are of a run that did not come to note
// its end.
func (f *pile) repaired(t *testing.T, images []string) (started int) {
	t.Helper()
	backups, problems, err := hive.FindBackups(filepath.Join(f.state, "unloop", "backups"))
	if err != nil || len(problems) > 0 {
		t.Fatalf("looking for backups: %v %v", err, problems)
	}
	want, err := pileHive()
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, b := range backups {
		count[b.Target.Path]++
		switch b.State {
		case hive.StateStarted:
			started++
		case hive.StateDone:
		default:
			t.Errorf("the backup of %s is in state %s", b.Target.Path, b.State)
		}
	}
	for _, path := range images {
		if count[path] != 1 {
			t.Errorf("%s has %d backups, want 1", path, count[path])
		}
		if systemSum(t, path) != want {
			t.Errorf("the hive of %s is not that of a repair", path)
		}
		delete(count, path)
	}
	for path := range count {
		t.Errorf("there is a backup of %s", path)
	}
	return started
}

// ways in which an image is spoilt.
func emptied(t *testing.T, path string) { truncate(t, path, 0) }

func zeroed(t *testing.T, path string) {
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	truncate(t, path, 0)
	truncate(t, path, info.Size())
}

func cutInHive(t *testing.T, path string) {
	e := hiveIn(t, path).Extents()[0]
	truncate(t, path, e.DeviceOffset+e.Length/2)
}

func hiveSpoilt(t *testing.T, path string) {
	at := hiveIn(t, path).Extents()[0].DeviceOffset + 4096
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte("garbage, not a bin"), at)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// otherDisk puts another disk in the place of an image.
func otherDisk(o diskOptions, h hivetest.Options) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		o.fragments, o.folder, o.hive = 1, "Windows", buildHive(t, "", h)
		disk, err := o.build()
		if err != nil {
			t.Fatal(err)
		}
		writeDisk(t, path, disk)
	}
}

// Of fifty images five are broken, each in another way: the others are repaired, the five
// are told with the reason, in the table and in JSON, and the exit code is the worst.
func TestBatch(t *testing.T) {
	t.Parallel()
	sleeping := otherDisk(diskOptions{table: "mbr", hiber: "hibr"}, hivetest.Options{})
	locked := otherDisk(diskOptions{table: "mbr", bitlocker: true}, hivetest.Options{})
	healthy := otherDisk(diskOptions{table: "gpt"}, hivetest.Options{RootName: "ROOT"})
	for _, test := range []struct {
		jobs   string
		format string
		broken map[int]func(*testing.T, string)
		keys   []string // of the errors, in the order of the images
	}{
		{"1", "json", map[int]func(*testing.T, string){0: emptied, 7: cutInHive, 23: hiveSpoilt, 24: zeroed, 49: sleeping},
			[]string{"empty", "damaged", "broken", "nothive", "hibernated"}},
		{"4", "json", map[int]func(*testing.T, string){3: hiveSpoilt, 11: sleeping, 12: locked, 30: healthy, 48: emptied},
			[]string{"broken", "hibernated", "bitlocker", "notaffected", "empty"}},
	} {
		t.Run("jobs "+test.jobs, func(t *testing.T) {
			t.Parallel()
			f := newPile(t, 50, test.broken)
			code, out, errs := f.run(t, "repair", "--yes", "--jobs", test.jobs, "--format", test.format, filepath.Join(f.dir, "*.img"))
			if code != int(exitRefused) {
				t.Errorf("exit code %d, want %d", code, exitRefused)
			}
			var good, keys []string
			for i, line := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
				r := readResult(t, line)
				switch {
				case i >= len(f.images) || r.Target != f.images[i]:
					t.Fatalf("line %d is of %s", i, r.Target)
				case test.broken[i] == nil && r.Exit == 0 && r.Installations[0].Status == statusRepaired:
					good = append(good, r.Target)
				case test.broken[i] != nil && r.Exit == exitRefused:
					keys = append(keys, r.key())
				default:
					t.Errorf("%s: %s", r.Target, line)
				}
			}
			if len(good) != 45 || !slices.Equal(keys, test.keys) {
				t.Errorf("%d repaired, the others for %q, want 45 and %q", len(good), keys, test.keys)
			}
			for i, path := range f.images {
				action := "repaired "
				if test.broken[i] != nil {
					action = "refused "
				}
				if !strings.Contains(errs, "] "+path+": "+action) {
					t.Errorf("%s is not told to be %s", path, action)
				}
				if row := tableLine(errs, filepath.Base(path)); !strings.Contains(row, " "+action) {
					t.Errorf("the table has %q for %s", row, path)
				}
				if reasons := errs[strings.Index(errs, "Why not"):]; strings.Contains(reasons, path+":") != (test.broken[i] != nil) {
					t.Errorf("%s has no reason in\n%s", path, reasons)
				}
			}
			if !strings.Contains(errs, "\n50 targets: 45 repaired, 5 refused\n") {
				t.Errorf("no sum in\n%s", errs)
			}
			if n := f.repaired(t, good); n != 0 {
				t.Errorf("%d backups are of unfinished runs", n)
			}
		})
	}
}

// tableLine is the line of the table that begins with that name.
func tableLine(text, name string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, name+" ") {
			return line
		}
	}
	return ""
}

// readResult reads one line of JSON.
func readResult(t *testing.T, line string) lineResult {
	t.Helper()
	var r lineResult
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	return r
}

type lineResult struct {
	Target        string       `json:"target"`
	Exit          exitCode     `json:"exit"`
	Earlier       bool         `json:"earlier"`
	Error         *errorResult `json:"error"`
	Installations []struct {
		Status status       `json:"status"`
		Error  *errorResult `json:"error"`
	} `json:"installations"`
}

// key is that of the first error.
func (r lineResult) key() string {
	if r.Error != nil {
		return r.Error.Key
	}
	for _, in := range r.Installations {
		if in.Error != nil {
			return in.Error.Key
		}
	}
	return ""
}

// lines counts the whole lines of a file that may not be there yet.
func lines(path string) int {
	text, _ := os.ReadFile(path)
	return bytes.Count(text, []byte("\n"))
}

// waitUntil waits until cond holds, or the process it is about has ended.
func waitUntil(cond func() bool, ended <-chan error) {
	for !cond() {
		select {
		case <-ended:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// signalled runs unloop, sends it signals once cond holds, and returns how it ended.
func (f *pile) signalled(t *testing.T, cond func() bool, signals []os.Signal, args ...string) (state *os.ProcessState, stdout, stderr string) {
	t.Helper()
	cmd := f.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- cmd.Wait(); close(ended) }()
	waitUntil(cond, ended)
	for _, s := range signals {
		cmd.Process.Signal(s) //nolint:errcheck // it may have ended
	}
	<-ended
	return cmd.ProcessState, out.String(), errs.String()
}

// killed says whether SIGKILL ended a process.
func killed(s *os.ProcessState) bool {
	status := s.Sys().(syscall.WaitStatus)
	return status.Signaled() && status.Signal() == syscall.SIGKILL
}
