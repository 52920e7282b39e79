package regf

import (
	"encoding/binary"
	"strings"
)

// Security records (specification, "Key security"): a ring of descriptors that
// keys share.
const (
	skFlink      = 4
	skBlink      = 8
	skLength     = 16
	skDescriptor = 20
)

// maxDepth is the number of key levels Windows allows.
const maxDepth = 512

// maxWarnings bounds what a hostile hive can make us say.
const maxWarnings = 20

// Check looks at the whole hive as strictly as Windows does, no stricter: every
// bin and cell, and every record that can be reached from the root. The first
// defect ends it, a *FormatError that names structure, offset and, if known, key.
// Warnings name what Windows may or may not mind. Cells that nothing refers to
// are legal.
func (h *Hive) Check() (warnings []string, err error) {
	cells := len(h.bins) / 8
	c := checker{h: h, allocated: newBitmap(cells), seen: newBitmap(cells), ring: newBitmap(cells)}
	if err := c.bins(); err != nil {
		return nil, err
	}
	root, err := c.node(h.base.RootCell)
	if err != nil {
		return nil, err
	}
	if err := c.securityRing(root); err != nil {
		return nil, err
	}
	if err := c.key(root, 0); err != nil {
		return nil, c.withPath(err)
	}
	return c.warnings, nil
}

type bitmap []uint64

func newBitmap(bits int) bitmap { return make(bitmap, bits/64+1) }

func (b bitmap) get(i uint32) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b bitmap) set(i uint32)      { b[i>>6] |= 1 << (i & 63) }

type checker struct {
	h         *Hive
	allocated bitmap // one bit for 8 bytes: an allocated cell begins here
	seen      bitmap // … and something refers to it
	ring      bitmap // … and it is a security record of the ring
	path      []Key  // from the root's child to the key being checked
	warnings  []string
}

// bins checks every hive bin and every cell in it, notes the allocated ones, and
// keeps the free ones for an editor.
func (c *checker) bins() error {
	var frees []freeCell
	err := c.h.eachCell(func(off uint32, size int64, free bool) error {
		if free {
			frees = append(frees, freeCell{off, size})
		} else {
			c.allocated.set(off / 8)
		}
		return nil
	})
	c.h.free = frees
	return err
}

// eachCell calls fn for every cell, in file order, after checking the bin it is
// in and its own bounds.
func (h *Hive) eachCell(fn func(off uint32, size int64, free bool) error) error {
	for bin := int64(0); bin < int64(len(h.bins)); {
		size, err := h.binAt(bin)
		if err != nil {
			return err
		}
		for off := bin + binHeaderSize; off < bin+size; {
			n := int64(int32(binary.LittleEndian.Uint32(h.bins[off:])))
			free := n > 0
			if !free {
				n = -n
			}
			if n == 0 || n%8 != 0 || n > bin+size-off {
				return formatErrorf("cell", BaseBlockSize+off, "its size 0x%x is not possible in the bin at 0x%x", n, BaseBlockSize+bin)
			}
			if err := fn(uint32(off), n, free); err != nil {
				return err
			}
			off += n
		}
		bin += size
	}
	return nil
}

// binAt checks the header of the hive bin at off and returns the bin's size.
func (h *Hive) binAt(off int64) (int64, error) {
	at := BaseBlockSize + off
	bin := h.bins[off:]
	if string(bin[:4]) != "hbin" {
		return 0, formatErrorf("hive bin", at, "it does not begin with \"hbin\"")
	}
	if own := binary.LittleEndian.Uint32(bin[offBinOffset:]); int64(own) != off {
		return 0, formatErrorf("hive bin", at, "it says it lies at 0x%x", BaseBlockSize+int64(own))
	}
	size := int64(binary.LittleEndian.Uint32(bin[offBinSize:]))
	if size == 0 || size%PageSize != 0 || size > int64(len(bin)) {
		return 0, formatErrorf("hive bin", at, "its size 0x%x is not possible", size)
	}
	return size, nil
}

