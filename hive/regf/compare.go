package regf

import (
	"bytes"
	"encoding/binary"
)

// Comparison compares two hives that mostly hold the same bytes in the same
// places, as a hive and its edited copy do. It knows which sectors are equal, and
// need not look at the second hive's copy of a cell that lies in such sectors.
// What it answers never depends on that, only how quickly.
type Comparison struct {
	a, b    *Hive
	sectors bitmap // one bit for each 512 bytes of hive bins that are equal
}

// NewComparison prepares to compare the keys of two hives.
func NewComparison(a, b *Hive) *Comparison {
	n := min(len(a.bins), len(b.bins)) / SectorSize
	c := &Comparison{a, b, newBitmap(n)}
	for i := range n {
		at := i * SectorSize
		if bytes.Equal(a.bins[at:at+SectorSize], b.bins[at:at+SectorSize]) {
			c.sectors.set(uint32(i))
		}
	}
	return c
}

// same says whether the bytes from off on are known to be equal in both hives.
func (c *Comparison) same(off uint32, length int) bool {
	end := int64(off) + int64(length)
	if end > int64(len(c.sectors))*64*SectorSize || length < 0 {
		return false
	}
	for sector := off / SectorSize; int64(sector)*SectorSize < end; sector++ {
		if !c.sectors.get(sector) {
			return false
		}
	}
	return true
}

// sameCell says whether the first hive's cell at off has n bytes of contents that
// are known to be the second hive's too.
func (c *Comparison) sameCell(off uint32, n int) bool { return c.same(off, cellSizeField+n) }

// sameKey says whether both keys are one key node in the same place.
func (c *Comparison) sameKey(a, b Key) bool { return a.off == b.off && c.sameCell(a.off, len(a.nk)) }

// SameValues says whether two keys have the same values in the same order.
func (c *Comparison) SameValues(a, b Key) (bool, error) {
	if !c.sameKey(a, b) {
		return a.SameValues(b)
	}
	count := a.u32(nkValues)
	if count == 0 {
		return true, nil
	}
	list, err := c.a.cell("value list", a.u32(nkValueList))
	if err != nil {
		return false, err
	}
	if int64(count)*4 > int64(len(list)) || !c.sameCell(a.u32(nkValueList), 4*int(count)) {
		return a.SameValues(b)
	}
	for i := range count {
		v, err := c.a.value(binary.LittleEndian.Uint32(list[4*i:]))
		if err != nil {
			return false, err
		}
		if !c.sameValue(v) {
			return a.SameValues(b)
		}
	}
	return true, nil
}

// sameValue says whether a value and its data are known to be equal.
func (c *Comparison) sameValue(v Value) bool {
	switch {
	case !c.sameCell(v.off, len(v.vk)):
		return false
	case v.Inline() || v.Size() == 0:
		return true
	case v.Size() > segmentSize: // big data in one version, not in another
		return false
	}
	return c.sameCell(v.u32(vkDataOff), int(v.Size()))
}

// SameProperties says whether two keys are known to have the same time stamp, class
// name and security. False means that they must be looked at.
func (c *Comparison) SameProperties(a, b Key) bool {
	if !c.sameKey(a, b) {
		return false
	}
	if n := int(binary.LittleEndian.Uint16(a.nk[nkClassLen:])); n > 0 && a.u32(nkClass) != None && !c.sameCell(a.u32(nkClass), n) {
		return false
	}
	off := a.u32(nkSecurity)
	if off == None {
		return true
	}
	sk, err := c.a.cell("security record", off)
	return err == nil && c.sameCell(off, len(sk))
}

// EachPair calls fn with every subkey of a and the one of the same name of b, if
// their lists pair up one to one in the stored order. If they do not it calls fn
// not at all, or not to the end, and reports false.
func (c *Comparison) EachPair(a, b Key, fn func(a, b Key) error) (paired bool, err error) {
	if c.sameKey(a, b) && c.sameLists(a) && c.sameNames(a) {
		return true, c.eachSame(a, fn)
	}
	subA, err := a.Subkeys()
	if err != nil {
		return false, err
	}
	subB, err := b.Subkeys()
	if err != nil {
		return false, err
	}
	if len(subA) != len(subB) {
		return false, nil
	}
	for i := range subA {
		if compareNames(subA[i].name(), subB[i].name()) != 0 {
			return false, nil
		}
	}
	for i := range subA {
		if err := fn(subA[i], subB[i]); err != nil {
			return true, err
		}
	}
	return true, nil
}

// sameLists says whether a key's subkey lists are known to be equal in both hives.
func (c *Comparison) sameLists(a Key) bool {
	if a.u32(nkSubkeys) == 0 {
		return true
	}
	off := a.u32(nkSubkeyList)
	list, err := c.a.subkeyList(off)
	if err != nil || !c.sameCell(off, listEntries+len(list.offsets)) {
		return false
	}
	if !list.index {
		return true
	}
	same := true
	err = list.each(func(off uint32) error {
		leaf, err := c.a.subkeyList(off)
		same = same && err == nil && c.sameCell(off, listEntries+len(leaf.offsets))
		return err
	})
	return err == nil && same
}

// sameNames says whether the subkeys in lists that are equal in both hives have equal
// names too: such lists say where the key nodes lie, not what is in them.
func (c *Comparison) sameNames(a Key) bool {
	if a.u32(nkSubkeys) == 0 {
		return true
	}
	same := true
	err := c.a.eachSubkey(a.u32(nkSubkeyList), func(off uint32) error {
		subA, err := c.a.key(off)
		if err != nil || c.sameCell(off, len(subA.nk)) {
			return err
		}
		subB, err := c.b.key(off)
		same = same && err == nil && compareNames(subA.name(), subB.name()) == 0
		return err
	})
	return err == nil && same
}

// eachSame walks subkey lists that are equal in both hives.
func (c *Comparison) eachSame(a Key, fn func(a, b Key) error) error {
	if a.u32(nkSubkeys) == 0 {
		return nil
	}
	return c.a.eachSubkey(a.u32(nkSubkeyList), func(off uint32) error {
		subA, err := c.a.key(off)
		if err != nil {
			return err
		}
		if c.sameCell(off, len(subA.nk)) {
			at := int(off) + cellSizeField
			return fn(subA, Key{c.b, off, c.b.bins[at : at+len(subA.nk)]})
		}
		subB, err := c.b.key(off)
		if err != nil {
			return err
		}
		return fn(subA, subB)
	})
}
