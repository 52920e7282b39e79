package hivetest

import (
	"encoding/binary"
	"math/bits"

	"unloop/hive"
)

// MFT records of the system files.
const (
	mftRecord     = 0
	mirrorRecord  = 1
	logRecord     = 2
	volumeRecord  = 3
	attrDefRecord = 4
	rootRecord    = 5
	bitmapRecord  = 6
	bootRecord    = 7
	badRecord     = 8
	secureRecord  = 9
	upcaseRecord  = 10
	extendRecord  = 11
	reservedEnd   = 16 // 12 to 15 are in use without a name
)

// systemNames are the names users may not have in the root folder.
var systemNames = []string{
	"$MFT", "$MFTMirr", "$LogFile", "$Volume", "$AttrDef", "$Bitmap", "$Boot", "$BadClus", "$Secure", "$UpCase", "$Extend",
}

// systemWriter writes system files and keeps the first error.
type systemWriter struct {
	*volume
	root  *ntfsNode
	nodes []*ntfsNode
	err   error
}

// systemFiles writes the system files 0 to 11, but for the root folder and the
// contents of $MFT, $MFTMirr, $Bitmap and $Boot, and returns them for the root
// folder's index.
func (v *volume) systemFiles(root *ntfsNode) ([]*ntfsNode, error) {
	w := &systemWriter{volume: v, root: root, nodes: []*ntfsNode{root}}
	w.add(mftRecord, "$MFT", 0, v.mft, func(r *record) error {
		r.nonResident(attrBitmap, "", v.mftBits)
		return nil
	})
	w.add(mirrorRecord, "$MFTMirr", 0, v.mirror, nil)
	w.data(logRecord, "$LogFile", v.logFile())
	w.add(volumeRecord, "$Volume", 0, stream{}, v.volumeInformation)
	w.data(attrDefRecord, "$AttrDef", attributeDefinitions())
	v.bitmap = w.data(bitmapRecord, "$Bitmap", make([]byte, (len(v.used)+63)/64*8))
	w.add(bootRecord, "$Boot", 0, v.boot, nil)
	w.add(badRecord, "$BadClus", 0, stream{}, func(r *record) error {
		clusters := int64(len(v.used))
		r.resident(attrData, "", nil, 0)
		r.nonResident(attrData, "$Bad", stream{runs: []run{{-1, clusters}}, allocated: clusters * v.cluster, size: clusters * v.cluster})
		return nil
	})
	w.add(secureRecord, "$Secure", attrView, stream{}, v.security)
	w.data(upcaseRecord, "$UpCase", upcaseTable())
	w.add(extendRecord, "$Extend", attrFolder, stream{}, func(r *record) error { return v.index(r, nil) })
	for number := uint64(extendRecord + 1); number < reservedEnd && w.err == nil; number++ {
		r := newRecord(number, uint16(number), 0)
		r.resident(attrStandardInformation, "", standardInformation(attrHidden|attrSystem, defaultTime), 0)
		r.resident(attrData, "", nil, 0)
		w.err = v.put(r)
	}
	return w.nodes, w.err
}

// data adds a system file with content.
func (w *systemWriter) data(number uint64, name string, content []byte) stream {
	if w.err != nil {
		return stream{}
	}
	var s stream
	if s, w.err = w.store(content); w.err == nil {
		w.add(number, name, 0, s, nil)
	}
	return s
}

// add adds a system file: its data, if it has any, then what attrs adds.
func (w *systemWriter) add(number uint64, name string, index uint32, s stream, attrs func(*record) error) {
	if w.err != nil {
		return
	}
	n := &ntfsNode{name: name, number: number, seq: uint16(max(number, 1)), parent: w.root,
		attributes: attrHidden | attrSystem, index: index, allocated: s.allocated, size: s.size}
	w.nodes = append(w.nodes, n)
	r := w.begin(n, map[uint32]uint16{attrFolder: recordFolder, attrView: recordView}[index])
	if len(s.runs) > 0 {
		r.nonResident(attrData, "", s)
	}
	if attrs != nil {
		w.err = attrs(r)
	}
	if w.err == nil {
		w.err = w.put(r)
	}
}

