package image

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCompressedSparseResident(t *testing.T) {
	need(t, "truncate")
	img := makeNTFS(t, 20<<20, func(root string) {
		write(t, []byte("regf small"), root, systemPath)
		hole := write(t, hiveBytes(8192), root, "Windows/System32/config/SOFTWARE")
		run(t, "truncate", "-s", "1M", hole)
	})
	onNTFS(t, img, "compression", func(root string) {
		dir := mkdir(t, root, "Windows/System32/config/packed")
		// What is made in a folder with the compressed flag is compressed.
		if err := unix.Setxattr(dir, "system.ntfs_attrib_be", []byte{0, 0, 8, 0x10}, 0); err != nil {
			t.Fatal(err)
		}
		write(t, bytes.Repeat([]byte("easily packed. "), 20_000), dir, "SYSTEM")
	})
	s := open(t, img)
	in := only(t, s)
	tests := []struct {
		name string
		want error
	}{{"SYSTEM", ErrResident}, {"SOFTWARE", ErrSparse}, {"packed/SYSTEM", ErrCompressed}}
	for _, tt := range tests {
		f := openFile(t, in, tt.name)
		if err := f.InPlace(); !errors.Is(err, tt.want) {
			t.Errorf("%s: InPlace() = %v, want %v", tt.name, err, tt.want)
		}
	}
	if got := readAll(t, openFile(t, in, "SYSTEM")); string(got) != "regf small" {
		t.Errorf("resident file = %q", got)
	}
	if got, want := readAll(t, openFile(t, in, "SOFTWARE")), append(hiveBytes(8192), make([]byte, 1<<20-8192)...); !bytes.Equal(got, want) {
		t.Error("sparse file: wrong content")
	}
	if _, err := openFile(t, in, "packed/SYSTEM").ReadAt(make([]byte, 512), 0); !errors.Is(err, ErrCompressed) {
		t.Errorf("reading a compressed file: %v, want ErrCompressed", err)
	}
}
