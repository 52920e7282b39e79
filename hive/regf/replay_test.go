package regf_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// TestApplies: a log belongs to a hive by the time of the base block or, where that
// is broken, of the first bin.
func TestApplies(t *testing.T) {
	const hiveTime = 0x1122334455667788
	for _, tt := range []struct {
		name string
		log  func(b []byte)
		hive func(b []byte)
		want string // "" if it applies
	}{
		{"equal", nil, nil, ""},
		{"other time", func(b []byte) { b[12]++ }, nil, "the log was written at"},
		{"other high half", func(b []byte) { b[19]++ }, nil, "the log was written at"},
		{"dirty by number", nil, func(b []byte) { put32(b, 4, 9); resum(b) }, ""},
		{"dirty by number, other time", nil, func(b []byte) { put32(b, 4, 9); b[12]++; resum(b) }, "the hive at"},
		{"only the first bin agrees", func(b []byte) { b[12]++ }, func(b []byte) { b[4096+20]++ }, "the hive at"},
		{"the first bin does not matter", nil, func(b []byte) { b[4096+20]++ }, ""},
		{"bad checksum", nil, func(b []byte) { b[508] ^= 1 }, ""},
		{"bad checksum, base block of another time", nil, func(b []byte) { b[12]++ }, ""},
		{"bad checksum, first bin of another time", nil, func(b []byte) { b[508] ^= 1; b[4096+20]++ }, "the first bin at"},
		{"no base block", nil, func(b []byte) { clear(b[:4096]) }, ""},
		{"no base block, first bin of another time", nil, func(b []byte) { clear(b[:512]); b[4096+27]++ }, "the first hive bin at"},
		{"neither base block nor first bin", nil, func(b []byte) { clear(b[:512]); b[4096] = 0 }, "neither the base block nor the first hive bin"},
	} {
		tt.want = strings.Replace(tt.want, "the first bin at", "the first hive bin at", 1)
		hive := build(t, "[a]", hivetest.Options{LastWritten: hiveTime})
		b := oldLog(hive, 2, 0x1000, page{0, string(hive[4096:4608])})
		if tt.log != nil {
			tt.log(b)
			resum(b)
		}
		if tt.hive != nil {
			tt.hive(hive)
		}
		if tt.name == "only the first bin agrees" {
			resum(hive)
		}
		l, err := regf.DecodeLog(b)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		err = l.Applies(hive)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: Applies = %v, want %q", tt.name, err, tt.want)
		}
		got, replayErr := l.Replay(hive)
		if (replayErr == nil) != (err == nil) || (got == nil) != (err != nil) {
			t.Errorf("%s: Replay = %d bytes, %v, but Applies = %v", tt.name, len(got), replayErr, err)
		}
	}
	l, err := regf.DecodeLog(oldLog(build(t, "", hivetest.Options{}), 2, 0x1000))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 3, 511, 512, 4096, 4127} {
		if err := l.Applies(make([]byte, n)); err == nil {
			t.Errorf("Applies to %d zero bytes", n)
		}
	}
}

// TestReplay looks at every byte: pages where the vector says, the log's base block
// as a primary file's, all else as it was.
func TestReplay(t *testing.T) {
	hive := build(t, "[a]", hivetest.Options{Fill: 9000, Slack: 4096})
	copy(hive[600:], "the rest of the base block's page")
	copy(hive[len(hive)-4096:], "slack")
	put32(hive, 4, 2)
	resum(hive)
	pages := []page{{0, string(hive[4096 : 4096+512])}, {5, strings.Repeat("p", 512)}, {6, strings.Repeat("q", 512)}, {23, strings.Repeat("r", 512)}}
	l, err := regf.DecodeLog(oldLog(hive, 2, 0x3000, pages...))
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(hive)
	for _, p := range pages {
		copy(want[4096+512*p.n:], p.data)
	}
	put32(want, 8, 2)
	resum(want)
	checkReplay(t, "replay", l, hive, want)
	bb, err := regf.DecodeBaseBlock(want)
	if err != nil || bb.Dirty() != "" || bb.Type != regf.TypePrimary {
		t.Errorf("base block after the replay: %+v, %v", bb, err)
	}
}

// TestReplayEquals changes each sector of the new hive's bins, in and between the
// pages, in its first byte and its last: one byte is enough for a no.
func TestReplayEquals(t *testing.T) {
	hive := build(t, "[a]", hivetest.Options{Fill: 9000, Slack: 4096})
	l, err := regf.DecodeLog(oldLog(hive, 2, 0x3000, page{0, string(hive[4096 : 4096+512])}, page{5, "p"}, page{6, "q"}, page{23, "r"}))
	if err != nil {
		t.Fatal(err)
	}
	want, err := l.Replay(hive)
	if err != nil {
		t.Fatal(err)
	}
	for at := 4096; at < 4096+0x3000; at += 512 {
		for _, i := range []int{at, at + 511} {
			want[i] ^= 1
			if l.ReplayEquals(hive, want) {
				t.Errorf("ReplayEquals with byte 0x%x changed = true", i)
			}
			want[i] ^= 1
		}
	}
	for _, tt := range []struct {
		name          string
		primary, want []byte
		equal         bool
	}{
		{"all", hive, want, true},
		{"the bins alone", hive[:4096+0x3000], want[:4096+0x3000], true},
		{"the last page is in the log", hive[:4096+0x2E00], want, true},
		{"the primary ends between pages", hive[:4096+0x2D00], want, false},
		{"the new hive is cut", hive, want[:4096+0x2FFF], false},
		{"no new hive", hive, nil, false},
		{"no primary", nil, want, false},
	} {
		if got := l.ReplayEquals(tt.primary, tt.want); got != tt.equal {
			t.Errorf("%s: ReplayEquals = %v, want %v", tt.name, got, tt.equal)
		}
	}
}