// finish writes what depends on everything else: bitmaps, mirror, boot sectors,
// and the records that are not in use.
func (v *volume) finish(records int64) error {
	for number := int64(reservedEnd); number < v.mft.size/recordSize; number++ {
		if number >= firstUser && number < records {
			continue
		}
		r := newRecord(uint64(number), 1, 0)
		r.flags = 0
		if err := v.put(r); err != nil {
			return err
		}
	}
	mftBits := make([]byte, v.mftBits.size)
	setBits(mftBits, 0, reservedEnd)
	setBits(mftBits, firstUser, int(records))
	v.write(v.mftBits.runs, mftBits)

	for _, r := range v.unused {
		clear(v.used[r.lcn : r.lcn+r.length])
	}
	clusterBits := make([]byte, v.bitmap.size)
	for i, used := range v.used {
		if used {
			setBits(clusterBits, i, i+1)
		}
	}
	setBits(clusterBits, len(v.used), 8*len(clusterBits)) // beyond the volume
	v.write(v.bitmap.runs, clusterBits)

	mft := v.mft.runs[0].lcn * v.cluster
	v.write(v.mirror.runs, v.image[mft:mft+v.mirror.size])
	boot := v.bootSector()
	copy(v.image, boot)
	copy(v.image[len(v.image)-sectorSize:], boot)
	return nil
}

// bootSector returns the boot sector; its code stops the machine.
func (v *volume) bootSector() []byte {
	b := make([]byte, sectorSize)
	le := binary.LittleEndian
	copy(b, "\xEB\x52\x90NTFS    ")
	le.PutUint16(b[11:], sectorSize)
	b[13] = byte(v.cluster / sectorSize)
	b[21] = 0xF8              // fixed disk
	le.PutUint16(b[24:], 63)  // sectors a track
	le.PutUint16(b[26:], 255) // heads
	le.PutUint32(b[28:], v.o.HiddenSectors)
	b[36], b[38] = 0x80, 0x80
	le.PutUint64(b[40:], uint64(v.o.Size/sectorSize-1)) // without the backup of this sector
	le.PutUint64(b[48:], uint64(v.mft.runs[0].lcn))
	le.PutUint64(b[56:], uint64(v.mirror.runs[0].lcn))
	b[64] = perRecord(recordSize, v.cluster)
	b[68] = perRecord(indexSize, v.cluster)
	le.PutUint64(b[72:], v.o.Serial)
	copy(b[0x54:], "\xFA\xF4\xEB\xFD") // cli; hlt; again
	copy(b[510:], "\x55\xAA")
	return b
}

// perRecord is a number of clusters or, if a cluster is larger, minus the
// binary logarithm of the bytes.
func perRecord(size, cluster int64) byte {
	if cluster <= size {
		return byte(size / cluster)
	}
	return byte(-bits.TrailingZeros64(uint64(size)))
}

// volumeInformation adds name and flags of $Volume.
func (v *volume) volumeInformation(r *record) error {
	info := make([]byte, 12)
	info[8], info[9] = 3, 1 // NTFS 3.1
	if v.o.Dirty {
		info[10] = 1
	}
	r.resident(attrVolumeName, "", hive.EncodeUTF16(v.o.Label), 0)
	r.resident(attrVolumeInformation, "", info, 0)
	r.resident(attrData, "", nil, 0)
	return nil
}

// logFile returns the journal: emptied, which is all ones, or with two restart
// pages of version 1.1 that say NTFS is using it. There are no log records:
// who reads only the restart pages, as ntfs-3g and unloop do, sees a volume
// that was not unmounted, but Windows could not replay this journal.
func (v *volume) logFile() []byte {
	size := 256 << 10
	if v.o.Size >= 16<<20 {
		size = 2 << 20
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = 0xFF
	}
	if v.o.Unclean || v.o.NewJournal {
		copy(b, v.restartPage(size, 0x105FB1))
		copy(b[4096:], v.restartPage(size, 0x105FA3))
	}
	return b
}

