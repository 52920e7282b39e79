package regf_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// TestChecksum pins the XOR and the two results that Windows avoids.
func TestChecksum(t *testing.T) {
	words := func(at map[int64]uint32) []byte {
		b := make([]byte, regf.SectorSize)
		for off, v := range at {
			put32(b, off, v)
		}
		return b
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want uint32
	}{
		{"zero is stored as one", words(nil), 1},
		{"one stays", words(map[int64]uint32{0: 1}), 1},
		{"all ones", words(map[int64]uint32{0: 0xFFFF0000, 504: 0x0000FFFF}), 0xFFFFFFFE},
		{"next to all ones", words(map[int64]uint32{0: 0xFFFFFFFE}), 0xFFFFFFFE},
		{"the checksum itself does not count", words(map[int64]uint32{508: 0x12345678}), 1},
		{"first and last word", words(map[int64]uint32{0: 0xF0F0F0F0, 504: 0x0F00F000}), 0xFFF000F0},
	} {
		if got := regf.Checksum(tt.b); got != tt.want {
			t.Errorf("%s: Checksum = 0x%08x, want 0x%08x", tt.name, got, tt.want)
		}
	}
}

func TestDecodeBaseBlock(t *testing.T) {
	b := make([]byte, regf.SectorSize)
	copy(b, "regf")
	for i, off := range []int64{4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 112, 124} {
		put32(b, off, uint32(i+1))
	}
	resum(b)
	want := regf.BaseBlock{
		PrimarySeq: 1, SecondarySeq: 2, LastWritten: 4<<32 | 3, Major: 5, Minor: 6, Type: 7, Format: 8,
		RootCell: 9, BinsSize: 10, Clustering: 11, RmID: [16]byte{0: 12, 12: 13},
		Checksum: le32(b, 508), Sum: le32(b, 508),
	}
	got, err := regf.DecodeBaseBlock(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("DecodeBaseBlock (-want +got):\n%s", d)
	}
	for _, short := range [][]byte{nil, []byte("reg"), []byte("hbin"), b[:511], make([]byte, 512)} {
		if _, err := regf.DecodeBaseBlock(short); err == nil {
			t.Errorf("DecodeBaseBlock of %d bytes %.4q gave no error", len(short), short)
		}
	}
}

// TestParse is a table of base blocks that are dirty, refused or fine.
func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name   string
		poke   func(b []byte)
		bad    bool   // leave the checksum as it is
		err    string // part of it; "" for none
		dirty  bool
		length int // cut the file to
	}{
		{name: "clean", poke: func(b []byte) {}},
		{name: "sequence numbers differ", poke: func(b []byte) { put32(b, 4, 9) }, err: "sequence numbers differ: 9 and 1", dirty: true},
		{name: "checksum", poke: func(b []byte) { b[508] ^= 1 }, bad: true, err: "checksum is 0x", dirty: true},
		{name: "file name without checksum", poke: func(b []byte) { b[48] ^= 1 }, bad: true, err: "checksum is 0x", dirty: true},
		{name: "checksum first", poke: func(b []byte) { put32(b, 4, 9) }, bad: true, err: "checksum is 0x", dirty: true},
		{name: "version 1.3", poke: func(b []byte) { put32(b, 24, 3) }},
		{name: "version 1.4", poke: func(b []byte) { put32(b, 24, 4) }},
		{name: "version 1.2", poke: func(b []byte) { put32(b, 24, 2) }, err: "format version 1.2"},
		{name: "version 1.6", poke: func(b []byte) { put32(b, 24, 6) }, err: "format version 1.6"},
		{name: "version 0.5", poke: func(b []byte) { put32(b, 20, 0) }, err: "format version 0.5"},
		{name: "a log", poke: func(b []byte) { put32(b, 28, regf.TypeLog) }, err: "file type is 1, not 0"},
		{name: "a new log", poke: func(b []byte) { put32(b, 28, regf.TypeNewLog) }, err: "file type is 6, not 0"},
		{name: "format", poke: func(b []byte) { put32(b, 32, 0) }, err: "file format is 0, not 1"},
		{name: "no bins", poke: func(b []byte) { put32(b, 40, 0) }, err: "length of the hive bins is 0x0"},
		{name: "half a page", poke: func(b []byte) { put32(b, 40, 0x800) }, err: "length of the hive bins is 0x800"},
		{name: "volatile bit", poke: func(b []byte) { put32(b, 40, 0x80000000) }, err: "beyond what cell offsets can address"},
		{name: "longest bins", poke: func(b []byte) { put32(b, 40, 0x7FFFF000) }, err: "the hive bins end at 0x80000000"},
		{name: "cut short", poke: func(b []byte) {}, err: "hive file at offset 0x1fff: cut short", length: 0x1FFF},
		{name: "base block alone", poke: func(b []byte) {}, err: "hive file at offset 0x200: cut short", length: 512},
	} {
		b := build(t, "", hivetest.Options{})
		tt.poke(b)
		if !tt.bad {
			resum(b)
		}
		if tt.length > 0 {
			b = b[:tt.length]
		}
		h, err := regf.Parse(b)
		if (h == nil) != (err != nil) {
			t.Errorf("%s: Parse = %v, %v: neither or both", tt.name, h, err)
		}
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: Parse: %v, want %q", tt.name, err, tt.err)
		}
		if errors.Is(err, regf.ErrDirty) != tt.dirty {
			t.Errorf("%s: errors.Is(%v, ErrDirty) = %v, want %v", tt.name, err, !tt.dirty, tt.dirty)
		}
	}
}

// TestEncodeBaseBlock looks at every byte: only the named fields may change.
func TestEncodeBaseBlock(t *testing.T) {
	old := build(t, "", hivetest.Options{Slack: 4096})
	bb, err := regf.DecodeBaseBlock(old)
	if err != nil {
		t.Fatal(err)
	}
	bb.PrimarySeq, bb.SecondarySeq, bb.LastWritten, bb.Type, bb.BinsSize = 0x11111111, 0x22222222, 0x4444444433333333, 1, 0x3000
	bb.Major, bb.RootCell, bb.RmID = 99, 99, [16]byte{99} // not stored
	b := append([]byte(nil), old...)
	regf.EncodeBaseBlock(b, bb)
	for i := range b {
		stored := i >= 4 && i < 20 || i >= 28 && i < 32 || i >= 40 && i < 44 || i >= 508 && i < 512
		if b[i] != old[i] && !stored {
			t.Errorf("byte 0x%x changed", i)
		}
	}
	got, err := regf.DecodeBaseBlock(b)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := regf.DecodeBaseBlock(old)
	want.PrimarySeq, want.SecondarySeq, want.LastWritten, want.Type, want.BinsSize = 0x11111111, 0x22222222, 0x4444444433333333, 1, 0x3000
	want.Sum = regf.Checksum(b)
	want.Checksum = want.Sum
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("after EncodeBaseBlock (-want +got):\n%s", d)
	}
}

func TestHive(t *testing.T) {
	b := build(t, "[a]", hivetest.Options{LastWritten: 77, Slack: 8192})
	h := sound(t, b)
	if h.Slack() != 8192 || h.FirstBinTime() != 77 || h.Base().LastWritten != 77 || &h.Bytes()[0] != &b[0] {
		t.Errorf("Slack %d, FirstBinTime %d, LastWritten %d; want 8192, 77, 77 and the bytes kept", h.Slack(), h.FirstBinTime(), h.Base().LastWritten)
	}
}
