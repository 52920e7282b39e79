package image

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"
)

// seedVolume is the small NTFS volume of testdata.
func seedVolume(t testing.TB) []byte {
	t.Helper()
	f, err := os.Open("testdata/volume.img.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seedHive is what SYSTEM on the seed volume holds.
func seedHive() []byte {
	b := make([]byte, 150<<10)
	for i := range b[4:] {
		b[4+i] = byte(7*i + i/251)
	}
	copy(b, "regf")
	return b
}

// lookAt opens a medium in memory as Open does a file.
func lookAt(dev io.ReaderAt, size int64) *Source {
	s := &Source{path: "disk", kind: KindImage, size: size}
	s.look(dev, size, sectorSize)
	return s
}

// probe does with every installation what the program does, and checks that
// what passes for writable is.
func probe(t *testing.T, s *Source, size int64) {
	for _, v := range s.volumes {
		if v.fs == nil {
			continue
		}
		in := &Installation{Volume: v, src: s}
		for _, path := range []string{"hiberfil.sys", "sparse", "packed/file", "resident.txt", "names/a rather long file name 33", "$LogFile"} {
			probeFile(t, in, path, size)
		}
	}
	for _, in := range s.Installations() {
		hive := probeFile(t, in, in.config+"/SYSTEM", size)
		log := probeFile(t, in, in.config+"/SYSTEM.LOG1", size)
		if hive != nil && log != nil && log.UsableAsLog(hive) == nil {
			if e, ok := overlap(hive.Extents(), log.Extents()); ok {
				t.Fatalf("usable log shares %+v with the hive", e)
			}
		}
	}
	if err := s.NoWindows(); (err == nil) != (len(s.found) > 0) {
		t.Fatalf("NoWindows() = %v with %d installations", err, len(s.found))
	}
}

func probeFile(t *testing.T, in *Installation, path string, size int64) *File {
	f, err := in.OpenPath(path)
	if (f == nil) != (err != nil) {
		t.Fatalf("OpenPath(%q) = %v, %v", path, f, err)
	}
	if err != nil {
		return nil
	}
	b := make([]byte, 10_000)
	for off := int64(0); off < min(f.Size(), 1<<20); off += int64(len(b)) {
		n, err := f.ReadAt(b, off)
		if n < len(b) && err == nil {
			t.Fatalf("%s: short read of %d without error", path, n)
		}
		if err != nil {
			break
		}
	}
	if f.InPlace() != nil {
		return f
	}
	if f.Writable() > f.Size() {
		t.Fatalf("%s: %d of %d bytes writable", path, f.Writable(), f.Size())
	}
	if e, ok := selfOverlap(f.Extents()); ok {
		t.Fatalf("%s: writable with %+v twice", path, e)
	}
	v := in.Volume
	for _, e := range f.Extents() {
		if e.DeviceOffset < v.Offset+8192 || e.Length <= 0 || e.Length > v.fs.boot.size-(e.DeviceOffset-v.Offset) {
			t.Fatalf("%s: writable at %+v, outside of the volume", path, e)
		}
	}
	last := f.Writable() - sectorSize
	pieces, err := f.stream.pieces(last, sectorSize)
	if err != nil || len(pieces) != 1 || pieces[0].Length != sectorSize || pieces[0].DeviceOffset%sectorSize != 0 {
		t.Fatalf("%s: pieces(%d) = %v, %v", path, last, pieces, err)
	}
	return f
}

func TestSeedVolume(t *testing.T) {
	b := seedVolume(t)
	s := lookAt(bytes.NewReader(b), int64(len(b)))
	if len(s.Problems()) != 0 {
		t.Errorf("Problems() = %v", s.Problems())
	}
	in := only(t, s)
	f := openFile(t, in, "SYSTEM")
	if len(f.Extents()) < 200 || f.InPlace() != nil || !bytes.Equal(readAll(t, f), seedHive()) {
		t.Errorf("%d extents, in place %v", len(f.Extents()), f.InPlace())
	}
	if in.Hibernated != HiberWaking || in.Volume.Label != "seed" {
		t.Errorf("volume %+v", in.Volume)
	}
	probe(t, s, int64(len(b)))
}

// FuzzPartitions takes any bytes as a disk: as its first sectors and its last
// one, or, if they begin with an odd byte, as partition entries: 64 bytes of
// the MBR, then the sector number and 64 bytes of each further boot record.
func FuzzPartitions(f *testing.F) {
	mbr := bootSectorOf(mbrEntry{0x80, 7, 2, 20}, mbrEntry{0, 5, 30, 50}, mbrEntry{0, 0x42, 100, 20}, mbrEntry{0, 0x0F, 130, 50})
	ebr := bootSectorOf(mbrEntry{0, 7, 2, 4}, mbrEntry{0, 5, 10, 4})
	f.Add(append([]byte{0}, diskOf(40, map[int][]byte{0: mbr, 30: ebr})...))
	f.Add(append([]byte{0}, gptDisk(128, 128, 128)[:40*sectorSize]...))
	f.Add(append([]byte{0}, "Intel Raid ISM Cfg Sig."...))
	entries := append([]byte{1}, mbr[446:510]...)
	for _, sector := range []byte{30, 40, 130} {
		entries = append(append(entries, sector), ebr[446:510]...)
	}
	f.Add(entries)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > 1<<16 {
			return
		}
		disk := make([]byte, 1<<17)
		if b[0]&1 == 0 {
			copy(disk, b[1:])
			if len(b) > sectorSize {
				copy(disk[len(disk)-sectorSize:], b[len(b)-sectorSize:])
			}
		} else {
			fillRecords(disk, b)
		}
		size := int64(len(disk))
		parts, _ := readPartitions(bytes.NewReader(disk), size, sectorSize)
		for i, p := range parts {
			if p.index < 1 || p.size <= 0 || p.offset < sectorSize || p.offset >= size {
				t.Fatalf("partition %+v", p)
			}
			if i > 0 && parts[i-1].offset+parts[i-1].size > p.offset {
				t.Fatalf("partitions %+v and %+v overlap", parts[i-1], p)
			}
		}
		probe(t, lookAt(bytes.NewReader(disk), size), size)
	})
}

