package regf_test

import (
	"cmp"
	"strings"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// names are in the order Windows sorts them; those of one row are the same name.
var names = [][]string{
	{""},
	{"\x00"},
	{" "},
	{"0"},
	{"00"},
	{"A", "a"},
	{"A\x00", "a\x00"},
	{"AB", "ab", "Ab", "aB"},
	{"ABC", "abc"},
	{"B", "b"},
	{"ControlSet001", "CONTROLSET001", "controlset001"},
	{"HASPNT", "haspnt", "Haspnt"},
	{"SERVICES", "services"},
	{"Z", "z"},
	{"["}, {"_"}, // between the letter cases: they sort behind the upper-cased letters
	{"{"}, {"~"}, {"\u0080"}, {"µ"}, {"Á", "á"}, {"Ä", "ä"}, {"ß"}, {"÷"},
	{"ı"}, {"Ÿ", "ÿ"}, {"ſ"},
	{"Ω", "ω"}, {"Я", "я"}, {"日"}, {"日本"}, {"本"},
	{"\U0001F600"}, {"\U0001F601"}, // surrogates sort below U+E000
	{"\xed\xa0\xbe"}, {"\xed\xb8\x80"}, // a lone high and a lone low one
	{"\ue000"}, {"Ａ", "ａ"}, {"\uffff"},
}

// TestCompareNames compares every name with every other, by CompareNames,
// EqualNames and FoldName.
func TestCompareNames(t *testing.T) {
	for i, row := range names {
		for _, a := range row {
			for j, other := range names {
				for _, b := range other {
					want := cmp.Compare(i, j)
					if got := cmp.Compare(regf.CompareNames(a, b), 0); got != want {
						t.Errorf("CompareNames(%q, %q) = %d, want %d", a, b, got, want)
					}
					if got := regf.EqualNames(a, b); got != (want == 0) {
						t.Errorf("EqualNames(%q, %q) = %v, want %v", a, b, got, want == 0)
					}
					if got := strings.Compare(regf.FoldName(a), regf.FoldName(b)); got != want {
						t.Errorf("FoldName orders %q, %q as %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
}

// TestNamesNotFolded pins letters that Windows does not map into each other though
// Unicode would: an ASCII name must not be found by anything outside ASCII.
func TestNamesNotFolded(t *testing.T) {
	for _, p := range [][2]string{{"ı", "I"}, {"ſ", "S"}, {"ß", "SS"}, {"\u212a", "K"}, {"µ", "\u039c"}, {"Ⅰ", "I"}, {"e\u0301", "é"}} {
		if regf.EqualNames(p[0], p[1]) {
			t.Errorf("EqualNames(%q, %q) = true, want false", p[0], p[1])
		}
	}
}

// TestStoredNames reads key and value names back from a hive and finds them
// without case, however they are stored.
func TestStoredNames(t *testing.T) {
	for _, tt := range []struct{ name, other string }{
		{"ascii", "ASCII"},
		{"Ä ö ÿ", "ä Ö Ÿ"},
		{"日本語", "日本語"},
		{"ω日", "Ω日"},
		{"\U0001F600", "\U0001F600"},
		{"a\xed\xa0\xbd", "A\xed\xa0\xbd"},
		{"\xed\xb8\x80\xed\xa0\xbd", "\xed\xb8\x80\xed\xa0\xbd"},
		{"a\x00b", "A\x00B"},
		{strings.Repeat("n", 255), strings.Repeat("N", 255)},
		{strings.Repeat("語", 255), strings.Repeat("語", 255)},
	} {
		name := tt.name
		b := build(t, regText([]string{name}, value{name, 1, "x"}), hivetest.Options{})
		h := sound(t, b)
		root := find(t, h)
		subkeys, err := root.Subkeys()
		if err != nil || len(subkeys) != 1 || subkeys[0].Name() != name {
			t.Errorf("subkeys of %q: %v, %v", name, subkeys, err)
			continue
		}
		values, err := subkeys[0].Values()
		if err != nil || len(values) != 1 || values[0].Name() != name {
			t.Errorf("values of %q: %v, %v", name, values, err)
		}
		if v, ok, err := subkeys[0].Value(tt.other); !ok || err != nil || v.Name() != name {
			t.Errorf("Value(%q) = %v, %v", tt.other, ok, err)
		}
		if k, ok, err := root.Subkey(tt.other); !ok || err != nil || k.Name() != name {
			t.Errorf("Subkey(%q) = %v, %v", tt.other, ok, err)
		}
		if _, ok, err := root.Subkey(name + "x"); ok || err != nil {
			t.Errorf("Subkey(%q) = %v, %v, want false", name+"x", ok, err)
		}
	}
}

// TestWideASCIIName turns a Latin-1 value name into the same name in UTF-16: it is
// found, and it is the same value.
func TestWideASCIIName(t *testing.T) {
	b := build(t, regText([]string{"k"}, value{"\u0100tart", 4, "1234"}), hivetest.Options{})
	wide := sound(t, b)
	v, _, _ := find(t, wide, "k").Value("\u0100tart")
	put16(b, v.Offset()+4+20, 'S')
	w, ok, err := find(t, wide, "k").Value("start")
	if err != nil || !ok || w.Name() != "Start" {
		t.Fatalf("Value(start) = %v, %v", ok, err)
	}
	narrow := sound(t, build(t, regText([]string{"k"}, value{"Start", 4, "1234"}), hivetest.Options{}))
	u, _, _ := find(t, narrow, "k").Value("Start")
	if same, err := w.Same(u); !same || err != nil || w.CompareName(u) != 0 {
		t.Errorf("Same = %v, %v, CompareName = %d; want true, 0", same, err, w.CompareName(u))
	}
	if same, err := find(t, wide, "k").SameValues(find(t, narrow, "k")); !same || err != nil {
		t.Errorf("SameValues = %v, %v, want true", same, err)
	}
}
