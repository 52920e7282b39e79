package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// File is a file of an installation, on a volume or an ordinary one, behind
// one view: io.ReaderAt always, io.WriterAt after Source.BeginWrite.
type File struct {
	src    *Source
	label  string
	volume *Volume // nil for an ordinary file
	stream *stream // on a volume
	plain  *plain  // an ordinary file

	checked  bool // inPlace is known
	inPlaceE error
}

// plain is an ordinary file, opened for reading until a write is asked for.
type plain struct {
	path    string
	file    *os.File
	info    fs.FileInfo
	writing bool
}

// openPlain opens an ordinary file. A symbolic link is followed only where
// the user named it: inside a folder it may lead anywhere. A file opened
// before is handed out again, or its lock would shut ourselves out.
func (s *Source) openPlain(path, label string, follow bool) (*File, error) {
	for _, f := range s.files {
		if f.plain.path == path {
			return f, nil
		}
	}
	info, err := os.Lstat(path)
	if err == nil && follow {
		info, err = os.Stat(path)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", label, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("opening %s: %w", label, ErrUnsupported)
	}
	f, err := openRead(path, follow)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", label, readError(err))
	}
	now, err := f.Stat()
	if err == nil && !sameFile(info, now) {
		err = fmt.Errorf("opening %s: %w", label, ErrChanged)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	file := &File{src: s, label: label, plain: &plain{path: path, file: f, info: now}}
	s.files = append(s.files, file)
	return file, nil
}

// beginWrite reopens the file for writing, under a lock, and makes sure that
// it is still the same one.
func (p *plain) beginWrite() error {
	if p.writing {
		return nil
	}
	f, err := openExclusive(p.path, false)
	if err != nil {
		return writeError(p.path, err)
	}
	info, err := f.Stat()
	if err == nil && !sameFile(p.info, info) {
		err = fmt.Errorf("opening %s for writing: %w", p.path, ErrChanged)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	old := p.file
	p.file, p.writing = f, true
	return old.Close()
}

// BeginWrite opens an ordinary file for writing, under its lock, instead of waiting for
// the first WriteAt: what forbids it is then known before anything else is written. It
// needs Source.BeginWrite.
func (f *File) BeginWrite() error {
	switch {
	case !f.src.writing:
		return fmt.Errorf("writing %s: writing was not asked for", f.label)
	case f.plain != nil:
		return f.plain.beginWrite()
	}
	return nil
}

func (p *plain) close() error { return p.file.Close() }

// Label names the file as design 4 says: IMAGE:N/path, IMAGE:/path, or the
// path as given; components as spelt on the volume.
func (f *File) Label() string { return f.label }

// Size in bytes.
func (f *File) Size() int64 {
	if f.plain == nil {
		return f.stream.size
	}
	info, err := f.plain.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// Modified is when the file's content was last changed, UTC; zero if that is not known.
func (f *File) Modified() time.Time {
	if f.plain != nil {
		return f.plain.info.ModTime().UTC()
	}
	return f.stream.modified
}

// Writable is how many bytes from the start WriteAt can reach: on a volume
// the initialised size in whole sectors, at most Size; of an ordinary file
// its size (which may grow). A file that InPlace refuses has the same number.
func (f *File) Writable() int64 {
	if f.plain != nil {
		return f.Size()
	}
	return f.stream.initialized &^ (sectorSize - 1)
}

// Extents says where the file lies on its disk; nil for an ordinary or
// resident file.
func (f *File) Extents() []Extent {
	if f.plain != nil {
		return nil
	}
	return append([]Extent(nil), f.stream.extents...)
}

// MayGrow reports whether WriteAt may go beyond Size: an ordinary file may,
// one on a volume never does.
func (f *File) MayGrow() bool { return f.plain != nil }

// ReadAt reads the file's content. Where the disk or image ends too early the
// error wraps ErrDamaged and names file and offset.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if f.plain != nil {
		n, err := f.plain.file.ReadAt(p, off)
		if err != nil && err != io.EOF {
			err = fmt.Errorf("%s: reading at %d: %w", f.label, off, err)
		}
		return n, err
	}
	if err := f.readable(); err != nil {
		return 0, err
	}
	n, err := f.stream.readAt(f.volume.fs.dev, p, off)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%s: %w", f.label, err)
	}
	return n, err
}

// readable refuses files whose clusters do not hold their content.
func (f *File) readable() error {
	switch s := f.stream; {
	case s.encrypted:
		return fmt.Errorf("%s: %w", f.label, ErrEncrypted)
	case s.reparse: // as compact.exe of newer Windows stores files
		return fmt.Errorf("%s: %w", f.label, ErrCompressed)
	}
	return nil
}

// Sync makes what was written permanent: fsync of the file, image or device.
func (f *File) Sync() error {
	if f.plain == nil {
		return f.src.disk.sync()
	}
	if err := f.plain.file.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", f.label, err)
	}
	return nil
}

// DropCache sees to it that the next ReadAt comes from the medium, as far as
// the system allows.
func (f *File) DropCache() error {
	if f.plain == nil {
		return f.src.disk.dropCache()
	}
	return dropCache(f.plain.file, false)
}
