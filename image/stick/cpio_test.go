package stick

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

func TestArchiveInCpio(t *testing.T) {
	a := newArchive()
	a.program("bin/tool", []byte("#!\n"))
	a.file("b", nil)
	a.file("a/日本語/odd", []byte("12345"))
	a.link("init", "bin/tool")
	a.folder("proc")
	a.device("dev/console", 5, 1)
	data, err := a.encode(time.Date(2026, 7, 2, 13, 50, 42, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if len(data)%4 != 0 {
		t.Errorf("archive of %d bytes does not end at a multiple of four: the next one would be misread", len(data))
	}
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(judge(t, data, "cpio", "-itvn", "--quiet")), "\n") {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"drwxr-xr-x 2 0 0 0 Jul 2 13:50 a",
		"drwxr-xr-x 2 0 0 0 Jul 2 13:50 a/日本語",
		"-rw-r--r-- 1 0 0 5 Jul 2 13:50 a/日本語/odd",
		"-rw-r--r-- 1 0 0 0 Jul 2 13:50 b",
		"drwxr-xr-x 2 0 0 0 Jul 2 13:50 bin",
		"-rwxr-xr-x 1 0 0 3 Jul 2 13:50 bin/tool",
		"drwxr-xr-x 2 0 0 0 Jul 2 13:50 dev",
		"crw------- 1 0 0 5, 1 Jul 2 13:50 dev/console",
		"lrwxrwxrwx 1 0 0 8 Jul 2 13:50 init -> bin/tool",
		"drwxr-xr-x 2 0 0 0 Jul 2 13:50 proc",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("cpio -t (-want +got):\n%s", d)
	}
	if got := judge(t, data, "cpio", "-i", "--quiet", "--to-stdout", "*/odd"); got != "12345" {
		t.Errorf("cpio -i = %q, want 12345", got)
	}
}

// TestArchiveInodes: Linux takes two files with one inode number for one file.
func TestArchiveInodes(t *testing.T) {
	a := newArchive()
	for i := range 100 {
		a.file(fmt.Sprintf("f%d", i), []byte{byte(i)})
	}
	data, err := a.encode(time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, part := range bytes.Split(data, []byte("070701"))[1:] {
		inode := string(part[:8])
		if seen[inode] {
			t.Fatalf("inode %s is used twice", inode)
		}
		seen[inode] = true
	}
	if len(seen) != 101 {
		t.Errorf("%d members, want 101", len(seen))
	}
}

func TestArchiveRefuses(t *testing.T) {
	for name, a := range map[string]func() (*archive, time.Time){
		"name with a zero byte": func() (*archive, time.Time) {
			a := newArchive()
			a.file("a\x00b", nil)
			return a, time.Unix(0, 0)
		},
		"time before 1970": func() (*archive, time.Time) { return newArchive(), time.Unix(-1, 0) },
		"time after 2106":  func() (*archive, time.Time) { return newArchive(), time.Unix(math.MaxUint32+1, 0) },
	} {
		if b, err := func() ([]byte, error) { a, at := a(); return a.encode(at) }(); err == nil {
			t.Errorf("%s: got %d bytes, want an error", name, len(b))
		}
	}
}

// TestCompressWindow: what the kernel needs to unpack must not grow with the content.
func TestCompressWindow(t *testing.T) {
	data := bytes.Repeat([]byte("unloop and some text to be packed"), 400_000)
	packed, err := compress(data)
	if err != nil {
		t.Fatal(err)
	}
	var h zstd.Header
	if err := h.Decode(packed); err != nil {
		t.Fatal(err)
	}
	if h.SingleSegment || h.WindowSize != 8<<20 {
		t.Errorf("window %d bytes (single segment: %v), want 8 MiB", h.WindowSize, h.SingleSegment)
	}
	if got := judge(t, packed, "zstd", "-dcq"); got != string(data) {
		t.Errorf("zstd -d gives %d bytes, not the %d that were packed", len(got), len(data))
	}
}
