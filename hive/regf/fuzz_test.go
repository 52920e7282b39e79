package regf_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// The fuzz targets take a small hive by number and pokes that change it: inputs of a
// few bytes are tried, and made smaller, a thousand times faster than whole hives.

// fuzzHives are small hives with every kind of record.
func fuzzHives(tb testing.TB) [][]byte {
	nested := regText([]string{"a", "b", "c"}, value{"", sz, text(30)}) + regText([]string{"Größe", "日本"}, value{"日本", 7, text(12)})
	long := regText(key, value{"big", raw, text(17000)}, value{"small", dword, "1234"})
	return [][]byte{
		build(tb, "", hivetest.Options{}),
		build(tb, mixed, hivetest.Options{Fill: 500}),
		build(tb, nested+manyKeys(7), hivetest.Options{Minor: 3, Fill: 300}),
		build(tb, nested+manyKeys(7), hivetest.Options{List: hivetest.ListLI, MaxList: 3, Slack: 4096}),
		build(tb, ring()+valuesKey(2), hivetest.Options{Full: true, Slack: 4096}),
		build(tb, long, hivetest.Options{Fill: 200}),
		build(tb, long, hivetest.Options{Minor: 3}),
	}
}

// poked changes a copy of b at the places that pokes say, seven bytes each: what to
// do, where (in units of two bytes), and with which number. One of the things to do
// copies a number from elsewhere, so that records refer to each other's cells.
func poked(b, pokes []byte) []byte {
	b = bytes.Clone(b)
	for ; len(pokes) >= 7 && len(b) >= 4; pokes = pokes[7:] {
		room := int64(len(b) - 3)
		at := int64(binary.LittleEndian.Uint16(pokes[1:])) * 2 % room
		v := binary.LittleEndian.Uint32(pokes[3:])
		switch pokes[0] % 4 {
		case 0:
			put32(b, at, v)
		case 1:
			put32(b, at, le32(b, int64(v)%room))
		case 2:
			put32(b, at, le32(b, at)+uint32(int8(v)))
		case 3:
			put16(b, at, uint16(v))
		}
	}
	return b
}

// poke spells one poke.
func poke(what byte, at int64, v uint32) []byte {
	p := binary.LittleEndian.AppendUint16([]byte{what}, uint16(at/2))
	return binary.LittleEndian.AppendUint32(p, v)
}

// mended gives b a base block that Parse takes, of a file or a log, so that what
// was changed elsewhere is looked at.
func mended(b []byte, typ uint32) []byte {
	if len(b) < 8192 {
		b = append(b, make([]byte, 8192-len(b))...)
	}
	copy(b, "regf")
	put32(b, 8, le32(b, 4))
	put32(b, 20, 1)
	put32(b, 24, 3+le32(b, 24)%3)
	put32(b, 28, typ)
	put32(b, 32, 1)
	if n := int64(le32(b, 40)); typ == regf.TypePrimary && (n == 0 || n%4096 != 0 || n > int64(len(b)-4096)) {
		put32(b, 40, uint32(len(b)-4096)&^4095)
	}
	resum(b)
	return b
}

// addPokes adds each hive alone, and with pokes that lead somewhere.
func addPokes(f *testing.F, hives [][]byte, add func(hive uint8, pokes []byte)) {
	for i, b := range hives {
		add(uint8(i), nil)
		subkeys, err := find(f, sound(f, b)).Subkeys()
		if err != nil {
			f.Fatal(err)
		}
		for _, k := range subkeys {
			at := k.Offset() + 4
			add(uint8(i), slices.Concat(poke(1, at+44, 4096+36), poke(2, at+20, 1)))                          // its security is the root; a subkey more
			add(uint8(i), slices.Concat(poke(1, at+28, uint32(at+40)), poke(0, at+36, 1), poke(3, at+72, 3))) // its subkey list is its value list
		}
	}
}

