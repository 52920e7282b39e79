package stick

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/fat32"
	"github.com/diskfs/go-diskfs/partition/mbr"
	"github.com/google/go-cmp/cmp"
)

// sizes of disks, with the cluster size in bytes that they get.
var sizes = []struct {
	name    string
	bytes   int64
	cluster int
}{
	{"34MiB", 34 << 20, 512},
	{"64MiB", 64 << 20, 512},
	{"95MiB", 95 << 20, 512},
	{"261MiB", 261 << 20, 512}, // the partition has 260
	{"262MiB", 262 << 20, 4096},
	{"512MiB", 512<<20 + 512*13, 4096}, // an odd number of sectors
	{"8GiB", 8 << 30, 4096},
	{"8.1GiB", 8<<30 + 100<<20, 8192},
	{"17GiB", 17 << 30, 16384},
	{"32GiB", 32<<30 + 1<<20, 16384},
	{"64GiB", 64 << 30, 32768},
}

// partitionOf writes the volume of an image without the disk around it.
type partitionOf struct{ f *os.File }

func (p partitionOf) WriteAt(b []byte, at int64) (int, error) {
	skip := max(0, min(partitionStart*sectorSize-at, int64(len(b))))
	if _, err := p.f.WriteAt(b[skip:], at+skip-partitionStart*sectorSize); err != nil {
		return 0, err
	}
	return len(b), nil
}

// fsck.fat finds nothing to say but how full the volume is.
func TestFsck(t *testing.T) {
	need(t, "fsck.fat")
	for _, size := range sizes {
		t.Run(size.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "volume.img")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			im := sample(size.bytes)
			if err := im.Write(partitionOf{f}); err != nil {
				t.Fatal(err)
			}
			said := strings.Split(strings.TrimSpace(tool(t, "fsck.fat", "-n", "-v", path)), "\n")
			whole := strings.Join(said, "\n")
			if !regexp.MustCompile(`: 327 files, \d+/\d+ clusters$`).MatchString(said[len(said)-1]) {
				t.Errorf("fsck.fat says:\n%s", whole)
			}
			for _, bad := range []string{"differ", "Free cluster", "Reclaim", "dirty", "wrong", "Bad", "not ", "Start (", "Auto"} {
				if strings.Contains(whole, bad) {
					t.Errorf("fsck.fat says %q:\n%s", bad, whole)
				}
			}
			if want := fmt.Sprintf("%10d bytes per cluster", size.cluster); !strings.Contains(whole, want) {
				t.Errorf("not %q:\n%s", want, whole)
			}
		})
	}
}

