package main

import (
	"fmt"
	"io/fs"
	"os"
	"slices"

	"unloop/image"
)

// once leaves out targets that are the same disk as one before them, and of those that
// nobody named, what is but a part of another one: the extents of an image, and the layers
// that it stands on. Those must not change under it, so that one which somebody named is
// refused, wherever it lies.
func (e *env) once(all []target) []target {
	insides := make([]inside, len(all))
	for i, t := range all {
		insides[i] = e.liesIn(t)
	}
	return e.sift(all, insides)
}

func (e *env) sift(all []target, insides []inside) (keep []target) {
	parts, bases, lieIn := fileSet{}, fileSet{}, map[string]inside{}
	for i, t := range all {
		parts.add(t.path, insides[i].parts...)
		bases.add(t.path, insides[i].bases...)
		lieIn[t.path] = insides[i]
	}
	seen, drives, loops := fileSet{}, map[string]string{}, map[string]bool{}
	for i, t := range all {
		own := insides[i]
		whole := parts.find(t.path, own.files[:min(len(own.files), 1)]...)
		if whole != "" && t.found && !own.claims(lieIn[whole]) {
			e.note("same.part", t.path, whole)
			continue
		}
		twin := seen.find("", own.files...)
		if twin == "" {
			twin = drives[own.drive]
		}
		if at := slices.IndexFunc(keep, func(k target) bool { return k.path == twin }); at >= 0 && own.loop && !loops[twin] {
			e.note("same.disk", twin, t.path) // the file would be refused, so the device it is
			keep[at], loops[t.path] = t, true
			continue
		}
		if twin != "" {
			e.note("same.disk", t.path, twin)
			continue
		}
		if over := bases.find(t.path, own.files...); over != "" && t.why == nil {
			t.why = fmt.Errorf("%s needs %s as it is: %w", over, t.path, image.ErrIsBase)
		}
		seen.add(t.path, own.files...)
		if own.drive != "" {
			drives[own.drive] = t.path
		}
		loops[t.path] = own.loop
		keep = append(keep, t)
	}
	return keep
}

// inside is what a target lies in.
type inside struct {
	files []fs.FileInfo // all that are written; its own first
	parts []fs.FileInfo // those that are no targets by themselves
	bases []fs.FileInfo // those among them that are only read
	drive string        // the kernel's name of a block device
	loop  bool          // a loop device, which files show, too
}

// claims says whether another target is a part of this one, too. Two images that name each
// other as their base are broken, and both are told to be.
func (in inside) claims(other inside) bool {
	return slices.ContainsFunc(in.parts, func(part fs.FileInfo) bool { return os.SameFile(part, other.files[0]) })
}

// liesIn finds out what a target lies in, as far as that can be known; the rest is told when
// it is worked on.
func (e *env) liesIn(t target) (in inside) {
	info, err := os.Stat(t.path)
	if err != nil || t.why != nil {
		return in
	}
	in.files = []fs.FileInfo{info}
	if d, err := e.host.Drive(t.path); err == nil {
		in.drive = d.Name
	}
	if !info.Mode().IsRegular() {
		in.files = append(in.files, stats([]string{e.host.LoopFile(t.path)})...)
		in.loop = len(in.files) > 1
		return in
	}
	c, err := image.Inside(t.path)
	if err != nil {
		return in
	}
	extents := stats(c.Files[min(len(c.Files), 1):])
	in.files = append(in.files, extents...)
	in.bases = stats(c.Bases)
	in.parts = slices.Concat(extents, in.bases)
	return in
}

func stats(paths []string) (all []fs.FileInfo) {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			all = append(all, info)
		}
	}
	return all
}

// fileSet finds files again, whatever path leads to them. What is the same has the same
// size and time, so few are compared.
type fileSet map[fileKey][]ownedFile

type fileKey struct {
	size     int64
	modified int64 // nanoseconds
}

type ownedFile struct {
	info  fs.FileInfo
	owner string
}

func (s fileSet) add(owner string, files ...fs.FileInfo) {
	for _, info := range files {
		key := fileKey{info.Size(), info.ModTime().UnixNano()}
		s[key] = append(s[key], ownedFile{info, owner})
	}
}

// find returns the owner of the first of the files that is known, but not one of that name.
func (s fileSet) find(but string, files ...fs.FileInfo) string {
	for _, info := range files {
		for _, f := range s[fileKey{info.Size(), info.ModTime().UnixNano()}] {
			if f.owner != but && os.SameFile(f.info, info) {
				return f.owner
			}
		}
	}
	return ""
}
