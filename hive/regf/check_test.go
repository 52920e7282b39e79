package regf_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// ring is .reg text of three keys; the data of a's value look like a security record.
func ring() string {
	sk := make([]byte, 24)
	copy(sk, "sk")
	binary.LittleEndian.PutUint32(sk[16:], 4)
	return regText([]string{"a"}, value{"v", 3, string(sk)}) + "[b]\n[c\\d]\n"
}

// dataOf returns the offset, from the first bin, of the cell with a value's data.
func dataOf(tb testing.TB, b []byte, k regf.Key, name string) uint32 {
	tb.Helper()
	v, ok, err := k.Value(name)
	if err != nil || !ok {
		tb.Fatalf("Value(%q) = %v, %v", name, ok, err)
	}
	return le32(b, v.Offset()+4+8)
}

// TestSecurity damages security records and what refers to them.
func TestSecurity(t *testing.T) {
	for _, tt := range []struct {
		name                     string
		poke                     func(b []byte, h *regf.Hive, sk int64)
		structure, problem, path string
	}{
		{"signature", func(b []byte, h *regf.Hive, sk int64) { b[sk] = 'n' }, "security record", "not a security record", ""},
		{"descriptor too long", func(b []byte, h *regf.Hive, sk int64) { put32(b, sk+16, 0xFFFFFFFF) }, "security record", "4294967295 bytes does not fit", ""},
		{"next is no cell", func(b []byte, h *regf.Hive, sk int64) { put32(b, sk+4, 0) }, "security record", "its cell is free", ""},
		{"next is none", func(b []byte, h *regf.Hive, sk int64) { put32(b, sk+4, regf.None) }, "security record", "no cell can be there", ""},
		{"next is a key", func(b []byte, h *regf.Hive, sk int64) { put32(b, sk+4, h.Base().RootCell) }, "security record", "not a security record", ""},
		{"next does not link back", func(b []byte, h *regf.Hive, sk int64) {
			put32(b, sk+4, dataOf(t, b, find(t, h, "a"), "v"))
		}, "security record", "back link 0x0 is not", ""},
		{"back link", func(b []byte, h *regf.Hive, sk int64) { put32(b, sk+8, 0x20) }, "security record", "back link 0x20 is not", ""},
		{"root has a key as its record", func(b []byte, h *regf.Hive, sk int64) {
			put32(b, find(t, h).Offset()+4+44, h.Base().RootCell)
		}, "security record", "referred to twice", ""},
		{"only the root has none", func(b []byte, h *regf.Hive, sk int64) {
			put32(b, find(t, h).Offset()+4+44, regf.None)
		}, "security record", "it is not in the ring", "a"},
		{"behind the bins", func(b []byte, h *regf.Hive, sk int64) {
			put32(b, find(t, h, "c", "d").Offset()+4+44, 0x7FFFFFF8)
		}, "security record", "it is not in the ring", `c\d`},
		{"a key node", func(b []byte, h *regf.Hive, sk int64) {
			put32(b, find(t, h, "c", "d").Offset()+4+44, h.Base().RootCell)
		}, "security record", "it is not in the ring", `c\d`},
		{"value data that look like one", func(b []byte, h *regf.Hive, sk int64) {
			put32(b, find(t, h, "b").Offset()+4+44, dataOf(t, b, find(t, h, "a"), "v"))
		}, "security record", "it is not in the ring", "b"},
	} {
		b := build(t, ring(), hivetest.Options{})
		h := sound(t, b)
		tt.poke(b, h, regf.BaseBlockSize+4+int64(le32(b, find(t, h).Offset()+4+44)))
		_, err := checked(b)
		if fe := wantDefect(t, tt.name, err, tt.structure, tt.problem); fe != nil && fe.Path != tt.path {
			t.Errorf("%s: key %q, want %q", tt.name, fe.Path, tt.path)
		}
	}
}

// TestSecurityRing links the record made of value data into the ring: with two
// links right each way the ring is sound, and keys may use both.
func TestSecurityRing(t *testing.T) {
	b := build(t, ring(), hivetest.Options{})
	h := sound(t, b)
	a := find(t, h, "a")
	first, second := le32(b, a.Offset()+4+44), dataOf(t, b, a, "v")
	put32(b, a.Offset()+4+36, 0) // the value is gone, its data cell is the record
	for _, p := range [][2]uint32{{first, second}, {second, first}} {
		put32(b, 4096+4+int64(p[0])+4, p[1])
		put32(b, 4096+4+int64(p[0])+8, p[1])
	}
	put32(b, find(t, h, "b").Offset()+4+44, second)
	h = sound(t, b)
	if s, err := find(t, h, "b").Security(); err != nil || len(s) != 4 {
		t.Errorf("Security of b = %x, %v, want the second record's four bytes", s, err)
	}
	if s, err := find(t, h, "c").Security(); err != nil || len(s) < 20 {
		t.Errorf("Security of c = %x, %v, want the first record's descriptor", s, err)
	}
}

