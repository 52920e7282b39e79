package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sort"

	"www.velocidex.com/golang/go-ntfs/parser"
)

// This file is the only one that imports go-ntfs. We take its record fix-ups,
// attribute fields, run lists and decompression, and leave what does not fit a
// tool that writes: its readers answer zeros or a short count where the disk ends, its
// directory walk gives deleted entries too, and its attribute lists are
// followed without a bound. Its panics become errors at every entry point.

// Attribute types (ntfs-3g, layout.h).
const (
	attrStandardInformation = 0x10
	attrList                = 0x20
	attrFileName            = 0x30
	attrVolumeName          = 0x60
	attrVolumeInformation   = 0x70
	attrData                = 0x80
	attrIndexRoot           = 0x90
	attrIndexAllocation     = 0xA0
	attrBitmap              = 0xB0
	attrReparsePoint        = 0xC0
	attrEnd                 = 0xFFFFFFFF
)

// MFT record numbers of NTFS's own files.
const (
	mftRecord    = 0
	mirrorRecord = 1
	logRecord    = 2
	volumeRecord = 3
	rootRecord   = 5
	bitmapRecord = 6
	bootRecord   = 7
	upcaseRecord = 10
)

// Bounds on what one volume may make us read.
const (
	maxIndex   = 64 << 20 // bytes of one directory
	maxEntries = 1 << 18  // names in one directory
)

// errNoAttribute says that a record has no such attribute.
var errNoAttribute = errors.New("no such attribute")

// ntfsAttribute is an attribute's header, as go-ntfs decodes it.
type ntfsAttribute = parser.NTFS_ATTRIBUTE

// ntfs reads one volume.
type ntfs struct {
	dev     io.ReaderAt // the whole disk
	start   int64       // of the volume on dev
	boot    bootSector
	profile *parser.NTFSProfile
	mft     *stream
}

// record is one MFT record, fixed up, with the attributes it holds itself.
type record struct {
	number int64
	seq    uint16
	inUse  bool
	dir    bool
	base   uint64 // reference of the base record; 0 for a base record
	attrs  []*ntfsAttribute
}

// guard turns a panic of go-ntfs into an error.
func guard(err *error, what string) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: %v: %w", what, r, ErrDamaged)
	}
}

// openNTFS reads the boot sector and finds the MFT of the volume that begins
// at start and has at most size bytes.
func openNTFS(dev io.ReaderAt, start, size int64) (n *ntfs, err error) {
	defer guard(&err, "opening NTFS volume")
	b := make([]byte, sectorSize)
	if err := readFull(dev, b, start); err != nil {
		return nil, fmt.Errorf("reading boot sector: %w", err)
	}
	boot, err := parseBoot(b)
	if err != nil {
		return nil, err
	}
	if start > maxBytes {
		return nil, fmt.Errorf("volume at %d: %w", start, ErrDamaged)
	}
	if size > 0 && boot.size > size {
		return nil, fmt.Errorf("NTFS of %d bytes in a partition of %d: %w", boot.size, size, ErrDamaged)
	}
	n = &ntfs{dev: dev, start: start, boot: boot, profile: parser.NewNTFSProfile()}
	return n, n.findMFT()
}

// findMFT reads record 0 where the boot sector says, then, if the MFT is
// scattered, the rest of its extents through those already known.
func (n *ntfs) findMFT() error {
	n.mft = &stream{size: n.boot.record, initialized: n.boot.record,
		extents: []Extent{{0, n.start + n.boot.mft, n.boot.record}}}
	rec, err := n.read(mftRecord)
	if err != nil {
		return fmt.Errorf("opening MFT: %w", err)
	}
	if !rec.inUse {
		return fmt.Errorf("opening MFT: record 0 is not in use: %w", ErrDamaged)
	}
	whole := rec.has(attrList)
	if whole {
		first, err := n.assemble(rec.direct(attrData, ""), true)
		if err != nil {
			return fmt.Errorf("opening MFT: %w", err)
		}
		n.mft = first
	}
	s, err := n.stream(rec, attrData, "")
	if err != nil {
		return fmt.Errorf("opening MFT: %w", err)
	}
	if s.isResident || s.sparse || s.compressed {
		return fmt.Errorf("opening MFT: not a plain file: %w", ErrDamaged)
	}
	n.mft = s
	return nil
}

// read fetches MFT record number i. The fix-up values must match (a torn
// write shows there).
func (n *ntfs) read(i int64) (*record, error) {
	if i < 0 || i >= n.mft.initialized/n.boot.record {
		return nil, fmt.Errorf("MFT record %d does not exist: %w", i, ErrDamaged)
	}
	b := make([]byte, n.boot.record)
	if _, err := n.mft.readAt(n.dev, b, i*n.boot.record); err != nil && err != io.EOF {
		return nil, fmt.Errorf("MFT record %d: %w", i, err)
	}
	if string(b[:4]) != "FILE" {
		return nil, fmt.Errorf("MFT record %d has no signature: %w", i, ErrDamaged)
	}
	raw := n.profile.MFT_ENTRY(bytes.NewReader(b), 0)
	if int64(raw.Mft_entry_allocated()) != n.boot.record || int64(raw.Fixup_count()) != n.boot.record/sectorSize+1 {
		return nil, fmt.Errorf("MFT record %d has a wrong size: %w", i, ErrDamaged)
	}
	fixed, err := parser.FixUpDiskMFTEntry(raw)
	if err != nil {
		return nil, fmt.Errorf("MFT record %d: %w: %w", i, err, ErrDamaged)
	}
	return n.decode(i, n.profile.MFT_ENTRY(fixed, 0))
}

