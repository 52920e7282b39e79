package regf_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

var sizes = []int{0, 1, 3, 4, 5, 8, 4095, 16344, 16345, 2*16344 - 1, 2 * 16344, 2*16344 + 1, 50000}

// TestValueData reads data of each size: inline, in a cell, and in segments, which
// version 1.3 does not know.
func TestValueData(t *testing.T) {
	for _, minor := range []uint32{3, 4, 5} {
		var want []value
		for _, n := range sizes {
			want = append(want, value{Name: "v" + string(rune('a'+len(want))), Type: uint32(n), Data: text(n)})
		}
		h := sound(t, build(t, regText([]string{"k"}, want...), hivetest.Options{Minor: minor}))
		got := tree(t, h).find([]string{"k"}).Values
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("version 1.%d (-want +got):\n%s", minor, d)
		}
		values, _ := find(t, h, "k").Values()
		for i, v := range values {
			if v.Inline() != (sizes[i] <= 4) || v.Size() != int64(sizes[i]) {
				t.Errorf("version 1.%d: Inline, Size = %v, %d for %d bytes", minor, v.Inline(), v.Size(), sizes[i])
			}
		}
	}
}

// TestEmptyWithoutCell: no data and no cell for them is what Windows accepts too.
func TestEmptyWithoutCell(t *testing.T) {
	b := build(t, regText(key, value{"v", 1, text(20)}), hivetest.Options{})
	v, _, err := find(t, sound(t, b), "k").Value("v")
	if err != nil {
		t.Fatal(err)
	}
	put32(b, v.Offset()+4+4, 0)
	put32(b, v.Offset()+4+8, regf.None)
	h := sound(t, b)
	if d := cmp.Diff([]value{{"v", 1, ""}}, tree(t, h).find(key).Values); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
	run(t, h, false, set("v", 1, text(20)))
	run(t, h, false, remove("v"))
}

// TestBigDataSignature is data that begins as a big data record does: length and
// version decide, not the signature.
func TestBigDataSignature(t *testing.T) {
	data := "db\x02\x00\x20\x00\x00\x00" + text(100)
	h := sound(t, build(t, regText([]string{"k"}, value{"v", 3, data}), hivetest.Options{}))
	if got := tree(t, h).find([]string{"k"}).Values[0].Data; got != data {
		t.Errorf("data %q, want %q", got, data)
	}
}

// TestBrokenValues damages the values of a key; Check and reading the values find it.
func TestBrokenValues(t *testing.T) {
	const size, off, largest = 4 + 4, 4 + 8, 4 + 64
	for _, tt := range []struct {
		name               string
		poke               func(b []byte, k regf.Key, v []regf.Value)
		structure, problem string
	}{
		{"signature", func(b []byte, k regf.Key, v []regf.Value) { b[v[0].Offset()+4] = 'n' }, "key value", "not a key value"},
		{"name too long", func(b []byte, k regf.Key, v []regf.Value) { put16(b, v[0].Offset()+6, 0x7FFF) }, "key value", "name of 32767 bytes"},
		{"inline of 5 bytes", func(b []byte, k regf.Key, v []regf.Value) { put32(b, v[0].Offset()+size, 0x80000005) }, "key value", "5 bytes of data where only 4 fit"},
		{"inline of 2 GiB", func(b []byte, k regf.Key, v []regf.Value) { put32(b, v[0].Offset()+size, 0xFFFFFFFF) }, "key value", "2147483647 bytes of data where only 4 fit"},
		{"longer than its cell", func(b []byte, k regf.Key, v []regf.Value) { put32(b, v[1].Offset()+size, 16000) }, "value data", "16000 bytes do not fit"},
		{"longer than the key allows", func(b []byte, k regf.Key, v []regf.Value) { put32(b, k.Offset()+largest, 19999) }, "key value", "20000 bytes of data, its key says that none has more than 19999"},
		{"data behind the bins", func(b []byte, k regf.Key, v []regf.Value) { put32(b, v[1].Offset()+off, 0x7FFFFFF8) }, "value data", "outside the hive bins"},
		{"no data", func(b []byte, k regf.Key, v []regf.Value) { put32(b, v[1].Offset()+off, regf.None) }, "value data", "there is none"},
		{"data of another", func(b []byte, k regf.Key, v []regf.Value) {
			put32(b, v[1].Offset()+off, le32(b, v[3].Offset()+off))
		}, "value data", "referred to twice"},
		{"empty, but with a cell that is none", func(b []byte, k regf.Key, v []regf.Value) {
			put32(b, v[0].Offset()+size, 0)
			put32(b, v[0].Offset()+off, 0)
		}, "value data", "no allocated cell begins there"},
		{"value twice", func(b []byte, k regf.Key, v []regf.Value) {
			list := int64(4096 + 4 + le32(b, k.Offset()+4+40))
			put32(b, list+4, le32(b, list))
		}, "key value", "referred to twice"},
		{"more values than the list holds", func(b []byte, k regf.Key, v []regf.Value) { put32(b, k.Offset()+4+36, 0x40000001) }, "value list", "1073741825 values do not fit"},
		{"no value list", func(b []byte, k regf.Key, v []regf.Value) { put32(b, k.Offset()+4+40, regf.None) }, "value list", "there is none"},
		{"big data signature", func(b []byte, k regf.Key, v []regf.Value) { b[dbOf(b, v[2])] = 'x' }, "big data", "not a big data record"},
		{"big data signature, second letter", func(b []byte, k regf.Key, v []regf.Value) { b[dbOf(b, v[2])+1] = 'x' }, "big data", "not a big data record"},
		{"big data of one segment", func(b []byte, k regf.Key, v []regf.Value) { put16(b, dbOf(b, v[2])+2, 1) }, "big data", "1 segments for 20000 bytes, not 2"},
		{"big data of 65535 segments", func(b []byte, k regf.Key, v []regf.Value) { put16(b, dbOf(b, v[2])+2, 0xFFFF) }, "big data", "65535 segments for 20000 bytes, not 2"},
		{"big data, segment twice", func(b []byte, k regf.Key, v []regf.Value) {
			list := int64(4096 + 4 + le32(b, dbOf(b, v[2])+4))
			put32(b, list+4, le32(b, list))
		}, "big data segment", "referred to twice"},
		{"big data, segment free", func(b []byte, k regf.Key, v []regf.Value) {
			list := int64(4096 + 4 + le32(b, dbOf(b, v[2])+4))
			seg := int64(4096 + le32(b, list+4))
			put32(b, seg, -le32(b, seg))
		}, "big data segment", "its cell is free"},
		{"big data, segment short", func(b []byte, k regf.Key, v []regf.Value) {
			list := int64(4096 + 4 + le32(b, dbOf(b, v[2])+4))
			short := 4096 + le32(b, dbOf(b, v[2])+4)
			put32(b, list+4, short-4096)
		}, "big data segment", "3656 bytes do not fit"},
		{"big data list behind the bins", func(b []byte, k regf.Key, v []regf.Value) { put32(b, dbOf(b, v[2])+4, 0x7FFFFFF8) }, "big data list", "no cell can be there"},
		{"big data in itself", func(b []byte, k regf.Key, v []regf.Value) {
			put32(b, dbOf(b, v[2])+4, uint32(dbOf(b, v[2])-4100))
		}, "big data segment", "no cell can be there"},
	} {
		b := build(t, regText([]string{"k"}, value{"inline", 4, "1234"}, value{"plain", 3, text(100)}, value{"big", 3, text(20000)}, value{"other", 3, text(101)}), hivetest.Options{})
		k := find(t, sound(t, b), "k")
		values, err := k.Values()
		if err != nil {
			t.Fatal(err)
		}
		tt.poke(b, k, values)
		_, err = checked(b)
		if fe := wantDefect(t, tt.name, err, tt.structure, tt.problem); fe != nil && fe.Path != "k" {
			t.Errorf("%s: key %q, want k", tt.name, fe.Path)
		}
	}
}

