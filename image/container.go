package image

import (
	"errors"
	"fmt"
	"os"
	"reflect"
)

// export has the disk of the container served, and returns its size.
func (d *disk) export(writable bool) (int64, error) {
	if d.host.Export == nil {
		return 0, fmt.Errorf("%s is a disk as %s: %w", d.path, d.inside.Format, ErrNoExporter)
	}
	x, err := d.host.Export(d.inside, writable)
	if err != nil {
		return 0, fmt.Errorf("%s is a disk as %s: %w", d.path, d.inside.Format, err)
	}
	d.exported = x
	return x.Size(), nil
}

// unexport ends that.
func (d *disk) unexport() error {
	if d.exported == nil {
		return nil
	}
	x := d.exported
	d.exported = nil
	if err := x.Close(); err != nil {
		return fmt.Errorf("closing %s: %w", d.path, err)
	}
	return nil
}

// beginContainer locks all files that are written with the disk, of which f is the first.
// Nothing in their headers may have changed.
func (d *disk) beginContainer(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("opening %s for writing: %w", d.path, err)
	}
	var others []*os.File
	if others, err = lockAll(d.inside.Files[1:]); err != nil {
		return err
	}
	d.others = others
	now, err := inside(d.path, f, info)
	switch {
	case err != nil:
		return err
	case !sameInside(now, d.inside):
		return fmt.Errorf("opening %s for writing: %w", d.path, ErrChanged)
	case !d.contained():
		err = lockFromQEMU(f)
	}
	if err != nil {
		return writeError(d.path, err)
	}
	return nil
}

// serveForWriting has the disk served anew. Some formats note in their headers that they
// are open, so that this is a write already.
func (d *disk) serveForWriting() error {
	if err := d.unexport(); err != nil {
		return err
	}
	size, err := d.export(true)
	if err == nil && size != d.size {
		err = fmt.Errorf("opening %s for writing: %w", d.path, ErrChanged)
	}
	d.served = err == nil
	return err
}

// lockAll opens files for writing, under their locks.
func lockAll(paths []string) (all []*os.File, err error) {
	for _, path := range paths {
		f, err := openExclusive(path, false)
		if err != nil {
			for _, f := range all {
				err = errors.Join(err, f.Close())
			}
			return nil, writeError(path, err)
		}
		all = append(all, f)
	}
	return all, nil
}

// sameInside compares what the headers said.
func sameInside(a, b *Container) bool {
	return a.Format == b.Format && a.Size == b.Size && a.id == b.id && len(a.Frozen) == len(b.Frozen) &&
		a.Unreadable == nil && reflect.DeepEqual(a.Layers, b.Layers)
}

// refusals says what forbids writing to an image file, however its disk looks.
func (d *disk) refusals() []error {
	if d.inside == nil {
		return nil
	}
	if d.frozen == nil {
		all := append([]error(nil), d.inside.Frozen...)
		if d.inside.Format == FormatQCOW2 {
			packed, err := packedClusters(d.file, d.info.Size())
			if packed {
				err = ErrPackedBlocks
			}
			if err != nil {
				all = append(all, fmt.Errorf("%s: %w", d.path, err))
			}
		}
		if over := overlay(d.path, d.inside.id); over != "" {
			all = append(all, fmt.Errorf("%s needs %s as it is: %w", over, d.path, ErrIsBase))
		}
		d.frozen = &all
	}
	return *d.frozen
}

// dropCache makes the next read come from the medium.
func (d *disk) dropCache() error {
	if d.exported != nil {
		if err := d.sync(); err != nil {
			return err
		}
	}
	for _, f := range append([]*os.File{d.file}, d.others...) {
		if err := dropCache(f, d.block); err != nil {
			return err
		}
	}
	return nil
}