// decode walks the attributes of a fixed-up record.
func (n *ntfs) decode(i int64, e *parser.MFT_ENTRY) (*record, error) {
	flags := e.Flags().Value
	r := &record{number: i, seq: e.Sequence_value(), inUse: flags&1 != 0, dir: flags&2 != 0,
		base: e.Base_record_reference()}
	used := int64(e.Mft_entry_size())
	if used > n.boot.record {
		return nil, fmt.Errorf("MFT record %d uses %d bytes: %w", i, used, ErrDamaged)
	}
	for off := int64(e.Attribute_offset()); off+8 <= used; {
		a := n.profile.NTFS_ATTRIBUTE(e.Reader, off)
		if a.Type().Value == attrEnd {
			break
		}
		length := int64(a.Length())
		if length < 24 || length%8 != 0 || length > used-off {
			return nil, fmt.Errorf("MFT record %d: attribute at %d has %d bytes: %w", i, off, length, ErrDamaged)
		}
		r.attrs = append(r.attrs, a)
		off += length
	}
	return r, nil
}

// has reports whether the record itself holds an attribute of this type.
func (r *record) has(typ uint64) bool {
	for _, a := range r.attrs {
		if a.Type().Value == typ {
			return true
		}
	}
	return false
}

// direct lists attributes of the record itself, by type and name.
func (r *record) direct(typ uint64, name string) []*ntfsAttribute {
	var all []*ntfsAttribute
	for _, a := range r.attrs {
		if a.Type().Value == typ && a.Name() == name {
			all = append(all, a)
		}
	}
	return all
}

// stream finds the content of an attribute. errNoAttribute if there is none.
func (n *ntfs) stream(r *record, typ uint64, name string) (*stream, error) {
	pieces, err := n.attributes(r, typ, name)
	if err != nil {
		return nil, err
	}
	s, err := n.assemble(pieces, false)
	if err != nil {
		return nil, fmt.Errorf("MFT record %d: %w", r.number, err)
	}
	return s, nil
}

// assemble joins the pieces of one attribute. A partial one, as the MFT's
// first piece alone, may end before its allocated size.
func (n *ntfs) assemble(pieces []*ntfsAttribute, partial bool) (*stream, error) {
	if len(pieces) == 0 {
		return nil, errNoAttribute
	}
	first := pieces[0]
	if first.IsResident() {
		if len(pieces) != 1 {
			return nil, fmt.Errorf("resident attribute in %d pieces: %w", len(pieces), ErrDamaged)
		}
		return residentStream(first)
	}
	sorted := append([]*ntfsAttribute(nil), pieces...)
	sort.SliceStable(sorted, func(i, j int) bool {
		return sorted[i].Runlist_vcn_start() < sorted[j].Runlist_vcn_start()
	})
	s, allocated, err := n.header(sorted[0])
	if err != nil {
		return nil, err
	}
	var vcn int64
	for _, a := range sorted {
		if vcn, err = n.addRuns(s, a, vcn); err != nil {
			return nil, err
		}
	}
	if covered := vcn * n.boot.cluster; covered != allocated {
		if !partial || covered > allocated {
			return nil, fmt.Errorf("run list covers %d of %d bytes: %w", covered, allocated, ErrDamaged)
		}
		s.size, s.initialized = min(s.size, covered), min(s.initialized, covered)
	}
	return s, nil
}

// residentStream takes the content out of the record.
func residentStream(a *ntfsAttribute) (*stream, error) {
	size, at := int64(a.Content_size()), int64(a.Content_offset())
	if at+size > int64(a.Length()) {
		return nil, fmt.Errorf("resident attribute of %d bytes at %d: %w", size, at, ErrDamaged)
	}
	b := make([]byte, size)
	if err := readFull(a.Reader, b, a.Offset+at); err != nil {
		return nil, fmt.Errorf("resident attribute: %w", err)
	}
	s := &stream{size: size, initialized: size, resident: b, isResident: true}
	s.setFlags(a)
	return s, nil
}

func (s *stream) setFlags(a *ntfsAttribute) {
	flags := uint64(*a.Flags())
	s.compressed = flags&0x00FF != 0
	s.encrypted = flags&0x4000 != 0
	s.sparse = flags&0x8000 != 0
}