// FuzzBaseBlock: a base block is decoded or refused; what Parse takes is clean and whole.
func FuzzBaseBlock(f *testing.F) {
	hives := fuzzHives(f)
	addPokes(f, hives, func(hive uint8, pokes []byte) { f.Add(hive, pokes, uint16(0), hive%2 == 0) })
	for _, p := range [][]byte{poke(0, 0, 0), poke(0, 508, 1), poke(2, 4, 1), poke(0, 24, 6), poke(0, 40, 0x7FFFF000), poke(3, 40, 0x800)} {
		f.Add(uint8(0), p, uint16(0), true)
		f.Add(uint8(3), p, uint16(5000), false)
	}
	f.Fuzz(func(t *testing.T, hive uint8, pokes []byte, length uint16, sum bool) {
		data := poked(hives[int(hive)%len(hives)], pokes)
		if sum {
			resum(data)
		}
		if length > 0 {
			data = data[:min(len(data), int(length))]
		}
		b := data[:min(len(data), regf.SectorSize)]
		bb, err := regf.DecodeBaseBlock(b)
		if err != nil {
			if bb != (regf.BaseBlock{}) {
				t.Fatalf("DecodeBaseBlock = %+v, %v", bb, err)
			}
			return
		}
		h, err := regf.Parse(data)
		if (h == nil) != (err != nil) {
			t.Fatalf("Parse = %v, %v", h, err)
		}
		if h != nil && (bb.Dirty() != "" || h.Slack() != int64(len(data))-4096-int64(bb.BinsSize) || h.Slack() < 0) {
			t.Fatalf("Parse takes a base block %+v, %s; slack %d", bb, bb.Dirty(), h.Slack())
		}
		if h != nil {
			_, _ = h.Check()
		}
		if _, err := regf.ParseAnyway(data); err != nil && h != nil {
			t.Fatalf("Parse takes it, ParseAnyway does not: %v", err)
		}
		want := bytes.Clone(b)
		regf.EncodeBaseBlock(b, bb)
		resum(want)
		if !bytes.Equal(b, want) {
			t.Fatal("decoded and encoded, more than the checksum changed")
		}
	})
}

// FuzzCheck: whatever the bytes, no panic; if Check passes, all can be read.
func FuzzCheck(f *testing.F) {
	hives := fuzzHives(f)
	addPokes(f, hives, func(hive uint8, pokes []byte) { f.Add(hive, pokes) })
	f.Fuzz(func(t *testing.T, hive uint8, pokes []byte) {
		h, err := regf.Parse(mended(poked(hives[int(hive)%len(hives)], pokes), regf.TypePrimary))
		if err != nil {
			return
		}
		before := bytes.Clone(h.Bytes())
		warnings, err := h.Check()
		if !bytes.Equal(before, h.Bytes()) {
			t.Fatal("Check changed the hive")
		}
		if err != nil {
			if warnings != nil {
				t.Fatalf("warnings %q beside %v", warnings, err)
			}
			touch(h)
			return
		}
		n, err := readTree(h)
		if err != nil {
			t.Fatalf("Check passes, but: %v", err)
		}
		lookUp(t, h, n)
	})
}

// touch calls what may be called before Check: it must not panic, nor take long.
func touch(h *regf.Hive) {
	root, err := h.Root()
	if err != nil {
		return
	}
	keys, _ := root.Subkeys()
	for _, k := range append(keys[:min(len(keys), 8)], root) {
		_, _ = k.Class()
		_, _ = k.Security()
		_, _, _ = k.Value("Start")
		_, _, _ = k.Find("a", "b")
		_, _ = k.SameValues(root)
		values, _ := k.Values()
		for _, v := range values[:min(len(values), 8)] {
			_, _ = v.Data()
		}
	}
}

// lookUp finds the root's subkeys and values by name: a key found has that name.
func lookUp(t *testing.T, h *regf.Hive, n *node) {
	root, err := h.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range n.Subkeys {
		k, ok, err := root.Subkey(s.Name)
		if err != nil || !ok || !regf.EqualNames(k.Name(), s.Name) {
			t.Fatalf("Subkey(%q) = %q, %v, %v", s.Name, k.Name(), ok, err)
		}
	}
	for _, want := range n.Values {
		v, ok, err := root.Value(want.Name)
		if err != nil || !ok || !regf.EqualNames(v.Name(), want.Name) {
			t.Fatalf("Value(%q) = %q, %v, %v", want.Name, v.Name(), ok, err)
		}
	}
	for i := range n.Subkeys[:max(0, len(n.Subkeys)-1)] {
		a, b := n.Subkeys[i].Name, n.Subkeys[i+1].Name
		if c := strings.Compare(regf.FoldName(a), regf.FoldName(b)); (c < 0) != (regf.CompareNames(a, b) < 0) || (c == 0) != regf.EqualNames(a, b) {
			t.Fatalf("FoldName and CompareNames order %q and %q differently", a, b)
		}
	}
}

