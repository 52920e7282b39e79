package image

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf16"
)

// The builders below make only what the readers look at. Whole images, made by qemu-img,
// are read in the tests of cmd/unloop.

// footerOf is the footer of a VHD.
func footerOf(kind uint32, size int64, id byte) []byte {
	b := make([]byte, vhdFooter)
	copy(b, vhdMagic)
	binary.BigEndian.PutUint32(b[12:], vhdVersion)
	binary.BigEndian.PutUint64(b[16:], vhdFooter)
	binary.BigEndian.PutUint64(b[48:], uint64(size))
	binary.BigEndian.PutUint32(b[60:], kind)
	b[68] = id
	return summed(b)
}

// summed gives a footer its checksum.
func summed(b []byte) []byte {
	sum := uint32(0)
	binary.BigEndian.PutUint32(b[64:], 0)
	for _, c := range b {
		sum += uint32(c)
	}
	binary.BigEndian.PutUint32(b[64:], ^sum)
	return b
}

// fixedVHD is a disk of zeros with a footer behind it.
func fixedVHD(footer []byte, size int) []byte { return append(make([]byte, size), footer...) }

// dynamicVHD has no blocks.
func dynamicVHD(kind uint32, id, parent byte) []byte {
	footer := footerOf(kind, 1<<20, id)
	sparse := make([]byte, 1024)
	copy(sparse, "cxsparse")
	sparse[40] = parent
	return slices.Concat(footer, sparse, make([]byte, sectorSize), footer)
}

// vhdxOf is the start of a VHDX.
func vhdxOf(id byte, log bool, flags byte, parent string) []byte {
	b := make([]byte, 2<<20)
	copy(b, vhdxMagic)
	for i, at := range []int{vhdxHeader, 2 * vhdxHeader} {
		h := b[at : at+vhdxHeaderSize]
		copy(h, "head")
		h[8], h[66] = byte(7+i), 1
		if i == 1 { // the newer
			h[32] = id
			if log {
				h[48] = 1
			}
		}
		binary.LittleEndian.PutUint32(h[4:], sumOf(h))
	}
	regions := b[vhdxRegions : vhdxRegions+vhdxTable]
	copy(regions, "regi")
	regions[8] = 1
	putHex(regions[16:], vhdxMetadata)
	binary.LittleEndian.PutUint64(regions[32:], 1<<20)
	binary.LittleEndian.PutUint32(regions[40:], 1<<20)
	binary.LittleEndian.PutUint32(regions[4:], sumOf(regions))

	locator := parentLocator(parent)
	meta := b[1<<20:]
	copy(meta, "metadata")
	at := uint32(vhdxTable)
	for i, item := range []struct {
		key  string
		data []byte
	}{
		{vhdxParameters, []byte{0, 0, 32, 0, flags, 0, 0, 0}},
		{vhdxSize, binary.LittleEndian.AppendUint64(nil, 64<<20)},
		{vhdxSector, binary.LittleEndian.AppendUint32(nil, 512)},
		{vhdxParent, locator},
	} {
		e := meta[32+32*i:]
		putHex(e, item.key)
		binary.LittleEndian.PutUint32(e[16:], at)
		binary.LittleEndian.PutUint32(e[20:], uint32(len(item.data)))
		at += uint32(copy(meta[at:], item.data))
		meta[10]++
	}
	return b
}

func putHex(b []byte, s string) {
	raw, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	copy(b, raw)
}

// parentLocator has one pair of texts.
func parentLocator(linkage string) []byte {
	b := make([]byte, 32)
	b[18] = 1
	at := uint32(len(b))
	for i, s := range []string{"parent_linkage", linkage} {
		var text []byte
		for _, unit := range utf16.Encode([]rune(s)) {
			text = binary.LittleEndian.AppendUint16(text, unit)
		}
		binary.LittleEndian.PutUint32(b[20+4*i:], at)
		binary.LittleEndian.PutUint16(b[28+2*i:], uint16(len(text)))
		b = append(b, text...)
		at += uint32(len(text))
	}
	return b
}

// vdiOf is the header of a VDI.
func vdiOf(kind uint32, id, link byte) []byte {
	b := make([]byte, 1<<10)
	copy(b, "<<< a disk >>>\n")
	binary.LittleEndian.PutUint32(b[64:], vdiSignature)
	binary.LittleEndian.PutUint32(b[68:], vdiVersion)
	binary.LittleEndian.PutUint32(b[76:], kind)
	binary.LittleEndian.PutUint32(b[360:], sectorSize)
	binary.LittleEndian.PutUint64(b[368:], 64<<20)
	b[392], b[424] = id, link
	return b
}

