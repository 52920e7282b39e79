package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// refusedImage is an image that is not written to.
type refusedImage struct {
	name  string
	key   string // of the error
	scans bool   // a scan can read it, and says that a repair would be refused
	make  func(t *testing.T, raw, dir string) (image string)
}

// convert makes an image by qemu-img.
func convert(options string) func(t *testing.T, raw, dir string) string {
	return func(t *testing.T, raw, dir string) string {
		t.Helper()
		image := filepath.Join(dir, "pc.image")
		tool(t, 0, append(append([]string{"qemu-img", "convert", "-f", "raw"}, strings.Fields(options)...), raw, image)...)
		return image
	}
}

// patched makes an image by qemu-img and changes bytes of it.
func patched(options string, at int64, change []byte) func(t *testing.T, raw, dir string) string {
	return func(t *testing.T, raw, dir string) string {
		image := convert(options)(t, raw, dir)
		patch(t, image, at, change)
		return image
	}
}

// brokenOff makes an image by qemu-img that lacks its last hundredth.
func brokenOff(options string) func(t *testing.T, raw, dir string) string {
	return func(t *testing.T, raw, dir string) string {
		image := convert(options)(t, raw, dir)
		info, err := os.Stat(image)
		if err == nil {
			err = os.Truncate(image, info.Size()*99/100)
		}
		if err != nil {
			t.Fatal(err)
		}
		return image
	}
}

