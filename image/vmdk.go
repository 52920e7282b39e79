package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A VMDK is a sparse extent with its descriptor in it, or a descriptor in a file of its
// own that names extents; after VMware's "Virtual Disk Format 5.0".
const (
	vmdkMagic = "KDMV" // hosted sparse extent, little-endian
	cowdMagic = "COWD" // sparse extent of an ESX server

	vmdkPacked        = 1 << 16    // flags: grains are compressed
	vmdkMaxDescriptor = 1 << 20    // as QEMU
	vmdkMaxExtents    = 1 << 10    // 2 TiB in pieces of 2 GiB
	vmdkMaxSectors    = 1 << 40    // of an extent: 512 TiB; it guards the arithmetic
	vmdkNoParent      = "ffffffff" // parentCID
)

// isDescriptor recognises a descriptor by its first line that says something.
func isDescriptor(first []byte) bool {
	for line := range bytes.Lines(first) {
		switch line = bytes.TrimSpace(line); {
		case bytes.EqualFold(line, []byte("# Disk DescriptorFile")):
			return true
		case len(line) > 0 && line[0] != '#':
			return false
		}
	}
	return false
}

// readSparseVMDK reads a sparse extent, and the descriptor in it.
func readSparseVMDK(dev io.ReaderAt, size int64) header {
	b := make([]byte, sectorSize)
	if err := readFull(dev, b, 0); err != nil {
		return unreadable(FormatVMDK, err)
	}
	version, flags := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
	capacity := int64(binary.LittleEndian.Uint64(b[12:]))
	at, length := int64(binary.LittleEndian.Uint64(b[28:])), int64(binary.LittleEndian.Uint64(b[36:]))
	switch {
	case version < 1 || version > 3:
		return unreadable(FormatVMDK, fmt.Errorf("VMDK of version %d: %w", version, ErrUnknownImage))
	case capacity < 1 || capacity > vmdkMaxSectors:
		return unreadable(FormatVMDK, fmt.Errorf("VMDK of %d sectors: %w", capacity, ErrDamaged))
	case at < 0 || at > size/sectorSize, length < 0 || length > vmdkMaxDescriptor/sectorSize:
		return unreadable(FormatVMDK, fmt.Errorf("descriptor of a VMDK at sector %d: %w", at, ErrDamaged))
	}
	h := header{format: FormatVMDK, part: at == 0}
	if at > 0 {
		text := make([]byte, length*sectorSize)
		if err := readFull(dev, text, at*sectorSize); err != nil {
			return unreadable(FormatVMDK, err)
		}
		h = readDescriptor(text)
		h.extents = nil // it is its own; under what name does not matter
	}
	h.size = capacity * sectorSize
	if flags&vmdkPacked != 0 {
		h.frozen = append(h.frozen, fmt.Errorf("stream-optimised VMDK: %w", ErrPackedBlocks))
	}
	return h
}

// readCOWD reads a sparse extent of an ESX server.
func readCOWD(dev io.ReaderAt, _ int64) header {
	b := make([]byte, 16)
	if err := readFull(dev, b, 0); err != nil {
		return unreadable(FormatVMDK, err)
	}
	return header{format: FormatVMDK, size: int64(binary.LittleEndian.Uint32(b[12:])) * sectorSize, part: true}
}

// readDescriptorFile reads a descriptor that is a file of its own.
func readDescriptorFile(dev io.ReaderAt, size int64) header {
	if size > vmdkMaxDescriptor {
		return unreadable(FormatVMDK, fmt.Errorf("descriptor of %d bytes: %w", size, ErrDamaged))
	}
	text := make([]byte, size)
	if err := readFull(dev, text, 0); err != nil {
		return unreadable(FormatVMDK, err)
	}
	h := readDescriptor(text)
	for _, x := range h.extents {
		h.size += x.size
	}
	if h.unreadable == nil && len(h.extents) == 0 {
		h.unreadable = fmt.Errorf("descriptor without extents: %w", ErrDamaged)
	}
	return h
}

