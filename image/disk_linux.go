package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// openRead opens a file, folder or device for reading without touching its
// access time, as far as the owner may ask for that, and without waiting for
// the other end of a pipe.
func openRead(path string, follow bool) (*os.File, error) {
	flags := os.O_RDONLY | unix.O_NONBLOCK | unix.O_CLOEXEC
	if !follow {
		flags |= unix.O_NOFOLLOW
	}
	f, err := os.OpenFile(path, flags|unix.O_NOATIME, 0)
	if errors.Is(err, unix.EPERM) {
		f, err = os.OpenFile(path, flags, 0)
	}
	return f, err
}

// busyTries and busyWait are how long openExclusive waits for a run that is just
// ending, as a killed one may be.
const (
	busyTries = 20
	busyWait  = 100 * time.Millisecond
)

// openExclusive opens for reading and writing. On a block device the kernel
// refuses if it, or a partition of it, is mounted or part of something else;
// an image file is locked against other runs of this program.
func openExclusive(path string, block bool) (*os.File, error) {
	for try := 1; ; try++ {
		f, err := tryExclusive(path, block)
		if err == nil || !isBusy(err) || try == busyTries {
			return f, err
		}
		time.Sleep(busyWait)
	}
}

func tryExclusive(path string, block bool) (*os.File, error) {
	flags := os.O_RDWR | unix.O_NOATIME | unix.O_CLOEXEC
	if block {
		flags |= unix.O_EXCL
	}
	f, err := os.OpenFile(path, flags, 0)
	if errors.Is(err, unix.EPERM) {
		f, err = os.OpenFile(path, flags&^unix.O_NOATIME, 0)
	}
	if err != nil {
		return nil, err
	}
	if block {
		return f, nil
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(&fs.PathError{Op: "lock", Path: path, Err: err}, f.Close())
	}
	return f, nil
}

// QEMU takes locks of its own on some of these bytes of an image, whatever it does with
// it (block/file-posix.c: permissions from 100 on, what it shares not from 200 on).
const (
	qemuLocks      = 100
	qemuLocksCount = 200
)

// lockFromQEMU keeps QEMU from an image as long as f is open, and fails if it has that
// open already: a virtual machine would be running. Flock says nothing to it.
func lockFromQEMU(f *os.File) error {
	all := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: qemuLocks, Len: qemuLocksCount}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &all)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return fmt.Errorf("another program has it locked: %w", unix.EBUSY)
	}
	return nil // a file system without such locks: QEMU has none there either
}

func isReadOnly(err error) bool {
	return errors.Is(err, unix.EROFS) || errors.Is(err, fs.ErrPermission)
}

func isBusy(err error) bool {
	return errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.ETXTBSY)
}

// mayWrite asks, without opening, whether a file could be written.
func mayWrite(path string) error {
	if err := unix.Access(path, unix.W_OK); err != nil {
		return writeError(path, err)
	}
	return nil
}

// sameFile recognises a file or device node again.
func sameFile(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Mode().Type() == b.Mode().Type() && rdev(a) == rdev(b)
}

// rdev is the device number of a device node.
func rdev(info fs.FileInfo) devNumber {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode()&fs.ModeDevice == 0 {
		return devNumber{}
	}
	return devNumber{unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev))}
}

// device is the number of the device a file lies on.
func device(info fs.FileInfo) devNumber {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return devNumber{}
	}
	return devNumber{unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev))}
}

func blockSectorSize(f *os.File) (int64, error) {
	n, err := unix.IoctlGetInt(int(f.Fd()), unix.BLKSSZGET)
	return int64(n), err
}

// dropCache makes the next read come from the medium.
func dropCache(f *os.File, block bool) error {
	if err := f.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", f.Name(), err)
	}
	if block {
		if err := unix.IoctlSetInt(int(f.Fd()), unix.BLKFLSBUF, 0); err == nil {
			return nil
		}
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("dropping the cache of %s: %w", f.Name(), err)
	}
	return nil
}

func isRawDevice(string) bool { return false }

func cleanTarget(path string) string { return path }

func readError(err error) error { return err }
