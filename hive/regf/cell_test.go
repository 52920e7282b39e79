package regf_test

import (
	"errors"
	"strings"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// wantDefect says whether err is a FormatError with these parts.
func wantDefect(t *testing.T, name string, err error, structure, problem string) *regf.FormatError {
	t.Helper()
	var fe *regf.FormatError
	if !errors.As(err, &fe) {
		t.Errorf("%s: %v, want a FormatError", name, err)
		return nil
	}
	if fe.Structure != structure || !strings.Contains(fe.Problem, problem) {
		t.Errorf("%s: %v, want %s: %s", name, err, structure, problem)
		return nil
	}
	return fe
}

// TestBinsAndCells damages bin headers and cell sizes of a hive of three bins.
func TestBinsAndCells(t *testing.T) {
	const first, second = 0x1000, 0x2000 // file offsets of bins
	for _, tt := range []struct {
		name               string
		at                 int64
		v                  uint32
		structure, problem string
		offset             int64
	}{
		{"bin signature", second, 0, "hive bin", `does not begin with "hbin"`, second},
		{"bin's own offset", second + 4, 0, "hive bin", "says it lies at 0x1000", second},
		{"bin's own offset too high", second + 4, 0xFFFFFFFF, "hive bin", "says it lies at 0x100000fff", second},
		{"bin of no size", first + 8, 0, "hive bin", "size 0x0 is not possible", first},
		{"bin of half a page", first + 8, 0x800, "hive bin", "size 0x800 is not possible", first},
		{"bin beyond the end", second + 8, 0x10000, "hive bin", "size 0x10000 is not possible", second},
		{"bin far beyond the end", second + 8, 0xFFFFF000, "hive bin", "size 0xfffff000 is not possible", second},
		{"bin over the next one", first + 8, 0x2000, "cell", "not possible in the bin at 0x1000", second},
		{"cell of no size", first + 32, 0, "cell", "size 0x0 is not possible", first + 32},
		{"cell of 4 bytes", first + 32, 4, "cell", "size 0x4 is not possible", first + 32},
		{"cell of -12 bytes", first + 32, 0xFFFFFFF4, "cell", "size 0xc is not possible", first + 32},
		{"free cell over the bin's end", first + 32, 0x1000, "cell", "size 0x1000 is not possible", first + 32},
		{"allocated cell over the bin's end", first + 32, 0xFFFFF000, "cell", "size 0x1000 is not possible", first + 32},
		{"largest free cell", first + 32, 0x7FFFFFF8, "cell", "size 0x7ffffff8 is not possible", first + 32},
		{"largest allocated cell", first + 32, 0x80000000, "cell", "size 0x80000000 is not possible", first + 32},
	} {
		b := build(t, "", hivetest.Options{Fill: 9000})
		sound(t, b)
		put32(b, tt.at, tt.v)
		_, err := checked(b)
		if fe := wantDefect(t, tt.name, err, tt.structure, tt.problem); fe != nil && fe.Offset != tt.offset {
			t.Errorf("%s: at 0x%x, want 0x%x", tt.name, fe.Offset, tt.offset)
		}
	}
}

// TestCellWholeBin accepts a bin that is one cell.
func TestCellWholeBin(t *testing.T) {
	b := build(t, "", hivetest.Options{Fill: 9000})
	put32(b, 0x2000+32, 4096-32)
	sound(t, b)
}

// TestRootCell moves the root cell's offset to where no key node can be. The
// accessors give the same verdict as Check, though Check never ran.
func TestRootCell(t *testing.T) {
	for _, tt := range []struct {
		name       string
		off        uint32
		check, api string
	}{
		{"none", regf.None, "there is none", "no cell can be there"},
		{"the bin's header", 0, "no allocated cell begins there", "its cell is free"},
		{"unaligned", 0x24, "outside the hive bins", "no cell can be there"},
		{"the last byte of the bins", 0xFFF, "outside the hive bins", "no cell can be there"},
		{"behind the bins", 0x1000, "outside the hive bins", "no cell can be there"},
		{"far behind the bins", 0x7FFFFFF8, "outside the hive bins", "no cell can be there"},
		{"a free cell", 0x800, "no allocated cell begins there", "its cell is free"},
	} {
		b := build(t, "", hivetest.Options{})
		if tt.name == "a free cell" {
			for _, c := range cells(sound(t, b)) {
				if c.free {
					tt.off = uint32(c.off - regf.BaseBlockSize)
				}
			}
		}
		put32(b, 36, tt.off)
		resum(b)
		h, err := regf.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Check()
		wantDefect(t, tt.name, err, "key node", tt.check)
		_, err = h.Root()
		wantDefect(t, tt.name+", by Root", err, "key node", tt.api)
	}
}
