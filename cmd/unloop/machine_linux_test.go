package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// What the BIOS says of a PC is taken, what its maker left unfilled is not.
func TestReadMachine(t *testing.T) {
	for _, test := range []struct {
		files map[string]string
		want  machine
		words string
	}{
		{map[string]string{"sys_vendor": "FUJITSU\n", "product_name": "ESPRIMO D582 \n", "product_serial": "YLAB001234\n", "bios_version": "V4.6\n"},
			machine{"FUJITSU", "ESPRIMO D582", "YLAB001234", "V4.6"}, "FUJITSU ESPRIMO D582"},
		{map[string]string{"sys_vendor": "To Be Filled By O.E.M.\n", "product_name": "System Product Name\n", "product_serial": "Default string\n", "board_serial": "MB-12\n"},
			machine{Serial: "MB-12"}, ""},
		{map[string]string{"product_name": "OptiPlex\n", "product_serial": "00000000\n", "board_serial": "None\n"}, machine{Product: "OptiPlex"}, "OptiPlex"},
		{nil, machine{}, ""},
	} {
		sys := t.TempDir()
		for name, text := range test.files {
			fakeTree(t, sys, map[string]string{"class/dmi/id/" + name: text})
		}
		got := readMachine(sys)
		if got != test.want || got.String() != test.words {
			t.Errorf("%q: %+v, %q, want %+v, %q", test.files, got, got, test.want, test.words)
		}
	}
}

func TestMeant(t *testing.T) {
	for _, nothing := range []string{"", " ", "0", "0000000", "None", "N/A none", "xxxxxxx", "--", "..", "System Serial Number", "To be filled by O.E.M.", "INVALID", "Not Specified", "Not Applicable", "Default string", "Unknown", "0x00000000"} {
		if got := meant(nothing); got != "" {
			t.Errorf("meant(%q) = %q", nothing, got)
		}
	}
	for _, word := range []string{"YLAB001234", "1000", "00:11", "PC-0001", "X1", "５"} {
		if got := meant(word); got != word {
			t.Errorf("meant(%q) = %q", word, got)
		}
	}
}

func TestFileWord(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"UNLOOP-PC", "UNLOOP-PC"},
		{"a.b_c-1", "a.b_c-1"},
		{"", "other"},
		{"   ", "other"},
		{"...", "other"},
		{"-", "other"},
		{"../../etc", "etc"},
		{"C:\\x", "C__x"},
		{`<>:"/\|?*`, "other"},
		{"a b\tc\n", "a_b_c"},
		{"事務室１", "事務室１"},
		{"x\x00\x1b[2J", "x___2J"},
		{"\xff\xfe", "other"},
		{strings.Repeat("日", 50), strings.Repeat("日", 40)},
		{strings.Repeat("a", 39) + "...b", strings.Repeat("a", 39)},
	} {
		if got := fileWord(test.in, "other"); got != test.want {
			t.Errorf("fileWord(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

// A disk's serial number stands in one of three places, or nowhere.
func TestDiskSerial(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nvme":        {map[string]string{"device/serial": "S4EVNX0N123456      \n"}, "S4EVNX0N123456"},
		"virtio":      {map[string]string{"serial": "unloop-1\n"}, "unloop-1"},
		"scsi":        {map[string]string{"device/vpd_pg80": "\x00\x80\x00\x14     WD-WCAV12345678"}, "WD-WCAV12345678"},
		"usb":         {map[string]string{"device/vpd_pg80": "\x00\x80\x00\x0900A1B2C3\x00"}, "00A1B2C3"},
		"page is bad": {map[string]string{"device/vpd_pg80": "\x00\x80"}, ""},
		"blank":       {map[string]string{"device/vpd_pg80": "\x00\x80\x00\x08        "}, ""},
		"none":        {map[string]string{"size": "1"}, ""},
	} {
		dir := fakeTree(t, t.TempDir(), test.files)
		if got := diskSerial(dir); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// A disk's identity is the same on every start, whatever its path then, is another for
// another disk, and survives JSON.
func TestDiskIdentity(t *testing.T) {
	sys := fakeTree(t, t.TempDir(), map[string]string{
		"class/block/sda/device/model": "WDC WD10EZEX\n", "class/block/sda/size": "1953525168\n", "class/block/sda/device/vpd_pg80": "\x00\x80\x00\x04AB12",
		"class/block/sdb/device/model": "WDC WD10EZEX\n", "class/block/sdb/size": "1953525168\n", "class/block/sdb/device/vpd_pg80": "\x00\x80\x00\x04AB\xff3",
		"class/block/sdc/size": "1953525168\n",
	})
	m := machine{Serial: "YLAB1"}
	for name, want := range map[string]string{
		"/dev/sda": "WDC WD10EZEX 1.0 TB, serial AB12, in PC YLAB1", "/dev/sdc": "1.0 TB, in PC YLAB1",
	} {
		if got := m.diskIdentity(sys, name); got != want {
			t.Errorf("diskIdentity(%s) = %q, want %q", name, got, want)
		}
	}
	if got := m.diskIdentity(sys, "/dev/sdb"); !utf8.ValidString(got) || !strings.HasPrefix(got, "WDC WD10EZEX 1.0 TB, serial AB") {
		t.Errorf("a serial number with an odd byte: %q, which JSON would change", got)
	}
}
