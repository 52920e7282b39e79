package stick

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxLongName is how many units of UTF-16 a long name has at most (FAT 7).
const maxLongName = 255

// checkName refuses what no FAT volume can hold (FAT 7), and what Windows
// would not let anybody open: names of devices, a dot or space at the end.
func checkName(name string) error {
	bad := func(r rune) bool { return r < ' ' || r == 0x7F || strings.ContainsRune(`"*/:<>?\|`, r) }
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch {
	case name == "" || strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
	case !utf8.ValidString(name) || strings.ContainsFunc(name, bad):
	case len(utf16.Encode([]rune(name))) > maxLongName:
	case isDevice(strings.TrimRight(stem, " ")):
	default:
		return nil
	}
	return fmt.Errorf("%q: %w", name, ErrBadName)
}

func isDevice(stem string) bool {
	switch stem {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(stem) == 4 && (stem[:3] == "COM" || stem[:3] == "LPT") && stem[3] >= '0' && stem[3] <= '9'
}

// fold makes names equal that a FAT volume takes for the same.
func fold(name string) string { return strings.Map(unicode.ToUpper, name) }

// shortName is a name of eight characters and three, padded with spaces.
type shortName [11]byte

func shortOf(base, ext string) (s shortName) {
	copy(s[:], fmt.Sprintf("%-8s%-3s", base, ext))
	return s
}

func (s shortName) String() string {
	base, ext := strings.TrimRight(string(s[:8]), " "), strings.TrimRight(string(s[8:]), " ")
	if ext == "" {
		return base
	}
	return base + "." + ext
}

// checksum ties the entries of a long name to the short one (FAT 7.2).
func (s shortName) checksum() byte {
	var sum byte
	for _, c := range s {
		sum = sum>>1 | sum<<7
		sum += c
	}
	return sum
}

func isShortChar(r rune) bool {
	return r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("$%'-_@~`!(){}^#&", r)
}

// exactShort gives the short name that is the name itself but for its case.
func exactShort(name string) (shortName, bool) {
	base, ext, dot := strings.Cut(asciiUpper(name), ".")
	other := func(r rune) bool { return !isShortChar(r) }
	if base == "" || len(base) > 8 || len(ext) > 3 || dot && ext == "" || strings.ContainsFunc(base+ext, other) {
		return shortName{}, false
	}
	return shortOf(base, ext), true
}

func asciiUpper(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, name)
}

// aliases gives names of one folder that have no short name of their own one
// with a number, as Windows does (FAT 7.3).
type aliases struct {
	taken map[shortName]bool
	last  map[string]int // number given last, by base and extension
}

func (a *aliases) next(name string) shortName {
	base, ext := basis(name)
	for n := a.last[base+"."+ext] + 1; ; n++ {
		tail := fmt.Sprintf("~%d", n)
		s := shortOf(base[:min(len(base), 8-len(tail))]+tail, ext)
		if !a.taken[s] {
			a.taken[s], a.last[base+"."+ext] = true, n
			return s
		}
	}
}

// basis reduces a name to characters of a short one.
func basis(name string) (base, ext string) {
	name = strings.TrimLeft(strings.ReplaceAll(asciiUpper(name), " ", ""), ".")
	if dot := strings.LastIndex(name, "."); dot >= 0 {
		name, ext = name[:dot], name[dot+1:]
	}
	plain := func(s string, most int) string {
		s = strings.Map(func(r rune) rune {
			switch {
			case r == '.':
				return -1
			case isShortChar(r):
				return r
			}
			return '_'
		}, s)
		return s[:min(len(s), most)]
	}
	return plain(name, 6), plain(ext, 3)
}
