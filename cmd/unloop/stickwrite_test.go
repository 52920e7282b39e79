//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"unloop/hive/hivetest"
	"unloop/image/stick"
)

// The stick's volume fills the disk, and no two sticks have the same numbers.
func TestStickWrite(t *testing.T) {
	b := newBench(t, 300<<20)
	b.fill(bytes.Repeat([]byte("old "), 75<<18))
	code, stdout, stderr := b.write(nil, nil, "--yes", b.dev)
	if code != exitDone || !strings.Contains(stdout, b.dev+`: Acme Stick \u001b[2J, usb, 315 MB`) || !strings.Contains(stderr, "read back from the disk, as written") {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	im := b.read()
	want := &stick.Image{Size: 300 << 20, DiskID: im.DiskID, VolumeID: im.VolumeID, Label: "UNLOOP", BootCode: []byte("boot"), Core: []byte("core"), Time: im.Time, Files: stickFiles()}
	want.Files[0].Data = []byte("search --fs-uuid " + stick.VolumeIDText(im.VolumeID) + "\n")
	if err := want.Verify(bytes.NewReader(b.onDisk())); err != nil {
		t.Error(err)
	}
	if im.DiskID == 7 || im.VolumeID == 0xABCD1234 || !strings.Contains(stderr, "volume "+stick.VolumeIDText(im.VolumeID)) {
		t.Errorf("disk %X, volume %X", im.DiskID, im.VolumeID)
	}
	if end := b.onDisk()[299<<20:]; !bytes.Equal(end, make([]byte, 1<<20)) {
		t.Error("the end of the disk has something on it still")
	}
	if _, err := exec.LookPath("sfdisk"); err == nil {
		if out, err := exec.Command("sfdisk", "--verify", b.dev).CombinedOutput(); err != nil || !strings.Contains(string(out), "No errors") {
			t.Errorf("sfdisk: %v: %s", err, out)
		}
	}
	if code, stdout, _ = b.write(strings.NewReader("yes\n"), nil, b.dev); code != exitDone || !strings.Contains(stdout, `partition 1, 314 MB: FAT32 "UNLOOP"`) {
		t.Errorf("over a stick: exit code %d\n%s", code, stdout)
	}
	if again := b.read(); again.DiskID == im.DiskID || again.VolumeID == im.VolumeID {
		t.Errorf("both sticks are %X, %X", im.DiskID, im.VolumeID)
	}
}

// --keep-size: every byte, and no more than the image has.
func TestStickKeepSize(t *testing.T) {
	b := newBench(t, 50<<20)
	b.fill(bytes.Repeat([]byte("old "), 50<<18))
	if code, _, stderr := b.write(nil, nil, "--keep-size", b.dev, "--yes"); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	want, err := os.ReadFile(b.image)
	if err != nil {
		t.Fatal(err)
	}
	now := b.onDisk()
	if !bytes.Equal(now[:40<<20], want) || now[41<<20] != 'o' || now[49<<20] != 0 {
		t.Error("the disk does not begin with the image")
	}
}

// A disk that should not be overwritten is not, each for a reason of its own.
func TestStickRefusals(t *testing.T) {
	b := newBench(t, 80<<20)
	system, err := hivetest.Build(hivetest.Win7(""), hivetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	windows, err := hivetest.SampleDisk(system, "mbr", 1)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(windows)
	clear(damaged[bytes.LastIndex(damaged[:32<<20], []byte("NTFS    "))+512:])
	bitlocker := make([]byte, 1<<20)
	copy(bitlocker[3:], "-FVE-FS-")
	usb, ata := b.sysDir, "devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/"+b.name
	size := map[string]string{"size": fmt.Sprint(80 << 11)}
	with := func(name, value string) map[string]string {
		return map[string]string{"size": size["size"], name: value}
	}
	usb, _ = filepath.Rel(b.host.SysRoot, usb)
	mounts := func(line string) map[string]string { return map[string]string{"self/mountinfo": line, "swaps": ""} }
	tests := []struct {
		name  string
		dir   string
		facts map[string]string
		proc  map[string]string
		disk  []byte
		force bool // whether the disk's name overcomes it
		code  exitCode
		says  string
	}{
		{"built in", ata, size, nil, nil, true, exitRefused, "neither removable nor on USB"},
		{"soldered flash", "devices/platform/mmc_host/mmc0/mmc0:1/block/" + b.name, with("device/type", "MMC"), nil, nil, true, exitRefused, "neither removable"},
		{"Windows", usb, size, nil, windows, true, exitRefused, "a Windows is installed on this disk (" + b.dev + ":2/Windows/System32/config/SYSTEM"},
		{"BitLocker", usb, size, nil, bitlocker, true, exitRefused, "a Windows may be on this disk"},
		{"damaged NTFS", usb, size, nil, damaged, true, exitRefused, "a Windows may be on this disk"},
		{"built in, with Windows", ata, size, nil, windows, true, exitRefused, "a Windows is installed"},
		{"partition", usb, with("partition", "1"), nil, nil, false, exitRefused, "only a partition"},
		{"empty reader", usb, map[string]string{"size": "0"}, nil, nil, false, exitFailed, "nothing in the drive"},
		{"write-protected", usb, with("ro", "1"), nil, nil, false, exitFailed, "read-only"},
		{"large sectors", usb, with("queue/logical_block_size", "4096"), nil, nil, false, exitRefused, "not 512 bytes"},
		{"part of a RAID", usb, with("holders/md0/x", ""), nil, nil, false, exitRefused, "something else is using it"},
		{"mounted", usb, size, mounts("30 1 0:9 / /mnt ro - ext4 " + b.dev + " ro\n"), nil, false, exitRefused, "something on this disk is mounted"},
		{"own disk", usb, size, mounts("30 1 0:9 / / rw - ext4 " + b.dev + " rw\n"), nil, false, exitRefused, "this machine runs from this disk"},
		{"own disk, built in, with Windows", ata, size, mounts("30 1 0:9 / / rw - ext4 " + b.dev + " rw\n"), windows, false, exitRefused, "this machine runs from this disk"},
		{"claims to be tiny", usb, map[string]string{"size": "2048"}, nil, nil, false, exitRefused, "too small for the stick's files"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := *b
			b.t = t
			b.fill(append(tt.disk, make([]byte, 80<<20-len(tt.disk))...))
			b.sysfs(tt.dir, tt.facts)
			if tt.proc != nil {
				b.host.ProcRoot = t.TempDir()
				for name, text := range tt.proc {
					if err := os.MkdirAll(filepath.Dir(filepath.Join(b.host.ProcRoot, name)), 0o777); err != nil {
						t.Fatal(err)
					}
					writeFile(t, filepath.Join(b.host.ProcRoot, name), []byte(text))
				}
			}
			before := b.onDisk()
			refused := func(code exitCode, stderr string) {
				t.Helper()
				if code != tt.code || !strings.Contains(stderr, tt.says) {
					t.Errorf("exit code %d, want %d with %q:\n%s", code, tt.code, tt.says, stderr)
				}
				if !bytes.Equal(before, b.onDisk()) {
					t.Error("the disk has changed")
				}
			}
			code, _, stderr := b.write(nil, nil, "--yes", b.dev)
			refused(code, stderr)
			code, _, stderr = b.write(nil, nil, "--dry-run", b.dev)
			refused(code, stderr)
			code, _, stderr = b.write(strings.NewReader("yes\n"), nil, b.dev)
			refused(code, stderr)
			if tt.force {
				b.force(before)
				return
			}
			code, _, stderr = b.write(nil, nil, "--force-name", b.name, "--yes", b.dev)
			refused(code, stderr)
		})
	}
}

// force overcomes a refusal with the disk's name, given or typed, and not with another.
func (b *bench) force(before []byte) {
	b.t.Helper()
	for _, wrong := range []string{"sdb", b.dev, b.name + "p1"} {
		code, _, stderr := b.write(nil, nil, "--force-name", wrong, "--yes", b.dev)
		if code != exitRefused || !strings.Contains(stderr, "the name given is not that of this disk") || !bytes.Equal(before, b.onDisk()) {
			b.t.Errorf("forced with %q: exit code %d\n%s", wrong, code, stderr)
		}
	}
	code, _, stderr := b.write(nil, nil, "--dry-run", "--force-name", b.name, b.dev)
	if code != exitDone || !strings.Contains(stderr, "forced: ") || !bytes.Equal(before, b.onDisk()) {
		b.t.Errorf("dry run, forced: exit code %d\n%s", code, stderr)
	}
	code, _, stderr = b.write(strings.NewReader(b.name+"\n"), nil, b.dev)
	if code != exitDone || !strings.Contains(stderr, "Type "+b.name+" to overwrite it all the same:") {
		b.t.Errorf("typed: exit code %d\n%s", code, stderr)
	}
	b.read()
	b.fill(before)
	if code, _, stderr = b.write(nil, nil, "--force-name", b.name, b.dev); code != exitDone {
		b.t.Errorf("given: exit code %d\n%s", code, stderr)
	}
	b.read()
}

// Anything but yes is no; what was seen before the question must still be there after it.
func TestStickAsks(t *testing.T) {
	b := newBench(t, 60<<20)
	before := b.onDisk()
	for _, tt := range []struct {
		in   io.Reader
		code exitCode
		says string
	}{
		{strings.NewReader("n\n"), exitFailed, "the answer was no"},
		{strings.NewReader("\n"), exitFailed, "the answer was no"},
		{strings.NewReader(""), exitFailed, "the answer was no"},
		{strings.NewReader(b.name + "\n"), exitFailed, "the answer was no"},
		{&meanwhile{func() { b.fact("diskseq", "9") }, strings.NewReader("y\n")}, exitRefused, "is another disk now"},
		{&meanwhile{func() { b.fact("size", "99999") }, strings.NewReader("y\n")}, exitRefused, "is another disk now"},
		{&meanwhile{func() { os.RemoveAll(b.sysDir) }, strings.NewReader("y\n")}, exitFailed, "not there"},
	} {
		code, _, stderr := b.write(tt.in, nil, b.dev)
		if code != tt.code || !strings.Contains(stderr, tt.says) || !bytes.Equal(before, b.onDisk()) {
			t.Errorf("exit code %d, want %d with %q:\n%s", code, tt.code, tt.says, stderr)
		}
	}
}

// A stick that was not finished has no partition table: no PC starts from it.
func TestStickInterrupted(t *testing.T) {
	b := newBench(t, 60<<20)
	if code, _, stderr := b.write(nil, nil, "--yes", b.dev); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	ticks := 0
	code, _, stderr := b.write(nil, func(e *env) {
		ctx, cancel := context.WithCancel(t.Context())
		e.ctx = ctx
		e.now = func() time.Time {
			if ticks++; ticks == 6 {
				cancel()
			}
			return time.Now()
		}
	}, "--yes", b.dev)
	if code != exitFailed || !strings.Contains(stderr, "the stick is incomplete; no PC starts from it") || !strings.Contains(stderr, "interrupted") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if first := b.onDisk()[:1<<20]; !bytes.Equal(first, make([]byte, 1<<20)) {
		t.Error("the first megabyte is not empty")
	}
}

// A stick that keeps something else than what was written is found out.
func TestStickForgets(t *testing.T) {
	for _, args := range [][]string{{"--yes"}, {"--yes", "--keep-size"}} {
		b := newBench(t, 60<<20)
		spoil := func(e *env) {
			e.now = func() time.Time {
				// The first megabyte is the last to be written.
				if b.onDisk()[510] == 0x55 {
					f, err := os.OpenFile(b.backing, os.O_WRONLY, 0)
					if err == nil {
						_, err = f.WriteAt([]byte("lost"), 5<<20)
					}
					if err != nil {
						t.Error(err)
					}
					f.Close()
				}
				return time.Now()
			}
		}
		code, _, stderr := b.write(nil, spoil, append(args, b.dev)...)
		if code != exitFailed || !strings.Contains(stderr, "written, but not proven by reading it back") || !strings.Contains(stderr, "not what was written") {
			t.Errorf("%q: exit code %d\n%s", args, code, stderr)
		}
	}
}

// A stick with less behind it than it claims: the writes fail.
func TestStickFull(t *testing.T) {
	need(t, "mount", "umount")
	b := newBench(t, 60<<20)
	exec.Command("losetup", "-d", b.dev).Run()
	small := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small).CombinedOutput(); err != nil {
		t.Skipf("mounting a tmpfs: %v: %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", small).Run() })
	b.backing = filepath.Join(small, "disk")
	writeFile(t, b.backing, nil)
	if err := os.Truncate(b.backing, 60<<20); err != nil {
		t.Fatal(err)
	}
	b.attach()
	t.Cleanup(func() { exec.Command("losetup", "-d", b.dev).Run() }) // before the umount
	b.sysfs("devices/usb1/block/"+b.name, map[string]string{"size": fmt.Sprint(60 << 11), "removable": "1"})
	code, _, stderr := b.write(nil, nil, "--yes", b.dev)
	if code != exitFailed || !strings.Contains(stderr, "the stick is incomplete") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if first := b.onDisk()[:512]; !bytes.Equal(first, make([]byte, 512)) {
		t.Error("a half stick has a partition table")
	}
}

