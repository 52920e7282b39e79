package image

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// need skips a test whose outside tools are missing; where CI=true they must
// be there.
func need(t testing.TB, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing", tool)
			}
			t.Skipf("%s is missing", tool)
		}
	}
}

// needRoot skips what only root may do: mounting, loop devices.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not root: cannot mount or attach loop devices")
	}
}

func run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out.Bytes(), errs.Bytes())
	}
	return out.Bytes()
}

// hiveBytes is what a hive looks like to this package: a first sector with
// the right signature, then bytes that differ everywhere.
func hiveBytes(n int) []byte {
	b := make([]byte, n)
	x := uint32(n)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	copy(b, "regf")
	return b
}

// makeNTFS makes an NTFS volume in a file and fills it through fill, which
// gets the folder it is mounted on.
func makeNTFS(t testing.TB, size int64, fill func(root string), options ...string) string {
	t.Helper()
	need(t, "mkntfs", "ntfs-3g", "umount")
	needRoot(t)
	dir := t.TempDir()
	img := filepath.Join(dir, "volume.img")
	if err := os.WriteFile(img, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(img, size); err != nil {
		t.Fatal(err)
	}
	args := []string{"-F", "-Q", "-q", "-p", "0", "-H", "0", "-S", "0"}
	if !slices.Contains(options, "-s") {
		args = append(args, "-s", "512")
	}
	run(t, "mkntfs", append(append(args, options...), img)...)
	onNTFS(t, img, "", fill)
	return img
}

// onNTFS mounts a volume with ntfs-3g while f runs.
func onNTFS(t testing.TB, img, options string, f func(root string)) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "mnt")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	if options != "" {
		options = "," + options
	}
	run(t, "ntfs-3g", "-o", "noatime"+options, img, root)
	mounted := true
	defer func() {
		if mounted {
			unmount(t, root)
		}
	}()
	f(root)
	unmount(t, root)
	mounted = false
}

// unmount waits until the driver has let go of the image.
func unmount(t testing.TB, root string) {
	t.Helper()
	run(t, "umount", root)
	for i := 0; i < 200; i++ {
		if exec.Command("fuser", "-s", root).Run() != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func mkdir(t testing.TB, elem ...string) string {
	t.Helper()
	dir := filepath.Join(elem...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t testing.TB, data []byte, elem ...string) string {
	t.Helper()
	path := filepath.Join(elem...)
	mkdir(t, filepath.Dir(path))
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeWindows puts a hive and a log where Windows 7 has them.
func writeWindows(t testing.TB, root string, hive []byte) {
	t.Helper()
	write(t, hive, root, "Windows/System32/config/SYSTEM")
	write(t, make([]byte, 256<<10), root, "Windows/System32/config/SYSTEM.LOG1")
}

// open opens a source and closes it after the test.
func open(t testing.TB, path string) *Source {
	t.Helper()
	s, err := Host{}.Open(path)
	if err != nil {
		t.Fatalf("Open(%q): %v", path, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Errorf("closing %s: %v", path, err)
		}
	})
	return s
}

// only is the one installation of a source.
func only(t testing.TB, s *Source) *Installation {
	t.Helper()
	if all := s.Installations(); len(all) != 1 {
		t.Fatalf("%s: %d installations, want 1; problems %v", s.Path(), len(all), s.Problems())
	}
	return s.Installations()[0]
}

func openFile(t testing.TB, in *Installation, name string) *File {
	t.Helper()
	f, err := in.Open(name)
	if err != nil {
		t.Fatalf("Open(%q): %v", name, err)
	}
	return f
}

// readAll reads a whole file.
func readAll(t testing.TB, f *File) []byte {
	t.Helper()
	b := make([]byte, f.Size())
	if n, err := f.ReadAt(b, 0); n != len(b) {
		t.Fatalf("%s: read %d of %d bytes: %v", f.Label(), n, len(b), err)
	}
	return b
}
