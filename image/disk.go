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
	direct  *direct // nil: writes go through the cache

	inside   *Container // of an image file
	exported Exported   // nil: the bytes of the file are those of the disk
	served   bool       // for writing, too
	others   []*os.File // the further files of the image, or the one behind a loop device, while they are locked
	frozen   *[]error   // what forbids writing to the image file; nil: not looked yet
}

// newDisk takes over an open file; c is what an image file says of itself.
func newDisk(h Host, path string, f *os.File, info fs.FileInfo, c *Container) (*disk, error) {
	d := &disk{host: h, path: path, file: f, info: info, block: info.Mode()&fs.ModeDevice != 0, inside: c}
	var err error
	switch {
	case c == nil:
		if d.size, err = f.Seek(0, io.SeekEnd); err != nil {
			err = fmt.Errorf("asking for the size of %s: %w", path, err)
		}
	case d.contained():
		d.size, err = d.export(false)
	default:
		d.size = c.Size
	}
	if err != nil {
		return nil, err
	}
	if err = d.measure(); err != nil {
		return nil, errors.Join(err, d.unexport())
	}
	return d, nil
}

// measure looks at size and sectors.
func (d *disk) measure() (err error) {
	if d.size < sectorSize {
		return fmt.Errorf("%s, %d bytes: %w", d.path, d.size, ErrEmpty)
	}
	switch {
	case d.block:
		d.sector, err = blockSectorSize(d.file)
	case d.inside != nil && d.inside.sector != 0:
		d.sector = d.inside.sector
	default:
		d.sector = imageSectorSize(d)
	}
	if err != nil {
		return fmt.Errorf("asking for the sector size of %s: %w", d.path, err)
	}
	if !powerOfTwo(d.sector, sectorSize, 1<<16) {
		return fmt.Errorf("%s has sectors of %d bytes: %w", d.path, d.sector, ErrUnsupported)
	}
	return nil
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

// ReadAt reads from the medium, and never beyond the disk: what lies there is a footer.
func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	if off >= d.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > d.size-off {
		p, end = p[:d.size-off], io.EOF
	}
	if d.contained() && d.exported == nil {
		return 0, fmt.Errorf("%s is no longer served: %w", d.path, ErrExport)
	}
	n, err := d.medium().ReadAt(p, off)
	if err == nil {
		err = end
	}
	return n, err
}

// WriteAt writes whole sectors to the medium, and never beyond the disk.
func (d *disk) WriteAt(p []byte, off int64) (int, error) {
	switch {
	case off < 0 || int64(len(p)) > d.size-off:
		return 0, fmt.Errorf("disk ends at %d: %w", d.size, ErrDamaged)
	case d.contained() && !d.served:
		return 0, fmt.Errorf("%s is served for reading only: %w", d.path, ErrReadOnly)
	}
	if n, ok, err := d.direct.writeAt(p, off); ok {
		return n, err
	}
	return d.medium().WriteAt(p, off)
}

// contained says that the bytes of the file are not those of the disk.
func (d *disk) contained() bool { return d.inside != nil && len(d.inside.Layers) > 0 }

// medium is where the bytes of the disk are.
func (d *disk) medium() Exported {
	if d.exported != nil {
		return d.exported
	}
	return plainFile{d.file, d.size}
}

// plainFile is a file whose bytes are those of the disk.
type plainFile struct {
	*os.File
	size int64
}

func (p plainFile) Size() int64 { return p.size }

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
		if err = d.lockBacking(); err == nil {
			err = dropCache(f, true)
		}
	}
	if err == nil && d.inside != nil {
		err = d.beginContainer(f)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	old := d.file
	d.file, d.writing = f, true
	if d.block {
		d.direct = openDirect(d.path, info)
	}
	return old.Close()
}

// sync makes what was written permanent.
func (d *disk) sync() error {
	if err := d.medium().Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", d.path, err)
	}
	return nil
}

func (d *disk) close() error {
	all := []error{d.unexport(), d.direct.close()}
	for _, f := range d.others {
		all = append(all, f.Close())
	}
	return errors.Join(append(all, d.file.Close())...)
}

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
