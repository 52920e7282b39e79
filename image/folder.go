package image

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// Entry is a name in a folder of an installation, as the folder has it: on a volume
// whose journal was never replayed it may be out of date. Open makes sure.
type Entry struct {
	Name     string
	Dir      bool
	Modified time.Time // UTC; zero if that is not known

	in    *Installation
	path  string // of an ordinary file
	label string // of a file on a volume: that of its folder
	dir   *record
	ref   dirEntry
}

// List lists a folder by its path from the root of the volume or mounted folder, with
// slashes, without regard to letter case; at most 262,144 names, links left out. What of
// it could not be read is the error, beside the rest. fs.ErrNotExist if there is no such
// folder, or, for a hive file, no root.
func (in *Installation) List(path string) ([]Entry, error) {
	if in.Volume == nil {
		return in.listPlain(path)
	}
	v := in.Volume
	label := v.prefix(in.src.path) + path
	root, err := v.fs.root()
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", label, err)
	}
	dir, spelt, err := v.fs.resolve(root, path)
	if err == nil && !dir.dir {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", label, err)
	}
	found, err := v.fs.names(dir)
	all := make([]Entry, 0, len(found))
	for _, e := range found {
		all = append(all, Entry{Name: e.name, Dir: e.folder, Modified: fileTime(e.modified),
			in: in, label: v.prefix(in.src.path) + spelt, dir: dir, ref: e})
	}
	if err != nil {
		err = fmt.Errorf("listing %s: %w", label, err)
	}
	return all, err
}

// listPlain lists an ordinary folder.
func (in *Installation) listPlain(path string) ([]Entry, error) {
	if in.root == "" {
		return nil, fmt.Errorf("listing %s beside %s: %w", path, in.Label, fs.ErrNotExist)
	}
	dir, err := resolveIn(in.root, path)
	if err != nil {
		return nil, fmt.Errorf("listing %s in %s: %w", path, in.root, err)
	}
	names, err := readNames(dir)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", dir, err)
	}
	var all []Entry
	for _, n := range names[:min(len(names), maxEntries)] {
		info, err := n.Info()
		if err != nil || n.Type()&fs.ModeSymlink != 0 {
			continue
		}
		all = append(all, Entry{Name: n.Name(), Dir: n.IsDir(), Modified: info.ModTime().UTC(),
			in: in, path: filepath.Join(dir, n.Name())})
	}
	return all, nil
}

// Open opens the file, without a way through all folders above it.
func (e Entry) Open() (*File, error) {
	if e.in == nil || e.Dir {
		return nil, fmt.Errorf("opening %s: %w", e.Name, fs.ErrNotExist)
	}
	if e.dir == nil {
		return e.in.src.openPlain(e.path, e.path, false)
	}
	label := e.label + "/" + e.Name
	s, err := e.in.Volume.fs.openEntry(e.dir, e.ref)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", label, err)
	}
	return &File{src: e.in.src, label: label, volume: e.in.Volume, stream: s}, nil
}

// FindEntry finds a name as Windows does, without regard to letter case; the same case
// wins where both exist.
func FindEntry(all []Entry, name string) (found Entry, ok bool) {
	for _, e := range all {
		if e.Name == name {
			return e, true
		}
		if !ok && sameName(e.Name, name) {
			found, ok = e, true
		}
	}
	return found, ok
}

// bootFolder holds the boot configuration; bootManager beside it is what the boot sector
// starts.
const (
	bootFolder  = "Boot"
	bootManager = "bootmgr"
)

// OpenBoot opens a file of the folder Boot of the volume that starts this PC: the one
// that has the boot manager, the active partition before others. That is often not the
// volume Windows lies on, but a small one on the same disk. fs.ErrNotExist if there is
// none, or no such file there.
func (in *Installation) OpenBoot(name string) (*File, error) {
	if in.Volume == nil {
		if _, err := in.OpenPath(bootManager); err != nil {
			return nil, err
		}
		return in.OpenPath(bootFolder + "/" + name)
	}
	none := fmt.Errorf("opening %s/%s: no volume of %s has %s: %w", bootFolder, name, in.src.path, bootManager, fs.ErrNotExist)
	for _, active := range []bool{true, false} {
		for _, v := range in.src.volumes {
			if v.fs == nil || v.active != active {
				continue
			}
			on := &Installation{Volume: v, src: in.src}
			switch _, err := on.OpenPath(bootManager); {
			case err == nil:
				return on.OpenPath(bootFolder + "/" + name)
			case !errors.Is(err, fs.ErrNotExist):
				none = err
			}
		}
	}
	return nil, none
}

// activePartition is the number of the MBR's primary partition that the BIOS starts; 0
// if there is none, or another kind of table.
func activePartition(mbr []byte) int {
	for i := range 4 {
		if protective(mbr) == 0 && mbr[446+16*i] == 0x80 {
			return i + 1
		}
	}
	return 0
}