// An image that is none is refused before the disk is even looked at.
func TestStickBadImage(t *testing.T) {
	b := newBench(t, 60<<20)
	good, err := os.ReadFile(b.image)
	if err != nil {
		t.Fatal(err)
	}
	wrong := bytes.Clone(good)
	copy(wrong[1<<20+11:], "xx")
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path string
		code exitCode
		says string
	}{
		{filepath.Join(dir, "none"), exitFailed, "not there"},
		{dir, exitRefused, "not the image of a stick"},
		{fifo, exitRefused, "not the image of a stick"},
		{b.dev, exitRefused, "not the image of a stick"},
		{writeFile(t, filepath.Join(dir, "empty"), nil), exitRefused, "not the image of a stick"},
		{writeFile(t, filepath.Join(dir, "text"), bytes.Repeat([]byte("text"), 1<<20)), exitRefused, "not the image of a stick"},
		{writeFile(t, filepath.Join(dir, "wrong"), wrong), exitRefused, "not the image of a stick"},
		{writeFile(t, filepath.Join(dir, "short"), good[:3<<20]), exitRefused, "damaged or cut short"},
	} {
		b.image = tt.path
		code, stdout, stderr := b.write(nil, nil, "--yes", "/no/such/device")
		if code != tt.code || !strings.Contains(stderr, "error: "+tt.path+": ") || !strings.Contains(stderr, tt.says) || stdout != "" {
			t.Errorf("%s: exit code %d, want %d with %q:\n%s", tt.path, code, tt.code, tt.says, stderr)
		}
	}
}

