package hivetest

import (
	"bytes"
	"testing"

	"unloop/hive"
)

// A sized hive is as long as was asked for, sound, always the same, and sick as a small one.
func TestWin7Sized(t *testing.T) {
	for _, size := range []int{1 << 20, 3<<20 + 4096} {
		data, err := Win7Sized(size)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) != size {
			t.Errorf("%d bytes, want %d", len(data), size)
		}
		again, err := Win7Sized(size)
		if err != nil || !bytes.Equal(data, again) {
			t.Errorf("the second one differs: %v", err)
		}
		h, err := hive.Open(hive.Files{Primary: data})
		if err != nil {
			t.Fatal(err)
		}
		found, err := h.Inspect(hive.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		if found.Verdict != hive.Probable {
			t.Errorf("verdict %v, want %v", found.Verdict, hive.Probable)
		}
	}
	if _, err := Win7Sized(4096); err == nil {
		t.Error("a hive of 4,096 bytes was built")
	}
}
