package image

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"
)

// sysTree makes the part of sysfs that tells what a device is. Files are named
// from the device's folder, dir.
func sysTree(t testing.TB, dev, dir string, files map[string]string) Host {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(dev, &st); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	number := fmt.Sprintf("%d:%d", unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev)))
	write(t, []byte(number+"\n"), root, dir, "dev")
	for name, value := range files {
		write(t, []byte(value+"\n"), root, dir, name)
		if part, ok := strings.CutSuffix(name, "/dev"); ok {
			link(t, filepath.Join(root, dir, part), filepath.Join(mkdir(t, root, "dev/block"), value))
		}
	}
	link(t, filepath.Join(root, dir), filepath.Join(mkdir(t, root, "dev/block"), number))
	return Host{SysRoot: root}
}

func link(t testing.TB, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// anyDevice is a block device node of this machine. The kernel's own folder of
// it is not looked at.
func anyDevice(t testing.TB) string {
	t.Helper()
	for _, path := range []string{"/dev/loop0", "/dev/vda", "/dev/sda", "/dev/nvme0n1"} {
		if info, err := os.Stat(path); err == nil && info.Mode().Type() == os.ModeDevice {
			return path
		}
	}
	t.Skip("no block device on this machine")
	return ""
}

// What sysfs says of a drive, in the folders of real machines.
func TestDrive(t *testing.T) {
	const pci = "devices/pci0000:00/0000:00:14.0/"
	const scsi = "host6/target6:0:0/6:0:0:0/block/sdb"
	tests := []struct {
		name, dir string
		files     map[string]string
		want      Drive
		pluggable bool
	}{
		{"USB stick", pci + "usb1/1-2/1-2:1.0/" + scsi, map[string]string{
			"size": "30310400", "removable": "1", "ro": "0", "queue/logical_block_size": "512", "diskseq": "17",
			"device/vendor": "Kingston", "device/model": "DataTraveler 3.0", "../../../../../../idVendor": "0951", "../../../../../../serial": "E0D55EA5"},
			Drive{Name: "sdb", Bus: BusUSB, Vendor: "Kingston", Model: "DataTraveler 3.0", Serial: "E0D55EA5", Size: 30310400 * 512, Sector: 512, Removable: true, seq: "17"}, true},
		{"disk in a USB case", pci + "usb2/2-1/2-1:1.0/" + scsi, map[string]string{
			"size": "1953525168", "removable": "0", "device/vendor": "ATA", "device/model": "ST1000"},
			Drive{Name: "sdb", Bus: BusUSB, Model: "ST1000", Size: 1953525168 * 512, Sector: 512}, true},
		{"SATA disk", "devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda", map[string]string{
			"size": "500118192", "removable": "0", "device/vendor": "ATA", "device/model": "SAMSUNG SSD"},
			Drive{Name: "sda", Bus: BusATA, Model: "SAMSUNG SSD", Size: 500118192 * 512, Sector: 512}, false},
		{"NVMe", "devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1", map[string]string{
			"size": "8", "removable": "0", "device/model": "WD Black", "device/serial": "21"},
			Drive{Name: "nvme0n1", Bus: BusNVMe, Model: "WD Black", Serial: "21", Size: 4096, Sector: 512}, false},
		{"SD card", "devices/pci0000:00/0000:02:00.0/rtsx_pci_sdmmc.0/mmc_host/mmc0/mmc0:0001/block/mmcblk0", map[string]string{
			"size": "8", "removable": "0", "device/type": "SD", "device/name": "SC16G", "device/serial": "0x1"},
			Drive{Name: "mmcblk0", Bus: BusSD, Model: "SC16G", Serial: "0x1", Size: 4096, Sector: 512}, true},
		{"soldered flash", "devices/pci0000:00/0000:02:00.0/mmc_host/mmc0/mmc0:0001/block/mmcblk0", map[string]string{
			"size": "8", "removable": "0", "device/type": "MMC", "device/name": "DF4064"},
			Drive{Name: "mmcblk0", Bus: BusMMC, Model: "DF4064", Size: 4096, Sector: 512}, false},
		{"virtio", "devices/pci0000:00/0000:00:04.0/virtio1/block/vdb", map[string]string{
			"size": "8", "removable": "0", "serial": "fixture", "device/vendor": "0x1af4", "ro": "1", "queue/logical_block_size": "4096"},
			Drive{Name: "vdb", Bus: BusVirtio, Serial: "fixture", Size: 4096, Sector: 4096, ReadOnly: true}, false},
		{"RAID controller", "devices/pci0000:00/0000:03:00.0/host2/target2:0:0/2:0:0:0/block/sdc", map[string]string{
			"size": "8", "removable": "0", "device/vendor": "LSI"},
			Drive{Name: "sdc", Bus: BusSCSI, Vendor: "LSI", Size: 4096, Sector: 512}, false},
		{"FireWire", "devices/pci0000:00/0000:04:00.0/fw0/fw0.0/host3/target3:0:0/3:0:0:0/block/sdd", map[string]string{"size": "8"},
			Drive{Name: "sdd", Bus: BusFireWire, Size: 4096, Sector: 512}, true},
		{"loop", "devices/virtual/block/loop0", map[string]string{"size": "8"}, Drive{Name: "loop0", Bus: BusVirtual, Size: 4096, Sector: 512}, false},
		{"controller with a slash", "devices/pci0000:00/0000:05:00.0/cciss0/block/cciss!c0d0", map[string]string{"size": "8", "removable": "0"},
			Drive{Name: "cciss/c0d0", Size: 4096, Sector: 512}, false},
		{"partition", pci + "usb1/1-2/1-2:1.0/" + scsi + "/sdb1", map[string]string{"size": "8", "partition": "1", "../removable": "1", "../size": "99"},
			Drive{Name: "sdb1", Whole: "sdb", Bus: BusUSB, Size: 4096, Sector: 512, Removable: true}, true},
		{"size that is none", "devices/virtual/block/loop0", map[string]string{"size": "9999999999999999999"}, Drive{Name: "loop0", Bus: BusVirtual, Sector: 512}, false},
		{"nothing known", "devices/virtual/block/loop0", nil, Drive{Name: "loop0", Bus: BusVirtual, Sector: 512}, false},
	}
	dev := anyDevice(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := sysTree(t, dev, tt.dir, tt.files).Drive(dev)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Path = dev
			if diff := cmp.Diff(tt.want, *d, cmp.AllowUnexported(Drive{}), cmpopts.IgnoreFields(Drive{}, "number")); diff != "" {
				t.Errorf("Drive() (-want +got):\n%s", diff)
			}
			if d.Pluggable() != tt.pluggable {
				t.Errorf("Pluggable() = %v", d.Pluggable())
			}
		})
	}
}

