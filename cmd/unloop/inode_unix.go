//go:build !windows

package main

import (
	"io/fs"
	"strconv"
	"syscall"
)

// inode is the number of a file in its file system; "" if it has none.
func inode(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return strconv.FormatUint(st.Ino, 10)
}
