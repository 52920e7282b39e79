package image

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Bounds on what a PE file may make us read.
const (
	maxPE             = 32 << 20 // bytes from the start; Windows 7's kernels have 4 MB
	maxSections       = 96       // that Windows loads (PE format, "COFF File Header")
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
	f, err := openPE(io.NewSectionReader(r, 0, min(max(size, 0), maxPE)))
	if err != nil {
		return PEInfo{}, fmt.Errorf("reading PE headers: %w", err)
	}
	info.Machine = f.machine
	if info.Version, err = f.version(); err != nil {
		return PEInfo{Machine: f.machine}, fmt.Errorf("reading version resource: %w", err)
	}
	return info, nil
}

// peFile reads a PE file by the addresses it has in memory. Package debug/pe reads tables
// of relocations and symbols as well, however many a file claims to have: of a small one
// that takes all memory there is.
type peFile struct {
	r         io.ReaderAt
	machine   uint16
	resources int64 // address of the resource directory; 0 without one
	sections  []peSection
}

// peSection is where a stretch of memory lies in the file.
type peSection struct{ address, offset, size int64 }

// openPE reads the headers: the offset at 0x3C of the MZ header leads to the signature,
// the file header of 20 bytes, the optional header, and 40 bytes for each section.
func openPE(r io.ReaderAt) (f peFile, err error) {
	head := make([]byte, 64)
	if err := readFull(r, head, 0); err != nil {
		return f, err
	}
	at := int64(binary.LittleEndian.Uint32(head[0x3C:]))
	if string(head[:2]) != "MZ" {
		return f, fmt.Errorf("no MZ header: %w", ErrDamaged)
	}
	if err := readFull(r, head[:24], at); err != nil {
		return f, err
	}
	if string(head[:4]) != "PE\x00\x00" {
		return f, fmt.Errorf("no PE header at 0x%x: %w", at, ErrDamaged)
	}
	count, optional := int(binary.LittleEndian.Uint16(head[6:])), int(binary.LittleEndian.Uint16(head[20:]))
	if count > maxSections {
		return f, fmt.Errorf("%d sections: %w", count, ErrDamaged)
	}
	b := make([]byte, optional+40*count)
	if err := readFull(r, b, at+24); err != nil {
		return f, err
	}
	f = peFile{r: r, machine: binary.LittleEndian.Uint16(head[4:]), resources: resourceAddress(b[:optional])}
	for b = b[optional:]; len(b) > 0; b = b[40:] {
		f.sections = append(f.sections, peSection{
			address: int64(binary.LittleEndian.Uint32(b[12:])),
			size:    int64(binary.LittleEndian.Uint32(b[16:])),
			offset:  int64(binary.LittleEndian.Uint32(b[20:])),
		})
	}
	return f, nil
}

// resourceAddress finds the resource directory by the optional header, whose directories
// begin at 96 in files for 32 bits and at 112 in others; 0 without one.
func resourceAddress(optional []byte) int64 {
	if len(optional) < 2 {
		return 0
	}
	at := map[uint16]int{0x10B: 96, 0x20B: 112}[binary.LittleEndian.Uint16(optional)]
	entry := at + 8*resourceDirectory
	if at == 0 || len(optional) < entry+8 || binary.LittleEndian.Uint32(optional[at-4:]) <= resourceDirectory {
		return 0
	}
	return int64(binary.LittleEndian.Uint32(optional[entry:]))
}

// readAt reads all of p from one section.
func (f peFile) readAt(p []byte, address int64) error {
	for _, s := range f.sections {
		off := address - s.address
		if off >= 0 && off <= s.size-int64(len(p)) {
			return readFull(f.r, p, s.offset+off)
		}
	}
	return fmt.Errorf("no section with %d bytes at 0x%x: %w", len(p), address, ErrDamaged)
}

// version walks down to the first version resource, one directory a level: whatever
// else the directories hold, or however they are knotted, is not followed.
func (f peFile) version() ([4]uint16, error) {
	root := f.resources
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
