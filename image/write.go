package image

import (
	"errors"
	"fmt"
	"io"
)

// WriteAt overwrites bytes of the file. It needs Source.BeginWrite.
//
// On a volume the offset and length are multiples of 512, and all of it lies
// in the file's own plain, initialised extents: everything is checked before
// the first byte is written, and nothing outside the file changes. An ordinary
// file may be written anywhere and grows at its end.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if !f.src.writing {
		return 0, fmt.Errorf("writing %s: writing was not asked for", f.label)
	}
	if f.plain != nil {
		return f.writePlain(p, off)
	}
	pieces, err := f.target(off, int64(len(p)))
	if err != nil {
		return 0, fmt.Errorf("writing %s: %w", f.label, err)
	}
	f.src.written = true
	done := 0
	for _, e := range pieces {
		n, err := f.src.disk.WriteAt(p[done:done+int(e.Length)], e.DeviceOffset)
		done += n
		if err != nil {
			return done, fmt.Errorf("writing %s at %d: %w", f.label, e.FileOffset, err)
		}
	}
	return done, nil
}

func (f *File) writePlain(p []byte, off int64) (int, error) {
	if err := f.plain.beginWrite(); err != nil {
		return 0, err
	}
	f.src.written = true
	n, err := f.plain.file.WriteAt(p, off)
	if err != nil {
		return n, fmt.Errorf("writing %s at %d: %w", f.label, off, err)
	}
	return n, nil
}

// Truncate makes an ordinary file shorter, as taking back a growth does. It needs
// Source.BeginWrite. A file on a volume keeps its length.
func (f *File) Truncate(size int64) error {
	switch {
	case !f.src.writing:
		return fmt.Errorf("cutting %s: writing was not asked for", f.label)
	case f.plain == nil:
		return fmt.Errorf("cutting %s: a file on a volume keeps its length", f.label)
	case size < 0 || size > f.Size():
		return fmt.Errorf("cutting %s of %d bytes to %d", f.label, f.Size(), size)
	}
	if err := f.plain.beginWrite(); err != nil {
		return err
	}
	f.src.written = true
	if err := f.plain.file.Truncate(size); err != nil {
		return fmt.Errorf("cutting %s at %d: %w", f.label, size, err)
	}
	return nil
}

// target maps a stretch of the file to the device, or says why it may not be
// written.
func (f *File) target(off, n int64) ([]Extent, error) {
	if off%sectorSize != 0 || n%sectorSize != 0 {
		return nil, fmt.Errorf("%d bytes at %d are not whole sectors", n, off)
	}
	if err := f.InPlace(); err != nil {
		return nil, err
	}
	pieces, err := f.stream.pieces(off, n)
	if err != nil {
		return nil, err
	}
	for _, e := range pieces {
		if e.Length > f.src.disk.size-e.DeviceOffset {
			return nil, fmt.Errorf("disk ends at %d: %w", f.src.disk.size, ErrDamaged)
		}
	}
	return pieces, nil
}

// InPlace says why the file may not be overwritten where it lies; nil if it
// may. An ordinary file always may. The reasons: ErrResident, ErrCompressed,
// ErrSparse, ErrEncrypted, ErrUninitialised (not even the first sector is
// initialised; see Writable for a later end), ErrMisplaced (clusters that
// $Bitmap calls free, that are listed twice, or that belong to NTFS itself).
func (f *File) InPlace() error {
	if f.plain != nil {
		return nil
	}
	if !f.checked {
		f.inPlaceE, f.checked = f.inPlace(), true
	}
	return f.inPlaceE
}

func (f *File) inPlace() error {
	s := f.stream
	var why error
	switch {
	case s.encrypted:
		why = ErrEncrypted
	case s.compressed, s.reparse:
		why = ErrCompressed
	case s.sparse:
		why = ErrSparse
	case s.isResident:
		why = ErrResident
	case f.Writable() == 0:
		why = ErrUninitialised
	default:
		why = f.volume.fs.ownClusters(s.extents)
	}
	if why != nil {
		return fmt.Errorf("%s: %w", f.label, why)
	}
	return nil
}

// ownClusters checks that extents are nobody else's.
func (n *ntfs) ownClusters(extents []Extent) (err error) {
	defer guard(&err, "checking clusters")
	if e, ok := selfOverlap(extents); ok {
		return fmt.Errorf("cluster at %d is listed twice: %w", e.DeviceOffset, ErrMisplaced)
	}
	if err := n.notSystem(extents); err != nil {
		return err
	}
	return n.marked(extents)
}

