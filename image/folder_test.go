package image

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"unloop/hive/hivetest"
)

// pc is a disk with a small volume that starts it and one with Windows, each with a boot
// manager or without.
func pc(t *testing.T, manager, own bool) *Source {
	t.Helper()
	const mib = 1 << 20
	files := []hivetest.NTFSFile{
		{Path: "Windows/System32/config/SYSTEM", Data: hiveBytes(8192)},
		{Path: "Windows/System32/drivers/Hardlock.sys", Data: hivetest.PE(0x014C, [4]uint16{3, 42})},
		{Path: "Windows/System32/drivers/etc/hosts", Data: []byte("x"), Resident: true},
		{Path: "Windows/System32/drivers/日本語.sys", Data: []byte("MZ"), Resident: true},
	}
	for i := range 300 {
		files = append(files, hivetest.NTFSFile{Path: fmt.Sprintf("Windows/System32/drivers/driver%03d.sys", i)})
	}
	if own {
		files = append(files, hivetest.NTFSFile{Path: "bootmgr"}, hivetest.NTFSFile{Path: "Boot/BCD", Data: []byte("own"), Resident: true})
	}
	boot := []hivetest.NTFSFile{{Path: "boot/bcd", Data: []byte("other"), Resident: true}}
	if manager {
		boot = append(boot, hivetest.NTFSFile{Path: "BOOTMGR"})
	}
	var parts []hivetest.Part
	for _, p := range []struct {
		files []hivetest.NTFSFile
		size  int64
	}{{files, 16 * mib}, {boot, 4 * mib}} {
		b, err := hivetest.BuildNTFS(p.files, hivetest.NTFSOptions{Size: p.size})
		if err != nil {
			t.Fatal(err)
		}
		start := int64(mib)
		if len(parts) > 0 {
			start += parts[0].Start + int64(len(parts[0].Data))
		}
		parts = append(parts, hivetest.Part{Start: start, Data: b, Active: len(parts) == 1})
	}
	b, err := hivetest.BuildMBR(parts, 24*mib)
	if err != nil {
		t.Fatal(err)
	}
	return lookAt(bytes.NewReader(b), int64(len(b)))
}

func TestListOnVolume(t *testing.T) {
	in := only(t, pc(t, false, false))
	all, err := in.List("windows/SYSTEM32/Drivers")
	if err != nil || len(all) != 303 {
		t.Fatalf("List() = %d names, %v", len(all), err)
	}
	e, ok := FindEntry(all, "HARDLOCK.SYS")
	if !ok || e.Name != "Hardlock.sys" || e.Dir || e.Modified.Year() < 2000 {
		t.Fatalf("FindEntry() = %+v, %v", e, ok)
	}
	f, err := e.Open()
	if err != nil || f.Label() != "disk:1/Windows/System32/drivers/Hardlock.sys" || f.Modified() != e.Modified {
		t.Fatalf("Open() = %+v, %v", f, err)
	}
	if info, err := ReadPE(f, f.Size()); err != nil || info.Version != [4]uint16{3, 42} {
		t.Errorf("ReadPE() = %v, %v", info, err)
	}
	if etc, ok := FindEntry(all, "ETC"); !ok || !etc.Dir {
		t.Errorf("FindEntry(ETC) = %+v, %v", etc, ok)
	} else if _, err := etc.Open(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening a folder: %v", err)
	}
	if _, ok := FindEntry(all, "日本語.SYS"); !ok {
		t.Error("日本語.SYS not found")
	}
	if _, ok := FindEntry(all, "haspnt.sys"); ok {
		t.Error("haspnt.sys found")
	}
	for _, path := range []string{"Windows/Minidump", "Windows/System32/config/SYSTEM", "Windows/System32/drivers/Hardlock.sys/x"} {
		if all, err := in.List(path); !errors.Is(err, fs.ErrNotExist) || all != nil {
			t.Errorf("List(%q) = %v, %v", path, all, err)
		}
	}
}

