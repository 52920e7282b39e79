package stick

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// small is the stick that tests damage: every kind of entry, few clusters. The
// root is cluster 2, the folders 3 to 6, then the files.
func small() *Image {
	return &Image{
		Size: 34 << 20, DiskID: 1, VolumeID: 2, Label: "UNLOOP", Core: []byte("core"),
		Time: time.Date(2026, 5, 17, 12, 34, 56, 0, time.UTC),
		Files: []File{
			{Path: "a", Data: noise(1200, 1)}, // clusters 7, 8, 9
			{Path: "dir/deeper/復旧 report.txt", Data: []byte("text")},
			{Path: "dir/empty"},
			{Path: "full", Dir: true},
			{Path: "records", Dir: true},
		},
	}
}

// damaged writes an image and changes it.
func damaged(t testing.TB, im *Image, change func(disk *memory, l *layout)) *memory {
	t.Helper()
	disk := newMemory(im.Size)
	l, err := im.lay()
	if err == nil {
		err = im.Write(disk)
	}
	if err != nil {
		t.Fatal(err)
	}
	change(disk, l)
	return disk
}

func le16(n uint16) []byte { return binary.LittleEndian.AppendUint16(nil, n) }
func le32(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

// Whatever is wrong on a disk is said, and where.
func TestReadRefuses(t *testing.T) {
	const boot = 1 << 20
	at := func(where int64, b []byte) func(*memory, *layout) {
		return func(disk *memory, _ *layout) { disk.WriteAt(b, where) }
	}
	fat := func(cluster, value int64) func(*memory, *layout) {
		return func(disk *memory, l *layout) {
			disk.WriteAt(le32(uint32(value)), boot+l.reserved*512+4*cluster)
		}
	}
	// entry changes byte i of the nth entry of a folder.
	entry := func(folder, n, i int64, b []byte) func(*memory, *layout) {
		return func(disk *memory, l *layout) { disk.WriteAt(b, l.offset(folder)+32*n+i) }
	}
	tests := []struct {
		name   string
		change func(*memory, *layout)
		want   error
		text   string
	}{
		{"no signature", at(510, le16(0)), ErrNotStick, "sector 0 has no signature"},
		{"NTFS partition", at(450, []byte{7}), ErrNotStick, "not one partition of FAT32"},
		{"partition elsewhere", at(454, le32(63)), ErrNotStick, "not one partition"},
		{"second partition", at(462+4, []byte{0x83}), ErrNotStick, "not one partition"},
		{"partition too long", at(458, le32(1<<31)), ErrDamaged, "partition ends at"},
		{"no volume", at(boot+510, le16(0)), ErrNotStick, "holds no FAT32"},
		{"sectors of 4096", at(boot+11, le16(4096)), ErrNotStick, "holds no FAT32"},
		{"FAT16", at(boot+22, le16(200)), ErrNotStick, "holds no FAT32"},
		{"cluster of 0", at(boot+13, []byte{0}), ErrDamaged, "boot sector"},
		{"cluster of 3", at(boot+13, []byte{3}), ErrDamaged, "boot sector"},
		{"no reserved sectors", at(boot+14, le16(0)), ErrDamaged, "boot sector"},
		{"no FAT", at(boot+16, []byte{0}), ErrDamaged, "boot sector"},
		{"three FATs", at(boot+16, []byte{3}), ErrDamaged, "boot sector"},
		{"volume longer than partition", at(boot+32, le32(1<<20)), ErrDamaged, "boot sector"},
		{"FAT too long", at(boot+36, le32(1<<31)), ErrDamaged, "boot sector"},
		{"FAT too short", at(boot+36, le32(100)), ErrDamaged, "boot sector"},
		{"too few clusters", at(boot+13, []byte{2}), ErrDamaged, "boot sector"},
		{"no root", at(boot+44, le32(0)), ErrDamaged, "no cluster 0"},
		{"root out of the volume", at(boot+44, le32(1<<27)), ErrDamaged, "no cluster 134217728"},

		{"free cluster in a chain", fat(8, 0), ErrDamaged, "no cluster 0"},
		{"reserved cluster in a chain", fat(8, 1), ErrDamaged, "no cluster 1"},
		{"bad cluster in a chain", fat(8, 0x0FFFFFF7), ErrDamaged, "no cluster"},
		{"chain out of the volume", fat(8, 1<<20), ErrDamaged, "no cluster 1048576"},
		{"chain ends early", fat(8, endOfChain), ErrDamaged, `"a": file of 1200 bytes has clusters for 1024`},
		{"circle", fat(9, 7), ErrDamaged, "cluster 7 belongs to two files"},
		{"two files in one", fat(9, 10), ErrDamaged, "belongs to two files"},
		{"root in a circle", fat(2, 2), ErrDamaged, "cluster 2 belongs"},

		{"file is longer", entry(2, 2, 28, le32(1537)), ErrDamaged, `"a": file of 1537 bytes`},
		{"file of 4 GiB", entry(2, 2, 28, le32(1<<32-1)), ErrDamaged, `"a": file of 4294967295 bytes`},
		{"file without clusters", entry(2, 2, 26, le16(0)), ErrDamaged, "no cluster 0"},
		{"file in the root's cluster", entry(2, 2, 26, le16(2)), ErrDamaged, "cluster 2 belongs"},
		{"folder is its parent", entry(3, 3, 26, le16(3)), ErrDamaged, "cluster 3 belongs"},
		{"folder is a file", entry(2, 2, 11, []byte{attrDir}), ErrDamaged, `folder "a`},
		{"name of control characters", entry(2, 2, 0, []byte{1}), ErrDamaged, "not a name"},
		{"name of another code page", entry(2, 2, 0, []byte{0x83}), ErrDamaged, "not a name"},
		{"no name", entry(2, 2, 0, []byte("           ")), ErrDamaged, "not a name"},
		{"name of a path", entry(2, 1, 1, le16('/')), ErrDamaged, "not a name"},
		{"name twice", entry(2, 6, 0, []byte("A          ")), ErrDamaged, "name is taken twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			disk := damaged(t, small(), tt.change)
			im, err := Read(disk, disk.size)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) || im != nil {
				t.Errorf("Read() = %v, want %v with %q", err, tt.want, tt.text)
			}
		})
	}
	for _, size := range []int64{-1, 0, 511, 1 << 20} {
		if _, err := Read(newMemory(size), size); !errors.Is(err, ErrNotStick) {
			t.Errorf("Read() of %d bytes = %v, want ErrNotStick", size, err)
		}
	}
}

