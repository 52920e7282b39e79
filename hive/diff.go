package hive

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"unloop/hive/regf"
)

// Diff is how two hives differ, key by key, in the order of upper-cased paths.
type Diff struct {
	Keys []KeyDiff
}

// KeyDiff is a key that differs.
type KeyDiff struct {
	Path   []string // as stored, in the new hive if it is there
	Side   Side
	Values []ValueDiff
	Notes  []NoteDiff // what .reg text has no spelling for
}

// Side says in which hive a key is.
type Side int

// A key is in both hives, or only in the new or the old one.
const (
	InBoth Side = iota
	Added
	Removed
)

// ValueDiff is a value that differs. Old or New is nil where it is absent.
type ValueDiff struct {
	Name     string
	Old, New *Data
}

// NoteDiff is a property of a key other than its values.
type NoteDiff struct {
	Name     string // "name", "class", "security", "time"
	Old, New string // "" where it is absent
}

// Compare compares two hives as wholes: every key, value, type and data, class
// names and security; times of keys only if asked.
func Compare(old, new *Hive, times bool) (*Diff, error) {
	c := comparer{times: times, diff: &Diff{}, fast: regf.NewComparison(old.reg, new.reg)}
	if err := c.keys(old.root, new.root); err != nil {
		return nil, fmt.Errorf("comparing hives: %w", err)
	}
	return c.diff, nil
}

type comparer struct {
	times bool
	path  []regf.Key // from the root's child on
	diff  *Diff
	fast  *regf.Comparison
}

func (c *comparer) keys(a, b regf.Key) error {
	if err := c.both(a, b); err != nil {
		return err
	}
	paired, err := c.fast.EachPair(a, b, func(subA, subB regf.Key) error {
		c.path = append(c.path, subB)
		err := c.keys(subA, subB)
		c.path = c.path[:len(c.path)-1]
		return err
	})
	if err != nil || paired {
		return err
	}
	subA, err := a.Subkeys()
	if err != nil {
		return err
	}
	subB, err := b.Subkeys()
	if err != nil {
		return err
	}
	return c.mergeKeys(subA, subB)
}

// in calls fn with k at the end of the path.
func (c *comparer) in(k regf.Key, fn func() error) error {
	c.path = append(c.path, k)
	err := fn()
	c.path = c.path[:len(c.path)-1]
	return err
}

// pair is a name with what stands under it on each side, as indexes or -1.
type pair struct {
	name   string
	folded string
	a, b   int
}

// pairUp matches two lists of names without case, in upper-case order. Names that
// occur twice are matched in turn.
func pairUp(a, b []string) []pair {
	pairs := make([]pair, 0, len(a)+len(b))
	waiting := map[string][]int{} // indexes of pairs that have no b yet
	for i, name := range a {
		folded := regf.FoldName(name)
		waiting[folded] = append(waiting[folded], len(pairs))
		pairs = append(pairs, pair{name, folded, i, -1})
	}
	for j, name := range b {
		folded := regf.FoldName(name)
		if w := waiting[folded]; len(w) > 0 {
			pairs[w[0]].b, pairs[w[0]].name = j, name
			waiting[folded] = w[1:]
			continue
		}
		pairs = append(pairs, pair{name, folded, -1, j})
	}
	slices.SortStableFunc(pairs, func(x, y pair) int { return strings.Compare(x.folded, y.folded) })
	return pairs
}

