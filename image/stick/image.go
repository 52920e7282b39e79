package stick

import (
	"errors"
	"io"
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

// Write writes the image: everything up to the last cluster in use, in order
// and in large pieces, and the last sector, so that a new file has its full
// size. What lies between is not touched and holds nothing.
// Errors: ErrTooSmall, ErrBootCode, ErrBadName, ErrDuplicate, or the writer's.
func (im *Image) Write(w io.WriterAt) error {
	return errors.ErrUnsupported
}

// Read reads a disk of size bytes that Write wrote, or that has been used since:
// the inverse of Write, for writing an image to a stick and for checking.
// Errors: ErrNotStick, ErrDamaged, or the reader's.
func Read(r io.ReaderAt, size int64) (*Image, error) {
	return nil, errors.ErrUnsupported
}

// Verify reads a disk back and compares it with im, sector by sector and file
// by file. It returns ErrDiffers, naming what differs, or why it cannot read.
func (im *Image) Verify(r io.ReaderAt) error {
	return errors.ErrUnsupported
}
