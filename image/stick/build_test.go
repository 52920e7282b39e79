package stick

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBuild(t *testing.T) {
	im, err := Build(Config{Packages: writeFiles(t, packageFiles()), Programs: writePrograms(t)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range im.Files {
		got = append(got, f.Path)
	}
	slices.Sort(got)
	want := []string{
		"EFI/BOOT/BOOTIA32.EFI", "EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/grub.cfg", "EFI/BOOT/grubia32.efi", "EFI/BOOT/grubx64.efi",
		"EFI/BOOT/mmia32.efi", "EFI/BOOT/mmx64.efi", "EFI/debian/grub.cfg", "README.txt", "boot/grub/grub.cfg", "records",
		"unloop.toml", "unloop/mods32.img", "unloop/mods64.img", "unloop/packages.txt", "unloop/user.img",
		"unloop/vmlinuz32", "unloop/vmlinuz64",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	if im.Size != DefaultSize || im.Label != "UNLOOP" || !im.Time.Equal(time.Date(2026, 7, 2, 13, 50, 42, 0, time.UTC)) {
		t.Errorf("size %d, label %q, time %v", im.Size, im.Label, im.Time)
	}
	if string(im.Core) != "the core of GRUB\n" {
		t.Errorf("core %q is not what grub-mkimage wrote", im.Core)
	}
	if len(im.BootCode) != 440 || im.BootCode[0x65] != 0x65 || im.BootCode[0x66] != 0x90 || im.BootCode[0x67] != 0x90 {
		t.Errorf("boot code of %d bytes, % x at 0x65", len(im.BootCode), im.BootCode[0x65:0x68])
	}
}

// TestBuildTwice: the same input gives the same stick, and any other a stick with
// other ids.
func TestBuildTwice(t *testing.T) {
	packages, programs := writeFiles(t, packageFiles()), writePrograms(t)
	build := func(c Config) *Image {
		c.Packages, c.Programs = packages, programs
		im, err := Build(c)
		if err != nil {
			t.Fatal(err)
		}
		return im
	}
	first := build(Config{})
	if d := cmp.Diff(first, build(Config{})); d != "" {
		t.Errorf("built twice:\n%s", d)
	}
	seen := map[uint32]string{first.VolumeID: "first"}
	for name, c := range map[string]Config{
		"settings": {Settings: []byte("mode = \"auto\"\n")}, "size": {Size: 64 << 20}, "time": {Time: time.Unix(1e9, 0)},
		"test menu": {TestMenu: []byte("set timeout=0\n")},
	} {
		im := build(c)
		if other := seen[im.VolumeID]; other != "" || im.DiskID == first.DiskID {
			t.Errorf("%s: ids %08X and %08X are those of %s", name, im.DiskID, im.VolumeID, other)
		}
		seen[im.VolumeID] = name
	}
}

func TestBuildTakes(t *testing.T) {
	c := Config{Packages: writeFiles(t, packageFiles()), Programs: writePrograms(t), Size: 64 << 20,
		Settings: []byte("mode = \"auto\"\n"), TestMenu: []byte("set timeout=0\n"), Time: time.Unix(1e9, 0)}
	im, err := Build(c)
	if err != nil {
		t.Fatal(err)
	}
	if im.Size != c.Size || !im.Time.Equal(c.Time) {
		t.Errorf("size %d, time %v", im.Size, im.Time)
	}
	for path, want := range map[string][]byte{"unloop.toml": c.Settings, "unloop/test.cfg": c.TestMenu} {
		at := slices.IndexFunc(im.Files, func(f File) bool { return f.Path == path })
		if at < 0 || !bytes.Equal(im.Files[at].Data, want) {
			t.Errorf("%s is not what was asked for", path)
		}
	}
}

// TestBuildMissing takes one file after the other out of the packages: the error
// has to name the package that brings it.
func TestBuildMissing(t *testing.T) {
	files := packageFiles()
	packages, programs := writeFiles(t, files), writePrograms(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, "/unwanted.ko") {
			continue
		}
		host := filepath.Join(packages, name)
		if err := os.Remove(host); err != nil {
			t.Fatal(err)
		}
		im, err := Build(Config{Packages: packages, Programs: programs})
		known := errors.Is(err, ErrMissing) || errors.Is(err, ErrKernel) || errors.Is(err, ErrModule)
		if im != nil || !known || !strings.Contains(err.Error(), files[name].pkg) {
			t.Errorf("without %s: error %v, want one that names %s", name, err, files[name].pkg)
		}
		writeFile(t, host, files[name].data)
	}
	for _, name := range []string{"i386", "amd64"} {
		if err := os.Rename(filepath.Join(packages, name), filepath.Join(packages, "x")); err != nil {
			t.Fatal(err)
		}
		if im, err := Build(Config{Packages: packages, Programs: programs}); im != nil || !errors.Is(err, ErrMissing) {
			t.Errorf("without the folder %s: error %v, want %v", name, err, ErrMissing)
		}
		if err := os.Rename(filepath.Join(packages, "x"), filepath.Join(packages, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	put := func(name string, data []byte) func(map[string]fixtureFile) {
		return func(files map[string]fixtureFile) { files[name] = fixtureFile{"", data} }
	}
	const boot32, boot64 = "i386/boot/vmlinuz-" + version32, "amd64/boot/vmlinuz-" + version64
	const loader, bootImg = "amd64/lib64/ld-linux-x86-64.so.2", "amd64/usr/lib/grub/i386-pc/boot.img"
	for _, test := range []struct {
		name   string
		change func(map[string]fixtureFile)
		want   error
		text   string
	}{
		{"two kernels", put("i386/boot/vmlinuz-6.12.1-686", aKernel("6.12.1-686", false, false)), ErrKernel, "6.12.1-686"},
		{"modules of another kernel", put("i386/lib/modules/6.12.1-686/modules.builtin", nil), ErrKernel, "6.12.1-686"},
		{"kernel of another version", put(boot32, aKernel("6.12.1-686", false, false)), ErrKernel, `"6.12.1-686"`},
		{"kernel for the other CPU", put(boot32, aKernel(version32, true, true)), ErrKernel, version32},
		{"64-bit kernel for 386", put(boot64, aKernel(version64, false, true)), ErrKernel, version64},
		{"unsigned kernel", put(boot64, aKernel(version64, true, false)), ErrKernel, "signature"},
		{"no kernel", put(boot32, []byte("text")), ErrKernel, "not a Linux kernel"},
		{"kernel cut short", put(boot32, aKernel(version32, false, false)[:0x300]), ErrKernel, version32},
		{"unsigned GRUB", put("amd64/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", signedProgram(false)), ErrBootLoader, "grubx64"},
		{"no program for UEFI", put("i386/usr/lib/shim/shimia32.efi.signed", []byte("MZ")), ErrBootLoader, "shimia32"},
		{"boot.img cut short", put(bootImg, fakeBoot()[:500]), ErrBootLoader, "boot.img"},
		{"GRUB complains", put(loader, []byte("#!/bin/sh\necho no such module >&2\nexit 1\n")), ErrBootLoader, "no such module"},
		{"GRUB writes nothing", put(loader, []byte("#!/bin/sh\n")), ErrBootLoader, "core.img"},
		{"loader of another machine", put(loader, []byte("\x7fELF")), ErrBootLoader, "grub-mkimage"},
	} {
		files := packageFiles()
		test.change(files)
		im, err := Build(Config{Packages: writeFiles(t, files), Programs: writePrograms(t)})
		if im != nil || !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: error %v, want %v with %q", test.name, err, test.want, test.text)
		}
	}
}

// TestPackagesBuild builds from real packages, twice, and has others look at archives,
// partition table and volume.
func TestPackagesBuild(t *testing.T) {
	packages := realPackages(t)
	c := Config{Packages: packages, Programs: writePrograms(t)}
	start := time.Now()
	im, err := Build(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("built in %v", time.Since(start).Round(time.Millisecond))
	again, err := Build(c)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(im, again) { // too big for cmp
		t.Error("built twice, the sticks are not the same")
	}
	sizes := map[string]int{}
	for _, f := range im.Files {
		sizes[f.Path] = len(f.Data)
		if strings.HasSuffix(f.Path, ".img") {
			names := judge(t, []byte(judge(t, f.Data, "zstd", "-dcq")), "cpio", "-it", "--quiet")
			if !strings.Contains(names, ".so.6\n") && !strings.Contains(names, "modules.dep\n") {
				t.Errorf("%s holds neither programs nor modules:\n%.500s", f.Path, names)
			}
		}
	}
	if n := sizes["unloop/user.img"] + max(sizes["unloop/mods32.img"], sizes["unloop/mods64.img"]); n > 20<<20 {
		t.Errorf("initramfs of %d bytes, want at most 20 MiB", n)
	}
	path := filepath.Join(t.TempDir(), "stick.img")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(im.Write(f), im.Verify(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	judge(t, nil, "sfdisk", "--verify", path)
	judge(t, nil, "dd", "if="+path, "of="+path+".volume", "bs=1M", "skip=1", "status=none")
	judge(t, nil, "fsck.fat", "-n", path+".volume")
	if len(im.Core) > 1<<20-512 || len(im.Core) < 100_000 {
		t.Errorf("GRUB's core has %d bytes", len(im.Core))
	}
}
