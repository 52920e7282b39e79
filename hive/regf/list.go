package regf

import "encoding/binary"

// A subkey list (specification, "Subkeys list") is li (offsets), lf or lh
// (offsets, each with a hint of four bytes), or ri (offsets of such lists).
const (
	listCount   = 2
	listEntries = 4
)

type subkeyList struct {
	offsets []byte // the entries
	stride  int    // bytes per entry
	index   bool   // ri: the entries are lists
}

func (h *Hive) subkeyList(off uint32) (subkeyList, error) {
	c, err := h.cell("subkey list", off)
	if err != nil {
		return subkeyList{}, err
	}
	at := BaseBlockSize + int64(off)
	list := subkeyList{stride: 4}
	switch string(c[:2]) {
	case "lf", "lh":
		list.stride = 8
	case "li":
	case "ri":
		list.index = true
	default:
		return subkeyList{}, formatErrorf("subkey list", at, "its signature is %q, not lf, lh, li or ri", c[:2])
	}
	n := int(binary.LittleEndian.Uint16(c[listCount:]))
	if listEntries+n*list.stride > len(c) {
		return subkeyList{}, formatErrorf("subkey list", at, "%d entries do not fit its cell", n)
	}
	list.offsets = c[listEntries : listEntries+n*list.stride]
	return list, nil
}

func (l subkeyList) each(fn func(off uint32) error) error {
	for i := 0; i < len(l.offsets); i += l.stride {
		if err := fn(binary.LittleEndian.Uint32(l.offsets[i:])); err != nil {
			return err
		}
	}
	return nil
}

// eachSubkey calls fn with the offset of every key node in the list at off. An
// index of indexes does not exist, so that no list can hold itself.
func (h *Hive) eachSubkey(off uint32, fn func(off uint32) error) error {
	list, err := h.subkeyList(off)
	if err != nil {
		return err
	}
	if !list.index {
		return list.each(fn)
	}
	return list.each(func(off uint32) error {
		leaf, err := h.subkeyList(off)
		if err != nil {
			return err
		}
		if leaf.index {
			return formatErrorf("subkey list", BaseBlockSize+int64(off), "an ri list inside an ri list")
		}
		return leaf.each(fn)
	})
}
