package hivetest

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Places in the first sector of a hive or old-format log, from the public
// specification of the format.
const (
	dirtySeq1    = 4
	dirtySeq2    = 8
	dirtyTime    = 12
	dirtyType    = 28
	dirtyBins    = 40
	dirtySum     = 508
	dirtyVector  = 516 // the bitmap, after "DIRT"
	firstBinTime = 4096 + 20
)

// Dirty takes a hive as it was and as Windows has changed it in memory, both clean,
// and returns what a reset in mid-write leaves: the old hive marked dirty, and the
// log in the old format that leads to the new one. The log is padded with garbage
// to logSize bytes, as a log that was longer once.
func Dirty(before, after []byte, logSize int) (primary, log []byte, err error) {
	if len(before) < 8192 || len(after) < len(before) {
		return nil, nil, errors.New("dirtying hive: the new one must not be shorter")
	}
	binsSize := int(binary.LittleEndian.Uint32(after[dirtyBins:]))
	seq := binary.LittleEndian.Uint32(before[dirtySeq1:]) + 1
	stamp := binary.LittleEndian.Uint64(before[firstBinTime:])

	primary = bytes.Clone(before)
	binary.LittleEndian.PutUint32(primary[dirtySeq1:], seq)
	binary.LittleEndian.PutUint64(primary[dirtyTime:], stamp)
	sealSector(primary)

	at := (dirtyVector + binsSize/4096 + 511) &^ 511
	log = make([]byte, at)
	copy(log, after[:512])
	binary.LittleEndian.PutUint32(log[dirtySeq1:], seq)
	binary.LittleEndian.PutUint32(log[dirtySeq2:], seq)
	binary.LittleEndian.PutUint64(log[dirtyTime:], stamp)
	binary.LittleEndian.PutUint32(log[dirtyType:], 1)
	sealSector(log)
	copy(log[512:], "DIRT")
	for page := range binsSize / 4096 {
		off := 4096 + page*4096
		if page > 0 && off+4096 <= len(before) && bytes.Equal(before[off:off+4096], after[off:off+4096]) {
			continue
		}
		log[dirtyVector+page] = 0xFF
		log = append(log, after[off:off+4096]...)
	}
	if logSize < len(log) {
		return nil, nil, errors.New("dirtying hive: the log is longer than that")
	}
	for i := len(log); i < logSize; i++ {
		log = append(log, byte(i*7))
	}
	return primary, log, nil
}

// sealSector renews the checksum of a base block.
func sealSector(b []byte) {
	var sum uint32
	for off := 0; off < dirtySum; off += 4 {
		sum ^= binary.LittleEndian.Uint32(b[off:])
	}
	if sum == 0 {
		sum = 1
	}
	if sum == 0xFFFFFFFF {
		sum--
	}
	binary.LittleEndian.PutUint32(b[dirtySum:], sum)
}
