//go:build !linux && !windows

package image

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// openExclusive opens an image file for reading and writing, locked against other runs of
// this program. Block devices are a matter of Linux.
func openExclusive(path string, block bool) (*os.File, error) {
	if block {
		return nil, ErrUnsupported
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(&fs.PathError{Op: "lock", Path: path, Err: err}, f.Close())
	}
	return f, nil
}

func isBusy(err error) bool {
	return errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EWOULDBLOCK)
}

func isReadOnly(err error) bool { return errors.Is(err, fs.ErrPermission) }

func isRawDevice(string) bool { return false }

func cleanTarget(path string) string { return path }

func readError(err error) error { return err }

// mayWrite asks, without opening, whether a file could be written.
func mayWrite(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o222 == 0 {
		err = fs.ErrPermission
	}
	if err != nil {
		return writeError(path, err)
	}
	return nil
}

// Disks lists no disks: block devices are a matter of Linux.
func (h Host) Disks() ([]string, error) { return nil, ErrUnsupported }

// SharesMedium cannot tell here; a backup in dir is allowed.
func (s *Source) SharesMedium(dir string) (bool, string, error) { return false, "", nil }

// InMemory says whether dir lies on a file system that is gone at power-off, which is
// not known here.
func (h Host) InMemory(string) bool { return false }

// lockFromQEMU does nothing here.
func lockFromQEMU(*os.File) error { return nil }
