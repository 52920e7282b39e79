package stick

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"time"
)

// Verify reads a disk back and compares it with im, first every byte that Write
// wrote, then, through Read, every file. It returns ErrDiffers, naming what
// differs, or why it cannot read.
func (im *Image) Verify(r io.ReaderAt) error {
	l, err := im.lay()
	if err != nil {
		return fmt.Errorf("laying out the stick: %w", err)
	}
	if err := l.write(&comparer{r: r, layout: l}); err != nil {
		return fmt.Errorf("comparing: %w", err)
	}
	back, err := Read(r, im.Size)
	if err != nil {
		return err
	}
	return im.same(back)
}

// same compares what was read back with im.
func (im *Image) same(back *Image) error {
	numbers := func(i *Image) string {
		return fmt.Sprintf("%d bytes, disk %08X, volume %s %q", i.Size, i.DiskID, VolumeIDText(i.VolumeID), i.Label)
	}
	if a, b := numbers(im), numbers(back); a != b {
		return fmt.Errorf("%s, read back as %s: %w", a, b, ErrDiffers)
	}
	if !bytes.Equal(trimZeros(im.BootCode), back.BootCode) || !bytes.Equal(trimZeros(im.Core), back.Core) {
		return fmt.Errorf("boot code: %w", ErrDiffers)
	}
	date, clock := fatTime(im.Time)
	if want := timeOf(date, clock); (len(im.Files) > 0 || im.Label != "") && !back.Time.Equal(want) {
		return fmt.Errorf("time %s, read back as %s: %w", want.Format(time.DateTime), back.Time.Format(time.DateTime), ErrDiffers)
	}
	root, err := plant(im.Files)
	if err != nil {
		return err
	}
	want := append(root.flat(), File{})
	for i, b := range append(slices.Clip(back.Files), File{}) {
		if a := want[min(i, len(want)-1)]; a.Path != b.Path || a.Dir != b.Dir || !bytes.Equal(a.Data, b.Data) {
			return fmt.Errorf("file or folder %q, read back as %q: %w", a.Path, b.Path, ErrDiffers)
		}
	}
	return nil
}

// comparer compares what would be written with what is there.
type comparer struct {
	r      io.ReaderAt
	layout *layout
	buf    []byte
}

// WriteAt compares p with the bytes at an offset.
func (c *comparer) WriteAt(p []byte, at int64) (int, error) {
	c.buf = slices.Grow(c.buf[:0], len(p))[:len(p)]
	if err := readFull(c.r, c.buf, at); err != nil {
		return 0, err
	}
	for i := range p {
		if p[i] != c.buf[i] {
			at += int64(i)
			return i, fmt.Errorf("%s, offset 0x%x: %w", c.layout.what(at), at, ErrDiffers)
		}
	}
	return len(p), nil
}

// what names what lies at an offset of the disk.
func (l *layout) what(at int64) string {
	sector := at/sectorSize - partitionStart
	switch {
	case sector < 0:
		return "partition table and boot code"
	case sector < l.reserved:
		return "boot sector of the volume"
	case sector < l.data():
		return "file allocation table"
	}
	cluster := (sector-l.data())/l.cluster + rootCluster
	for _, n := range l.order {
		if cluster >= n.first && cluster < n.first+n.clusters {
			return fmt.Sprintf("%q", n.path())
		}
	}
	return "unused part"
}

// VolumeIDText spells a volume's serial number as blkid, GRUB and Windows do:
// "ABCD-1234".
func VolumeIDText(id uint32) string { return fmt.Sprintf("%04X-%04X", id>>16, id&0xFFFF) }
