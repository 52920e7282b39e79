package image

import (
	"debug/pe"
	"encoding/binary"
	"fmt"
	"io"
)

// Bounds on what a PE file may make us read.
const (
	maxPE             = 32 << 20 // bytes from the start; Windows 7's kernels have 4 MB
	maxResourceNames  = 4096     // entries of one resource directory
	resourceLevels    = 3        // type, name, language
	resourceDirectory = 2        // number of the data directory (PE format, IMAGE_DIRECTORY_ENTRY_RESOURCE)
	resourceVersion   = 16       // number of the resource type (winuser.h, RT_VERSION)
	anyResource       = ^uint32(0)
)

// PEInfo is what the headers and the version resource of a program or driver tell.
type PEInfo struct {
	Machine uint16    // of the file header: 0x014C x86, 0x8664 x64
	Version [4]uint16 // file version of VS_FIXEDFILEINFO; zero if the file has none
}

// ReadPE reads the machine and file version of a PE file of size bytes, a few kilobytes
// of it. A file without a version resource is no error. What is no PE file, or ends too
// early, is one that wraps ErrDamaged; where only the resources are to blame the machine
// comes with it.
func ReadPE(r io.ReaderAt, size int64) (info PEInfo, err error) {
	defer guard(&err, "reading PE file")
	f, err := pe.NewFile(io.NewSectionReader(r, 0, min(max(size, 0), maxPE)))
	if err != nil {
		return PEInfo{}, fmt.Errorf("reading PE headers: %w: %w", err, ErrDamaged)
	}
	info.Machine = f.Machine
	if info.Version, err = (peFile{f}).version(); err != nil {
		return PEInfo{Machine: f.Machine}, fmt.Errorf("reading version resource: %w", err)
	}
	return info, nil
}

// peFile reads a PE file by the addresses it has in memory.
type peFile struct{ *pe.File }

// readAt reads all of p from one section.
func (f peFile) readAt(p []byte, address int64) error {
	for _, s := range f.Sections {
		off := address - int64(s.VirtualAddress)
		if off >= 0 && off <= int64(s.Size)-int64(len(p)) {
			return readFull(s, p, off)
		}
	}
	return fmt.Errorf("no section with %d bytes at 0x%x: %w", len(p), address, ErrDamaged)
}

// resources is the address of the resource directory; 0 without one.
func (f peFile) resources() int64 {
	switch h := f.OptionalHeader.(type) {
	case *pe.OptionalHeader32:
		if h.NumberOfRvaAndSizes > resourceDirectory {
			return int64(h.DataDirectory[resourceDirectory].VirtualAddress)
		}
	case *pe.OptionalHeader64:
		if h.NumberOfRvaAndSizes > resourceDirectory {
			return int64(h.DataDirectory[resourceDirectory].VirtualAddress)
		}
	}
	return 0
}

// version walks down to the first version resource, one directory a level: whatever
// else the directories hold, or however they are knotted, is not followed.
func (f peFile) version() ([4]uint16, error) {
	root := f.resources()
	if root == 0 {
		return [4]uint16{}, nil
	}
	want, at := uint32(resourceVersion), int64(0)
	for range resourceLevels {
		entry, found, err := f.entry(root+at, want)
		if err != nil || !found {
			return [4]uint16{}, err
		}
		at, want = int64(entry&^(1<<31)), anyResource
		if entry>>31 == 0 { // not a directory
			return f.fileVersion(root + at)
		}
	}
	return [4]uint16{}, fmt.Errorf("more than %d levels of resources: %w", resourceLevels, ErrDamaged)
}

// entry finds an entry of the resource directory at an address by its number, or the
// first one (PE format, "Resource Directory Table"). The top bit of what it gives means
// another directory.
func (f peFile) entry(address int64, want uint32) (entry uint32, found bool, err error) {
	head := make([]byte, 16)
	if err := f.readAt(head, address); err != nil {
		return 0, false, err
	}
	count := int(binary.LittleEndian.Uint16(head[12:])) + int(binary.LittleEndian.Uint16(head[14:]))
	if count > maxResourceNames {
		return 0, false, fmt.Errorf("resource directory with %d entries: %w", count, ErrDamaged)
	}
	list := make([]byte, 8*count)
	if err := f.readAt(list, address+int64(len(head))); err != nil {
		return 0, false, err
	}
	for ; len(list) > 0; list = list[8:] {
		if want == anyResource || binary.LittleEndian.Uint32(list) == want {
			return binary.LittleEndian.Uint32(list[4:]), true, nil
		}
	}
	return 0, false, nil
}

// fileVersion reads the data entry at an address and the fixed part of the
// VS_VERSIONINFO it leads to: three words, the key in UTF-16, then, at 40,
// VS_FIXEDFILEINFO with its signature and, at 8, the file version.
func (f peFile) fileVersion(address int64) (v [4]uint16, err error) {
	const key, fixed, length = "V\x00S\x00_\x00V\x00E\x00R\x00S\x00I\x00O\x00N\x00_\x00I\x00N\x00F\x00O\x00\x00\x00", 40, 52
	head := make([]byte, 16)
	if err := f.readAt(head, address); err != nil {
		return v, err
	}
	b := make([]byte, fixed+length)
	if size := binary.LittleEndian.Uint32(head[4:]); size < uint32(len(b)) {
		return v, nil // strings alone
	}
	if err := f.readAt(b, int64(binary.LittleEndian.Uint32(head))); err != nil {
		return v, err
	}
	switch {
	case string(b[6:6+len(key)]) != key:
		return v, fmt.Errorf("version resource without its key: %w", ErrDamaged)
	case binary.LittleEndian.Uint16(b[2:]) < length:
		return v, nil
	case binary.LittleEndian.Uint32(b[fixed:]) != 0xFEEF04BD:
		return v, fmt.Errorf("VS_FIXEDFILEINFO without its signature: %w", ErrDamaged)
	}
	n := b[fixed+8:]
	for i, at := range []int{2, 0, 6, 4} { // two little-endian dwords, high words first
		v[i] = binary.LittleEndian.Uint16(n[at:])
	}
	return v, nil
}