func (c *comparer) mergeKeys(a, b []regf.Key) error {
	for _, p := range pairUp(keyNames(a), keyNames(b)) {
		var err error
		switch {
		case p.a < 0:
			err = c.in(b[p.b], func() error { return c.only(b[p.b], Added) })
		case p.b < 0:
			err = c.in(a[p.a], func() error { return c.only(a[p.a], Removed) })
		default:
			err = c.in(b[p.b], func() error { return c.keys(a[p.a], b[p.b]) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func keyNames(keys []regf.Key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Name()
	}
	return names
}

// both compares one key that is in both hives.
func (c *comparer) both(a, b regf.Key) error {
	d := KeyDiff{}
	same, err := c.fast.SameValues(a, b)
	if err != nil {
		return err
	}
	if !same {
		if d.Values, err = valueDiffs(a, b); err != nil {
			return err
		}
	}
	if d.Notes, err = c.notes(a, b); err != nil {
		return err
	}
	if len(d.Values) > 0 || len(d.Notes) > 0 {
		d.Path = keyNames(c.path)
		c.diff.Keys = append(c.diff.Keys, d)
	}
	return nil
}

// only reports a key that is in one hive, with everything below it.
func (c *comparer) only(k regf.Key, side Side) error {
	d := KeyDiff{Path: keyNames(c.path), Side: side}
	values, err := k.Values()
	if err != nil {
		return err
	}
	for _, v := range values {
		data, err := v.Data()
		if err != nil {
			return err
		}
		vd := ValueDiff{Name: v.Name(), New: &Data{ValueType(v.Type()), data}}
		if side == Removed {
			vd.Old, vd.New = vd.New, nil
		}
		d.Values = append(d.Values, vd)
	}
	slices.SortStableFunc(d.Values, func(x, y ValueDiff) int { return regf.CompareNames(x.Name, y.Name) })
	c.diff.Keys = append(c.diff.Keys, d)
	subs, err := k.Subkeys()
	if err != nil {
		return err
	}
	for _, sub := range subs {
		if err := c.in(sub, func() error { return c.only(sub, side) }); err != nil {
			return err
		}
	}
	return nil
}

// notes compares what has no .reg spelling.
func (c *comparer) notes(a, b regf.Key) ([]NoteDiff, error) {
	if c.fast.SameProperties(a, b) {
		return nil, nil
	}
	var notes []NoteDiff
	if nameA, nameB := a.Name(), b.Name(); nameA != nameB {
		notes = append(notes, NoteDiff{"name", nameA, nameB})
	}
	classA, err := a.Class()
	if err != nil {
		return nil, err
	}
	classB, err := b.Class()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(classA, classB) {
		notes = append(notes, NoteDiff{"class", DecodeUTF16(classA), DecodeUTF16(classB)})
	}
	secA, err := a.Security()
	if err != nil {
		return nil, err
	}
	secB, err := b.Security()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(secA, secB) {
		notes = append(notes, NoteDiff{"security", shortSum(secA), shortSum(secB)})
	}
	if c.times && a.LastWritten() != b.LastWritten() {
		notes = append(notes, NoteDiff{"time", fileTime(a.LastWritten()), fileTime(b.LastWritten())})
	}
	return notes, nil
}

func shortSum(b []byte) string {
	if b == nil {
		return ""
	}
	return fmt.Sprintf("%d bytes, sha256 %.16s", len(b), Sum(b))
}

func valueDiffs(a, b regf.Key) ([]ValueDiff, error) {
	va, err := a.Values()
	if err != nil {
		return nil, err
	}
	vb, err := b.Values()
	if err != nil {
		return nil, err
	}
	var diffs []ValueDiff
	for _, p := range pairUp(valueNames(va), valueNames(vb)) {
		d := ValueDiff{Name: p.name}
		if p.a >= 0 {
			if d.Old, err = valueData(va[p.a]); err != nil {
				return nil, err
			}
		}
		if p.b >= 0 {
			if d.New, err = valueData(vb[p.b]); err != nil {
				return nil, err
			}
		}
		switch renamed := p.a >= 0 && p.b >= 0 && va[p.a].Name() != vb[p.b].Name(); {
		case renamed:
			diffs = append(diffs, ValueDiff{va[p.a].Name(), d.Old, nil}, ValueDiff{p.name, nil, d.New})
		case !d.Old.equal(d.New):
			diffs = append(diffs, d)
		}
	}
	return diffs, nil
}

func valueNames(values []regf.Value) []string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = v.Name()
	}
	return names
}

func valueData(v regf.Value) (*Data, error) {
	data, err := v.Data()
	if err != nil {
		return nil, err
	}
	return &Data{ValueType(v.Type()), data}, nil
}

// check says whether the diff is exactly what the edits make.
func (d *Diff) check(edits []Edit) error {
	left := map[string]Edit{}
	for _, e := range edits {
		left[e.String()] = e
	}
	for _, k := range d.Keys {
		if k.Side != InBoth || len(k.Notes) > 0 {
			return fmt.Errorf("%w: the key %s changed", ErrMismatch, FormatRegKey(k.Path))
		}
		for _, v := range k.Values {
			name := Edit{Path: k.Path, Name: v.Name}.String()
			e, ok := left[name]
			if !ok || !e.Old.equal(v.Old) || !e.New.equal(v.New) {
				return fmt.Errorf("%w: %s changed", ErrMismatch, name)
			}
			delete(left, name)
		}
	}
	for name := range left {
		return fmt.Errorf("%w: %s did not change", ErrMismatch, name)
	}
	return nil
}
