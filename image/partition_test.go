package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mbrEntry is one entry of a boot record, in sectors.
type mbrEntry struct {
	flag, typ   byte
	start, size uint32
}

// bootSectorOf makes an MBR or EBR.
func bootSectorOf(entries ...mbrEntry) []byte {
	b := make([]byte, sectorSize)
	for i, e := range entries {
		p := b[446+16*i:]
		p[0], p[4] = e.flag, e.typ
		binary.LittleEndian.PutUint32(p[8:], e.start)
		binary.LittleEndian.PutUint32(p[12:], e.size)
	}
	b[510], b[511] = 0x55, 0xAA
	return b
}

// diskOf is an empty disk of n sectors with some of them filled.
func diskOf(n int, at map[int][]byte) []byte {
	b := make([]byte, n*sectorSize)
	for i, data := range at {
		copy(b[i*sectorSize:], data)
	}
	return b
}

// show gives partitions as index:offset+size in sectors, problems as text.
func show(b []byte) (parts []string, problems []string) {
	list, errs := readPartitions(bytes.NewReader(b), int64(len(b)), sectorSize)
	for _, p := range list {
		s := fmt.Sprintf("%d:%d+%d", p.index, p.offset/sectorSize, p.size/sectorSize)
		if p.dynamic {
			s += " dynamic"
		}
		parts = append(parts, s)
	}
	for _, err := range errs {
		if !errors.Is(err, ErrDamaged) {
			err = fmt.Errorf("not ErrDamaged: %w", err)
		}
		problems = append(problems, err.Error())
	}
	return parts, problems
}

func TestReadMBR(t *testing.T) {
	tests := []struct {
		name    string
		disk    []byte
		want    []string
		problem string // part of the only problem; "" for none
	}{
		{"no table", diskOf(64, nil), nil, ""},
		{"primary", diskOf(100, map[int][]byte{0: bootSectorOf(mbrEntry{0x80, 7, 10, 20}, mbrEntry{0, 7, 40, 60})}),
			[]string{"1:10+20", "2:40+60"}, ""},
		{"out of order, with a gap", diskOf(100, map[int][]byte{0: bootSectorOf(mbrEntry{}, mbrEntry{0, 7, 60, 20}, mbrEntry{}, mbrEntry{0, 7, 20, 20})}),
			[]string{"4:20+20", "2:60+20"}, ""},
		{"dynamic", diskOf(100, map[int][]byte{0: bootSectorOf(mbrEntry{0, 0x42, 10, 20})}), []string{"1:10+20 dynamic"}, ""},
		{"boot flag", diskOf(100, map[int][]byte{0: bootSectorOf(mbrEntry{0x80, 7, 10, 20}, mbrEntry{0x12, 7, 40, 10})}),
			nil, "entry 2 has boot flag 0x12"},
		{"beyond the disk", diskOf(100, map[int][]byte{0: bootSectorOf(mbrEntry{0, 7, 10, 20}, mbrEntry{0, 7, 100, 10})}),
			[]string{"1:10+20"}, "partition 2, 5120 bytes at 51200: not on the disk"},
		{"on the table", diskOf(100, map[int][]byte{0: bootSectorOf(mbrEntry{0, 7, 0, 20})}), nil, "not on the disk"},
		{"ends too late", diskOf(100, map[int][]byte{0: bootSectorOf(mbrEntry{0, 7, 10, 200})}), []string{"1:10+200"}, ""},
		{"empty entry", diskOf(100, map[int][]byte{0: bootSectorOf(mbrEntry{0, 7, 10, 0}, mbrEntry{0, 7, 20, 10})}),
			[]string{"2:20+10"}, "partition 1, 0 bytes at 5120: empty"},
		{"largest numbers", diskOf(100, map[int][]byte{0: bootSectorOf(mbrEntry{0, 7, 0xFFFFFFFF, 0xFFFFFFFF})}), nil, "not on the disk"},
		{"logical", diskOf(200, map[int][]byte{
			0:  bootSectorOf(mbrEntry{0, 7, 10, 20}, mbrEntry{0, 0x0F, 50, 150}),
			50: bootSectorOf(mbrEntry{0, 7, 2, 20}, mbrEntry{0, 5, 40, 40}),
			90: bootSectorOf(mbrEntry{0, 7, 2, 30})}),
			[]string{"1:10+20", "5:52+20", "6:92+30"}, ""},
		{"two extended partitions", diskOf(300, map[int][]byte{
			0:   bootSectorOf(mbrEntry{0, 0x05, 50, 50}, mbrEntry{0, 0x85, 150, 50}),
			50:  bootSectorOf(mbrEntry{0, 7, 2, 20}),
			150: bootSectorOf(mbrEntry{0, 7, 2, 20})}),
			[]string{"5:52+20", "6:152+20"}, ""},
		{"endless chain", diskOf(200, map[int][]byte{
			0:  bootSectorOf(mbrEntry{0, 0x05, 50, 150}),
			50: bootSectorOf(mbrEntry{0, 7, 2, 20}, mbrEntry{0, 5, 40, 40}),
			90: bootSectorOf(mbrEntry{0, 7, 2, 20}, mbrEntry{0, 5, 0, 40})}),
			[]string{"5:52+20", "6:92+20"}, "extended partition 1: chain of logical partitions at 25600 does not end"},
		{"broken chain", diskOf(200, map[int][]byte{
			0:  bootSectorOf(mbrEntry{0, 0x05, 50, 150}),
			50: bootSectorOf(mbrEntry{0, 7, 2, 20}, mbrEntry{0, 5, 40, 40})}),
			[]string{"5:52+20"}, "logical partition at 46080 has no signature"},
		{"chain leaves", diskOf(200, map[int][]byte{
			0:  bootSectorOf(mbrEntry{0, 0x05, 50, 100}),
			50: bootSectorOf(mbrEntry{0, 7, 2, 20}, mbrEntry{0, 5, 120, 40})}),
			[]string{"5:52+20"}, "leads out of the extended partition"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := show(tt.disk)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("partitions (-want +got):\n%s", diff)
			}
			text := strings.Join(problems, "\n")
			if !strings.Contains(text, tt.problem) || (tt.problem == "") != (text == "") || len(problems) > 1 {
				t.Errorf("problems = %q, want one with %q", problems, tt.problem)
			}
		})
	}
}

