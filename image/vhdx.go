package image

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"unicode/utf16"
)

// The parts of a VHDX, little-endian, after MS-VHDX: two headers of which the newer
// counts, two equal region tables, and a region of metadata.
const (
	vhdxMagic       = "vhdxfile"
	vhdxHeader      = 64 << 10 // and again at twice that
	vhdxRegions     = 192 << 10
	vhdxRegionsCopy = 256 << 10
	vhdxTable       = 64 << 10 // length of a region table, and of the metadata table
	vhdxHeaderSize  = 4 << 10
	vhdxMaxEntries  = 2047
	vhdxMaxItem     = 1 << 20

	// GUIDs as they stand in the file.
	vhdxMetadata   = "06a27c8b90479a4bb8fe575f050f886e"
	vhdxParameters = "3767a1ca36fa434db3b633f0aa44e76b"
	vhdxSize       = "2442a52f1bcd7648b2115dbed83bf4b8"
	vhdxSector     = "1dbf41816fa90947ba47f233a8faab5f"
	vhdxParent     = "2d5fd3a80bb34d45abf7d3d84834ab0c"
)

// readVHDX reads the headers of a VHDX.
func readVHDX(dev io.ReaderAt, size int64) header {
	log, id, err := vhdxCurrent(dev)
	if err != nil {
		return unreadable(FormatVHDX, err)
	}
	at, length, err := vhdxRegion(dev, vhdxMetadata)
	if err != nil {
		return unreadable(FormatVHDX, err)
	}
	if at < 0 || length < vhdxTable || at > size-length {
		return unreadable(FormatVHDX, fmt.Errorf("metadata of a VHDX at %d: %w", at, ErrDamaged))
	}
	items, err := vhdxItems(dev, at, length)
	if err != nil {
		return unreadable(FormatVHDX, err)
	}
	parameters, bytes, sector := items[vhdxParameters], items[vhdxSize], items[vhdxSector]
	if len(parameters) < 8 || len(bytes) < 8 || len(sector) < 4 {
		return unreadable(FormatVHDX, fmt.Errorf("metadata of a VHDX: %w", ErrDamaged))
	}
	h := header{
		format: FormatVHDX, size: int64(binary.LittleEndian.Uint64(bytes)), sector: int64(binary.LittleEndian.Uint32(sector)), id: id,
	}
	switch {
	case parameters[4]&2 != 0:
		h.stacked, h.parent = true, parentLinkage(items[vhdxParent])
		h.unreadable = fmt.Errorf("VHDX over another one: %w", ErrDelta)
	case log:
		h.unreadable = fmt.Errorf("VHDX with a log to replay: %w", ErrUnclosed)
	case h.size < sectorSize:
		h.unreadable = fmt.Errorf("VHDX of %d bytes: %w", h.size, ErrDamaged)
	}
	return h
}

// sumOf is the CRC-32C of a structure, its own four bytes at 4 taken as zero.
func sumOf(b []byte) uint32 {
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(0, castagnoli, b[:4])
	sum = crc32.Update(sum, castagnoli, make([]byte, 4))
	return crc32.Update(sum, castagnoli, b[8:])
}

// vhdxCurrent reads the newer of the two headers: whether there is a log, and by which
// identifier of its content an overlay would know the disk.
func vhdxCurrent(dev io.ReaderAt) (log bool, id string, err error) {
	newest, found := uint64(0), false
	for _, at := range []int64{vhdxHeader, 2 * vhdxHeader} {
		b := make([]byte, vhdxHeaderSize)
		if readFull(dev, b, at) != nil || string(b[:4]) != "head" || sumOf(b) != binary.LittleEndian.Uint32(b[4:]) {
			continue
		}
		if n := binary.LittleEndian.Uint64(b[8:]); !found || n > newest {
			newest, found = n, true
			id, log = hex.EncodeToString(b[32:48]), strings.Trim(string(b[48:64]), "\x00") != ""
			if v := binary.LittleEndian.Uint16(b[66:]); v != 1 {
				err = fmt.Errorf("VHDX of version %d: %w", v, ErrUnknownImage)
			}
		}
	}
	if !found {
		err = fmt.Errorf("both headers of a VHDX: %w", ErrDamaged)
	}
	return log, id, err
}

