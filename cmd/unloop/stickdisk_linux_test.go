package main

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fatSector is the first sector of a FAT32 volume with a serial number.
func fatSector(id uint32) []byte {
	b := make([]byte, 512)
	copy(b[82:], "FAT32   ")
	binary.LittleEndian.PutUint32(b[67:], id)
	b[510], b[511] = 0x55, 0xAA
	return b
}

// The stick is known by the id of its volume, be it a partition or the whole medium.
func TestSticks(t *testing.T) {
	root := t.TempDir()
	fakeTree(t, root, map[string]string{
		"sys/devices/usb1/block/sdb/size":                   "15728640\n",
		"sys/devices/usb1/block/sdb/device/vendor":          "Generic \n",
		"sys/devices/usb1/block/sdb/device/model":           "Flash Disk      \n",
		"sys/devices/usb1/block/sdb/sdb1/partition":         "1\n",
		"sys/devices/usb1/block/sdb/sdb1/ro":                "0\n",
		"sys/devices/usb2/block/sdc/size":                   "2048\n",
		"sys/devices/usb2/block/sdc/ro":                     "1\n",
		"sys/devices/mmc/block/mmcblk0/size":                "62333952\n",
		"sys/devices/mmc/block/mmcblk0/mmcblk0p1/ro":        "0\n",
		"sys/devices/mmc/block/mmcblk0/mmcblk0p1/partition": "1\n",
		"sys/devices/ata/block/sda/ro":                      "0\n",
		"sys/devices/odd/block/odd!d0/ro":                   "0\n",
		"sys/devices/virtual/block/loop0/ro":                "0\n",
		"dev/sda":                                           string(fatSector(0x11112222)),
		"dev/sdb":                                           string(make([]byte, 512)),
		"dev/sdb1":                                          string(fatSector(0xABCD1234)),
		"dev/sdc":                                           string(fatSector(0xABCD1234)),
		"dev/mmcblk0p1":                                     string(fatSector(0xABCD1234)),
		"dev/odd/d0":                                        string(fatSector(0xABCD1234)),
		"dev/loop0":                                         string(fatSector(0xABCD1234)),
	})
	for name, place := range map[string]string{
		"sda": "ata/block/sda", "sdb": "usb1/block/sdb", "sdb1": "usb1/block/sdb/sdb1", "sdc": "usb2/block/sdc", "mmcblk0": "mmc/block/mmcblk0",
		"mmcblk0p1": "mmc/block/mmcblk0/mmcblk0p1", "odd!d0": "odd/block/odd!d0", "loop0": "virtual/block/loop0", "gone": "gone/block/gone",
	} {
		fakeTree(t, root, map[string]string{"sys/class/block/" + name: "-> ../../devices/" + place})
	}
	sys, dev := filepath.Join(root, "sys"), filepath.Join(root, "dev")
	at := func(name string) string { return filepath.Join(dev, name) }
	want := []stickVolume{
		{device: at("mmcblk0p1"), disk: at("mmcblk0"), about: "31.9 GB"},
		{device: at("odd/d0"), disk: at("odd!d0")},
		{device: at("sdb1"), disk: at("sdb"), about: "Generic Flash Disk 8.1 GB"},
		{device: at("sdc"), disk: at("sdc"), about: "1 MB", readOnly: true},
	}
	if diff := cmp.Diff(want, sticks(sys, dev, "ABCD-1234", volumeIDs{}), cmp.AllowUnexported(stickVolume{})); diff != "" {
		t.Errorf("sticks (-want +got):\n%s", diff)
	}
	for _, id := range []string{"1111-2223", "ABCD-123", ""} {
		if got := sticks(sys, dev, id, volumeIDs{}); len(got) != 0 {
			t.Errorf("sticks with the id %q: %+v", id, got)
		}
	}
	if got := sticks(filepath.Join(root, "nowhere"), dev, "ABCD-1234", volumeIDs{}); got != nil {
		t.Errorf("sticks without /sys: %+v", got)
	}
}

// A volume's id is read from its boot sector, and from nothing that is none.
func TestVolumeID(t *testing.T) {
	change := func(at int, to byte) []byte {
		b := fatSector(0x0001A0B0)
		b[at] = to
		return b
	}
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"FAT32", fatSector(0x0001A0B0), "0001-A0B0"},
		{"more than a sector", append(fatSector(0xFFFFFFFF), 1, 2, 3), "FFFF-FFFF"},
		{"FAT16", change(86, '6'), ""},
		{"no signature", change(511, 0), ""},
		{"short", fatSector(1)[:511], ""},
		{"empty", nil, ""},
	} {
		path := writeFile(t, filepath.Join(t.TempDir(), "node"), test.data)
		if got, _ := volumeID(path); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if got, err := volumeID(t.TempDir()); got != "" || err == nil {
		t.Errorf("a folder has the id %q", got)
	}
}

