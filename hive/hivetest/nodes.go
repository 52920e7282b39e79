package hivetest

import (
	"encoding/binary"
	"slices"

	"unloop/hive"
)

// builder writes the records of a tree into cells.
type builder struct {
	o        Options
	cells    cells
	security uint32 // the one sk cell all keys share
	keys     uint32 // how many they are
}

// Flags of key nodes and key values.
const (
	keyCompName   = 0x20 // name in Latin-1
	keyRoot       = 0x0C // hive entry, not to be deleted
	valueCompName = 0x01 // name in Latin-1
	inline        = 1 << 31
)

// tree writes all keys and returns the offset of the root's key node.
func (b *builder) tree(root *treeKey) uint32 {
	at := b.cells.alloc(b.nodeSize(root))
	b.security = b.cells.put(securityCell())
	b.key(root, at, none, keyRoot)
	sk := b.cells.body(b.security)
	binary.LittleEndian.PutUint32(sk[4:], b.security) // a ring of one
	binary.LittleEndian.PutUint32(sk[8:], b.security)
	binary.LittleEndian.PutUint32(sk[12:], b.keys)
	return at
}

// nodeSize returns the bytes of a key node.
func (b *builder) nodeSize(k *treeKey) int {
	name, _ := storedName(k.name)
	return 76 + len(name)
}

// key fills the key node at offset at, and writes what hangs on it.
func (b *builder) key(k *treeKey, at, parent uint32, flags uint16) {
	b.keys++
	values := b.values(k.values)
	offsets := make([]uint32, len(k.subkeys))
	var longestSub, longestValue, longestData int
	for i, sub := range k.subkeys {
		offsets[i] = b.cells.alloc(b.nodeSize(sub))
		longestSub = max(longestSub, 2*len(units(sub.name)))
	}
	for i, sub := range k.subkeys {
		b.key(sub, offsets[i], at, 0)
	}
	for _, v := range k.values {
		longestValue = max(longestValue, 2*len(units(v.Name)))
		longestData = max(longestData, len(v.Data))
	}
	list := b.subkeyList(k.subkeys, offsets)

	name, latin1 := storedName(k.name)
	if latin1 {
		flags |= keyCompName
	}
	nk := b.cells.body(at)
	le := binary.LittleEndian
	copy(nk, "nk")
	le.PutUint16(nk[2:], flags)
	le.PutUint64(nk[4:], b.o.LastWritten)
	le.PutUint32(nk[16:], parent)
	if parent == none {
		le.PutUint32(nk[16:], 0)
	}
	le.PutUint32(nk[20:], uint32(len(k.subkeys)))
	le.PutUint32(nk[28:], list)
	le.PutUint32(nk[32:], none) // volatile subkeys
	le.PutUint32(nk[36:], uint32(len(k.values)))
	le.PutUint32(nk[40:], values)
	le.PutUint32(nk[44:], b.security)
	le.PutUint32(nk[48:], none) // class name
	le.PutUint16(nk[52:], uint16(longestSub))
	le.PutUint32(nk[60:], uint32(longestValue))
	le.PutUint32(nk[64:], uint32(longestData))
	le.PutUint16(nk[72:], uint16(len(name)))
	copy(nk[76:], name)
}

// values writes key values and their list and returns the list's offset.
func (b *builder) values(values []hive.RegValue) uint32 {
	if len(values) == 0 {
		return none
	}
	var list []byte
	for _, v := range values {
		list = binary.LittleEndian.AppendUint32(list, b.value(v))
	}
	return b.cells.put(list)
}

func (b *builder) value(v hive.RegValue) uint32 {
	name, latin1 := storedName(v.Name)
	vk := make([]byte, 20+len(name))
	le := binary.LittleEndian
	copy(vk, "vk")
	le.PutUint16(vk[2:], uint16(len(name)))
	le.PutUint32(vk[4:], uint32(len(v.Data)))
	if len(v.Data) <= 4 {
		le.PutUint32(vk[4:], uint32(len(v.Data))|inline)
		copy(vk[8:12], v.Data)
	} else {
		le.PutUint32(vk[8:], b.valueData(v.Data))
	}
	le.PutUint32(vk[12:], uint32(v.Type))
	if latin1 {
		le.PutUint16(vk[16:], valueCompName)
	}
	copy(vk[20:], name)
	return b.cells.put(vk)
}

