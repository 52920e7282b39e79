package image

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
)

// The header of VirtualBox's VDI, little-endian: a text of 64 bytes, a signature, and
// from byte 72 on the header of version 1.1.
const (
	vdiSignature = 0xBEDA107F
	vdiVersion   = 0x00010001
	vdiDynamic   = 1
	vdiFixed     = 2
	vdiUndo      = 3
	vdiDiffering = 4
	vdiMaxBlock  = 1 << 30 // blocks have 1 MiB
)

func isVDI(first []byte) bool {
	return len(first) == sectorSize && binary.LittleEndian.Uint32(first[64:]) == vdiSignature
}

// readVDI reads the header of a VDI.
func readVDI(dev io.ReaderAt, size int64) header {
	b := make([]byte, sectorSize)
	if err := readFull(dev, b, 0); err != nil {
		return unreadable(FormatVDI, err)
	}
	if v := binary.LittleEndian.Uint32(b[68:]); v != vdiVersion {
		return unreadable(FormatVDI, fmt.Errorf("VDI of version 0x%x: %w", v, ErrUnknownImage))
	}
	h := header{
		format: FormatVDI, size: int64(binary.LittleEndian.Uint64(b[368:])), sector: int64(binary.LittleEndian.Uint32(b[360:])),
		id: hex.EncodeToString(b[392:408]),
	}
	link := hex.EncodeToString(b[424:440])
	switch kind := binary.LittleEndian.Uint32(b[76:]); {
	case kind == vdiUndo || kind == vdiDiffering:
		h.stacked, h.parent = true, link
		h.unreadable = fmt.Errorf("VDI over another one: %w", ErrDelta)
	case kind != vdiDynamic && kind != vdiFixed:
		h.unreadable = fmt.Errorf("VDI of type %d: %w", kind, ErrUnknownImage)
	case h.size < sectorSize:
		h.unreadable = fmt.Errorf("VDI of %d bytes: %w", h.size, ErrDamaged)
	}
	if need := vdiEnd(b, h.size); h.unreadable == nil && need > size {
		h.frozen = append(h.frozen, fmt.Errorf("%d bytes of %d: %w", size, need, ErrDamaged))
	}
	return h
}

// vdiEnd is how long the file must be for the blocks in it; of the last block of the disk
// the rest may be missing. Cut short, as by a copy that was broken off, it would read as
// zeros there.
func vdiEnd(b []byte, disk int64) int64 {
	data, block := int64(binary.LittleEndian.Uint32(b[344:])), int64(binary.LittleEndian.Uint32(b[376:]))
	n := int64(binary.LittleEndian.Uint32(b[388:]))
	if n == 0 || block == 0 || block > vdiMaxBlock {
		return 0
	}
	last := block
	if rest := disk % block; rest != 0 {
		last = rest
	}
	return data + (n-1)*block + last
}
