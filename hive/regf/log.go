package regf

import (
	"errors"
	"fmt"
)

// Old-format log (specification, "Old format"): a copy of the base block's first
// sector, "DIRT", a bitmap with one bit for every 512 bytes of hive bins, then the
// pages whose bits are set, without gaps, from the next sector on.
const (
	logVector     = SectorSize + 4 // where the bitmap begins
	dirtSignature = "DIRT"
	newLogEntry   = "HvLE"
)

// ErrNewLog says that a log has the format of Windows 8.1 and later: a newer
// Windows has had this hive loaded.
var ErrNewLog = errors.New("the log has the format of Windows 8.1 and later")

// DirtyPage is a piece of hive bins held in a log: 512 bytes or several such in a row.
type DirtyPage struct {
	Offset int64 // in the hive's file, in bytes
	Data   []byte
}

// Log is a decoded, complete and valid old-format log.
type Log struct {
	Base   BaseBlock
	Sector []byte // the log's first 512 bytes
	Pages  []DirtyPage
}

// logPagesAt returns where in a log the pages begin, for hive bins of that length.
func logPagesAt(binsSize uint32) int64 {
	return (logVector + int64(binsSize)/PageSize + SectorSize - 1) &^ (SectorSize - 1)
}

// DecodeLog reads an old-format log. What lies behind its last page is ignored. A
// log that is invalid, cut short or of the new format (ErrNewLog) gives an error;
// nothing of such a log may be used. The pages are parts of b, not copies.
func DecodeLog(b []byte) (*Log, error) {
	bb, err := DecodeBaseBlock(b)
	if err != nil {
		return nil, fmt.Errorf("reading log: %w", err)
	}
	if bb.Type == TypeNewLog || len(b) >= SectorSize+4 && string(b[SectorSize:SectorSize+4]) == newLogEntry {
		return nil, ErrNewLog
	}
	if err := bb.usable(TypeLog); err != nil {
		return nil, fmt.Errorf("reading log: %w", err)
	}
	if why := bb.Dirty(); why != "" {
		return nil, formatErrorf("log", 0, "it was not written to its end: %s", why)
	}
	if len(b) < logVector || string(b[SectorSize:logVector]) != dirtSignature {
		return nil, formatErrorf("log", SectorSize, "no \"DIRT\" where the dirty vector should begin")
	}
	at := logPagesAt(bb.BinsSize)
	if int64(len(b)) < at {
		return nil, formatErrorf("log", int64(len(b)), "cut short within the dirty vector")
	}
	log := &Log{Base: bb, Sector: b[:SectorSize]}
	if err := log.decodePages(b, b[logVector:logVector+int(bb.BinsSize/PageSize)], at); err != nil {
		return nil, err
	}
	return log, nil
}

func (l *Log) decodePages(b, vector []byte, at int64) error {
	for i := range int64(len(vector)) * 8 {
		if vector[i/8]&(1<<(i%8)) == 0 {
			continue
		}
		if at+SectorSize > int64(len(b)) {
			return formatErrorf("log", at, "cut short: dirty page %d of the hive is not in it", i)
		}
		offset := BaseBlockSize + i*SectorSize
		if n := len(l.Pages); n > 0 && l.Pages[n-1].Offset+int64(len(l.Pages[n-1].Data)) == offset {
			last := &l.Pages[n-1]
			last.Data = b[at-int64(len(last.Data)) : at+SectorSize]
		} else {
			l.Pages = append(l.Pages, DirtyPage{offset, b[at : at+SectorSize]})
		}
		at += SectorSize
	}
	return nil
}

// EncodeLog makes the log that turns the old hive into the new one: every 4,096
// bytes of hive bins that differ, the first ones always among them, since their
// time stamp is what ties log and hive together. seq becomes both sequence
// numbers; the time is the new hive's first bin's. The first 512 bytes of the
// result, its base block, must be written last.
func EncodeLog(oldHive, newHive *Hive, seq uint32) []byte {
	pages := changedPages(oldHive, newHive)
	at := logPagesAt(newHive.base.BinsSize)
	b := make([]byte, at+int64(len(pages))*PageSize)
	copy(b, newHive.data[:SectorSize])
	bb := newHive.base
	bb.PrimarySeq, bb.SecondarySeq = seq, seq
	bb.LastWritten = newHive.FirstBinTime()
	bb.Type = TypeLog
	EncodeBaseBlock(b, bb)
	copy(b[SectorSize:], dirtSignature)
	for _, page := range pages {
		b[logVector+page] = 0xFF
		at += int64(copy(b[at:], newHive.bins[page*PageSize:][:PageSize]))
	}
	return b
}

// changedPages lists the pages of newHive that differ from oldHive's, by number.
func changedPages(oldHive, newHive *Hive) []int64 {
	pages := []int64{0}
	for page := int64(1); page < int64(len(newHive.bins))/PageSize; page++ {
		at := page * PageSize
		if at >= int64(len(oldHive.bins)) || string(oldHive.bins[at:at+PageSize]) != string(newHive.bins[at:at+PageSize]) {
			pages = append(pages, page)
		}
	}
	return pages
}

// Sequenced returns a copy of the base block's first sector with these sequence
// numbers and time, and the right checksum.
func (h *Hive) Sequenced(primary, secondary uint32, lastWritten uint64) []byte {
	sector := append([]byte(nil), h.data[:SectorSize]...)
	bb := h.base
	bb.PrimarySeq, bb.SecondarySeq, bb.LastWritten = primary, secondary, lastWritten
	EncodeBaseBlock(sector, bb)
	return sector
}
