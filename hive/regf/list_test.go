package regf_test

import (
	"fmt"
	"strings"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// TestSubkeyLists reads the same keys from every kind of list.
func TestSubkeyLists(t *testing.T) {
	for _, o := range []hivetest.Options{
		{List: hivetest.ListLH}, {List: hivetest.ListLF}, {List: hivetest.ListLI},
		{List: hivetest.ListLH, MaxList: 7}, {List: hivetest.ListLF, MaxList: 1}, {List: hivetest.ListLI, MaxList: 30},
		{Minor: 3}, {Minor: 4, MaxList: 4},
	} {
		name := fmt.Sprintf("%s 1.%d %d", o.List, o.Minor, o.MaxList)
		h := sound(t, build(t, manyKeys(31), o))
		many := find(t, h, "many")
		subkeys, err := many.Subkeys()
		if err != nil || len(subkeys) != 31 {
			t.Errorf("%s: %d subkeys, %v, want 31", name, len(subkeys), err)
			continue
		}
		for i, k := range subkeys {
			want := fmt.Sprintf("%04d", i)
			if k.Name() != want {
				t.Errorf("%s: subkey %d is %q, want %q", name, i, k.Name(), want)
			}
			if got, ok, err := many.Subkey(want); !ok || err != nil || got.Offset() != k.Offset() {
				t.Errorf("%s: Subkey(%q) at 0x%x, %v, %v, want 0x%x", name, want, got.Offset(), ok, err, k.Offset())
			}
			if i > 0 && subkeys[i-1].CompareName(k) >= 0 {
				t.Errorf("%s: CompareName of %q and %q >= 0", name, subkeys[i-1].Name(), k.Name())
			}
		}
	}
}

// subkeyListOf returns where the contents of a key's subkey list begin.
func subkeyListOf(b []byte, k regf.Key) int64 {
	return regf.BaseBlockSize + 4 + int64(le32(b, k.Offset()+4+28))
}

// TestBrokenSubkeyLists damages the list of a key with three subkeys "a", "b", "c".
func TestBrokenSubkeyLists(t *testing.T) {
	for _, tt := range []struct {
		name               string
		o                  hivetest.Options
		poke               func(b []byte, k regf.Key, list int64)
		structure, problem string
	}{
		{"signature", hivetest.Options{}, func(b []byte, k regf.Key, list int64) { copy(b[list:], "lx") }, "subkey list", `signature is "lx"`},
		{"too many entries", hivetest.Options{}, func(b []byte, k regf.Key, list int64) { put16(b, list+2, 0xFFFF) }, "subkey list", "65535 entries do not fit"},
		{"too few entries", hivetest.Options{}, func(b []byte, k regf.Key, list int64) { put16(b, list+2, 2) }, "subkey list", "2 entries, the key says 3"},
		{"key says less", hivetest.Options{}, func(b []byte, k regf.Key, list int64) { put32(b, k.Offset()+4+20, 2) }, "subkey list", "3 entries, the key says 2"},
		{"key says much more", hivetest.Options{}, func(b []byte, k regf.Key, list int64) { put32(b, k.Offset()+4+20, 0xFFFFFFFF) }, "subkey list", "3 entries, the key says 4294967295"},
		{"no list", hivetest.Options{}, func(b []byte, k regf.Key, list int64) { put32(b, k.Offset()+4+28, regf.None) }, "subkey list", "there is none"},
		{"a key twice", hivetest.Options{List: hivetest.ListLI}, func(b []byte, k regf.Key, list int64) { put32(b, list+8, le32(b, list+4)) }, "key node", "referred to twice"},
		{"the key itself", hivetest.Options{List: hivetest.ListLI}, func(b []byte, k regf.Key, list int64) { put32(b, list+4, uint32(k.Offset()-4096)) }, "key node", "referred to twice"},
		{"out of order", hivetest.Options{List: hivetest.ListLI}, func(b []byte, k regf.Key, list int64) {
			first := le32(b, list+4)
			put32(b, list+4, le32(b, list+8))
			put32(b, list+8, first)
		}, "key node", `"a" stands after "b"`},
		{"the same name", hivetest.Options{}, func(b []byte, k regf.Key, list int64) {
			subkeys, _ := k.Subkeys()
			b[subkeys[1].Offset()+4+76] = 'A'
		}, "key node", `a second subkey named "A"`},
		{"wrong parent", hivetest.Options{}, func(b []byte, k regf.Key, list int64) {
			subkeys, _ := k.Subkeys()
			put32(b, subkeys[2].Offset()+4+16, 0x20)
		}, "key node", "its parent is said to lie at 0x1020"},
		{"no name", hivetest.Options{}, func(b []byte, k regf.Key, list int64) {
			subkeys, _ := k.Subkeys()
			put16(b, subkeys[0].Offset()+4+72, 0)
		}, "key node", "it has no name"},
		{"ri in ri", hivetest.Options{MaxList: 2}, func(b []byte, k regf.Key, list int64) {
			copy(b[4096+4+le32(b, list+4):], "ri")
		}, "subkey list", "an ri list inside an ri list"},
		{"ri of itself", hivetest.Options{MaxList: 2}, func(b []byte, k regf.Key, list int64) { put32(b, list+4, uint32(list-4100)) }, "subkey list", "referred to twice"},
		{"ri of keys", hivetest.Options{List: hivetest.ListLI}, func(b []byte, k regf.Key, list int64) { copy(b[list:], "ri") }, "subkey list", `signature is "nk"`},
		{"ri with one list twice", hivetest.Options{MaxList: 2}, func(b []byte, k regf.Key, list int64) { put32(b, list+8, le32(b, list+4)) }, "subkey list", "referred to twice"},
	} {
		b := build(t, "[k\\a]\n[k\\b]\n[k\\c]\n", tt.o)
		k := find(t, sound(t, b), "k")
		tt.poke(b, k, subkeyListOf(b, k))
		_, err := checked(b)
		if fe := wantDefect(t, tt.name, err, tt.structure, tt.problem); fe != nil && fe.Path != "k" && !strings.HasPrefix(fe.Path, `k\`) {
			t.Errorf("%s: key %q, want k", tt.name, fe.Path)
		}
	}
}

// TestUnsortedForeignNames only warns: we do not know every line of Windows' table.
func TestUnsortedForeignNames(t *testing.T) {
	b := build(t, "[k\\ä]\n[k\\ö]\n[k\\ü]\n", hivetest.Options{List: hivetest.ListLI})
	k := find(t, sound(t, b), "k")
	list := subkeyListOf(b, k)
	first := le32(b, list+4)
	put32(b, list+4, le32(b, list+8))
	put32(b, list+8, first)
	h, err := regf.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	warnings, err := h.Check()
	want := fmt.Sprintf("key node at offset 0x%x: \"ä\" may be out of order after \"ö\"", 4096+int64(first))
	if err != nil || len(warnings) != 1 || warnings[0] != want {
		t.Errorf("Check = %q, %v, want %q", warnings, err, want)
	}
	put32(b, list+8, le32(b, list+4))
	if _, err := checked(b); err == nil {
		t.Error("Check accepts one key node in two places")
	}
}

// TestSubkeysUnchecked reads lists that Check would refuse: an error, and no more
// keys than the hive has room for, however many the lists claim.
func TestSubkeysUnchecked(t *testing.T) {
	for _, tt := range []struct {
		count              uint32
		structure, problem string
	}{
		{2, "subkey list", "longer than the key's count 2"},
		{0xFFFFFFFF, "key node", "4294967295 subkeys in a hive of 4096 bytes"},
	} {
		b := build(t, "[k\\a]\n[k\\b]\n[k\\c]\n", hivetest.Options{})
		h := sound(t, b)
		put32(b, find(t, h, "k").Offset()+4+20, tt.count)
		subkeys, err := find(t, h, "k").Subkeys()
		if subkeys != nil {
			t.Errorf("count %d: %d subkeys beside the error", tt.count, len(subkeys))
		}
		wantDefect(t, "Subkeys", err, tt.structure, tt.problem)
	}
}
