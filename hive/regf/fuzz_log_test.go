package regf_test

import (
	"bytes"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// fuzzLog makes a hive, dirty, and the log that turns it into its edited self.
func fuzzLog(tb testing.TB, slack int) (hive, log []byte) {
	h := sound(tb, build(tb, mixed, hivetest.Options{Fill: 5000, Slack: slack}))
	edited, _, err := tryRun(h, true, set("new", sz, text(40)), remove("plain"), set("page", raw, text(9000)))
	if err != nil {
		tb.Fatal(err)
	}
	return dirtied(h), regf.EncodeLog(h, edited, h.Base().PrimarySeq+1)
}

// FuzzDecodeLog: a log or an error, never both; its pages are in order, apart, whole,
// within the bins, and no more than the log has bytes.
func FuzzDecodeLog(f *testing.F) {
	hive, log := fuzzLog(f, 0)
	logs := [][]byte{
		log,
		oldLog(hive, 2, 0x3000, page{1, "a"}, page{3, "b"}, page{4, "c"}),
		oldLog(hive, 2, 0x1000),
		oldLog(hive, 2, 0x3FC000, page{8000, "a"}),
	}
	for i := range uint8(4) {
		f.Add(i, []byte(nil), uint16(0), true)
		f.Add(i, poke(0, 516, 0xFFFFFFFF), uint16(0), true)
		f.Add(i, poke(0, 40, 0x200000), uint16(2000), true)
		f.Add(i, poke(0, 28, 6), uint16(0), false)
	}
	f.Fuzz(func(t *testing.T, number uint8, pokes []byte, length uint16, mend bool) {
		b := poked(logs[int(number)%len(logs)], pokes)
		if length > 0 {
			b = b[:min(len(b), int(length))]
		}
		if mend {
			b = mended(b, regf.TypeLog)
		}
		l, err := regf.DecodeLog(b)
		if (l == nil) != (err != nil) {
			t.Fatalf("DecodeLog = %v, %v", l, err)
		}
		if l == nil {
			return
		}
		end, sum := int64(-1), int64(0)
		for _, p := range l.Pages {
			if p.Offset <= end || p.Offset < 4096 || p.Offset%512 != 0 || len(p.Data) == 0 || len(p.Data)%512 != 0 {
				t.Fatalf("page at 0x%x, %d bytes, after 0x%x", p.Offset, len(p.Data), end)
			}
			end = p.Offset + int64(len(p.Data))
			sum += int64(len(p.Data))
		}
		if end > 4096+int64(l.Base.BinsSize) || sum > int64(len(b)) || l.Base.Dirty() != "" || l.Base.Type != regf.TypeLog {
			t.Fatalf("pages end at 0x%x, %d bytes of a log of %d; base block %+v", end, sum, len(b), l.Base)
		}
	})
}

// FuzzReplay: a replayed hive is the old one but for the base block, the pages and what
// it grew by; it is clean, and a second replay changes nothing.
func FuzzReplay(f *testing.F) {
	var hives, logs [][]byte
	for _, slack := range []int{0, 4096, 40960} {
		hive, log := fuzzLog(f, slack)
		hives, logs = append(hives, hive), append(logs, log)
	}
	hives = append(hives, hives[0][:4128], hives[0][:700])
	for i := range uint8(5) {
		f.Add(i, i, []byte(nil), []byte(nil))
		f.Add(i, i, poke(0, 8, 0), poke(0, 516, 0xFF0F))
		f.Add(i, i, poke(2, 508, 1), poke(2, 40, 0x10))
		f.Add(i, uint8(0), poke(2, 0, 1), []byte(nil))
	}
	f.Fuzz(func(t *testing.T, number, logNumber uint8, hivePokes, logPokes []byte) {
		l, err := regf.DecodeLog(mended(poked(logs[int(logNumber)%len(logs)], logPokes), regf.TypeLog))
		if err != nil {
			return
		}
		hive := poked(hives[int(number)%len(hives)], hivePokes)
		before := bytes.Clone(hive)
		b, err := l.Replay(hive)
		if !bytes.Equal(hive, before) {
			t.Fatal("Replay changed its input")
		}
		if (b == nil) != (err != nil) || (err == nil) && l.Applies(hive) != nil {
			t.Fatalf("Replay = %d bytes, %v; Applies = %v", len(b), err, l.Applies(hive))
		}
		if err != nil {
			return
		}
		onlyPages(t, l, hive, b)
		end := 4096 + int64(l.Base.BinsSize)
		if equals := l.ReplayEquals(hive, b); !equals && int64(len(hive)) >= end {
			t.Fatal("ReplayEquals = false for what Replay gives")
		}
		other := bytes.Clone(b)
		other[4096+int64(l.Base.Checksum)%(end-4096)] ^= 0x10
		if l.ReplayEquals(hive, other) {
			t.Fatal("ReplayEquals = true for another hive")
		}
		if bb, err := regf.DecodeBaseBlock(b); err != nil || bb.Dirty() != "" || bb.Type != regf.TypePrimary || bb.PrimarySeq != l.Base.PrimarySeq {
			t.Fatalf("after the replay: base block %+v, %v", bb, err)
		}
		if twice, err := l.Replay(b); err != nil || !bytes.Equal(twice, b) {
			t.Fatalf("a second replay changes the hive, %v", err)
		}
		if h, err := regf.Parse(b); err == nil {
			_, _ = h.Check()
		}
	})
}

// onlyPages compares a hive before and after a replay, byte by byte.
func onlyPages(t *testing.T, l *regf.Log, old, b []byte) {
	t.Helper()
	if len(b) < len(old) || len(b) > len(old) && int64(len(b)) != 4096+int64(l.Base.BinsSize) {
		t.Fatalf("%d bytes became %d, bins of %d", len(old), len(b), l.Base.BinsSize)
	}
	want := make([]byte, len(b))
	copy(want, old)
	copy(want[:512], b)
	for _, p := range l.Pages {
		copy(want[p.Offset:], p.Data)
	}
	if !bytes.Equal(b, want) {
		t.Fatal("bytes changed that are not in the log's pages")
	}
	if !bytes.Equal(b[32:40], l.Sector[32:40]) || !bytes.Equal(b[44:508], l.Sector[44:508]) {
		t.Fatal("the base block is not the log's")
	}
}