// What a used stick may hold is no damage.
func TestReadUsed(t *testing.T) {
	names := func(im *Image) (all []string) {
		for _, f := range im.Files {
			all = append(all, f.Path)
		}
		return all
	}
	whole := names(&Image{Files: func() []File { root, _ := plant(small().Files); return root.flat() }()})
	tests := []struct {
		name   string
		change func(*memory, *layout)
		want   []string
	}{
		{"as made", func(*memory, *layout) {}, whole},
		{"deleted file", func(d *memory, l *layout) { d.WriteAt([]byte{0xE5}, l.offset(2)+2*32) }, whole[1:]},
		{"end of the folder", func(d *memory, l *layout) { d.WriteAt([]byte{0}, l.offset(2)+3*32) }, whole[:1]},
		{"short name of Windows in lower case", func(d *memory, l *layout) {
			d.WriteAt([]byte("AB      TXT\x20\x18"), l.offset(2)+2*32)
		}, append([]string{"ab.txt"}, whole[1:]...)},
		{"long name of another file", func(d *memory, l *layout) { d.WriteAt([]byte{0x55}, l.offset(2)+32+13) }, append([]string{"A"}, whole[1:]...)},
		{"empty file with a cluster", func(d *memory, l *layout) { d.WriteAt(le32(0), l.offset(2)+2*32+28) }, whole},
		{"first FAT only", func(d *memory, l *layout) { d.WriteAt(noise(4096, 5), 1<<20+(l.reserved+l.fat)*512) }, whole},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			disk := damaged(t, small(), tt.change)
			im, err := Read(disk, disk.size)
			if err != nil {
				t.Fatal(err)
			}
			if got := names(im); !slices.Equal(got, tt.want) {
				t.Errorf("read %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzRead changes bytes of a small stick: pairs of a place, among the sectors
// that say something, and a value. Whatever Read accepts can be written, and is
// then read back the same.
func FuzzRead(f *testing.F) {
	im := small()
	disk := newMemory(im.Size)
	l, err := im.lay()
	if err == nil {
		err = im.Write(disk)
	}
	if err != nil {
		f.Fatal(err)
	}
	var places []int64
	add := func(at, n int64) {
		for i := range n {
			places = append(places, at+i)
		}
	}
	add(440, 72)
	add(1<<20, 96)
	add(1<<20+l.reserved*512, 4*(l.used+4))
	for c := int64(2); c < 7; c++ {
		add(l.offset(c), 512)
	}
	f.Add([]byte{})
	for _, i := range []int{14, 18, 22, 76, 77, 85, 88, 100, 110, 120, 168 + 20, 168 + 28, 168 + 32, 168 + 36, 240, 250, 270, 280, 800, 1300, 2000} {
		f.Add([]byte{byte(i >> 8), byte(i), 0xFF})
		f.Add([]byte{byte(i >> 8), byte(i), 0x02, byte((i + 1) >> 8), byte(i + 1), 0x00})
	}
	f.Fuzz(func(t *testing.T, patch []byte) {
		for len(patch) >= 3 {
			at := places[int(binary.BigEndian.Uint16(patch))%len(places)]
			old := make([]byte, 1)
			disk.ReadAt(old, at)
			defer disk.WriteAt(old, at)
			disk.WriteAt(patch[2:3], at)
			patch = patch[3:]
		}
		first, err := Read(disk, disk.size)
		if err != nil {
			if first != nil {
				t.Fatalf("an image in spite of %v", err)
			}
			return
		}
		checkRoundTrip(t, first)
	})
}

// checkRoundTrip writes what was read. Its label may be one we do not write.
func checkRoundTrip(t *testing.T, im *Image) {
	if checkLabel(im.Label) != nil {
		im.Label = ""
	}
	again := newMemory(im.Size)
	if err := im.Write(again); err != nil {
		t.Fatalf("read, but not to be written: %v", err)
	}
	if err := im.Verify(again); err != nil {
		t.Fatal(err)
	}
}