// What is no disk is refused, and not opened: the other end of a pipe may never come.
func TestStickNoDisk(t *testing.T) {
	b := newBench(t, 60<<20)
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	file := writeFile(t, filepath.Join(dir, "file"), make([]byte, 1<<20))
	for path, code := range map[string]exitCode{dir: exitRefused, file: exitRefused, fifo: exitRefused, "/dev/null": exitRefused, dir + "/none": exitFailed, file + "/x": exitFailed} {
		if got, _, stderr := b.write(nil, nil, "--force-name", "null", path); got != code {
			t.Errorf("%s: exit code %d, want %d:\n%s", path, got, code, stderr)
		}
	}
}

// Without a terminal, progress is a line every few seconds.
func TestProgressLines(t *testing.T) {
	b := newBench(t, 60<<20)
	clock := time.Now()
	_, _, stderr := b.write(nil, func(e *env) {
		e.now = func() time.Time { clock = clock.Add(time.Second); return clock }
	}, "--yes", b.dev)
	if n := strings.Count(stderr, "unloop: apply:   "); n != 2 || strings.Count(stderr, "unloop: verify:  ") != 2 || !strings.Contains(stderr, " of 7 MB, ") {
		t.Errorf("%d lines of progress:\n%s", n, stderr)
	}
}

// A disk on USB that is far larger than a stick holds somebody's files: a mere yes does
// not overwrite it.
func TestStickLargeDrive(t *testing.T) {
	b := newBench(t, 80<<20)
	before := b.onDisk()
	for size, want := range map[int64]exitCode{largestStick: exitDone, largestStick + 512: exitRefused} {
		b.fact("size", fmt.Sprint(size/512))
		code, _, stderr := b.write(nil, nil, "--dry-run", b.dev)
		if code != want || want == exitRefused && !strings.Contains(stderr, "larger than a stick") {
			t.Errorf("%d bytes: exit code %d, want %d:\n%s", size, code, want, stderr)
		}
	}
	if code, _, _ := b.write(strings.NewReader("y\n"), nil, b.dev); code == exitDone || !bytes.Equal(b.onDisk(), before) {
		t.Errorf("exit code %d; a mere yes overwrites it", code)
	}
}
