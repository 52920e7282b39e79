package hivetest

import (
	"fmt"
	"hash/crc32"
	"strings"
)

// Name spaces of $FILE_NAME.
const (
	nameWin32       = 1
	nameDOS         = 2
	nameWin32AndDOS = 3
)

// shortName returns an 8.3 name for name that no child of dir has, and reserves
// it; "" if name is an 8.3 name itself.
func shortName(name string, dir *ntfsNode) string {
	upper := strings.ToUpper(name)
	base, ext := upper, ""
	if i := strings.LastIndexByte(upper, '.'); i > 0 {
		base, ext = upper[:i], upper[i+1:]
	}
	plainBase, plainExt := shortPart(base), shortPart(ext)
	if plainBase == base && plainExt == ext && len(base) <= 8 && len(ext) <= 3 && base != "" && (ext != "" || !strings.Contains(upper, ".")) {
		return ""
	}
	if ext = plainExt[:min(len(plainExt), 3)]; ext != "" {
		ext = "." + ext
	}
	for i := 1; ; i++ {
		tail := fmt.Sprintf("~%d", i)
		if i > 4 { // Windows, too, changes to two letters and a hash then
			plainBase = fmt.Sprintf("%.2s%04X", plainBase, crc32.ChecksumIEEE([]byte(name))&0xFFFF)
			tail = fmt.Sprintf("~%d", i-4)
		}
		short := plainBase[:min(len(plainBase), 8-len(tail))] + tail + ext
		if dir.names[short] == nil {
			dir.names[short] = dir
			return short
		}
	}
}

// shortPart drops what may not stand in a short name.
func shortPart(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0x7E || r <= ' ' || strings.ContainsRune(`."*+,/:;<=>?[\]|`, r) {
			return -1
		}
		return r
	}, s)
}
