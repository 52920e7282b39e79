package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// maxData is the longest value data libhivex writes as Windows reads it, in bytes: it knows no big data cells when
// writing.
const maxData = 16344

// build makes the hive at out from a copy of the one at base with .reg text merged into it. It is for test fixtures.
// libhivex writes over the file it has open, so it works on a file beside out, which takes the name out only after it
// has been read again: a commit that lost a key reports success all the same.
func build(base, out string, text io.Reader) error {
	sections, err := parseReg(text)
	if err != nil {
		return err
	}
	if err := checkClean(base); err != nil {
		return err
	}
	old, err := os.ReadFile(base)
	if err != nil {
		return fmt.Errorf("reading %s: %w", base, err)
	}
	tmp := out + ".new"
	if err := os.WriteFile(tmp, old, 0o644); err != nil {
		return fmt.Errorf("copying %s: %w", base, err)
	}
	defer os.Remove(tmp) // gone already if all went well
	want, err := merge(tmp, sections)
	if err != nil {
		return err
	}
	h, err := openHive(tmp, false)
	if err != nil {
		return err
	}
	defer h.close()
	got, err := listing(h)
	if err != nil {
		return fmt.Errorf("reading again: %w", err)
	}
	if !bytes.Equal(got, want) {
		return errors.New("reading again: the hive is not as written")
	}
	if err := os.Rename(tmp, out); err != nil {
		return fmt.Errorf("naming the new hive: %w", err)
	}
	return nil
}

// merge returns the listing of the hive as libhivex has it in memory just before it writes it.
func merge(path string, sections []section) ([]byte, error) {
	h, err := openHive(path, true)
	if err != nil {
		return nil, err
	}
	defer h.close()
	for _, s := range sections {
		if err := mergeSection(h, s); err != nil {
			return nil, fmt.Errorf("writing key %q: %w", s.path, err)
		}
	}
	want, err := listing(h)
	if err != nil {
		return nil, err
	}
	if err := h.commit(); err != nil {
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	return want, nil
}

func mergeSection(h *hive, s section) error {
	if s.delete {
		n, found, err := find(h, s.path)
		if err != nil || !found {
			return err
		}
		return h.deleteChild(n)
	}
	n, err := makeKey(h, s.path)
	if err != nil {
		return err
	}
	vals, err := h.values(n)
	if err != nil {
		return err
	}
	for _, c := range s.values {
		if len(c.data) > maxData || strings.Contains(c.name, "\x00") {
			return fmt.Errorf("value %q of %d bytes: at most %d are possible, and no NUL in a name", c.name, len(c.data), maxData)
		}
		vals = mergeValue(vals, c)
	}
	if len(s.values) == 0 {
		return nil
	}
	return h.setValues(n, vals)
}

func mergeValue(vals []value, c change) []value {
	i := matchValue(vals, c.name)
	switch {
	case c.delete && i >= 0:
		return slices.Delete(vals, i, i+1)
	case c.delete:
		return vals
	case i >= 0:
		vals[i].typ, vals[i].data = c.typ, c.data
		return vals
	}
	return append(vals, c.value)
}

// makeKey finds the key, making what is missing on the way.
func makeKey(h *hive, path []string) (node, error) {
	if strings.Contains(strings.Join(path, ""), "\x00") {
		return 0, errors.New("NUL in a name: libhivex would write what stands before it")
	}
	n, err := h.root()
	for _, name := range path {
		if err != nil {
			return 0, err
		}
		var kid node
		var found bool
		if kid, found, err = child(h, n, name); err == nil && !found {
			kid, err = h.addChild(n, name)
		}
		n = kid
	}
	return n, err
}

// listing is the whole tree as text.
func listing(h *hive) ([]byte, error) {
	var text bytes.Buffer
	out := bufio.NewWriter(&text)
	err := printTree(h, out)
	if err == nil {
		err = out.Flush()
	}
	return text.Bytes(), err
}
