package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// backingFile is the file behind a loop device; "" for any other device.
func (h Host) backingFile(n devNumber) string {
	dir := h.sysDir(n)
	if dir == "" {
		return ""
	}
	return readWord(filepath.Join(dir, "loop", "backing_file"))
}

// loopsOf lists the loop devices an image file is attached to.
func (h Host) loopsOf(image fs.FileInfo) []devNumber {
	list, err := filepath.Glob(h.sys("block", "loop*"))
	if err != nil {
		return nil
	}
	sort.Strings(list)
	var all []devNumber
	for _, dir := range list {
		file := readWord(filepath.Join(dir, "loop", "backing_file"))
		n, ok := parseDevNumber(readWord(filepath.Join(dir, "dev")))
		if ok && isFile(file, image) {
			all = append(all, n)
		}
	}
	return all
}

// isFile reports whether an absolute path leads to the given file.
func isFile(path string, want fs.FileInfo) bool {
	if !strings.HasPrefix(path, "/") {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, want)
}

// attached refuses an image file that can be written through a loop device, too.
func (h Host) attached(path string, info fs.FileInfo) error {
	for _, loop := range h.loopsOf(info) {
		if readWord(filepath.Join(h.sysDir(loop), "ro")) != "1" {
			return fmt.Errorf("%s: %s shows it: %w", path, h.name(loop), ErrAttached)
		}
	}
	return nil
}

// LoopFile is the file that a loop device shows from its first to its last byte; "" for
// any other device, and for one that shows a part.
func (h Host) LoopFile(path string) string {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Type() != fs.ModeDevice {
		return ""
	}
	n := rdev(info)
	loop := filepath.Join(h.sysDir(n), "loop")
	if readWord(filepath.Join(loop, "offset")) != "0" || readWord(filepath.Join(loop, "sizelimit")) != "0" {
		return ""
	}
	return h.backingFile(n)
}

// lockBacking locks what is behind a loop device, against other runs of this program and
// QEMU, which may be given that instead.
func (d *disk) lockBacking() error {
	path := d.host.backingFile(d.host.whole(rdev(d.info)))
	info, err := os.Stat(path)
	if path == "" || err != nil { // it was removed, or is seen by others only
		return nil
	}
	f, err := openExclusive(path, info.Mode().Type() == fs.ModeDevice)
	if err == nil {
		if err = lockFromQEMU(f); err != nil {
			err = errors.Join(err, f.Close())
		}
	}
	if err != nil {
		return writeError(path, err)
	}
	d.others = append(d.others, f)
	return nil
}
