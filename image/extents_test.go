package image

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// device of 16 blocks of 512 bytes, block i filled with i+1.
func numbered() []byte {
	b := make([]byte, 16*512)
	for i := range b {
		b[i] = byte(i/512) + 1
	}
	return b
}

func TestStreamReadAt(t *testing.T) {
	// Blocks 3 and 4, a hole of two blocks, block 9; the last one and a half
	// blocks are not initialised.
	s := &stream{size: 5*512 - 10, initialized: 4*512 + 100,
		extents: []Extent{{0, 3 * 512, 1024}, {2048, 9 * 512, 1024}}}
	want := make([]byte, s.size)
	for i := range want {
		switch {
		case i < 512:
			want[i] = 4
		case i < 1024:
			want[i] = 5
		case i >= 2048 && i < 4*512+100:
			want[i] = 10
		}
	}
	dev := bytes.NewReader(numbered())
	for _, step := range []int{1, 7, 512, 700, 4096} {
		var got []byte
		b := make([]byte, step)
		for off := int64(0); ; off += int64(step) {
			n, err := s.readAt(dev, b, off)
			got = append(got, b[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, want) {
			t.Errorf("reading %d at a time: wrong content", step)
		}
	}
	if _, err := s.readAt(dev, make([]byte, 1), -1); err == nil {
		t.Error("readAt(-1) succeeded")
	}
}

func TestReadBeyondDevice(t *testing.T) {
	s := &stream{size: 2048, initialized: 2048, extents: []Extent{{0, 15 * 512, 2048}}}
	n, err := s.readAt(bytes.NewReader(numbered()), make([]byte, 2048), 0)
	if n != 0 || !errors.Is(err, ErrDamaged) {
		t.Errorf("readAt = %d, %v, want 0, ErrDamaged", n, err)
	}
}

func TestPieces(t *testing.T) {
	s := &stream{size: 5120, initialized: 4608, extents: []Extent{{0, 10240, 1024}, {1024, 51200, 1024}, {3072, 2048, 2048}}}
	tests := []struct {
		off, n int64
		want   []Extent
		err    error
	}{
		{0, 512, []Extent{{0, 10240, 512}}, nil},
		{512, 1024, []Extent{{512, 10752, 512}, {1024, 51200, 512}}, nil},
		{3072, 1536, []Extent{{3072, 2048, 1536}}, nil},
		{1536, 1024, nil, ErrSparse},
		{2048, 512, nil, ErrSparse},
		{4096, 1024, nil, ErrUninitialised},
		{8192, 512, nil, ErrUninitialised},
		{-512, 512, nil, ErrUninitialised},
		{512, -512, nil, ErrUninitialised},
		{1 << 62, 1 << 62, nil, ErrUninitialised},
		{0, 0, nil, nil},
	}
	for _, tt := range tests {
		got, err := s.pieces(tt.off, tt.n)
		if !errors.Is(err, tt.err) {
			t.Errorf("pieces(%d, %d): %v, want %v", tt.off, tt.n, err, tt.err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("pieces(%d, %d) (-want +got):\n%s", tt.off, tt.n, diff)
		}
	}
}

func TestOverlap(t *testing.T) {
	tests := []struct {
		name string
		a, b []Extent
		want bool
	}{
		{"apart", []Extent{{0, 0, 10}}, []Extent{{0, 10, 10}}, false},
		{"inside", []Extent{{0, 0, 100}}, []Extent{{0, 40, 10}}, true},
		{"behind a short one", []Extent{{0, 0, 100}, {0, 200, 10}}, []Extent{{0, 150, 10}, {0, 205, 1}}, true},
		{"interleaved", []Extent{{0, 0, 10}, {0, 20, 10}}, []Extent{{0, 10, 10}, {0, 30, 10}}, false},
		{"long one first", []Extent{{0, 0, 100}}, []Extent{{0, 90, 1}, {0, 200, 1}}, true},
		{"none", nil, nil, false},
	}
	for _, tt := range tests {
		if _, got := overlap(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: overlap(a, b) = %v, want %v", tt.name, got, tt.want)
		}
		if _, got := overlap(tt.b, tt.a); got != tt.want {
			t.Errorf("%s: overlap(b, a) = %v, want %v", tt.name, got, tt.want)
		}
	}
	if _, got := selfOverlap([]Extent{{0, 100, 10}, {10, 0, 10}, {20, 105, 10}}); !got {
		t.Error("selfOverlap missed a cluster listed twice")
	}
	if _, got := selfOverlap([]Extent{{0, 100, 10}, {10, 0, 10}, {20, 110, 10}}); got {
		t.Error("selfOverlap found one too many")
	}
}
