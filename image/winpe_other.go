//go:build !windows

package image

// SystemFolder is a folder on what this machine runs from.
func (h Host) SystemFolder() string { return "/" }
