package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"unloop/hive"
	"unloop/image"
)

// maxHive bounds what is read as a hive; Windows itself loads no SYSTEM hive of
// more than 400 MB on a 32-bit PC.
const maxHive = 512 << 20

// maxLog bounds what is read as a log: Windows' are shorter than their hive.
const maxLog = 64 << 20

// maxBlind is how long a file may be that is read whole although it does not begin
// as a hive, lest it is one whose first sector is torn.
const maxBlind = 64 << 20

// hiveFiles are the open files of one hive; logs may be nil.
type hiveFiles struct {
	name                     string // hive.PrimaryFile or hive.SoftwareFile
	primary, log1, log2, log *image.File
}

// openHive opens a hive of an installation with its logs.
func openHive(in *image.Installation, name string) (f hiveFiles, err error) {
	f.name = name
	if f.primary, err = in.OpenBeside(name); err != nil {
		return f, err
	}
	for suffix, file := range map[string]**image.File{".LOG1": &f.log1, ".LOG2": &f.log2, ".LOG": &f.log} {
		*file, err = in.OpenBeside(name + suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return f, nil
}

// read reads all of them.
func (f hiveFiles) read() (files hive.Files, err error) {
	files.Name = f.name
	for _, one := range []struct {
		file  *image.File
		data  *[]byte
		limit int64
	}{{f.primary, &files.Primary, maxHive}, {f.log1, &files.Log1, maxLog}, {f.log2, &files.Log2, maxLog}, {f.log, &files.Log, maxLog}} {
		if one.file == nil {
			continue
		}
		if *one.data, err = readAll(one.file, one.limit); err != nil {
			return hive.Files{}, err
		}
	}
	return files, nil
}

// unchanged reads all of them again and compares them with what was read before: where
// something differs, the error wraps hive.ErrStale.
func (f hiveFiles) unchanged(was hive.Files) error {
	for _, one := range []struct {
		file *image.File
		data []byte
	}{{f.primary, was.Primary}, {f.log1, was.Log1}, {f.log2, was.Log2}, {f.log, was.Log}} {
		if one.file == nil && one.data == nil {
			continue
		}
		if one.file == nil || one.data == nil || one.file.Size() != int64(len(one.data)) {
			return hive.ErrStale
		}
		if err := hive.Same(one.file, one.data); err != nil {
			return fmt.Errorf("reading %s again: %w", one.file.Label(), err)
		}
	}
	return nil
}

// recognise refuses a large file that does not begin as a hive.
func recognise(f *image.File) error {
	start := make([]byte, 4)
	if f.Size() <= maxBlind {
		return nil
	}
	if _, err := f.ReadAt(start, 0); err == nil && string(start) != "regf" {
		return fmt.Errorf("reading %s: %w", f.Label(), hive.ErrNotHive)
	}
	return nil
}

// recogniseTarget refuses one that is neither hive nor image, before it is called a hive.
func recogniseTarget(src *image.Source) error {
	if src.Kind() != image.KindHive {
		return nil
	}
	f, err := src.Installations()[0].Open(hive.PrimaryFile)
	if err != nil {
		return err
	}
	return recognise(f)
}

func readAll(f *image.File, limit int64) ([]byte, error) {
	size := f.Size()
	if err := recognise(f); err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("reading %s: %d bytes: %w", f.Label(), size, image.ErrUnsupported)
	}
	data := hive.NewBuffer(size)
	if n, err := f.ReadAt(data, 0); int64(n) < size {
		if err == nil || err == io.EOF {
			err = image.ErrDamaged
		}
		return nil, fmt.Errorf("reading %s at 0x%x: %w", f.Label(), n, err)
	}
	return data, nil
}

// logRoom returns how much of LOG1 may be written in place, 0 if none, and why not.
func (f hiveFiles) logRoom() (int64, error) {
	if f.log1 == nil {
		return 0, fs.ErrNotExist
	}
	if err := f.log1.UsableAsLog(f.primary); err != nil {
		return 0, err
	}
	return f.log1.Writable(), nil
}

// log1File hands LOG1 to an update; a nil *image.File must not become a File.
func (f hiveFiles) log1File() hive.File {
	if f.log1 == nil {
		return nil
	}
	return f.log1
}
