package stick

import (
	"debug/elf"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUserArchive(t *testing.T) {
	tree, err := openTree(writeFiles(t, packageFiles()), "i386")
	if err != nil {
		t.Fatal(err)
	}
	a, err := userArchive(tree, writePrograms(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, m := range a.members {
		if m.mode&modeType != modeFolder {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	want := []string{
		"bin/busybox", "bin/ntfs-3g", "bin/sh", "bin/unloop", "bin/unloop-crosscheck", "dev/console", "init",
		"lib/i386-linux-gnu/libc.so.6", "lib/i386-linux-gnu/libhivex.so.0", "lib/i386-linux-gnu/libntfs-3g.so.89",
		"lib/ld-linux.so.2",
		"usr/lib/i386-linux-gnu/gconv/ISO8859-1.so", "usr/lib/i386-linux-gnu/gconv/UTF-16.so", "usr/lib/i386-linux-gnu/gconv/gconv-modules",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	for _, folder := range []string{"proc", "sys", "dev", "run", "tmp", "stick", "windows", "mnt"} {
		if a.members[folder].mode != modeFolder|0o755 {
			t.Errorf("folder %s: mode %o", folder, a.members[folder].mode)
		}
	}
}

func TestProgramErrors(t *testing.T) {
	amd64 := elfFixture{machine: elf.EM_X86_64, kind: elf.ET_EXEC}.bytes()
	musl := elfFixture{machine: elf.EM_386, kind: elf.ET_EXEC, loader: "/lib/ld-musl-i386.so.1", dynamic: true}.bytes()
	object := elfFixture{machine: elf.EM_386, kind: elf.ET_REL}.bytes()
	tree, err := openTree(writeFiles(t, packageFiles()), "i386")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		program string
		data    []byte
		want    error
		text    string
	}{
		{"unloop", amd64, ErrProgram, "EM_X86_64"},
		{"unloop", dynamicProgram("libc.so.6"), ErrProgram, "not static"},
		{"unloop", []byte("#!/bin/sh\n"), ErrProgram, "unloop"},
		{"unloop", object, ErrProgram, "ET_REL"},
		{"unloop", nil, ErrProgram, "unloop"},
		{"unloop-crosscheck", amd64, ErrProgram, "EM_X86_64"},
		{"unloop-crosscheck", musl, ErrProgram, "ld-musl"},
		{"unloop-crosscheck", dynamicProgram("libnone.so.1"), ErrMissing, "libnone.so.1"},
		{"unloop-crosscheck", dynamicProgram("../libc.so.6"), ErrProgram, "../libc.so.6"},
	} {
		programs := writePrograms(t)
		writeFile(t, filepath.Join(programs, test.program), test.data)
		if _, err := userArchive(tree, programs); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: error %v, want %v with %q", test.program, err, test.want, test.text)
		}
	}
}

func TestProgramMissing(t *testing.T) {
	tree, err := openTree(writeFiles(t, packageFiles()), "i386")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"unloop", "unloop-crosscheck"} {
		programs := writePrograms(t)
		if err := os.Remove(filepath.Join(programs, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := userArchive(tree, programs); !errors.Is(err, ErrProgram) || !strings.Contains(err.Error(), name+" in "+programs) {
			t.Errorf("without %s: error %v, want %v", name, err, ErrProgram)
		}
	}
}

// TestLinksStayInside: an absolute link in a package means a place in the packages.
func TestLinksStayInside(t *testing.T) {
	dir := t.TempDir()
	inside, outside := filepath.Join(dir, "amd64"), filepath.Join(dir, "secret")
	writeFile(t, outside, []byte("outside"))
	writeFile(t, filepath.Join(inside, "secret"), []byte("inside"))
	writeFile(t, filepath.Join(inside, "usr/lib/real.so.1"), []byte("library"))
	for link, target := range map[string]string{
		"up": "../../../secret", "absolute": "/secret", "lib": "/usr/lib", "lib.so": "lib/real.so.1", "gone": "/none",
		"ring": "/gnir", "gnir": "ring", "usr/lib/dots": "../../secret", "host": outside,
	} {
		if err := os.Symlink(target, filepath.Join(inside, link)); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := openTree(dir, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"secret": "inside", "up": "inside", "absolute": "inside", "usr/lib/dots": "inside", "../../secret": "inside",
		"lib/real.so.1": "library", "lib.so": "library", "lib/dots": "inside", "usr/./lib//real.so.1": "library",
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got, err := tree.read("pkg", name); err != nil || string(got) != want[name] {
			t.Errorf("read(%q) = %q, %v, want %q", name, got, err, want[name])
		}
	}
	for _, name := range []string{"gone", "host", "none", "usr/lib", "secret/below"} {
		if got, err := tree.read("pkg", name); !errors.Is(err, ErrMissing) {
			t.Errorf("read(%q) = %q, %v, want %v", name, got, err, ErrMissing)
		}
	}
	if got, err := tree.read("pkg", "ring"); err == nil {
		t.Errorf("read of a ring of links = %q, want an error", got)
	}
}
