package image

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestBareVolume(t *testing.T) {
	hive := hiveBytes(700_416)
	img := makeNTFS(t, 40<<20, func(root string) { writeWindows(t, root, hive) })
	need(t, "ntfscat")
	s := open(t, img)
	if s.Kind() != KindImage || len(s.Problems()) != 0 || s.SectorSize() != 512 {
		t.Fatalf("kind %v, sectors %d, problems %v", s.Kind(), s.SectorSize(), s.Problems())
	}
	in := only(t, s)
	if want := img + ":/Windows"; in.Label != want {
		t.Errorf("Label = %q, want %q", in.Label, want)
	}
	f := openFile(t, in, "system")
	if want := img + ":/Windows/System32/config/SYSTEM"; f.Label() != want {
		t.Errorf("Label() = %q, want %q", f.Label(), want)
	}
	if got := readAll(t, f); !bytes.Equal(got, hive) {
		t.Error("content differs from what was written")
	}
	if got := run(t, "ntfscat", img, "/Windows/System32/config/SYSTEM"); !bytes.Equal(got, hive) {
		t.Error("ntfscat reads something else")
	}
	if err := s.Refusal(in); err != nil {
		t.Errorf("Refusal() = %v, want nil", err)
	}
	if err := openFile(t, in, "SYSTEM.LOG1").UsableAsLog(f); err != nil {
		t.Errorf("UsableAsLog() = %v, want nil", err)
	}
}

func TestWriteInPlace(t *testing.T) {
	hive := hiveBytes(700_416)
	img := makeNTFS(t, 40<<20, func(root string) { writeWindows(t, root, hive) })
	before, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, img)
	f := openFile(t, only(t, s), "SYSTEM")
	patch := bytes.Repeat([]byte{0xA5}, 1024)
	if _, err := f.WriteAt(patch, 512*77); err == nil {
		t.Fatal("WriteAt before BeginWrite succeeded")
	}
	if err := s.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(patch, 512*77); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := f.DropCache(); err != nil {
		t.Fatal(err)
	}
	copy(hive[512*77:], patch)
	if !bytes.Equal(readAll(t, f), hive) {
		t.Error("the file is not what was written")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "ntfscat", img, "/Windows/System32/config/SYSTEM"); !bytes.Equal(got, hive) {
		t.Error("ntfscat does not see the change")
	}
	after, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	if n := sectorsChanged(before, after); n != 2 {
		t.Errorf("%d sectors changed, want 2", n)
	}
	if out := run(t, "ntfsfix", "-n", img); !strings.Contains(string(out), "processed successfully") {
		t.Errorf("ntfsfix: %s", out)
	}
}

func sectorsChanged(a, b []byte) int {
	n := 0
	for i := 0; i < len(a); i += sectorSize {
		if !bytes.Equal(a[i:i+sectorSize], b[i:i+sectorSize]) {
			n++
		}
	}
	return n
}

// place copies a volume into a disk image at a sector.
func place(t testing.TB, disk, volume string, sector int64) {
	t.Helper()
	f, err := os.OpenFile(disk, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(mustRead(t, volume), sector*sectorSize); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDisks(t *testing.T) {
	hive := hiveBytes(hiveSize)
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hive) })
	const sectors = 16 << 20 / 512
	tests := []struct {
		name, script string
		index        int
		at           int64
	}{
		{"mbr", "label: dos\nstart=2048,size=2048,type=7\nstart=8192,size=%d,type=7,bootable\n", 2, 8192},
		{"logical", "label: dos\nstart=2048,size=2048,type=7\nstart=8192,size=40960,type=f\nstart=8255,size=%d,type=7\n", 5, 8255},
		{"gpt", "label: gpt\nstart=2048,size=2048,type=U\nstart=8192,size=%d,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n", 2, 8192},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			img := sfdisk(t, 28<<20, fmt.Sprintf(tt.script, sectors))
			place(t, img, volume, tt.at)
			before := mustRead(t, img)
			s := open(t, img)
			in := only(t, s)
			if want := fmt.Sprintf("%s:%d/Windows", img, tt.index); in.Label != want || in.Volume.Index != tt.index {
				t.Errorf("Label = %q, want %q", in.Label, want)
			}
			if v := s.Volumes(); len(v) != 2 || v[0].Kind != VolumeOther || v[1].Kind != VolumeNTFS || v[1].Offset != tt.at*512 {
				t.Errorf("volumes %+v", v)
			}
			f := openFile(t, in, "SYSTEM")
			if !bytes.Equal(readAll(t, f), hive) {
				t.Error("content differs")
			}
			if err := s.Refusal(in); err != nil {
				t.Errorf("Refusal() = %v", err)
			}
			if err := s.BeginWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt(make([]byte, 4096), 8192); err != nil {
				t.Fatal(err)
			}
			want := bytes.Clone(before)
			clear(want[f.Extents()[0].DeviceOffset+8192:][:4096])
			if !bytes.Equal(mustRead(t, img), want) {
				t.Error("something else changed than 4096 bytes of the hive")
			}
		})
	}
}

