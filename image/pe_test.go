package image

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"unloop/hive/hivetest"
)

// resourcesAt finds the resource section of a file made by hivetest.
func resourcesAt(t testing.TB, file []byte) int {
	t.Helper()
	f, err := pe.NewFile(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return int(f.Section(".rsrc").Offset)
}

func TestReadPE(t *testing.T) {
	x86, version := hivetest.PE(0x014C, [4]uint16{6, 1, 7601, 24059}), [4]uint16{6, 1, 7601, 24059}
	rsrc := resourcesAt(t, x86)
	le := binary.LittleEndian
	edit := func(f func(b []byte)) []byte {
		b := bytes.Clone(x86)
		f(b)
		return b
	}
	machine := PEInfo{Machine: 0x014C}
	for _, tt := range []struct {
		name string
		file []byte
		want PEInfo
		err  string
	}{
		{"x86 driver", x86, PEInfo{0x014C, version}, ""},
		{"x64 driver", hivetest.PE(0x8664, [4]uint16{3, 93, 0, 65535}), PEInfo{0x8664, [4]uint16{3, 93, 0, 65535}}, ""},
		{"kernel", hivetest.PESized(0x014C, version, 4<<20), PEInfo{0x014C, version}, ""},
		{"no version resource", edit(func(b []byte) { le.PutUint32(b[rsrc+16:], 3) }), machine, ""},
		{"no resources", edit(func(b []byte) { clear(b[0x80+24+96+16:][:8]) }), machine, ""},
		{"version of strings alone", edit(func(b []byte) { le.PutUint16(b[rsrc+88+2:], 0) }), machine, ""},
		{"short version resource", edit(func(b []byte) { le.PutUint32(b[rsrc+76:], 40) }), machine, ""},
		{"directory leading to itself", edit(func(b []byte) { le.PutUint32(b[rsrc+20:], 1<<31); le.PutUint32(b[rsrc+16:], 16) }), machine, "more than 3 levels"},
		{"directory outside", edit(func(b []byte) { le.PutUint32(b[rsrc+20:], 0xFFFFFFF0) }), machine, "no section"},
		{"endless directory", edit(func(b []byte) { le.PutUint16(b[rsrc+12:], 0xFFFF) }), machine, "65536 entries"},
		{"directory beyond its section", edit(func(b []byte) { le.PutUint16(b[rsrc+12:], 4000) }), machine, "no section"},
		{"version outside", edit(func(b []byte) { le.PutUint32(b[rsrc+72:], 0xFFFFFFFF) }), machine, "no section"},
		{"no key", edit(func(b []byte) { b[rsrc+88+6] = 'W' }), machine, "without its key"},
		{"no signature", edit(func(b []byte) { b[rsrc+88+40] = 0 }), machine, "without its signature"},
		{"cut before the resources", x86[:rsrc+20], machine, "device ends"},
		{"97 sections", edit(func(b []byte) { le.PutUint16(b[0x80+6:], 97) }), PEInfo{}, "97 sections"},
		{"no PE header", edit(func(b []byte) { b[0x80] = 'N' }), PEInfo{}, "no PE header at 0x80"},
		{"headers cut short", x86[:0x80+24+50], PEInfo{}, "device ends"},
		{"two directories", edit(func(b []byte) { le.PutUint32(b[0x80+24+92:], 2) }), machine, ""},
		{"another machine", edit(func(b []byte) { le.PutUint16(b[0x80+4:], 0x0200) }), PEInfo{0x0200, version}, ""},
		{"a dummy", []byte("MZ: not a driver\n"), PEInfo{}, "reading PE headers"},
		{"empty", nil, PEInfo{}, "reading PE headers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadPE(bytes.NewReader(tt.file), int64(len(tt.file)))
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("ReadPE() (-want +got):\n%s", d)
			}
			if tt.err == "" && err != nil || tt.err != "" && (!errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("ReadPE() error %v, want %q", err, tt.err)
			}
		})
	}
}

// counter counts what is read.
type counter struct {
	data []byte
	n    int
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	c.n += len(p)
	return bytes.NewReader(c.data).ReadAt(p, off)
}

// TestReadPELittle: of a kernel of 4 MB next to nothing is read, as it may lie on a
// slow disk.
func TestReadPELittle(t *testing.T) {
	c := &counter{data: hivetest.PESized(0x014C, [4]uint16{6, 1, 7601, 24117}, 4<<20)}
	if _, err := ReadPE(c, int64(len(c.data))); err != nil {
		t.Fatal(err)
	}
	if c.n > 4096 {
		t.Errorf("ReadPE() read %d bytes", c.n)
	}
}

// knotted is a small file whose resource directories all lead to all the others: a
// reader that follows them visits more paths than it ever ends.
func knotted(t testing.TB) []byte {
	const count = 40
	b := hivetest.PESized(0x014C, [4]uint16{1}, 0)
	rsrc := resourcesAt(t, b)
	le := binary.LittleEndian
	b = append(b[:rsrc:rsrc], make([]byte, count*(16+8*count))...)
	le.PutUint32(b[0x80+24+224+40+16:], uint32(len(b)-rsrc)) // the section's size
	for i := range count {
		d := b[rsrc+i*(16+8*count):]
		le.PutUint16(d[14:], count)
		for j := range count {
			le.PutUint32(d[16+8*j:], uint32(j))
			le.PutUint32(d[20+8*j:], 1<<31|uint32((i+j+1)%count*(16+8*count)))
		}
	}
	return b
}

func TestReadPEKnotted(t *testing.T) {
	b := knotted(t)
	start := time.Now()
	if _, err := ReadPE(bytes.NewReader(b), int64(len(b))); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "levels") {
		t.Errorf("ReadPE() = %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("ReadPE() took %v", took)
	}
}

// Tables that nobody needs are not read, however long they claim to be.
func TestReadPETables(t *testing.T) {
	version := [4]uint16{6, 1, 7601, 24059}
	c := &counter{data: hivetest.PESized(0x014C, version, 4<<20)}
	le := binary.LittleEndian
	header := c.data[0x80+4:]
	le.PutUint32(header[8:], 0x1000) // symbols
	le.PutUint32(header[12:], 200_000)
	for i := range int(le.Uint16(header[2:])) {
		section := header[20+224+40*i:]
		le.PutUint32(section[24:], 0x1000) // relocations
		le.PutUint16(section[32:], 0xFFFF)
	}
	info, err := ReadPE(c, int64(len(c.data)))
	if err != nil || info != (PEInfo{0x014C, version}) {
		t.Errorf("ReadPE() = %v, %v", info, err)
	}
	if c.n > 4096 {
		t.Errorf("ReadPE() read %d bytes", c.n)
	}
}

func FuzzPE(f *testing.F) {
	f.Add(hivetest.PE(0x014C, [4]uint16{6, 1, 7601, 24059}))
	f.Add(hivetest.PE(0x8664, [4]uint16{6, 1, 7601, 17514}))
	f.Add(knotted(f))
	f.Add([]byte("MZ: not a driver\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &counter{data: b}
		info, err := ReadPE(c, int64(len(b)))
		if err != nil && (info.Version != [4]uint16{} || !errors.Is(err, ErrDamaged)) {
			t.Fatalf("ReadPE() = %v, %v", info, err)
		}
		if c.n > 2*len(b)+1<<20 {
			t.Fatalf("read %d bytes of a file of %d", c.n, len(b))
		}
	})
}
