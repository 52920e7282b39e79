package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// sectorSize is the unit of every write, and the only logical sector size
// Windows 7 boots from.
const sectorSize = 512

// maxBytes bounds every size read from a disk, so that no sum overflows.
const maxBytes = int64(1) << 60

// VolumeKind says what lies in a partition.
type VolumeKind int

// Kinds of volumes, by their first sectors or partition type.
const (
	VolumeOther     VolumeKind = iota // anything else, also nothing
	VolumeNTFS                        // NTFS, plain
	VolumeBitLocker                   // encrypted by BitLocker
	VolumeDynamic                     // part of a dynamic disk
)

func (k VolumeKind) String() string {
	return [...]string{"other", "NTFS", "BitLocker", "dynamic disk"}[k]
}

// Volume is a partition, or a whole bare image, and what was read of it.
type Volume struct {
	Index          int   // partition number as Linux counts; 0: bare, without a partition table
	Offset, Size   int64 // on the disk, bytes
	Kind           VolumeKind
	Serial         string // NTFS serial number, 16 hexadecimal digits; "" unless NTFS
	Label          string // NTFS volume label
	Hibernated     string // what hiberfil.sys says: see the Hiber constants; "" without the file
	Dirty          bool   // the dirty flag of $Volume; alone it proves nothing
	JournalUnclean bool   // $LogFile holds what Windows has yet to replay
	JournalUnread  bool   // $LogFile could not be read: nothing is known of it
	RestartVersion string // of $LogFile, as "1.1"; "2.0" means that a newer Windows was here

	name      string // for messages: path:index
	active    bool   // the BIOS starts it
	truncated bool   // reaches beyond the end of the disk
	fs        *ntfs  // nil unless NTFS that opened
}

// prefix is what labels of the volume's files begin with.
func (v *Volume) prefix(path string) string {
	if v.Index == 0 {
		return path + ":/"
	}
	return fmt.Sprintf("%s:%d/", path, v.Index)
}

// bitLockerToGo is the GUID at 0x1A8 of a BitLocker To Go boot sector
// (libbde, "BitLocker Drive Encryption format").
var bitLockerToGo = [16]byte{0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a,
	0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01}

// sniff names the file system by its first 512 bytes.
func sniff(b []byte) VolumeKind {
	switch {
	case len(b) < sectorSize:
		return VolumeOther
	case string(b[3:11]) == "NTFS    ":
		return VolumeNTFS
	case string(b[3:11]) == "-FVE-FS-":
		return VolumeBitLocker
	case string(b[3:11]) == "MSWIN4.1" && bytes.Equal(b[0x1A8:0x1B8], bitLockerToGo[:]):
		return VolumeBitLocker
	}
	return VolumeOther
}

// bootSector is what we need of the NTFS boot sector ($Boot).
type bootSector struct {
	sector  int64 // bytes per sector
	cluster int64 // bytes per cluster
	record  int64 // bytes per MFT record
	size    int64 // bytes of the volume
	mft     int64 // offset of the MFT on the volume
	serial  uint64
}

// parseBoot decodes and checks an NTFS boot sector. A cluster or record size
// is a count, or, negative, the power of two of its bytes.
func parseBoot(b []byte) (bootSector, error) {
	if sniff(b) != VolumeNTFS || binary.LittleEndian.Uint16(b[510:]) != 0xAA55 {
		return bootSector{}, fmt.Errorf("NTFS boot sector has no signature: %w", ErrDamaged)
	}
	s := bootSector{
		sector: int64(binary.LittleEndian.Uint16(b[0x0B:])),
		serial: binary.LittleEndian.Uint64(b[0x48:]),
	}
	s.cluster = int64(b[0x0D]) * s.sector
	if !powerOfTwo(s.sector, 512, 4096) || !powerOfTwo(s.cluster, 512, 1<<16) {
		return bootSector{}, fmt.Errorf("NTFS boot sector: sectors of %d and clusters of %d bytes: %w",
			s.sector, s.cluster, ErrDamaged)
	}
	if n := int8(b[0x40]); n > 0 {
		s.record = int64(n) * s.cluster
	} else if n > -31 {
		s.record = 1 << -n
	}
	if !powerOfTwo(s.record, 512, 1<<15) {
		return bootSector{}, fmt.Errorf("NTFS boot sector: MFT records of %d bytes: %w", s.record, ErrDamaged)
	}
	sectors, lcn := binary.LittleEndian.Uint64(b[0x28:]), binary.LittleEndian.Uint64(b[0x30:])
	if sectors == 0 || sectors > uint64(maxBytes/s.sector) || lcn > uint64(maxBytes/s.cluster) {
		return bootSector{}, fmt.Errorf("NTFS boot sector: %d sectors, MFT at cluster %d: %w", sectors, lcn, ErrDamaged)
	}
	s.size, s.mft = int64(sectors)*s.sector, int64(lcn)*s.cluster
	if s.mft == 0 || s.mft > s.size-s.record {
		return bootSector{}, fmt.Errorf("NTFS boot sector: MFT at %d outside of the volume: %w", s.mft, ErrDamaged)
	}
	return s, nil
}

func powerOfTwo(n, low, high int64) bool {
	return n >= low && n <= high && bits.OnesCount64(uint64(n)) == 1
}

// readFull reads all of p at off, or says where the device ended.
func readFull(dev io.ReaderAt, p []byte, off int64) error {
	n, err := dev.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		return fmt.Errorf("device ends at offset %d: %w", off+int64(n), ErrDamaged)
	}
	return fmt.Errorf("%w: %w", err, ErrDamaged)
}

// inspect reads what a partition of a medium of size bytes holds. A volume
// that does not open stays listed; the error says why.
func (v *Volume) inspect(dev io.ReaderAt, size int64) error {
	head := make([]byte, sectorSize)
	if err := readFull(dev, head, v.Offset); err != nil {
		return fmt.Errorf("%s: reading boot sector: %w", v.name, err)
	}
	if v.Kind = sniff(head); v.Kind != VolumeNTFS {
		return nil
	}
	limit := v.Size
	if v.Index == 0 {
		limit = 0 // a bare volume may have been cut short: see below
	}
	fs, err := openNTFS(dev, v.Offset, limit)
	if err != nil {
		return fmt.Errorf("%s: %w", v.name, err)
	}
	v.fs = fs
	v.Serial = fmt.Sprintf("%016X", fs.boot.serial)
	v.truncated = v.truncated || fs.boot.size > size-v.Offset
	if err := v.readState(); err != nil {
		return fmt.Errorf("%s: %w", v.name, err)
	}
	if v.truncated {
		return fmt.Errorf("%s: volume of %d bytes reaches beyond the end of the disk at %d: %w",
			v.name, max(v.Size, fs.boot.size), size, ErrDamaged)
	}
	return nil
}
