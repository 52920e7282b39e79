package hive_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
)

// someFiles are not hives: a backup does not look into them.
var someFiles = hive.Files{Primary: []byte("primary"), Log1: bytes.Repeat([]byte("1"), 5000), Log2: []byte{}}

func someManifest() hive.Manifest {
	return hive.Manifest{
		Tool: "unloop 1.2.3", Action: "repair", Time: time.Date(2018, 5, 9, 1, 2, 3, 0, time.UTC),
		Target:  hive.Target{Path: "/tmp/disk.img", Label: "disk.img:2/Windows/System32/config/SYSTEM", Partition: 2, Offset: 5 << 20, VolumeSerial: "1234"},
		Windows: "Windows 7 SP1 x86", Hive: hive.HiveID{ResourceManager: "00ff", Computer: "UNLOOP-PC"},
		After: hive.Identity{Primary: "aa", Log1: "bb"},
		Edits: []hive.Edit{
			{Fix: hive.FixOverride, Path: path(memoryManagement), Name: "FeatureSettingsOverride", New: dword(3)},
			{Fix: hive.FixDrivers, Path: path(usbClass), Name: "UpperFilters", Old: multiSZ("hardlock")},
		},
	}
}

// backup writes a backup of someFiles into a folder of the test's own.
func backup(t testing.TB) *hive.Backup {
	t.Helper()
	b, err := hive.WriteBackup(filepath.Join(t.TempDir(), "backups", "run", "1"), someFiles, someManifest())
	if err != nil {
		t.Fatalf("WriteBackup: %v", err)
	}
	return b
}

func TestBackupRoundTrip(t *testing.T) {
	b := backup(t)
	want := someManifest()
	want.Format, want.State, want.Before = 1, hive.StateStarted, someFiles.Identity()
	want.Files = []hive.BackupFile{
		{Name: "SYSTEM", Size: 7, SHA256: hive.Sum(someFiles.Primary)},
		{Name: "SYSTEM.LOG1", Size: 5000, SHA256: hive.Sum(someFiles.Log1)},
		{Name: "SYSTEM.LOG2", Size: 0, SHA256: hive.Sum([]byte{})},
	}
	for _, state := range []hive.State{hive.StateStarted, hive.StateDone, hive.StateFailed, hive.StateUndone} {
		if want.State = state; state != hive.StateStarted {
			if err := b.SetState(state); err != nil {
				t.Fatalf("SetState(%q): %v", state, err)
			}
		}
		got, err := hive.ReadBackup(b.Dir)
		if err != nil {
			t.Fatalf("ReadBackup: %v", err)
		}
		if diff := cmp.Diff(want, got.Manifest); diff != "" || got.Dir != b.Dir {
			t.Errorf("manifest in %s (-want +got):\n%s", got.Dir, diff)
		}
		files, err := got.Read()
		if diff := cmp.Diff(someFiles, files); err != nil || diff != "" {
			t.Errorf("Read: %v (-want +got):\n%s", err, diff)
		}
	}
	if diff := cmp.Diff([]string{"SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2", hive.ManifestName}, names(t, b.Dir)); diff != "" {
		t.Errorf("files of the backup (-want +got):\n%s", diff)
	}
}

// names lists a folder.
func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		found = append(found, e.Name())
	}
	slices.Sort(found)
	return found
}

