package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// A USB disk that has announced itself and has no block device yet is waited for, be it
// of the old or of the new protocol; what is no disk is not.
func TestUSBDiskComing(t *testing.T) {
	const unit = "/host6/target6:0:0/6:0:0:0"
	for _, test := range []struct {
		name  string
		files map[string]string
		want  bool
	}{
		{"nothing", nil, false},
		{"keyboard and hub", map[string]string{"1-1:1.0/bInterfaceClass": "03\n", "1-0:1.0/bInterfaceClass": "09\n"}, false},
		{"stick that is there", map[string]string{"1-2:1.0/bInterfaceClass": "08\n", "1-2:1.0" + unit + "/type": "0\n", "1-2:1.0" + unit + "/block/sdb/size": "1\n"}, false},
		{"disk without driver", map[string]string{"1-2:1.0/bInterfaceClass": "08\n"}, true},
		{"disk that spins up", map[string]string{"1-2:1.0/bInterfaceClass": "08\n", "1-2:1.0" + unit + "/type": "0\n"}, true},
		{"CD drive", map[string]string{"1-2:1.0/bInterfaceClass": "08\n", "1-2:1.0" + unit + "/type": "5\n"}, false},
		{"one of two", map[string]string{
			"1-2:1.0/bInterfaceClass": "08\n", "1-2:1.0" + unit + "/type": "0\n", "1-2:1.0" + unit + "/block/sdb/size": "1\n",
			"1-3:1.0/bInterfaceClass": "08\n",
		}, true},
	} {
		sys := t.TempDir()
		fakeTree(t, filepath.Join(sys, "bus/usb/devices"), test.files)
		if got := usbDiskComing(sys); got != test.want {
			t.Errorf("%s: usbDiskComing = %v, want %v", test.name, got, test.want)
		}
	}
}

// Controllers that a disk could hang on, and that no driver has taken, are named for the
// message that there is no disk.
func TestDriverless(t *testing.T) {
	const pci = "bus/pci/devices/"
	sys := t.TempDir()
	for slot, class := range map[string]string{
		"0000:00:1f.2": "0x010601", "0000:00:1f.5": "0x010400", "0000:01:00.0": "0x010802", "0000:02:00.0": "0x0c0330", "0000:02:00.1": "0x0c0010",
		"0000:00:02.0": "0x030000", "0000:03:00.0": "0x080501", "0000:04:00.0": "",
	} {
		fakeTree(t, sys, map[string]string{pci + slot + "/class": class + "\n", pci + slot + "/vendor": "0x8086\n", pci + slot + "/device": "0x282a\n"})
	}
	fakeTree(t, sys, map[string]string{pci + "0000:00:1f.2/driver": "-> ../../drivers/ahci", "bus/pci/drivers/ahci/": ""})
	want := []string{"RAID 0000:00:1f.5 (8086:282a)", "NVMe 0000:01:00.0 (8086:282a)", "USB 0000:02:00.0 (8086:282a)", "SD 0000:03:00.0 (8086:282a)"}
	if diff := cmp.Diff(want, driverless(sys)); diff != "" {
		t.Errorf("driverless (-want +got):\n%s", diff)
	}
	if got := driverless(filepath.Join(sys, "nowhere")); len(got) != 0 {
		t.Errorf("driverless without /sys: %q", got)
	}
}

func TestControllerKind(t *testing.T) {
	for class, want := range map[string]string{
		"010100": "IDE", "01018a": "IDE", "010000": "SCSI", "010400": "RAID", "010601": "SATA", "010700": "SAS", "010802": "NVMe", "018000": "storage",
		"080501": "SD", "0c0300": "USB", "0c0330": "USB", "0c0500": "", "020000": "", "060101": "", "01": "", "": "",
	} {
		if got := controllerKind(class); got != want {
			t.Errorf("controllerKind(%q) = %q, want %q", class, got, want)
		}
	}
}

func TestReadLine(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{"x\n": "x", " x y \n\n": "x y", "x\x00\n\x00": "x", "": "", "\n": "", "a\nb\n": "a\nb"} {
		if got := readLine(writeFile(t, filepath.Join(dir, "f"), []byte(text))); got != want {
			t.Errorf("readLine of %q = %q, want %q", text, got, want)
		}
	}
	if got := readLine(dir); got != "" {
		t.Errorf("readLine of a folder = %q", got)
	}
	if got := readLine(filepath.Join(dir, "nothing")); got != "" {
		t.Errorf("readLine of nothing = %q", got)
	}
}

// A uevent is a headline and variables; what is none of both is left out.
func TestParseUevent(t *testing.T) {
	for _, test := range []struct {
		event string
		want  map[string]string
	}{
		{"add@/devices/pci0000:00/0000:00:1f.2\x00ACTION=add\x00MODALIAS=pci:v00008086\x00SEQNUM=1\x00",
			map[string]string{"ACTION": "add", "MODALIAS": "pci:v00008086", "SEQNUM": "1"}},
		{"ACTION=remove", map[string]string{"ACTION": "remove"}},
		{"A=b=c\x00B=\x00=d", map[string]string{"A": "b=c", "B": "", "": "d"}},
		{"libudev\x00\xfe\xed\xca\xfe", map[string]string{}},
		{"", map[string]string{}},
	} {
		if diff := cmp.Diff(test.want, parseUevent([]byte(test.event))); diff != "" {
			t.Errorf("parseUevent(%q) (-want +got):\n%s", test.event, diff)
		}
	}
}

// Cold plugging tries what drives each device that is there, once, and goes on when one
// cannot be loaded: here none can, as the files are not there.
func TestColdplug(t *testing.T) {
	sys := fakeTree(t, t.TempDir(), map[string]string{
		"devices/pci0000:00/0000:00:1f.2/modalias":            "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01\n",
		"devices/pci0000:00/0000:00:1d.0/modalias":            "pci:v00008086d0000293Asv00001AF4sd00001100bc0Csc03i20\n",
		"devices/pci0000:00/0000:00:1d.0/usb1/1-1:1/modalias": "usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00\n",
		"devices/pci0000:00/0000:00:1d.7/modalias":            "pci:v00008086d0000293Asv00001AF4sd00001100bc0Csc03i20\n",
		"devices/virtual/other/modalias":                      "odd\n",
		"devices/loop":                                        "-> ../devices",
	})
	index, err := readModules(fstest.MapFS{"modules.dep": {Data: []byte(sampleDep)}, "modules.alias": {Data: []byte(sampleAlias)}})
	if err != nil {
		t.Fatal(err)
	}
	d := &drivers{dir: t.TempDir(), index: index, loaded: map[string]bool{}}
	for range 2 {
		if err := d.coldplug(sys); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for _, name := range []string{"ahci", "ehci-pci", "usb-storage"} {
		want = append(want, index.order(name)...)
	}
	for _, file := range want {
		if !d.loaded[file] {
			t.Errorf("%s was not tried", file)
		}
	}
	if len(d.failed) != len(d.loaded) || len(d.loaded) != 9 {
		t.Errorf("%d files were tried, %d failures: %v", len(d.loaded), len(d.failed), d.failed)
	}
	for _, err := range d.failed {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a failure: %v", err)
		}
	}
	if err := d.coldplug(filepath.Join(sys, "nowhere")); err != nil {
		t.Errorf("without /sys: %v", err)
	}
}
