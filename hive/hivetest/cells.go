package hivetest

import (
	"encoding/binary"
	"slices"
)

// cells is the bins data while it grows: cells are laid one after the other, a
// new bin begins where the next cell does not fit.
type cells struct {
	data []byte
	bin  int // offset of the last bin
	free int // offset of the unused rest of the last bin
	n    int // cells given out
	fill int // bytes of free cells still to be spread
	full bool

	last     int  // offset of the last cell
	lastFree bool // it is a free one
}

// put gives out a cell with the bytes of content.
func (c *cells) put(content []byte) uint32 {
	at := c.alloc(len(content))
	copy(c.body(at), content)
	return at
}

// alloc gives out a cell for size bytes and returns its offset relative to the
// first bin. The bytes are zero.
func (c *cells) alloc(size int) uint32 {
	if c.n++; c.n%8 == 0 && c.fill >= 16 {
		c.spread()
	}
	at := c.take((size + 4 + 7) &^ 7)
	c.last, c.lastFree = at, false
	return uint32(at)
}

// take reserves need bytes, an allocated cell.
func (c *cells) take(need int) int {
	if c.free+need > len(c.data) {
		c.closeBin()
		c.bin = len(c.data)
		size := (binHeaderSize + need + pageSize - 1) &^ (pageSize - 1)
		c.data = append(c.data, make([]byte, size)...)
		copy(c.data[c.bin:], "hbin")
		binary.LittleEndian.PutUint32(c.data[c.bin+4:], uint32(c.bin))
		binary.LittleEndian.PutUint32(c.data[c.bin+8:], uint32(size))
		c.free = c.bin + binHeaderSize
	}
	at := c.free
	c.free += need
	c.setSize(at, -need)
	return at
}

// spread puts a free cell before the next one; sizes vary from 16 to 256.
func (c *cells) spread() {
	c.addFree(min(16<<(c.n/8%5), c.fill&^7))
}

// addFree makes a free cell, or enlarges the one before: Windows keeps no two
// free cells side by side.
func (c *cells) addFree(size int) {
	c.fill -= size
	merge := c.last
	at := c.take(size)
	if c.lastFree && at > c.bin+binHeaderSize {
		at = merge
	}
	c.setSize(at, c.free-at)
	c.last, c.lastFree = at, true
}

// closeBin turns the rest of the last bin into a free cell or, in a full hive,
// into a part of the cell before it.
func (c *cells) closeBin() {
	rest := len(c.data) - c.free
	switch {
	case rest == 0:
	case c.lastFree:
		c.setSize(c.last, len(c.data)-c.last)
	case c.full:
		c.setSize(c.last, c.last-len(c.data))
	default:
		c.setSize(c.free, rest)
	}
	c.free = len(c.data)
}

// finish closes the last bin, puts what is left of fill into bins of their own
// and the time stamp into the first one.
func (c *cells) finish(lastWritten uint64) {
	for c.fill >= 16 {
		room := len(c.data) - c.free
		if room < 16 {
			room = pageSize - binHeaderSize
		}
		c.addFree(min(c.fill&^7, room))
	}
	c.closeBin()
	binary.LittleEndian.PutUint64(c.data[20:], lastWritten)
}

func (c *cells) setSize(at, size int) {
	binary.LittleEndian.PutUint32(c.data[at:], uint32(int32(size)))
}

// body returns the bytes of the cell at offset, behind its size.
func (c *cells) body(offset uint32) []byte {
	size := -int32(binary.LittleEndian.Uint32(c.data[offset:]))
	return slices.Clip(c.data[offset+4 : int(offset)+int(size)])
}