// fuzzNames are names of values that an edit may add.
var fuzzNames = []string{"", "Start", "start", "new", "Größe", "日本", "\U0001F600", strings.Repeat("n", 300)}

// fuzzEdits reads edits of a tree from bytes, five each; no value is edited twice.
func fuzzEdits(b []byte, root *node) []edit {
	paths := allPaths(root, nil)
	var edits []edit
	var seen []string
	for ; len(b) >= 5 && len(edits) < 6; b = b[5:] {
		path := paths[int(b[0])%len(paths)]
		n := root.find(path)
		e := edit{path: path, typ: uint32(b[2] % 8), remove: b[1]&0xC0 == 0xC0}
		if i := int(b[1] & 0x3F); i < len(n.Values) {
			e.name = n.Values[i].Name
			if b[2]&0x80 != 0 {
				e.typ = n.Values[i].Type
			}
		} else {
			e.name = fuzzNames[i%len(fuzzNames)]
		}
		e.data = text(int(binary.LittleEndian.Uint16(b[3:])) & (1<<(b[2]>>4) - 1))
		at := fmt.Sprintf("%p %q", n, regf.FoldName(e.name))
		if !slices.Contains(seen, at) {
			seen = append(seen, at)
			edits = append(edits, e)
		}
	}
	return edits
}

// allPaths lists the paths of the first keys of a tree by which they are found.
func allPaths(n *node, path []string) [][]string {
	paths := [][]string{path}
	for _, s := range n.Subkeys {
		if len(paths) > 64 || n.find([]string{s.Name}) != s {
			break
		}
		paths = append(paths, allPaths(s, append(slices.Clip(path), s.Name))...)
	}
	return paths
}

// FuzzEdit: a sound hive, however strange, is sound after an edit, differs by the edit
// alone, and is so in every half-written state; its log leads there too.
func FuzzEdit(f *testing.F) {
	hives := fuzzHives(f)
	addPokes(f, hives, func(hive uint8, pokes []byte) {
		f.Add(hive, pokes, []byte("\x01\x00\x44\x04\x00\x01\xc1\x00\x00\x00\x02\x3f\x93\x58\x01\x00\x3f\x44\x04\x00"), true)
	})
	f.Fuzz(func(t *testing.T, hive uint8, pokes, edits []byte, mayGrow bool) {
		h, err := checked(mended(poked(hives[int(hive)%len(hives)], pokes), regf.TypePrimary))
		if err != nil {
			return
		}
		before, todo := bytes.Clone(h.Bytes()), fuzzEdits(edits, tree(t, h))
		edited, groups, err := tryRun(h, mayGrow, todo...)
		if !bytes.Equal(before, h.Bytes()) {
			t.Fatalf("%v: the old hive changed", todo)
		}
		if err != nil {
			return
		}
		prove(t, h, edited, groups, todo)
		was, is := tree(t, h), tree(t, edited)
		crashSome(t, h.Bytes(), groups, was, is)
		l, err := regf.DecodeLog(regf.EncodeLog(h, edited, h.Base().PrimarySeq+1))
		if err != nil {
			t.Fatal(err)
		}
		checkReplay(t, "log of the edit", l, dirtied(h), edited.Bytes())
		if same, err := sameTree(h, edited); err != nil || same != was.equal(is) {
			t.Fatalf("a Comparison says the same = %v, %v", same, err)
		}
	})
}

// crashSome tries a few of the states that crash tries all of.
func crashSome(t *testing.T, b []byte, groups [][]regf.Patch, was, is *node) {
	rng := rand.New(rand.NewPCG(uint64(len(groups)), 1))
	for _, g := range groups {
		for range 3 {
			written := map[int64]bool{}
			for _, s := range touched(g) {
				written[s] = rng.IntN(2) == 0
			}
			h, err := checked(patched(b, g, written))
			if err != nil {
				t.Fatalf("sectors %v: %v", written, err)
			}
			if err := between(tree(t, h), was, is); err != nil {
				t.Fatalf("sectors %v: %v", written, err)
			}
		}
		b = patched(b, g, nil)
	}
}
