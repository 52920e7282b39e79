package image

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

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

// FreeMemory returns how many bytes programs may still take; 0 where that is not known
// (proc(5), /proc/meminfo).
func (h Host) FreeMemory() int64 {
	text, err := os.ReadFile(h.proc("meminfo"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); n == 1 && kib > 0 && kib < maxBytes>>10 {
			return kib << 10
		}
	}
	return 0
}
