package hive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// File is a file that an update writes to, wherever it lies. Offsets and lengths
// of writes are multiples of 512 bytes unless the file's end is not.
type File interface {
	io.ReaderAt
	io.WriterAt
	Sync() error
}

// Resizer is a File that can be cut to a length: an ordinary one.
type Resizer interface {
	Truncate(size int64) error
}

// ApplyError says how far an update came.
type ApplyError struct {
	Step        string // the step that did not end
	HiveTouched bool   // bytes of the hive itself may have been written
	Err         error
}

// Error names the step and the cause.
func (e *ApplyError) Error() string {
	touched := "the hive is untouched"
	if e.HiveTouched {
		touched = "the hive may be half written"
	}
	return fmt.Sprintf("writing %s: %v (%s)", e.Step, e.Err, touched)
}

func (e *ApplyError) Unwrap() error { return e.Err }

// Apply walks the update: each step's writes, then a sync. It stops at the first
// error, an *ApplyError. log1 may be nil if the update writes no log.
func (u *Update) Apply(primary, log1 File) error {
	touched := false
	for _, s := range u.Steps {
		file := log1
		if s.File == PrimaryFile {
			file, touched = primary, true
		}
		if err := s.apply(file); err != nil {
			return &ApplyError{s.Name, touched, err}
		}
	}
	return nil
}

func (s Step) apply(file File) error {
	if file == nil {
		return errors.New("there is no such file")
	}
	if s.Resize > 0 {
		r, ok := file.(Resizer)
		if !ok {
			return errors.New("the file's length cannot be changed")
		}
		if err := r.Truncate(s.Resize); err != nil {
			return err
		}
	}
	for _, w := range s.Writes {
		n, err := file.WriteAt(w.Data, w.Offset)
		if err != nil {
			return err
		}
		if n != len(w.Data) {
			return io.ErrShortWrite
		}
	}
	return file.Sync()
}

// ErrNotVerified says that what was read back is not what was written.
var ErrNotVerified = errors.New("what was read back differs from what was written")

// Verify reads the hive back and compares it with the new one, byte by byte. The
// caller has dropped caches before.
func (u *Update) Verify(primary io.ReaderAt) error {
	const chunk = 1 << 20
	buf := make([]byte, chunk)
	for off := 0; off < len(u.bytes); off += chunk {
		want := u.bytes[off:min(off+chunk, len(u.bytes))]
		got := buf[:len(want)]
		if n, err := primary.ReadAt(got, int64(off)); n < len(got) {
			return fmt.Errorf("reading back at 0x%x: %w", off+n, err)
		}
		if !bytes.Equal(got, want) {
			i := 0
			for got[i] == want[i] {
				i++
			}
			return fmt.Errorf("%w: at offset 0x%x", ErrNotVerified, off+i)
		}
	}
	return nil
}
