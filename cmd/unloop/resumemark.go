package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"unloop/hive"
	"unloop/image"
)

// resumeMark tells a later run of the same call what a target was when the work on it
// ended, and what was asked for.
type resumeMark struct {
	Path  string     `json:"path"`  // of the target, absolute
	Asked string     `json:"asked"` // the verb, and what decides what it writes
	Files []fileMark `json:"files,omitempty"`
	Drive *driveMark `json:"drive,omitempty"`
}

// fileMark is an ordinary file by what changes when anybody writes to it.
type fileMark struct {
	Path     string    `json:"path"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Inode    string    `json:"inode,omitempty"`
}

// driveMark is a block device by its own names, its first sectors, its volumes and hives:
// what stands in a dock tomorrow may be another disk that looks the same but for these.
type driveMark struct {
	Vendor string      `json:"vendor,omitempty"`
	Model  string      `json:"model,omitempty"`
	Serial string      `json:"serial,omitempty"`
	Size   int64       `json:"size"`
	Start  hive.Digest `json:"sha256OfFirstMiB"`
	Hives  hive.Digest `json:"sha256OfHives"` // and of the serial numbers of all volumes
}

// markOf describes a target as it is now, its work being done. Where that cannot be told the
// mark fits nothing, and the target is worked on again.
func (e *env) markOf(t *targetResult, asked string) *resumeMark {
	path, err := filepath.Abs(t.Target)
	if err != nil {
		path = t.Target
	}
	m := &resumeMark{Path: path, Asked: asked}
	var files []string
	switch t.Kind {
	case image.KindDevice.String():
		m.Drive = e.driveMark(path)
	case image.KindImage.String():
		if c, err := image.Inside(t.Target); err == nil {
			files = c.Files
		}
	default:
		for _, r := range t.Installations {
			files = append(files, r.Hive)
		}
	}
	for _, file := range files {
		one, ok := markFile(file)
		if !ok {
			return &resumeMark{Path: path, Asked: asked}
		}
		m.Files = append(m.Files, one)
	}
	return m
}

// markFile describes an ordinary file.
func markFile(path string) (m fileMark, ok bool) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return m, false
	}
	info, err := os.Stat(abs)
	if err != nil {
		return m, false
	}
	return fileMark{abs, info.Size(), info.ModTime().UTC(), inode(info)}, true
}

// driveMark describes a block device; nil if it cannot be read.
func (e *env) driveMark(path string) *driveMark {
	d, err := e.host.Drive(path)
	if err != nil {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	start, err := hive.SumOf(io.NewSectionReader(f, 0, 1<<20), min(d.Size, 1<<20))
	if err != nil {
		return nil
	}
	hives, err := e.hivesOn(path)
	if err != nil {
		return nil
	}
	return &driveMark{d.Vendor, d.Model, d.Serial, d.Size, start, hives}
}

// baseBlockSize is the length of a hive's base block. Whoever writes to a hive counts up there.
const baseBlockSize = 4096

// hivesOn sums up which volumes lie on a device, and the hives on them that a repair writes:
// all of SYSTEM, of the much larger SOFTWARE the base block.
func (e *env) hivesOn(path string) (sum hive.Digest, err error) {
	src, err := e.host.Open(path)
	if err != nil {
		return "", err
	}
	defer src.Close()
	var all strings.Builder
	for _, v := range src.Volumes() {
		fmt.Fprintf(&all, "%d %s\n", v.Index, v.Serial)
	}
	for _, in := range src.Installations() {
		f, err := in.OpenBeside(hive.PrimaryFile)
		if err != nil {
			return "", err
		}
		one, err := hive.SumOf(f, f.Size())
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&all, "%s %s\n", in.Label, one)
		f, err = in.OpenBeside(hive.SoftwareFile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			one, err = hive.SumOf(f, min(f.Size(), baseBlockSize))
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintln(&all, one)
	}
	return hive.SumOf(strings.NewReader(all.String()), int64(all.Len()))
}

// stillSo says whether what was marked is as it was.
func (e *env) stillSo(m *resumeMark) bool {
	if m.Drive != nil {
		now := e.driveMark(m.Path)
		return now != nil && *now == *m.Drive
	}
	return len(m.Files) > 0 && !slices.ContainsFunc(m.Files, func(was fileMark) bool {
		now, ok := markFile(was.Path)
		return !ok || now.Size != was.Size || now.Inode != was.Inode || !now.Modified.Equal(was.Modified)
	})
}
