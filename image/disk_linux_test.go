package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// attach makes a loop device of an image file.
func attach(t testing.TB, img string, options ...string) string {
	t.Helper()
	need(t, "losetup")
	needRoot(t)
	dev := strings.TrimSpace(string(run(t, "losetup", append(append([]string{"-f", "--show"}, options...), img)...)))
	t.Cleanup(func() { run(t, "losetup", "-d", dev) })
	return dev
}

func TestCompressedSparseResident(t *testing.T) {
	need(t, "truncate")
	// Units that are packed, stored as they are, and the end of one.
	packed := append(bytes.Repeat([]byte("easily packed. "), 20_000), hiveBytes(300_000)...)
	packed = append(packed, bytes.Repeat([]byte("once more "), 777)...)
	img := makeNTFS(t, 20<<20, func(root string) {
		write(t, []byte("regf small"), root, systemPath)
		hole := write(t, hiveBytes(8192), root, "Windows/System32/config/SOFTWARE")
		run(t, "truncate", "-s", "1M", hole)
	})
	onNTFS(t, img, "compression", func(root string) {
		dir := mkdir(t, root, "Windows/System32/config/packed")
		// What is made in a folder with the compressed flag is compressed.
		if err := unix.Setxattr(dir, "system.ntfs_attrib_be", []byte{0, 0, 8, 0x10}, 0); err != nil {
			t.Fatal(err)
		}
		write(t, packed, dir, "SYSTEM")
	})
	s := open(t, img)
	in := only(t, s)
	tests := []struct {
		name string
		want error
	}{{"SYSTEM", ErrResident}, {"SOFTWARE", ErrSparse}, {"packed/SYSTEM", ErrCompressed}}
	for _, tt := range tests {
		f := openFile(t, in, tt.name)
		if err := f.InPlace(); !errors.Is(err, tt.want) {
			t.Errorf("%s: InPlace() = %v, want %v", tt.name, err, tt.want)
		}
	}
	if got := readAll(t, openFile(t, in, "SYSTEM")); string(got) != "regf small" {
		t.Errorf("resident file = %q", got)
	}
	if got, want := readAll(t, openFile(t, in, "SOFTWARE")), append(hiveBytes(8192), make([]byte, 1<<20-8192)...); !bytes.Equal(got, want) {
		t.Error("sparse file: wrong content")
	}
	f := openFile(t, in, "packed/SYSTEM")
	if !bytes.Equal(readAll(t, f), packed) {
		t.Error("compressed file: wrong content")
	}
	for off := 0; off < len(packed); off += 33_333 {
		b := make([]byte, 70_000)
		n, err := f.ReadAt(b, int64(off))
		if err != nil && err != io.EOF || !bytes.Equal(b[:n], packed[off:min(off+len(b), len(packed))]) {
			t.Fatalf("compressed file at %d: %d bytes, %v", off, n, err)
		}
	}
}

func TestLoopDevices(t *testing.T) {
	hive := hiveBytes(hiveSize)
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hive) })
	img := sfdisk(t, 28<<20, "label: dos\nstart=8192,size=32768,type=7\n")
	place(t, img, volume, 8192)
	for _, options := range [][]string{nil, {"-o", "4194304", "--sizelimit", "16777216"}} {
		dev := attach(t, img, options...)
		s := open(t, dev)
		in := only(t, s)
		if s.Kind() != KindDevice || s.SectorSize() != 512 {
			t.Errorf("kind %v, sectors of %d", s.Kind(), s.SectorSize())
		}
		f := openFile(t, in, "SYSTEM")
		if err := s.Refusal(in); err != nil {
			t.Errorf("Refusal() = %v", err)
		}
		if err := s.BeginWrite(); err != nil {
			t.Fatal(err)
		}
		other := open(t, dev)
		if err := other.BeginWrite(); !errors.Is(err, ErrBusy) {
			t.Errorf("second BeginWrite() = %v, want ErrBusy", err)
		}
		patch := bytes.Repeat([]byte(fmt.Sprintf("%8d", len(options))), 512)
		if _, err := f.WriteAt(patch, 4096); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Sync(), f.DropCache()); err != nil {
			t.Fatal(err)
		}
		copy(hive[4096:], patch)
		if !bytes.Equal(readAll(t, f), hive) {
			t.Errorf("%v: wrong content after writing", options)
		}
		if err := errors.Join(s.Close(), other.Close()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(readAll(t, openFile(t, only(t, open(t, img)), "SYSTEM")), hive) {
			t.Errorf("%v: the image has something else", options)
		}
	}
}