func TestNotDrive(t *testing.T) {
	dir := t.TempDir()
	file := write(t, []byte("x"), dir, "file")
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		dir: ErrNotDrive, file: ErrNotDrive, fifo: ErrNotDrive, "/dev/null": ErrNotDrive, filepath.Join(dir, "none"): ErrNotFound, "": ErrNotFound,
	} {
		if d, err := (Host{}).Drive(path); !errors.Is(err, want) || d != nil {
			t.Errorf("Drive(%q) = %v, %v, want %v", path, d, err, want)
		}
	}
	dev := anyDevice(t)
	if _, err := (Host{SysRoot: dir}).Drive(dev); !errors.Is(err, ErrNotFound) {
		t.Errorf("Drive(%q) of an unknown device = %v, want ErrNotFound", dev, err)
	}
}

// What is in use is not overwritten, and who uses it is named.
func TestOccupied(t *testing.T) {
	dev := anyDevice(t)
	const disk = "devices/pci0000:00/usb1/1-1/host1/block/sdb"
	mounted := func(number, point, source string) string {
		return "30 1 " + number + " / " + point + " ro,relatime shared:1 - ext4 " + source + " ro\n"
	}
	tests := []struct {
		name  string
		files map[string]string
		mount func(number string) string
		swaps string
		want  error
		names string
	}{
		{"free", nil, nil, "", nil, ""},
		{"others are mounted", nil, func(string) string { return mounted("99:99", "/mnt", "/dev/other") }, "", nil, ""},
		{"partition", map[string]string{"partition": "1"}, nil, "", ErrPartition, "part of /dev/"},
		{"empty reader", map[string]string{"size": "0"}, nil, "", ErrNoMedium, dev},
		{"mounted read-only", nil, func(n string) string { return mounted(n, "/mnt/a\\040b", "x") }, "", ErrStillMounted, "/mnt/a b"},
		{"mounted by name", nil, func(string) string { return mounted("0:77", "/mnt", dev) }, "", ErrStillMounted, "/mnt"},
		{"partition mounted", map[string]string{"sdb3/partition": "3", "sdb3/dev": "8:19"}, func(string) string { return mounted("8:19", "/mnt", "x") }, "", ErrStillMounted, "/mnt"},
		{"in a RAID", map[string]string{"holders/md0/x": ""}, nil, "", ErrBusy, "md0"},
		{"partition in a RAID", map[string]string{"sdb3/partition": "3", "sdb3/dev": "8:19", "sdb3/holders/dm-0/x": ""}, nil, "", ErrBusy, "dm-0"},
		{"swap", nil, nil, "Filename Type\n" + dev + " partition 1 0 -2\n", ErrBusy, "swap"},
		{"write-protected", map[string]string{"ro": "1"}, nil, "", ErrReadOnly, dev},
		{"large sectors", map[string]string{"queue/logical_block_size": "4096"}, nil, "", ErrSectorSize, "4096"},
		{"own disk", nil, func(string) string { return mounted("0:55", "/", dev) }, "", ErrOwnDisk, dev},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"size": "8"}
			for name, value := range tt.files {
				files[name] = value
			}
			h := sysTree(t, dev, disk, files)
			h.ProcRoot = t.TempDir()
			d, err := h.Drive(dev)
			if err != nil {
				t.Fatal(err)
			}
			mounts := ""
			if tt.mount != nil {
				mounts = tt.mount(d.number.String())
			}
			write(t, []byte(mounts), h.ProcRoot, "self/mountinfo")
			write(t, []byte(tt.swaps), h.ProcRoot, "swaps")
			if err := h.Occupied(d); !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.names) {
				t.Errorf("Occupied() = %v, want %v naming %q", err, tt.want, tt.names)
			}
			if tt.want == nil {
				return // dev may be anybody's
			}
			if _, err := h.Overwrite(d); !errors.Is(err, tt.want) {
				t.Errorf("Overwrite() = %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := (Host{ProcRoot: t.TempDir()}).Overwrite(&Drive{Path: dev, Size: 4096, Sector: 512}); err == nil {
		t.Error("Overwrite() where nobody knows what is mounted = nil")
	}
}

