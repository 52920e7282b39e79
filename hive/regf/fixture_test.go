package regf_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// build makes a hive from .reg text.
func build(tb testing.TB, reg string, o hivetest.Options) []byte {
	tb.Helper()
	b, err := hivetest.Build(reg, o)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// sound parses and checks a hive, which must have no defect.
func sound(tb testing.TB, data []byte) *regf.Hive {
	tb.Helper()
	h, err := checked(data)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func checked(data []byte) (*regf.Hive, error) {
	h, err := regf.Parse(data)
	if err != nil {
		return nil, err
	}
	_, err = h.Check()
	return h, err
}

// find returns the key at path, which must be there.
func find(tb testing.TB, h *regf.Hive, path ...string) regf.Key {
	tb.Helper()
	root, err := h.Root()
	if err != nil {
		tb.Fatal(err)
	}
	k, ok, err := root.Find(path...)
	if err != nil || !ok {
		tb.Fatalf("Find(%q) = %v, %v", path, ok, err)
	}
	return k
}

func le32(b []byte, at int64) uint32     { return binary.LittleEndian.Uint32(b[at:]) }
func put32(b []byte, at int64, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }
func put16(b []byte, at int64, v uint16) { binary.LittleEndian.PutUint16(b[at:], v) }

// resum gives a base block the right checksum.
func resum(b []byte) { put32(b, 508, regf.Checksum(b)) }

// testdata gives the path of a file among the real hives, or skips the test.
func testdata(tb testing.TB, name string) string {
	tb.Helper()
	dir := os.Getenv("UNLOOP_TESTDATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "hives")
	}
	if _, err := os.Stat(dir); err != nil {
		tb.Skipf("no real hives: %v (UNLOOP_TESTDATA names their folder)", err)
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// unpack returns what is in an xz file among the real hives.
func unpack(tb testing.TB, name string) []byte {
	tb.Helper()
	packed := testdata(tb, name)
	xz, err := exec.LookPath("xz")
	if err != nil && os.Getenv("CI") == "true" {
		tb.Fatal("xz is not installed")
	} else if err != nil {
		tb.Skip("xz is not installed")
	}
	cmd := exec.Command(xz, "-dc", packed)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("unpacking %s: %v: %s", name, err, &stderr)
	}
	return out
}

// plain returns a file among the real hives as it is.
func plain(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(testdata(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// cell is a cell as this file's own walk over the hive bins sees it.
type cell struct {
	off, size, bin int64 // from the start of the file
	free           bool
}

// cells walks the bins of a sound hive.
func cells(h *regf.Hive) []cell {
	b, end := h.Bytes(), regf.BaseBlockSize+int64(h.Base().BinsSize)
	var all []cell
	for bin := int64(regf.BaseBlockSize); bin < end; {
		next := bin + int64(le32(b, bin+8))
		for off := bin + 32; off < next; {
			size := int64(int32(le32(b, off)))
			all = append(all, cell{off, max(size, -size), bin, size > 0})
			off += max(size, -size)
		}
		bin = next
	}
	return all
}
