package stick

import (
	"encoding/binary"
	"time"
	"unicode/utf16"
)

// entrySize is the size of a directory entry (FAT 6).
const entrySize = 32

// Attributes of a directory entry (FAT 6.1).
const (
	attrLabel    = 0x08
	attrDir      = 0x10
	attrArchive  = 0x20 // changed since the last backup: every file as it is made
	attrLongName = 0x0F
)

// bootSector makes the volume's first sector, the BPB (FAT 3.1, 3.3). Its code
// hands back to the BIOS: it is the MBR that starts the stick.
func (im *Image) bootSector(g geometry) []byte {
	b := make([]byte, sectorSize)
	copy(b, "\xEB\x58\x90MSWIN4.1") // jump, and the name that most readers know
	put16, put32 := binary.LittleEndian.PutUint16, binary.LittleEndian.PutUint32
	put16(b[11:], sectorSize)
	b[13] = byte(g.cluster)
	put16(b[14:], uint16(g.reserved))
	b[16] = byte(g.fats)
	b[21] = 0xF8 // fixed disk
	put16(b[24:], tracks)
	put16(b[26:], heads)
	put32(b[28:], partitionStart)
	put32(b[32:], uint32(g.sectors))
	put32(b[36:], uint32(g.fat))
	put32(b[44:], rootCluster)
	put16(b[48:], 1) // FSInfo
	put16(b[50:], 6) // backup of this sector
	b[64], b[66] = 0x80, 0x29
	put32(b[67:], im.VolumeID)
	copy(b[71:], padLabel(im.Label))
	copy(b[82:], "FAT32   ")
	copy(b[90:], "\xCD\x18\xF4\xEB\xFD") // int 0x18: next device; else hlt for ever
	put16(b[510:], bootSignature)
	return b
}

// padLabel gives the eleven characters of a label, or what stands for none.
func padLabel(label string) string {
	if label == "" {
		label = "NO NAME"
	}
	return (label + "           ")[:11]
}

// fsInfo makes the sector that saves a driver from counting (FAT 5).
func fsInfo(free, next int64) []byte {
	b := make([]byte, sectorSize)
	copy(b, "RRaA")
	copy(b[484:], "rrAa")
	binary.LittleEndian.PutUint32(b[488:], uint32(free))
	binary.LittleEndian.PutUint32(b[492:], uint32(next))
	binary.LittleEndian.PutUint16(b[510:], bootSignature)
	return b
}

// table makes the beginning of a FAT, up to the last cluster in use (FAT 4).
// Every file and folder lies in one piece.
func table(order []*node, used int64) []byte {
	b := make([]byte, 4*(rootCluster+used))
	put := func(cluster, value int64) { binary.LittleEndian.PutUint32(b[4*cluster:], uint32(value)) }
	put(0, 0x0FFFFFF8) // the media byte
	put(1, endOfChain) // not in use, no errors seen
	for _, n := range order {
		for c := n.first; c < n.first+n.clusters-1; c++ {
			put(c, c+1)
		}
		if n.clusters > 0 {
			put(n.first+n.clusters-1, endOfChain)
		}
	}
	return b
}

// entries is how many directory entries a folder has; the root may have one
// for the label, others have "." and "..".
func (n *node) entries() int64 {
	count := 1
	if n.parent != nil {
		count = 2
	}
	for _, c := range n.children {
		count += 1 + len(c.longName())/13
	}
	return int64(count)
}

// longName is the name in UTF-16, ended and padded to whole entries of 13
// units; nil if the short name says it all.
func (n *node) longName() []uint16 {
	if n.short.String() == n.name {
		return nil
	}
	units := utf16.Encode([]rune(n.name))
	if len(units)%13 > 0 {
		units = append(units, 0)
	}
	for len(units)%13 > 0 {
		units = append(units, 0xFFFF)
	}
	return units
}

// directory makes the content of a folder.
func (im *Image) directory(n *node) []byte {
	var b []byte
	add := func(short shortName, attr byte, n *node) { b = append(b, im.entry(short, attr, n)...) }
	switch {
	case n.parent != nil:
		add(shortOf(".", ""), attrDir, n)
		add(shortOf("..", ""), attrDir, n.parent)
	case im.Label != "":
		add(shortName([]byte(padLabel(im.Label))), attrLabel, &node{})
	}
	for _, c := range n.children {
		b = append(b, longEntries(c)...)
		attr := byte(attrArchive)
		if c.dir {
			attr = attrDir
		}
		add(c.short, attr, c)
	}
	return b
}

// entry makes one directory entry that leads to a node. Zero stands for the
// root, whatever cluster it has (FAT 6.5).
func (im *Image) entry(short shortName, attr byte, n *node) []byte {
	b := make([]byte, entrySize)
	copy(b, short[:])
	date, clock := fatTime(im.Time)
	put16 := binary.LittleEndian.PutUint16
	b[11] = attr
	put16(b[14:], clock)
	put16(b[16:], date)
	put16(b[18:], date)
	put16(b[22:], clock)
	put16(b[24:], date)
	if n.parent != nil {
		put16(b[20:], uint16(n.first>>16))
		put16(b[26:], uint16(n.first))
	}
	binary.LittleEndian.PutUint32(b[28:], uint32(len(n.data)))
	return b
}

// longEntries makes the entries of a long name, its end first (FAT 7.1).
func longEntries(n *node) (b []byte) {
	units := n.longName()
	last := len(units) / 13
	for i := last; i > 0; i-- {
		e := make([]byte, entrySize)
		e[0], e[11], e[13] = byte(i), attrLongName, n.short.checksum()
		if i == last {
			e[0] |= 0x40
		}
		for j, unit := range units[13*(i-1) : 13*i] {
			binary.LittleEndian.PutUint16(e[longNameAt(j):], unit)
		}
		b = append(b, e...)
	}
	return b
}

// longNameAt is where in an entry unit j of its thirteen lies.
func longNameAt(j int) int {
	switch {
	case j < 5:
		return 1 + 2*j
	case j < 11:
		return 14 + 2*(j-5)
	}
	return 28 + 2*(j-11)
}

// fatTime gives date and time of day as FAT has them (FAT 6.2): UTC, two
// seconds, from 1980 to 2107.
func fatTime(t time.Time) (date, clock uint16) {
	t = t.UTC()
	if t.Year() < 1980 {
		t = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if t.Year() > 2107 {
		t = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
	}
	date = uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day())
	return date, uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
}

// timeOf is the inverse of fatTime.
func timeOf(date, clock uint16) time.Time {
	return time.Date(1980+int(date>>9), time.Month(date>>5&15), int(date&31),
		int(clock>>11), int(clock>>5&63), int(clock&31)*2, 0, time.UTC)
}
