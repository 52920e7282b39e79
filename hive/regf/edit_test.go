package regf_test

import (
	"slices"
	"strings"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

const (
	sz    = 1
	raw   = 3
	dword = 4
)

var key = []string{"k"}

func set(name string, typ uint32, data string) edit { return edit{key, name, typ, data, false} }
func remove(name string) edit                       { return edit{path: key, name: name, remove: true} }

// valuesKey is a key k with n values v0, v1 … and a sibling.
func valuesKey(n int) string {
	var values []value
	for i := range n {
		values = append(values, value{"v" + string(rune('0'+i)), dword, "\x01\x02\x03" + string(rune('0'+i))})
	}
	return regText(key, values...) + regText([]string{"other"}, value{"o", sz, text(90)})
}

var mixed = regText(key,
	value{"inline", dword, "\x02\x00\x00\x00"}, value{"short", sz, "ab"}, value{"plain", sz, text(60)},
	value{"page", raw, text(3000)}, value{"empty", raw, ""}, value{"", sz, text(8)}, value{"日本語", sz, text(20)})

// editCases are edits of the hive that reg makes.
var editCases = []struct {
	name    string
	reg     string
	o       hivetest.Options
	mayGrow bool
	edits   []edit
}{
	{"inline DWORD", mixed, hivetest.Options{}, false, []edit{set("INLINE", dword, "\x04\x00\x00\x00")}},
	{"same data", mixed, hivetest.Options{}, false, []edit{set("inline", dword, "\x02\x00\x00\x00")}},
	{"add to none", "[k]", hivetest.Options{}, false, []edit{set("new", dword, "1234")}},
	{"add to none, plain", "[k]", hivetest.Options{}, false, []edit{set("new", sz, text(40))}},
	{"add to one: no room", valuesKey(1), hivetest.Options{}, false, []edit{set("new", dword, "1234")}},
	{"add to two: room", valuesKey(2), hivetest.Options{}, false, []edit{set("new", dword, "1234")}},
	{"add to three: no room", valuesKey(3), hivetest.Options{}, false, []edit{set("new", dword, "1234")}},
	{"add two to two", valuesKey(2), hivetest.Options{}, false, []edit{set("new", dword, "1234"), set("another", sz, text(30))}},
	{"add two to three", valuesKey(3), hivetest.Options{}, false, []edit{set("new", dword, "1234"), set("another", sz, text(30))}},
	{"add the default value", valuesKey(2), hivetest.Options{}, false, []edit{set("", sz, text(30))}},
	{"add an empty one", valuesKey(2), hivetest.Options{}, false, []edit{set("new", raw, "")}},
	{"add a Latin-1 name", valuesKey(2), hivetest.Options{}, false, []edit{set("Größe ÿ", dword, "1234")}},
	{"add a UTF-16 name", valuesKey(2), hivetest.Options{}, false, []edit{set("日本\U0001F600", dword, "1234")}},
	{"add a lone surrogate", valuesKey(2), hivetest.Options{}, false, []edit{set("\xed\xa0\xbd", dword, "1234")}},
	{"add to the root", "[k]", hivetest.Options{}, false, []edit{{nil, "new", sz, text(10), false}}},
	{"longer", mixed, hivetest.Options{}, false, []edit{set("plain", sz, text(300))}},
	{"shorter", mixed, hivetest.Options{}, false, []edit{set("plain", sz, text(7))}},
	{"shorter to inline", mixed, hivetest.Options{}, false, []edit{set("plain", sz, "ab")}},
	{"to nothing", mixed, hivetest.Options{}, false, []edit{set("page", raw, "")}},
	{"from nothing", mixed, hivetest.Options{}, false, []edit{set("empty", raw, text(100))}},
	{"from inline", mixed, hivetest.Options{}, false, []edit{set("short", sz, text(100))}},
	{"longer than a page", mixed, hivetest.Options{}, true, []edit{set("page", raw, text(9000))}},
	{"longest", mixed, hivetest.Options{Slack: 20480}, false, []edit{set("page", raw, text(16344))}},
	{"other type, inline", mixed, hivetest.Options{}, false, []edit{set("inline", raw, "\x02\x00\x00\x00")}},
	{"other type, plain", mixed, hivetest.Options{}, false, []edit{set("plain", raw, text(60))}},
	{"other type of a UTF-16 name", mixed, hivetest.Options{}, false, []edit{set("日本語", 7, text(24))}},
	{"other type of the default value", mixed, hivetest.Options{}, false, []edit{set("", 2, text(24))}},
	{"DWORD of 2 bytes to 4", regText(key, value{"d", dword, "ab"}), hivetest.Options{}, false, []edit{set("d", dword, "1234")}},
	{"delete the first", mixed, hivetest.Options{}, false, []edit{remove("inline")}},
	{"delete a middle one", mixed, hivetest.Options{}, false, []edit{remove("page")}},
	{"delete the last", mixed, hivetest.Options{}, false, []edit{remove("日本語")}},
	{"delete the only one", valuesKey(1), hivetest.Options{}, false, []edit{remove("V0")}},
	{"delete all", valuesKey(3), hivetest.Options{}, false, []edit{remove("v1"), remove("v0"), remove("v2")}},
	{"delete all, add one", valuesKey(2), hivetest.Options{}, false, []edit{remove("v1"), remove("v0"), set("new", sz, text(20))}},
	{"several in one key", mixed, hivetest.Options{}, true, []edit{
		set("inline", dword, "\x04\x00\x00\x00"), set("new", dword, "1234"), remove("short"), set("plain", 7, text(80)),
		set("page", raw, text(5000)), set("new 2", sz, text(700)), remove("empty")}},
	{"several keys", mixed + valuesKey(0), hivetest.Options{}, true, []edit{
		set("inline", dword, "\x04\x00\x00\x00"), {[]string{"OTHER"}, "o", sz, text(100), false}, {nil, "r", dword, "1234", false}}},
	{"big data replaced", regText(key, value{"b", raw, text(40000)}), hivetest.Options{}, false, []edit{set("b", raw, text(16))}},
	{"big data, other type", regText(key, value{"b", raw, text(40000)}), hivetest.Options{}, false, []edit{set("b", sz, text(16))}},
	{"big data deleted", regText(key, value{"b", raw, text(40000)}, value{"c", dword, "1234"}), hivetest.Options{}, false, []edit{remove("b")}},
	{"long data of version 1.3", regText(key, value{"b", raw, text(40000)}), hivetest.Options{Minor: 3}, false, []edit{set("b", raw, text(16))}},
	{"new bin in the slack", valuesKey(3), hivetest.Options{Full: true, Slack: 8192}, false, []edit{set("new", dword, "1234"), set("new 2", sz, text(900))}},
	{"new bin at the end", valuesKey(3), hivetest.Options{Full: true}, true, []edit{set("new", dword, "1234"), set("new 2", sz, text(900))}},
	{"new bin, half in the slack", valuesKey(3), hivetest.Options{Full: true, Slack: 4096}, true, []edit{set("new", raw, text(6000))}},
	{"two new bins", valuesKey(3), hivetest.Options{Full: true, Slack: 4096}, true, []edit{set("new", raw, text(4000)), set("new 2", raw, text(6000))}},
	{"cells between others", valuesKey(3) + manyKeys(30), hivetest.Options{Fill: 6000}, false, []edit{set("new", dword, "1234"), remove("v0"), {[]string{"many", "0007"}, "w", sz, text(100), false}}},
	{"many pages", valuesKey(3) + manyKeys(300), hivetest.Options{Fill: 9000}, true, []edit{
		set("new", raw, text(3500)), {[]string{"many", "0123"}, "w", sz, text(1500), false}, {[]string{"many", "0123"}, "v", sz, text(600), false}}},
}

func TestEdit(t *testing.T) {
	for _, tt := range editCases {
		t.Run(tt.name, func(t *testing.T) {
			h := sound(t, build(t, tt.reg, tt.o))
			edited, _ := run(t, h, tt.mayGrow, tt.edits...)
			if !tt.mayGrow && len(edited.Bytes()) != len(h.Bytes()) {
				t.Errorf("the file grew from %d to %d bytes", len(h.Bytes()), len(edited.Bytes()))
			}
			was := tree(t, h)
			undone, _ := run(t, edited, true, undo(was, tt.edits)...)
			if d := diff(unordered(was), unordered(tree(t, undone))); d != "" {
				t.Errorf("edited back (-want +got):\n%s", d)
			}
		})
	}
}

// undo returns the edits that take edits of a hive back. Data longer than the editor
// writes cannot come back: there the old tree is made to look like the new one.
func undo(old *node, edits []edit) []edit {
	var back []edit
	for _, e := range slices.Backward(edits) {
		n := old.find(e.path)
		i := n.index(e.name)
		switch {
		case i < 0:
			back = append(back, edit{path: e.path, name: e.name, remove: true})
		case len(n.Values[i].Data) <= 16344:
			back = append(back, edit{e.path, n.Values[i].Name, n.Values[i].Type, n.Values[i].Data, false})
		default:
			e.change(old)
		}
	}
	return back
}

// unordered sorts the values of all keys.
func unordered(n *node) *node {
	slices.SortFunc(n.Values, func(a, b value) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range n.Subkeys {
		unordered(s)
	}
	return n
}

// TestInlineChangesFourBytes: a DWORD changes in its own cell, beside the base block.
func TestInlineChangesFourBytes(t *testing.T) {
	h := sound(t, build(t, mixed, hivetest.Options{}))
	v, _, err := find(t, h, "k").Value("inline")
	if err != nil {
		t.Fatal(err)
	}
	edited, groups := run(t, h, false, set("inline", dword, "\xF4\xF3\xF2\xF1"))
	var changed []int64
	for i := regf.BaseBlockSize; i < len(edited.Bytes()); i++ {
		if edited.Bytes()[i] != h.Bytes()[i] {
			changed = append(changed, int64(i))
		}
	}
	at := v.Offset() + 4 + 8
	if want := []int64{at, at + 1, at + 2, at + 3}; !slices.Equal(changed, want) {
		t.Errorf("bytes %x changed, want %x", changed, want)
	}
	if len(groups) != 2 || len(groups[0]) != 1 || groups[0][0].Offset != at || len(groups[1]) != 1 || groups[1][0].Offset != 0 {
		t.Errorf("groups %v, want the four bytes, then the base block", groups)
	}
}

// TestAddUsesRoomInList: a list's cell that has room keeps its place, a full one moves.
func TestAddUsesRoomInList(t *testing.T) {
	for n, room := range []bool{false, false, true, false, true} {
		h := sound(t, build(t, valuesKey(n), hivetest.Options{}))
		edited, _ := run(t, h, false, set("new", dword, "1234"))
		at := find(t, h, "k").Offset() + 4 + 40
		if stays := le32(h.Bytes(), at) == le32(edited.Bytes(), at); stays != room {
			t.Errorf("a list of %d values stays = %v, want %v", n, stays, room)
		}
	}
}

// TestLargest: a key's largest value name and data rise with what is added and
// never sink; deleting the largest leaves a bound that is too high.
func TestLargest(t *testing.T) {
	reg := regText(key, value{"ab", sz, text(20)}, value{"c", dword, "1234"})
	for _, tt := range []struct {
		edit       edit
		name, data uint32
	}{
		{set("d", dword, "1234"), 4, 20},
		{set("long name", dword, "1234"), 18, 20},
		{set("日本語", dword, "1234"), 6, 20},
		{set("\U0001F600", dword, "1234"), 4, 20},
		{set("d", sz, text(21)), 4, 21},
		{set("ab", sz, text(30)), 4, 30},
		{set("ab", raw, text(30)), 4, 30},
		{set("ab", sz, text(5)), 4, 20},
		{remove("ab"), 4, 20},
		{set("c", dword, "4321"), 4, 20},
	} {
		h := sound(t, build(t, reg, hivetest.Options{}))
		edited, _ := run(t, h, false, tt.edit)
		at := find(t, h, "k").Offset() + 4
		if name, data := le32(edited.Bytes(), at+60), le32(edited.Bytes(), at+64); name != tt.name || data != tt.data {
			t.Errorf("%v: largest name %d, data %d; want %d, %d", tt.edit, name, data, tt.name, tt.data)
		}
	}
}

// TestEditRefused: an edit that cannot be done gives an error.
func TestEditRefused(t *testing.T) {
	for _, tt := range []struct {
		edit edit
		want string
	}{
		{edit{[]string{"nowhere"}, "v", dword, "1234", false}, "no such key"},
		{edit{[]string{"k", "nowhere"}, "v", dword, "1234", false}, "no such key"},
		{edit{path: []string{"nowhere"}, name: "v", remove: true}, "no such key"},
		{remove("nothing"), `no value "nothing"`},
		{set("v", raw, text(16345)), "16345 bytes of data are more than the 16344"},
		{set(strings.Repeat("n", 16384), dword, "1234"), "a value name of 16384 characters"},
		{set(strings.Repeat("\U0001F600", 8192), dword, "1234"), "a value name of 16384 characters"},
		{set("v", raw, text(5000)), regf.ErrMustGrow.Error()},
	} {
		h := sound(t, build(t, mixed, hivetest.Options{}))
		edited, _, err := tryRun(h, false, tt.edit)
		if err == nil || !strings.Contains(err.Error(), tt.want) || edited != nil {
			t.Errorf("%.60v = %v, want %s", tt.edit, err, tt.want)
		}
	}
	h := sound(t, build(t, mixed, hivetest.Options{Slack: 40960}))
	run(t, h, false, set(strings.Repeat("n", 16383), dword, "1234"))
	run(t, h, false, set(strings.Repeat("日", 16383), dword, "1234"))
}
