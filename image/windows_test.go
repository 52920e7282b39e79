package image

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestFolderTargets(t *testing.T) {
	root := t.TempDir()
	hive := hiveBytes(8192)
	write(t, hive, root, "WINDOWS/System32/Config/system")
	write(t, make([]byte, 4096), root, "WINDOWS/System32/Config/System.log1")
	write(t, []byte("MZ"), root, "WINDOWS/System32/ntoskrnl.exe")
	write(t, hive, root, "Windows.old/System32/config/SYSTEM")
	tests := []struct{ target, label string }{
		{"", "WINDOWS"},
		{"WINDOWS", "WINDOWS"},
		{"WINDOWS/System32", "WINDOWS/System32/Config"},
		{"WINDOWS/System32/Config", "WINDOWS/System32/Config"},
	}
	for _, tt := range tests {
		s := open(t, filepath.Join(root, tt.target))
		in := only(t, s)
		if s.Kind() != KindFolder || in.Label != filepath.Join(root, tt.label) {
			t.Errorf("%q: kind %v, label %q, want %q", tt.target, s.Kind(), in.Label, tt.label)
		}
		f := openFile(t, in, "SYSTEM")
		if want := filepath.Join(root, "WINDOWS/System32/Config/system"); f.Label() != want {
			t.Errorf("%q: Label() = %q, want %q", tt.target, f.Label(), want)
		}
		if !bytes.Equal(readAll(t, f), hive) || f.Extents() != nil || !f.MayGrow() || f.InPlace() != nil {
			t.Errorf("%q: not an ordinary file", tt.target)
		}
		if _, err := in.OpenPath("windows/SYSTEM32/NTOSKRNL.EXE"); err != nil {
			t.Errorf("%q: %v", tt.target, err)
		}
		if err := openFile(t, in, "SYSTEM.LOG1").UsableAsLog(f); err != nil {
			t.Errorf("%q: UsableAsLog: %v", tt.target, err)
		}
		if _, err := in.Open("SYSTEM.LOG2"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: Open(SYSTEM.LOG2) = %v", tt.target, err)
		}
		if err := s.Refusal(in); err != nil {
			t.Errorf("%q: Refusal() = %v", tt.target, err)
		}
	}
}

func TestFolderWithoutWindows(t *testing.T) {
	root := t.TempDir()
	write(t, hiveBytes(8192), root, "Windows.old/Windows/System32/config/SYSTEM")
	mkdir(t, root, "other/System32/config/SYSTEM")
	for _, target := range []string{"", "other", "Windows.old", "Windows.old/Windows", "Windows.old/Windows/System32/config"} {
		s, err := Host{}.Open(filepath.Join(root, target))
		if !errors.Is(err, ErrNoWindows) || s != nil {
			t.Errorf("Open(%q) = %v, %v, want ErrNoWindows", target, s, err)
		}
	}
}

func TestFolderHibernation(t *testing.T) {
	root := t.TempDir()
	write(t, hiveBytes(8192), root, systemPath)
	write(t, []byte("hibr"), root, "hiberfil.sys")
	for _, target := range []string{"", "Windows", "Windows/System32/config", systemPath} {
		s := open(t, filepath.Join(root, target))
		if err := s.Refusal(only(t, s)); !errors.Is(err, ErrHibernated) {
			t.Errorf("%q: Refusal() = %v, want ErrHibernated", target, err)
		}
	}
}

// A link inside the tree may lead to a file outside of it.
func TestFolderLinks(t *testing.T) {
	root := t.TempDir()
	outside := write(t, hiveBytes(8192), t.TempDir(), "hive")
	dir := mkdir(t, root, "Windows/System32/config")
	if err := os.Symlink(outside, filepath.Join(dir, "SYSTEM")); err != nil {
		t.Skip(err)
	}
	if _, err := (Host{}).Open(root); !errors.Is(err, ErrNoWindows) {
		t.Errorf("Open = %v, want ErrNoWindows", err)
	}
}

func TestHiveTarget(t *testing.T) {
	dir := t.TempDir()
	hive := write(t, hiveBytes(8192), dir, "broken-SYSTEM")
	write(t, make([]byte, 4096), dir, "BROKEN-system.log1")
	write(t, hiveBytes(4096), dir, "SOFTWARE")
	s := open(t, hive)
	in := only(t, s)
	if s.Kind() != KindHive || s.Size() != 8192 || in.Label != dir || in.Volume != nil {
		t.Errorf("kind %v, size %d, label %q", s.Kind(), s.Size(), in.Label)
	}
	if f := openFile(t, in, "system"); f.Label() != hive || f.Size() != 8192 {
		t.Errorf("Label() = %q, Size() = %d", f.Label(), f.Size())
	}
	if f := openFile(t, in, "SYSTEM.LOG1"); f.Label() != filepath.Join(dir, "BROKEN-system.log1") {
		t.Errorf("Label() = %q", f.Label())
	}
	if got := in.ConfigLabel("SYSTEM.LOG2"); got != hive+".LOG2" {
		t.Errorf("ConfigLabel = %q", got)
	}
	for _, name := range []string{"SYSTEM.LOG2", "SYSTEM.LOG", "SOFTWARE"} {
		if _, err := in.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open(%q) = %v, want fs.ErrNotExist", name, err)
		}
	}
	if _, err := in.OpenPath("Windows/explorer.exe"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenPath = %v, want fs.ErrNotExist", err)
	}
}

