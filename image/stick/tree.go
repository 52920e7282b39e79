package stick

import (
	"fmt"
	"slices"
	"strings"
)

// maxEntries is how many entries a folder has at most: 2 MiB of them.
const maxEntries = 1 << 16

// maxFile is the largest file of a FAT volume.
const maxFile = 1<<32 - 1

// node is a file or folder while the volume is laid out.
type node struct {
	name     string
	dir      bool
	listed   bool // named by the image, not only on the way to a file
	data     []byte
	short    shortName
	parent   *node
	children []*node          // sorted by name
	byName   map[string]*node // by folded name
	first    int64            // first cluster; 0: none
	clusters int64
}

// plant makes a tree of the files and gives every one its short name.
func plant(files []File) (*node, error) {
	root := &node{dir: true}
	for _, f := range files {
		if err := root.add(f); err != nil {
			return nil, fmt.Errorf("placing %q: %w", f.Path, err)
		}
	}
	return root, root.arrange()
}

// add puts a file below the root, its parents first.
func (n *node) add(f File) error {
	if f.Dir && len(f.Data) > 0 {
		return fmt.Errorf("a folder with content: %w", ErrBadName)
	}
	if int64(len(f.Data)) > maxFile {
		return fmt.Errorf("%d bytes are more than a file can have", len(f.Data))
	}
	words := strings.Split(f.Path, "/")
	for i, name := range words {
		last := i == len(words)-1
		child, err := n.child(name, f.Dir || !last)
		if err != nil {
			return err
		}
		n = child
	}
	if n.listed {
		return ErrDuplicate
	}
	n.listed, n.data = true, f.Data
	return nil
}

// child finds or makes an entry. Names that differ in case alone are one
// name on a FAT volume, and no two entries may share it.
func (n *node) child(name string, dir bool) (*node, error) {
	if c := n.byName[fold(name)]; c != nil {
		if c.name != name || c.dir != dir {
			return nil, fmt.Errorf("%q and %q: %w", c.name, name, ErrDuplicate)
		}
		return c, nil
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	c := &node{name: name, dir: dir, parent: n}
	if n.byName == nil {
		n.byName = map[string]*node{}
	}
	n.byName[fold(name)] = c
	n.children = append(n.children, c)
	return c, nil
}

// arrange sorts a folder and all below, and gives out short names: first to
// those that are one, so that no alias can be in their way.
func (n *node) arrange() error {
	slices.SortFunc(n.children, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	a := aliases{taken: map[shortName]bool{}, last: map[string]int{}}
	for _, c := range n.children {
		if s, ok := exactShort(c.name); ok {
			c.short, a.taken[s] = s, true
		}
	}
	for _, c := range n.children {
		if c.short == (shortName{}) {
			c.short = a.next(c.name)
		}
		if err := c.arrange(); err != nil {
			return err
		}
	}
	if n.entries() > maxEntries {
		return fmt.Errorf("folder %q: %d entries, more than FAT has room for", n.path(), n.entries())
	}
	return nil
}

// path of the node from the root.
func (n *node) path() string {
	if n.parent == nil || n.parent.parent == nil {
		return n.name
	}
	return n.parent.path() + "/" + n.name
}

// walk visits the node and all below, in order.
func (n *node) walk(visit func(*node)) {
	visit(n)
	for _, c := range n.children {
		c.walk(visit)
	}
}

// flat lists all but the root as files, parents first.
func (n *node) flat() (all []File) {
	n.walk(func(n *node) {
		if n.parent != nil {
			all = append(all, File{Path: n.path(), Dir: n.dir, Data: n.data})
		}
	})
	return all
}
