package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// Driver is the name that QEMU has for a format.
func (f Format) Driver() string {
	if f == FormatVHD || f == FormatDynamicVHD {
		return "vpc"
	}
	return string(f)
}