// What was written past a disk's cache, as through its partition, is seen once writing has
// been asked for, and before that the cache is what there is.
func TestWrittenPastCache(t *testing.T) {
	hive := hiveBytes(hiveSize)
	img := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hive) })
	s := open(t, attach(t, img))
	f := openFile(t, only(t, s), "SYSTEM")
	if !bytes.Equal(readAll(t, f), hive) {
		t.Fatal("wrong content")
	}
	changed := bytes.Clone(hive)
	copy(changed[8192:], "changed")
	file, err := os.OpenFile(img, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt(changed[8192:8704], f.Extents()[0].DeviceOffset+8192)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readAll(t, f), hive) {
		t.Skip("what the device had cached is gone already")
	}
	if err := s.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readAll(t, f), changed) {
		t.Error("after BeginWrite the file still has what was cached")
	}
}

func TestLargeSectorDevice(t *testing.T) {
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	s := open(t, attach(t, volume, "-b", "4096"))
	in := only(t, s)
	readAll(t, openFile(t, in, "SYSTEM"))
	if s.SectorSize() != 4096 {
		t.Errorf("SectorSize() = %d, want 4096", s.SectorSize())
	}
	if err := s.Refusal(in); !errors.Is(err, ErrSectorSize) {
		t.Errorf("Refusal() = %v, want ErrSectorSize", err)
	}
	if err := s.BeginWrite(); !errors.Is(err, ErrSectorSize) {
		t.Errorf("BeginWrite() = %v, want ErrSectorSize", err)
	}
}

func TestReadOnlyDevice(t *testing.T) {
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	s := open(t, attach(t, volume, "-r"))
	if err := s.Refusal(only(t, s)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Refusal() = %v, want ErrReadOnly", err)
	}
	if err := s.BeginWrite(); !errors.Is(err, ErrReadOnly) {
		t.Errorf("BeginWrite() = %v, want ErrReadOnly", err)
	}
}