// fullVDI is a VDI of a disk, with so many blocks of 1 MiB, whose file has that length.
func fullVDI(disk uint64, blocks uint32, length int) []byte {
	b := append(vdiOf(vdiDynamic, 1, 0), make([]byte, length)...)[:length]
	binary.LittleEndian.PutUint32(b[344:], 1<<20)
	binary.LittleEndian.PutUint64(b[368:], disk)
	binary.LittleEndian.PutUint32(b[376:], 1<<20)
	binary.LittleEndian.PutUint32(b[388:], blocks)
	return b
}

// qcowOf is the header of a qcow2 image that stands on a base; "" for none.
func qcowOf(base, format string) []byte {
	b := make([]byte, 64<<10)
	copy(b, qcowMagic)
	binary.BigEndian.PutUint32(b[4:], 3)
	binary.BigEndian.PutUint32(b[20:], 16)
	binary.BigEndian.PutUint64(b[24:], 64<<20)
	binary.BigEndian.PutUint32(b[100:], qcowLength3)
	if base == "" {
		return b
	}
	at := qcowLength3
	for _, x := range []struct {
		kind uint32
		text string
	}{{0x6803F857, "features?"}, {qcowBaseFormat, format}, {0, ""}} {
		binary.BigEndian.PutUint32(b[at:], x.kind)
		binary.BigEndian.PutUint32(b[at+4:], uint32(len(x.text)))
		copy(b[at+8:], x.text)
		at += 8 + (len(x.text)+7)&^7
	}
	binary.BigEndian.PutUint64(b[8:], uint64(at))
	binary.BigEndian.PutUint32(b[16:], uint32(copy(b[at:], base)))
	return b
}

func TestReadHeader(t *testing.T) {
	saved := footerOf(vhdFixed, 1<<20, 1)
	saved[84] = 1
	broken := footerOf(vhdFixed, 1<<20, 1)
	broken[90] = 1
	for _, tt := range []struct {
		name       string
		data       []byte
		format     Format
		size       int64
		unreadable error
		frozen     error
	}{
		{"fixed VHD", fixedVHD(footerOf(vhdFixed, 1<<20, 1), 1<<20), FormatVHD, 1 << 20, nil, nil},
		{"fixed VHD, longer than its disk", fixedVHD(footerOf(vhdFixed, 1<<20, 1), 1<<21), FormatVHD, 1 << 20, nil, nil},
		{"fixed VHD, saved state", fixedVHD(summed(saved), 1<<20), FormatVHD, 1 << 20, nil, ErrUnclosed},
		{"fixed VHD, checksum", fixedVHD(broken, 1<<20), FormatVHD, 0, ErrDamaged, nil},
		{"fixed VHD, cut short", fixedVHD(footerOf(vhdFixed, 1<<20, 1), 1<<19), FormatVHD, 0, ErrDamaged, nil},
		{"footer of a dynamic VHD alone", fixedVHD(footerOf(vhdDynamic, 1<<20, 1), 1<<20), FormatVHD, 0, ErrDamaged, nil},
		{"dynamic VHD", dynamicVHD(vhdDynamic, 1, 0), FormatDynamicVHD, 1 << 20, nil, nil},
		{"dynamic VHD, cut short", dynamicVHD(vhdDynamic, 1, 0)[:2048], FormatDynamicVHD, 1 << 20, ErrDamaged, nil},
		{"differencing VHD", dynamicVHD(vhdDiffering, 2, 1), FormatDynamicVHD, 1 << 20, ErrDelta, nil},
		{"VHD of type 5", dynamicVHD(5, 2, 1), FormatDynamicVHD, 1 << 20, ErrUnknownImage, nil},
		{"VHDX", vhdxOf(1, false, 0, ""), FormatVHDX, 64 << 20, nil, nil},
		{"VHDX with a log", vhdxOf(1, true, 0, ""), FormatVHDX, 64 << 20, ErrUnclosed, nil},
		{"differencing VHDX", vhdxOf(1, false, 2, ""), FormatVHDX, 64 << 20, ErrDelta, nil},
		{"VHDX, cut short", vhdxOf(1, false, 0, "")[:1<<20], FormatVHDX, 0, ErrDamaged, nil},
		{"VDI", vdiOf(vdiDynamic, 1, 0), FormatVDI, 64 << 20, nil, nil},
		{"VDI, whole", fullVDI(3<<20+512, 4, 1<<20+3<<20+512), FormatVDI, 3<<20 + 512, nil, nil},
		{"VDI, cut short", fullVDI(3<<20+512, 4, 1<<20+3<<20+511), FormatVDI, 3<<20 + 512, nil, ErrDamaged},
		{"VDI, cut short at a block", fullVDI(4<<20, 4, 1<<20+3<<20), FormatVDI, 4 << 20, nil, ErrDamaged},
		{"differencing VDI", vdiOf(vdiDiffering, 2, 1), FormatVDI, 64 << 20, ErrDelta, nil},
		{"qcow2", qcowOf("", ""), FormatQCOW2, 64 << 20, nil, nil},
		{"qcow2, cut short", qcowOf("", "")[:80], FormatQCOW2, 0, ErrDamaged, nil},
		{"zip", append([]byte("PK\x03\x04"), make([]byte, 600)...), "", 0, ErrPacked, nil},
		{"hive", append([]byte("regf"), make([]byte, 600)...), "", 604, nil, nil},
	} {
		h := readHeader(bytes.NewReader(tt.data), int64(len(tt.data)))
		if h.format != tt.format || h.size != tt.size || !errors.Is(h.unreadable, tt.unreadable) {
			t.Errorf("%s: %q, %d bytes, %v; want %q, %d, %v", tt.name, h.format, h.size, h.unreadable, tt.format, tt.size, tt.unreadable)
		}
		if frozen := errors.Join(h.frozen...); !errors.Is(frozen, tt.frozen) {
			t.Errorf("%s: frozen %v, want %v", tt.name, frozen, tt.frozen)
		}
	}
}

