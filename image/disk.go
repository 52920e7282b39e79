package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// disk is a whole medium: an image file or a block device. It is opened for
// reading only; beginWrite asks for more.
type disk struct {
	host    Host
	path    string
	file    *os.File
	info    fs.FileInfo // of the open file, to recognise it again
	size    int64
	sector  int64 // logical sector size
	block   bool  // a block device
	writing bool
}

// newDisk takes over an open file.
func newDisk(h Host, path string, f *os.File, info fs.FileInfo) (*disk, error) {
	d := &disk{host: h, path: path, file: f, info: info, block: info.Mode()&fs.ModeDevice != 0}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("asking for the size of %s: %w", path, err)
	}
	d.size = size
	if size < sectorSize {
		return nil, fmt.Errorf("%s, %d bytes: %w", path, size, ErrEmpty)
	}
	if d.block {
		d.sector, err = blockSectorSize(f)
	} else {
		d.sector = imageSectorSize(f)
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the sector size of %s: %w", path, err)
	}
	if !powerOfTwo(d.sector, sectorSize, 1<<16) {
		return nil, fmt.Errorf("%s has sectors of %d bytes: %w", path, d.sector, ErrUnsupported)
	}
	return d, nil
}

// imageSectorSize is 512 unless the GPT says that the image is of a disk with
// larger sectors: its header stands in the second one.
func imageSectorSize(dev io.ReaderAt) int64 {
	b := make([]byte, sectorSize)
	if readFull(dev, b, 0) != nil || binary.LittleEndian.Uint16(b[510:]) != 0xAA55 || protective(b) == 0 {
		return sectorSize
	}
	for _, n := range []int64{512, 4096, 2048, 1024} {
		if hasMagic(dev, n, "EFI PART") {
			return n
		}
	}
	return sectorSize
}

// ReadAt reads from the medium.
func (d *disk) ReadAt(p []byte, off int64) (int, error) { return d.file.ReadAt(p, off) }

// beginWrite asks for writing: the same file or device, exclusively. A block device
// caches apart from its partitions: what was written through one of those meanwhile is
// seen only past what was read before.
func (d *disk) beginWrite() error {
	if d.writing {
		return nil
	}
	if err := d.usable(); err != nil {
		return err
	}
	f, err := openExclusive(d.path, d.block)
	if err != nil {
		return d.explain(err)
	}
	info, err := f.Stat()
	if err == nil && !sameFile(d.info, info) {
		err = fmt.Errorf("opening %s for writing: %w", d.path, ErrChanged)
	}
	if err == nil && d.block {
		err = dropCache(f, true)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	old := d.file
	d.file, d.writing = f, true
	return old.Close()
}

// sync makes what was written permanent.
func (d *disk) sync() error {
	if err := d.file.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", d.path, err)
	}
	return nil
}

func (d *disk) close() error { return d.file.Close() }

// openError names a target that cannot be opened for reading.
func openError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening %s: %w", path, ErrNotFound)
	}
	return fmt.Errorf("opening %s: %w", path, readError(err))
}

// writeError names a file that cannot be opened for writing.
func writeError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("opening %s for writing: %w", path, ErrNotFound)
	case isReadOnly(err):
		return fmt.Errorf("opening %s for writing: %w: %w", path, err, ErrReadOnly)
	case isBusy(err):
		return fmt.Errorf("opening %s for writing: %w: %w", path, err, ErrBusy)
	}
	return fmt.Errorf("opening %s for writing: %w", path, readError(err))
}
