package regf_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// page is 512 bytes of hive bins as a log holds them.
type page struct {
	n    int // the first one of the first bin is 0
	data string
}

// oldLog makes a log in the old format from a hive's base block: sequence numbers
// seq, bins of that length, and the pages, which must be in order.
func oldLog(hive []byte, seq, binsSize uint32, pages ...page) []byte {
	at := (512 + 4 + int(binsSize)/4096 + 511) / 512 * 512
	b := make([]byte, at+512*len(pages))
	copy(b, hive[:512])
	put32(b, 4, seq)
	put32(b, 8, seq)
	put32(b, 28, regf.TypeLog)
	put32(b, 40, binsSize)
	resum(b)
	copy(b[512:], "DIRT")
	for i, p := range pages {
		b[516+p.n/8] |= 1 << (p.n % 8)
		copy(b[at+512*i:at+512*(i+1)], p.data)
	}
	return b
}

// shape says where the pages of a log go and how they begin.
func shape(l *regf.Log) string {
	var s []string
	for _, p := range l.Pages {
		s = append(s, fmt.Sprintf("%x+%x %.1s", p.Offset, len(p.Data), p.Data))
	}
	return strings.Join(s, ", ")
}

func TestDecodeLog(t *testing.T) {
	hive := build(t, "", hivetest.Options{Fill: 9000}) // bins of 0x3000 bytes
	for _, tt := range []struct {
		name string
		log  []byte
		want string
	}{
		{"no page", oldLog(hive, 2, 0x3000), ""},
		{"the first", oldLog(hive, 2, 0x3000, page{0, "a"}), "1000+200 a"},
		{"the last", oldLog(hive, 2, 0x3000, page{23, "a"}), "3e00+200 a"},
		{"a run and one", oldLog(hive, 2, 0x3000, page{6, "a"}, page{7, "b"}, page{8, "c"}, page{10, "d"}), "1c00+600 a, 2400+200 d"},
		{"grown", oldLog(hive, 2, 0x5000, page{24, "a"}, page{39, "b"}), "4000+200 a, 5e00+200 b"},
		{"garbage behind", append(oldLog(hive, 2, 0x3000, page{3, "a"}), text(1111)...), "1600+200 a"},
		{"pages at 1024", oldLog(hive, 2, 508<<12, page{508*8 - 1, "a"}), "1fce00+200 a"},
		{"pages at 1536", oldLog(hive, 2, 509<<12, page{509*8 - 1, "a"}), "1fde00+200 a"},
	} {
		l, err := regf.DecodeLog(tt.log)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := shape(l); got != tt.want {
			t.Errorf("%s: pages %s, want %s", tt.name, got, tt.want)
		}
		if !bytes.Equal(l.Sector, tt.log[:512]) {
			t.Errorf("%s: Sector is not the log's first", tt.name)
		}
	}
}

// TestDecodeLogVectorEnd: bits in the bytes behind the vector, in front of the
// pages, mean nothing.
func TestDecodeLogVectorEnd(t *testing.T) {
	b := oldLog(build(t, "", hivetest.Options{}), 2, 0x1000, page{7, "a"})
	copy(b[517:1024], bytes.Repeat([]byte{0xFF}, 507))
	l, err := regf.DecodeLog(b)
	if err != nil || shape(l) != "1e00+200 a" {
		t.Errorf("DecodeLog = %v, %v", l, err)
	}
}

// TestDecodeLogCut: a log cut anywhere gives an error and nothing else.
func TestDecodeLogCut(t *testing.T) {
	b := oldLog(build(t, "", hivetest.Options{Fill: 9000}), 2, 0x3000, page{0, "a"}, page{1, "b"}, page{23, "c"})
	for n := range b {
		if l, err := regf.DecodeLog(b[:n]); err == nil || l != nil {
			t.Fatalf("DecodeLog of %d of %d bytes = %v, %v", n, len(b), l, err)
		}
	}
	if _, err := regf.DecodeLog(b); err != nil {
		t.Error(err)
	}
}

func TestDecodeLogRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		poke func(b []byte)
		bad  bool // leave the checksum as it is
		want string
	}{
		{"not a log", func(b []byte) { b[0] = 'x' }, true, "reading log: not a registry hive"},
		{"empty", func(b []byte) { clear(b) }, true, "not a registry hive"},
		{"a primary file", func(b []byte) { put32(b, 28, 0) }, false, "file type is 0, not 1"},
		{"type 2", func(b []byte) { put32(b, 28, 2) }, false, "file type is 2, not 1"},
		{"version 1.6", func(b []byte) { put32(b, 24, 6) }, false, "format version 1.6"},
		{"bins of no length", func(b []byte) { put32(b, 40, 0) }, false, "length of the hive bins is 0x0"},
		{"bins of half a page", func(b []byte) { put32(b, 40, 0x3800) }, false, "length of the hive bins is 0x3800"},
		{"longest bins", func(b []byte) { put32(b, 40, 0x7FFFF000) }, false, "cut short within the dirty vector"},
		{"bins too long", func(b []byte) { put32(b, 40, 0xFFFFF000) }, false, "beyond what cell offsets can address"},
		{"checksum", func(b []byte) { b[508] ^= 1 }, true, "not written to its end: the base block's checksum"},
		{"sequence numbers", func(b []byte) { put32(b, 8, 1) }, false, "not written to its end: its sequence numbers differ: 2 and 1"},
		{"signature", func(b []byte) { copy(b[512:], "DIRE") }, false, `no "DIRT" where the dirty vector should begin`},
		{"more bits than pages", func(b []byte) { b[517] = 0xFF }, false, "cut short: dirty page 13 of the hive is not in it"},
	} {
		b := oldLog(build(t, "", hivetest.Options{Fill: 9000}), 2, 0x3000, page{0, "a"}, page{1, "b"}, page{23, "c"})
		if tt.name == "more bits than pages" {
			b = append(b, make([]byte, 512*4)...) // room for pages 8 to 12 without 23
		}
		tt.poke(b)
		if !tt.bad {
			resum(b)
		}
		l, err := regf.DecodeLog(b)
		if l != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: DecodeLog = %v, %v, want %s", tt.name, l, err, tt.want)
		}
		if errors.Is(err, regf.ErrNewLog) {
			t.Errorf("%s: ErrNewLog", tt.name)
		}
	}
}

// TestNewLog: a log of a newer Windows is told by its type or its first entry.
func TestNewLog(t *testing.T) {
	for name, poke := range map[string]func(b []byte){
		"type":             func(b []byte) { put32(b, 28, regf.TypeNewLog) },
		"entry":            func(b []byte) { copy(b[512:], "HvLE") },
		"type and entry":   func(b []byte) { put32(b, 28, regf.TypeNewLog); copy(b[512:], "HvLE") },
		"type and no seqs": func(b []byte) { put32(b, 28, regf.TypeNewLog); put32(b, 4, 77) },
	} {
		b := oldLog(build(t, "", hivetest.Options{}), 2, 0x1000, page{0, "a"})
		poke(b)
		resum(b)
		if l, err := regf.DecodeLog(b); l != nil || !errors.Is(err, regf.ErrNewLog) {
			t.Errorf("%s: DecodeLog = %v, %v, want ErrNewLog", name, l, err)
		}
	}
}

// dirtied returns the old hive's bytes as they are while a write of ours goes on.
func dirtied(h *regf.Hive) []byte {
	b := bytes.Clone(h.Bytes())
	seq := h.Base().PrimarySeq
	copy(b, h.Sequenced(seq+1, seq, h.FirstBinTime()))
	return b
}

// TestEncodeLog: the log of each edit, read back and replayed over the dirty old
// hive, gives the new one to the byte, whatever has reached the hive so far.
func TestEncodeLog(t *testing.T) {
	for _, tt := range editCases {
		h := sound(t, build(t, tt.reg, tt.o))
		edited, groups := run(t, h, tt.mayGrow, tt.edits...)
		encoded := regf.EncodeLog(h, edited, h.Base().PrimarySeq+1)
		if encoded[516] != 0xFF {
			t.Errorf("%s: the first bin's page is not in the log", tt.name)
		}
		l, err := regf.DecodeLog(append(encoded, "rest of an older log"...))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		old := dirtied(h)
		if _, err := regf.Parse(old); !errors.Is(err, regf.ErrDirty) {
			t.Errorf("%s: Parse of the marked hive: %v, want ErrDirty", tt.name, err)
		}
		checkReplay(t, tt.name, l, old, edited.Bytes())
		for _, g := range groups {
			old = patched(old, g[:len(g)/2], nil)
			copy(old, dirtied(h)[:512])
			checkReplay(t, tt.name, l, old, edited.Bytes())
		}
		clear(old[4:512]) // a torn base block
		checkReplay(t, tt.name, l, old, edited.Bytes())
	}
}

// checkReplay replays over a hive and compares; a second replay changes nothing.
func checkReplay(t *testing.T, name string, l *regf.Log, old, want []byte) {
	t.Helper()
	before := bytes.Clone(old)
	got, err := l.Replay(old)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: Replay does not give the new hive: %v", name, err)
		return
	}
	if !bytes.Equal(old, before) {
		t.Errorf("%s: Replay changed its input", name)
	}
	if !l.ReplayEquals(old, want) {
		t.Errorf("%s: ReplayEquals = false for what Replay gives", name)
	}
	if twice, err := l.Replay(got); err != nil || !bytes.Equal(twice, got) {
		t.Errorf("%s: a second replay changes the hive, %v", name, err)
	}
}

// TestSequenced: only sequence numbers, time and checksum change.
func TestSequenced(t *testing.T) {
	h := sound(t, build(t, "", hivetest.Options{}))
	before := bytes.Clone(h.Bytes())
	got := h.Sequenced(8, 7, 99)
	want := bytes.Clone(before[:512])
	put32(want, 4, 8)
	put32(want, 8, 7)
	put32(want, 12, 99)
	put32(want, 16, 0)
	resum(want)
	if !bytes.Equal(got, want) || !bytes.Equal(h.Bytes(), before) {
		t.Errorf("Sequenced = %x, want %x, and the hive as it was", got[:64], want[:64])
	}
}
