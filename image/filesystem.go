package image

import "strings"

// magics tell file systems by bytes at a place in their volume, in the order
// they are tried, and where their label stands.
var magics = [...]struct {
	at              int64
	magic, name     string
	label, labelEnd int64
}{
	{0x52, "FAT32   ", "FAT32", 0x47, 0x52},
	{0x36, "FAT16   ", "FAT16", 0x2B, 0x36},
	{0x36, "FAT12   ", "FAT12", 0x2B, 0x36},
	{3, "EXFAT   ", "exFAT", 0, 0},
	{0, "LUKS\xba\xbe", "LUKS", 0, 0},
	{0, "XFSB", "XFS", 0x6C, 0x78},
	{0x218, "LVM2 001", "LVM2", 0, 0},
	{0x438, "\x53\xef", "ext2/3/4", 0x478, 0x488},
	{0x8001, "CD001", "ISO 9660", 0x8028, 0x8048},
	{0x10040, "_BHRfS_M", "btrfs", 0x1012B, 0x1022B},
}

// Filesystem names what lies at an offset of a disk or image, with its label,
// for a person who is about to lose it; "" if it is nothing that is known here.
func (s *Source) Filesystem(offset int64) (name, label string) {
	if s.disk == nil {
		return "", ""
	}
	for _, m := range magics {
		b := make([]byte, len(m.magic))
		if readFull(s.disk, b, offset+m.at) != nil || string(b) != m.magic {
			continue
		}
		b = make([]byte, m.labelEnd-m.label)
		if readFull(s.disk, b, offset+m.label) == nil {
			label, _, _ = strings.Cut(strings.TrimRight(string(b), " "), "\x00")
		}
		if label == "NO NAME" {
			label = ""
		}
		return m.name, label
	}
	return "", ""
}