// TestFixedVHD: what is written ends where the disk does, and the footer is never read.
func TestFixedVHD(t *testing.T) {
	volume := seedVolume(t)
	data := append(slices.Clone(volume), footerOf(vhdFixed, int64(len(volume)), 1)...)
	path := write(t, data, t.TempDir(), "disk.vhd")
	s := open(t, path)
	if s.Size() != int64(len(volume)) || s.Container().Format != FormatVHD || s.Kind() != KindImage {
		t.Errorf("%d bytes as %q", s.Size(), s.Container().Format)
	}
	only(t, s)
	if err := s.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2*sectorSize)
	if n, err := s.disk.ReadAt(b, s.Size()-sectorSize); n != sectorSize || err == nil {
		t.Errorf("reading across the end: %d, %v", n, err)
	}
	for _, off := range []int64{s.Size() - sectorSize, s.Size(), -1} {
		if _, err := s.disk.WriteAt(b, off); err == nil {
			t.Errorf("writing at %d succeeds", off)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, data) {
		t.Errorf("the file has changed, %v", err)
	}
}

// TestOverlay finds what stands on an image, by name or by identifier.
func TestOverlay(t *testing.T) {
	for _, tt := range []struct {
		name       string
		base, over []byte
		where      string
		want       bool
	}{
		{"qcow2 over raw", seedVolume(t), qcowOf("base", "raw"), "over.qcow2", true},
		{"qcow2 over something else", seedVolume(t), qcowOf("other", "raw"), "over.qcow2", false},
		{"qcow2 over a server", seedVolume(t), qcowOf("nbd:base", "raw"), "over.qcow2", false},
		{"qcow2 over a file by its protocol", seedVolume(t), qcowOf("file:base", "raw"), "over.protocol", true},
		{"qcow2 over a description", seedVolume(t), qcowOf(`json:{"driver":"raw","file":{"driver":"file","filename":"base"}}`, "raw"), "over.described", true},
		{"qcow2 over a flat description", seedVolume(t), qcowOf(`json:{"driver":"raw","file.filename":"base"}`, "raw"), "over.described", true},
		{"qcow2 over a description of others", seedVolume(t), qcowOf(`json:{"driver":"raw","file.filename":"other"}`, "raw"), "over.described", false},
		{"VHD", dynamicVHD(vhdDynamic, 7, 0), dynamicVHD(vhdDiffering, 8, 7), "over.avhd", true},
		{"fixed VHD", fixedVHD(footerOf(vhdFixed, 1<<20, 7), 1<<20), dynamicVHD(vhdDiffering, 8, 7), "over.avhd", true},
		{"VHD of others", dynamicVHD(vhdDynamic, 7, 0), dynamicVHD(vhdDiffering, 8, 6), "over.avhd", false},
		{"VHDX", vhdxOf(9, false, 0, ""), vhdxOf(1, false, 2, "{00000009-0000-0000-0000-000000000000}"), "over.avhdx", true},
		{"VHDX of others", vhdxOf(9, false, 0, ""), vhdxOf(1, false, 2, "{00000008-0000-0000-0000-000000000000}"), "over.avhdx", false},
		{"VDI snapshot", vdiOf(vdiDynamic, 4, 0), vdiOf(vdiDiffering, 5, 4), "Snapshots/over.vdi", true},
		{"VDI", vdiOf(vdiDynamic, 4, 0), vdiOf(vdiDynamic, 5, 0), "over.vdi", false},
	} {
		dir := t.TempDir()
		base := write(t, tt.base, dir, "base")
		over := filepath.Join(dir, tt.where)
		if err := os.MkdirAll(filepath.Dir(over), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, tt.over, filepath.Dir(over), filepath.Base(over))
		c, err := Inside(base)
		if err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{true: over}[tt.want]
		if got := overlay(base, c.id); got != want {
			t.Errorf("%s: overlay = %q, want %q", tt.name, got, want)
		}
		if tt.where == "over.qcow2" && tt.want {
			c, err := Inside(over)
			if err != nil || !slices.Equal(c.Bases, []string{base}) || !slices.Equal(c.Files, []string{over}) || c.Unreadable != nil {
				t.Errorf("%s: Inside = %+v, %v", tt.name, c, err)
			}
		}
	}
}

