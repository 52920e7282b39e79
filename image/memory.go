//go:build !linux

package image

// FreeMemory returns how many bytes programs may still take; 0 where that is not known.
func (h Host) FreeMemory() int64 { return 0 }