// notSystem refuses clusters of NTFS's own files. $Boot is taken as the first
// 8 KiB, whatever its record says.
func (n *ntfs) notSystem(extents []Extent) error {
	if e, ok := overlap(extents, []Extent{{0, n.start, 8192}}); ok {
		return fmt.Errorf("cluster at %d is the boot sector's: %w", e.DeviceOffset, ErrMisplaced)
	}
	for _, i := range []int64{mftRecord, mirrorRecord, logRecord, bitmapRecord, bootRecord, upcaseRecord} {
		own := n.mft
		if i != mftRecord {
			r, err := n.read(i)
			if err != nil {
				return err
			}
			if own, err = n.stream(r, attrData, ""); err != nil {
				return err
			}
		}
		if e, ok := overlap(extents, own.extents); ok {
			return fmt.Errorf("cluster at %d belongs to MFT record %d: %w", e.DeviceOffset, i, ErrMisplaced)
		}
	}
	return nil
}

// marked checks that $Bitmap calls every cluster of the extents used.
func (n *ntfs) marked(extents []Extent) error {
	r, err := n.read(bitmapRecord)
	if err != nil {
		return fmt.Errorf("reading $Bitmap: %w", err)
	}
	s, err := n.stream(r, attrData, "")
	if err != nil {
		return fmt.Errorf("reading $Bitmap: %w", err)
	}
	for _, e := range extents {
		first := (e.DeviceOffset - n.start) / n.boot.cluster
		last := first + (e.Length-1)/n.boot.cluster
		if err := n.markedRun(s, first, last); err != nil {
			return err
		}
	}
	return nil
}

// markedRun checks the bits of clusters first to last, a piece at a time.
func (n *ntfs) markedRun(bitmap *stream, first, last int64) error {
	b := make([]byte, 4096)
	for at := first; at <= last; {
		base := at / 8
		k, err := bitmap.readAt(n.dev, b, base)
		if err != nil && !errors.Is(err, io.EOF) || k == 0 {
			return fmt.Errorf("reading $Bitmap at %d: %w", base, errors.Join(err, ErrDamaged))
		}
		for ; at <= last && at/8 < base+int64(k); at++ {
			if b[at/8-base]>>(at%8)&1 == 0 {
				return fmt.Errorf("cluster %d is free in $Bitmap: %w", at, ErrMisplaced)
			}
		}
	}
	return nil
}

// writeRefusal says, without opening for writing, whether an ordinary file
// could be written.
func (f *File) writeRefusal() error {
	if f.plain == nil {
		return nil
	}
	return mayWrite(f.plain.path)
}

// UsableAsLog says why this file may not take a transaction log of hive; nil
// if it may. Its first sector is zero or the base block of a log; on a volume
// its extents are its own and disjoint from the hive's, and only the bytes
// below Writable may be used. An ordinary one may be empty, as it can grow.
// Every error wraps ErrUnusableLog.
func (f *File) UsableAsLog(hive *File) error {
	if err := f.usableAsLog(hive); err != nil {
		return fmt.Errorf("%s: %w: %w", f.label, ErrUnusableLog, err)
	}
	return nil
}

func (f *File) usableAsLog(hive *File) error {
	if err := errors.Join(f.InPlace(), f.writeRefusal()); err != nil {
		return err
	}
	if f.Writable() < sectorSize && !f.MayGrow() {
		return fmt.Errorf("%d usable bytes", f.Writable())
	}
	first := make([]byte, sectorSize)
	if _, err := f.ReadAt(first, 0); err != nil && err != io.EOF {
		return err
	}
	if !logStart(first) {
		return fmt.Errorf("first sector is neither zero nor a log's base block")
	}
	if f.plain != nil {
		return f.notSame(hive)
	}
	if hive.volume != f.volume {
		return fmt.Errorf("not on the volume of %s", hive.label)
	}
	if e, ok := overlap(f.stream.extents, hive.stream.extents); ok {
		return fmt.Errorf("cluster at %d is also the hive's: %w", e.DeviceOffset, ErrMisplaced)
	}
	return nil
}

// notSame refuses a log that is the hive itself under another name.
func (f *File) notSame(hive *File) error {
	if hive.plain != nil && sameFile(f.plain.info, hive.plain.info) {
		return fmt.Errorf("is %s itself: %w", hive.label, ErrMisplaced)
	}
	return nil
}

// logStart reports a first sector that is all zero, or a base block ("regf")
// of type 1, a transaction log, at offset 28.
func logStart(b []byte) bool {
	if string(b[:4]) == "regf" {
		return b[28] == 1 && b[29] == 0 && b[30] == 0 && b[31] == 0
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