func patch(t *testing.T, path string, at int64, change []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(change, at)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// written writes a text as an image, and raw beside it.
func written(format string, args ...any) func(t *testing.T, raw, dir string) string {
	return func(t *testing.T, raw, dir string) string {
		t.Helper()
		tool(t, 0, "cp", raw, filepath.Join(dir, "disk.raw"))
		image := filepath.Join(dir, "pc.vmdk")
		if err := os.WriteFile(image, fmt.Appendf(nil, format, args...), 0o644); err != nil {
			t.Fatal(err)
		}
		return image
	}
}

// descriptor is that of a VMDK with one extent of 64 MiB.
func descriptor(kind, extent string) string {
	return "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"" + kind + "\"\n\n# Extent description\n" + extent + "\n"
}

// overlaid makes a base with a qcow2 over it, and returns one of the two.
func overlaid(backing, format string, own bool) func(t *testing.T, raw, dir string) string {
	return func(t *testing.T, raw, dir string) string {
		t.Helper()
		base, top := filepath.Join(dir, "base"), filepath.Join(dir, "top.qcow2")
		tool(t, 0, "qemu-img", "convert", "-f", "raw", "-O", format, raw, base)
		tool(t, 0, "qemu-img", "create", "-u", "-f", "qcow2", "-b", backing, "-F", format, top, "64M")
		if own {
			return top
		}
		return base
	}
}

func refusedImages() []refusedImage {
	bit := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	return []refusedImage{
		{"compressed clusters", "packedblocks", true, convert("-O qcow2 -c")},
		{"stream-optimised VMDK", "packedblocks", true, convert("-O vmdk -o subformat=streamOptimized")},
		{"dirty qcow2", "unclosed", true, patched("-O qcow2", 72, bit(1))},
		{"corrupt qcow2", "unclosed", true, patched("-O qcow2", 72, bit(2))},
		{"base of a qcow2", "isbase", true, overlaid("base", "raw", false)},
		{"qcow2 under a qcow2", "isbase", true, overlaid("base", "qcow2", false)},
		{"flat extent of a VMDK", "isbase", true, func(t *testing.T, raw, dir string) string {
			convert("-O vmdk -o subformat=monolithicFlat")(t, raw, dir)
			return filepath.Join(dir, "pc-flat.image")
		}},
		{"encrypted qcow2", "lockedimage", false, func(t *testing.T, raw, dir string) string {
			image := filepath.Join(dir, "pc.qcow2")
			tool(t, 0, "qemu-img", "convert", "-O", "qcow2", "--object", "secret,id=key,data=secret", "-o",
				"encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10", raw, image)
			return image
		}},
		{"encrypted VMDK", "lockedimage", false, written("%sencryption.keySafe = \"vmware:key/list/()\"\n", descriptor("monolithicFlat", `RW 131072 FLAT "disk.raw" 0`))},
		{"gzip", "packedimage", false, func(t *testing.T, raw, dir string) string {
			tool(t, 0, "cp", raw, filepath.Join(dir, "pc.img"))
			tool(t, 0, "gzip", filepath.Join(dir, "pc.img"))
			return filepath.Join(dir, "pc.img.gz")
		}},
		{"qcow2 of version 4", "unknownimage", false, patched("-O qcow2", 4, []byte{0, 0, 0, 4})},
		{"unknown feature", "unknownimage", false, patched("-O qcow2", 72, bit(1<<40))},
		{"qcow2 with an external data file", "outside", false, func(t *testing.T, raw, dir string) string {
			image := filepath.Join(dir, "pc.qcow2")
			tool(t, 0, "qemu-img", "create", "-f", "qcow2", "-o", "data_file="+filepath.Join(dir, "data.raw"), image, "64M")
			return image
		}},
		{"base on a server", "outside", false, overlaid("nbd:localhost:10809", "raw", true)},
		{"base that is a description", "outside", false, overlaid(`json:{"driver":"file","filename":"/etc/passwd"}`, "raw", true)},
		{"base that is a device", "outside", false, overlaid("/dev/null", "raw", true)},
		{"missing base", "partmissing", false, overlaid("elsewhere/base", "raw", true)},
		{"base that is the image", "damaged", false, overlaid("top.qcow2", "qcow2", true)},
		{"base of another format", "damaged", false, func(t *testing.T, raw, dir string) string {
			top := overlaid("base", "qcow2", true)(t, raw, dir)
			tool(t, 0, "qemu-img", "convert", "-f", "raw", "-O", "vdi", raw, filepath.Join(dir, "base"))
			return top
		}},
		{"disk as extent", "outside", false, written("%s", descriptor("fullDevice", `RW 131072 FLAT "/dev/sda" 0`))},
		{"device as extent", "outside", false, written("%s", descriptor("monolithicFlat", `RW 131072 FLAT "/dev/zero" 0`))},
		{"extent in another folder", "outside", false, written("%s", descriptor("monolithicFlat", `RW 131072 FLAT "../disk.raw" 0`))},
		{"extent behind a link", "outside", false, func(t *testing.T, raw, dir string) string {
			image := written("%s", descriptor("monolithicFlat", `RW 131072 FLAT "link" 0`))(t, raw, dir)
			if err := os.Symlink("disk.raw", filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
			return image
		}},
		{"extent by a URL", "outside", false, written("%s", descriptor("monolithicFlat", `RW 131072 FLAT "nbd:localhost" 0`))},
		{"short extent", "damaged", false, written("%s", descriptor("monolithicFlat", `RW 131073 FLAT "disk.raw" 0`))},
		{"missing extent", "partmissing", false, written("%s", descriptor("monolithicFlat", `RW 131072 FLAT "x.raw" 0`))},
		{"extent of zeros", "unknownimage", false, written("%s", descriptor("monolithicFlat", `RW 131072 ZERO`))},
		{"VDI cut short", "damaged", true, brokenOff("-O vdi")},
		{"fixed VDI cut short", "damaged", true, brokenOff("-O vdi -o static=on")},
		{"qcow2 cut short", "damaged", true, brokenOff("-O qcow2 -o preallocation=metadata")},
		{"VDI without blocks", "export", false, patched("-O vdi", 384, []byte{0, 0, 0, 0})},
	}
}

// TestImagesRefused: none of these is written to, in any of its files, and each gets its
// own error and hint.
func TestImagesRefused(t *testing.T) {
	imageTools(t)
	t.Setenv("TMPDIR", t.TempDir())
	raw := sampleDisk(t)
	for _, r := range refusedImages() {
		t.Run(r.name, func(t *testing.T) {
			path := r.make(t, raw, t.TempDir())
			start := sums(t, path)
			code, _, errs := unloop("repair", "--yes", "--backup", t.TempDir(), path)
			want := message("en", "hint."+r.key, 1)
			if code != int(exitRefused) || !strings.Contains(errs, want) {
				t.Errorf("repair: exit code %d\n%s\nwant the hint: %s", code, errs, want)
			}
			code, out, errs := unloop("scan", path)
			if (code == 0) != r.scans || code != 0 && code != int(exitRefused) || r.scans && !strings.Contains(out, "refused") {
				t.Errorf("scan: exit code %d\n%s\n%s", code, out, errs)
			}
			if diff := cmp.Diff(start, sums(t, path)); diff != "" {
				t.Errorf("something was written (-before +after):\n%s", diff)
			}
			nothingLeft(t)
		})
	}
}

// TestImageWithoutQEMU: raw images need no other program; of the rest the error names the
// package.
func TestImageWithoutQEMU(t *testing.T) {
	imageTools(t)
	raw := sampleDisk(t)
	image := convert("-O qcow2")(t, raw, t.TempDir())
	start := sums(t, image)
	t.Setenv("PATH", t.TempDir())
	code, _, errs := unloop("repair", "--yes", "--backup", t.TempDir(), image)
	if code != int(exitFailed) || !strings.Contains(errs, "apt install qemu-utils") || !strings.Contains(errs, "qemu-img convert -O raw") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	if diff := cmp.Diff(start, sums(t, image)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
	mustUnloop(t, "repair", "--yes", "--backup", t.TempDir(), raw)
}

// TestImageBackupFirst: up to the backup an image is open for reading only. QEMU changes
// the headers of a VHDX as soon as it may write.
func TestImageBackupFirst(t *testing.T) {
	imageTools(t)
	t.Setenv("TMPDIR", t.TempDir())
	raw := sampleDisk(t)
	for _, format := range []string{"vhdx", "vmdk", "qcow2"} {
		image := convert("-O "+format)(t, raw, t.TempDir())
		start := sums(t, image)
		code, _, errs := unloop("repair", "--yes", "--backup", filepath.Join(image, "backups"), image)
		if code != int(exitRefused) {
			t.Errorf("%s: exit code %d\n%s", format, code, errs)
		}
		if diff := cmp.Diff(start, sums(t, image)); diff != "" {
			t.Errorf("%s: something was written (-before +after):\n%s", format, diff)
		}
		nothingLeft(t)
	}
}

// TestImageOfRunningMachine: as long as QEMU or another run has an image, it is not
// written to, whatever its format.
func TestImageOfRunningMachine(t *testing.T) {
	imageTools(t)
	raw := sampleDisk(t)
	for _, f := range imageFormats() {
		switch f.name {
		case "pc.img", "fixed.vhd", "pc.qcow2", "flat.vmdk":
		default:
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			path, backups := f.build(t, raw), t.TempDir()
			machine := exec.Command(exporterName, "--persistent", "-f", f.driver, "-k", filepath.Join(t.TempDir(), "s"), path)
			if err := machine.Start(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the machine has the image", func() bool { return len(openBy(t, machine.Process.Pid, path)) > 0 })
			start := sums(t, path)
			code, _, errs := unloop("repair", "--yes", "--backup", backups, path)
			if code != int(exitRefused) || !strings.Contains(errs, "virtual machine") {
				t.Errorf("exit code %d\n%s", code, errs)
			}
			if diff := cmp.Diff(start, sums(t, path)); diff != "" {
				t.Errorf("something was written (-before +after):\n%s", diff)
			}
			machine.Process.Signal(syscall.SIGTERM)
			machine.Wait()

			entries := sums(t, path) // a lock on any of its files keeps other runs away
			for name := range entries {
				other, err := os.Open(filepath.Join(filepath.Dir(path), name))
				if err != nil {
					t.Fatal(err)
				}
				if err := unix.Flock(int(other.Fd()), unix.LOCK_EX); err != nil {
					t.Fatal(err)
				}
				if code, _, errs := unloop("repair", "--yes", "--backup", backups, path); code != int(exitRefused) {
					t.Errorf("%s is locked: exit code %d\n%s", name, code, errs)
				}
				other.Close()
			}
			mustUnloop(t, "repair", "--yes", "--backup", backups, path)
		})
	}
}

// openBy lists the descriptors by which a process has a file open.
func openBy(t *testing.T, pid int, path string) (all []string) {
	t.Helper()
	list, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range list {
		if to, err := os.Readlink(fd); err == nil && to == path {
			all = append(all, fd)
		}
	}
	return all
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 1000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("in vain: %s", what)
}

// TestImageOfUser: an ordinary user repairs an image of his, and scans one that nobody
// may write to, which is then opened for reading only.
func TestImageOfUser(t *testing.T) {
	imageTools(t, "setpriv")
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	program := newTamperer(t).program
	raw := sampleDisk(t)
	dir, err := os.MkdirTemp("/tmp", "unloop-user-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	tool(t, 0, "cp", program, filepath.Join(dir, "unloop"))
	image := filepath.Join(dir, "pc.qcow2")
	tool(t, 0, "qemu-img", "convert", "-O", "qcow2", raw, image)
	tool(t, 0, "chown", "-R", "65534:65534", dir)
	tool(t, 0, "chmod", "0444", image)
	user := func(args ...string) (string, error) {
		cmd := exec.Command("setpriv", append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", filepath.Join(dir, "unloop")}, args...)...)
		cmd.Env = append(os.Environ(), "TMPDIR=/tmp", "HOME="+dir)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := user("scan", image); err != nil || !strings.Contains(out, "verdict: affected") {
		t.Errorf("scan: %v\n%s", err, out)
	}
	if out, err := user("repair", "--yes", "--backup", filepath.Join(dir, "b"), image); err == nil || !strings.Contains(out, "read-only") {
		t.Errorf("repair of an image that is write-protected: %v\n%s", err, out)
	}
	tool(t, 0, "chmod", "0644", image)
	if out, err := user("repair", "--yes", "--backup", filepath.Join(dir, "b"), image); err != nil {
		t.Errorf("repair: %v\n%s", err, out)
	}
}
