package image

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Overwriting is a whole disk that is open for being overwritten. Nobody else
// has it until it is closed.
type Overwriting struct {
	file *os.File
	path string
}

// Overwrite opens a whole disk for being overwritten, exclusively, and makes
// sure that it is still the one that was looked at.
// Errors: those of Occupied, ErrChanged.
func (h Host) Overwrite(d *Drive) (*Overwriting, error) {
	if err := h.Occupied(d); err != nil {
		return nil, err
	}
	f, err := openExclusive(d.Path, true)
	if err != nil {
		return nil, writeError(d.Path, err)
	}
	if err := h.stillThere(d, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Overwriting{file: f, path: d.Path}, nil
}

// stillThere compares an opened disk with what was known of it.
func (h Host) stillThere(d *Drive, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("asking what %s is: %w", d.Path, err)
	}
	now, err := h.Drive(d.Path)
	if err != nil {
		return err
	}
	if err := d.same(now); err != nil {
		return err
	}
	if rdev(info) != d.number {
		return fmt.Errorf("opening %s for writing: %w", d.Path, ErrChanged)
	}
	return nil
}

// ReadAt reads from the disk.
func (o *Overwriting) ReadAt(p []byte, at int64) (int, error) { return o.file.ReadAt(p, at) }

// WriteAt writes to the disk. What was written is on it after Sync.
func (o *Overwriting) WriteAt(p []byte, at int64) (int, error) { return o.file.WriteAt(p, at) }

// Sync makes what was written permanent.
func (o *Overwriting) Sync() error {
	if err := o.file.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", o.path, err)
	}
	return nil
}

// DropCache makes what was written permanent and the next read come from the
// disk.
func (o *Overwriting) DropCache() error { return dropCache(o.file, true) }

// ReadTable has the kernel read the partition table anew. Somebody may be
// looking at an old partition just then; so it is asked for a while. A device
// without partitions, as a loop device mostly is, has no table to be read.
func (o *Overwriting) ReadTable() error {
	for try := 1; ; try++ {
		err := unix.IoctlSetInt(int(o.file.Fd()), unix.BLKRRPART, 0)
		switch {
		case err == nil, errors.Is(err, unix.EINVAL):
			return nil
		case !isBusy(err), try == busyTries:
			return fmt.Errorf("reading the partition table of %s: %w", o.path, err)
		}
		time.Sleep(busyWait)
	}
}

// Close gives the disk back.
func (o *Overwriting) Close() error { return o.file.Close() }
