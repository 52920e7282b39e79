package regf

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Sizes of the file format, in bytes.
const (
	// BaseBlockSize is the length of the base block; the first hive bin follows it.
	BaseBlockSize = 4096
	// SectorSize is what we compare, log and write by.
	SectorSize = 512
	// PageSize is what hive bins are multiples of, and what we log by.
	PageSize = 4096
)

// File types in a base block (specification, "Base block").
const (
	TypePrimary = 0 // the hive itself
	TypeLog     = 1 // an old-format transaction log
	TypeNewLog  = 6 // a transaction log of Windows 8.1 and later
)

// Byte offsets in the base block.
const (
	offPrimarySeq   = 4
	offSecondarySeq = 8
	offLastWritten  = 12
	offMajor        = 20
	offMinor        = 24
	offType         = 28
	offFormat       = 32
	offRootCell     = 36
	offBinsSize     = 40
	offClustering   = 44
	offRmID         = 112
	offChecksum     = 508
)

// ErrDirty says that a hive was not written to the end: its newest changes lie in
// its transaction log, and it must be replayed before anything is edited.
var ErrDirty = errors.New("the hive is dirty")

// ErrNotHive says that a file is none of the registry's.
var ErrNotHive = errors.New("not a registry hive")

// BaseBlock is the decoded first sector of a hive or of its log.
type BaseBlock struct {
	PrimarySeq   uint32 // raised when a write begins
	SecondarySeq uint32 // made equal when it has ended
	LastWritten  uint64 // FILETIME, 100 ns since 1601
	Major, Minor uint32
	Type         uint32
	Format       uint32
	RootCell     uint32 // offset of the root key node, from the first bin
	BinsSize     uint32 // length of all hive bins in bytes
	Clustering   uint32
	Checksum     uint32   // as stored
	Sum          uint32   // as computed
	RmID         [16]byte // resource manager id; made at the installation's birth, zero before Vista
}

// DecodeBaseBlock reads the first 512 bytes of a hive or log. It fails only if
// they are missing or do not begin with "regf"; what the fields say is for the
// caller to judge.
func DecodeBaseBlock(b []byte) (BaseBlock, error) {
	if len(b) < 4 || string(b[:4]) != "regf" {
		return BaseBlock{}, fmt.Errorf("%w: it does not begin with \"regf\"", ErrNotHive)
	}
	if len(b) < SectorSize {
		return BaseBlock{}, formatErrorf("base block", 0, "cut short: %d of %d bytes", len(b), SectorSize)
	}
	u32 := func(off int) uint32 { return binary.LittleEndian.Uint32(b[off:]) }
	bb := BaseBlock{
		PrimarySeq:   u32(offPrimarySeq),
		SecondarySeq: u32(offSecondarySeq),
		LastWritten:  binary.LittleEndian.Uint64(b[offLastWritten:]),
		Major:        u32(offMajor),
		Minor:        u32(offMinor),
		Type:         u32(offType),
		Format:       u32(offFormat),
		RootCell:     u32(offRootCell),
		BinsSize:     u32(offBinsSize),
		Clustering:   u32(offClustering),
		Checksum:     u32(offChecksum),
		Sum:          Checksum(b),
	}
	copy(bb.RmID[:], b[offRmID:])
	return bb, nil
}

// Checksum computes the checksum of a base block from its first 508 bytes, which
// must be there: the XOR of 127 words, with the two reserved results avoided as
// Windows does (0 becomes 1, 0xFFFFFFFF becomes 0xFFFFFFFE).
func Checksum(b []byte) uint32 {
	var sum uint32
	for off := 0; off < offChecksum; off += 4 {
		sum ^= binary.LittleEndian.Uint32(b[off:])
	}
	switch sum {
	case 0:
		return 1
	case 0xFFFFFFFF:
		return 0xFFFFFFFE
	}
	return sum
}

// Dirty says in words why the hive with this base block must be replayed first,
// or gives "" for a clean one.
func (bb BaseBlock) Dirty() string {
	switch {
	case bb.Checksum != bb.Sum:
		return fmt.Sprintf("the base block's checksum is 0x%08x, computed 0x%08x", bb.Checksum, bb.Sum)
	case bb.PrimarySeq != bb.SecondarySeq:
		return fmt.Sprintf("its sequence numbers differ: %d and %d", bb.PrimarySeq, bb.SecondarySeq)
	}
	return ""
}

// usable checks what must hold in any base block, of a hive or a log, before its
// numbers may be used. Version 1.6 is known to the specification but Windows 7
// does not load it; versions before 1.3 have another cell layout.
func (bb BaseBlock) usable(wantType uint32) error {
	switch {
	case bb.Type != wantType:
		return formatErrorf("base block", offType, "file type is %d, not %d", bb.Type, wantType)
	case bb.Major != 1 || bb.Minor < 3 || bb.Minor > 5:
		return formatErrorf("base block", offMajor, "format version %d.%d is not one of 1.3 to 1.5", bb.Major, bb.Minor)
	case bb.Format != 1:
		return formatErrorf("base block", offFormat, "file format is %d, not 1", bb.Format)
	case bb.BinsSize == 0 || bb.BinsSize%PageSize != 0:
		return formatErrorf("base block", offBinsSize, "length of the hive bins is 0x%x, not a multiple of 4096 above 0", bb.BinsSize)
	case bb.BinsSize > maxBinsSize:
		return formatErrorf("base block", offBinsSize, "length of the hive bins is 0x%x, beyond what cell offsets can address", bb.BinsSize)
	}
	return nil
}

// maxBinsSize keeps every offset below the bit that marks volatile cells in
// Windows' memory.
const maxBinsSize = 0x7FFFF000

// EncodeBaseBlock stores bb's sequence numbers, time, type and bins length over
// the base block in b, which needs at least 512 bytes, and renews the checksum.
// All other bytes stay.
func EncodeBaseBlock(b []byte, bb BaseBlock) {
	binary.LittleEndian.PutUint32(b[offPrimarySeq:], bb.PrimarySeq)
	binary.LittleEndian.PutUint32(b[offSecondarySeq:], bb.SecondarySeq)
	binary.LittleEndian.PutUint64(b[offLastWritten:], bb.LastWritten)
	binary.LittleEndian.PutUint32(b[offType:], bb.Type)
	binary.LittleEndian.PutUint32(b[offBinsSize:], bb.BinsSize)
	binary.LittleEndian.PutUint32(b[offChecksum:], Checksum(b))
}
