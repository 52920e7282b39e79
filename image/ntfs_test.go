package image

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// record patches an MFT record of a bare volume: f sees it fixed up.
func patchRecord(t testing.TB, img, path string, f func(rec []byte)) {
	t.Helper()
	file, err := os.OpenFile(img, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n, err := openNTFS(file, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	root, err := n.root()
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := n.resolve(root, path)
	if err != nil {
		t.Fatal(err)
	}
	pieces, err := n.mft.pieces(r.number*n.boot.record, n.boot.record)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n.boot.record)
	if _, err := file.ReadAt(b, pieces[0].DeviceOffset); err != nil {
		t.Fatal(err)
	}
	usa := b[binary.LittleEndian.Uint16(b[4:]):]
	for i := 1; i*512 <= len(b); i++ {
		copy(b[i*512-2:i*512], usa[2*i:2*i+2])
	}
	f(b)
	for i := 1; i*512 <= len(b); i++ {
		copy(usa[2*i:2*i+2], b[i*512-2:i*512])
		copy(b[i*512-2:i*512], usa[:2])
	}
	if _, err := file.WriteAt(b, pieces[0].DeviceOffset); err != nil {
		t.Fatal(err)
	}
}

// attribute finds the first attribute of a type in a raw record.
func attribute(rec []byte, typ uint32) []byte {
	for off := int(binary.LittleEndian.Uint16(rec[0x14:])); ; {
		if got := binary.LittleEndian.Uint32(rec[off:]); got == typ || got == attrEnd {
			return rec[off:]
		}
		off += int(binary.LittleEndian.Uint32(rec[off+4:]))
	}
}

const (
	systemPath = "Windows/System32/config/SYSTEM"
	hiveSize   = 700_416
)

// fragment writes data to a file in turns with another one, so that it ends
// up in many extents.
func fragment(t testing.TB, root, path string, data []byte, chunk int) {
	t.Helper()
	for ; len(data) > 0; data = data[min(chunk, len(data)):] {
		for _, name := range []string{path, "other"} {
			f, err := os.OpenFile(filepath.Join(root, name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write(data[:min(chunk, len(data))]); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFragmentedHive(t *testing.T) {
	need(t, "ntfscat")
	hive := hiveBytes(hiveSize)
	img := makeNTFS(t, 8<<20, func(root string) {
		mkdir(t, root, "Windows/System32/config")
		fragment(t, root, systemPath, hive, 4096)
	})
	s := open(t, img)
	f := openFile(t, only(t, s), "SYSTEM")
	if n := len(f.Extents()); n < 20 {
		t.Fatalf("%d extents, the test wants many", n)
	}
	if !bytes.Equal(readAll(t, f), hive) {
		t.Error("content differs")
	}
	if err := s.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	patch := bytes.Repeat([]byte{0x5A}, 6*4096)
	if n, err := f.WriteAt(patch, 4096-512); n != len(patch) || err != nil {
		t.Fatalf("WriteAt = %d, %v", n, err)
	}
	copy(hive[4096-512:], patch)
	if err := s.Close(); err != nil { // ntfscat wants a lock of its own
		t.Fatal(err)
	}
	if got := run(t, "ntfscat", img, systemPath); !bytes.Equal(got, hive) {
		t.Error("ntfscat does not see the change")
	}
	after, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	if n := sectorsChanged(before, after); n != len(patch)/512 {
		t.Errorf("%d sectors changed, want %d", n, len(patch)/512)
	}
}

// A file so scattered that its run list needs extension records.
func TestAttributeList(t *testing.T) {
	hive := hiveBytes(12 << 20)
	img := makeNTFS(t, 30<<20, func(root string) {
		mkdir(t, root, "Windows/System32/config")
		fragment(t, root, systemPath, hive, 4096)
	})
	s := open(t, img)
	f := openFile(t, only(t, s), "SYSTEM")
	fs := s.volumes[0].fs
	root, err := fs.root()
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := fs.resolve(root, systemPath)
	if err != nil {
		t.Fatal(err)
	}
	if !r.has(attrList) {
		t.Fatalf("no attribute list with %d extents", len(f.Extents()))
	}
	if !bytes.Equal(readAll(t, f), hive) {
		t.Error("content differs")
	}
	if err := f.InPlace(); err != nil {
		t.Errorf("InPlace() = %v, want nil", err)
	}
}

func TestInPlaceRefusals(t *testing.T) {
	size := uint32(hiveSize)
	tests := []struct {
		name  string
		patch func(rec []byte)
		want  error
	}{
		{"as it is", func([]byte) {}, nil},
		{"compressed by attribute", func(rec []byte) { attribute(rec, attrData)[12] |= 1 }, ErrCompressed},
		{"sparse by attribute", func(rec []byte) { attribute(rec, attrData)[13] |= 0x80 }, ErrSparse},
		{"encrypted by attribute", func(rec []byte) { attribute(rec, attrData)[13] |= 0x40 }, ErrEncrypted},
		{"compressed by file flag", func(rec []byte) { attribute(rec, attrStandardInformation)[24+0x21] |= 0x08 }, ErrCompressed},
		{"sparse by file flag", func(rec []byte) { attribute(rec, attrStandardInformation)[24+0x21] |= 0x02 }, ErrSparse},
		{"encrypted by file flag", func(rec []byte) { attribute(rec, attrStandardInformation)[24+0x21] |= 0x40 }, ErrEncrypted},
		{"nothing initialised", func(rec []byte) { binary.LittleEndian.PutUint32(attribute(rec, attrData)[56:], 511) }, ErrUninitialised},
		{"half initialised", func(rec []byte) { binary.LittleEndian.PutUint32(attribute(rec, attrData)[56:], size/2) }, nil},
		{"on the boot sector", func(rec []byte) {
			a := attribute(rec, attrData)
			run := a[binary.LittleEndian.Uint16(a[32:]):]
			at := 1 + run[0]&15
			clear(run[at : at+run[0]>>4])
			run[at] = 1 // cluster 1
		}, ErrMisplaced},
	}
	img := makeNTFS(t, 20<<20, func(root string) { writeWindows(t, root, hiveBytes(hiveSize)) })
	whole, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			img := write(t, whole, t.TempDir(), "v.img")
			patchRecord(t, img, systemPath, tt.patch)
			s := open(t, img)
			f := openFile(t, only(t, s), "SYSTEM")
			if err := f.InPlace(); !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), f.Label()) {
				t.Errorf("InPlace() = %v, want %v", err, tt.want)
			}
			if err := s.Refusal(only(t, s)); !errors.Is(err, tt.want) {
				t.Errorf("Refusal() = %v, want %v", err, tt.want)
			}
			if err := s.BeginWrite(); err != nil {
				t.Fatal(err)
			}
			_, err := f.WriteAt(make([]byte, 512), 0)
			if !errors.Is(err, tt.want) {
				t.Errorf("WriteAt = %v, want %v", err, tt.want)
			}
			if tt.want != nil && !bytes.Equal(mustRead(t, img)[len(whole)/2:], whole[len(whole)/2:]) {
				t.Error("something was written")
			}
		})
	}
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWriteAtBounds(t *testing.T) {
	img := makeNTFS(t, 20<<20, func(root string) { writeWindows(t, root, hiveBytes(hiveSize)) })
	patchRecord(t, img, systemPath, func(rec []byte) {
		binary.LittleEndian.PutUint32(attribute(rec, attrData)[56:], 100_000)
	})
	s := open(t, img)
	f := openFile(t, only(t, s), "SYSTEM")
	if err := s.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	if want := int64(100_000 / 512 * 512); f.Writable() != want {
		t.Errorf("Writable() = %d, want %d", f.Writable(), want)
	}
	before := mustRead(t, img)
	for _, w := range []struct{ off, n int64 }{{1, 512}, {0, 100}, {0, 1023}, {-512, 512}, {99_840, 512}, {0, 100_352}, {hiveSize, 512}, {1 << 40, 512}} {
		if n, err := f.WriteAt(make([]byte, w.n), w.off); n != 0 || err == nil {
			t.Errorf("WriteAt(%d bytes, %d) = %d, %v, want an error", w.n, w.off, n, err)
		}
	}
	if !bytes.Equal(mustRead(t, img), before) {
		t.Error("a refused write changed the volume")
	}
	// What is not initialised reads as zero, whatever the clusters hold.
	tail := readAll(t, f)[100_000:]
	if !bytes.Equal(tail, make([]byte, len(tail))) {
		t.Error("bytes beyond the initialised size are not zero")
	}
}

func TestFreeInBitmap(t *testing.T) {
	img := makeNTFS(t, 20<<20, func(root string) { writeWindows(t, root, hiveBytes(hiveSize)) })
	s := open(t, img)
	f := openFile(t, only(t, s), "SYSTEM")
	n := s.volumes[0].fs
	last := f.Extents()[len(f.Extents())-1]
	cluster := (last.end()-n.start)/n.boot.cluster - 1
	r, err := n.read(bitmapRecord)
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := n.stream(r, attrData, "")
	if err != nil {
		t.Fatal(err)
	}
	at := bitmap.extents[0].DeviceOffset + cluster/8
	b := mustRead(t, img)
	b[at] &^= 1 << (cluster % 8)
	write(t, b, img)
	f = openFile(t, only(t, open(t, img)), "SYSTEM")
	if err := f.InPlace(); !errors.Is(err, ErrMisplaced) || !strings.Contains(err.Error(), fmt.Sprint(cluster)) {
		t.Errorf("InPlace() = %v, want ErrMisplaced with cluster %d", err, cluster)
	}
}

func TestCutImage(t *testing.T) {
	hive := hiveBytes(2 << 20)
	img := makeNTFS(t, 40<<20, func(root string) { writeWindows(t, root, hive) })
	s := open(t, img)
	e := openFile(t, only(t, s), "SYSTEM").Extents()
	cut := e[len(e)-1].DeviceOffset + 4096*3
	if err := os.Truncate(img, cut); err != nil {
		t.Fatal(err)
	}
	s = open(t, img)
	if len(s.Problems()) == 0 {
		t.Error("no problem reported")
	}
	in := only(t, s)
	f := openFile(t, in, "SYSTEM")
	_, err := f.ReadAt(make([]byte, f.Size()), 0)
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), f.Label()) || !strings.Contains(err.Error(), fmt.Sprint(cut)) {
		t.Errorf("ReadAt = %v, want ErrDamaged with label and %d", err, cut)
	}
	if err := s.Refusal(in); !errors.Is(err, ErrDamaged) {
		t.Errorf("Refusal() = %v, want ErrDamaged", err)
	}
}