func TestReadBackupDamaged(t *testing.T) {
	edit := func(f func(m map[string]any)) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			file := filepath.Join(dir, hive.ManifestName)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var m map[string]any
			if err := json.Unmarshal(text, &m); err != nil {
				t.Fatal(err)
			}
			f(m)
			if text, err = json.Marshal(m); err != nil {
				t.Fatal(err)
			}
			write(t, file, text)
		}
	}
	text := func(s string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) { write(t, filepath.Join(dir, hive.ManifestName), []byte(s)) }
	}
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		want   error
	}{
		{"manifest missing", func(t *testing.T, dir string) { remove(t, dir, hive.ManifestName) }, fs.ErrNotExist},
		{"manifest empty", text(""), hive.ErrBackup},
		{"manifest cut short", text(`{"format":1,"files":[{"name":"SYS`), hive.ErrBackup},
		{"manifest is not JSON", text("regf"), hive.ErrBackup},
		{"manifest is a list", text("[]"), hive.ErrBackup},
		{"manifest is null", text("null"), hive.ErrBackup},
		{"manifest is huge", text(`{"format":1,"tool":"` + strings.Repeat("x", 5<<20) + `"}`), hive.ErrBackup},
		{"format of the future", edit(func(m map[string]any) { m["format"] = 2 }), hive.ErrBackup},
		{"no format", edit(func(m map[string]any) { delete(m, "format") }), hive.ErrBackup},
		{"no files", edit(func(m map[string]any) { delete(m, "files") }), hive.ErrBackup},
		{"hive under another name", edit(func(m map[string]any) { m["files"].([]any)[0].(map[string]any)["name"] = "../SYSTEM" }), hive.ErrBackup},
		{"edit without key", edit(func(m map[string]any) { m["edits"].([]any)[0].(map[string]any)["key"] = []string{} }), hive.ErrBackup},
		{"edit without values", edit(func(m map[string]any) { m["edits"].([]any)[0].(map[string]any)["new"] = nil }), hive.ErrBackup},
		{"edit of no bytes", edit(func(m map[string]any) {
			m["edits"].([]any)[0].(map[string]any)["new"] = map[string]any{"type": 4, "data": "xy"}
		}), hive.ErrBackup},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := backup(t)
			tt.damage(t, b.Dir)
			got, err := hive.ReadBackup(b.Dir)
			if got != nil || !errors.Is(err, tt.want) || !strings.Contains(err.Error(), b.Dir) {
				t.Errorf("ReadBackup = %v, %v, want %v with the folder", got, err, tt.want)
			}
		})
	}
}

func write(t testing.TB, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func TestReadDamagedCopies(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		damage     func(t *testing.T, file string)
	}{
		{"hive changed", "SYSTEM", func(t *testing.T, file string) { write(t, file, []byte("primarY")) }},
		{"hive cut short", "SYSTEM", func(t *testing.T, file string) { write(t, file, []byte("primar")) }},
		{"hive longer", "SYSTEM", func(t *testing.T, file string) { write(t, file, []byte("primary ")) }},
		{"hive missing", "SYSTEM", func(t *testing.T, file string) { remove(t, filepath.Dir(file), "SYSTEM") }},
		{"log changed", "SYSTEM.LOG1", func(t *testing.T, file string) { write(t, file, bytes.Repeat([]byte("2"), 5000)) }},
		{"log missing", "SYSTEM.LOG1", func(t *testing.T, file string) { remove(t, filepath.Dir(file), "SYSTEM.LOG1") }},
		{"empty log no longer empty", "SYSTEM.LOG2", func(t *testing.T, file string) { write(t, file, []byte{0}) }},
		{"log is a folder", "SYSTEM.LOG2", func(t *testing.T, file string) {
			remove(t, filepath.Dir(file), "SYSTEM.LOG2")
			if err := os.Mkdir(file, 0o700); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := backup(t)
			file := filepath.Join(b.Dir, tt.file)
			tt.damage(t, file)
			again, err := hive.ReadBackup(b.Dir)
			if err != nil {
				t.Fatalf("ReadBackup: %v", err)
			}
			files, err := again.Read()
			if !errors.Is(err, hive.ErrBackup) || !strings.Contains(err.Error(), file) || files.Primary != nil {
				t.Errorf("Read = %v, %v, want %v with %s", files, err, hive.ErrBackup, file)
			}
		})
	}
}

// Whatever names a manifest lists, nothing is read but the four files beside it.
func TestReadStaysInTheFolder(t *testing.T) {
	b := backup(t)
	secret := []byte("secret")
	write(t, filepath.Join(b.Dir, "..", "secret"), secret)
	write(t, filepath.Join(b.Dir, "secret"), secret)
	for _, name := range []string{"../secret", "secret", filepath.Join(b.Dir, "secret"), "./SYSTEM.LOG", `..\secret`, ""} {
		b.Files = append(b.Files, hive.BackupFile{Name: name, Size: int64(len(secret)), SHA256: hive.Sum(secret)})
	}
	files, err := b.Read()
	if diff := cmp.Diff(someFiles, files); err != nil || diff != "" {
		t.Errorf("Read: %v (-want +got):\n%s", err, diff)
	}
	b.Files = append(b.Files, hive.BackupFile{Name: "SYSTEM", Size: 7, SHA256: hive.Sum(secret)})
	if _, err := b.Read(); !errors.Is(err, hive.ErrBackup) {
		t.Errorf("Read with two checksums for SYSTEM: %v, want %v", err, hive.ErrBackup)
	}
}

