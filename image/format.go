package image

import "fmt"

// Format says how a disk lies in an image file.
type Format string

// Formats of image files.
const (
	FormatRaw Format = "raw" // byte for byte, or a bare volume
)

// Container is what an image file says of itself, without its disk being looked into.
type Container struct {
	Format Format   // "" when the file is no image of a disk
	Size   int64    // of the disk, bytes
	Files  []string // all that are written when the disk is: the file itself, then its extents
	Bases  []string // what it stands on and only reads: the layer below it first
}

// Inside reads the headers of a file and of the files that it names. A file that is no
// image of a disk, as a hive, has Format "" and no error. Errors: those of Open for
// something that is no ordinary file, or cannot be read.
func Inside(path string) (*Container, error) {
	f, err := openRead(path, true)
	if err != nil {
		return nil, openError(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, openError(path, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("opening %s: %w", path, ErrUnsupported)
	case info.Size() == 0:
		return &Container{Files: []string{path}}, nil
	}
	kind, err := fileKind(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	c := &Container{Size: info.Size(), Files: []string{path}}
	if kind == KindImage {
		c.Format = FormatRaw
	}
	return c, nil
}