// valueData writes more than four bytes of data: one cell or, since version
// 1.4, big data: a db record, its list, and segments.
func (b *builder) valueData(data []byte) uint32 {
	if len(data) <= maxSegment || b.o.Minor < 4 {
		return b.cells.put(data)
	}
	var list []byte
	db := []byte("db\x00\x00\x00\x00\x00\x00")
	count := uint16(0)
	for segment := range slices.Chunk(data, maxSegment) {
		at := b.cells.alloc(len(segment) + 4) // Windows leaves four bytes behind each
		copy(b.cells.body(at), segment)
		list = binary.LittleEndian.AppendUint32(list, at)
		count++
	}
	binary.LittleEndian.PutUint16(db[2:], count)
	binary.LittleEndian.PutUint32(db[4:], b.cells.put(list))
	return b.cells.put(db)
}

// subkeyList writes the list of subkeys, in parts under an ri list if it is long.
func (b *builder) subkeyList(keys []*treeKey, offsets []uint32) uint32 {
	if len(keys) == 0 {
		return none
	}
	if len(keys) <= b.o.MaxList {
		return b.cells.put(b.leaf(keys, offsets))
	}
	ri := listHeader("ri", (len(keys)+b.o.MaxList-1)/b.o.MaxList)
	for i := 0; i < len(keys); i += b.o.MaxList {
		end := min(i+b.o.MaxList, len(keys))
		ri = binary.LittleEndian.AppendUint32(ri, b.cells.put(b.leaf(keys[i:end], offsets[i:end])))
	}
	return b.cells.put(ri)
}

// leaf returns an lh, lf or li list.
func (b *builder) leaf(keys []*treeKey, offsets []uint32) []byte {
	list := listHeader(string(b.o.List), len(keys))
	for i, k := range keys {
		list = binary.LittleEndian.AppendUint32(list, offsets[i])
		switch b.o.List {
		case ListLH:
			list = binary.LittleEndian.AppendUint32(list, nameHash(k.name))
		case ListLF:
			list = append(list, nameHint(k.name)...)
		}
	}
	return list
}

func listHeader(signature string, count int) []byte {
	return binary.LittleEndian.AppendUint16([]byte(signature), uint16(count))
}

// nameHash is the hash of lh lists: base 37 over the upper-case name.
func nameHash(name string) uint32 {
	var h uint32
	for _, u := range units(name) {
		h = h*37 + uint32(upcase(u))
	}
	return h
}

// nameHint is what lf lists hold: the first four characters, none of a name
// that does not begin with four (or all its) one-byte characters.
func nameHint(name string) []byte {
	hint := make([]byte, 4)
	for i, u := range units(name) {
		if i == 4 {
			break
		}
		if u > 0xFF {
			return make([]byte, 4)
		}
		hint[i] = byte(u)
	}
	return hint
}

// storedName returns a name as the hive holds it: Latin-1 if it fits.
func storedName(name string) (b []byte, latin1 bool) {
	for _, u := range units(name) {
		if u > 0xFF {
			return hive.EncodeUTF16(name), false
		}
		b = append(b, byte(u))
	}
	return b, true
}

// securityCell returns an sk record: full access for Administrators and
// SYSTEM, inherited by subkeys.
func securityCell() []byte {
	const keyAllAccess, containerInherit = 0x000F003F, 2
	sd := descriptor(keyAllAccess, containerInherit)
	sk := make([]byte, 20)
	copy(sk, "sk")
	binary.LittleEndian.PutUint32(sk[16:], uint32(len(sd)))
	return append(sk, sd...)
}