// FuzzHeaders takes any bytes as a file: as they are or, if they begin with an odd byte,
// as the parts of a VHDX, with their checksums put right.
func FuzzHeaders(f *testing.F) {
	for _, seed := range [][]byte{
		fixedVHD(footerOf(vhdFixed, 512, 1), 512), dynamicVHD(vhdDiffering, 2, 1), vdiOf(vdiDynamic, 1, 0), qcowOf("base", "raw")[:512],
		[]byte("# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\nRW 8 FLAT \"x\" 0\nRW 8 SPARSE \"y\"\nparentFileNameHint=\"z\"\n"),
		append([]byte("KDMV\x01\x00\x00\x00\x03\x00\x00\x00\x08"), make([]byte, 600)...),
	} {
		f.Add(append([]byte{0}, seed...))
	}
	v := vhdxOf(1, false, 2, "{00000009-0000-0000-0000-000000000000}")
	f.Add(slices.Concat([]byte{1}, v[vhdxHeader:][:128], v[vhdxRegions:][:128], v[1<<20:][:256], v[1<<20+vhdxTable:][:200]))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		file := data[1:]
		if data[0]&1 == 1 {
			file = fuzzedVHDX(file)
		}
		checkHeader(t, file)
	})
}

// fuzzedVHDX puts bytes where the parts of a VHDX are looked for.
func fuzzedVHDX(data []byte) []byte {
	b := make([]byte, 1<<20+vhdxTable+4096)
	copy(b, vhdxMagic)
	for _, part := range []struct{ at, length int }{{vhdxHeader, 128}, {vhdxRegions, 128}, {1 << 20, 256}, {1<<20 + vhdxTable, 4096}} {
		data = data[copy(b[part.at:part.at+part.length], data):]
	}
	head, regions := b[vhdxHeader:][:vhdxHeaderSize], b[vhdxRegions:][:vhdxTable]
	copy(head, "head")
	copy(regions, "regi")
	binary.LittleEndian.PutUint32(head[4:], sumOf(head))
	binary.LittleEndian.PutUint32(regions[4:], sumOf(regions))
	return b
}

// checkHeader holds for the header of any file.
func checkHeader(t *testing.T, file []byte) {
	dev, size := bytes.NewReader(file), int64(len(file))
	h := readHeader(dev, size)
	switch {
	case h.unreadable != nil:
	case h.size < 0, h.format != "" && h.size < sectorSize && !h.part && h.format != FormatQCOW2 && h.format != FormatRaw:
		t.Fatalf("%q of %d bytes", h.format, h.size)
	case h.direct() && h.size > size:
		t.Fatalf("a disk of %d bytes in a file of %d", h.size, size)
	}
	for _, x := range h.extents {
		if h.unreadable == nil && (filepath.Base(x.name) != x.name || x.size < sectorSize || x.offset < 0) {
			t.Fatalf("extent %+v", x)
		}
	}
	if base, err := beside("/dir/file", h); err == nil && !filepath.IsAbs(base) {
		t.Fatalf("base %q", base)
	}
	if h.format == FormatQCOW2 {
		packedClusters(dev, size)
	}
}
