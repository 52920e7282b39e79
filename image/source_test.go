package image

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestBareVolume(t *testing.T) {
	hive := hiveBytes(700_416)
	img := makeNTFS(t, 40<<20, func(root string) { writeWindows(t, root, hive) })
	need(t, "ntfscat")
	s := open(t, img)
	if s.Kind() != KindImage || len(s.Problems()) != 0 || s.SectorSize() != 512 {
		t.Fatalf("kind %v, sectors %d, problems %v", s.Kind(), s.SectorSize(), s.Problems())
	}
	in := only(t, s)
	if want := img + ":/Windows"; in.Label != want {
		t.Errorf("Label = %q, want %q", in.Label, want)
	}
	f := openFile(t, in, "system")
	if want := img + ":/Windows/System32/config/SYSTEM"; f.Label() != want {
		t.Errorf("Label() = %q, want %q", f.Label(), want)
	}
	if got := readAll(t, f); !bytes.Equal(got, hive) {
		t.Error("content differs from what was written")
	}
	if got := run(t, "ntfscat", img, "/Windows/System32/config/SYSTEM"); !bytes.Equal(got, hive) {
		t.Error("ntfscat reads something else")
	}
	if err := s.Refusal(in); err != nil {
		t.Errorf("Refusal() = %v, want nil", err)
	}
	if err := openFile(t, in, "SYSTEM.LOG1").UsableAsLog(f); err != nil {
		t.Errorf("UsableAsLog() = %v, want nil", err)
	}
}

func TestWriteInPlace(t *testing.T) {
	hive := hiveBytes(700_416)
	img := makeNTFS(t, 40<<20, func(root string) { writeWindows(t, root, hive) })
	before, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, img)
	f := openFile(t, only(t, s), "SYSTEM")
	patch := bytes.Repeat([]byte{0xA5}, 1024)
	if _, err := f.WriteAt(patch, 512*77); err == nil {
		t.Fatal("WriteAt before BeginWrite succeeded")
	}
	if err := s.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(patch, 512*77); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := f.DropCache(); err != nil {
		t.Fatal(err)
	}
	copy(hive[512*77:], patch)
	if !bytes.Equal(readAll(t, f), hive) {
		t.Error("the file is not what was written")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "ntfscat", img, "/Windows/System32/config/SYSTEM"); !bytes.Equal(got, hive) {
		t.Error("ntfscat does not see the change")
	}
	after, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	if n := sectorsChanged(before, after); n != 2 {
		t.Errorf("%d sectors changed, want 2", n)
	}
	if out := run(t, "ntfsfix", "-n", img); !strings.Contains(string(out), "processed successfully") {
		t.Errorf("ntfsfix: %s", out)
	}
}

func sectorsChanged(a, b []byte) int {
	n := 0
	for i := 0; i < len(a); i += sectorSize {
		if !bytes.Equal(a[i:i+sectorSize], b[i:i+sectorSize]) {
			n++
		}
	}
	return n
}