func TestMountedDevice(t *testing.T) {
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	dev := attach(t, volume)
	for _, tt := range []struct {
		options               string
		refused, begin, image error
	}{{"rw", ErrMounted, ErrMounted, ErrMounted}, {"ro", nil, ErrBusy, ErrAttached}} {
		onNTFS(t, dev, tt.options, func(root string) {
			s := open(t, dev)
			if err := s.Refusal(only(t, s)); !errors.Is(err, tt.refused) || err != nil && !strings.Contains(err.Error(), root) {
				t.Errorf("%s: Refusal() = %v, want %v naming %s", tt.options, err, tt.refused, root)
			}
			if err := s.BeginWrite(); !errors.Is(err, tt.begin) || !strings.Contains(err.Error(), root) {
				t.Errorf("%s: BeginWrite() = %v, want %v naming %s", tt.options, err, tt.begin, root)
			}
			// The image behind the device: the same danger, found by its loop device.
			s = open(t, volume)
			if err := s.BeginWrite(); !errors.Is(err, tt.image) {
				t.Errorf("%s: image: BeginWrite() = %v, want %v", tt.options, err, tt.image)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestMountedImage(t *testing.T) {
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	onNTFS(t, volume, "", func(root string) {
		s := open(t, volume)
		if err := s.BeginWrite(); !errors.Is(err, ErrMounted) || !strings.Contains(err.Error(), root) {
			t.Errorf("BeginWrite() = %v, want ErrMounted naming %s", err, root)
		}
	})
}

// A folder target on a volume that is mounted, as on a workbench.
func TestMountedFolder(t *testing.T) {
	hive := hiveBytes(8192)
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hive) })
	onNTFS(t, volume, "", func(root string) {
		s := open(t, root)
		f := openFile(t, only(t, s), "SYSTEM")
		if err := s.BeginWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("changed"), 4096); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Sync(), f.DropCache()); err != nil {
			t.Fatal(err)
		}
		copy(hive[4096:], "changed")
		if !bytes.Equal(readAll(t, f), hive) {
			t.Error("wrong content after writing")
		}
		wantShare(t, s, filepath.Join(root, "backup"), true)
		wantShare(t, s, t.TempDir(), false)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	onNTFS(t, volume, "ro", func(root string) {
		s := open(t, root)
		if err := s.Refusal(only(t, s)); !errors.Is(err, ErrReadOnly) {
			t.Errorf("Refusal() = %v, want ErrReadOnly", err)
		}
		if err := s.BeginWrite(); !errors.Is(err, ErrReadOnly) {
			t.Errorf("BeginWrite() = %v, want ErrReadOnly", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	if !bytes.Equal(readAll(t, openFile(t, only(t, open(t, volume)), "SYSTEM")), hive) {
		t.Error("the volume has something else")
	}
}

func wantShare(t testing.TB, s *Source, dir string, want bool) {
	t.Helper()
	got, why, err := s.SharesMedium(dir)
	if got != want || (why == "") == want || err != nil {
		t.Errorf("%v target: SharesMedium(%q) = %v, %q, %v, want %v", s.Kind(), dir, got, why, err, want)
	}
}

func TestSharesMedium(t *testing.T) {
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	img := sfdisk(t, 28<<20, "label: dos\nstart=8192,size=32768,type=7\n")
	place(t, img, volume, 8192)
	whole, part := attach(t, img), attach(t, img, "-o", "4194304")
	elsewhere := t.TempDir()
	onNTFS(t, part, "", func(root string) {
		image := open(t, img)
		wantShare(t, image, filepath.Join(root, "a/b"), true)
		wantShare(t, image, elsewhere, false)
		wantShare(t, image, filepath.Dir(img), false)
		device := open(t, part)
		wantShare(t, device, root, true)
		wantShare(t, device, elsewhere, false)
		wantShare(t, open(t, whole), elsewhere, false)
		folder, file := open(t, root), open(t, filepath.Join(root, systemPath))
		wantShare(t, folder, root, true)
		wantShare(t, file, filepath.Join(root, "backup"), true)
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(root, link); err != nil {
			t.Fatal(err)
		}
		wantShare(t, image, filepath.Join(link, "backup"), true)
		for _, s := range []*Source{image, device, folder, file} {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
	hive := open(t, write(t, hiveBytes(8192), elsewhere, "SYSTEM"))
	wantShare(t, hive, elsewhere, false)
	onNTFS(t, volume, "", func(root string) {
		wantShare(t, open(t, volume), root, true)
		wantShare(t, hive, root, false)
	})
}

// Two runs on one image: the second is told so.
func TestImageLock(t *testing.T) {
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	hive := write(t, hiveBytes(8192), t.TempDir(), "SYSTEM")
	for _, path := range []string{volume, hive} {
		a, b := open(t, path), open(t, path)
		if err := a.BeginWrite(); err != nil {
			t.Fatal(err)
		}
		if err := b.BeginWrite(); !errors.Is(err, ErrBusy) {
			t.Errorf("%s: second BeginWrite() = %v, want ErrBusy", path, err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := b.BeginWrite(); err != nil {
			t.Errorf("%s: BeginWrite() after the other closed = %v", path, err)
		}
	}
}

// A loop device and the file it shows cache apart: they are not written side by side.
func TestAttachedImage(t *testing.T) {
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	file := open(t, volume)
	if err := file.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	dev := attach(t, volume)
	device := open(t, dev)
	if err := device.BeginWrite(); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), volume) {
		t.Errorf("the device of a file that is written: BeginWrite() = %v, want ErrBusy naming %s", err, volume)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Link(volume, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{volume, link} {
		s := open(t, path)
		for _, err := range []error{s.Refusal(only(t, s)), s.BeginWrite()} {
			if !errors.Is(err, ErrAttached) || !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), dev) {
				t.Errorf("%s: %v, want ErrAttached naming %s", path, err, dev)
			}
		}
	}
	if err := device.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	if f, err := OpenLocked(volume); !errors.Is(err, ErrBusy) {
		t.Errorf("the file of a device that is written is locked: %v, %v", f, err)
	}
	if err := device.Close(); err != nil {
		t.Fatal(err)
	}
	if h := (Host{}); h.LoopFile(dev) != volume || h.LoopFile(attach(t, volume, "-o", "1048576")) != "" || h.LoopFile(volume) != "" {
		t.Errorf("LoopFile(%s) = %q, want %q, and none of a part or a file", dev, h.LoopFile(dev), volume)
	}
	readOnly := open(t, makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) }))
	attach(t, readOnly.Path(), "-r")
	if err := readOnly.BeginWrite(); err != nil {
		t.Errorf("shown by a read-only device: BeginWrite() = %v", err)
	}
}

// A dry run leaves every byte and every time stamp alone, and no lock behind.
func TestReadingLeavesTimeStamps(t *testing.T) {
	root := t.TempDir()
	write(t, hiveBytes(8192), root, systemPath)
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	old := time.Date(2011, 2, 22, 12, 0, 0, 0, time.UTC)
	paths := []string{volume}
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	stamps := func() map[string][3]unix.Timespec {
		all := map[string][3]unix.Timespec{}
		for _, p := range paths {
			var st unix.Stat_t
			if err := unix.Stat(p, &st); err != nil {
				t.Fatal(err)
			}
			all[p] = [3]unix.Timespec{st.Atim, st.Mtim, st.Ctim}
		}
		return all
	}
	// The access time is older than the others, so that relatime would move it.
	for _, p := range paths {
		if err := os.Chtimes(p, old, old.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	before := stamps()
	for _, target := range []string{root, filepath.Join(root, systemPath), filepath.Join(root, "Windows/System32"), volume} {
		s := open(t, target)
		in := only(t, s)
		readAll(t, openFile(t, in, "SYSTEM"))
		in.Open("SYSTEM.LOG2")
		if err := s.Refusal(in); err != nil {
			t.Errorf("%s: Refusal() = %v", target, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, stamps()); diff != "" {
		t.Errorf("time stamps (-before +after):\n%s", diff)
	}
}

func TestSpecialFiles(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, "/dev/null", "/dev/zero"} {
		if _, err := (Host{}).Open(path); !errors.Is(err, ErrUnsupported) {
			t.Errorf("Open(%q) = %v, want ErrUnsupported", path, err)
		}
	}
}

func TestReadOnlyFile(t *testing.T) {
	needRoot(t) // to mount
	need(t, "mount", "umount")
	dir := t.TempDir()
	hive := write(t, hiveBytes(8192), dir, "SYSTEM")
	run(t, "mount", "--bind", dir, dir)
	defer run(t, "umount", dir)
	run(t, "mount", "-o", "remount,bind,ro", dir)
	s := open(t, hive)
	if err := s.Refusal(only(t, s)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Refusal() = %v, want ErrReadOnly", err)
	}
	if err := s.BeginWrite(); !errors.Is(err, ErrReadOnly) {
		t.Errorf("BeginWrite() = %v, want ErrReadOnly", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// fakeHost is a machine in a folder: block devices as name → "maj:min", those
// with a slash being partitions.
func fakeHost(t *testing.T, devices map[string]string, mountinfo, swaps string) Host {
	t.Helper()
	root := t.TempDir()
	for name, dev := range devices {
		dir := mkdir(t, root, "sys/block", name)
		write(t, []byte(dev+"\n"), dir, "dev")
		write(t, []byte("2048\n"), dir, "size")
		if strings.Contains(name, "/") {
			write(t, []byte("1\n"), dir, "partition")
		}
		mkdir(t, root, "sys/dev/block")
		if err := os.Symlink("../../block/"+name, filepath.Join(root, "sys/dev/block", dev)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, []byte(mountinfo), root, "proc/self/mountinfo")
	write(t, []byte("Filename Type Size Used Priority\n"+swaps), root, "proc/swaps")
	return Host{SysRoot: filepath.Join(root, "sys"), ProcRoot: filepath.Join(root, "proc")}
}

func TestDeviceUsable(t *testing.T) {
	devices := map[string]string{"sda": "8:0", "sda/sda1": "8:1", "sda/sda2": "8:2", "sdb": "8:16", "dm-0": "253:0"}
	const line = "40 27 %s / %s rw,relatime shared:1 - %s /dev/x %s\n"
	rw := fmt.Sprintf(line, "8:2", `/mnt/my\040disk`, "ext4", "rw,errors=remount-ro")
	ro := fmt.Sprintf(line, "8:2", "/mnt", "ntfs3", "ro")
	disk, first, second, other := devNumber{8, 0}, devNumber{8, 1}, devNumber{8, 2}, devNumber{8, 16}
	tests := []struct {
		name         string
		mounts, swap string
		dev          devNumber
		want         error
	}{
		{"partition mounted", rw, "", disk, ErrMounted},
		{"itself mounted", rw, "", second, ErrMounted},
		{"neighbour mounted", rw, "", first, nil},
		{"another disk mounted", rw, "", other, nil},
		{"mounted read-only", ro, "", disk, nil},
		{"swap", "", "/dev/sda1 partition 1 0 -2\n", disk, ErrBusy},
		{"swap elsewhere", "", "/dev/sdb partition 1 0 -2\n", disk, nil},
	}
	path := write(t, nil, t.TempDir(), "node")
	for _, tt := range tests {
		h := fakeHost(t, devices, tt.mounts, tt.swap)
		err := h.deviceUsable(path, tt.dev)
		if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if tt.want == ErrMounted && !strings.Contains(err.Error(), "/dev/sda2 at /mnt/my disk") {
			t.Errorf("%s: %v does not name the mount", tt.name, err)
		}
	}
	h := fakeHost(t, devices, "", "")
	mkdir(t, h.sys("block/sda/sda1/holders/dm-0"))
	if err := h.deviceUsable(path, disk); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "dm-0") {
		t.Errorf("held by dm-0: %v, want ErrBusy", err)
	}
	write(t, []byte("1\n"), h.sys("block/sdb/ro"))
	if err := h.deviceUsable(path, other); !errors.Is(err, ErrReadOnly) {
		t.Errorf("read-only disk: %v, want ErrReadOnly", err)
	}
}

// A folder on an encrypted or logical volume lies on the disk below it.
func TestLayers(t *testing.T) {
	h := fakeHost(t, map[string]string{"sda": "8:0", "sda/sda1": "8:1", "dm-0": "253:0", "md0": "9:0", "sdb": "8:16"}, "", "")
	mkdir(t, h.sys("block/dm-0/slaves/md0"))
	mkdir(t, h.sys("block/md0/slaves/sda1"))
	write(t, []byte("8:1"), h.sys("class/block/sda1/dev"))
	l := layers{host: h, seen: map[devNumber]bool{}}
	l.addDevice(devNumber{253, 0})
	want := map[devNumber]bool{{253, 0}: true, {9, 0}: true, {8, 1}: true, {8, 0}: true}
	if diff := cmp.Diff(want, l.seen, cmp.AllowUnexported(devNumber{})); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
}

func TestHostDisks(t *testing.T) {
	h := fakeHost(t, map[string]string{"sda": "8:0", "sda/sda1": "8:1", "nvme0n1": "259:0", "mmcblk0": "179:0", "dm-0": "253:0",
		"sr0": "11:0", "fd0": "2:0", "loop0": "7:0", "ram0": "1:0", "zram0": "252:0", "cciss!c0d0": "104:0", "sdb": "8:16"}, "", "")
	write(t, []byte("0\n"), h.sys("block/sdb/size"))
	got, err := h.Disks()
	want := []string{"/dev/cciss/c0d0", "/dev/dm-0", "/dev/mmcblk0", "/dev/nvme0n1", "/dev/sda"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Disks() (-want +got):\n%s\n%v", diff, err)
	}
}

// A partition named by itself: the marks of a RAID are at the end of its disk.
func TestPartitionOfMember(t *testing.T) {
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	raid := make([]byte, 1<<20)
	copy(raid[len(raid)-1024:], "Intel Raid ISM Cfg Sig. 1.1")
	part, disk := attach(t, volume), attach(t, write(t, raid, t.TempDir(), "disk.img"))
	numbers := map[string]string{}
	for _, dev := range []string{part, disk} {
		info, err := os.Stat(dev)
		if err != nil {
			t.Fatal(err)
		}
		numbers[dev] = rdev(info).String()
	}
	name := filepath.Base(disk)
	h := fakeHost(t, map[string]string{name: numbers[disk], name + "/part": numbers[part]}, "", "")
	s, err := h.Open(part)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.BeginWrite(); !errors.Is(err, ErrRaidMember) {
		t.Errorf("BeginWrite() = %v, want ErrRaidMember", err)
	}
	if got := fmt.Sprint(h.withPartitions(rdev(s.disk.info))); got != fmt.Sprintf("[%s]", numbers[part]) {
		t.Errorf("withPartitions = %s", got)
	}
}
