//go:build !linux

package image

import (
	"io/fs"
	"os"
)

// openRead opens for reading. There are no access times to spare here.
func openRead(path string, _ bool) (*os.File, error) { return os.Open(path) }

// sameFile recognises a file again.
func sameFile(a, b fs.FileInfo) bool { return os.SameFile(a, b) }

func blockSectorSize(*os.File) (int64, error) { return 0, ErrUnsupported }

// dropCache can only see to it that everything is written.
func dropCache(f *os.File, _ bool) error { return f.Sync() }

func (d *disk) usable() error                   { return nil }
func (d *disk) lockBacking() error              { return nil }
func (d *disk) explain(err error) error         { return writeError(d.path, err) }
func (d *disk) parentMembers() ([]error, error) { return nil, nil }

// LoopFile is the file that a loop device shows: there are none here.
func (h Host) LoopFile(string) string { return "" }
