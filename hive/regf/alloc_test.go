package regf_test

import (
	"bytes"
	"errors"
	"math/bits"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// TestMustGrow: without a free cell it is the slack that decides.
func TestMustGrow(t *testing.T) {
	for _, tt := range []struct {
		name    string
		o       hivetest.Options
		mayGrow bool
		grown   int // of the file; -1: ErrMustGrow
	}{
		{"no slack", hivetest.Options{Full: true}, false, -1},
		{"too little slack", hivetest.Options{Full: true, Slack: 4096}, false, -1},
		{"just enough", hivetest.Options{Full: true, Slack: 8192}, false, 0},
		{"slack goes first", hivetest.Options{Full: true, Slack: 8192}, true, 0},
		{"grows by what is missing", hivetest.Options{Full: true, Slack: 4096}, true, 4096},
		{"grows", hivetest.Options{Full: true}, true, 8192},
	} {
		h := sound(t, build(t, valuesKey(3), tt.o))
		e := set("v0", dword, text(4096)) // needs a bin of two pages
		if tt.grown < 0 {
			if _, _, err := tryRun(h, tt.mayGrow, e); !errors.Is(err, regf.ErrMustGrow) {
				t.Errorf("%s: %v, want ErrMustGrow", tt.name, err)
			}
			continue
		}
		edited, _ := run(t, h, tt.mayGrow, e)
		if got := len(edited.Bytes()) - len(h.Bytes()); got != tt.grown {
			t.Errorf("%s: the file grew by %d bytes, want %d", tt.name, got, tt.grown)
		}
		if got := edited.Base().BinsSize - h.Base().BinsSize; got != 8192 {
			t.Errorf("%s: the bins grew by %d bytes, want 8192", tt.name, got)
		}
	}
}

// TestOddSlack: slack of an odd length, as a cut file has it, is used up to the byte.
func TestOddSlack(t *testing.T) {
	b := append(build(t, valuesKey(3), hivetest.Options{Full: true}), "rest"...)
	edited, _ := run(t, sound(t, b), true, set("new", dword, "1234"))
	if got := len(edited.Bytes()) % 4096; got != 0 || edited.Slack() != 0 {
		t.Errorf("the file ends %d bytes behind a page, slack %d", got, edited.Slack())
	}
}

// TestStaleSlack: a new bin over stale data leaves none of them in it.
func TestStaleSlack(t *testing.T) {
	b := build(t, valuesKey(3), hivetest.Options{Full: true, Slack: 12288})
	copy(b[len(b)-12288:], bytes.Repeat([]byte("hbin"), 3072))
	edited, _ := run(t, sound(t, b), false, set("new", dword, "1234"))
	end := regf.BaseBlockSize + int(edited.Base().BinsSize)
	if bytes.Contains(edited.Bytes()[end-4096+4:end], []byte("hbin")) {
		t.Error("the new bin holds stale data")
	}
	if !bytes.Equal(edited.Bytes()[end:], b[end:]) {
		t.Error("the rest of the slack changed")
	}
}

// TestBestFit: of the free cells that fit, the smallest is taken, of equals the nearest.
func TestBestFit(t *testing.T) {
	h := sound(t, build(t, valuesKey(3)+manyKeys(60), hivetest.Options{Fill: 4000}))
	k := find(t, h, "k")
	fits := func(size int64) cell {
		var best cell
		for _, c := range cells(h) {
			near := func(c cell) int64 { return max(c.off, k.Offset()) - min(c.off, k.Offset()) }
			if c.free && c.size >= size && (best.size == 0 || c.size < best.size || c.size == best.size && near(c) < near(best)) {
				best = c
			}
		}
		return best
	}
	for n := 5; n < 600; n += 1 + n/8 {
		size := int64(n+4+7) &^ 7
		edited, _ := run(t, h, false, edit{key, "v0", dword, text(n), false})
		v, _, _ := find(t, edited, "k").Value("v0")
		if got, want := int64(le32(edited.Bytes(), v.Offset()+4+8))+4096, fits(size).off; got != want {
			t.Errorf("%d bytes lie at 0x%x, want 0x%x", n, got, want)
		}
	}
}

// TestMerge frees a value's cells one by one in each order: a freed cell is merged with
// the free cell before it and the one after it, never across a bin.
func TestMerge(t *testing.T) {
	names := []string{"a", "b", "c"}
	for mask := range uint(8) {
		var values []value
		for _, n := range names {
			values = append(values, value{n, sz, text(40)})
		}
		h := sound(t, build(t, regText(key, values...)+"[l]\n", hivetest.Options{}))
		var edits []edit
		for i, n := range names {
			if mask&(1<<i) != 0 {
				edits = append(edits, remove(n))
			}
		}
		edited, _ := run(t, h, false, edits...)
		free := func(h *regf.Hive) (n int, sum int64) {
			for _, c := range cells(h) {
				if c.free {
					n, sum = n+1, sum+c.size
				}
			}
			return n, sum
		}
		_, before := free(h)
		n, after := free(edited)
		// Each value has cells of 48 and 32 bytes; the list's 16 become 16, 8 or none.
		if want := []int64{0, 80, 160 + 8, 240 + 16}[len(edits)]; after-before != want {
			t.Errorf("deleting %v freed %d bytes, want %d", edits, after-before, want)
		}
		if n > 2+bits.OnesCount(mask) {
			t.Errorf("deleting %v left %d free cells", edits, n)
		}
	}
}

// TestFreed counts the bytes that an edit gives back: no cell of an old value is left
// behind, allocated to nobody. Cells have 4 bytes in front and multiples of 8.
func TestFreed(t *testing.T) {
	const vk, segment = 32, 16352 // a value with a name of up to 8 letters; 16344 bytes of data
	for _, tt := range []struct {
		name  string
		reg   string
		edit  edit
		freed int64
	}{
		{"a DWORD", mixed, set("inline", dword, "abcd"), 0},
		{"add to none", "[k]", set("new", dword, "abcd"), -vk - 8},
		{"add with room", valuesKey(2), set("new", dword, "abcd"), -vk},
		{"add without room", valuesKey(3), set("new", dword, "abcd"), -vk - 24 + 16},
		{"shorter", mixed, set("plain", sz, text(20)), 64 - 24},
		{"to inline", mixed, set("plain", sz, "ab"), 64},
		{"other type", mixed, set("plain", raw, text(60)), 0},
		{"other type, inline", mixed, set("plain", raw, "ab"), 64},
		{"delete inline", valuesKey(2), remove("v0"), vk + 16 - 8},
		{"delete plain", mixed, remove("plain"), vk + 64},
		{"delete the only one", valuesKey(1), remove("v0"), vk + 8},
		{"big data", regText(key, value{"b", raw, text(40000)}), set("b", raw, text(20)), 16 + 16 + 2*segment + 7320 - 24},
		{"big data deleted", regText(key, value{"b", raw, text(40000)}), remove("b"), 16 + 16 + 2*segment + 7320 + vk + 8},
	} {
		h := sound(t, build(t, tt.reg, hivetest.Options{}))
		edited, _ := run(t, h, false, tt.edit)
		if got := allocated(h) - allocated(edited); got != tt.freed {
			t.Errorf("%s freed %d bytes, want %d", tt.name, got, tt.freed)
		}
	}
}

// allocated is the sum of all cells that are not free.
func allocated(h *regf.Hive) (sum int64) {
	for _, c := range cells(h) {
		if !c.free {
			sum += c.size
		}
	}
	return sum
}
