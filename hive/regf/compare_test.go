package regf_test

import (
	"bytes"
	"fmt"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// sameTree says whether two hives mean the same, asking a Comparison where it can
// answer, as a diff does.
func sameTree(a, b *regf.Hive) (bool, error) {
	rootA, err := a.Root()
	if err != nil {
		return false, err
	}
	rootB, err := b.Root()
	if err != nil {
		return false, err
	}
	return sameKeys(regf.NewComparison(a, b), rootA, rootB)
}

func sameKeys(c *regf.Comparison, a, b regf.Key) (bool, error) {
	values, err := c.SameValues(a, b)
	if err != nil {
		return false, err
	}
	same := values && a.Name() == b.Name()
	if !c.SameProperties(a, b) {
		classA, securityA, err := properties(a)
		if err != nil {
			return false, err
		}
		classB, securityB, err := properties(b)
		if err != nil {
			return false, err
		}
		same = same && classA == classB && securityA == securityB && a.LastWritten() == b.LastWritten()
	}
	pairs := 0
	paired, err := c.EachPair(a, b, func(a, b regf.Key) error {
		pairs++
		if a.CompareName(b) != 0 {
			return fmt.Errorf("%q is paired with %q", a.Name(), b.Name())
		}
		s, err := sameKeys(c, a, b)
		same = same && s
		return err
	})
	if err == nil && !paired && pairs > 0 {
		err = fmt.Errorf("%d pairs of subkeys that do not pair up", pairs)
	}
	return same && paired, err
}

func properties(k regf.Key) (class, security string, err error) {
	c, err := k.Class()
	if err != nil {
		return "", "", err
	}
	s, err := k.Security()
	return string(c), string(s), err
}

// TestComparison: what is answered from equal sectors is what the trees say.
func TestComparison(t *testing.T) {
	for _, tt := range editCases {
		h := sound(t, build(t, tt.reg, tt.o))
		edited, _ := run(t, h, tt.mayGrow, tt.edits...)
		for _, pair := range [][2]*regf.Hive{{h, edited}, {edited, h}, {h, h}} {
			want := tree(t, pair[0]).equal(tree(t, pair[1]))
			if got, err := sameTree(pair[0], pair[1]); got != want || err != nil {
				t.Errorf("%s: the same = %v, %v, want %v", tt.name, got, err, want)
			}
		}
	}
}

// TestComparisonSmallChange changes one thing in a hive of a few pages: it is found
// wherever it lies, and whatever else is equal.
func TestComparisonSmallChange(t *testing.T) {
	reg := regText([]string{"keys", "name of a key"}, value{"value", sz, text(600)}, value{"big", raw, text(20000)}) + "[keys\\other]\n" + manyKeys(40)
	for _, o := range []hivetest.Options{{}, {List: hivetest.ListLI}, {List: hivetest.ListLF, MaxList: 5}, {Minor: 3}} {
		old := build(t, reg, o)
		a := sound(t, old)
		k := find(t, a, "keys", "name of a key")
		values, err := k.Values()
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name string
			at   int64
			flip byte
		}{
			{"last letter of a key's name", k.Offset() + 4 + 76 + 12, 1},
			{"case of a key's name", k.Offset() + 4 + 76, 0x20},
			{"time of a key", k.Offset() + 4 + 4, 1},
			{"value's name", values[0].Offset() + 4 + 20, 1},
			{"case of a value's name", values[0].Offset() + 4 + 20, 0x20},
			{"value's type", values[0].Offset() + 4 + 12, 1},
			{"value's last byte", 4096 + 4 + int64(dataOf(t, old, k, "value")) + 599, 1},
			{"security", 4096 + 4 + int64(le32(old, k.Offset()+4+44)) + 30, 1},
		} {
			b := bytes.Clone(old)
			b[tt.at] ^= tt.flip
			for _, pair := range [][2]*regf.Hive{{a, sound(t, b)}, {sound(t, b), a}} {
				if same, err := sameTree(pair[0], pair[1]); same || err != nil {
					t.Errorf("%+v: %s: the same = %v, %v, want false", o, tt.name, same, err)
				}
			}
		}
	}
}

// TestComparisonVersions: the same bytes are plain data in version 1.3 and big data,
// three cells further on, in version 1.5.
func TestComparisonVersions(t *testing.T) {
	b := build(t, regText(key, value{"long", raw, text(20000)}, value{"list", raw, text(8)},
		value{"one", raw, text(16344)}, value{"two", raw, text(3656)}), hivetest.Options{Minor: 3})
	k := find(t, sound(t, b), "k")
	long, list := 4100+int64(dataOf(t, b, k, "long")), 4100+int64(dataOf(t, b, k, "list"))
	copy(b[long:], "db\x02\x00")
	put32(b, long+4, dataOf(t, b, k, "list"))
	put32(b, list, dataOf(t, b, k, "one"))
	put32(b, list+4, dataOf(t, b, k, "two"))
	put32(b, k.Offset()+4+36, 1) // values: only the first one
	old := sound(t, bytes.Clone(b))
	put32(b, 24, 5)
	resum(b)
	for _, pair := range [][2]*regf.Hive{{old, sound(t, b)}, {sound(t, b), old}} {
		if same, err := sameTree(pair[0], pair[1]); same || err != nil {
			t.Errorf("the same = %v, %v, want false", same, err)
		}
	}
}