func TestOverlappingPartitions(t *testing.T) {
	b := diskOf(100, map[int][]byte{0: bootSectorOf(mbrEntry{0, 7, 10, 20}, mbrEntry{0, 7, 25, 10}, mbrEntry{0, 7, 60, 10})})
	got, problems := show(b)
	if diff := cmp.Diff([]string{"3:60+10"}, got); diff != "" {
		t.Errorf("partitions (-want +got):\n%s", diff)
	}
	if len(problems) != 2 {
		t.Errorf("problems = %q, want two", problems)
	}
}

// sfdisk partitions an image file by a script.
func sfdisk(t testing.TB, size int64, script string) string {
	t.Helper()
	need(t, "sfdisk")
	img := filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(img, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(img, size); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sfdisk", "-q", img)
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sfdisk: %v\n%s", err, out)
	}
	return img
}

func TestLikeSfdisk(t *testing.T) {
	tests := []struct {
		name, script string
		want         []string
	}{
		{"mbr", "label: dos\nstart=2048,size=4096,type=7,bootable\nstart=8192,size=32768,type=f\nstart=10240,size=2048,type=7\nstart=14336,size=4096,type=7\n",
			[]string{"1:2048+4096", "5:10240+2048", "6:14336+4096"}},
		{"gpt", "label: gpt\nstart=2048,size=4096,type=U\nstart=8192,size=8192,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n",
			[]string{"1:2048+4096", "2:8192+8192"}},
		{"gpt with dynamic partitions", "label: gpt\nstart=2048,size=2048,type=5808C8AA-7E8F-42E0-85D2-E1E90434CFB3\nstart=8192,size=8192,type=AF9B60A0-1431-4F62-BC68-3311714A69AD\n",
			[]string{"1:2048+2048 dynamic", "2:8192+8192 dynamic"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := os.ReadFile(sfdisk(t, 32<<20, tt.script))
			if err != nil {
				t.Fatal(err)
			}
			got, problems := show(b)
			if diff := cmp.Diff(tt.want, got); diff != "" || len(problems) > 0 {
				t.Errorf("partitions (-want +got):\n%s\nproblems %q", diff, problems)
			}
		})
	}
}

