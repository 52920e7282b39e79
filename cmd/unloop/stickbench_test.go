//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"unloop/image"
	"unloop/image/stick"
)

// stickFiles are those of the stick that is written in tests: 5 MB.
func stickFiles() []stick.File {
	data := make([]byte, 5_000_001)
	rand.NewChaCha8([32]byte{1}).Read(data)
	return []stick.File{
		{Path: "boot/grub/grub.cfg", Data: []byte("search --fs-uuid ABCD-1234\n")},
		{Path: "unloop/user.img", Data: data},
		{Path: "records", Dir: true},
	}
}

// makeStick writes a stick's image of 40 MiB.
func makeStick(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	im := &stick.Image{
		Size: 40 << 20, DiskID: 7, VolumeID: 0xABCD1234, Label: "UNLOOP", BootCode: []byte("boot"), Core: []byte("core"),
		Time: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), Files: stickFiles(),
	}
	return im.Write(f)
}

func scriptMkstick(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 1, "mkstick FILE")
	ts.Check(makeStick(ts.MkAbs(args[0])))
}

func scriptLoopdev(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 2, "loopdev NAME FILE")
	out, err := exec.Command("losetup", "-f", "--show", ts.MkAbs(args[1])).Output()
	ts.Check(err)
	dev := strings.TrimSpace(string(out))
	ts.Defer(func() { exec.Command("losetup", "-d", dev).Run() })
	ts.Setenv(args[0], dev)
	ts.Setenv(args[0]+"_NAME", filepath.Base(dev))
}

func scriptTyped(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 1, "typed TEXT")
	ts.Check(os.WriteFile(ts.MkAbs("typed"), []byte(args[0]+"\n"), 0o666))
}

// bench is a loop device that passes for a stick, and the image for it.
type bench struct {
	t       *testing.T
	dir     string
	dev     string // /dev/loop3
	name    string // loop3
	backing string
	image   string
	host    image.Host
	sysDir  string
}

// newBench makes a disk of size bytes on a USB bus, as sysfs shows it.
func newBench(t *testing.T, size int64) *bench {
	t.Helper()
	need(t, "losetup")
	if os.Geteuid() != 0 {
		t.Skip("loop devices need root")
	}
	b := &bench{t: t, dir: t.TempDir()}
	b.backing, b.image = filepath.Join(b.dir, "disk"), filepath.Join(b.dir, "unloop-stick.img")
	if err := makeStick(b.image); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(b.backing)
	if err == nil {
		err = f.Truncate(size)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	b.attach()
	b.sysfs("devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/host6/target6:0:0/6:0:0:0/block/"+b.name, map[string]string{
		"size": fmt.Sprint(size / 512), "removable": "1", "device/vendor": "Acme", "device/model": "Stick \x1b[2J",
	})
	return b
}

// attach makes the loop device.
func (b *bench) attach() {
	b.t.Helper()
	out, err := exec.Command("losetup", "-f", "--show", b.backing).Output()
	if err != nil {
		b.t.Skipf("losetup: %v", err)
	}
	b.dev = strings.TrimSpace(string(out))
	b.name = filepath.Base(b.dev)
	b.t.Cleanup(func() { exec.Command("losetup", "-d", b.dev).Run() })
}

// sysfs makes the program believe this of the device.
func (b *bench) sysfs(dir string, files map[string]string) {
	b.t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(b.dev, &st); err != nil {
		b.t.Fatal(err)
	}
	number := fmt.Sprintf("%d:%d", unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev)))
	b.host.SysRoot = filepath.Join(b.t.TempDir(), "sys")
	b.sysDir = filepath.Join(b.host.SysRoot, dir)
	b.fact("dev", number)
	for name, value := range files {
		b.fact(name, value)
	}
	links := filepath.Join(b.host.SysRoot, "dev/block")
	if err := os.MkdirAll(links, 0o777); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Symlink(b.sysDir, filepath.Join(links, number)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) fact(name, value string) {
	b.t.Helper()
	path := filepath.Join(b.sysDir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		b.t.Fatal(err)
	}
	writeFile(b.t, path, []byte(value+"\n"))
}

// write runs "stick write", typing what in has to say if that is not nil.
func (b *bench) write(in io.Reader, change func(*env), args ...string) (code exitCode, stdout, stderr string) {
	b.t.Helper()
	var out, errs bytes.Buffer
	all := append([]string{"unloop", "--lang", "en", "stick", "write", "--image", b.image}, args...)
	tty := in != nil
	if !tty {
		in = strings.NewReader("")
	}
	e := newEnv(all, in, &out, &errs)
	e.host, e.inTTY = b.host, tty
	if change != nil {
		change(e)
	}
	code = e.main(all)
	wantHint(b.t, int(code), errs.String())
	if strings.Contains(out.String()+errs.String(), "\x1b[2J") {
		b.t.Errorf("a disk's name reached the terminal as it is: %q", out.String())
	}
	return code, out.String(), errs.String()
}

// onDisk reads what is on the disk now.
func (b *bench) onDisk() []byte {
	b.t.Helper()
	data, err := os.ReadFile(b.backing)
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

// fill puts something on the disk, which then must be there or gone.
func (b *bench) fill(data []byte) {
	b.t.Helper()
	f, err := os.OpenFile(b.backing, os.O_WRONLY, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(data, 0); err != nil {
		b.t.Fatal(err)
	}
	exec.Command("blockdev", "--flushbufs", b.dev).Run()
}

// read reads the stick on the disk.
func (b *bench) read() *stick.Image {
	b.t.Helper()
	data := b.onDisk()
	im, err := stick.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.t.Fatal(err)
	}
	return im
}
