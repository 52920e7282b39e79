package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"unloop/hive/hivetest"
)

func TestReadDump(t *testing.T) {
	when := time.Date(2018, 4, 15, 9, 30, 0, 0, time.UTC)
	dump := hivetest.Dump32(0x7E, when)
	edit := func(f func(b []byte)) []byte {
		b := bytes.Clone(dump)
		f(b)
		return b
	}
	wide := edit(func(b []byte) {
		copy(b, "PAGEDU64")
		copy(b[0xFA8:], b[0xFC0:0xFC8])
		binary.LittleEndian.PutUint64(b[0x38:], 0xD1)
	})
	for _, tt := range []struct {
		name string
		file []byte
		want DumpInfo
		ok   bool
	}{
		{"32 bit", dump, DumpInfo{0x7E, when}, true},
		{"64 bit", wide, DumpInfo{0xD1, when}, true},
		{"no date", edit(func(b []byte) { copy(b[0xFC0:], "PAGEPAGE") }), DumpInfo{Code: 0x7E}, true},
		{"of another kind", edit(func(b []byte) { copy(b[4:], "DUMQ") }), DumpInfo{}, false},
		{"a page file", make([]byte, 8192), DumpInfo{}, false},
		{"cut", dump[:4095], DumpInfo{}, false},
		{"empty", nil, DumpInfo{}, false},
	} {
		got, err := ReadDump(bytes.NewReader(tt.file), int64(len(tt.file)))
		if d := cmp.Diff(tt.want, got); d != "" || (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: ReadDump() error %v (-want +got):\n%s", tt.name, err, d)
		}
	}
	if _, err := ReadDump(bytes.NewReader(dump[:100]), int64(len(dump))); !errors.Is(err, ErrDamaged) {
		t.Errorf("disk ends within the dump: %v", err)
	}
}

func FuzzDump(f *testing.F) {
	f.Add(hivetest.Dump32(0x7E, time.Date(2018, 4, 15, 9, 30, 0, 0, time.UTC)))
	f.Add(append([]byte("PAGEDU64"), make([]byte, 5000)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ReadDump(bytes.NewReader(b), int64(len(b)))
		if err != nil && d != (DumpInfo{}) {
			t.Fatalf("ReadDump() = %v, %v", d, err)
		}
		if y := d.Time.Year(); !d.Time.IsZero() && (y < 1993 || y > 2200) {
			t.Fatalf("ReadDump() = %v", d)
		}
	})
}
