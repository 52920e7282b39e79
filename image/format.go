package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Format says how a disk lies in an image file.
type Format string

// Formats of image files.
const (
	FormatRaw        Format = "raw"         // byte for byte, or a bare volume
	FormatVHD        Format = "vhd-fixed"   // byte for byte, and a footer
	FormatDynamicVHD Format = "vhd-dynamic" // blocks as they were first written
	FormatVHDX       Format = "vhdx"
	FormatQCOW2      Format = "qcow2"
	FormatVMDK       Format = "vmdk"
	FormatVDI        Format = "vdi"
)

// maxBases bounds the layers that an image may stand on.
const maxBases = 32

// Container is what an image file says of itself, without its disk being looked into.
type Container struct {
	Format    Format   // "" when the file is no image of a disk
	Size      int64    // of the disk, bytes
	Files     []string // all that are written when the disk is: the file itself, then its extents
	Bases     []string // what it stands on and only reads: the layer below it first, each with its extents
	Snapshots int      // states that are kept inside the file and stay as they are

	// Layers are the image files a disk is made of, the top one first. There are none
	// where the bytes of the file are those of the disk.
	Layers []Layer

	Unreadable error   // why the disk cannot be read: packed, encrypted, cut short …
	Frozen     []error // why it can be read and must not be written

	sector int64  // logical sector size of the disk; 0: not said
	id     string // by which an overlay knows its base; "": by its path
}

// Layer is one image file of those that make up a disk.
type Layer struct {
	Path    string
	Format  Format
	Extents []string // of a VMDK whose descriptor is a file of its own
}

// header is what one file alone says of itself. Nothing in it was followed yet.
type header struct {
	format     Format
	size       int64
	sector     int64
	snapshots  int
	extents    []extentFile
	part       bool   // an extent without a descriptor
	stacked    bool   // it stands on a base
	base       string // the name of that; "" if there is only parent
	baseFormat string // as qcow2 spells it; "" if it is not said
	id, parent string
	unreadable error
	frozen     []error
}

// extentFile is a file that holds a part of the disk.
type extentFile struct {
	name         string
	sparse       bool
	offset, size int64
}

// unreadable is a header of which only the format is known, if that.
func unreadable(f Format, err error) header { return header{format: f, unreadable: err} }

// readHeader recognises a file by its first bytes, and a fixed VHD by its last ones. It
// follows no name, reads no more than the headers, and takes any input.
func readHeader(dev io.ReaderAt, size int64) header {
	first := make([]byte, min(size, sectorSize))
	if err := readFull(dev, first, 0); err != nil {
		return unreadable("", err)
	}
	for _, f := range []struct {
		magic string
		read  func(dev io.ReaderAt, size int64) header
	}{
		{qcowMagic, readQCOW},
		{vmdkMagic, readSparseVMDK},
		{cowdMagic, readCOWD},
		{vhdxMagic, readVHDX},
		{vhdMagic, readDynamicVHD},
	} {
		if strings.HasPrefix(string(first), f.magic) {
			return f.read(dev, size)
		}
	}
	switch {
	case isDescriptor(first):
		return readDescriptorFile(dev, size)
	case isVDI(first):
		return readVDI(dev, size)
	}
	if what := packed(first); what != "" {
		return unreadable("", fmt.Errorf("%w: %s", ErrPacked, what))
	}
	if h, ok := readFixedVHD(dev, size); ok {
		return h
	}
	h := header{size: size}
	if isRawImage(first, size) {
		h.format = FormatRaw
	}
	return h
}

// packed names what a file is packed with; "" if it is not, as far as is known.
func packed(first []byte) string {
	for _, p := range []struct{ magic, name string }{
		{"\x1f\x8b", "gzip"}, {"\xfd7zXZ\x00", "xz"}, {"\x28\xb5\x2f\xfd", "zstd"}, {"BZh", "bzip2"},
		{"PK\x03\x04", "zip"}, {"7z\xbc\xaf\x27\x1c", "7-Zip"}, {"LZIP", "lzip"}, {"\x04\x22\x4d\x18", "lz4"},
		{"EVF\x09\x0d\x0a\xff\x00", "EnCase (E01)"}, {"EVF2\x0d\x0a\x81", "EnCase (Ex01)"},
	} {
		if strings.HasPrefix(string(first), p.magic) {
			return p.name
		}
	}
	return ""
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
	return inside(path, f, info)
}

// inside reads the headers of an open file, and follows the names in them.
func inside(path string, f io.ReaderAt, info fs.FileInfo) (*Container, error) {
	h := readHeader(f, info.Size())
	if h.format == "" && h.unreadable != nil && !errors.Is(h.unreadable, ErrPacked) {
		return nil, fmt.Errorf("opening %s: %w", path, h.unreadable)
	}
	c := &Container{
		Format: h.format, Size: h.size, Files: []string{path}, Snapshots: h.snapshots,
		sector: h.sector, id: h.id, Frozen: h.frozen, Unreadable: h.unreadable,
	}
	if c.Unreadable == nil && !h.direct() {
		s := stack{c: c, seen: []fs.FileInfo{info}}
		c.Unreadable = s.add(path, h)
		c.Bases = s.bases
	}
	if c.Unreadable != nil {
		c.Unreadable = fmt.Errorf("%s: %w", path, c.Unreadable)
	}
	for i, err := range c.Frozen {
		c.Frozen[i] = fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// direct says that the bytes of the file are those of the disk.
func (h header) direct() bool {
	return h.format == "" || h.format == FormatRaw || h.format == FormatVHD
}

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

// header reads the header of a further file, which must be an ordinary one and new.
func (s *stack) header(path string) (header, error) {
	f, info, err := openPart(path)
	if err != nil {
		return header{}, err
	}
	defer f.Close()
	if slices.ContainsFunc(s.seen, func(seen fs.FileInfo) bool { return os.SameFile(seen, info) }) {
		return header{}, fmt.Errorf("named twice: %w", ErrDamaged)
	}
	s.seen = append(s.seen, info)
	return readHeader(f, info.Size()), nil
}

// extent checks a file that holds a part of the disk.
func (s *stack) extent(path string, x extentFile) error {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() { // a link may lead anywhere
		return fmt.Errorf("no ordinary file: %w", ErrOutside)
	}
	f, info, err := openPart(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if slices.ContainsFunc(s.seen, func(seen fs.FileInfo) bool { return os.SameFile(seen, info) }) {
		return fmt.Errorf("named twice: %w", ErrDamaged)
	}
	s.seen = append(s.seen, info)
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

// openPart opens an ordinary file that another one names.
func openPart(path string) (*os.File, fs.FileInfo, error) {
	f, err := openRead(path, true)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w: %w", ErrPartMissing, err)
	}
	if err != nil {
		return nil, nil, readError(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("no ordinary file: %w", ErrOutside)
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

// Driver is the name that QEMU has for a format.
func (f Format) Driver() string {
	if f == FormatVHD || f == FormatDynamicVHD {
		return "vpc"
	}
	return string(f)
}
