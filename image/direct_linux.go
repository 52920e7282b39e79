package image

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// directSize is how much of a write is passed on at once.
const directSize = 64 << 10

// direct writes to a block device past the page cache. Through the cache a sector takes
// along its seven neighbours in a page of 4,096 bytes, which nobody wanted written, and
// an error of the medium shows only when something is synced.
type direct struct {
	file   *os.File
	buffer []byte // begins at a page, as the kernel asks for
}

// openDirect opens the device that info is of, or returns nil where that cannot be done.
func openDirect(path string, info fs.FileInfo) *direct {
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	now, err := f.Stat()
	if err == nil && sameFile(info, now) {
		if buffer, err := unix.Mmap(-1, 0, directSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE); err == nil {
			return &direct{f, buffer}
		}
	}
	f.Close()
	return nil
}

// writeAt writes whole sectors. Where the device takes none in this way ok is false, and
// nothing was written.
func (d *direct) writeAt(p []byte, off int64) (n int, ok bool, err error) {
	if d == nil {
		return 0, false, nil
	}
	for n < len(p) {
		piece := d.buffer[:copy(d.buffer, p[n:])]
		k, err := d.file.WriteAt(piece, off+int64(n))
		n += k
		if err != nil {
			return n, n > 0 || !errors.Is(err, unix.EINVAL), err
		}
	}
	return n, true, nil
}

func (d *direct) close() error {
	if d == nil {
		return nil
	}
	return errors.Join(unix.Munmap(d.buffer), d.file.Close())
}