// TestNoSecurity: hives older than NT 4 have no records at all.
func TestNoSecurity(t *testing.T) {
	b := build(t, "[a\\b]", hivetest.Options{})
	h := sound(t, b)
	for _, path := range [][]string{nil, {"a"}, {"a", "b"}} {
		put32(b, find(t, h, path...).Offset()+4+44, regf.None)
	}
	if s, err := find(t, sound(t, b), "a").Security(); s != nil || err != nil {
		t.Errorf("Security = %x, %v, want none", s, err)
	}
}

// TestClass gives a key a class name out of a value's data cell.
func TestClass(t *testing.T) {
	const classOff, classLen, values = 4 + 48, 4 + 74, 4 + 36
	classy := func(poke func(b []byte, k int64)) ([]byte, error) {
		b := build(t, regText([]string{"k"}, value{"v", 3, "c\x00l\x00a\x00s\x00s\x00"}), hivetest.Options{})
		k := find(t, sound(t, b), "k")
		put32(b, k.Offset()+classOff, dataOf(t, b, k, "v"))
		put16(b, k.Offset()+classLen, 10)
		put32(b, k.Offset()+values, 0)
		poke(b, k.Offset())
		h, err := checked(b)
		if err != nil {
			return nil, err
		}
		return find(t, h, "k").Class()
	}
	if got, err := classy(func(b []byte, k int64) {}); string(got) != "c\x00l\x00a\x00s\x00s\x00" || err != nil {
		t.Errorf("Class = %q, %v", got, err)
	}
	for _, poke := range []func(b []byte, k int64){
		func(b []byte, k int64) { put16(b, k+classLen, 0) },
		func(b []byte, k int64) { put32(b, k+classOff, regf.None) },
	} {
		if got, err := classy(poke); got != nil || err != nil {
			t.Errorf("Class = %q, %v, want none", got, err)
		}
	}
	for _, tt := range []struct {
		name, problem string
		poke          func(b []byte, k int64)
	}{
		{"too long", "200 bytes do not fit", func(b []byte, k int64) { put16(b, k+classLen, 200) }},
		{"behind the bins", "outside the hive bins", func(b []byte, k int64) { put32(b, k+classOff, 0x7FFFFFF8) }},
		{"also a value's data", "referred to twice", func(b []byte, k int64) { put32(b, k+values, 1) }},
	} {
		_, err := classy(tt.poke)
		structure := "class name"
		if tt.name == "also a value's data" {
			structure = "value data"
		}
		wantDefect(t, tt.name, err, structure, tt.problem)
	}
}

// TestDepth: Windows allows 512 levels of keys.
func TestDepth(t *testing.T) {
	nested := func(levels int) []byte {
		return build(t, "["+strings.Repeat(`k\`, levels-1)+"k]\n", hivetest.Options{})
	}
	sound(t, nested(512))
	_, err := checked(nested(513))
	wantDefect(t, "513 levels", err, "key node", "more than 512 levels deep")
}

// TestSlackIsNotRead: what lies behind the last bin is nobody's business.
func TestSlackIsNotRead(t *testing.T) {
	b := build(t, "[a]", hivetest.Options{Slack: 8192})
	copy(b[len(b)-8192:], "hbin"+strings.Repeat("\xFF", 5000))
	sound(t, b[:len(b)-5])
}

// TestFormatError spells the parts of a defect in one line.
func TestFormatError(t *testing.T) {
	for _, tt := range []struct {
		err  regf.FormatError
		want string
	}{
		{regf.FormatError{Structure: "hive bin", Offset: 0x1A000, Problem: "it is red"}, "hive bin at offset 0x1a000: it is red"},
		{regf.FormatError{Structure: "key node", Offset: 32, Problem: "it is red", Path: `a\b`}, `key node at offset 0x20 (key a\b): it is red`},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("Error() = %q, want %q", got, tt.want)
		}
	}
}
