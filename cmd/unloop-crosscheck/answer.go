package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// checkClean refuses a dirty hive. libhivex opens one without a word and shows what lies in it, which is not what
// Windows will see after replaying the log.
func checkClean(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the hive: %w", err)
	}
	defer f.Close()
	var head [12]byte // signature and both sequence numbers
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return fmt.Errorf("reading the base block of %s: %w", path, err)
	}
	if !bytes.Equal(head[:4], []byte("regf")) {
		return fmt.Errorf("%s is not a hive", path)
	}
	seq1, seq2 := binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[8:])
	if seq1 != seq2 {
		return fmt.Errorf("%s is dirty: sequence numbers %d and %d", path, seq1, seq2)
	}
	return nil
}

// answer looks up everything that is asked. A key or value that is not there is part of the answer; one that cannot
// be read is an error. Judge is left to the caller.
func answer(h *hive, q Question) (Answer, error) {
	a := Answer{Keys: make([]KeyAnswer, 0, len(q.Keys))}
	for _, kq := range q.Keys {
		ka, err := answerKey(h, kq)
		if err != nil {
			return Answer{}, fmt.Errorf("reading key %q: %w", kq.Path, err)
		}
		a.Keys = append(a.Keys, ka)
	}
	return a, nil
}

func answerKey(h *hive, kq KeyQuestion) (KeyAnswer, error) {
	ka := KeyAnswer{Path: kq.Path, Values: make([]ValueAnswer, 0, len(kq.Values))}
	if ka.Path == nil {
		ka.Path = []string{}
	}
	n, found, err := find(h, kq.Path)
	if err != nil {
		return KeyAnswer{}, err
	}
	ka.Found = found
	var vals []value
	if found {
		if vals, err = h.values(n); err != nil {
			return KeyAnswer{}, err
		}
	}
	for _, name := range kq.Values {
		va := ValueAnswer{Name: name}
		if i := matchValue(vals, name); i >= 0 {
			va.Found, va.Type, va.Data = true, vals[i].typ, hex.EncodeToString(vals[i].data)
		}
		ka.Values = append(ka.Values, va)
	}
	return ka, nil
}

// find walks down from the root; found is false if a name on the way is not there.
func find(h *hive, path []string) (n node, found bool, err error) {
	if n, err = h.root(); err != nil {
		return 0, false, err
	}
	for _, name := range path {
		if n, found, err = child(h, n, name); err != nil || !found {
			return 0, false, err
		}
	}
	return n, true, nil
}

func child(h *hive, parent node, name string) (n node, found bool, err error) {
	kids, err := h.children(parent)
	if err != nil {
		return 0, false, err
	}
	names := make([]string, len(kids))
	for i, kid := range kids {
		if names[i], err = h.name(kid); err != nil {
			return 0, false, err
		}
	}
	i := match(names, name)
	if i < 0 {
		return 0, false, nil
	}
	return kids[i], true, nil
}

func matchValue(vals []value, name string) int {
	names := make([]string, len(vals))
	for i, v := range vals {
		names[i] = v.name
	}
	return match(names, name)
}

// match gives the index of name among names, the exact one before one that differs in the case of ASCII letters; -1
// if there is none.
func match(names []string, name string) int {
	folded := -1
	for i, s := range names {
		if s == name {
			return i
		}
		if folded < 0 && equalFoldASCII(s, name) {
			folded = i
		}
	}
	return folded
}

// equalFoldASCII is what libhivex itself takes for equal. (strings.EqualFold would also take the Kelvin sign for a k,
// which Windows does not.)
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
