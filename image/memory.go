//go:build !linux

package image

// InMemory says whether dir lies on a file system that is gone at power-off, which is
// only known on Linux.
func (h Host) InMemory(string) bool { return false }

// FreeMemory returns how many bytes programs may still take; 0 where that is not known.
func (h Host) FreeMemory() int64 { return 0 }