func TestHiveTargetRelative(t *testing.T) {
	dir := t.TempDir()
	write(t, hiveBytes(8192), dir, "SYSTEM")
	write(t, make([]byte, 4096), dir, "SYSTEM.LOG1")
	t.Chdir(dir)
	in := only(t, open(t, "SYSTEM"))
	if f := openFile(t, in, "SYSTEM"); f.Label() != "SYSTEM" {
		t.Errorf("Label() = %q", f.Label())
	}
	if f := openFile(t, in, "SYSTEM.LOG1"); f.Label() != "SYSTEM.LOG1" {
		t.Errorf("Label() = %q", f.Label())
	}
}

func TestWriteOrdinaryFile(t *testing.T) {
	root := t.TempDir()
	hive := hiveBytes(8192)
	path := write(t, hive, root, systemPath)
	for _, target := range []string{path, root} {
		s := open(t, target)
		f := openFile(t, only(t, s), "SYSTEM")
		if _, err := f.WriteAt([]byte("x"), 0); err == nil {
			t.Error("WriteAt before BeginWrite succeeded")
		}
		if err := s.BeginWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("changed"), 512); err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("grown"), f.Size()); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Sync(), f.DropCache(), s.Close()); err != nil {
			t.Fatal(err)
		}
		copy(hive[512:], "changed")
		hive = append(hive, "grown"...)
		if !bytes.Equal(mustRead(t, path), hive) {
			t.Errorf("%s: wrong content", target)
		}
	}
}

func TestOrdinaryLogs(t *testing.T) {
	dir := t.TempDir()
	s := open(t, write(t, hiveBytes(8192), dir, "SYSTEM"))
	write(t, nil, dir, "SYSTEM.LOG1")
	newer := append([]byte("regf"), make([]byte, 1000)...)
	newer[28] = 6 // the log format of Windows 8.1
	write(t, newer, dir, "SYSTEM.LOG2")
	in := only(t, s)
	hive := openFile(t, in, "SYSTEM")
	for name, usable := range map[string]bool{"SYSTEM": false, "SYSTEM.LOG1": true, "SYSTEM.LOG2": false} {
		if err := openFile(t, in, name).UsableAsLog(hive); usable != (err == nil) || err != nil && !errors.Is(err, ErrUnusableLog) {
			t.Errorf("%s: UsableAsLog = %v, want usable %v", name, err, usable)
		}
	}
}

func TestReplacedBeforeWriting(t *testing.T) {
	dir := t.TempDir()
	path := write(t, hiveBytes(8192), dir, "SYSTEM")
	s := open(t, path)
	other := write(t, hiveBytes(8192), dir, "other")
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if err := s.BeginWrite(); !errors.Is(err, ErrChanged) {
		t.Errorf("BeginWrite() = %v, want ErrChanged", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := s.BeginWrite(); !errors.Is(err, ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("BeginWrite() = %v, want ErrNotFound", err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, nil, dir, "empty")
	tests := []struct {
		path string
		want error
	}{
		{"missing", ErrNotFound},
		{"missing", fs.ErrNotExist},
		{"empty", ErrEmpty},
		{"", ErrNoWindows},
	}
	for _, tt := range tests {
		if s, err := (Host{}).Open(filepath.Join(dir, tt.path)); !errors.Is(err, tt.want) || s != nil {
			t.Errorf("Open(%q) = %v, %v, want %v", tt.path, s, err, tt.want)
		}
	}
}

func TestFileKind(t *testing.T) {
	bitlocker := make([]byte, 4096)
	copy(bitlocker, "\xeb\x58\x90-FVE-FS-")
	toGo := make([]byte, 4096)
	copy(toGo, "\xeb\x58\x90MSWIN4.1")
	copy(toGo[0x1A8:], bitLockerToGo[:])
	large := make([]byte, 1<<20)
	copy(large[510:], "\x55\xAA")
	tests := []struct {
		name string
		data []byte
		want Kind
	}{
		{"hive", hiveBytes(8192), KindHive},
		{"tiny", []byte("x"), KindHive},
		{"text", bytes.Repeat([]byte("text "), 1000), KindHive},
		{"BitLocker", bitlocker, KindImage},
		{"BitLocker To Go", toGo, KindImage},
		{"partition table", large, KindImage},
		{"signature in a small file", large[:4096], KindHive},
		{"large without signature", make([]byte, 1<<20), KindHive},
	}
	for _, tt := range tests {
		s := open(t, write(t, tt.data, t.TempDir(), "target"))
		if s.Kind() != tt.want {
			t.Errorf("%s: Kind() = %v, want %v", tt.name, s.Kind(), tt.want)
		}
	}
	s := open(t, write(t, bitlocker, t.TempDir(), "target"))
	if err := s.NoWindows(); !errors.Is(err, ErrNoWindows) || !errors.Is(err, ErrBitLocker) {
		t.Errorf("NoWindows() = %v, want ErrBitLocker", err)
	}
}