func TestPathsAreCaseInsensitive(t *testing.T) {
	img := makeNTFS(t, 20<<20, func(root string) {
		write(t, hiveBytes(8192), root, "WINDOWS/SYSTEM32/Config/System")
		write(t, []byte("MZ"), root, "WINDOWS/SYSTEM32/äöü.exe")
	})
	in := only(t, open(t, img))
	f := openFile(t, in, "SYSTEM")
	if want := img + ":/WINDOWS/SYSTEM32/Config/System"; f.Label() != want {
		t.Errorf("Label() = %q, want %q", f.Label(), want)
	}
	if in.Folder() != "WINDOWS" {
		t.Errorf("Folder() = %q", in.Folder())
	}
	if want := img + ":/WINDOWS/SYSTEM32/Config/SYSTEM.LOG1"; in.ConfigLabel("SYSTEM.LOG1") != want {
		t.Errorf("ConfigLabel = %q, want %q", in.ConfigLabel("SYSTEM.LOG1"), want)
	}
	if _, err := in.OpenPath(`windows\system32\ÄÖÜ.EXE`); err != nil {
		t.Error(err)
	}
	for _, missing := range []string{"SYSTEM.LOG1", "nothing", "../SYSTEM"} {
		if _, err := in.Open(missing); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open(%q) = %v, want fs.ErrNotExist", missing, err)
		}
	}
}

