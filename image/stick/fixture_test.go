package stick

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// need skips a test whose outside tools are missing; where CI=true they must
// be there.
func need(t testing.TB, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing", tool)
			}
			t.Skipf("%s is missing", tool)
		}
	}
}

// tool runs an outside judge and returns all it says.
func tool(t testing.TB, name string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC", "MTOOLS_SKIP_CHECK=0")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out.Bytes())
	}
	return out.String()
}

// noise is content that is nowhere zero for long and packs badly.
func noise(n int, seed uint64) []byte {
	b := make([]byte, n)
	c := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	c.Read(b)
	return b
}

// sample is a stick with everything that can go wrong on one.
func sample(size int64) *Image {
	im := &Image{
		Size: size, DiskID: 0x1234ABCD, VolumeID: 0xC0DE0042, Label: "UNLOOP",
		BootCode: noise(440, 1), Core: noise(200_001, 2),
		Time: time.Date(2026, 5, 17, 12, 34, 56, 0, time.UTC),
		Files: []File{
			{Path: "unloop/vmlinuz64", Data: noise(8_200_000, 3)},
			{Path: "EFI/BOOT/BOOTX64.EFI", Data: noise(900_003, 4)},
			{Path: "EFI/BOOT/grub.cfg", Data: []byte("search --fs-uuid C0DE-0042\n")},
			{Path: "boot/grub/grub.cfg", Data: []byte("# C0DE-0042 and c0de-0042\n")},
			{Path: "README.txt", Data: []byte("This stick\r\n")},
			{Path: "empty"},
			{Path: "records", Dir: true},
			{Path: "one cluster.bin", Data: noise(512, 5)},
			{Path: "日本語/復旧 レポート.txt", Data: []byte("直りました")},
			{Path: "日本語/😀.txt", Data: []byte("beyond 16 bits")},
			{Path: "a/b/c/d/e/f/g/h/deep.txt", Data: []byte("deep")},
		},
	}
	for i := range 300 {
		im.Files = append(im.Files, File{Path: fmt.Sprintf("many/a file of many, number %03d.dat", i), Data: noise(i*7, uint64(i))})
	}
	return im
}

// write puts an image into a new file.
func write(t testing.TB, im *Image) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stick.img")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := im.Write(f); err != nil {
		t.Fatal(err)
	}
	return path
}

// readBack reads an image file.
func readBack(t testing.TB, path string) *Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	im, err := Read(f, size)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// memory is a disk in memory of which only what was written takes room.
type memory struct {
	pages map[int64]*[4096]byte
	zeros [4096]byte
	size  int64
}

func newMemory(size int64) *memory { return &memory{pages: map[int64]*[4096]byte{}, size: size} }

func (m *memory) WriteAt(p []byte, at int64) (int, error) {
	for i := 0; i < len(p); {
		number, from := (at+int64(i))/4096, int((at+int64(i))%4096)
		n := min(4096-from, len(p)-i)
		page := m.pages[number]
		if page == nil && !bytes.Equal(p[i:i+n], m.zeros[:n]) {
			page = new([4096]byte)
			m.pages[number] = page
		}
		if page != nil {
			copy(page[from:], p[i:i+n])
		}
		i += n
	}
	return len(p), nil
}

func (m *memory) ReadAt(p []byte, at int64) (int, error) {
	for i := 0; i < len(p); {
		if at+int64(i) >= m.size {
			return i, io.EOF
		}
		n := min(4096-int((at+int64(i))%4096), len(p)-i, int(min(m.size-at-int64(i), 4096)))
		if page := m.pages[(at+int64(i))/4096]; page != nil {
			copy(p[i:i+n], page[(at+int64(i))%4096:])
		} else {
			clear(p[i : i+n])
		}
		i += n
	}
	return len(p), nil
}