// dbOf returns where the contents of a value's big data record begin.
func dbOf(b []byte, v regf.Value) int64 { return 4096 + 4 + int64(le32(b, v.Offset()+4+8)) }

// TestSameValues compares keys of two hives.
func TestSameValues(t *testing.T) {
	reg := []value{{"a", 4, "1234"}, {"b", 1, text(100)}, {"c", 3, text(20000)}}
	key := func(values ...value) regf.Key {
		return find(t, sound(t, build(t, regText([]string{"k"}, values...), hivetest.Options{})), "k")
	}
	changed := func(i int, v value) []value {
		c := append([]value(nil), reg...)
		c[i] = v
		return c
	}
	for _, tt := range []struct {
		name string
		a, b []value
		want bool
	}{
		{"none", nil, nil, true},
		{"equal", reg, reg, true},
		{"one less", reg, reg[:2], false},
		{"other order", reg, []value{reg[1], reg[0], reg[2]}, false},
		{"other case", reg, changed(0, value{"A", 4, "1234"}), false},
		{"other type", reg, changed(0, value{"a", 3, "1234"}), false},
		{"other data", reg, changed(0, value{"a", 4, "1235"}), false},
		{"last byte of big data", reg, changed(2, value{"c", 3, text(20000)[:19999] + "\xFF"}), false},
		{"shorter", reg, changed(1, value{"b", 1, text(100)[:99]}), false},
		{"two of the same hash", []value{{"ab", 1, "x"}}, []value{{"ba", 1, "x"}}, false},
	} {
		if got, err := key(tt.a...).SameValues(key(tt.b...)); got != tt.want || err != nil {
			t.Errorf("%s: SameValues = %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

// TestFirstOfTwoValues: of two values with one name the first counts.
func TestFirstOfTwoValues(t *testing.T) {
	b := build(t, regText([]string{"k"}, value{"va", 4, "1111"}, value{"vb", 4, "2222"}), hivetest.Options{})
	values, err := find(t, sound(t, b), "k").Values()
	if err != nil {
		t.Fatal(err)
	}
	b[values[1].Offset()+4+20+1] = 'A'
	v, ok, err := find(t, sound(t, b), "k").Value("Va")
	if err != nil || !ok || v.Offset() != values[0].Offset() {
		t.Errorf("Value(Va) at 0x%x, %v, %v, want the first one at 0x%x", v.Offset(), ok, err, values[0].Offset())
	}
	if v, ok, err := find(t, sound(t, b), "k").Value(""); ok || err != nil {
		t.Errorf("Value(\"\") = %v, %v, %v, want none", v, ok, err)
	}
}
