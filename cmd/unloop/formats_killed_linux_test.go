package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestKilledImage kills the program at many moments of a repair, half of them after the
// first write to the image. Qemu-nbd then ends by itself, the image is sound, and a second
// run brings the repair to its end.
func TestKilledImage(t *testing.T) {
	imageTools(t)
	program := newTamperer(t).program
	t.Setenv("TMPDIR", t.TempDir())
	raw := sampleDisk(t)
	qcow := imageFormat{"pc.qcow2", "qcow2", "-O qcow2", "qcow2", true, nil}
	source := qcow.build(t, raw)
	mustUnloop(t, "repair", "--yes", "--backup", t.TempDir(), raw)
	after, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	killed, between := 0, 0
	for n := range 40 {
		image, backups := filepath.Join(t.TempDir(), "pc.qcow2"), t.TempDir()
		tool(t, 0, "cp", source, image)
		start := sums(t, image)
		cmd := exec.Command(program, "repair", "--yes", "--crosscheck", "off", "--backup", backups, image)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 {
			time.Sleep(time.Duration(2*n) * time.Millisecond)
		} else {
			awaitWrite(t, image)
			time.Sleep(time.Duration(n-1) * 200 * time.Microsecond)
		}
		cmd.Process.Kill()
		if cmd.Wait() != nil {
			killed++
		}
		waitFor(t, "qemu-nbd has ended", func() bool { return len(servers(t, image)) == 0 })
		if cmd.ProcessState.ExitCode() < 0 && !cmp.Equal(start, sums(t, image)) {
			between++
		}
		tool(t, 0, "qemu-img", "check", image)
		mustUnloop(t, "repair", "--yes", "--backup", backups, image)
		qcow.wantDisk(t, image, after)
	}
	t.Logf("%d runs were killed, %d of them had written", killed, between)
	if killed < 20 || between == 0 {
		t.Errorf("%d runs were killed, %d of them had written; want more", killed, between)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "unloop-nbd-*", "*")) // an empty folder may be left
	if err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

// awaitWrite waits for the next write to a file.
func awaitWrite(t *testing.T, path string) {
	t.Helper()
	was, err := os.Stat(path)
	for begin := time.Now(); err == nil && time.Since(begin) < 10*time.Second; time.Sleep(50 * time.Microsecond) {
		var now os.FileInfo
		if now, err = os.Stat(path); err == nil && !now.ModTime().Equal(was.ModTime()) {
			return
		}
	}
	t.Errorf("nothing was written to %s, %v", path, err)
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

// TestKilledByCtrlC sends Ctrl-C to all of a terminal's programs at many moments of a
// repair. It reaches unloop, which ends what it has begun, and never qemu-nbd.
func TestKilledByCtrlC(t *testing.T) {
	imageTools(t)
	program := newTamperer(t).program
	t.Setenv("TMPDIR", t.TempDir())
	raw := sampleDisk(t)
	source := convert("-O vmdk")(t, raw, t.TempDir())
	before := imageFormat{driver: "vmdk"}.disk(t, source)
	mustUnloop(t, "repair", "--yes", "--backup", t.TempDir(), raw)
	after, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[int]int{}
	for n := range 30 {
		image, backups := filepath.Join(t.TempDir(), "pc.vmdk"), t.TempDir()
		tool(t, 0, "cp", source, image)
		cmd := exec.Command(program, "repair", "--yes", "--crosscheck", "off", "--backup", backups, image)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(10+5*n) * time.Millisecond)
		syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		cmd.Wait()
		code := cmd.ProcessState.ExitCode() // -1: before it listened to signals
		codes[code]++
		switch got := (imageFormat{driver: "vmdk"}).disk(t, image); {
		case code == 0 && !bytes.Equal(got, after), code != 0 && !bytes.Equal(got, before), code > int(exitFailed):
			t.Errorf("after %d ms: exit code %d\n%s", 10+5*n, code, errs.Bytes())
		}
		nothingLeft(t)
	}
	t.Logf("exit codes: %v", codes)
	if codes[0] == 0 || codes[int(exitFailed)] == 0 {
		t.Errorf("exit codes %v, want 0 and 1", codes)
	}
}
