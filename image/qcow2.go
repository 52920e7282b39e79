package image

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The header of a qcow2 image, big-endian, after docs/interop/qcow2.txt of QEMU.
const (
	qcowMagic     = "QFI\xfb"
	qcowLength2   = 72 // of the header of version 2
	qcowLength3   = 104
	qcowMaxName   = 1023
	qcowMaxHeader = 64 << 10 // of header and extensions together; they lie in the first cluster

	qcowDirty    = 1 << 0 // incompatible features
	qcowCorrupt  = 1 << 1
	qcowDataFile = 1 << 2
	qcowPacking  = 1 << 3 // compressed with something else than zlib
	qcowSubs     = 1 << 4 // L2 entries of 16 bytes

	qcowBaseFormat = 0xE2792ACA // extensions

	qcowOffset     = 0x00FFFFFFFFFFFE00 // of an L2 table, in an L1 entry
	qcowCompressed = 1 << 62            // in an L2 entry
	qcowZero       = 1 << 0             // the same; of an entry of 16 bytes it says nothing
)

// qcow is a decoded header.
type qcow struct {
	version, crypt, snapshots, clusterBits uint32
	size, l1, l1Entries                    int64
	features                               uint64
	length                                 int64
	baseAt, baseLength                     int64
}

// decodeQCOW decodes a header. Of a file of any length, b is its start.
func decodeQCOW(b []byte) (q qcow, err error) {
	if len(b) < qcowLength2 {
		return q, fmt.Errorf("header of a qcow2 image: %w", ErrDamaged)
	}
	q = qcow{
		version: binary.BigEndian.Uint32(b[4:]), baseAt: int64(binary.BigEndian.Uint64(b[8:])), baseLength: int64(binary.BigEndian.Uint32(b[16:])),
		clusterBits: binary.BigEndian.Uint32(b[20:]), size: int64(binary.BigEndian.Uint64(b[24:])), crypt: binary.BigEndian.Uint32(b[32:]),
		l1Entries: int64(binary.BigEndian.Uint32(b[36:])), l1: int64(binary.BigEndian.Uint64(b[40:])), snapshots: binary.BigEndian.Uint32(b[60:]),
		length: qcowLength2,
	}
	if q.version != 2 && q.version != 3 {
		return q, fmt.Errorf("qcow image of version %d: %w", q.version, ErrUnknownImage)
	}
	if q.version == 3 {
		if len(b) < qcowLength3 {
			return q, fmt.Errorf("header of a qcow2 image: %w", ErrDamaged)
		}
		q.features, q.length = binary.BigEndian.Uint64(b[72:]), int64(binary.BigEndian.Uint32(b[100:]))
	}
	switch {
	case q.clusterBits < 9 || q.clusterBits > 21, q.size < 0, q.size > 1<<60, q.l1 < 0, q.l1Entries > 4<<20,
		q.version == 3 && q.length < qcowLength3, q.length > int64(len(b)):
		return q, fmt.Errorf("header of a qcow2 image: %w", ErrDamaged)
	}
	return q, nil
}

