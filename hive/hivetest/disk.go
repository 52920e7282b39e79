package hivetest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"unloop/hive"
)

// Part is one partition of a disk image.
type Part struct {
	Start   int64  // offset on the disk in bytes, a multiple of 512
	Data    []byte // content; the partition is as long, rounded up to a sector
	Type    byte   // MBR type; default 0x07, NTFS
	GUID    string // GPT type; default basic data
	Name    string // GPT name
	Active  bool   // MBR: the one that boots
	Logical bool   // MBR: in the extended partition; its EBR lies 1 MiB before it
}

// Partition types.
const (
	typeNTFS       = 0x07
	typeExtended   = 0x05 // next link of an EBR chain
	typeExtendedLB = 0x0F // the extended partition itself, addressed by LBA
	typeProtective = 0xEE
	guidBasicData  = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
	ebrDistance    = 2048 // sectors from an EBR to its partition
)

func (p Part) first() int64   { return p.Start / sectorSize }
func (p Part) sectors() int64 { return roundUp(int64(len(p.Data)), sectorSize) / sectorSize }

// between reports whether a partition lies behind p and before last.
func between(p, last Part) func(Part) bool {
	return func(other Part) bool { return other.Start > p.Start && other.Start < last.Start }
}

// BuildMBR returns a disk image of size bytes with an MBR: up to four primary
// partitions, or three and an extended one that holds all logical ones.
func BuildMBR(parts []Part, size int64) ([]byte, error) {
	image, err := newDisk(parts, size, 1, 0)
	if err != nil {
		return nil, fmt.Errorf("building MBR disk: %w", err)
	}
	var primary, logical []Part
	for _, p := range parts {
		if p.Logical {
			logical = append(logical, p)
		} else {
			primary = append(primary, p)
		}
	}
	slots := len(primary) + min(len(logical), 1)
	if slots > 4 {
		return nil, fmt.Errorf("building MBR disk: %d primary partitions", slots)
	}
	for i, p := range primary {
		putMBREntry(image, i, p, p.first(), p.sectors())
	}
	binary.LittleEndian.PutUint32(image[440:], 0x756E6C70) // disk signature
	copy(image[510:], "\x55\xAA")
	if len(logical) > 0 && !slices.ContainsFunc(primary, between(logical[0], logical[len(logical)-1])) {
		putEBRs(image, len(primary), logical)
	} else if len(logical) > 0 {
		return nil, fmt.Errorf("building MBR disk: primary partition between logical ones")
	}
	return image, nil
}

// newDisk returns the image with the partitions' contents. Partitions must be
// in order and leave head and tail sectors to the table, and 1 MiB to each EBR.
func newDisk(parts []Part, size, head, tail int64) ([]byte, error) {
	if size%sectorSize != 0 || size < (head+tail)*sectorSize || size > 1<<32 {
		return nil, fmt.Errorf("size of %d bytes", size)
	}
	image := make([]byte, size)
	for _, p := range parts {
		first, end := p.first(), p.first()+p.sectors()
		if p.Logical {
			first -= ebrDistance
		}
		if p.Start%sectorSize != 0 || first < head || end > size/sectorSize-tail || len(p.Data) == 0 {
			return nil, fmt.Errorf("no room for a partition of %d bytes at %d on a disk of %d bytes", len(p.Data), p.Start, size)
		}
		copy(image[p.Start:], p.Data)
		head = end
	}
	return image, nil
}

// putMBREntry writes entry i of the table in sector.
func putMBREntry(sector []byte, i int, p Part, first, sectors int64) {
	e := sector[446+16*i:]
	if p.Active {
		e[0] = 0x80
	}
	copy(e[1:4], "\xFE\xFF\xFF") // no cylinders, heads, sectors: LBA counts
	e[4] = p.Type
	if p.Type == 0 {
		e[4] = typeNTFS
	}
	copy(e[5:8], "\xFE\xFF\xFF")
	binary.LittleEndian.PutUint32(e[8:], uint32(first))
	binary.LittleEndian.PutUint32(e[12:], uint32(sectors))
}

