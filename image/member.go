package image

import (
	"encoding/binary"
	"fmt"
	"io"
)

// signature is a magic string at a place of a whole disk. A negative offset
// counts from its end, in sectors.
type signature struct {
	name    string
	sectors []int64
	magic   string
	is      error
}

// memberSignatures are the marks that RAID and volume managers leave. Sources:
// util-linux libblkid (one file per format), mdadm, linux-ntfs ldm.h.
func memberSignatures() []signature {
	return []signature{
		{"Intel Matrix RAID", []int64{-2}, "Intel Raid ISM Cfg Sig.", ErrRaidMember},
		{"DDF RAID", []int64{-1}, "\xDE\x11\xDE\x11", ErrRaidMember},
		{"NVIDIA RAID", []int64{-2}, "NVIDIA", ErrRaidMember},
		{"LSI MegaRAID", []int64{-1}, "$XIDE$", ErrRaidMember},
		{"Promise or AMD RAID", []int64{-63, -255, -256, -16, -399, -591, -675, -735, -911, -974, -991, -951, -3087},
			"Promise Technology, Inc.", ErrRaidMember},
		{"Linux RAID", []int64{0, 8}, mdMagic + "\x01\x00\x00\x00", ErrRaidMember},
		{"logical disk manager", []int64{6, -1, -192}, "PRIVHEAD", ErrDynamicDisk},
	}
}

// mdMagic begins every superblock of Linux software RAID.
const mdMagic = "\xfc\x4e\x2b\xa9"

// findMembers looks for the marks of RAID sets and dynamic disks on a whole
// disk. Each half of a mirror looks like a healthy Windows disk; writing to
// one half splits the mirror. Where one cannot be read, neither can it be ruled out.
func findMembers(dev io.ReaderAt, size, sector int64) []error {
	var all []error
	for _, s := range memberSignatures() {
		for _, at := range s.sectors {
			off := at * sector
			if at < 0 {
				off += size / sector * sector
			}
			found, err := magicAt(dev, off, s.magic)
			if err != nil {
				all = append(all, fmt.Errorf("looking for a mark of %s: %w", s.name, err))
			}
			if found {
				all = append(all, fmt.Errorf("mark of %s at %d: %w", s.name, off, s.is))
				break
			}
		}
	}
	return append(all, findOldMD(dev, size)...)
}

// findOldMD looks where the superblocks 1.0 (4 KiB aligned, at least 8 KiB
// before the end) and 0.90 (64 KiB aligned) of Linux RAID lie.
func findOldMD(dev io.ReaderAt, size int64) []error {
	for _, off := range []int64{(size - 8<<10) &^ 4095, size&^(64<<10-1) - 64<<10} {
		found, err := magicAt(dev, off, mdMagic)
		major := make([]byte, 4)
		if found {
			err = readFull(dev, major, off+4)
		}
		if err != nil {
			return []error{fmt.Errorf("looking for a mark of Linux RAID: %w", err)}
		}
		if found && binary.LittleEndian.Uint32(major) <= 1 {
			return []error{fmt.Errorf("mark of Linux RAID at %d: %w", off, ErrRaidMember)}
		}
	}
	return nil
}

// magicAt says whether magic lies there. A medium that ends before has none.
func magicAt(dev io.ReaderAt, off int64, magic string) (bool, error) {
	if off < 0 {
		return false, nil
	}
	b := make([]byte, len(magic))
	if n, err := dev.ReadAt(b, off); n < len(b) && err != nil && err != io.EOF {
		return false, fmt.Errorf("reading at %d: %w: %w", off, err, ErrDamaged)
	}
	return string(b) == magic, nil
}

func hasMagic(dev io.ReaderAt, off int64, magic string) bool {
	b := make([]byte, len(magic))
	return off >= 0 && readFull(dev, b, off) == nil && string(b) == magic
}
