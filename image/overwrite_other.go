//go:build !linux

package image

// Overwriting is a whole disk that is open for being overwritten: a matter of
// Linux.
type Overwriting struct{}

// Drive cannot tell here.
func (h Host) Drive(string) (*Drive, error) { return nil, ErrUnsupported }

// Occupied cannot tell here.
func (h Host) Occupied(*Drive) error { return ErrUnsupported }

// Overwrite overwrites no disks here.
func (h Host) Overwrite(*Drive) (*Overwriting, error) { return nil, ErrUnsupported }

// ReadAt does not read.
func (o *Overwriting) ReadAt([]byte, int64) (int, error) { return 0, ErrUnsupported }

// WriteAt does not write.
func (o *Overwriting) WriteAt([]byte, int64) (int, error) { return 0, ErrUnsupported }

// Sync has nothing to do.
func (o *Overwriting) Sync() error { return ErrUnsupported }

// DropCache has nothing to do.
func (o *Overwriting) DropCache() error { return ErrUnsupported }

// ReadTable has nothing to do.
func (o *Overwriting) ReadTable() error { return ErrUnsupported }

// Close has nothing to do.
func (o *Overwriting) Close() error { return nil }