// claim notes that something refers to the cell at off, which must be allocated
// and not be referred to by anything else.
func (c *checker) claim(structure string, off uint32) error {
	at := BaseBlockSize + int64(off)
	if off == None {
		return formatErrorf(structure, int64(off), "it is needed but there is none")
	}
	if off%8 != 0 || int64(off) >= int64(len(c.h.bins)) {
		return formatErrorf(structure, at, "outside the hive bins")
	}
	if !c.allocated.get(off / 8) {
		return formatErrorf(structure, at, "no allocated cell begins there")
	}
	if c.seen.get(off / 8) {
		return formatErrorf(structure, at, "its cell is referred to twice")
	}
	c.seen.set(off / 8)
	return nil
}

func (c *checker) node(off uint32) (Key, error) {
	if err := c.claim("key node", off); err != nil {
		return Key{}, err
	}
	return c.h.key(off)
}

// security returns the record at off after checking its bounds.
func (h *Hive) security(off uint32) ([]byte, error) {
	sk, err := h.cell("security record", off)
	if err != nil {
		return nil, err
	}
	at := BaseBlockSize + int64(off)
	if len(sk) < skDescriptor || sk[0] != 's' || sk[1] != 'k' {
		return nil, formatErrorf("security record", at, "not a security record")
	}
	if n := int64(binary.LittleEndian.Uint32(sk[skLength:])); skDescriptor+n > int64(len(sk)) {
		return nil, formatErrorf("security record", at, "a descriptor of %d bytes does not fit its cell", n)
	}
	return sk, nil
}

// securityRing walks the ring of security records from the root's and marks them,
// so that every key's record is known to be one.
func (c *checker) securityRing(root Key) error {
	first := root.u32(nkSecurity)
	if first == None {
		return nil
	}
	for off := first; ; {
		if err := c.claim("security record", off); err != nil {
			return err
		}
		c.ring.set(off / 8)
		sk, err := c.h.security(off)
		if err != nil {
			return err
		}
		next := binary.LittleEndian.Uint32(sk[skFlink:])
		after, err := c.h.security(next)
		if err != nil {
			return err
		}
		if back := binary.LittleEndian.Uint32(after[skBlink:]); back != off {
			return formatErrorf("security record", BaseBlockSize+int64(next), "its back link 0x%x is not 0x%x", back, off)
		}
		if next == first {
			return nil
		}
		off = next
	}
}

// key checks one key and everything below it. The key's own cell is claimed already.
func (c *checker) key(k Key, depth int) error {
	if depth > maxDepth {
		return formatErrorf("key node", k.Offset(), "more than %d levels deep", maxDepth)
	}
	if depth > 0 && k.name().units() == 0 {
		return formatErrorf("key node", k.Offset(), "it has no name")
	}
	if err := c.keySecurity(k); err != nil {
		return err
	}
	if n := binary.LittleEndian.Uint16(k.nk[nkClassLen:]); n > 0 && k.u32(nkClass) != None {
		if err := c.claim("class name", k.u32(nkClass)); err != nil {
			return err
		}
		if _, err := k.Class(); err != nil {
			return err
		}
	}
	if err := c.values(k); err != nil {
		return err
	}
	return c.subkeys(k, depth)
}

func (c *checker) keySecurity(k Key) error {
	off := k.u32(nkSecurity)
	if off == None {
		return nil
	}
	at := BaseBlockSize + int64(off)
	if off%8 != 0 || int64(off) >= int64(len(c.h.bins)) || !c.ring.get(off/8) {
		return formatErrorf("security record", at, "the key at 0x%x refers to it, but it is not in the ring", k.Offset())
	}
	_, err := c.h.security(off)
	return err
}

func (c *checker) subkeys(k Key, depth int) error {
	count := k.u32(nkSubkeys)
	if count == 0 {
		return nil
	}
	list := k.u32(nkSubkeyList)
	if err := c.claimLists(list); err != nil {
		return err
	}
	var last Key
	found := uint32(0)
	err := c.h.eachSubkey(list, func(off uint32) error {
		if found++; found > count {
			return nil
		}
		sub, err := c.node(off)
		if err != nil {
			return err
		}
		if parent := sub.u32(nkParent); parent != k.off {
			return formatErrorf("key node", sub.Offset(), "its parent is said to lie at 0x%x, it lies at 0x%x", BaseBlockSize+int64(parent), k.Offset())
		}
		if last.h != nil {
			if err := c.order(last, sub); err != nil {
				return err
			}
		}
		last = sub
		c.path = append(c.path, sub)
		if err := c.key(sub, depth+1); err != nil {
			return err
		}
		c.path = c.path[:len(c.path)-1]
		return nil
	})
	if err == nil && found != count {
		return formatErrorf("subkey list", BaseBlockSize+int64(list), "%d entries, the key says %d", found, count)
	}
	return err
}