// readQCOW reads the header of a qcow2 image.
func readQCOW(dev io.ReaderAt, size int64) header {
	b := make([]byte, min(size, qcowMaxHeader))
	if err := readFull(dev, b, 0); err != nil {
		return unreadable(FormatQCOW2, err)
	}
	q, err := decodeQCOW(b)
	if err != nil {
		return unreadable(FormatQCOW2, err)
	}
	h := header{format: FormatQCOW2, size: q.size, snapshots: int(q.snapshots)}
	switch unknown := q.features &^ (qcowDirty | qcowCorrupt | qcowDataFile | qcowPacking | qcowSubs); {
	case q.crypt != 0:
		h.unreadable = fmt.Errorf("qcow2: %w", ErrLockedImage)
	case unknown != 0:
		h.unreadable = fmt.Errorf("qcow2 with unknown features 0x%x: %w", unknown, ErrUnknownImage)
	case q.features&qcowDataFile != 0:
		h.unreadable = fmt.Errorf("qcow2 whose data are in another file: %w", ErrOutside)
	case q.baseAt != 0:
		h.stacked = true
		if q.baseAt < q.length || q.baseLength == 0 || q.baseLength > qcowMaxName || q.baseAt > int64(len(b))-q.baseLength {
			h.unreadable = fmt.Errorf("name of the base of a qcow2 image: %w", ErrDamaged)
			return h
		}
		h.base = string(b[q.baseAt : q.baseAt+q.baseLength])
		h.baseFormat, err = q.extension(b, qcowBaseFormat)
		h.unreadable = err
	}
	if q.features&qcowCorrupt != 0 {
		h.frozen = append(h.frozen, fmt.Errorf("qcow2 marked corrupt: %w", ErrUnclosed))
	}
	if q.features&qcowDirty != 0 {
		h.frozen = append(h.frozen, fmt.Errorf("qcow2 marked dirty: %w", ErrUnclosed))
	}
	return h
}

// extension returns the text of a header extension; "" if it is not there. They end with
// type 0, or where the name of the base begins.
func (q qcow) extension(b []byte, want uint32) (string, error) {
	end := min(int64(len(b)), 1<<q.clusterBits)
	if q.baseAt > 0 {
		end = min(end, q.baseAt)
	}
	for at := (q.length + 7) &^ 7; at+8 <= end; {
		kind, n := binary.BigEndian.Uint32(b[at:]), int64(binary.BigEndian.Uint32(b[at+4:]))
		if kind == 0 {
			break
		}
		if at += 8; n > end-at {
			return "", fmt.Errorf("extension 0x%x of a qcow2 header: %w", kind, ErrDamaged)
		}
		if kind == want {
			return string(b[at : at+n]), nil
		}
		at += (n + 7) &^ 7
	}
	return "", nil
}

// packedClusters says whether a qcow2 image has compressed clusters now; what its
// snapshots have does not matter. Where a cluster lies behind the end of the file, which
// was cut short then, the error wraps ErrDamaged. It reads all tables: 64 KiB for each 512 MiB of the
// disk that are in use.
func packedClusters(dev io.ReaderAt, size int64) (bool, error) {
	b := make([]byte, min(size, qcowMaxHeader))
	if err := readFull(dev, b, 0); err != nil {
		return false, err
	}
	q, err := decodeQCOW(b)
	if err != nil {
		return false, err
	}
	entry := 8
	if q.features&qcowSubs != 0 {
		entry = 16
	}
	cluster := int64(1) << q.clusterBits
	if need := (q.size + cluster*(cluster/int64(entry)) - 1) / (cluster * (cluster / int64(entry))); q.l1Entries > need {
		q.l1Entries = need
	}
	if q.l1Entries*8 > size-q.l1 {
		return false, fmt.Errorf("L1 table at %d: %w", q.l1, ErrDamaged)
	}
	l1, l2 := make([]byte, q.l1Entries*8), make([]byte, cluster)
	if err := readFull(dev, l1, q.l1); err != nil {
		return false, err
	}
	left := size // no table stands twice, so that all of them are no longer than the file
	for ; len(l1) > 0; l1 = l1[8:] {
		at := int64(binary.BigEndian.Uint64(l1) & qcowOffset)
		if at == 0 {
			continue
		}
		if left -= cluster; at > size-cluster || left < 0 {
			return false, fmt.Errorf("L2 table at %d: %w", at, ErrDamaged)
		}
		if err := readFull(dev, l2, at); err != nil {
			return false, err
		}
		for i := 0; i < len(l2); i += entry {
			switch e := binary.BigEndian.Uint64(l2[i:]); {
			case e&qcowCompressed != 0:
				return true, nil
			case int64(e&qcowOffset) >= size && e&qcowZero == 0:
				return false, fmt.Errorf("cluster at %d of %d bytes: %w", e&qcowOffset, size, ErrDamaged)
			}
		}
	}
	return false, nil
}
