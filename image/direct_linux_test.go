package image

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// written is how many sectors the kernel has written to a device so far.
func written(t *testing.T, dev string) (n int64) {
	t.Helper()
	stat, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(dev), "stat"))
	if err != nil {
		t.Fatal(err)
	}
	if fields := strings.Fields(string(stat)); len(fields) > 6 {
		_, err = fmt.Sscan(fields[6], &n)
	} else {
		err = fmt.Errorf("%d fields", len(fields))
	}
	if err != nil {
		t.Fatalf("reading what was written to %s: %v", dev, err)
	}
	return n
}

// Sectors are written to a device without their neighbours, and read back through the
// cache, which held the old ones.
func TestOnlyItsSectorsAreWritten(t *testing.T) {
	hive := hiveBytes(hiveSize)
	img := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hive) })
	dev := attach(t, img)
	s := open(t, dev)
	f := openFile(t, only(t, s), "SYSTEM")
	if !bytes.Equal(readAll(t, f), hive) {
		t.Fatal("wrong content")
	}
	if err := s.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	readAll(t, f)
	before := written(t, dev)
	for _, part := range [][2]int{{512, 1024}, {5 * 512, 6 * 512}, {8192, 8192 + 2*directSize - 512}} {
		for i := part[0]; i < part[1]; i++ {
			hive[i] ^= 0xFF
		}
		if _, err := f.WriteAt(hive[part[0]:part[1]], int64(part[0])); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(readAll(t, f), hive) {
		t.Error("the cache has something else than what was written")
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if n, want := written(t, dev)-before, int64(2+2*directSize/512-1); n != want {
		t.Errorf("%d sectors were written, want %d", n, want)
	}
}

// What a device does not take past the cache is written through it.
func TestDirectFallsBack(t *testing.T) {
	img := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	s := open(t, attach(t, img))
	if err := s.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	if s.disk.direct == nil {
		t.Fatal("no way past the cache")
	}
	at := s.disk.size - 4096
	if n, ok, err := s.disk.direct.writeAt([]byte("abc"), at+5); n != 0 || ok || err == nil {
		t.Fatalf("three bytes: %d, %v, %v", n, ok, err)
	}
	if n, err := s.disk.WriteAt([]byte("abc"), at+5); n != 3 || err != nil {
		t.Fatalf("WriteAt = %d, %v", n, err)
	}
	got := make([]byte, 3)
	if _, err := s.disk.ReadAt(got, at+5); err != nil || string(got) != "abc" {
		t.Errorf("read back %q, %v", got, err)
	}
}
