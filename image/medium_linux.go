package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxLayers bounds the devices and files a folder is followed down through.
const maxLayers = 64

// SharesMedium says whether a backup must not be put in dir, and why: dir
// lies on the device being repaired, also through partitions and devices
// stacked on it, or inside the image being repaired, or on the NTFS mount that
// holds the folder or hive file. A hive or image on the host's own file system
// may share it. A folder that does not exist yet is judged by its parent.
func (s *Source) SharesMedium(dir string) (bool, string, error) {
	place, err := existing(dir)
	if err != nil {
		return false, "", fmt.Errorf("looking where %s lies: %w", dir, err)
	}
	dir = place
	all, err := s.host.mounts()
	if err != nil {
		return false, "", err
	}
	if s.disk == nil {
		return s.sharesMount(dir, all)
	}
	below := layers{host: s.host, mounts: all, seen: map[devNumber]bool{}}
	below.addPath(dir)
	if !s.disk.block {
		return s.holds(dir, below.files)
	}
	target := layers{host: s.host, seen: map[devNumber]bool{}, onlyDevices: true}
	target.addDevice(rdev(s.disk.info))
	for n := range below.seen {
		if target.seen[n] {
			return true, fmt.Sprintf("%s lies on %s, which is being repaired", dir, s.host.name(n)), nil
		}
	}
	return false, "", nil
}

// holds says whether one of the files that dir lies in is written with this image.
func (s *Source) holds(dir string, files []fs.FileInfo) (bool, string, error) {
	for _, path := range s.inside.Files {
		own, err := os.Stat(path)
		if err != nil {
			return false, "", openError(path, err)
		}
		if slices.ContainsFunc(files, func(f fs.FileInfo) bool { return os.SameFile(f, own) }) {
			return true, fmt.Sprintf("%s lies inside %s", dir, path), nil
		}
	}
	return false, "", nil
}

// existing is the nearest folder up from dir that exists, without links.
func existing(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return dir, err
	}
	for {
		real, err := filepath.EvalSymlinks(path)
		if !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path) {
			return real, err
		}
		path = filepath.Dir(path)
	}
}

// sharesMount compares the mounts of a folder or hive target and of dir.
func (s *Source) sharesMount(dir string, all []mount) (bool, string, error) {
	target, err := os.Stat(s.path)
	if err != nil {
		return false, "", openError(s.path, err)
	}
	place, err := os.Stat(dir)
	if err != nil {
		return false, "", fmt.Errorf("looking where %s lies: %w", dir, err)
	}
	if device(target) != device(place) {
		return false, "", nil
	}
	for _, m := range all {
		if m.dev == device(target) && isNTFS(m.fstype) {
			return true, fmt.Sprintf("%s lies on the volume being repaired, mounted at %s", dir, m.point), nil
		}
	}
	return false, "", nil
}

// isNTFS recognises the drivers that mount NTFS. What a plain "fuse" mounts
// cannot be told; ntfs-3g uses it for image files.
func isNTFS(fstype string) bool {
	switch fstype {
	case "ntfs", "ntfs3", "fuseblk", "ufsd", "fuse":
		return true
	}
	return strings.HasPrefix(fstype, "fuse.ntfs")
}

// layers collects the devices and files that something lies on.
type layers struct {
	host        Host
	mounts      []mount
	seen        map[devNumber]bool
	files       []fs.FileInfo
	onlyDevices bool // do not look into the files behind loop devices
}

// addPath follows a file or folder down to its device or, where the file
// system has none of its own, to what its mount names as source.
func (l *layers) addPath(path string) {
	info, err := os.Stat(path)
	if err != nil || len(l.seen)+len(l.files) > maxLayers {
		return
	}
	n := device(info)
	if l.host.sysDir(n) != "" {
		l.addDevice(n)
		return
	}
	for _, m := range l.mountsOf(n, path) {
		if m.fstype == "overlay" {
			for _, o := range strings.Split(m.super, ",") {
				if upper, ok := strings.CutPrefix(o, "upperdir="); ok {
					l.addPath(unescape(upper))
				}
			}
			continue
		}
		l.addSource(m.source)
	}
}

// mountsOf finds the mount a path lies on, by its device number or, as btrfs
// gives its subvolumes numbers of their own, by the longest mount point.
func (l *layers) mountsOf(n devNumber, path string) []mount {
	var same []mount
	best := -1
	for i, m := range l.mounts {
		if m.dev == n {
			same = append(same, m)
		}
		under := path == m.point || strings.HasPrefix(path, strings.TrimSuffix(m.point, "/")+"/")
		if under && (best < 0 || len(m.point) >= len(l.mounts[best].point)) {
			best = i
		}
	}
	if len(same) > 0 || best < 0 {
		return same
	}
	return l.mounts[best : best+1]
}

// addSource follows the source of a mount: a device or an image file.
func (l *layers) addSource(source string) {
	if !strings.HasPrefix(source, "/") {
		return
	}
	info, err := os.Stat(source)
	if err != nil {
		return
	}
	switch {
	case info.Mode().IsRegular():
		l.files = append(l.files, info)
		l.addPath(source)
	case info.Mode().Type() == fs.ModeDevice:
		l.addDevice(rdev(info))
	}
}

// addDevice adds a device, its whole disk, what both are stacked on, and the
// file behind a loop device.
func (l *layers) addDevice(n devNumber) {
	if l.seen[n] || len(l.seen) > maxLayers {
		return
	}
	l.seen[n] = true
	l.addDevice(l.host.whole(n))
	below, _ := l.host.stacked(n, "slaves")
	for _, d := range below {
		l.addDevice(d)
	}
	if file := l.host.backingFile(n); file != "" && !l.onlyDevices {
		l.addSource(file)
	}
}
