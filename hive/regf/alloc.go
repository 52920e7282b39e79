package regf

import (
	"encoding/binary"
	"errors"
	"slices"
)

// ErrMustGrow says that an edit needs a cell for which neither the free cells nor
// the file's slack have room, in a file that cannot be made longer.
var ErrMustGrow = errors.New("the hive must grow and its file cannot")

// freeCell is a free cell of the hive as it was before the edit.
type freeCell struct {
	off  uint32
	size int64
}

// allocator hands out cells from the hive's free cells. Cells freed during an edit
// are not handed out again in it: until its last write the old state must stay
// readable.
type allocator struct {
	free []freeCell
}

func newAllocator(h *Hive) (*allocator, error) {
	if h.free != nil {
		return &allocator{slices.Clone(h.free)}, nil
	}
	a := &allocator{}
	err := h.eachCell(func(off uint32, size int64, free bool) error {
		if free {
			a.free = append(a.free, freeCell{off, size})
		}
		return nil
	})
	return a, err
}

// cellSize returns the size of the cell that holds n bytes.
func cellSize(n int) int64 { return (int64(n) + cellSizeField + 7) &^ 7 }

// bestFit returns the index of the smallest free cell of at least size bytes, of
// equals the one nearest to near, or -1.
func (a *allocator) bestFit(size int64, near uint32) int {
	best := -1
	for i, f := range a.free {
		if f.size < size {
			continue
		}
		if best < 0 || f.size < a.free[best].size ||
			f.size == a.free[best].size && distance(f.off, near) < distance(a.free[best].off, near) {
			best = i
		}
	}
	return best
}

func distance(a, b uint32) uint32 { return max(a, b) - min(a, b) }

// take cuts size bytes off the front of the free cell at index i.
func (a *allocator) take(i int, size int64) (off uint32, rest freeCell) {
	f := &a.free[i]
	off = f.off
	f.off += uint32(size)
	f.size -= size
	return off, *f
}

// allocate reserves a cell for contents, near another cell, and records the writes
// that make it. The header of what remains free must be there before the header
// that allocates the cell, or in the same sector, or the bin would have a hole;
// the contents may come at any time before something refers to them.
func (e *Editor) allocate(contents []byte, near uint32) (uint32, error) {
	size := cellSize(len(contents))
	i := e.alloc.bestFit(size, near)
	if i < 0 {
		if err := e.appendBin(size); err != nil {
			return 0, err
		}
		i = len(e.alloc.free) - 1
	}
	off, rest := e.alloc.take(i, size)
	header := phaseContents
	if rest.size > 0 {
		e.patch32(phaseContents, rest.off, uint32(rest.size))
		if off/SectorSize != rest.off/SectorSize {
			header = phaseAllocate
		}
	}
	padded := make([]byte, size-cellSizeField)
	copy(padded, contents)
	e.patch(phaseContents, BaseBlockSize+int64(off)+cellSizeField, padded)
	e.patch32(header, off, uint32(-int32(size)))
	return off, nil
}

// appendBin adds a hive bin with room for a cell of size bytes after the last one:
// over the file's slack where that suffices, else the file grows, if it may.
func (e *Editor) appendBin(size int64) error {
	length := (size + binHeaderSize + PageSize - 1) &^ (PageSize - 1)
	old := int64(len(e.h.bins))
	if old+length > maxBinsSize {
		return ErrMustGrow
	}
	if missing := length - e.h.Slack(); missing > 0 {
		if !e.mayGrow {
			return ErrMustGrow
		}
		e.h.data = append(e.h.data, make([]byte, missing)...)
	}
	e.h.base.BinsSize = uint32(old + length)
	e.h.bins = e.h.data[BaseBlockSize : BaseBlockSize+old+length]
	bin := make([]byte, length)
	copy(bin, "hbin")
	binary.LittleEndian.PutUint32(bin[offBinOffset:], uint32(old))
	binary.LittleEndian.PutUint32(bin[offBinSize:], uint32(length))
	binary.LittleEndian.PutUint32(bin[binHeaderSize:], uint32(length-binHeaderSize))
	e.patch(phaseNewBin, BaseBlockSize+old, bin)
	e.patchBaseBlock(phaseBinsSize)
	e.alloc.free = append(e.alloc.free, freeCell{uint32(old + binHeaderSize), length - binHeaderSize})
	return nil
}

// release frees the cell at off when the edit is committed.
func (e *Editor) release(off uint32) { e.released = append(e.released, off) }

// freeReleased turns the released cells into free ones, each merged with the free
// cells before and after it in its bin.
func (e *Editor) freeReleased() error {
	for _, off := range e.released {
		start, size, err := e.mergedWithNeighbours(off)
		if err != nil {
			return err
		}
		e.patch32(phaseFree, start, uint32(size))
	}
	return nil
}

// mergedWithNeighbours returns start and size of the free cell that the cell at off
// becomes part of.
func (e *Editor) mergedWithNeighbours(off uint32) (start uint32, size int64, err error) {
	bin, end, err := e.h.binOf(off)
	if err != nil {
		return 0, 0, err
	}
	before := int64(-1) // a free cell that ends at the current one
	for at := bin + binHeaderSize; at < end; {
		n := int64(int32(binary.LittleEndian.Uint32(e.h.bins[at:])))
		next := at + max(n, -n)
		if at == int64(off) {
			if next < end {
				if n := int32(binary.LittleEndian.Uint32(e.h.bins[next:])); n > 0 {
					next += int64(n)
				}
			}
			if before >= 0 {
				at = before
			}
			return uint32(at), next - at, nil
		}
		before = -1
		if n > 0 {
			before = at
		}
		if n == 0 {
			break
		}
		at = next
	}
	return 0, 0, formatErrorf("cell", BaseBlockSize+int64(off), "no cell begins there")
}

// binOf returns where the hive bin that holds off begins and ends.
func (h *Hive) binOf(off uint32) (start, end int64, err error) {
	for start < int64(len(h.bins)) {
		size, err := h.binAt(start)
		if err != nil {
			return 0, 0, err
		}
		if int64(off) < start+size {
			return start, start + size, nil
		}
		start += size
	}
	return 0, 0, formatErrorf("cell", BaseBlockSize+int64(off), "outside the hive bins")
}