// readDescriptor reads the lines of a descriptor.
func readDescriptor(text []byte) header {
	h := header{format: FormatVMDK}
	text, _, _ = bytes.Cut(text, []byte{0})
	parent := vmdkNoParent
	for raw := range bytes.Lines(text) {
		line := strings.TrimSpace(string(raw))
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.Trim(strings.TrimSpace(value), `"`)
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(key, "encryption") || key == "keysafe" || key == "cryptodict":
			h.fail(fmt.Errorf("VMDK: %w", ErrLockedImage))
		case key == "createtype":
			h.fail(mayType(value))
		case key == "cid":
			h.id = strings.ToLower(value)
		case key == "parentcid":
			parent = strings.ToLower(value)
		case key == "parentfilenamehint":
			h.base = value
		case strings.HasPrefix(line, "RW ") || strings.HasPrefix(line, "RDONLY ") || strings.HasPrefix(line, "NOACCESS "):
			x, err := parseExtent(line)
			h.fail(err)
			h.extents = append(h.extents, x)
		}
	}
	if parent != vmdkNoParent {
		h.stacked, h.parent = true, parent
	}
	if len(h.extents) > vmdkMaxExtents {
		h.fail(fmt.Errorf("%d extents: %w", len(h.extents), ErrUnknownImage))
	}
	return h
}

// fail keeps the first reason why a disk cannot be read.
func (h *header) fail(err error) {
	if h.unreadable == nil {
		h.unreadable = err
	}
}

// mayType says why disks of a createType are refused.
func mayType(kind string) error {
	switch strings.ToLower(kind) {
	case "monolithicsparse", "monolithicflat", "twogbmaxextentsparse", "twogbmaxextentflat", "vmfs", "vmfssparse", "streamoptimized":
		return nil
	case "fulldevice", "partitioneddevice", "vmfsraw", "vmfsrdm", "vmfsrawdevicemap", "vmfspassthroughrawdevicemap", "vmfsrawpassthrough":
		return fmt.Errorf("VMDK of type %q: %w", kind, ErrOutside)
	}
	return fmt.Errorf("VMDK of type %q: %w", kind, ErrUnknownImage)
}

// parseExtent reads a line such as RW 4192256 SPARSE "disk-s001.vmdk", of a flat extent
// with the sector where it begins. What it names lies in the descriptor's own folder.
func parseExtent(line string) (x extentFile, err error) {
	before, rest, _ := strings.Cut(line, `"`)
	name, after, ok := strings.Cut(rest, `"`)
	fields := strings.Fields(before)
	if len(fields) != 3 || fields[0] != "RW" {
		return x, fmt.Errorf("extent %q: %w", line, ErrUnknownImage)
	}
	sectors, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil || sectors < 1 || sectors > vmdkMaxSectors {
		return x, fmt.Errorf("extent %q: %w", line, ErrDamaged)
	}
	x = extentFile{name: name, size: sectors * sectorSize}
	switch fields[2] {
	case "SPARSE", "VMFSSPARSE":
		x.sparse = true
	case "FLAT", "VMFS":
		if at := strings.TrimSpace(after); at != "" {
			first, err := strconv.ParseInt(at, 10, 64)
			if err != nil || first < 0 || first > vmdkMaxSectors {
				return x, fmt.Errorf("extent %q: %w", line, ErrDamaged)
			}
			x.offset = first * sectorSize
		}
	case "VMFSRDM", "VMFSRAW":
		return x, fmt.Errorf("extent %q: %w", line, ErrOutside)
	default:
		return x, fmt.Errorf("extent %q: %w", line, ErrUnknownImage)
	}
	if !ok || name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\:\x00") {
		return x, fmt.Errorf("extent %q: %w", line, ErrOutside)
	}
	return x, nil
}
