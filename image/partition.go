package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"sort"

	"github.com/diskfs/go-diskfs/partition/gpt"
	"github.com/diskfs/go-diskfs/partition/mbr"
)

// This file is the only one of this package that imports go-diskfs, and only
// its two partition table packages. Logical partitions are read here: it lists
// none. Which table counts is decided by the MBR, as Windows does: an old GPT
// header left on a disk that was partitioned anew must not win.

// Partition types of an MBR entry.
const (
	typeProtective = 0xEE // the GPT counts
	typeDynamic    = 0x42 // logical disk manager
)

// maxEBR bounds the chain of logical partitions.
const maxEBR = 128

// Bounds on the GPT entry array, which go-diskfs allocates unseen.
const (
	maxGPTEntries   = 1024
	maxGPTEntrySize = 512
)

// partition is a stretch of a disk with a number.
type partition struct {
	index        int
	offset, size int64
	dynamic      bool // belongs to the logical disk manager
}

// section gives go-diskfs a disk as the read-only file it wants.
type section struct{ *io.SectionReader }

func (section) Stat() (fs.FileInfo, error) { return nil, errors.ErrUnsupported }
func (section) Close() error               { return nil }

// readPartitions reads the partition table of a disk of size bytes. Entries
// that cannot be used are left out and come back as problems. No table at all
// is no problem.
func readPartitions(dev io.ReaderAt, size, sector int64) (parts []partition, problems []error) {
	b := make([]byte, sectorSize)
	if err := readFull(dev, b, 0); err != nil {
		return nil, []error{fmt.Errorf("reading partition table: %w", err)}
	}
	if binary.LittleEndian.Uint16(b[510:]) != 0xAA55 {
		return nil, nil
	}
	if i := protective(b); i > 0 {
		parts, problems = readGPT(dev, size, sector)
	} else {
		parts, problems = readMBR(dev, b, size, sector)
	}
	good, bad := sound(parts, size)
	return good, append(problems, bad...)
}

// protective gives the number of the MBR entry that hands over to a GPT.
func protective(b []byte) int {
	for i := 0; i < 4; i++ {
		if b[446+16*i+4] == typeProtective {
			return i + 1
		}
	}
	return 0
}

// readGPT reads the GPT; its backup at the end of the disk if the first one
// is damaged.
func readGPT(dev io.ReaderAt, size, sector int64) (parts []partition, problems []error) {
	var err error
	defer func() {
		if err != nil {
			problems = append(problems, fmt.Errorf("reading GPT: %w: %w", err, ErrDamaged))
		}
	}()
	defer guard(&err, "go-diskfs")
	for _, at := range []int64{sector, size/sector*sector - sector} {
		if err = boundGPT(dev, at); err != nil {
			return nil, nil
		}
	}
	table, err := gpt.Read(section{io.NewSectionReader(dev, 0, size)}, int(sector), int(sector))
	if err != nil {
		return nil, nil
	}
	if table.RecoveredFromBackup {
		problems = append(problems, fmt.Errorf("first GPT is damaged, its backup is used: %w", ErrDamaged))
	}
	for _, p := range table.Partitions {
		if p.Start == 0 || p.End < p.Start || p.End >= uint64(maxBytes/sector) {
			problems = append(problems, fmt.Errorf("partition %d from sector %d to %d: %w", p.Index, p.Start, p.End, ErrDamaged))
			continue
		}
		parts = append(parts, partition{p.Index, int64(p.Start) * sector, int64(p.End-p.Start+1) * sector,
			p.Type == gpt.MicrosoftLDMData || p.Type == gpt.MicrosoftLDMMetadata})
	}
	return parts, problems
}

// boundGPT looks at the GPT header at an offset before go-diskfs does, which
// allocates entries times size and never ends on a size of zero. A header with
// a wrong checksum needs no bound: go-diskfs reads no further.
func boundGPT(dev io.ReaderAt, at int64) error {
	h := make([]byte, 92)
	if at < 0 || readFull(dev, h, at) != nil || string(h[:8]) != "EFI PART" {
		return nil
	}
	count, size := binary.LittleEndian.Uint32(h[80:]), binary.LittleEndian.Uint32(h[84:])
	sum := binary.LittleEndian.Uint32(h[16:])
	clear(h[16:20])
	if crc32.ChecksumIEEE(h) != sum {
		return nil
	}
	if count > maxGPTEntries || size < 128 || size > maxGPTEntrySize {
		return fmt.Errorf("GPT header at %d: %d entries of %d bytes", at, count, size)
	}
	return nil
}

