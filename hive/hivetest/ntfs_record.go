package hivetest

import (
	"encoding/binary"
	"fmt"
)

// Attribute types.
const (
	attrStandardInformation = 0x10
	attrFileName            = 0x30
	attrVolumeName          = 0x60
	attrVolumeInformation   = 0x70
	attrData                = 0x80
	attrIndexRoot           = 0x90
	attrIndexAllocation     = 0xA0
	attrBitmap              = 0xB0
	attrEnd                 = 0xFFFFFFFF
)

// Attribute flags.
const (
	flagCompressed = 0x0001
	flagEncrypted  = 0x4000
	flagSparse     = 0x8000
)

// File attributes of $STANDARD_INFORMATION and $FILE_NAME.
const (
	attrHidden     = 0x2
	attrSystem     = 0x4
	attrArchive    = 0x20
	attrSparse     = 0x200
	attrCompressed = 0x800
	attrEncrypted  = 0x4000
	attrFolder     = 0x10000000 // in $FILE_NAME only: has a file name index
	attrView       = 0x20000000 // the same: has a view index
)

// Flags of an MFT record.
const (
	recordInUse  = 1
	recordFolder = 2
	recordView   = 8
)

// run is a stretch of clusters of an attribute; lcn -1 is a hole.
type run struct{ lcn, length int64 }

// stream is what a non-resident attribute says of its clusters; sizes in bytes.
type stream struct {
	runs                         []run
	allocated, size, initialized int64
	flags                        uint16
}

// clusters counts the clusters of a stream without holes.
func (s stream) clusters() (n int64) {
	for _, r := range s.runs {
		if r.lcn >= 0 {
			n += r.length
		}
	}
	return n
}

// record is an MFT record under construction. Attributes are added in the
// order of their types.
type record struct {
	number uint64
	seq    uint16
	links  uint16
	flags  uint16
	attrs  []byte
	next   uint16 // instance number of the next attribute
	broken bool
}

func newRecord(number uint64, seq, flags uint16) *record {
	return &record{number: number, seq: seq, flags: recordInUse | flags}
}

// free returns the bytes that are left for further attributes.
func (r *record) free() int { return recordSize - 0x38 - len(r.attrs) - 8 }

// header begins an attribute: 16 common bytes.
func (r *record) header(typ uint32, length int, nonResident byte, name string, nameOffset int, flags uint16) []byte {
	h := make([]byte, length)
	le := binary.LittleEndian
	le.PutUint32(h, typ)
	le.PutUint32(h[4:], uint32(length))
	h[8] = nonResident
	h[9] = byte(len(name))
	le.PutUint16(h[10:], uint16(nameOffset))
	le.PutUint16(h[12:], flags)
	le.PutUint16(h[14:], r.next)
	for i, c := range units(name) {
		le.PutUint16(h[nameOffset+2*i:], c)
	}
	r.next++
	return h
}

// resident adds an attribute with its value in the record.
func (r *record) resident(typ uint32, name string, value []byte, flags uint16) {
	at := align8(24 + 2*len(name))
	h := r.header(typ, align8(at+len(value)), 0, name, 24, flags)
	binary.LittleEndian.PutUint32(h[16:], uint32(len(value)))
	binary.LittleEndian.PutUint16(h[20:], uint16(at))
	if typ == attrFileName {
		h[22] = 1 // indexed
		r.links++
	}
	copy(h[at:], value)
	r.attrs = append(r.attrs, h...)
}

// nonResident adds an attribute with its value in clusters.
func (r *record) nonResident(typ uint32, name string, s stream) {
	nameOffset := 64
	if s.flags&(flagCompressed|flagSparse) != 0 {
		nameOffset = 72
	}
	at := align8(nameOffset + 2*len(name))
	pairs := mappingPairs(s.runs)
	h := r.header(typ, align8(at+len(pairs)), 1, name, nameOffset, s.flags)
	var clusters int64
	for _, run := range s.runs {
		clusters += run.length
	}
	le := binary.LittleEndian
	le.PutUint64(h[24:], uint64(clusters-1)) // highest VCN
	le.PutUint16(h[32:], uint16(at))
	le.PutUint64(h[40:], uint64(s.allocated))
	le.PutUint64(h[48:], uint64(s.size))
	le.PutUint64(h[56:], uint64(s.initialized))
	if s.flags&flagCompressed != 0 {
		h[34] = compressionUnit
	}
	if nameOffset == 72 {
		le.PutUint64(h[64:], uint64(s.clusters()*(s.allocated/clusters)))
	}
	copy(h[at:], pairs)
	r.attrs = append(r.attrs, h...)
}

// mappingPairs encodes runs: a byte with the widths of the two numbers that
// follow, the length and the signed distance from the last run's LCN.
func mappingPairs(runs []run) []byte {
	var b []byte
	last := int64(0)
	for _, r := range runs {
		length := signedBytes(r.length)
		var offset []byte
		if r.lcn >= 0 {
			offset = signedBytes(r.lcn - last)
			last = r.lcn
		}
		b = append(b, byte(len(length)|len(offset)<<4))
		b = append(append(b, length...), offset...)
	}
	return append(b, 0)
}

// signedBytes is the shortest little-endian two's complement of n.
func signedBytes(n int64) []byte {
	var b []byte
	for {
		b = append(b, byte(n))
		if rest := n >> 7; rest == 0 || rest == -1 {
			return b
		}
		n >>= 8
	}
}

// bytes returns the finished record, its sectors protected by fix-ups.
func (r *record) bytes() ([]byte, error) {
	if r.free() < 0 {
		return nil, fmt.Errorf("MFT record %d: %d bytes of attributes do not fit", r.number, len(r.attrs))
	}
	b := make([]byte, recordSize)
	le := binary.LittleEndian
	copy(b, "FILE")
	le.PutUint16(b[16:], r.seq)
	le.PutUint16(b[18:], r.links)
	le.PutUint16(b[20:], 0x38) // first attribute
	le.PutUint16(b[22:], r.flags)
	le.PutUint32(b[24:], uint32(0x38+len(r.attrs)+8))
	le.PutUint32(b[28:], recordSize)
	le.PutUint16(b[40:], r.next)
	le.PutUint32(b[44:], uint32(r.number))
	copy(b[0x38:], r.attrs)
	le.PutUint32(b[0x38+len(r.attrs):], attrEnd)
	protect(b, 0x30)
	return b, nil
}

// protect replaces the last two bytes of each sector by the update sequence
// number 1 and keeps them in the update sequence array at offset usa.
func protect(b []byte, usa int) {
	le := binary.LittleEndian
	sectors := len(b) / sectorSize
	le.PutUint16(b[4:], uint16(usa))
	le.PutUint16(b[6:], uint16(sectors+1))
	le.PutUint16(b[usa:], 1)
	for i := range sectors {
		end := (i+1)*sectorSize - 2
		copy(b[usa+2+2*i:usa+4+2*i], b[end:])
		le.PutUint16(b[end:], 1)
	}
}

// standardInformation returns the value of $STANDARD_INFORMATION, NTFS 3.x: times of
// making, of the data, of the record and of the last access, then attributes.
func standardInformation(attributes uint32, modified uint64) []byte {
	b := make([]byte, 72)
	le := binary.LittleEndian
	le.PutUint64(b, min(defaultTime, modified))
	for at := 8; at < 32; at += 8 {
		le.PutUint64(b[at:], modified)
	}
	le.PutUint32(b[32:], attributes)
	le.PutUint32(b[52:], securityID)
	return b
}

func align8(n int) int { return (n + 7) &^ 7 }
