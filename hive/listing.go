package hive

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"unloop/hive/regf"
)

// Listing writes one line for each key, depth first, in the format in which
// unloop-crosscheck --tree lists what libhivex reads (see its protocol.go): a hash
// of the key's values and the key's path. Two independent readers that agree in
// every line agree about every value of the hive.
func (h *Hive) Listing(w io.Writer) error {
	l := &lister{out: bufio.NewWriter(w), sum: sha256.New()}
	if err := l.key(h.root); err != nil {
		return fmt.Errorf("listing hive: %w", err)
	}
	fmt.Fprintf(l.out, "END %d %d\n", l.keys, l.values)
	return l.out.Flush()
}

type lister struct {
	out          *bufio.Writer
	sum          hash.Hash
	record       []byte // of one value
	path         []byte
	keys, values int
}

func (l *lister) key(k regf.Key) error {
	l.keys++
	if err := l.line(k); err != nil {
		return err
	}
	subkeys, err := k.Subkeys()
	if err != nil {
		return err
	}
	end := len(l.path)
	for _, sub := range subkeys {
		if end > 0 {
			l.path = append(l.path, '\\')
		}
		l.path = appendListed(l.path, sub.Name())
		if err := l.key(sub); err != nil {
			return err
		}
		l.path = l.path[:end]
	}
	return nil
}

// line writes the line of one key.
func (l *lister) line(k regf.Key) error {
	values, err := k.Values()
	if err != nil {
		return err
	}
	l.sum.Reset()
	for _, v := range values {
		l.values++
		data, err := v.Data()
		if err != nil {
			return err
		}
		name := v.Name()
		l.record = binary.LittleEndian.AppendUint32(l.record[:0], uint32(len(name)))
		l.record = append(l.record, name...)
		l.record = binary.LittleEndian.AppendUint32(l.record, v.Type())
		l.record = binary.LittleEndian.AppendUint32(l.record, uint32(len(data)))
		l.sum.Write(l.record)
		l.sum.Write(data)
	}
	var sum [sha256.Size]byte
	var text [32]byte
	hex.Encode(text[:], l.sum.Sum(sum[:0])[:16])
	l.out.Write(text[:])
	l.out.WriteByte(' ')
	l.out.Write(l.path)
	return l.out.WriteByte('\n')
}

// appendListed appends a key name with everything escaped that could be taken for
// something else in a line.
func appendListed(b []byte, name string) []byte {
	if !strings.ContainsFunc(name, func(r rune) bool { return r == '\\' || r == utf8.RuneError || unicode.IsControl(r) }) {
		return append(b, name...)
	}
	for len(name) > 0 {
		r, n := utf8.DecodeRuneInString(name)
		if r == '\\' || r == utf8.RuneError && n == 1 || unicode.IsControl(r) {
			for _, c := range []byte(name[:n]) {
				b = fmt.Appendf(b, `\x%02x`, c)
			}
		} else {
			b = append(b, name[:n]...)
		}
		name = name[n:]
	}
	return b
}
