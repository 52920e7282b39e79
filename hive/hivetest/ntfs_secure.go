package hivetest

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// securityID is the number of the one descriptor all files share.
const securityID = 0x100

// sdsCopy is the distance of each block of $SDS from its second copy.
const sdsCopy = 0x40000

// descriptor returns a self-relative security descriptor: owned by
// Administrators, the access of mask for them and for SYSTEM.
func descriptor(mask uint32, aceFlags byte) []byte {
	administrators := []byte{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0} // S-1-5-32-544
	system := []byte{1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0}                        // S-1-5-18
	le := binary.LittleEndian
	var aces []byte
	for _, sid := range [][]byte{system, administrators} {
		ace := []byte{0, aceFlags} // access allowed
		ace = le.AppendUint16(ace, uint16(8+len(sid)))
		ace = le.AppendUint32(ace, mask)
		aces = append(aces, append(ace, sid...)...)
	}
	acl := []byte{2, 0} // revision
	acl = le.AppendUint16(acl, uint16(8+len(aces)))
	acl = le.AppendUint32(acl, 2) // entries
	acl = append(acl, aces...)

	owner := 20 + len(acl)
	b := make([]byte, 20)
	b[0] = 1                                               // revision
	le.PutUint16(b[2:], 0x8004)                            // self-relative, DACL present
	le.PutUint32(b[4:], uint32(owner))                     // owner
	le.PutUint32(b[8:], uint32(owner+len(administrators))) // group
	le.PutUint32(b[16:], 20)                               // DACL
	return slices.Concat(b, acl, administrators, system)
}

// security adds the streams and indexes of $Secure with one descriptor.
func (v *volume) security(r *record) error {
	sd := descriptor(0x001F01FF, 3) // all access to a file, inherited by all
	var hash uint32
	for i := 0; i < len(sd); i += 4 {
		hash = binary.LittleEndian.Uint32(sd[i:]) + bits.RotateLeft32(hash, 3)
	}
	le := binary.LittleEndian
	head := le.AppendUint32(nil, hash)
	head = le.AppendUint32(head, securityID)
	head = le.AppendUint64(head, 0) // offset in $SDS
	head = le.AppendUint32(head, uint32(20+len(sd)))

	sds := make([]byte, sdsCopy, sdsCopy+20+len(sd))
	copy(sds, head)
	copy(sds[20:], sd)
	sds = append(sds, sds[:20+len(sd)]...)
	s, err := v.store(sds)
	if err != nil {
		return err
	}
	r.nonResident(attrData, "$SDS", s)
	byHash := head[:8]
	byID := head[4:8]
	r.resident(attrIndexRoot, "$SDH", v.viewRoot(collateSecurityHash, byHash, append(head, "I\x00I\x00"...)), 0)
	r.resident(attrIndexRoot, "$SII", v.viewRoot(collateULong, byID, head), 0)
	return nil
}

// viewRoot returns a view index with one entry.
func (v *volume) viewRoot(collation uint32, key, data []byte) []byte {
	const header = 20 // bytes of data that count; $SDH has padding behind them
	e := indexEntry{head: make([]byte, 8), key: key, data: data, child: -1}
	binary.LittleEndian.PutUint16(e.head, uint16(16+len(key)))
	binary.LittleEndian.PutUint16(e.head[2:], header)
	return indexRoot(0, collation, v.o.ClusterSize, indexNode{entries: []indexEntry{e}, tail: -1})
}