// TestReplayGrown: a log may hold a longer hive: in its slack, or beyond its end as
// far as the log has the bytes.
func TestReplayGrown(t *testing.T) {
	bin := make([]byte, 4096)
	copy(bin, "hbin")
	put32(bin, 4, 0x1000)
	put32(bin, 8, 0x1000)
	put32(bin, 32, 4096-32)
	var pages []page
	for i := range 8 {
		pages = append(pages, page{8 + i, string(bin[512*i : 512*(i+1)])})
	}
	for _, slack := range []int{0, 4096, 12288} {
		hive := build(t, "[a]", hivetest.Options{Slack: slack})
		l, err := regf.DecodeLog(oldLog(hive, 2, 0x2000, pages...))
		if err != nil {
			t.Fatal(err)
		}
		b, err := l.Replay(hive)
		if err != nil {
			t.Errorf("slack %d: %v", slack, err)
			continue
		}
		h := sound(t, b)
		if h.Base().BinsSize != 0x2000 || len(b) != max(len(hive), 0x3000) {
			t.Errorf("slack %d: %d bytes, bins of 0x%x, want 0x2000", slack, len(b), h.Base().BinsSize)
		}
		twice, err := l.Replay(b)
		if err != nil || !bytes.Equal(b, twice) {
			t.Errorf("slack %d: a second replay changes the hive, %v", slack, err)
		}
	}
	for _, length := range []uint32{0x4000, 0x100000, 0x7FFFF000} {
		hive := build(t, "[a]", hivetest.Options{})
		b := oldLog(hive, 2, length, pages[:1]...)
		l, err := regf.DecodeLog(b)
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.Replay(hive)
		wantDefect(t, fmt.Sprintf("grown to 0x%x", length), err, "log", "bytes that are not in the log")
	}
}

// TestOldDirtyHive compares our replay with what Windows 7 made of the same hive.
// Two places of the bins differ, both written by Windows after its replay: the time
// stamp of the first bin, which it renews when it writes the hive, and the largest
// value name of \key_with_many_subkeys\4500, which it wrote down as 2 where the
// log's page still has 24.
func TestOldDirtyHive(t *testing.T) {
	hive, windows := plain(t, "old-dirty/OldDirtyHive"), plain(t, "old-dirty/RecoveredHive_Windows7")
	l, err := regf.DecodeLog(plain(t, "old-dirty/OldDirtyHive.LOG1"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Replay(hive)
	if err != nil {
		t.Fatal(err)
	}
	h := sound(t, b)
	if len(b) != len(windows) {
		t.Fatalf("%d bytes, Windows has %d", len(b), len(windows))
	}
	var differ []int
	for i := regf.BaseBlockSize; i < regf.BaseBlockSize+int(h.Base().BinsSize); i++ {
		if b[i] != windows[i] {
			differ = append(differ, i)
		}
	}
	if want := []int{0x1014, 0x1015, 0x1016, 0x1017, 0x1018, 0x6BDC8}; !slices.Equal(differ, want) {
		t.Errorf("bytes %x differ from Windows' own, want %x", differ, want)
	}
	key := find(t, h, "key_with_many_subkeys", "4500")
	if at := key.Offset() + 4 + 60; at != 0x6BDC8 || b[at] != 24 || windows[at] != 2 {
		t.Errorf("largest value name at 0x%x: %d, Windows has %d; want 24 and 2 at 0x6bdc8", at, b[at], windows[at])
	}
	if d := diff(tree(t, sound(t, windows)), tree(t, h)); d != "" {
		t.Errorf("Windows reads the hive otherwise (-windows +ours):\n%s", d)
	}
	v, ok, err := key.Value("V")
	if err != nil || !ok {
		t.Fatalf("the value that only the log has: %v, %v", ok, err)
	}
	data, err := v.Data()
	if want := "a\x00\x00\x00b\x00b\x00\x00\x00c\x00c\x00c\x00\x00\x00\x00\x00"; err != nil || string(data) != want || v.Type() != 7 {
		t.Errorf("V = %d %q, %v, want 7 %q", v.Type(), data, err, want)
	}
	checkReplay(t, "OldDirtyHive", l, hive, b)
	if _, err := regf.DecodeLog(plain(t, "old-dirty/OldDirtyHive.LOG2")); err == nil {
		t.Error("the empty LOG2 is taken for a log")
	}
}
