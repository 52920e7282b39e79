package image

import "golang.org/x/sys/unix"

// InMemory says whether dir, or its nearest parent that exists, lies on a file system
// that is gone at power-off: tmpfs, ramfs, or the overlay a live medium runs from.
func (h Host) InMemory(dir string) bool {
	dir, err := existing(dir)
	if err != nil {
		return false
	}
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return false
	}
	switch uint32(fs.Type) {
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC:
		return true
	}
	return false
}
