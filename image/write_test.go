package image

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"testing"
)

// A hive of 300 extents, changed sector by sector and in one go, without any
// outside tool: only its own sectors change, and all of it reads back.
func TestWriteScattered(t *testing.T) {
	img := write(t, seedVolume(t), t.TempDir(), "volume.img")
	s := open(t, img)
	f := openFile(t, only(t, s), "SYSTEM")
	if err := s.Refusal(only(t, s)); err != nil {
		t.Fatal(err)
	}
	if err := s.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	want := seedHive()
	for i := range want {
		want[i] ^= 0xFF
	}
	for off := 0; off < 20*512; off += 512 {
		if _, err := f.WriteAt(want[off:off+512], int64(off)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := f.WriteAt(want[20*512:], 20*512); n != len(want)-20*512 || err != nil {
		t.Fatalf("WriteAt = %d, %v", n, err)
	}
	if err := errors.Join(f.Sync(), f.DropCache()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readAll(t, f), want) {
		t.Error("reads back as something else")
	}
	after := seedVolume(t)
	for _, e := range f.Extents() {
		copy(after[e.DeviceOffset:], want[e.FileOffset:min(e.FileOffset+e.Length, f.Size())])
	}
	if !bytes.Equal(mustRead(t, img), after) {
		t.Error("something outside of the file changed")
	}
}

// Looking, reading and asking for refusals writes nothing.
func TestReadingWritesNothing(t *testing.T) {
	img := write(t, seedVolume(t), t.TempDir(), "volume.img")
	if err := os.Chmod(img, 0o400); err != nil {
		t.Fatal(err)
	}
	s := open(t, img)
	in := only(t, s)
	hive := openFile(t, in, "SYSTEM")
	readAll(t, hive)
	s.Refusals(in)
	if err := openFile(t, in, "SYSTEM.LOG1").UsableAsLog(hive); err != nil {
		t.Error(err)
	}
	if err := openFile(t, in, "SYSTEM.LOG2").UsableAsLog(hive); !errors.Is(err, ErrResident) {
		t.Errorf("empty log: %v, want ErrResident", err)
	}
	if _, err := in.Open("SAM"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open(SAM) = %v, want fs.ErrNotExist", err)
	}
	if _, err := hive.WriteAt(make([]byte, 512), 0); err == nil {
		t.Error("WriteAt without BeginWrite succeeded")
	}
	if !bytes.Equal(mustRead(t, img), seedVolume(t)) {
		t.Error("the image changed")
	}
	if os.Getuid() == 0 {
		return // root may write to anything
	}
	if err := s.Refusal(in); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Refusal() = %v, want ErrReadOnly", err)
	}
	if err := s.BeginWrite(); !errors.Is(err, ErrReadOnly) {
		t.Errorf("BeginWrite() = %v, want ErrReadOnly", err)
	}
}

func TestTruncate(t *testing.T) {
	path := write(t, hiveBytes(8192), t.TempDir(), "SYSTEM")
	s := open(t, path)
	f := openFile(t, only(t, s), "SYSTEM")
	if err := f.Truncate(4096); err == nil {
		t.Error("Truncate before BeginWrite succeeded")
	}
	if err := s.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{-1, 8193} {
		if err := f.Truncate(size); err == nil {
			t.Errorf("Truncate(%d) succeeded", size)
		}
	}
	if err := f.Truncate(4096); err != nil || f.Size() != 4096 {
		t.Errorf("Truncate(4096) = %v, Size() = %d", err, f.Size())
	}
	volume := open(t, write(t, seedVolume(t), t.TempDir(), "volume.img"))
	if err := volume.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	if err := openFile(t, only(t, volume), "SYSTEM").Truncate(4096); err == nil {
		t.Error("Truncate of a file on a volume succeeded")
	}
}