func TestSeveralWindows(t *testing.T) {
	img := makeNTFS(t, 20<<20, func(root string) {
		for i, dir := range []string{"Windows", "WINNT", "Windows.old/Windows", "windows.OLD.000", "WINDOWS.0", "$Recycle.Bin"} {
			write(t, hiveBytes(8192+i*512), root, dir, "System32/config/SYSTEM")
		}
		mkdir(t, root, "Program Files/System32/config/SYSTEM") // a folder of that name
		mkdir(t, root, "Users/System32")
	})
	s := open(t, img)
	var got []string
	for _, in := range s.Installations() {
		got = append(got, in.Label)
	}
	want := fmt.Sprint([]string{img + ":/WINDOWS.0", img + ":/WINNT", img + ":/Windows"})
	if fmt.Sprint(got) != want {
		t.Errorf("installations %v, want %v", got, want)
	}
}

// Names that were deleted, renamed or moved stay in index blocks; they must
// not be found.
func TestStaleNames(t *testing.T) {
	img := makeNTFS(t, 20<<20, func(root string) {
		dir := mkdir(t, root, "Windows/System32/config")
		for i := 0; i < 400; i++ {
			write(t, []byte("x"), dir, fmt.Sprintf("some longer file name %03d", i))
		}
		write(t, hiveBytes(8192), dir, "SYSTEM")
		write(t, hiveBytes(8192), dir, "SYSTEM.LOG1")
		write(t, hiveBytes(8192), dir, "SYSTEM.LOG2")
		if err := os.Remove(filepath.Join(dir, "SYSTEM.LOG1")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "SYSTEM.LOG2"), filepath.Join(root, "moved")); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < 400; i++ {
			if err := os.Remove(filepath.Join(dir, fmt.Sprintf("some longer file name %03d", i))); err != nil {
				t.Fatal(err)
			}
		}
	})
	in := only(t, open(t, img))
	for _, name := range []string{"SYSTEM.LOG1", "SYSTEM.LOG2", "some longer file name 007"} {
		if _, err := in.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open(%q) = %v, want fs.ErrNotExist", name, err)
		}
	}
	if _, err := in.OpenPath("moved"); err != nil {
		t.Error(err)
	}
}

