package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"unloop/image"
	"unloop/image/stick"
)

const (
	burnPiece = 1 << 20 // what is written at once
	burnSync  = 8 << 20 // what is written between two syncs, so that progress is real
)

// burn overwrites the drive and reads back what it wrote. From the first write on,
// every error means that the stick cannot be used.
func (e *env) burn(d *image.Drive, p *stickSource) (err error) {
	to, err := e.host.Overwrite(d)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := to.Close(); cerr != nil && err == nil {
			err = fmt.Errorf("%w: %w", errStickNotVerified, cerr)
		}
	}()
	b := &burner{env: e, to: to}
	length, err := p.length()
	if err != nil {
		return err
	}
	if err := b.write(p, d.Size, length); err != nil {
		return fmt.Errorf("%w: %w", errHalfStick, err)
	}
	if err := b.verify(p, length); err != nil {
		return fmt.Errorf("%w: %w", errStickNotVerified, err)
	}
	if err := to.ReadTable(); err != nil {
		e.stage(stageReport, "oldtable", d.Path, err)
	}
	e.stage(stageReport, "stickdone", d.Path, stick.VolumeIDText(p.image.VolumeID))
	return nil
}

// length is how much is written, from the beginning of the drive on.
func (p *stickSource) length() (int64, error) {
	if p.plain {
		return p.image.Size, nil
	}
	return p.image.Length()
}

// write hands the stick's bytes on, forward and in pieces.
func (p *stickSource) write(w io.WriterAt) error {
	if !p.plain {
		return p.image.Write(w)
	}
	buf := make([]byte, burnPiece)
	return p.each(buf, func(at int64) error {
		_, err := w.WriteAt(buf[:min(burnPiece, p.image.Size-at)], at)
		return err
	})
}

// verify compares them with those of a drive.
func (p *stickSource) verify(r io.ReaderAt) error {
	if !p.plain {
		return p.image.Verify(r)
	}
	buf, back := make([]byte, burnPiece), make([]byte, burnPiece)
	return p.each(buf, func(at int64) error {
		n := min(burnPiece, p.image.Size-at)
		if _, err := r.ReadAt(back[:n], at); err != nil {
			return err
		}
		if !bytes.Equal(buf[:n], back[:n]) {
			return fmt.Errorf("the megabyte at offset 0x%x: %w", at, stick.ErrDiffers)
		}
		return nil
	})
}

// each reads the image file piece by piece.
func (p *stickSource) each(buf []byte, do func(at int64) error) error {
	for at := int64(0); at < p.image.Size; at += burnPiece {
		if n, err := p.file.ReadAt(buf, at); int64(n) < min(burnPiece, p.image.Size-at) {
			return fmt.Errorf("reading the image: %w", errors.Join(err, io.ErrUnexpectedEOF))
		}
		if err := do(at); err != nil {
			return err
		}
	}
	return nil
}

// burner is the drive as the stick's bytes arrive there. The first piece, with the
// partition table, is kept back until all else is on it: a stick that was given up
// half-way looks empty, and no PC starts from it.
type burner struct {
	*env
	to       *image.Overwriting
	bar      *progress
	first    []byte
	unsynced int
}

// write overwrites a drive of size bytes. What may have been at its end, a second
// partition table or the mark of a RAID, goes first.
func (b *burner) write(p *stickSource, size, length int64) error {
	b.bar = b.progress(stageApply, length)
	defer b.bar.end()
	empty := make([]byte, burnPiece)
	if _, err := b.to.WriteAt(empty, 0); err != nil {
		return err
	}
	if end := max(length, size-burnPiece); end < size {
		if _, err := b.to.WriteAt(empty[:size-end], end); err != nil {
			return err
		}
	}
	if err := b.to.Sync(); err != nil {
		return err
	}
	if err := p.write(b); err != nil {
		return err
	}
	if err := b.to.Sync(); err != nil {
		return err
	}
	if _, err := b.to.WriteAt(b.first, 0); err != nil {
		return err
	}
	if err := b.to.Sync(); err != nil {
		return err
	}
	b.bar.end()
	b.stage(stageApply, "stickwritten", length/1e6)
	return nil
}

// WriteAt takes one piece of the stick. Ctrl-C ends it before the next.
func (b *burner) WriteAt(p []byte, at int64) (int, error) {
	if err := b.interrupted(); err != nil {
		return 0, err
	}
	b.bar.add(len(p))
	if at == 0 {
		b.first = bytes.Clone(p)
		return len(p), nil
	}
	n, err := b.to.WriteAt(p, at)
	if b.unsynced += n; err == nil && b.unsynced >= burnSync {
		b.unsynced = 0
		err = b.to.Sync()
	}
	return n, err
}

// ReadAt reads back, for verify.
func (b *burner) ReadAt(p []byte, at int64) (int, error) {
	if err := b.interrupted(); err != nil {
		return 0, err
	}
	n, err := b.to.ReadAt(p, at)
	b.bar.add(n)
	return n, err
}

// verify reads the drive back, past the cache.
func (b *burner) verify(p *stickSource, length int64) error {
	b.bar = b.progress(stageVerify, length)
	defer b.bar.end()
	if err := b.to.DropCache(); err != nil {
		return err
	}
	if err := p.verify(b); err != nil {
		return err
	}
	b.bar.end()
	b.stage(stageVerify, "stickverified", length/1e6)
	return nil
}
