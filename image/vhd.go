package image

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
)

// The footer of a VHD, big-endian, after the "Virtual Hard Disk Image Format
// Specification": at the end of the file, of a dynamic one also at its start.
const (
	vhdMagic     = "conectix"
	vhdFooter    = 512
	vhdVersion   = 0x10000
	vhdFixed     = 2
	vhdDynamic   = 3
	vhdDiffering = 4
)

// vhd is a footer whose checksum is right.
type vhd struct {
	kind  uint32
	next  int64 // of the header of a dynamic disk
	size  int64
	id    string
	saved bool // of a machine that sleeps
}

// decodeVHD decodes a footer.
func decodeVHD(b []byte) (vhd, error) {
	if len(b) < vhdFooter || string(b[:8]) != vhdMagic {
		return vhd{}, fmt.Errorf("no footer of a VHD: %w", ErrDamaged)
	}
	sum := uint32(0)
	for i, c := range b[:vhdFooter] {
		if i < 64 || i >= 68 {
			sum += uint32(c)
		}
	}
	if ^sum != binary.BigEndian.Uint32(b[64:]) {
		return vhd{}, fmt.Errorf("checksum of the footer of a VHD: %w", ErrDamaged)
	}
	if v := binary.BigEndian.Uint32(b[12:]); v>>16 != vhdVersion>>16 {
		return vhd{}, fmt.Errorf("VHD of version 0x%x: %w", v, ErrUnknownImage)
	}
	d := vhd{
		kind: binary.BigEndian.Uint32(b[60:]), next: int64(binary.BigEndian.Uint64(b[16:])),
		size: int64(binary.BigEndian.Uint64(b[48:])), id: hex.EncodeToString(b[68:84]), saved: b[84] != 0,
	}
	if d.size < sectorSize || d.size%sectorSize != 0 {
		return vhd{}, fmt.Errorf("VHD of %d bytes: %w", d.size, ErrDamaged)
	}
	return d, nil
}

func (d vhd) header(f Format) header {
	h := header{format: f, size: d.size, id: d.id}
	if d.saved {
		h.frozen = append(h.frozen, fmt.Errorf("its machine is in a saved state: %w", ErrUnclosed))
	}
	return h
}

// readFixedVHD recognises a fixed VHD by the footer behind the disk. Of a file that only
// looks a little like one, ok is false.
func readFixedVHD(dev io.ReaderAt, size int64) (h header, ok bool) {
	if size < 2*vhdFooter {
		return header{}, false
	}
	b := make([]byte, vhdFooter)
	if err := readFull(dev, b, size-vhdFooter); err != nil {
		return unreadable("", err), true
	}
	if string(b[:8]) != vhdMagic {
		return header{}, false
	}
	switch d, err := decodeVHD(b); {
	case err != nil:
		return unreadable(FormatVHD, err), true
	case d.kind != vhdFixed:
		return unreadable(FormatVHD, fmt.Errorf("the start of a VHD of type %d is gone: %w", d.kind, ErrDamaged)), true
	case d.size > size-vhdFooter:
		return unreadable(FormatVHD, fmt.Errorf("%d bytes of %d: %w", size-vhdFooter, d.size, ErrDamaged)), true
	default:
		return d.header(FormatVHD), true
	}
}

// readDynamicVHD reads a VHD that begins with a copy of its footer.
func readDynamicVHD(dev io.ReaderAt, size int64) header {
	b := make([]byte, vhdFooter)
	if err := readFull(dev, b, 0); err != nil {
		return unreadable(FormatDynamicVHD, err)
	}
	d, err := decodeVHD(b)
	if err != nil {
		return unreadable(FormatDynamicVHD, err)
	}
	h := d.header(FormatDynamicVHD)
	if d.kind != vhdDynamic && d.kind != vhdDiffering {
		h.unreadable = fmt.Errorf("VHD of type %d: %w", d.kind, ErrUnknownImage)
		return h
	}
	sparse := make([]byte, 1024)
	if d.next < vhdFooter || d.next > size-int64(len(sparse)) || readFull(dev, sparse, d.next) != nil || string(sparse[:8]) != "cxsparse" {
		h.unreadable = fmt.Errorf("header of a dynamic VHD at %d: %w", d.next, ErrDamaged)
		return h
	}
	if end := make([]byte, vhdFooter); readFull(dev, end, size-vhdFooter) != nil || string(end[:8]) != vhdMagic {
		h.unreadable = fmt.Errorf("the footer of the VHD is gone: %w", ErrDamaged)
	}
	if d.kind == vhdDiffering {
		h.parent = hex.EncodeToString(sparse[40:56])
		h.stacked = true
		h.unreadable = fmt.Errorf("VHD over another one: %w", ErrDelta)
	}
	return h
}
