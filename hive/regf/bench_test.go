package regf_test

import (
	"testing"

	"unloop/hive/regf"
)

func BenchmarkCheck(b *testing.B) {
	data := unpack(b, "win7-x86-hasp-SYSTEM.xz")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		sound(b, data)
	}
}

// BenchmarkEdit is the main job: eight values in two control sets.
func BenchmarkEdit(b *testing.B) {
	h := sound(b, unpack(b, "win7-x86-hasp-SYSTEM.xz"))
	edits := repair()
	b.SetBytes(int64(len(h.Bytes())))
	for b.Loop() {
		if _, _, err := tryRun(h, false, edits...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReplay decodes and replays the log of that job.
func BenchmarkReplay(b *testing.B) {
	h := sound(b, unpack(b, "win7-x86-hasp-SYSTEM.xz"))
	edited, _, err := tryRun(h, false, repair()...)
	if err != nil {
		b.Fatal(err)
	}
	encoded, old := regf.EncodeLog(h, edited, h.Base().PrimarySeq+1), dirtied(h)
	b.SetBytes(int64(len(old)))
	for b.Loop() {
		l, err := regf.DecodeLog(encoded)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := l.Replay(old); err != nil {
			b.Fatal(err)
		}
	}
}