func TestTwoWindowsOnOneDisk(t *testing.T) {
	img := sfdisk(t, 40<<20, "label: dos\nstart=2048,size=32768,type=7\nstart=36864,size=32768,type=7\n")
	for i, name := range []string{"Windows", "WINNT"} {
		place(t, img, makeNTFS(t, 16<<20, func(root string) {
			write(t, hiveBytes(8192+512*i), root, name, "System32/config/SYSTEM")
		}), int64(2048+i*34816))
	}
	all := open(t, img).Installations()
	if len(all) != 2 || all[0].Label != img+":1/Windows" || all[1].Label != img+":2/WINNT" {
		t.Errorf("installations %v", all)
	}
}

func TestCutDisk(t *testing.T) {
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(hiveSize)) })
	img := sfdisk(t, 20<<20, "label: dos\nstart=2048,size=32768,type=7\n")
	place(t, img, volume, 2048)
	e := openFile(t, only(t, open(t, img)), "SYSTEM").Extents()
	if err := os.Truncate(img, e[0].DeviceOffset+8192); err != nil {
		t.Fatal(err)
	}
	s := open(t, img)
	in := only(t, s)
	if err := s.Refusal(in); !errors.Is(err, ErrDamaged) {
		t.Errorf("Refusal() = %v, want ErrDamaged", err)
	}
	if len(s.Problems()) != 1 || !strings.Contains(s.Problems()[0].Error(), img+":1") {
		t.Errorf("Problems() = %v", s.Problems())
	}
	f := openFile(t, in, "SYSTEM")
	if _, err := f.ReadAt(make([]byte, f.Size()), 0); !errors.Is(err, ErrDamaged) {
		t.Errorf("ReadAt = %v, want ErrDamaged", err)
	}
}

func TestMemberDisk(t *testing.T) {
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	tests := []struct {
		name string
		typ  string
		mark string // in the second to last sector
		want error
	}{
		{"Intel", "7", "Intel Raid ISM Cfg Sig. 1.1", ErrRaidMember},
		{"dynamic", "42", "", ErrDynamicDisk},
	}
	for _, tt := range tests {
		img := sfdisk(t, 20<<20, "label: dos\nstart=2048,size=32768,type="+tt.typ+"\n")
		place(t, img, volume, 2048)
		b := mustRead(t, img)
		copy(b[len(b)-1024:], tt.mark)
		write(t, b, img)
		s := open(t, img)
		in := only(t, s)
		readAll(t, openFile(t, in, "SYSTEM"))
		if err := s.Refusal(in); !errors.Is(err, tt.want) {
			t.Errorf("%s: Refusal() = %v, want %v", tt.name, err, tt.want)
		}
		if err := s.BeginWrite(); !errors.Is(err, tt.want) {
			t.Errorf("%s: BeginWrite() = %v, want %v", tt.name, err, tt.want)
		}
	}
}

// The image of a disk with 4096-byte sectors: its GPT says so.
func TestLargeSectors(t *testing.T) {
	b := make([]byte, 512*4096)
	copy(b, bootSectorOf(mbrEntry{0, 0xEE, 1, 63}))
	copy(b[4096:], "EFI PART")
	s := open(t, write(t, b, t.TempDir(), "disk.img"))
	if s.SectorSize() != 4096 {
		t.Errorf("SectorSize() = %d, want 4096", s.SectorSize())
	}
	if err := s.BeginWrite(); !errors.Is(err, ErrSectorSize) {
		t.Errorf("BeginWrite() = %v, want ErrSectorSize", err)
	}
}

// A damaged volume is a problem, not the end: the others are still used.
func TestDamagedNeighbour(t *testing.T) {
	img := sfdisk(t, 40<<20, "label: dos\nstart=2048,size=32768,type=7\nstart=36864,size=32768,type=7\n")
	volume := makeNTFS(t, 16<<20, func(root string) { writeWindows(t, root, hiveBytes(8192)) })
	place(t, img, volume, 2048)
	place(t, img, volume, 36864)
	b := mustRead(t, img)
	clear(b[2048*512+512 : 2048*512+8<<20]) // all of the first MFT
	write(t, b, img)
	s := open(t, img)
	if in := only(t, s); in.Volume.Index != 2 {
		t.Errorf("found on volume %d", in.Volume.Index)
	}
	if len(s.Problems()) != 1 || !errors.Is(s.Problems()[0], ErrDamaged) || !strings.HasPrefix(s.Problems()[0].Error(), img+":1: ") {
		t.Errorf("Problems() = %v", s.Problems())
	}
}
