package hivetest

import (
	"encoding/binary"
	"slices"
)

// Collation rules of indexes.
const (
	collateFileName     = 0x01
	collateULong        = 0x10
	collateSecurityHash = 0x12
)

// indexEntry is an entry of an index without the VCN of its child.
type indexEntry struct {
	head  []byte // the first eight bytes: MFT reference, or where the data lies
	key   []byte
	data  []byte // of view indexes
	child int64  // VCN of the block with all smaller entries, -1 in a leaf
}

// encode returns the entry as it stands in a node.
func (e indexEntry) encode(flags uint16) []byte {
	body := align8(16 + len(e.key) + len(e.data))
	length := body
	if e.child >= 0 {
		length += 8
		flags |= 1 // has a child
	}
	b := make([]byte, length)
	le := binary.LittleEndian
	copy(b, e.head)
	le.PutUint16(b[8:], uint16(length))
	le.PutUint16(b[10:], uint16(len(e.key)))
	le.PutUint16(b[12:], flags)
	copy(b[16:], e.key)
	copy(b[16+len(e.key):], e.data)
	if e.child >= 0 {
		le.PutUint64(b[body:], uint64(e.child))
	}
	return b
}

// indexNode is a node of the tree: entries, and the child behind the last.
type indexNode struct {
	entries []indexEntry
	tail    int64
}

// encode returns entries and end mark.
func (n indexNode) encode() []byte {
	var b []byte
	for _, e := range n.entries {
		b = append(b, e.encode(0)...)
	}
	return append(b, indexEntry{child: n.tail}.encode(2)...)
}

// header returns the INDEX_HEADER before entries bytes that start at offset
// start behind it, in a node with room for allocated bytes.
func indexHeader(start, entries, allocated int, large bool) []byte {
	b := make([]byte, 16)
	le := binary.LittleEndian
	le.PutUint32(b, uint32(start))
	le.PutUint32(b[4:], uint32(start+entries))
	le.PutUint32(b[8:], uint32(allocated))
	if large {
		b[12] = 1
	}
	return b
}

// indexTree sorts entries into a B-tree whose root has at most room bytes of
// entries. step is the distance of blocks in VCNs. blocks is empty if all fits
// in the root.
func indexTree(entries []indexEntry, room int, step int64) (root indexNode, blocks [][]byte) {
	root = indexNode{entries: entries, tail: -1}
	for len(root.encode()) > room && (len(blocks) == 0 || len(root.entries) > 0) {
		var up indexNode
		for _, n := range splitNode(root) {
			vcn := int64(len(blocks)) * step
			blocks = append(blocks, n.node.block(vcn))
			if n.last {
				up.tail = vcn
				break
			}
			n.up.child = vcn
			up.entries = append(up.entries, n.up)
		}
		root = up
	}
	return root, blocks
}

// part is a node of the size of a block, and the entry between it and the next.
type part struct {
	node indexNode
	up   indexEntry
	last bool
}

// splitNode cuts a node into parts that fit in blocks, each with at least one entry.
func splitNode(n indexNode) []part {
	const room = indexSize - 64 - 24 // header with update sequence array, end mark
	var parts []part
	for rest := n.entries; ; {
		size, count := 0, 0
		for count < len(rest) && size+len(rest[count].encode(0)) <= room {
			size += len(rest[count].encode(0))
			count++
		}
		if count == len(rest) {
			return append(parts, part{node: indexNode{rest, n.tail}, last: true})
		}
		if count == len(rest)-1 {
			count-- // the entry that goes up must leave one behind it
		}
		up := rest[count]
		parts = append(parts, part{node: indexNode{rest[:count:count], up.child}, up: up})
		rest = rest[count+1:]
	}
}

// block returns the node as an INDX block.
func (n indexNode) block(vcn int64) []byte {
	b := make([]byte, indexSize)
	copy(b, "INDX")
	binary.LittleEndian.PutUint64(b[16:], uint64(vcn))
	entries := n.encode()
	copy(b[24:], indexHeader(64-24, len(entries), indexSize-24, n.tail >= 0))
	copy(b[64:], entries)
	protect(b, 0x28)
	return b
}

// indexRoot returns the value of $INDEX_ROOT.
func indexRoot(typ, collation uint32, clusterSize int, n indexNode) []byte {
	b := make([]byte, 16)
	le := binary.LittleEndian
	le.PutUint32(b, typ)
	le.PutUint32(b[4:], collation)
	le.PutUint32(b[8:], indexSize)
	b[12] = byte(indexSize / indexUnit(clusterSize))
	entries := n.encode()
	return slices.Concat(b, indexHeader(16, len(entries), 16+len(entries), n.tail >= 0), entries)
}

// indexUnit is the number of bytes a VCN of an index block counts: a cluster,
// or 512 if a cluster is larger than a block.
func indexUnit(clusterSize int) int {
	if clusterSize > indexSize {
		return sectorSize
	}
	return clusterSize
}