// A disk is written and read back; meanwhile nobody else may have it.
func TestOverwrite(t *testing.T) {
	img := write(t, make([]byte, 2<<20), t.TempDir(), "disk.img")
	dev := attach(t, img)
	h := sysTree(t, dev, "devices/virtual/block/loopX", map[string]string{"size": "4096", "diskseq": "5"})
	d, err := h.Drive(dev)
	if err != nil {
		t.Fatal(err)
	}
	o, err := h.Overwrite(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Overwrite(d); !errors.Is(err, ErrBusy) {
		t.Errorf("second Overwrite() = %v, want ErrBusy", err)
	}
	want := bytes.Repeat([]byte("stick"), 1000)
	if _, err := o.WriteAt(want, 4096); err != nil {
		t.Fatal(err)
	}
	if err := o.DropCache(); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := o.ReadAt(got, 4096); err != nil || !bytes.Equal(got, want) {
		t.Errorf("read back %.10q, %v", got, err)
	}
	if err := errors.Join(o.Sync(), o.ReadTable(), o.Close()); err != nil {
		t.Error(err)
	}
	// Another medium in the same drive is another disk.
	dir, err := filepath.EvalSymlinks(filepath.Join(h.SysRoot, "dev/block", d.number.String()))
	if err != nil {
		t.Fatal(err)
	}
	write(t, []byte("6\n"), dir, "diskseq")
	if _, err := h.Overwrite(d); !errors.Is(err, ErrChanged) {
		t.Errorf("Overwrite() of another medium = %v, want ErrChanged", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Overwrite(d); !errors.Is(err, ErrNotFound) {
		t.Errorf("Overwrite() of a disk that is gone = %v, want ErrNotFound", err)
	}
}

// What is on a disk is named as people know it.
func TestFilesystem(t *testing.T) {
	tests := []struct {
		tool        string
		args        []string
		name, label string
	}{
		{"mkfs.fat", []string{"-F", "32", "-n", "MY STICK"}, "FAT32", "MY STICK"},
		{"mkfs.fat", []string{"-F", "32"}, "FAT32", ""},
		{"mkfs.fat", []string{"-F", "16", "-n", "OLD"}, "FAT16", "OLD"},
		{"mkfs.ext4", []string{"-q", "-F", "-L", "linux"}, "ext2/3/4", "linux"},
		{"true", nil, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name+tt.label, func(t *testing.T) {
			need(t, tt.tool)
			img := write(t, nil, t.TempDir(), "disk.img")
			if err := os.Truncate(img, 40<<20); err != nil {
				t.Fatal(err)
			}
			run(t, tt.tool, append(tt.args, img)...)
			f, err := os.OpenFile(img, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			s := &Source{disk: &disk{file: f, size: 40 << 20}}
			if name, label := s.Filesystem(0); name != tt.name || label != tt.label {
				t.Errorf("Filesystem() = %q, %q, want %q, %q", name, label, tt.name, tt.label)
			}
			if name, _ := s.Filesystem(39<<20 + 512); name != "" {
				t.Errorf("Filesystem() where there is none = %q", name)
			}
		})
	}
	if name, label := (&Source{}).Filesystem(0); name != "" || label != "" {
		t.Errorf("Filesystem() of a folder = %q, %q", name, label)
	}
}