// gptDisk makes a disk with one GPT partition from sector 64 to 127 by hand.
func gptDisk(sectors int, count, size uint32) []byte {
	b := make([]byte, sectors*sectorSize)
	copy(b, bootSectorOf(mbrEntry{0, 0xEE, 1, uint32(sectors - 1)}))
	entries := b[2*sectorSize:][:32*sectorSize]
	copy(entries, "\xa2\xa0\xd0\xeb\xe5\xb9\x33\x44\x87\xc0\x68\xb6\xb7\x26\x99\xc7")
	entries[16] = 1
	binary.LittleEndian.PutUint64(entries[32:], 64)
	binary.LittleEndian.PutUint64(entries[40:], 127)
	copy(b[(sectors-33)*sectorSize:], entries)
	header := func(at, other, table int) {
		h := b[at*sectorSize:]
		copy(h, "EFI PART\x00\x00\x01\x00\x5c\x00\x00\x00")
		for i, v := range []int{at, other, 34, sectors - 34} {
			binary.LittleEndian.PutUint64(h[24+8*i:], uint64(v))
		}
		binary.LittleEndian.PutUint64(h[72:], uint64(table))
		binary.LittleEndian.PutUint32(h[80:], count)
		binary.LittleEndian.PutUint32(h[84:], size)
		binary.LittleEndian.PutUint32(h[88:], crc32.ChecksumIEEE(entries))
		binary.LittleEndian.PutUint32(h[16:], crc32.ChecksumIEEE(h[:92]))
	}
	header(1, sectors-1, 2)
	header(sectors-1, 1, sectors-33)
	return b
}

func TestReadGPT(t *testing.T) {
	whole := gptDisk(512, 128, 128)
	broken := bytes.Clone(whole)
	broken[sectorSize+40]++ // checksum no longer right
	noSignature := bytes.Clone(whole)
	clear(noSignature[sectorSize : 2*sectorSize])
	both := bytes.Clone(broken)
	clear(both[511*sectorSize:])
	remade := bytes.Clone(whole)
	copy(remade, bootSectorOf(mbrEntry{0x80, 7, 200, 50}))
	hybrid := bytes.Clone(whole)
	copy(hybrid, bootSectorOf(mbrEntry{0, 7, 64, 64}, mbrEntry{0, 0xEE, 1, 63}))
	tests := []struct {
		name    string
		disk    []byte
		want    []string
		problem string
	}{
		{"whole", whole, []string{"1:64+64"}, ""},
		{"first header broken", broken, []string{"1:64+64"}, "its backup is used"},
		{"first header gone", noSignature, []string{"1:64+64"}, "its backup is used"},
		{"both broken", both, nil, "reading GPT"},
		{"old GPT under a new MBR", remade, []string{"1:200+50"}, ""},
		{"hybrid", hybrid, []string{"1:64+64"}, ""},
		{"too many entries", gptDisk(512, 1<<30, 128), nil, "1073741824 entries of 128 bytes"},
		{"entries without size", gptDisk(512, 128, 0), nil, "128 entries of 0 bytes"},
		{"large entries", gptDisk(512, 128, 1<<31), nil, "bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := show(tt.disk)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("partitions (-want +got):\n%s", diff)
			}
			text := strings.Join(problems, "\n")
			if !strings.Contains(text, tt.problem) || (tt.problem == "") != (text == "") {
				t.Errorf("problems = %q, want %q", problems, tt.problem)
			}
		})
	}
}

func TestFindMembers(t *testing.T) {
	const sectors = 8192
	tests := []struct {
		name string
		off  int
		data string
		want error
	}{
		{"none", 0, "", nil},
		{"Intel", (sectors - 2) * 512, "Intel Raid ISM Cfg Sig. 1.0.00", ErrRaidMember},
		{"Intel in the wrong place", (sectors - 3) * 512, "Intel Raid ISM Cfg Sig. 1.0.00", nil},
		{"DDF", (sectors - 1) * 512, "\xDE\x11\xDE\x11", ErrRaidMember},
		{"NVIDIA", (sectors - 2) * 512, "NVIDIA  ", ErrRaidMember},
		{"Promise", (sectors - 63) * 512, "Promise Technology, Inc.", ErrRaidMember},
		{"LDM on an MBR disk", 6 * 512, "PRIVHEAD", ErrDynamicDisk},
		{"LDM at the end", (sectors - 1) * 512, "PRIVHEAD", ErrDynamicDisk},
		{"LDM in its database", (sectors - 192) * 512, "PRIVHEAD", ErrDynamicDisk},
		{"Linux RAID 1.2", 4096, mdMagic + "\x01\x00\x00\x00", ErrRaidMember},
		{"Linux RAID 1.0", sectors*512 - 8192, mdMagic + "\x01\x00\x00\x00", ErrRaidMember},
		{"Linux RAID 0.90", sectors*512 - 65536, mdMagic + "\x00\x00\x00\x00\x5a", ErrRaidMember},
		{"Linux RAID magic alone", 4096, mdMagic + "\x77", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := make([]byte, sectors*512)
			copy(b[tt.off:], tt.data)
			err := errors.Join(findMembers(bytes.NewReader(b), int64(len(b)), 512)...)
			if (err == nil) != (tt.want == nil) || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("findMembers = %v, want %v", err, tt.want)
			}
		})
	}
}