// claimLists claims the cells of a subkey list and of the lists in it.
func (c *checker) claimLists(off uint32) error {
	if err := c.claim("subkey list", off); err != nil {
		return err
	}
	list, err := c.h.subkeyList(off)
	if err != nil || !list.index {
		return err
	}
	return list.each(func(off uint32) error { return c.claim("subkey list", off) })
}

// order checks that two neighbours in a subkey list are in ascending order. Of
// names outside ASCII we know Windows' upper-case table too little to refuse.
func (c *checker) order(a, b Key) error {
	if compareNames(a.name(), b.name()) < 0 {
		return nil
	}
	if a.name().ascii() && b.name().ascii() {
		if compareNames(a.name(), b.name()) == 0 {
			return formatErrorf("key node", b.Offset(), "a second subkey named %q", b.Name())
		}
		return formatErrorf("key node", b.Offset(), "%q stands after %q in the subkey list", b.Name(), a.Name())
	}
	if a.Name() == b.Name() {
		return formatErrorf("key node", b.Offset(), "a second subkey named %q", b.Name())
	}
	if len(c.warnings) < maxWarnings {
		c.warnings = append(c.warnings, formatErrorf("key node", b.Offset(), "%q may be out of order after %q", b.Name(), a.Name()).Error())
	}
	return nil
}

func (c *checker) values(k Key) error {
	count := k.u32(nkValues)
	if count == 0 {
		return nil
	}
	off := k.u32(nkValueList)
	if err := c.claim("value list", off); err != nil {
		return err
	}
	list, err := c.h.cell("value list", off)
	if err != nil {
		return err
	}
	if int64(count)*4 > int64(len(list)) {
		return formatErrorf("value list", BaseBlockSize+int64(off), "%d values do not fit its cell", count)
	}
	for i := range count {
		if err := c.value(k, binary.LittleEndian.Uint32(list[4*i:])); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) value(k Key, off uint32) error {
	if err := c.claim("key value", off); err != nil {
		return err
	}
	v, err := c.h.value(off)
	if err != nil {
		return err
	}
	if v.Inline() && v.Size() > 4 {
		_, err = v.Data()
		return err
	}
	// Windows' checker refuses a hive whose only flaw is this one.
	if largest := k.u32(nkMaxValData); v.Size() > int64(largest) {
		return formatErrorf("key value", v.Offset(), "%d bytes of data, its key says that none has more than %d", v.Size(), largest)
	}
	switch {
	case v.Inline():
		return nil
	case v.Size() == 0 && v.u32(vkDataOff) == None:
		return nil
	case v.big():
		return c.bigData(v)
	}
	if err := c.claim("value data", v.u32(vkDataOff)); err != nil {
		return err
	}
	_, err = v.Data()
	return err
}

func (c *checker) bigData(v Value) error {
	off := v.u32(vkDataOff)
	if err := c.claim("big data", off); err != nil {
		return err
	}
	if err := c.h.eachSegment(off, v.Size(), func(seg uint32, _ []byte) error {
		return c.claim("big data segment", seg)
	}); err != nil {
		return err
	}
	db, err := c.h.cell("big data", off)
	if err != nil {
		return err
	}
	return c.claim("big data list", binary.LittleEndian.Uint32(db[dbList:]))
}

// withPath adds to err the path of the key that was being checked.
func (c *checker) withPath(err error) error {
	fe, ok := err.(*FormatError)
	if !ok || len(c.path) == 0 {
		return err
	}
	names := make([]string, len(c.path))
	for i, k := range c.path {
		names[i] = k.Name()
	}
	located := *fe
	located.Path = strings.Join(names, `\`)
	return &located
}
