package stick

import (
	"fmt"
	"io"
	"strings"
)

// pieceSize is how much is written at once, and a divisor of where it begins.
const pieceSize = 1 << 20

// layout is an image with everything in its place.
type layout struct {
	*Image
	geometry
	order []*node // as their clusters lie: folders, then files
	used  int64   // clusters
}

// lay gives every file its clusters.
func (im *Image) lay() (*layout, error) {
	if len(im.BootCode) > 440 || len(im.Core) > (partitionStart-1)*sectorSize {
		return nil, fmt.Errorf("%d bytes for sector 0, %d from sector 1: %w", len(im.BootCode), len(im.Core), ErrBootCode)
	}
	if err := checkLabel(im.Label); err != nil {
		return nil, err
	}
	g, err := layOut(im.Size)
	if err != nil {
		return nil, err
	}
	root, err := plant(im.Files)
	if err != nil {
		return nil, err
	}
	l := &layout{Image: im, geometry: g}
	for _, dirs := range []bool{true, false} {
		root.walk(func(n *node) {
			if n.dir == dirs {
				l.place(n)
			}
		})
	}
	if l.used > g.clusters {
		return nil, fmt.Errorf("%d bytes of files and folders on a volume of %d: %w",
			l.used*g.bytes(), g.clusters*g.bytes(), ErrTooSmall)
	}
	return l, nil
}

// place gives a node the next clusters. An empty file has none.
func (l *layout) place(n *node) {
	size := int64(len(n.data))
	if n.dir {
		size = n.entries() * entrySize
	}
	if n.clusters = l.clustersFor(size); n.clusters > 0 {
		n.first = rootCluster + l.used
	}
	l.used += n.clusters
	l.order = append(l.order, n)
}

// checkLabel wants what can stand in the root folder as it is.
func checkLabel(label string) error {
	other := func(r rune) bool { return r != ' ' && !isShortChar(r) }
	if len(label) > 11 || strings.ContainsFunc(label, other) || strings.Trim(label, " ") != label || label == "NO NAME" {
		return fmt.Errorf("label %q: %w", label, ErrBadName)
	}
	return nil
}

// end is the offset after the last cluster in use.
func (l *layout) end() int64 { return l.offset(rootCluster + l.used) }

// Length is how much Write writes in order, from offset 0 on, in bytes.
func (im *Image) Length() (int64, error) {
	l, err := im.lay()
	if err != nil {
		return 0, err
	}
	return l.end(), nil
}

// Write writes the image: everything up to the last cluster in use, in order
// and in pieces of 1 MiB, and the last sector, so that a new file has its full
// size. What lies between is not touched and holds nothing.
// Errors: ErrTooSmall, ErrBootCode, ErrBadName, ErrDuplicate, or the writer's.
func (im *Image) Write(w io.WriterAt) error {
	l, err := im.lay()
	if err != nil {
		return fmt.Errorf("laying out the stick: %w", err)
	}
	if err := l.write(w); err != nil {
		return fmt.Errorf("writing the stick: %w", err)
	}
	return nil
}

func (l *layout) write(w io.WriterAt) error {
	p := &pieces{w: w, buf: make([]byte, 0, pieceSize)}
	p.put(l.mbr(l.geometry), sectorSize)
	p.put(l.Core, (partitionStart-1)*sectorSize)
	l.reserve(p)
	fat := table(l.order, l.used)
	p.put(fat, l.fat*sectorSize)
	p.put(fat, l.fat*sectorSize)
	for _, n := range l.order {
		data := n.data
		if n.dir {
			data = l.directory(n)
		}
		p.put(data, n.clusters*l.bytes())
	}
	p.flush()
	if end := max(l.end(), l.Size-sectorSize); p.err == nil && end < l.Size {
		_, p.err = w.WriteAt(make([]byte, l.Size-end), end)
	}
	return p.err
}

// reserve writes the sectors before the first FAT: the boot sector and FSInfo,
// and their backup from sector 6 on.
func (l *layout) reserve(p *pieces) {
	next := rootCluster + l.used
	if l.used == l.clusters {
		next = 0xFFFFFFFF
	}
	boot, info := l.bootSector(l.geometry), fsInfo(l.clusters-l.used, next)
	p.put(boot, sectorSize)
	p.put(info, 5*sectorSize)
	p.put(boot, sectorSize)
	p.put(info, (l.reserved-7)*sectorSize)
}

// pieces writes in order and at once what fills a piece. It keeps the first
// error.
type pieces struct {
	w   io.WriterAt
	buf []byte
	at  int64 // of the first byte in buf
	err error
}

// put writes b and then zeros, n bytes in all.
func (p *pieces) put(b []byte, n int64) {
	n -= int64(len(b))
	for len(b) > 0 && p.err == nil {
		b = b[p.add(b):]
	}
	for zeros := make([]byte, min(n, pieceSize)); n > 0 && p.err == nil; {
		n -= int64(p.add(zeros[:min(n, pieceSize)]))
	}
}

// add takes as much of b as the piece has room for.
func (p *pieces) add(b []byte) int {
	room := min(cap(p.buf)-len(p.buf), len(b))
	p.buf = append(p.buf, b[:room]...)
	if len(p.buf) == cap(p.buf) {
		p.flush()
	}
	return room
}

func (p *pieces) flush() {
	if p.err == nil && len(p.buf) > 0 {
		_, p.err = p.w.WriteAt(p.buf, p.at)
	}
	p.at += int64(len(p.buf))
	p.buf = p.buf[:0]
}
