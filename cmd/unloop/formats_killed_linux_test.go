package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestKilledImage kills the program at many moments of a repair. Qemu-nbd then ends by
// itself, the image is sound, and a second run brings the repair to its end.
func TestKilledImage(t *testing.T) {
	imageTools(t)
	program := newTamperer(t).program
	t.Setenv("TMPDIR", t.TempDir())
	raw := sampleDisk(t)
	qcow := imageFormat{"pc.qcow2", "qcow2", "-O qcow2 -o lazy_refcounts=on", "qcow2", true, nil}
	source := qcow.build(t, raw)
	mustUnloop(t, "repair", "--yes", "--backup", t.TempDir(), raw)
	after, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	const steps = 40
	whole, killed, between := time.Duration(0), 0, 0
	for n := steps; n >= 0; n-- {
		image, backups := filepath.Join(t.TempDir(), "pc.qcow2"), t.TempDir()
		tool(t, 0, "cp", source, image)
		start := sums(t, image)
		begin := time.Now()
		cmd := exec.Command(program, "repair", "--yes", "--crosscheck", "off", "--backup", backups, image)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if n < steps { // the first run shows how long one takes
			time.Sleep(whole * time.Duration(n) / steps)
			cmd.Process.Kill()
		}
		ended := cmd.Wait()
		if n == steps {
			whole = time.Since(begin)
		}
		waitFor(t, "qemu-nbd has ended", func() bool { return len(servers(t, image)) == 0 })
		if ended != nil {
			killed++
			if !cmp.Equal(start, sums(t, image)) {
				between++
			}
		}
		tool(t, 0, "qemu-img", "check", image)
		mustUnloop(t, "repair", "--yes", "--backup", backups, image)
		qcow.wantDisk(t, image, after)
	}
	t.Logf("a run takes %v; %d were killed, %d of them had written", whole, killed, between)
	if killed < steps/2 || between == 0 {
		t.Errorf("%d runs were killed, %d of them had written; want more", killed, between)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "unloop-nbd-*", "*")) // an empty folder may be left
	if err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

// TestKilledServer kills qemu-nbd itself in the middle of a repair: a hive that was
// written to and not read back is exit code 5, and a second run mends it.
func TestKilledServer(t *testing.T) {
	imageTools(t)
	t.Setenv("TMPDIR", t.TempDir())
	tp := newTamperer(t)
	raw := sampleDisk(t)
	source := convert("-O qcow2")(t, raw, t.TempDir())
	mustUnloop(t, "repair", "--yes", "--backup", t.TempDir(), raw)
	after, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[int]int{}
	for n := 1; n <= 30; n++ {
		image, backups := filepath.Join(t.TempDir(), "pc.qcow2"), t.TempDir()
		tool(t, 0, "cp", source, image)
		start := sums(t, image)
		// Only qemu-nbd writes in this way. It does so from several threads, of which
		// strace counts each by itself.
		r := tp.run(t, fmt.Sprintf("pwrite64:signal=KILL:when=%d", n), "repair", "--yes", "--crosscheck", "off", "--backup", backups, image)
		codes[r.code]++
		if r.code == int(exitRefused) || r.code == int(exitUsage) || r.code == 0 && cmp.Equal(start, sums(t, image)) {
			t.Errorf("killed at %d: exit code %d\n%s", n, r.code, r.stderr)
		}
		if r.code != 0 {
			wantHint(t, r.code, r.stderr)
		}
		mustUnloop(t, "repair", "--yes", "--backup", backups, image)
		qcow := imageFormat{driver: "qcow2"}
		qcow.wantDisk(t, image, after)
	}
	t.Logf("exit codes: %v", codes)
	if codes[int(exitBroken)] == 0 || codes[int(exitFailed)] == 0 {
		t.Errorf("exit codes %v, want 1 and 5 too", codes)
	}
	nothingLeft(t)
}
