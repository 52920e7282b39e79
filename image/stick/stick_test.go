package stick

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// What was written is read back the same, on disks of every cluster size.
func TestWriteRead(t *testing.T) {
	for _, size := range sizes {
		im := sample(size.bytes)
		disk := newMemory(size.bytes)
		if err := im.Write(disk); err != nil {
			t.Fatalf("%s: %v", size.name, err)
		}
		if err := im.Verify(disk); err != nil {
			t.Errorf("%s: %v", size.name, err)
		}
	}
}

// Nothing but the image decides about the bytes, not even the order of files.
func TestReproducible(t *testing.T) {
	sum := func(im *Image) string {
		b, err := os.ReadFile(write(t, im))
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(b)) != im.Size {
			t.Errorf("file of %d bytes, want %d", len(b), im.Size)
		}
		return fmt.Sprintf("%x", sha256.Sum256(b))
	}
	a, b := sample(64<<20), sample(64<<20)
	slices.Reverse(b.Files)
	b.Time = b.Time.In(time.FixedZone("JST", 9*3600)).Add(time.Second)
	if x, y := sum(a), sum(b); x != y {
		t.Errorf("%s and %s", x, y)
	}
}

// A disk that held something else before is the same to every reader.
func TestOverOldData(t *testing.T) {
	im := sample(64 << 20)
	old := newMemory(im.Size)
	old.WriteAt(noise(int(im.Size), 77), 0)
	if err := im.Write(old); err != nil {
		t.Fatal(err)
	}
	if err := im.Verify(old); err != nil {
		t.Error(err)
	}
	end, err := im.Length()
	if err != nil {
		t.Fatal(err)
	}
	a, b := make([]byte, end), make([]byte, end)
	new := newMemory(im.Size)
	if err := im.Write(new); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(readFull(old, a, 0), readFull(new, b, 0)); err != nil || !bytes.Equal(a, b) {
		t.Errorf("they differ; %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	base := func(files ...File) *Image { return &Image{Size: 64 << 20, Files: files} }
	long := strings.Repeat("x", 255)
	tests := []struct {
		name string
		im   *Image
		want error
	}{
		{"nothing", &Image{}, ErrTooSmall},
		{"negative", &Image{Size: -1}, ErrTooSmall},
		{"below FAT32", &Image{Size: 33 << 20}, ErrTooSmall},
		{"content", base(File{Path: "x", Data: make([]byte, 63<<20)}), ErrTooSmall},
		{"boot code", &Image{Size: 64 << 20, BootCode: make([]byte, 441)}, ErrBootCode},
		{"core", &Image{Size: 64 << 20, Core: make([]byte, 1<<20-511)}, ErrBootCode},
		{"twice", base(File{Path: "a"}, File{Path: "a"}), ErrDuplicate},
		{"twice but for case", base(File{Path: "a/b"}, File{Path: "a/B"}), ErrDuplicate},
		{"folders but for case", base(File{Path: "EFI/a"}, File{Path: "efi/b"}), ErrDuplicate},
		{"Japanese but for case", base(File{Path: "ａ"}, File{Path: "Ａ"}), ErrDuplicate},
		{"folder twice", base(File{Path: "a", Dir: true}, File{Path: "a", Dir: true}), ErrDuplicate},
		{"file and folder", base(File{Path: "a"}, File{Path: "a/b"}), ErrDuplicate},
		{"folder and file", base(File{Path: "a/b"}, File{Path: "a"}), ErrDuplicate},
		{"folder with content", base(File{Path: "a", Dir: true, Data: []byte("x")}), ErrBadName},
		{"no name", base(File{}), ErrBadName},
		{"absolute", base(File{Path: "/a"}), ErrBadName},
		{"ends in a slash", base(File{Path: "a/", Dir: true}), ErrBadName},
		{"up", base(File{Path: "../a"}), ErrBadName},
		{"here", base(File{Path: "./a"}), ErrBadName},
		{"colon", base(File{Path: "a:b"}), ErrBadName},
		{"backslash", base(File{Path: `a\b`}), ErrBadName},
		{"control", base(File{Path: "a\nb"}), ErrBadName},
		{"not UTF-8", base(File{Path: "a\xff"}), ErrBadName},
		{"dot at the end", base(File{Path: "a."}), ErrBadName},
		{"space at the end", base(File{Path: "a /b"}), ErrBadName},
		{"device", base(File{Path: "a/Nul.txt"}), ErrBadName},
		{"numbered device", base(File{Path: "com1"}), ErrBadName},
		{"256 characters", base(File{Path: long + "x"}), ErrBadName},
		{"256 units", base(File{Path: strings.Repeat("😀", 128)}), ErrBadName},
		{"label too long", &Image{Size: 64 << 20, Label: "TWELVE CHARS"}, ErrBadName},
		{"label in lower case", &Image{Size: 64 << 20, Label: "unloop"}, ErrBadName},
		{"Japanese label", &Image{Size: 64 << 20, Label: "復旧"}, ErrBadName},
		{"no label", &Image{Size: 64 << 20, Label: "NO NAME"}, ErrBadName},

		{"core that just fits", &Image{Size: 64 << 20, Core: noise(1<<20-512, 1)}, nil},
		{"label that just fits", &Image{Size: 64 << 20, Label: "ELEVEN CHAR"}, nil},
		{"255 characters", base(File{Path: long + "/" + long}), nil},
		{"254 units", base(File{Path: strings.Repeat("😀", 127)}), nil},
		{"like a device", base(File{Path: "a/nulls"}, File{Path: "com10"}, File{Path: "console.txt"}), nil},
		{"dots and spaces", base(File{Path: " .a..b c"}, File{Path: "...c"}), nil},
		{"no files", base(), nil},
		{"before 1980", &Image{Size: 64 << 20, Time: time.Unix(0, 0), Files: []File{{Path: "a"}}}, nil},
		{"after 2107", &Image{Size: 64 << 20, Time: time.Unix(1<<33, 0), Files: []File{{Path: "a"}}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			disk := newMemory(tt.im.Size)
			err := tt.im.Write(disk)
			if !errors.Is(err, tt.want) {
				t.Fatalf("Write() = %v, want %v", err, tt.want)
			}
			if tt.want != nil && len(disk.pages) > 0 {
				t.Error("something was written")
			}
			if tt.want == nil {
				if err := tt.im.Verify(disk); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if err := (&Image{Size: 3 << 40}).Write(newMemory(0)); err == nil {
		t.Error("a disk of 3 TiB has more sectors than an MBR can count, but no error")
	}
}

// Every size either holds FAT32 or is refused, and all clusters lie on it.
func TestEverySize(t *testing.T) {
	good := 0
	for size := int64(0); size < 2<<40; size = size*33/32 + 3*512 {
		g, err := layOut(size)
		if err != nil {
			if !errors.Is(err, ErrTooSmall) || size >= 34<<20 {
				t.Errorf("layOut(%d) = %v", size, err)
			}
			continue
		}
		good++
		if g.offset(rootCluster+g.clusters) > size || g.offset(rootCluster+g.clusters+1) <= size-g.bytes() {
			t.Errorf("layOut(%d) = %+v: the last cluster ends at %d", size, g, g.offset(rootCluster+g.clusters))
		}
		if g.fat*512 < 4*(g.clusters+2) || g.fat*512 > 4*(g.clusters+2)+4096 || g.offset(2)%max(4096, g.bytes()) != 0 {
			t.Errorf("layOut(%d) = %+v", size, g)
		}
	}
	if good < 100 {
		t.Errorf("only %d sizes", good)
	}
}

// errFull is what a failing disk says.
var errFull = errors.New("no more")

// failing is a disk that takes so many bytes and no more.
type failing struct{ room int64 }

func (f failing) WriteAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > f.room {
		return 0, errFull
	}
	return len(p), nil
}

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, errFull }

func TestDiskErrors(t *testing.T) {
	im := sample(64 << 20)
	for _, room := range []int64{0, 100, 1 << 20, 5 << 20, 64<<20 - 1} {
		if err := im.Write(failing{room}); !errors.Is(err, errFull) {
			t.Errorf("Write() with room for %d = %v, want %v", room, err, errFull)
		}
	}
	if err := im.Write(failing{64 << 20}); err != nil {
		t.Error(err)
	}
	if _, err := Read(failing{}, im.Size); !errors.Is(err, errFull) {
		t.Errorf("Read() = %v, want %v", err, errFull)
	}
	if err := im.Verify(failing{}); !errors.Is(err, errFull) {
		t.Errorf("Verify() = %v, want %v", err, errFull)
	}
	disk := newMemory(im.Size)
	if err := im.Write(disk); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{2 << 20, 5 << 20, 11 << 20} {
		short := &memory{pages: disk.pages, size: size}
		if _, err := Read(short, im.Size); !errors.Is(err, ErrDamaged) {
			t.Errorf("Read() of the first %d bytes = %v, want ErrDamaged", size, err)
		}
		if _, err := Read(short, size); err == nil {
			t.Errorf("Read() of a disk of %d bytes = nil", size)
		}
	}
}

// A flipped bit is found wherever it lies, and the place is named.
func TestVerify(t *testing.T) {
	im := sample(64 << 20)
	disk := newMemory(im.Size)
	if err := im.Write(disk); err != nil {
		t.Fatal(err)
	}
	l, err := im.lay()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		at   int64
		want string
	}{
		{0, "partition table and boot code"},
		{440, "partition table and boot code"},
		{600, "partition table and boot code"},
		{1<<20 - 1, "partition table and boot code"},
		{1<<20 + 67, "boot sector of the volume"},
		{1<<20 + 3000, "boot sector of the volume"},
		{1<<20 + l.reserved*512 + 9, "file allocation table"},
		{l.offset(2) - 1, "file allocation table"},
		{l.offset(2), `""`},
		{l.end() - 600, `"日本語/復旧 レポート.txt"`},
		{l.end() - 1, `"日本語/😀.txt"`},
		{im.Size - 1, "unused part"},
	} {
		b := make([]byte, 1)
		if err := readFull(disk, b, tt.at); err != nil {
			t.Fatal(err)
		}
		disk.WriteAt([]byte{b[0] ^ 4}, tt.at)
		if err := im.Verify(disk); !errors.Is(err, ErrDiffers) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("flipped at 0x%x: %v, want %v in %s", tt.at, err, ErrDiffers, tt.want)
		}
		disk.WriteAt(b, tt.at)
	}
	if err := im.Verify(disk); err != nil {
		t.Error(err)
	}
}

// What differs between an image and what was read is named.
func TestSame(t *testing.T) {
	path := write(t, sample(64<<20))
	for _, tt := range []struct {
		name   string
		change func(*Image)
	}{
		{"volume C0DE-0043", func(im *Image) { im.VolumeID++ }},
		{"disk 1234ABCE", func(im *Image) { im.DiskID++ }},
		{`"OTHER"`, func(im *Image) { im.Label = "OTHER" }},
		{"boot code", func(im *Image) { im.Core = im.Core[1:] }},
		{"time 2026-05-17 12:34:58", func(im *Image) { im.Time = im.Time.Add(2 * time.Second) }},
		{`"empty"`, func(im *Image) { im.Files[5].Data = []byte("x") }},
		{`"empty"`, func(im *Image) { im.Files[5].Dir = true }},
		{`"empty"`, func(im *Image) { im.Files = slices.Delete(im.Files, 5, 6) }},
		{`"日本語/😀"`, func(im *Image) { im.Files = append(im.Files, File{Path: "日本語/😀"}) }},
	} {
		im := sample(64 << 20)
		tt.change(im)
		if err := im.same(readBack(t, path)); !errors.Is(err, ErrDiffers) || !strings.Contains(err.Error(), tt.name) {
			t.Errorf("same() = %v, want %s", err, tt.name)
		}
	}
}

func TestRenumber(t *testing.T) {
	im := sample(64 << 20)
	im.Renumber(1, 0xDEAD0001)
	text := func(path string) string {
		i := slices.IndexFunc(im.Files, func(f File) bool { return f.Path == path })
		return string(im.Files[i].Data)
	}
	if im.DiskID != 1 || VolumeIDText(im.VolumeID) != "DEAD-0001" {
		t.Errorf("disk %X, volume %s", im.DiskID, VolumeIDText(im.VolumeID))
	}
	if a, b := text("EFI/BOOT/grub.cfg"), text("boot/grub/grub.cfg"); a != "search --fs-uuid DEAD-0001\n" || b != "# DEAD-0001 and dead-0001\n" {
		t.Errorf("%q, %q", a, b)
	}
}

// Write goes forward in whole pieces, as flash likes it.
func TestPieces(t *testing.T) {
	im := sample(64 << 20)
	end, err := im.Length()
	if err != nil {
		t.Fatal(err)
	}
	var w recorder
	if err := im.Write(&w); err != nil {
		t.Fatal(err)
	}
	at := int64(0)
	for _, p := range w[:len(w)-1] {
		if p[0] != at || p[1] != min(pieceSize, end-at) {
			t.Fatalf("%d bytes at %d, want %d at %d", p[1], p[0], min(pieceSize, end-at), at)
		}
		at += p[1]
	}
	if last := w[len(w)-1]; at != end || last != [2]int64{im.Size - 512, 512} {
		t.Errorf("ends at %d, then %v; want %d", at, last, end)
	}
}

type recorder [][2]int64

func (r *recorder) WriteAt(p []byte, at int64) (int, error) {
	*r = append(*r, [2]int64{at, int64(len(p))})
	return len(p), nil
}

var _ io.WriterAt = (*recorder)(nil)

func BenchmarkWrite(b *testing.B) {
	im := &Image{Size: 128 << 20, Files: []File{{Path: "x", Data: noise(100<<20, 1)}}}
	for i := range 1000 {
		im.Files = append(im.Files, File{Path: fmt.Sprintf("many/file number %d", i), Data: []byte("x")})
	}
	f, err := os.Create(b.TempDir() + "/stick.img")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.SetBytes(100 << 20)
	for b.Loop() {
		if err := im.Write(f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	path := write(b, &Image{Size: 128 << 20, Files: []File{{Path: "x", Data: noise(100<<20, 1)}}})
	b.SetBytes(100 << 20)
	for b.Loop() {
		readBack(b, path)
	}
}
