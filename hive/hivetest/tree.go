package hivetest

import (
	"fmt"
	"slices"
	"unicode"
	"unicode/utf16"

	"unloop/hive"
)

// treeKey is a key of the hive to be built.
type treeKey struct {
	name    string
	subkeys []*treeKey // in the order Windows wants: by upper-case name
	values  []hive.RegValue
}

// mergeReg applies the sections to root one after the other, as regedit does.
func mergeReg(root *treeKey, sections []hive.RegSection) error {
	for _, s := range sections {
		if s.Delete {
			if len(s.Path) == 0 {
				return fmt.Errorf("deleting the root key")
			}
			if parent := root.find(s.Path[:len(s.Path)-1]); parent != nil {
				parent.remove(s.Path[len(s.Path)-1])
			}
			continue
		}
		key := root
		for _, name := range s.Path {
			if n := len(units(name)); n == 0 || n > 255 {
				return fmt.Errorf("key name of %d characters in %s", n, hive.FormatRegKey(s.Path))
			}
			key = key.child(name)
		}
		for _, v := range s.Values {
			if n := len(units(v.Name)); n > 16383 {
				return fmt.Errorf("value name of %d characters in %s", n, hive.FormatRegKey(s.Path))
			}
			key.set(v)
		}
	}
	return nil
}

func (k *treeKey) find(path []string) *treeKey {
	for _, name := range path {
		i, ok := k.search(name)
		if !ok {
			return nil
		}
		k = k.subkeys[i]
	}
	return k
}

func (k *treeKey) search(name string) (int, bool) {
	return slices.BinarySearchFunc(k.subkeys, name, func(sub *treeKey, name string) int {
		return compareNames(sub.name, name)
	})
}

// child returns the subkey called name, made if it is missing.
func (k *treeKey) child(name string) *treeKey {
	i, ok := k.search(name)
	if !ok {
		k.subkeys = slices.Insert(k.subkeys, i, &treeKey{name: name})
	}
	return k.subkeys[i]
}

func (k *treeKey) remove(name string) {
	if i, ok := k.search(name); ok {
		k.subkeys = slices.Delete(k.subkeys, i, i+1)
	}
}

// set changes, adds or deletes a value. A value that is there already keeps
// its place and the letter case of its name, as in Windows.
func (k *treeKey) set(v hive.RegValue) {
	i := slices.IndexFunc(k.values, func(old hive.RegValue) bool { return compareNames(old.Name, v.Name) == 0 })
	switch {
	case i < 0 && !v.Delete:
		k.values = append(k.values, v)
	case i >= 0 && v.Delete:
		k.values = slices.Delete(k.values, i, i+1)
	case i >= 0:
		v.Name = k.values[i].Name
		k.values[i] = v
	}
}

// compareNames orders names as Windows orders subkeys: by upper-case UTF-16
// code units.
func compareNames(a, b string) int {
	upper := func(s string) []uint16 {
		u := units(s)
		for i := range u {
			u[i] = upcase(u[i])
		}
		return u
	}
	return slices.Compare(upper(a), upper(b))
}

// units returns the UTF-16 code units of a WTF-8 string.
func units(s string) []uint16 {
	b := hive.EncodeUTF16(s)
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = uint16(b[2*i]) | uint16(b[2*i+1])<<8
	}
	return u
}

// upcase is the simple upper-case mapping of Windows: one code unit to one,
// never from outside ASCII into it.
func upcase(u uint16) uint16 {
	r := unicode.ToUpper(rune(u))
	if utf16.IsSurrogate(rune(u)) || r > 0xFFFF || r < 0x80 && u >= 0x80 {
		return u
	}
	return uint16(r)
}