// An index entry whose record was given to another file meanwhile.
func TestForeignRecord(t *testing.T) {
	img := makeNTFS(t, 20<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	patchRecord(t, img, systemPath, func(rec []byte) { rec[0x10]++ }) // sequence number
	s := open(t, img)
	if err := s.NoWindows(); !errors.Is(err, ErrNoWindows) {
		t.Errorf("NoWindows() = %v, want ErrNoWindows", err)
	}
}

func TestManyNames(t *testing.T) {
	img := makeNTFS(t, 20<<20, func(root string) {
		dir := mkdir(t, root, "Windows/System32")
		for i := 0; i < 1500; i++ {
			write(t, nil, dir, fmt.Sprintf("driver%04d.sys", i))
		}
		writeWindows(t, root, hiveBytes(8192))
	})
	in := only(t, open(t, img))
	for i := 0; i < 1500; i += 149 {
		if _, err := in.OpenPath(fmt.Sprintf("windows/system32/DRIVER%04d.SYS", i)); err != nil {
			t.Error(err)
		}
	}
}

// unclean is the volume whose journal Windows left in use.
func unclean(t testing.TB) []byte {
	t.Helper()
	dir := os.Getenv("UNLOOP_TESTDATA")
	if dir == "" {
		dir = "../../shared/hives"
	}
	z, err := zip.OpenReader(filepath.Join(dir, "ntfs-unclean.zip"))
	if err != nil {
		t.Skipf("no real volume to test with: %v", err)
	}
	defer z.Close()
	f, err := z.Open("SampleTinyNtfsVolume/partition.dd")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestUncleanVolume(t *testing.T) {
	img := write(t, unclean(t), t.TempDir(), "partition.dd")
	s := open(t, img)
	v := s.Volumes()[0]
	if v.Kind != VolumeNTFS || !v.JournalUnclean || v.RestartVersion != "1.1" || v.Dirty || v.Hibernated != "" {
		t.Errorf("volume %+v", v)
	}
	if err := s.NoWindows(); !errors.Is(err, ErrNoWindows) {
		t.Errorf("NoWindows() = %v", err)
	}
	if !bytes.Equal(mustRead(t, img), unclean(t)) {
		t.Error("looking changed the volume")
	}
}

func TestVolumeState(t *testing.T) {
	img := makeNTFS(t, 20<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) }, "-L", "System 日本")
	v := open(t, img).Volumes()[0]
	if v.Label != "System 日本" || v.JournalUnclean || v.Dirty || len(v.Serial) != 16 {
		t.Errorf("volume %+v", v)
	}
	patchVolumeFlags(t, img)
	if v := open(t, img).Volumes()[0]; !v.Dirty || v.JournalUnread {
		t.Errorf("volume %+v, want it dirty, and its journal read", v)
	}
	patchRecord(t, img, "$LogFile", func(rec []byte) { attribute(rec, attrData)[0] = 0x90 })
	if v := open(t, img).Volumes()[0]; !v.JournalUnread {
		t.Error("the journal counts as read without its data")
	}
}

// patchVolumeFlags sets the dirty flag of $Volume.
func patchVolumeFlags(t testing.TB, img string) {
	t.Helper()
	patchRecord(t, img, "$Volume", func(rec []byte) {
		a := attribute(rec, attrVolumeInformation)
		a[binary.LittleEndian.Uint16(a[20:])+10] |= 1
	})
}