// vhdxRegion finds a region.
func vhdxRegion(dev io.ReaderAt, want string) (at, length int64, err error) {
	b := make([]byte, vhdxTable)
	for _, table := range []int64{vhdxRegions, vhdxRegionsCopy} {
		if readFull(dev, b, table) != nil || string(b[:4]) != "regi" || sumOf(b) != binary.LittleEndian.Uint32(b[4:]) {
			continue
		}
		n := min(int(binary.LittleEndian.Uint32(b[8:])), vhdxMaxEntries)
		for e := b[16:]; n > 0 && len(e) >= 32; e, n = e[32:], n-1 {
			if hex.EncodeToString(e[:16]) == want {
				return int64(binary.LittleEndian.Uint64(e[16:])), int64(binary.LittleEndian.Uint32(e[24:])), nil
			}
		}
	}
	return 0, 0, fmt.Errorf("region tables of a VHDX: %w", ErrDamaged)
}

// vhdxItems reads the metadata items that matter here.
func vhdxItems(dev io.ReaderAt, at, length int64) (map[string][]byte, error) {
	b := make([]byte, vhdxTable)
	if err := readFull(dev, b, at); err != nil {
		return nil, err
	}
	if string(b[:8]) != "metadata" {
		return nil, fmt.Errorf("metadata of a VHDX: %w", ErrDamaged)
	}
	items := map[string][]byte{}
	n := min(int(binary.LittleEndian.Uint16(b[10:])), vhdxMaxEntries)
	for e := b[32:]; n > 0 && len(e) >= 32; e, n = e[32:], n-1 {
		key := hex.EncodeToString(e[:16])
		switch key {
		case vhdxParameters, vhdxSize, vhdxSector, vhdxParent:
		default:
			continue
		}
		offset, size := int64(binary.LittleEndian.Uint32(e[16:])), int64(binary.LittleEndian.Uint32(e[20:]))
		if size > vhdxMaxItem || offset > length-size {
			return nil, fmt.Errorf("item %s of a VHDX: %w", key, ErrDamaged)
		}
		items[key] = make([]byte, size)
		if err := readFull(dev, items[key], at+offset); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// parentLinkage finds the identifier of the base in a parent locator: pairs of offsets
// and lengths of UTF-16 texts. It is spelt as hexadecimal, as vhdxCurrent does; "" if it
// is not there.
func parentLinkage(b []byte) string {
	if len(b) < 20 {
		return ""
	}
	text := func(at uint32, n uint16) string {
		if int64(at)+int64(n) > int64(len(b)) {
			return ""
		}
		units := make([]uint16, n/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(b[int(at)+2*i:])
		}
		return string(utf16.Decode(units))
	}
	n := int(binary.LittleEndian.Uint16(b[18:]))
	for e := b[20:]; n > 0 && len(e) >= 12; e, n = e[12:], n-1 {
		key := text(binary.LittleEndian.Uint32(e), binary.LittleEndian.Uint16(e[8:]))
		value := text(binary.LittleEndian.Uint32(e[4:]), binary.LittleEndian.Uint16(e[10:]))
		if key == "parent_linkage" {
			return linkage(value)
		}
	}
	return ""
}

// linkage turns {00112233-4455-6677-8899-aabbccddeeff} into the bytes of a file.
func linkage(s string) string {
	raw, err := hex.DecodeString(strings.NewReplacer("{", "", "}", "", "-", "").Replace(s))
	if err != nil || len(raw) != 16 {
		return ""
	}
	raw[0], raw[1], raw[2], raw[3] = raw[3], raw[2], raw[1], raw[0]
	raw[4], raw[5], raw[6], raw[7] = raw[5], raw[4], raw[7], raw[6]
	return hex.EncodeToString(raw)
}