// sfdisk and go-diskfs agree on the partition table.
func TestPartitionTable(t *testing.T) {
	need(t, "sfdisk")
	for _, size := range sizes {
		path := write(t, sample(size.bytes))
		if said := tool(t, "sfdisk", "--verify", path); !strings.Contains(said, "No errors detected") || strings.Contains(said, "arning") {
			t.Errorf("%s: sfdisk --verify says: %s", size.name, said)
		}
		dump := tool(t, "sfdisk", "--dump", path)
		sectors := size.bytes/512 - 2048
		for _, want := range []string{"label-id: 0x1234abcd", fmt.Sprintf("start= %11d, size= %11d, type=c, bootable", 2048, sectors)} {
			if !strings.Contains(dump, want) {
				t.Errorf("%s: sfdisk --dump does not say %q:\n%s", size.name, want, dump)
			}
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		table, err := mbr.Read(file.New(f, true), 512, 512)
		if err != nil {
			t.Fatal(err)
		}
		p := table.Partitions[0]
		if !p.Bootable || p.Type != mbr.Fat32LBA || p.Start != 2048 || int64(p.Size) != sectors || table.Partitions[1].Type != mbr.Empty {
			t.Errorf("%s: go-diskfs reads %+v", size.name, p)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// mtools reads every file back, whatever its name.
func TestMtools(t *testing.T) {
	need(t, "mcopy", "mdir", "minfo")
	im := sample(64 << 20)
	path := write(t, im) + "@@1M"
	out := t.TempDir()
	tool(t, "mcopy", "-i", path, "-s", "-m", "-n", "::*", out)
	root, err := plant(im.Files)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range root.flat() {
		if strings.Contains(f.Path, "😀") {
			seen++ // mtools knows no surrogates
			continue
		}
		info, err := os.Stat(filepath.Join(out, f.Path))
		if err != nil || info.IsDir() != f.Dir {
			t.Errorf("%s: %v, folder: %v", f.Path, err, f.Dir)
			continue
		}
		seen++
		if f.Dir {
			continue
		}
		if !info.ModTime().Equal(im.Time) {
			t.Errorf("%s is of %s, want %s", f.Path, info.ModTime().UTC(), im.Time)
		}
		if got, err := os.ReadFile(filepath.Join(out, f.Path)); err != nil || !bytes.Equal(got, f.Data) {
			t.Errorf("%s: %d bytes, want %d; %v", f.Path, len(got), len(f.Data), err)
		}
	}
	extra := 0
	filepath.WalkDir(out, func(string, os.DirEntry, error) error { extra++; return nil })
	if extra-1 != seen {
		t.Errorf("mtools finds %d files and folders, want %d", extra-1, seen)
	}
	if said := tool(t, "mdir", "-i", path, "::"); !strings.Contains(said, "Volume in drive : is UNLOOP") ||
		!strings.Contains(said, "Volume Serial Number is C0DE-0042") {
		t.Errorf("mdir says:\n%s", said)
	}
	said := tool(t, "minfo", "-i", path)
	for _, want := range []string{"sectors per track: 63", "heads: 255", "hidden sectors: 2048", "serial number: C0DE0042", "dos4=0x29", "backup boot sector=6"} {
		if !strings.Contains(said, want) {
			t.Errorf("minfo does not say %q:\n%s", want, said)
		}
	}
}

// What other systems see of a name: mdir shows the short one and the long.
func TestShortNames(t *testing.T) {
	need(t, "mdir")
	names := []struct{ name, short, ext string }{
		{"README.TXT", "README", "TXT"},
		{"grub.cfg", "GRUB", "CFG"},
		{"ABCDEF~1.TXT", "ABCDEF~1", "TXT"}, // takes an alias by being one
		{"abcdefgh first.txt", "ABCDEF~2", "TXT"},
		{"abcdefgh second.txt", "ABCDEF~3", "TXT"},
		{"abcdefgh second.text", "ABCDEF~2", "TEX"},
		{"ABCDEF~1.TEX", "ABCDEF~1", "TEX"},
		{"a b", "AB~1", ""},
		{".config", "CONFIG~1", ""},
		{"v1.2.3.tar.gz", "V123TA~1", "GZ"},
		{"x+y=z;[1],2", "X_Y_Z_~1", ""},
		{"日本国", "___~1", ""}, // sorts before the next
		{"日本語", "___~2", ""},
		{"日.日本語", "_~1", "___"},
		{"12345678.123", "12345678", "123"},
		{"123456789", "123456~1", ""},
		{"thirteen char", "THIRTE~1", ""}, // fills one entry: no end is marked
	}
	im := &Image{Size: 64 << 20, Files: []File{{Path: "empty folder", Dir: true}}}
	for i := range 12 {
		im.Files = append(im.Files, File{Path: fmt.Sprintf("some more of them %02d.x", i)})
	}
	for _, n := range names {
		im.Files = append(im.Files, File{Path: n.name})
	}
	said := tool(t, "mdir", "-i", write(t, im)+"@@1M", "::")
	names = append(names, []struct{ name, short, ext string }{
		{"some more of them 00.x", "SOMEMO~1", "X"}, {"some more of them 08.x", "SOMEMO~9", "X"},
		{"some more of them 09.x", "SOMEM~10", "X"}, {"some more of them 11.x", "SOMEM~12", "X"},
	}...)
	for _, n := range names {
		line := fmt.Sprintf("%-8s %-3s ", n.short, n.ext)
		long := regexp.MustCompile(`(?m)^(` + regexp.QuoteMeta(line) + `.*)$`).FindString(said)
		if long == "" || n.name != strings.Trim(n.short+"."+n.ext, ".") && !strings.HasSuffix(long, "  "+n.name) {
			t.Errorf("%q is not at %q, but %q:\n%s", n.name, line, long, said)
		}
	}
}

// go-diskfs, which shares no code with us, reads the same. Its long names are
// right for ASCII only, and of some files it returns the slack, too.
func TestGoDiskfs(t *testing.T) {
	for _, size := range sizes[1:6] {
		im := sample(size.bytes)
		f, err := os.Open(write(t, im))
		if err != nil {
			t.Fatal(err)
		}
		fs, err := fat32.Read(file.New(f, true), size.bytes-1<<20, 1<<20, 512)
		if err != nil {
			t.Fatalf("%s: %v", size.name, err)
		}
		if label := strings.TrimSpace(fs.Label()); label != "UNLOOP" {
			t.Errorf("%s: label %q", size.name, label)
		}
		for _, want := range im.Files {
			if want.Dir || strings.HasPrefix(want.Path, "日本語") {
				continue
			}
			got, err := fs.ReadFile("/" + want.Path)
			if err != nil && len(want.Data) > 0 || !bytes.HasPrefix(got, want.Data) || len(got)-len(want.Data) >= size.cluster {
				t.Errorf("%s: %s: %d bytes, want %d; %v", size.name, want.Path, len(got), len(want.Data), err)
			}
			if info, err := fs.Stat(want.Path); err != nil || info.Size() != int64(len(want.Data)) {
				t.Errorf("%s: %s: %v, want %d bytes; %v", size.name, want.Path, info, len(want.Data), err)
			}
		}
		many, err := fs.ReadDir("many")
		if err != nil || len(many) != 300 {
			t.Errorf("%s: %d files in many, want 300; %v", size.name, len(many), err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Read reads what mkfs.fat and mtools make, too.
func TestReadOthers(t *testing.T) {
	need(t, "mkfs.fat", "mcopy", "mmd", "sfdisk")
	dir := t.TempDir()
	path := filepath.Join(dir, "stick.img")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 64<<20); err != nil {
		t.Fatal(err)
	}
	table := filepath.Join(dir, "table")
	if err := os.WriteFile(table, []byte("label: dos\nlabel-id: 0x5eed\nstart=2048, type=c, bootable\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "sh", "-c", `sfdisk -q "$1" <"$2"`, "sh", path, table)
	tool(t, "mkfs.fat", "-F", "32", "--offset", "2048", "-i", "abcd1234", "-n", "OTHER", path, fmt.Sprint(63<<10))
	tree := filepath.Join(dir, "tree")
	want := []File{
		{Path: "lower.txt", Data: []byte("lower")},
		{Path: "folder", Dir: true},
		{Path: "folder/日本語 の名前.txt", Data: noise(70_000, 9)},
		{Path: "UPPER.TXT", Data: []byte{}},
	}
	for _, f := range want {
		if f.Dir {
			if err := os.MkdirAll(filepath.Join(tree, f.Path), 0o777); err != nil {
				t.Fatal(err)
			}
			tool(t, "mmd", "-i", path+"@@1M", "::"+f.Path)
			continue
		}
		if err := os.MkdirAll(tree, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(tree, f.Path), f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
		tool(t, "mcopy", "-i", path+"@@1M", filepath.Join(tree, f.Path), "::"+f.Path)
	}
	im := readBack(t, path)
	if im.DiskID != 0x5eed || im.VolumeID != 0xabcd1234 || im.Label != "OTHER" {
		t.Errorf("read %08X, %08X, %q", im.DiskID, im.VolumeID, im.Label)
	}
	if diff := cmp.Diff(want, im.Files, cmp.Transformer("text", func(b []byte) string { return string(b) })); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if err := im.Write(newMemory(im.Size)); err != nil {
		t.Error(err)
	}
}

// The boot code of GRUB begins where the BIOS and GRUB look for it.
func TestBootCode(t *testing.T) {
	im := sample(64 << 20)
	b, err := os.ReadFile(write(t, im))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b[:440], im.BootCode) || !bytes.Equal(b[512:512+len(im.Core)], im.Core) {
		t.Error("the boot code is not where it belongs")
	}
	if rest := b[512+len(im.Core) : 1<<20]; !bytes.Equal(rest, make([]byte, len(rest))) {
		t.Error("the gap before the partition is not empty")
	}
	if _, err := io.ReadFull(bytes.NewReader(b[1<<20:]), make([]byte, 512)); err != nil || string(b[1<<20+6*512:][:512]) != string(b[1<<20:][:512]) {
		t.Errorf("the backup of the boot sector is another one; %v", err)
	}
}