// restartPage returns a restart page: of a journal in use, or of one that was closed.
func (v *volume) restartPage(logSize int, lsn uint64) []byte {
	const (
		area    = 0x30 // offset of the restart area
		clients = 0x40 // offset of the client array in it
		client  = 160  // bytes of a client
		noone   = 0xFFFF
	)
	b := make([]byte, 4096)
	le := binary.LittleEndian
	copy(b, "RSTR")
	le.PutUint32(b[16:], 4096) // system page
	le.PutUint32(b[20:], 4096) // log page
	le.PutUint16(b[24:], area)
	le.PutUint16(b[26:], 1) // minor version
	le.PutUint16(b[28:], 1) // major version
	if v.o.NewJournal {
		le.PutUint16(b[26:], 0)
		le.PutUint16(b[28:], 2)
	}

	a := b[area:]
	le.PutUint64(a, lsn)
	le.PutUint16(a[8:], 1)      // clients
	le.PutUint16(a[10:], noone) // free list
	le.PutUint16(a[12:], 0)     // in-use list: client 0, so not closed
	le.PutUint16(a[14:], 0)     // flags: not cleanly unmounted
	if !v.o.Unclean {
		le.PutUint16(a[12:], noone)
		le.PutUint16(a[14:], 2)
	}
	le.PutUint32(a[16:], uint32(67-bits.Len(uint(logSize))))
	le.PutUint16(a[20:], clients+client)
	le.PutUint16(a[22:], clients)
	le.PutUint64(a[24:], uint64(logSize))
	le.PutUint32(a[32:], 0x70) // length of the last record
	le.PutUint16(a[36:], 0x30) // header of a record
	le.PutUint16(a[38:], 0x40) // data in a log page
	le.PutUint32(a[40:], 1)    // times opened

	c := a[clients:]
	le.PutUint64(c, lsn-0x5B)
	le.PutUint64(c[8:], lsn)
	le.PutUint16(c[16:], noone)
	le.PutUint16(c[18:], noone)
	le.PutUint32(c[28:], 8)
	copy(c[32:], hive.EncodeUTF16("NTFS"))
	protect(b, 0x1E)
	return b
}

// attributeDefinitions returns the table of $AttrDef.
func attributeDefinitions() []byte {
	const (
		indexed, resident, maybeNonResident = 0x02, 0x40, 0x80
		any                                 = -1
	)
	var b []byte
	for _, d := range []struct {
		name     string
		typ      uint32
		flags    uint32
		min, max int64
	}{
		{"$STANDARD_INFORMATION", attrStandardInformation, resident, 0x30, 0x48},
		{"$ATTRIBUTE_LIST", 0x20, maybeNonResident, 0, any},
		{"$FILE_NAME", attrFileName, resident | indexed, 0x44, 0x242},
		{"$OBJECT_ID", 0x40, resident, 0, 0x100},
		{"$SECURITY_DESCRIPTOR", 0x50, maybeNonResident, 0, any},
		{"$VOLUME_NAME", attrVolumeName, resident, 2, 0x100},
		{"$VOLUME_INFORMATION", attrVolumeInformation, resident, 12, 12},
		{"$DATA", attrData, 0, 0, any},
		{"$INDEX_ROOT", attrIndexRoot, resident, 0, any},
		{"$INDEX_ALLOCATION", attrIndexAllocation, maybeNonResident, 0, any},
		{"$BITMAP", attrBitmap, maybeNonResident, 0, any},
		{"$REPARSE_POINT", 0xC0, maybeNonResident, 0, 0x4000},
		{"$EA_INFORMATION", 0xD0, resident, 8, 8},
		{"$EA", 0xE0, 0, 0, 0x10000},
		{"$LOGGED_UTILITY_STREAM", 0x100, maybeNonResident, 0, 0x10000},
		{},
	} {
		e := make([]byte, 160)
		le := binary.LittleEndian
		copy(e[:128], hive.EncodeUTF16(d.name))
		le.PutUint32(e[128:], d.typ)
		le.PutUint32(e[140:], d.flags)
		le.PutUint64(e[144:], uint64(d.min))
		le.PutUint64(e[152:], uint64(d.max))
		b = append(b, e...)
	}
	return b
}

// upcaseTable returns the table of $UpCase: one code unit for each.
func upcaseTable() []byte {
	b := make([]byte, 0, 2*0x10000)
	for u := range 0x10000 {
		b = binary.LittleEndian.AppendUint16(b, upcase(uint16(u)))
	}
	return b
}