// readMBR reads the primary partitions, then the logical ones of every
// extended partition, in the order and with the numbers of Linux.
func readMBR(dev io.ReaderAt, b []byte, size, sector int64) (parts []partition, problems []error) {
	for i := 0; i < 4; i++ {
		if flag := b[446+16*i]; flag != 0 && flag != 0x80 {
			return nil, []error{fmt.Errorf("reading MBR: entry %d has boot flag %#02x, neither 0x00 nor 0x80: %w",
				i+1, flag, ErrDamaged)}
		}
	}
	table, err := mbrTable(dev, size)
	if err != nil {
		return nil, []error{fmt.Errorf("reading MBR: %w: %w", err, ErrDamaged)}
	}
	next := 5
	for _, p := range table.Partitions {
		offset, length := int64(p.Start)*sector, int64(p.Size)*sector
		switch {
		case p.Type == mbr.Empty:
		case extended(byte(p.Type)):
			logical, err := readEBR(dev, offset, length, sector, next)
			parts, next = append(parts, logical...), next+len(logical)
			if err != nil {
				problems = append(problems, fmt.Errorf("reading extended partition %d: %w", p.Index, err))
			}
		default:
			parts = append(parts, partition{p.Index, offset, length, byte(p.Type) == typeDynamic})
		}
	}
	return parts, problems
}

func mbrTable(dev io.ReaderAt, size int64) (t *mbr.Table, err error) {
	defer guard(&err, "go-diskfs")
	return mbr.Read(section{io.NewSectionReader(dev, 0, size)}, sectorSize, sectorSize)
}

// extended reports a partition that holds logical ones: CHS, LBA, Linux.
func extended(typ byte) bool { return typ == 0x05 || typ == 0x0F || typ == 0x85 }

// readEBR walks the chain of extended boot records in [start, start+size).
// Each holds a partition, relative to itself, and a link, relative to start.
func readEBR(dev io.ReaderAt, start, size, sector int64, index int) ([]partition, error) {
	var parts []partition
	b := make([]byte, sectorSize)
	seen := map[int64]bool{}
	for at := start; ; {
		if seen[at] || len(seen) == maxEBR {
			return parts, fmt.Errorf("chain of logical partitions at %d does not end: %w", at, ErrDamaged)
		}
		seen[at] = true
		if err := readFull(dev, b, at); err != nil {
			return parts, fmt.Errorf("reading logical partition at %d: %w", at, err)
		}
		if binary.LittleEndian.Uint16(b[510:]) != 0xAA55 {
			return parts, fmt.Errorf("logical partition at %d has no signature: %w", at, ErrDamaged)
		}
		link := int64(-1)
		for i := 0; i < 4; i++ {
			e := b[446+16*i:]
			offset := int64(binary.LittleEndian.Uint32(e[8:])) * sector
			length := int64(binary.LittleEndian.Uint32(e[12:])) * sector
			switch {
			case length == 0:
			case extended(e[4]):
				if link < 0 {
					link = start + offset
				}
			case i < 2 || offset <= size-length: // entries 3 and 4 are often rubbish
				parts = append(parts, partition{index + len(parts), at + offset, length, e[4] == typeDynamic})
			}
		}
		if link < 0 {
			return parts, nil
		}
		if link >= start+size {
			return parts, fmt.Errorf("link at %d leads out of the extended partition, to %d: %w", at, link, ErrDamaged)
		}
		at = link
	}
}

// sound leaves out partitions that are empty, begin beyond the end of the
// disk, or overlap another one: nobody can say which of the two is right. One
// that only ends too late is kept, so that a cut image can be named as such.
func sound(parts []partition, size int64) (good []partition, problems []error) {
	bad := func(p partition, why string) {
		problems = append(problems, fmt.Errorf("partition %d, %d bytes at %d: %s: %w", p.index, p.size, p.offset, why, ErrDamaged))
	}
	sort.SliceStable(parts, func(i, j int) bool { return parts[i].offset < parts[j].offset })
	var reach int64
	for i, p := range parts {
		clash := p.offset < reach || i+1 < len(parts) && p.offset+p.size > parts[i+1].offset
		switch {
		case p.size <= 0:
			bad(p, "empty")
			continue
		case p.offset < sectorSize || p.offset >= size:
			bad(p, "not on the disk")
		case clash:
			bad(p, "overlaps another partition")
		default:
			good = append(good, p)
		}
		reach = max(reach, p.offset+p.size)
	}
	return good, problems
}