// header reads sizes and flags from an attribute's first piece.
func (n *ntfs) header(a *ntfsAttribute) (*stream, int64, error) {
	allocated, size, initialized := a.Allocated_size(), a.Actual_size(), a.Initialized_size()
	if allocated > uint64(maxBytes) || size > allocated || initialized > size {
		return nil, 0, fmt.Errorf("attribute of %d bytes, %d allocated, %d initialised: %w",
			size, allocated, initialized, ErrDamaged)
	}
	s := &stream{size: int64(size), initialized: int64(initialized)}
	s.setFlags(a)
	if s.compressed {
		// 4 (16 clusters) is the only exponent ever used; an index, whose flag
		// means its future files, has 0 and is not compressed itself.
		if shift := a.Compression_unit_size(); shift > 0 && shift <= 4 {
			s.unit = n.boot.cluster << shift
		}
	}
	return s, int64(allocated), nil
}

// addRuns appends one piece's run list, which must begin at cluster vcn, and
// returns the cluster after it. go-ntfs reads a run list without complaint
// whatever it holds, so that every number is checked here.
func (n *ntfs) addRuns(s *stream, a *ntfsAttribute, vcn int64) (int64, error) {
	if a.IsResident() || a.Runlist_vcn_start() != uint64(vcn) {
		return 0, fmt.Errorf("run list begins at cluster %d instead of %d: %w", a.Runlist_vcn_start(), vcn, ErrDamaged)
	}
	if int64(a.Runlist_offset()) > int64(a.Length()) {
		return 0, fmt.Errorf("run list at %d of its attribute: %w", a.Runlist_offset(), ErrDamaged)
	}
	clusters := n.boot.size / n.boot.cluster
	for _, run := range a.RunList() {
		hole := run.RelativeUrnOffset == 0
		if run.Length <= 0 || run.Length > maxBytes/n.boot.cluster-vcn ||
			!hole && (run.Offset < 0 || run.Length > clusters || run.Offset > clusters-run.Length) {
			return 0, fmt.Errorf("run of %d clusters at %d: %w", run.Length, run.Offset, ErrDamaged)
		}
		if hole {
			s.sparse = true
		} else {
			s.add(Extent{vcn * n.boot.cluster, n.start + run.Offset*n.boot.cluster, run.Length * n.boot.cluster})
		}
		vcn += run.Length
	}
	// The last cluster is inclusive; an empty attribute says -1.
	if a.Runlist_vcn_end() != uint64(vcn-1) {
		return 0, fmt.Errorf("run list ends at cluster %d instead of %d: %w", vcn-1, a.Runlist_vcn_end(), ErrDamaged)
	}
	return vcn, nil
}

// add appends an extent, joined with the last one where they touch.
func (s *stream) add(e Extent) {
	if k := len(s.extents) - 1; k >= 0 && s.extents[k].end() == e.DeviceOffset &&
		s.extents[k].FileOffset+s.extents[k].Length == e.FileOffset {
		s.extents[k].Length += e.Length
		return
	}
	s.extents = append(s.extents, e)
}

// content reads a whole small stream.
func (n *ntfs) content(s *stream, limit int64) ([]byte, error) {
	if s.size > limit || s.compressed || s.encrypted {
		return nil, fmt.Errorf("attribute of %d bytes: %w", s.size, ErrDamaged)
	}
	b := make([]byte, s.size)
	if _, err := s.readAt(n.dev, b, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return b, nil
}

// openData opens the unnamed $DATA stream of a record, with the flags that
// $STANDARD_INFORMATION adds.
func (n *ntfs) openData(r *record) (s *stream, err error) {
	defer guard(&err, "opening file")
	if r.dir {
		return nil, fmt.Errorf("MFT record %d is a folder: %w", r.number, fs.ErrNotExist)
	}
	if s, err = n.stream(r, attrData, ""); err != nil {
		if errors.Is(err, errNoAttribute) {
			return nil, fmt.Errorf("%w: %w", err, ErrDamaged)
		}
		return nil, err
	}
	info, err := n.stream(r, attrStandardInformation, "")
	if err != nil || len(info.resident) < 0x24 {
		return nil, fmt.Errorf("MFT record %d has no standard information: %w", r.number, ErrDamaged)
	}
	s.modified = fileTime(binary.LittleEndian.Uint64(info.resident[8:]))
	flags := binary.LittleEndian.Uint32(info.resident[0x20:])
	s.sparse = s.sparse || flags&0x200 != 0
	s.compressed = s.compressed || flags&0x800 != 0
	s.encrypted = s.encrypted || flags&0x4000 != 0
	if reparse, err := n.attributes(r, attrReparsePoint, ""); err != nil || len(reparse) > 0 {
		s.reparse = true
	}
	return s, nil
}

// unpack decompresses one compression unit.
func unpack(b []byte) (out []byte, err error) {
	defer guard(&err, "decompressing")
	if out, err = parser.LZNT1Decompress(b); err != nil {
		return nil, fmt.Errorf("decompressing: %w: %w", err, ErrDamaged)
	}
	return out, nil
}
