package regf_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive/regf"
)

// node is all that a key of a hive means, and everything below it.
type node struct {
	Name            string
	Time            uint64
	Class, Security string
	Values          []value
	Subkeys         []*node
}

type value struct {
	Name string
	Type uint32
	Data string
}

// readTree walks the whole hive through the exported API.
func readTree(h *regf.Hive) (*node, error) {
	root, err := h.Root()
	if err != nil {
		return nil, err
	}
	return readNode(root)
}

func readNode(k regf.Key) (*node, error) {
	class, err := k.Class()
	if err != nil {
		return nil, err
	}
	security, err := k.Security()
	if err != nil {
		return nil, err
	}
	n := &node{Name: k.Name(), Time: k.LastWritten(), Class: string(class), Security: string(security)}
	values, err := k.Values()
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		data, err := v.Data()
		if err != nil {
			return nil, err
		}
		n.Values = append(n.Values, value{v.Name(), v.Type(), string(data)})
	}
	subkeys, err := k.Subkeys()
	if err != nil {
		return nil, err
	}
	for _, s := range subkeys {
		sub, err := readNode(s)
		if err != nil {
			return nil, err
		}
		n.Subkeys = append(n.Subkeys, sub)
	}
	return n, nil
}

// tree is readTree of a hive that must be sound.
func tree(tb testing.TB, h *regf.Hive) *node {
	tb.Helper()
	n, err := readTree(h)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// diff compares two trees. Equal trees, the usual case, are compared quickly.
func diff(want, got *node) string {
	if want.equal(got) {
		return ""
	}
	return cmp.Diff(want, got)
}

func (n *node) equal(o *node) bool {
	return n.sameKey(o) && slices.Equal(n.Values, o.Values) && slices.EqualFunc(n.Subkeys, o.Subkeys, (*node).equal)
}

func (n *node) sameKey(o *node) bool {
	return n.Name == o.Name && n.Time == o.Time && n.Class == o.Class && n.Security == o.Security
}

func (n *node) find(path []string) *node {
	for _, part := range path {
		i := slices.IndexFunc(n.Subkeys, func(s *node) bool { return regf.EqualNames(s.Name, part) })
		if i < 0 {
			return nil
		}
		n = n.Subkeys[i]
	}
	return n
}

func (n *node) index(name string) int {
	return slices.IndexFunc(n.Values, func(v value) bool { return regf.EqualNames(v.Name, name) })
}

// edit is one call of SetValue or DeleteValue.
type edit struct {
	path   []string
	name   string
	typ    uint32
	data   string
	remove bool
}

func (e edit) String() string {
	if e.remove {
		return fmt.Sprintf("delete %q %q", e.path, e.name)
	}
	return fmt.Sprintf("set %q %q to %d, %d bytes", e.path, e.name, e.typ, len(e.data))
}

func (e edit) do(ed *regf.Editor) error {
	if e.remove {
		return ed.DeleteValue(e.path, e.name)
	}
	return ed.SetValue(e.path, e.name, e.typ, []byte(e.data))
}

// change does to a tree what the edit should do to a hive: a value that is there
// keeps place and spelling, a new one is the last.
func (e edit) change(root *node) {
	n := root.find(e.path)
	i := n.index(e.name)
	switch {
	case e.remove:
		n.Values = slices.Delete(n.Values, i, i+1)
	case i < 0:
		n.Values = append(n.Values, value{e.name, e.typ, e.data})
	default:
		n.Values[i].Type, n.Values[i].Data = e.typ, e.data
	}
}
