//go:build linux

package main

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"unloop/hive"
)

// watched is what a script wants untouched.
type watched struct {
	paths []string
	seen  map[string]fileState
}

// fileState is everything that reading a file must leave alone.
type fileState struct {
	Mode                        uint32
	Size                        int64
	Inode                       uint64
	Modified, Accessed, Changed unix.Timespec
	Sum                         hive.Digest
}

// watch sets the access times to long before the others, so that the file system
// would record a new access, and remembers the state of all below paths.
func (w *watched) watch(ts *testscript.TestScript, paths []string) {
	w.paths = nil
	for _, path := range paths {
		w.paths = append(w.paths, ts.MkAbs(path))
	}
	all, err := below(w.paths)
	ts.Check(err)
	for _, path := range all {
		info, err := os.Lstat(path)
		ts.Check(err)
		if info.Mode().IsRegular() || info.IsDir() {
			ts.Check(os.Chtimes(path, time.Unix(1e9, 0), info.ModTime()))
		}
	}
	w.seen, err = look(w.paths)
	ts.Check(err)
}

func (w *watched) untouched(ts *testscript.TestScript, args []string) {
	wantArgs(ts, args, 0, "untouched")
	if len(w.seen) == 0 {
		ts.Fatalf("nothing is watched")
	}
	now, err := look(w.paths)
	ts.Check(err)
	for _, path := range slices.Sorted(maps.Keys(now)) {
		switch old, known := w.seen[path]; {
		case !known:
			ts.Fatalf("%s is new", path)
		case old != now[path]:
			ts.Fatalf("%s was touched:\n%+v\n%+v", path, old, now[path])
		}
	}
	for path := range w.seen {
		if _, there := now[path]; !there {
			ts.Fatalf("%s is gone", path)
		}
	}
}

// look notes the state of all below paths, leaving access times alone.
func look(paths []string) (map[string]fileState, error) {
	all, err := below(paths)
	if err != nil {
		return nil, err
	}
	seen := map[string]fileState{}
	for _, path := range all {
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return nil, err
		}
		s := fileState{Mode: st.Mode, Size: st.Size, Inode: st.Ino, Modified: st.Mtim, Accessed: st.Atim, Changed: st.Ctim}
		if st.Mode&unix.S_IFMT == unix.S_IFREG {
			f, err := openQuietly(path)
			if err != nil {
				return nil, err
			}
			data, err := io.ReadAll(f)
			f.Close()
			if err != nil {
				return nil, err
			}
			s.Sum = hive.Sum(data)
		}
		seen[path] = s
	}
	return seen, nil
}

// below lists paths and everything in them.
func below(paths []string) (all []string, err error) {
	for _, path := range paths {
		all = append(all, path)
		info, err := os.Lstat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			continue
		}
		f, err := openQuietly(path)
		if err != nil {
			return nil, err
		}
		names, err := f.Readdirnames(-1)
		f.Close()
		if err != nil {
			return nil, err
		}
		for i := range names {
			names[i] = filepath.Join(path, names[i])
		}
		inside, err := below(names)
		if err != nil {
			return nil, err
		}
		all = append(all, inside...)
	}
	return all, nil
}

// openQuietly opens without leaving an access time.
func openQuietly(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NOATIME, 0)
}