func TestWriteBackupLeavesNothing(t *testing.T) {
	t.Run("folder exists", func(t *testing.T) {
		b := backup(t)
		before := names(t, b.Dir)
		if again, err := hive.WriteBackup(b.Dir, hive.Files{Primary: []byte("other")}, someManifest()); again != nil || !errors.Is(err, hive.ErrBackup) || !errors.Is(err, fs.ErrExist) {
			t.Errorf("WriteBackup = %v, %v, want %v, %v", again, err, hive.ErrBackup, fs.ErrExist)
		}
		if diff := cmp.Diff(before, names(t, b.Dir)); diff != "" {
			t.Errorf("the other backup's files (-before +after):\n%s", diff)
		}
		if files, err := b.Read(); err != nil || !bytes.Equal(files.Primary, someFiles.Primary) {
			t.Errorf("the other backup is damaged: %v", err)
		}
	})
	t.Run("below a file", func(t *testing.T) {
		file := writeTemp(t, nil)
		if b, err := hive.WriteBackup(filepath.Join(file, "run", "1"), someFiles, someManifest()); b != nil || !errors.Is(err, hive.ErrBackup) {
			t.Errorf("WriteBackup = %v, %v, want %v", b, err, hive.ErrBackup)
		}
	})
	t.Run("no permission", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		probe, err := os.Create(filepath.Join(dir, "probe"))
		if err == nil {
			probe.Close()
			remove(t, dir, "probe")
			t.Skip("permissions do not bind this user")
		}
		if b, err := hive.WriteBackup(filepath.Join(dir, "run"), someFiles, someManifest()); b != nil || !errors.Is(err, hive.ErrBackup) || len(names(t, dir)) > 0 {
			t.Errorf("WriteBackup = %v, %v, want %v and an empty folder", b, err, hive.ErrBackup)
		}
	})
	t.Run("manifest that cannot be written", func(t *testing.T) {
		dir := t.TempDir()
		m := someManifest()
		m.Time = time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC) // JSON has no such year
		if b, err := hive.WriteBackup(filepath.Join(dir, "run"), someFiles, m); b != nil || !errors.Is(err, hive.ErrBackup) || len(names(t, dir)) > 0 {
			t.Errorf("WriteBackup = %v, %v, want %v and an empty folder, not %v", b, err, hive.ErrBackup, names(t, dir))
		}
	})
}

// FuzzParseManifest: what is accepted says the same when written and read again, and
// names a hive; a refused one gives nothing.
func FuzzParseManifest(f *testing.F) {
	m := someManifest()
	m.Format, m.Files = 1, []hive.BackupFile{{Name: "SYSTEM", Size: 1, SHA256: "00"}}
	text, err := json.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"format":1,"files":[{"name":"SYSTEM"}],"edits":[{"key":["\ud800"],"old":{"type":4294967295,"data":"0A"}}]}`))
	f.Add([]byte(`{"format":1,"files":[{"name":"SYSTEM"}],"time":"2018-05-09T00:00:00+09:00","edits":[null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := hive.ParseManifest(text)
		if err != nil {
			if m != nil || !errors.Is(err, hive.ErrBackup) {
				t.Fatalf("ParseManifest = %v, %v, want nil, %v", m, err, hive.ErrBackup)
			}
			return
		}
		if !slices.ContainsFunc(m.Files, func(f hive.BackupFile) bool { return f.Name == "SYSTEM" }) {
			t.Error("a manifest without a hive is accepted")
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatalf("Marshal: %v", err)
		}
		second, err := hive.ParseManifest(again)
		if err != nil {
			t.Fatalf("ParseManifest(%s): %v", again, err)
		}
		if diff := cmp.Diff(m, second); diff != "" {
			t.Errorf("second reading (-first +second):\n%s", diff)
		}
	})
}