func TestHibernation(t *testing.T) {
	tests := []struct {
		head, want string
		refused    error
	}{
		{"hibr", HiberSleeping, ErrHibernated},
		{"HIBR", HiberSleeping, ErrHibernated},
		{"wake", HiberWaking, nil},
		{"RSTR", HiberRestoring, nil},
		{"\x00\x00\x00\x00", HiberEmpty, nil},
		{"????", HiberOther, nil},
	}
	img := makeNTFS(t, 20<<20, func(root string) {
		writeWindows(t, root, hiveBytes(8192))
		write(t, append([]byte("hibr"), make([]byte, 100_000)...), root, "HiberFil.sys")
	})
	for _, tt := range tests {
		s := open(t, img)
		in := only(t, s)
		f, err := in.OpenPath(hiberfil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.BeginWrite(); err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 512)
		copy(head, tt.head)
		if _, err := f.WriteAt(head, 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, img)
		in = only(t, s)
		if in.Hibernated != tt.want || in.Volume.Hibernated != tt.want {
			t.Errorf("%q: Hibernated = %q, want %q", tt.head, in.Hibernated, tt.want)
		}
		if err := s.Refusal(in); !errors.Is(err, tt.refused) {
			t.Errorf("%q: Refusal() = %v, want %v", tt.head, err, tt.refused)
		}
	}
}

func TestUsableAsLog(t *testing.T) {
	hive := hiveBytes(hiveSize)
	log := append([]byte("regf"), make([]byte, 60<<10)...)
	log[28] = 1
	img := makeNTFS(t, 20<<20, func(root string) {
		dir := filepath.Join(root, "Windows/System32/config")
		write(t, hive, dir, "SYSTEM")
		write(t, make([]byte, 256<<10), dir, "zero")
		write(t, log, dir, "log")
		write(t, hive, dir, "hive")
		write(t, make([]byte, 100), dir, "resident")
		write(t, nil, dir, "empty")
		write(t, bytes.Repeat([]byte{1}, 64<<10), dir, "rubbish")
	})
	in := only(t, open(t, img))
	system := openFile(t, in, "SYSTEM")
	for name, usable := range map[string]bool{"zero": true, "log": true, "hive": false, "resident": false,
		"empty": false, "rubbish": false, "SYSTEM": false} {
		err := openFile(t, in, name).UsableAsLog(system)
		if usable != (err == nil) || err != nil && !errors.Is(err, ErrUnusableLog) {
			t.Errorf("%s: UsableAsLog = %v, want usable %v", name, err, usable)
		}
	}
	twin := openFile(t, in, "log")
	twin.stream.extents = append([]Extent(nil), system.stream.extents...)
	if err := twin.UsableAsLog(system); !errors.Is(err, ErrUnusableLog) {
		t.Errorf("log on the hive's clusters: %v", err)
	}
}

// Sizes of clusters and sectors other than the usual ones; folders of several
// index blocks.
func TestGeometries(t *testing.T) {
	tests := []struct {
		options []string
		want    error
	}{
		{[]string{"-c", "512"}, nil},
		{[]string{"-c", "2048"}, nil},
		{[]string{"-c", "65536"}, nil},
		{[]string{"-s", "4096"}, ErrSectorSize},
	}
	for _, tt := range tests {
		hive := hiveBytes(hiveSize)
		img := makeNTFS(t, 32<<20, func(root string) {
			for i := 0; i < 200; i++ {
				write(t, nil, root, "Windows/System32", fmt.Sprintf("driver%04d.sys", i))
			}
			writeWindows(t, root, hive)
		}, tt.options...)
		s := open(t, img)
		in := only(t, s)
		f := openFile(t, in, "SYSTEM")
		if !bytes.Equal(readAll(t, f), hive) || f.InPlace() != nil || len(s.Problems()) != 0 {
			t.Errorf("%v: in place %v, problems %v, or wrong content", tt.options, f.InPlace(), s.Problems())
		}
		if _, err := in.OpenPath("windows/system32/DRIVER0123.sys"); err != nil {
			t.Errorf("%v: %v", tt.options, err)
		}
		if err := s.Refusal(in); !errors.Is(err, tt.want) {
			t.Errorf("%v: Refusal() = %v, want %v", tt.options, err, tt.want)
		}
	}
}

// Opening must stay cheap: no caches, no walk of the whole MFT.
func BenchmarkOpen(b *testing.B) {
	img := makeNTFS(b, 20<<20, func(root string) { writeWindows(b, root, hiveBytes(hiveSize)) })
	b.ReportAllocs()
	for b.Loop() {
		s, err := Host{}.Open(img)
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
