package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// maxDepth is the deepest a key can lie in Windows (512 levels below the root). In a damaged hive libhivex follows
// whatever is there.
const maxDepth = 512

// hashLen is how many bytes of the SHA-256 are printed.
const hashLen = 16

// node is libhivex' handle of a key, the key's offset in the file; 0 is none.
type node uintptr

// value is one value of a key.
type value struct {
	name string
	typ  uint32
	data []byte
}

// printTree lists every key of the hive in the format of protocol.go.
func printTree(h *hive, out *bufio.Writer) error {
	root, err := h.root()
	if err != nil {
		return err
	}
	w := walker{h: h, out: out, seen: make(map[node]struct{})}
	if err := w.walk(root, 0); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "END %d %d\n", w.keys, w.values); err != nil {
		return fmt.Errorf("writing the listing: %w", err)
	}
	return nil
}

// walker is one pass over a hive. Its buffers serve all keys in turn.
type walker struct {
	h            *hive
	out          *bufio.Writer
	seen         map[node]struct{} // a key reached twice would be walked for ever, or at least counted wrongly
	path         []byte            // of the key at hand, escaped
	record       []byte
	line         []byte
	keys, values int
}

func (w *walker) walk(n node, depth int) error {
	if _, twice := w.seen[n]; twice {
		return fmt.Errorf("reading key %q: reached a second time", w.path)
	}
	if depth > maxDepth {
		return fmt.Errorf("reading key %q: more than %d levels deep", w.path, maxDepth)
	}
	w.seen[n] = struct{}{}
	if err := w.print(n); err != nil {
		return err
	}
	kids, err := w.h.children(n)
	if err != nil {
		return fmt.Errorf("reading the subkeys of %q: %w", w.path, err)
	}
	mark := len(w.path)
	for _, kid := range kids {
		name, err := w.h.name(kid)
		if err != nil {
			return fmt.Errorf("reading a subkey's name in %q: %w", w.path, err)
		}
		if depth > 0 {
			w.path = append(w.path, '\\')
		}
		w.path = appendEscaped(w.path, name)
		if err := w.walk(kid, depth+1); err != nil {
			return err
		}
		w.path = w.path[:mark]
	}
	return nil
}

// print writes the line of one key.
func (w *walker) print(n node) error {
	w.record = w.record[:0]
	err := w.h.eachValue(n, func(name []byte, typ uint32, data []byte) {
		w.record = appendValue(w.record, name, typ, data)
		w.values++
	})
	if err != nil {
		return fmt.Errorf("reading the values of %q: %w", w.path, err)
	}
	w.keys++
	sum := sha256.Sum256(w.record)
	w.line = hex.AppendEncode(w.line[:0], sum[:hashLen])
	w.line = append(append(append(w.line, ' '), w.path...), '\n')
	if _, err := w.out.Write(w.line); err != nil {
		return fmt.Errorf("writing the listing: %w", err)
	}
	return nil
}

// appendValue appends one value to a key's record.
func appendValue(record, name []byte, typ uint32, data []byte) []byte {
	record = binary.LittleEndian.AppendUint32(record, uint32(len(name)))
	record = append(record, name...)
	record = binary.LittleEndian.AppendUint32(record, typ)
	record = binary.LittleEndian.AppendUint32(record, uint32(len(data)))
	return append(record, data...)
}

// appendEscaped appends a name so that the line it stands in stays one line, and the path can be taken apart again.
func appendEscaped(dst []byte, name string) []byte {
	const digits = "0123456789abcdef"
	for len(name) > 0 {
		r, size := utf8.DecodeRuneInString(name)
		if r != '\\' && !unicode.IsControl(r) && (r != utf8.RuneError || size > 1) {
			dst = append(dst, name[:size]...)
		} else {
			for _, c := range []byte(name[:size]) {
				dst = append(dst, '\\', 'x', digits[c>>4], digits[c&15])
			}
		}
		name = name[size:]
	}
	return dst
}
