package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxBases bounds the layers that an image may stand on.
const maxBases = 32

// stack collects the layers of a disk.
type stack struct {
	c     *Container
	bases []string
	seen  []fs.FileInfo // no file may serve twice
}

// add adds a layer and all that it stands on.
func (s *stack) add(path string, h header) error {
	for {
		if h.part {
			return fmt.Errorf("%s is an extent, which only its descriptor explains: %w", path, ErrUnknownImage)
		}
		layer := Layer{Path: path, Format: h.format}
		for _, x := range h.extents {
			file := filepath.Join(filepath.Dir(path), x.name)
			if err := s.extent(file, x); err != nil {
				return fmt.Errorf("%s: %w", x.name, err)
			}
			layer.Extents = append(layer.Extents, file)
		}
		if len(s.c.Layers) == 0 {
			s.c.Files = append(s.c.Files, layer.Extents...)
		} else {
			s.bases = append(s.bases, append([]string{path}, layer.Extents...)...)
		}
		s.c.Layers = append(s.c.Layers, layer)
		if !h.stacked {
			return nil
		}
		if len(s.c.Layers) > maxBases {
			return fmt.Errorf("more than %d layers: %w", maxBases, ErrUnknownImage)
		}
		var err error
		if path, h, err = s.below(path, h); err != nil {
			return err
		}
	}
}

// below finds the layer that another one stands on.
func (s *stack) below(path string, over header) (string, header, error) {
	base, err := beside(path, over)
	if err != nil {
		return "", header{}, err
	}
	h, err := s.header(base)
	switch {
	case err != nil:
		return "", h, fmt.Errorf("%s: %w", base, err)
	case over.baseFormat == "raw":
		h = header{format: FormatRaw, size: h.size} // whatever a guest has written into its first sector
	case over.baseFormat != "" && over.baseFormat != h.format.Driver():
		return "", h, fmt.Errorf("%s is %q, not %q: %w", base, h.format, over.baseFormat, ErrDamaged)
	case h.unreadable != nil:
		return "", h, fmt.Errorf("%s: %w", base, h.unreadable)
	case h.format == "":
		h.format = FormatRaw
	case over.parent != "" && over.parent != h.id:
		return "", h, fmt.Errorf("%s was changed since %s stands on it: %w", base, path, ErrDamaged)
	}
	return base, h, nil
}

// open opens a further file, which must be an ordinary one and new.
func (s *stack) open(path string) (*os.File, fs.FileInfo, error) {
	f, info, err := openPart(path)
	if err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(s.seen, func(seen fs.FileInfo) bool { return os.SameFile(seen, info) }) {
		return nil, nil, errors.Join(fmt.Errorf("named twice: %w", ErrDamaged), f.Close())
	}
	s.seen = append(s.seen, info)
	return f, info, nil
}

// header reads the header of a further file.
func (s *stack) header(path string) (header, error) {
	f, info, err := s.open(path)
	if err != nil {
		return header{}, err
	}
	defer f.Close()
	return readHeader(f, info.Size()), nil
}

// extent checks a file that holds a part of the disk.
func (s *stack) extent(path string, x extentFile) error {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() { // a link may lead anywhere
		return fmt.Errorf("no ordinary file: %w", ErrOutside)
	}
	f, info, err := s.open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if !x.sparse {
		if x.size > info.Size()-x.offset {
			return fmt.Errorf("%d bytes of %d: %w", info.Size(), x.offset+x.size, ErrDamaged)
		}
		return nil
	}
	h := readHeader(f, info.Size())
	switch {
	case h.unreadable != nil:
		return h.unreadable
	case h.format != FormatVMDK || h.size < x.size:
		return fmt.Errorf("no extent of %d bytes: %w", x.size, ErrDamaged)
	}
	s.c.Frozen = append(s.c.Frozen, h.frozen...)
	return nil
}

// openPart opens an ordinary file that another one names. Anything else is not even
// opened: with some devices that alone does something.
func openPart(path string) (*os.File, fs.FileInfo, error) {
	before, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("%w: %w", ErrPartMissing, err)
	case err != nil:
		return nil, nil, readError(err)
	case !before.Mode().IsRegular():
		return nil, nil, fmt.Errorf("no ordinary file: %w", ErrOutside)
	}
	f, err := openRead(path, true)
	if err != nil {
		return nil, nil, readError(err)
	}
	info, err := f.Stat()
	if err == nil && !sameFile(before, info) {
		err = ErrChanged
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// beside is the path of the base that a layer names, relative to its own folder. What
// names a server or a protocol is refused.
func beside(path string, h header) (string, error) {
	name := h.base
	folder := filepath.Dir(path)
	if h.format == FormatVMDK && name != "" { // a snapshot names its base as the host that made it spelt it
		other := filepath.Join(folder, name[strings.LastIndexAny(name, `/\`)+1:])
		if _, err := os.Stat(other); err == nil {
			return other, nil
		}
	}
	before, _, _ := strings.Cut(name, "/")
	switch {
	case name == "" || strings.ContainsRune(name, 0):
		return "", fmt.Errorf("a base without a name: %w", ErrUnknownImage)
	case strings.Contains(before, ":"):
		return "", fmt.Errorf("its base is %q: %w", name, ErrOutside)
	case filepath.IsAbs(name):
		return filepath.Clean(name), nil
	}
	return filepath.Join(folder, name), nil
}