// putEBRs writes the extended partition into MBR entry slot and the chain of
// EBRs: each has its partition, relative to itself, and the next link, relative
// to the extended partition.
func putEBRs(image []byte, slot int, logical []Part) {
	start := logical[0].first() - ebrDistance
	end := logical[len(logical)-1].first() + logical[len(logical)-1].sectors()
	putMBREntry(image, slot, Part{Type: typeExtendedLB}, start, end-start)
	for i, p := range logical {
		ebr := image[(p.first()-ebrDistance)*sectorSize:]
		putMBREntry(ebr, 0, p, ebrDistance, p.sectors())
		if i+1 < len(logical) {
			next := logical[i+1]
			putMBREntry(ebr, 1, Part{Type: typeExtended}, next.first()-ebrDistance-start, next.sectors()+ebrDistance)
		}
		copy(ebr[510:], "\x55\xAA")
	}
}

// Layout of a GPT, after the UEFI specification, chapter 5.
const (
	gptEntries   = 128
	gptEntrySize = 128
	gptTable     = gptEntries * gptEntrySize / sectorSize // sectors
)

// BuildGPT returns a disk image of size bytes with a protective MBR and both
// copies of a GPT.
func BuildGPT(parts []Part, size int64) ([]byte, error) {
	image, err := newDisk(parts, size, 2+gptTable, 1+gptTable)
	if err != nil {
		return nil, fmt.Errorf("building GPT disk: %w", err)
	}
	if len(parts) > gptEntries {
		return nil, fmt.Errorf("building GPT disk: %d partitions", len(parts))
	}
	table := make([]byte, gptEntries*gptEntrySize)
	for i, p := range parts {
		e := table[i*gptEntrySize:]
		typ := p.GUID
		if typ == "" {
			typ = guidBasicData
		}
		guid, err := parseGUID(typ)
		if err != nil {
			return nil, fmt.Errorf("building GPT disk: %w", err)
		}
		copy(e, guid)
		copy(e[16:], "unloop partition")
		e[31] = byte(i)
		binary.LittleEndian.PutUint64(e[32:], uint64(p.first()))
		binary.LittleEndian.PutUint64(e[40:], uint64(p.first()+p.sectors()-1))
		copy(e[56:128], hive.EncodeUTF16(p.Name))
	}
	last := size/sectorSize - 1
	copy(image[2*sectorSize:], table)
	copy(image[(last-gptTable)*sectorSize:], table)
	copy(image[sectorSize:], gptHeader(1, last, 2, last, table))
	copy(image[last*sectorSize:], gptHeader(last, 1, last-gptTable, last, table))
	putMBREntry(image, 0, Part{Type: typeProtective}, 1, last)
	copy(image[510:], "\x55\xAA")
	return image, nil
}

// gptHeader returns the header at sector own; the other copy is at sector
// other, the entries begin at sector entries.
func gptHeader(own, other, entries, last int64, table []byte) []byte {
	h := make([]byte, 92)
	le := binary.LittleEndian
	copy(h, "EFI PART\x00\x00\x01\x00")
	le.PutUint32(h[12:], uint32(len(h)))
	le.PutUint64(h[24:], uint64(own))
	le.PutUint64(h[32:], uint64(other))
	le.PutUint64(h[40:], 2+gptTable)
	le.PutUint64(h[48:], uint64(last-gptTable-1))
	copy(h[56:72], "unloop test disk")
	le.PutUint64(h[72:], uint64(entries))
	le.PutUint32(h[80:], gptEntries)
	le.PutUint32(h[84:], gptEntrySize)
	le.PutUint32(h[88:], crc32.ChecksumIEEE(table))
	le.PutUint32(h[16:], crc32.ChecksumIEEE(h))
	return h
}

// parseGUID returns a GUID as it is stored: its first three groups little-endian.
func parseGUID(s string) ([]byte, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != 16 {
		return nil, fmt.Errorf("GUID %q", s)
	}
	slices.Reverse(b[:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	return b, nil
}
