package stick

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"
)

// The sentinels a caller branches on.
var (
	// ErrTooSmall: the disk is too small for the files, or for FAT32 at all.
	ErrTooSmall = errors.New("too small")
	// ErrBootCode: boot code or GRUB's core is too long for its place.
	ErrBootCode = errors.New("boot code is too long")
	// ErrBadName: a path or label that a FAT volume cannot hold.
	ErrBadName = errors.New("not a name on a FAT volume")
	// ErrDuplicate: two files, or a file and a folder, of the same name.
	ErrDuplicate = errors.New("name is taken twice")
	// ErrNotStick: not a disk as this package writes it.
	ErrNotStick = errors.New("not a stick image")
	// ErrDamaged: a stick image that cannot be read there.
	ErrDamaged = errors.New("damaged or cut short")
	// ErrDiffers: a medium does not hold what was written to it.
	ErrDiffers = errors.New("not what was written")
)

// File is one file or folder on the stick's volume.
type File struct {
	Path string // slash-separated, relative to the root, UTF-8: "EFI/BOOT/BOOTX64.EFI"
	Dir  bool
	Data []byte
}

// Image is a whole stick: partition table, boot code, one FAT32 volume.
type Image struct {
	Size     int64     // of the disk in bytes
	DiskID   uint32    // MBR disk signature
	VolumeID uint32    // FAT32 volume serial number, by which the stick is found again
	Label    string    // volume label, at most 11 characters of upper-case ASCII: "UNLOOP"
	BootCode []byte    // at most 440 bytes for sector 0; nil: none
	Core     []byte    // GRUB's core.img, from sector 1; must end before the partition at 1 MiB
	Time     time.Time // of every file and folder; FAT keeps two seconds, and we UTC
	Files    []File    // parents of files are made as needed
}

// Renumber gives the stick another disk signature and volume serial number,
// also where the boot loaders' configuration (*.cfg) names the latter, so that
// no two sticks are taken for each other.
func (im *Image) Renumber(disk, volume uint32) {
	from, to := VolumeIDText(im.VolumeID), VolumeIDText(volume)
	im.DiskID, im.VolumeID = disk, volume
	im.Files = slices.Clone(im.Files)
	for i, f := range im.Files {
		if strings.HasSuffix(fold(f.Path), ".CFG") {
			data := bytes.ReplaceAll(f.Data, []byte(from), []byte(to))
			im.Files[i].Data = bytes.ReplaceAll(data, []byte(strings.ToLower(from)), []byte(strings.ToLower(to)))
		}
	}
}