// fillRecords puts boot records on a disk: each the number of a sector, of the
// first one always 0, and 64 bytes of entries.
func fillRecords(disk, b []byte) {
	for i := 0; len(b) >= 65; i, b = i+1, b[65:] {
		sector := disk[:sectorSize]
		if i > 0 {
			sector = disk[int(b[0])*sectorSize:][:sectorSize]
		}
		copy(sector[446:], b[1:65])
		sector[510], sector[511] = 0x55, 0xAA
	}
}

// FuzzNTFS changes bytes of the seed volume where its metadata lie: each four
// bytes of the input are a place, counted through the metadata, and a value.
func FuzzNTFS(f *testing.F) {
	base := seedVolume(f)
	places := metadata(f, base)
	f.Add([]byte{})
	f.Add([]byte{0, 0, 13, 8})
	f.Add([]byte{0, 2, 48, 0x11, 0, 2, 49, 0xFF})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 400 {
			return
		}
		disk := bytes.Clone(base)
		for ; len(b) >= 4; b = b[4:] {
			at := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
			disk[places[at%len(places)]] = b[3]
		}
		size := int64(len(disk))
		probe(t, lookAt(bytes.NewReader(disk), size), size)
	})
}

// metadata lists the offsets of the boot sector, the MFT records in use,
// directory indexes, $Bitmap, restart pages and attribute lists, except the
// signatures and fix-ups, where a change ends the test at once.
func metadata(t testing.TB, base []byte) []int64 {
	n, err := openNTFS(bytes.NewReader(base), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []int64
	add := func(start, length int64, plain bool) {
		for i := start; i < start+length; i++ {
			if plain || i%sectorSize < 510 && i-start >= 8 {
				all = append(all, i)
			}
		}
	}
	add(0, 90, true)
	for i := int64(0); i < n.mft.size/n.boot.record; i++ {
		r, err := n.read(i)
		if err != nil || !r.inUse {
			continue
		}
		p, err := n.mft.pieces(i*n.boot.record, n.boot.record)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p {
			add(e.DeviceOffset, min(e.Length, 600), len(p) > 1)
		}
		for _, typ := range []uint64{attrIndexAllocation, attrList} {
			name := ""
			if typ == attrIndexAllocation {
				name = indexName
			}
			for _, a := range r.direct(typ, name) {
				s, err := n.assemble([]*ntfsAttribute{a}, false)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range s.extents {
					add(e.DeviceOffset, e.Length, typ == attrList)
				}
			}
		}
	}
	for _, i := range []int64{logRecord, bitmapRecord} {
		r, err := n.read(i)
		if err != nil {
			t.Fatal(err)
		}
		s, err := n.stream(r, attrData, "")
		if err != nil {
			t.Fatal(err)
		}
		add(s.extents[0].DeviceOffset, 512, true)
	}
	return all
}

func BenchmarkLook(b *testing.B) {
	base := seedVolume(b)
	for b.Loop() {
		s := lookAt(bytes.NewReader(base), int64(len(base)))
		if err := openFile(b, only(b, s), "SYSTEM").InPlace(); err != nil {
			b.Fatal(err)
		}
	}
}
