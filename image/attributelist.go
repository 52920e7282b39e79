package image

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
)

// maxAttrList bounds an attribute list in bytes; NTFS has the same limit.
const maxAttrList = 256 << 10

// attributes lists the attributes of a type and name wherever they lie: in
// the record, or, by its attribute list, in extension records.
func (n *ntfs) attributes(r *record, typ uint64, name string) ([]*ntfsAttribute, error) {
	if !r.has(attrList) {
		return r.direct(typ, name), nil
	}
	list, err := n.attributeList(r)
	if err != nil {
		return nil, fmt.Errorf("attribute list of MFT record %d: %w", r.number, err)
	}
	var all []*ntfsAttribute
	for _, l := range list {
		if uint64(l.typ) != typ || l.name != name {
			continue
		}
		a, err := n.listed(r, l)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// listEntry is one entry of an attribute list.
type listEntry struct {
	typ    uint32
	name   string
	number int64
	seq    uint16
	id     uint16
}

// attributeList decodes the attribute list of a record (26 bytes an entry and
// the name; ntfs-3g, layout.h, ATTR_LIST_ENTRY).
func (n *ntfs) attributeList(r *record) ([]listEntry, error) {
	s, err := n.assemble(r.direct(attrList, ""), false)
	if err != nil {
		return nil, err
	}
	b, err := n.content(s, maxAttrList)
	if err != nil {
		return nil, err
	}
	var all []listEntry
	for off := 0; off+26 <= len(b); {
		e := b[off:]
		length, name, nameAt := int(binary.LittleEndian.Uint16(e[4:])), int(e[6])*2, int(e[7])
		if length < 26 || length%8 != 0 || length > len(e) || nameAt+name > length {
			return nil, fmt.Errorf("entry at %d has %d bytes: %w", off, length, ErrDamaged)
		}
		ref := binary.LittleEndian.Uint64(e[16:])
		all = append(all, listEntry{
			typ: binary.LittleEndian.Uint32(e), name: utf16String(e[nameAt : nameAt+name]),
			number: int64(ref & (1<<48 - 1)), seq: uint16(ref >> 48), id: binary.LittleEndian.Uint16(e[24:]),
		})
		off += length
	}
	return all, nil
}

// listed finds the attribute an attribute list names. The record must be an
// extension of r, or r itself.
func (n *ntfs) listed(r *record, l listEntry) (*ntfsAttribute, error) {
	ext := r
	if l.number != r.number {
		var err error
		if ext, err = n.read(l.number); err != nil {
			return nil, err
		}
		if !ext.inUse || ext.seq != l.seq || int64(ext.base&(1<<48-1)) != r.number || uint16(ext.base>>48) != r.seq {
			return nil, fmt.Errorf("MFT record %d is not an extension of %d: %w", l.number, r.number, ErrDamaged)
		}
	}
	for _, a := range ext.direct(uint64(l.typ), l.name) {
		if a.Attribute_id() == l.id {
			return a, nil
		}
	}
	return nil, fmt.Errorf("MFT record %d lacks attribute %#x: %w", l.number, l.typ, ErrDamaged)
}

// utf16String decodes a name of NTFS.
func utf16String(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}