// The partition that holds Windows is found by where it begins.
func TestPartitionAt(t *testing.T) {
	sys := fakeTree(t, t.TempDir(), map[string]string{
		"class/block/sda/sda1/start": "2048\n", "class/block/sda/sda2/start": "206848\n", "class/block/sda/sda3/start": "rubbish\n",
		"class/block/nvme0n1/nvme0n1p1/start": "34\n", "class/block/sda/queue/start": "",
	})
	for _, test := range []struct {
		disk   string
		offset int64
		want   string
	}{
		{"/dev/sda", 0, "/dev/sda"},
		{"/dev/sda", 2048 * 512, "/dev/sda1"},
		{"/dev/sda", 206848 * 512, "/dev/sda2"},
		{"/dev/nvme0n1", 34 * 512, "/dev/nvme0n1p1"},
		{"/dev/sda", 2048, ""},
		{"/dev/sda", -512, ""},
		{"/dev/sdb", 2048 * 512, ""},
	} {
		got, err := partitionAt(sys, test.disk, test.offset)
		if got != test.want || (test.want == "") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("partitionAt(%s, %d) = %q, %v, want %q", test.disk, test.offset, got, err, test.want)
		}
	}
}

// A disk is described as its label has it; what the kernel does not know is left out.
func TestDiskAbout(t *testing.T) {
	sys := fakeTree(t, t.TempDir(), map[string]string{
		"class/block/sda/device/vendor": "ATA     \n", "class/block/sda/device/model": "WDC  WD10EZEX-08\n", "class/block/sda/size": "1953525168\n",
		"class/block/nvme0n1/device/model": "Samsung SSD 970 EVO 500GB               \n", "class/block/nvme0n1/size": "976773168\n",
		"class/block/vda/device/vendor": "0x1af4\n", "class/block/vda/size": "131072\n",
		"class/block/sdx/size": "none\n",
	})
	for name, want := range map[string]string{
		"sda": "ATA WDC WD10EZEX-08 1.0 TB", "nvme0n1": "Samsung SSD 970 EVO 500GB 500.1 GB", "vda": "67 MB", "sdx": "", "sdy": "",
	} {
		if got := diskAbout(sys, name); got != want {
			t.Errorf("diskAbout(%s) = %q, want %q", name, got, want)
		}
	}
}

func TestSizeWords(t *testing.T) {
	for n, want := range map[int64]string{0: "0 MB", 64 << 20: "67 MB", 999_499_999: "999 MB", 1e9: "1.0 GB", 250_059_350_016: "250.1 GB", 4_000_787_030_016: "4.0 TB"} {
		if got := sizeWords(n); got != want {
			t.Errorf("sizeWords(%d) = %q, want %q", n, got, want)
		}
	}
}

// A stick that was pulled out is missed.
func TestPresent(t *testing.T) {
	sys := fakeTree(t, t.TempDir(), map[string]string{"class/block/sdb1/ro": "0\n"})
	for _, test := range []struct {
		stick *stickVolume
		want  bool
	}{{nil, false}, {&stickVolume{device: "/dev/sdb1"}, true}, {&stickVolume{device: "/dev/sdc1"}, false}} {
		if got := test.stick.present(sys); got != test.want {
			t.Errorf("%+v: present = %v", test.stick, got)
		}
	}
}

// A stick without unloop.toml has the defaults; one that Notepad has saved as Unicode is
// told apart from one with a mistake.
func TestReadSettingsFile(t *testing.T) {
	dir := t.TempDir()
	if s, err := readSettingsFile(dir); err != nil || !cmp.Equal(s, defaultSettings()) {
		t.Errorf("without a file: %+v, %v", s, err)
	}
	path := filepath.Join(dir, "unloop.toml")
	for _, test := range []struct{ text, mode, err string }{
		{"mode = 'auto'\r\n", modeAuto, ""},
		{"\xff\xfem\x00o\x00d\x00e\x00", modeAsk, "save it as UTF-8"},
		{"\xfe\xff\x00m\x00o\x00d\x00e", modeAsk, "save it as UTF-8"},
		{"mode = auto\r\n", modeAsk, "line 1"},
	} {
		writeFile(t, path, []byte(test.text))
		s, err := readSettingsFile(dir)
		if s.Mode != test.mode || (err == nil) != (test.err == "") || err != nil && (!errors.Is(err, errSettings) || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%q: mode %s, %v, want %s, %q", test.text, s.Mode, err, test.mode, test.err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	fakeTree(t, dir, map[string]string{"unloop.toml/": ""})
	if s, err := readSettingsFile(dir); !errors.Is(err, errSettings) || !cmp.Equal(s, defaultSettings()) {
		t.Errorf("a folder of that name: %+v, %v", s, err)
	}
}

// A volume is read once, one that cannot be read a few times: it may not be ready yet.
func TestVolumeIDsRemember(t *testing.T) {
	dir := t.TempDir()
	sys, node := filepath.Join(dir, "sys"), filepath.Join(dir, "sdb1")
	fakeTree(t, sys, map[string]string{"class/block/sdb/diskseq": "7\n"})
	ids := volumeIDs{}
	for range maxIDReads + 1 {
		if got := ids.of(sys, "sdb", "sdb1", node); got != "" {
			t.Fatalf("the id of nothing is %q", got)
		}
	}
	if err := os.WriteFile(node, fatSector(0xABCD1234), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := ids.of(sys, "sdb", "sdb1", node); got != "" {
		t.Errorf("a dead volume is read more than %d times", maxIDReads)
	}
	fakeTree(t, sys, map[string]string{"class/block/sdb/diskseq": "8\n"}) // plugged in again
	for range 2 {
		if got := ids.of(sys, "sdb", "sdb1", node); got != "ABCD-1234" {
			t.Errorf("its id is %q", got)
		}
		os.Remove(node) // known from now on
	}
}
