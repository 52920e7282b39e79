package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"unloop/image"
)

// target is one thing to be worked on.
type target struct {
	path  string
	why   error // nothing can be done with it
	found bool  // by a pattern or in a folder: nobody named just this one
}

// stdinTargets, among the targets, stands for those that stdin lists.
const stdinTargets = "-"

// maxList bounds the list on stdin, in bytes.
const maxList = 16 << 20

// named returns the arguments, with the list on stdin in the place of "-". A list without
// a name is a mistake: it must never mean every disk.
func (e *env) named(args []string) ([]target, error) {
	var all []target
	read := false
	for _, arg := range args {
		if arg != stdinTargets {
			all = append(all, target{path: arg, found: hasPattern(arg)})
			continue
		}
		if read {
			return nil, usageError{"usage.stdintwice", nil}
		}
		read = true
		names, err := e.readList()
		switch {
		case err != nil:
			return nil, err
		case len(names) == 0:
			return nil, usageError{"usage.emptylist", nil}
		}
		for _, name := range names {
			all = append(all, target{path: name}) // as it is: a name may hold what in a pattern is a sign
		}
	}
	return all, nil
}

// readList reads the list on stdin. Ctrl-C ends that, too.
func (e *env) readList() (names []string, err error) {
	read := make(chan error, 1)
	var text []byte
	go func() {
		var err error
		text, err = io.ReadAll(io.LimitReader(e.in, maxList+1))
		read <- err
	}()
	select {
	case <-e.ctx.Done():
		return nil, errInterrupted
	case err = <-read:
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the list of targets: %w", err)
	case len(text) > maxList:
		return nil, usageError{"usage.longlist", []any{maxList >> 20}}
	}
	return namesIn(text), nil
}

// namesIn are the names in a list, one a line as any system ends it, or each ended by a NUL.
func namesIn(text []byte) (names []string) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as Windows' Notepad saves it
	end := "\n"
	if bytes.IndexByte(text, 0) >= 0 {
		end = "\x00"
	}
	for _, line := range strings.Split(string(text), end) {
		if end == "\n" {
			line = strings.TrimSuffix(line, "\r")
		}
		if strings.TrimSpace(line) != "" {
			names = append(names, line)
		}
	}
	return names
}

// hasPattern says whether a name is a pattern: it holds such a sign, and nothing is called
// just so.
func hasPattern(name string) bool {
	if !strings.ContainsAny(name, "*?[") {
		return false
	}
	_, err := os.Lstat(name)
	return err != nil
}

// expand replaces patterns by what they match, and with --recursive folders by what is in
// them, and leaves out what would be worked on twice. Who named something gets at least
// one target for it, if only an error: no target at all would mean every disk.
func (e *env) expand(named []target, o common) ([]target, error) {
	if len(named) == 0 {
		return e.disks()
	}
	var all []target
	for _, t := range named {
		for _, one := range matches(t) {
			if info, err := os.Stat(one.path); o.recursive && err == nil && info.IsDir() {
				all = append(all, e.walk(one.path, o)...)
				continue
			}
			all = append(all, one)
		}
	}
	if len(all) == 1 {
		return all, nil
	}
	return e.once(all), nil
}

// matches are what a pattern stands for; the pattern itself, which is not there, if that is
// nothing. As in a shell, names that begin with a dot are matched by a dot only.
func matches(t target) []target {
	if !t.found {
		return []target{t}
	}
	paths, err := filepath.Glob(t.path)
	hidden := strings.HasPrefix(filepath.Base(t.path), ".")
	paths = slices.DeleteFunc(paths, func(p string) bool { return !hidden && strings.HasPrefix(filepath.Base(p), ".") })
	if err != nil || len(paths) == 0 {
		return []target{{path: t.path}}
	}
	slices.Sort(paths)
	var all []target
	for _, path := range paths {
		all = append(all, target{path: path, found: true})
	}
	return all
}

// disks are all of this machine.
func (e *env) disks() ([]target, error) {
	disks, err := e.host.Disks()
	if err != nil {
		return nil, fmt.Errorf("listing disks: %w", err)
	}
	if len(disks) == 0 && runtime.GOOS == "windows" { // drives without a Windows are not named
		return nil, fmt.Errorf("listing drives: %w", errNoWindowsDrive)
	}
	if len(disks) == 0 {
		return nil, fmt.Errorf("listing disks: %w", image.ErrNotFound)
	}
	var all []target
	for _, disk := range disks {
		all = append(all, target{path: disk})
	}
	return all, nil
}