// TestListStale: a name left in a folder whose record is another file's by now is not
// opened.
func TestListStale(t *testing.T) {
	in := only(t, pc(t, false, false))
	all, err := in.List("Windows/System32/drivers")
	if err != nil {
		t.Fatal(err)
	}
	e, _ := FindEntry(all, "hardlock.sys")
	e.ref.seq++
	if f, err := e.Open(); !errors.Is(err, fs.ErrNotExist) || f != nil {
		t.Errorf("Open() = %v, %v", f, err)
	}
	if f, err := (Entry{Name: "x"}).Open(); !errors.Is(err, fs.ErrNotExist) || f != nil {
		t.Errorf("Open() of nothing = %v, %v", f, err)
	}
}

func TestListFolder(t *testing.T) {
	root := t.TempDir()
	write(t, hiveBytes(8192), root, "Windows/System32/config/SYSTEM")
	write(t, []byte("PAGEDUMP"), root, "Windows/Minidump/041518-15600-01.dmp")
	write(t, []byte("x"), root, "Windows/Minidump/sub/file")
	when := time.Date(2018, 4, 15, 9, 30, 0, 0, time.UTC)
	dump := filepath.Join(root, "Windows/Minidump/041518-15600-01.dmp")
	if err := os.Chtimes(dump, when, when); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dump, filepath.Join(root, "Windows/Minidump/link.dmp")); err != nil {
		t.Fatal(err)
	}
	in := only(t, open(t, root))
	all, err := in.List("WINDOWS/minidump")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, fmt.Sprintf("%s %v", e.Name, e.Dir))
	}
	if d := cmp.Diff([]string{"041518-15600-01.dmp false", "sub true"}, names); d != "" {
		t.Errorf("List() (-want +got):\n%s", d)
	}
	f, err := all[0].Open()
	if err != nil || f.Label() != dump || !f.Modified().Equal(when) || !all[0].Modified.Equal(when) {
		t.Errorf("Open() = %+v, %v, modified %v", f, err, all[0].Modified)
	}
	if all, err := in.List("Windows/none"); !errors.Is(err, fs.ErrNotExist) || all != nil {
		t.Errorf("List(none) = %v, %v", all, err)
	}
	hive := only(t, open(t, filepath.Join(root, "Windows/System32/config/SYSTEM")))
	if all, err := hive.List("Windows"); !errors.Is(err, fs.ErrNotExist) || all != nil {
		t.Errorf("List() of a hive file = %v, %v", all, err)
	}
}

func TestOpenBoot(t *testing.T) {
	for _, tt := range []struct {
		manager, own bool
		want         string
	}{
		{false, false, ""}, {true, false, "other"}, {false, true, "own"}, {true, true, "other"},
	} {
		in := only(t, pc(t, tt.manager, tt.own))
		f, err := in.OpenBoot("BCD")
		if tt.want == "" {
			if !errors.Is(err, fs.ErrNotExist) || f != nil {
				t.Errorf("%+v: OpenBoot() = %v, %v", tt, f, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%+v: OpenBoot() = %v", tt, err)
			continue
		}
		if got := string(readAll(t, f)); got != tt.want {
			t.Errorf("%+v: OpenBoot() holds %q", tt, got)
		}
		if _, err := in.OpenBoot("BCD.LOG"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%+v: OpenBoot(BCD.LOG) = %v", tt, err)
		}
	}
}

func TestOpenBootInFolder(t *testing.T) {
	root := t.TempDir()
	write(t, hiveBytes(8192), root, "Windows/System32/config/SYSTEM")
	write(t, []byte("bcd"), root, "Boot/BCD")
	in := only(t, open(t, root))
	if f, err := in.OpenBoot("BCD"); !errors.Is(err, fs.ErrNotExist) || f != nil {
		t.Errorf("without bootmgr: OpenBoot() = %v, %v", f, err)
	}
	write(t, nil, root, "bootmgr")
	if f, err := in.OpenBoot("bcd"); err != nil || string(readAll(t, f)) != "bcd" {
		t.Errorf("OpenBoot() = %v, %v", f, err)
	}
}

func TestSameName(t *testing.T) {
	names := []string{"", "a", "A", "ab", "aB", "Ä", "ä", "aÄ", "Aä", "aı", "ai", "aI", "日本", "a\xff"}
	for _, a := range names {
		for _, b := range names {
			want := upper(a) == upper(b)
			if got := sameName(a, b); got != want {
				t.Errorf("sameName(%q, %q) = %v, want %v", a, b, got, want)
			}
		}
	}
}

// upper is a name as sameName must see it, the slow way.
func upper(s string) string { return strings.Map(unicode.ToUpper, s) }
