package regf

import (
	"encoding/binary"
	"math"
)

// None is the offset that stands for "no cell".
const None = math.MaxUint32

// Hive bin header (specification, "Hive bin header").
const (
	binHeaderSize = 32
	offBinOffset  = 4
	offBinSize    = 8
	offBinTime    = 20 // in the first bin only: the hive's last-written time
)

// Hive is a registry hive held in memory.
type Hive struct {
	data []byte // the whole file, slack included
	bins []byte // its hive bins: data[4096:4096+BinsSize]
	base BaseBlock
	free []freeCell // in file order; known after Check
}

// Parse takes the bytes of a hive file. It checks the base block alone; the rest
// is looked at by Check, and bounded at every access. A dirty hive gives an error
// that wraps ErrDirty. The bytes are kept, not copied.
func Parse(data []byte) (*Hive, error) {
	bb, err := DecodeBaseBlock(data)
	if err != nil {
		return nil, err
	}
	if why := bb.Dirty(); why != "" {
		return nil, &dirtyError{why}
	}
	return parseBins(data, bb)
}

// ParseAnyway takes the bytes of a hive as they are, dirty or not, so that what a log
// changes can be shown. Nothing may be edited in it.
func ParseAnyway(data []byte) (*Hive, error) {
	bb, err := DecodeBaseBlock(data)
	if err != nil {
		return nil, err
	}
	return parseBins(data, bb)
}

func parseBins(data []byte, bb BaseBlock) (*Hive, error) {
	if err := bb.usable(TypePrimary); err != nil {
		return nil, err
	}
	end := BaseBlockSize + int64(bb.BinsSize)
	if int64(len(data)) < end {
		return nil, formatErrorf("hive file", int64(len(data)), "cut short: the hive bins end at 0x%x", end)
	}
	return &Hive{data: data, bins: data[BaseBlockSize:end], base: bb}, nil
}

type dirtyError struct{ why string }

func (e *dirtyError) Error() string { return ErrDirty.Error() + ": " + e.why }
func (e *dirtyError) Unwrap() error { return ErrDirty }

// Bytes returns the hive's file as it lies in memory. The caller must not change it.
func (h *Hive) Bytes() []byte { return h.data }

// Bins returns the hive bins. The caller must not change them.
func (h *Hive) Bins() []byte { return h.bins }

// Base returns the decoded base block.
func (h *Hive) Base() BaseBlock { return h.base }

// Slack returns how many bytes the file has after its last hive bin.
func (h *Hive) Slack() int64 { return int64(len(h.data)) - BaseBlockSize - int64(len(h.bins)) }

// FirstBinTime returns the time stamp in the first hive bin, by which Windows
// finds the log that belongs to a hive with a broken base block.
func (h *Hive) FirstBinTime() uint64 {
	return binary.LittleEndian.Uint64(h.bins[offBinTime:])
}

// cell returns the contents of the allocated cell at off, without its size field.
// It is bounded by the hive bins, not by the cell's own bin: Check does that once.
func (h *Hive) cell(structure string, off uint32) ([]byte, error) {
	at := BaseBlockSize + int64(off)
	if off%8 != 0 || int64(off)+8 > int64(len(h.bins)) {
		return nil, formatErrorf(structure, at, "no cell can be there")
	}
	size := int32(binary.LittleEndian.Uint32(h.bins[off:]))
	if size >= 0 {
		return nil, formatErrorf(structure, at, "its cell is free")
	}
	length := -int64(size)
	if length < 8 || length > int64(len(h.bins))-int64(off) {
		return nil, formatErrorf(structure, at, "its cell's size 0x%x is not possible", length)
	}
	return h.bins[int64(off)+4 : int64(off)+length], nil
}
