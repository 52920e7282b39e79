//go:build !linux

package image

import (
	"errors"
	"io/fs"
	"os"
)

// openRead opens for reading. There are no access times to spare here.
func openRead(path string, _ bool) (*os.File, error) { return os.Open(path) }

// openExclusive opens an image file for reading and writing. Block devices
// are a matter of Linux.
func openExclusive(path string, block bool) (*os.File, error) {
	if block {
		return nil, ErrUnsupported
	}
	return os.OpenFile(path, os.O_RDWR, 0)
}

func isReadOnly(err error) bool { return errors.Is(err, fs.ErrPermission) }

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

// sameFile recognises a file again.
func sameFile(a, b fs.FileInfo) bool { return os.SameFile(a, b) }

func blockSectorSize(*os.File) (int64, error) { return 0, ErrUnsupported }

// dropCache can only see to it that everything is written.
func dropCache(f *os.File, _ bool) error { return f.Sync() }

// Disks lists no disks: block devices are a matter of Linux.
func (h Host) Disks() ([]string, error) { return nil, ErrUnsupported }

func (d *disk) usable() error                   { return nil }
func (d *disk) explain(err error) error         { return writeError(d.path, err) }
func (d *disk) parentMembers() ([]error, error) { return nil, nil }

// SharesMedium cannot tell here; a backup in dir is allowed.
func (s *Source) SharesMedium(dir string) (bool, string, error) { return false, "", nil }
