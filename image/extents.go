package image

import (
	"fmt"
	"io"
	"sort"
	"time"
)

// Extent is a contiguous stretch of a file on its disk, in bytes. The device
// offset counts from the start of the disk or image, not of the volume.
type Extent struct{ FileOffset, DeviceOffset, Length int64 }

// end is the device offset after the extent.
func (e Extent) end() int64 { return e.DeviceOffset + e.Length }

// stream is one attribute's content: where it lies and what may be done to it.
type stream struct {
	size        int64 // bytes of content
	initialized int64 // bytes of it that the disk holds; the rest reads as zero
	extents     []Extent
	resident    []byte // content, if isResident
	isResident  bool
	compressed  bool
	unit        int64 // bytes of a compression unit; 0: the clusters hold the content as it is
	sparse      bool  // by flag, or with a hole in its extents
	encrypted   bool
	reparse     bool // the content lies elsewhere: single-instance, overlay-compressed
	modified    time.Time
}

// at finds the extent that holds file offset off, or the next one.
func (s *stream) at(off int64) int {
	return sort.Search(len(s.extents), func(i int) bool {
		return s.extents[i].FileOffset+s.extents[i].Length > off
	})
}

// readAt reads content, zeros in holes and beyond the initialised size.
func (s *stream) readAt(dev io.ReaderAt, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("reading at %d: negative offset", off)
	}
	if off >= s.size {
		return 0, io.EOF
	}
	var eof error
	if int64(len(p)) > s.size-off {
		p, eof = p[:s.size-off], io.EOF
	}
	if s.isResident {
		return copy(p, s.resident[off:]), eof
	}
	for done := 0; done < len(p); {
		n, err := s.readPiece(dev, p[done:], off+int64(done))
		if err != nil {
			return done, fmt.Errorf("reading at %d: %w", off+int64(done), err)
		}
		done += n
	}
	return len(p), eof
}

// readPiece reads at most one extent, hole or uninitialised stretch.
func (s *stream) readPiece(dev io.ReaderAt, p []byte, off int64) (int, error) {
	if s.unit > 0 && off < s.initialized {
		return s.readUnit(dev, p, off)
	}
	i := s.at(off)
	stop, lies := s.initialized, false
	if i < len(s.extents) {
		e := s.extents[i]
		if lies = e.FileOffset <= off; lies {
			stop = min(stop, e.FileOffset+e.Length)
		} else {
			stop = min(stop, e.FileOffset)
		}
	}
	if off >= s.initialized {
		clear(p)
		return len(p), nil
	}
	p = p[:min(int64(len(p)), stop-off)]
	if !lies {
		clear(p)
		return len(p), nil
	}
	e := s.extents[i]
	return len(p), readFull(dev, p, e.DeviceOffset+off-e.FileOffset)
}

// readUnit reads from the compression unit around off. A unit with all its
// clusters is stored as it is, one without any is zero, and one that begins
// with some of them is compressed.
func (s *stream) readUnit(dev io.ReaderAt, p []byte, off int64) (int, error) {
	first := off - off%s.unit
	stored := int64(0)
	for i := s.at(first); i < len(s.extents) && s.extents[i].FileOffset <= first+stored && stored < s.unit; i++ {
		e := s.extents[i]
		stored = min(e.FileOffset+e.Length-first, s.unit)
	}
	b := make([]byte, stored, s.unit)
	for done := int64(0); done < stored; {
		e := s.extents[s.at(first+done)]
		skip := first + done - e.FileOffset
		n := min(e.Length-skip, stored-done)
		if err := readFull(dev, b[done:done+n], e.DeviceOffset+skip); err != nil {
			return 0, err
		}
		done += n
	}
	if stored > 0 && stored < s.unit {
		var err error
		if b, err = unpack(b); err != nil {
			return 0, err
		}
	}
	b = b[:min(int64(len(b)), s.initialized-first)]
	n := min(int64(len(p)), s.unit-(off-first), s.initialized-off)
	clear(p[:n])
	if at := off - first; at < int64(len(b)) {
		copy(p[:n], b[at:])
	}
	return int(n), nil
}

// pieces maps [off, off+n) to the device. All of it must lie in extents and
// within the initialised size.
func (s *stream) pieces(off, n int64) ([]Extent, error) {
	if off < 0 || n < 0 || off > s.initialized-n {
		return nil, fmt.Errorf("bytes %d to %d: %w", off, off+n, ErrUninitialised)
	}
	var all []Extent
	for end := off + n; off < end; {
		i := s.at(off)
		if i == len(s.extents) || s.extents[i].FileOffset > off {
			return nil, fmt.Errorf("byte %d has no cluster: %w", off, ErrSparse)
		}
		e := s.extents[i]
		skip := off - e.FileOffset
		length := min(e.Length-skip, end-off)
		all = append(all, Extent{off, e.DeviceOffset + skip, length})
		off += length
	}
	return all, nil
}

// overlap names the first stretch two lists of extents share on the device.
func overlap(a, b []Extent) (Extent, bool) {
	type tagged struct {
		Extent
		second bool
	}
	all := make([]tagged, 0, len(a)+len(b))
	for _, e := range a {
		all = append(all, tagged{e, false})
	}
	for _, e := range b {
		all = append(all, tagged{e, true})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].DeviceOffset < all[j].DeviceOffset })
	var end [2]int64 // how far the extents of each list reach so far
	for _, e := range all {
		mine, other := 0, 1
		if e.second {
			mine, other = 1, 0
		}
		if e.DeviceOffset < end[other] {
			return e.Extent, true
		}
		end[mine] = max(end[mine], e.end())
	}
	return Extent{}, false
}

// selfOverlap names an extent that shares clusters with another of its list.
func selfOverlap(list []Extent) (Extent, bool) {
	sorted := append([]Extent(nil), list...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].DeviceOffset < sorted[j].DeviceOffset })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].DeviceOffset < sorted[i-1].end() {
			return sorted[i], true
		}
	}
	return Extent{}, false
}
