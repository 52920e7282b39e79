package hivetest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sfdiskPart is what sfdisk --json says of a partition, in sectors.
type sfdiskPart struct {
	Start, Size int64
	Type, Name  string
	Bootable    bool
}

// sfdisk verifies a disk and returns its table.
func sfdisk(t *testing.T, image []byte) (label string, parts []sfdiskPart) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(file, image, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := judge(t, "sfdisk", "--verify", file); err != nil || !strings.Contains(out, "No errors detected") {
		t.Errorf("sfdisk --verify: %v:\n%s", err, out)
	}
	out, err := judge(t, "sfdisk", "--json", file)
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		PartitionTable struct {
			Label      string
			Partitions []sfdiskPart
		}
	}
	if err := json.Unmarshal([]byte(out), &table); err != nil {
		t.Fatal(err)
	}
	return table.PartitionTable.Label, table.PartitionTable.Partitions
}

const mib = 1 << 20

func TestBuildMBR(t *testing.T) {
	image, err := BuildMBR([]Part{
		{Start: mib, Data: []byte("first"), Active: true},
		{Start: 2 * mib, Data: noise(mib), Type: 0x83},
		{Start: 4 * mib, Data: []byte("logical"), Logical: true},
		{Start: 6 * mib, Data: noise(mib), Logical: true, Type: 0x0B},
		{Start: 8 * mib, Data: []byte("last logical"), Logical: true},
		{Start: 9 * mib, Data: []byte("primary behind them")},
	}, 10*mib)
	if err != nil {
		t.Fatal(err)
	}
	label, parts := sfdisk(t, image)
	want := []sfdiskPart{
		{Start: 2048, Size: 1, Type: "7", Bootable: true},
		{Start: 4096, Size: 2048, Type: "83"},
		{Start: 18432, Size: 1, Type: "7"},
		{Start: 6144, Size: 16385 - 6144, Type: "f"},
		{Start: 8192, Size: 1, Type: "7"},
		{Start: 12288, Size: 2048, Type: "b"},
		{Start: 16384, Size: 1, Type: "7"},
	}
	if diff := cmp.Diff(want, parts); diff != "" || label != "dos" {
		t.Errorf("sfdisk sees a %q table (-want +got):\n%s", label, diff)
	}
	if !bytes.HasPrefix(image[8*mib:], []byte("last logical")) {
		t.Error("content of the last logical partition is not there")
	}
}

func TestBuildGPT(t *testing.T) {
	image, err := BuildGPT([]Part{
		{Start: mib, Data: []byte("first"), GUID: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", Name: "EFI 日本"},
		{Start: 2 * mib, Data: noise(mib)},
	}, 4*mib)
	if err != nil {
		t.Fatal(err)
	}
	label, parts := sfdisk(t, image)
	want := []sfdiskPart{
		{Start: 2048, Size: 1, Type: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", Name: "EFI 日本"},
		{Start: 4096, Size: 2048, Type: guidBasicData},
	}
	if diff := cmp.Diff(want, parts); diff != "" || label != "gpt" {
		t.Errorf("sfdisk sees a %q table (-want +got):\n%s", label, diff)
	}
	// The second copy alone must do, too.
	clear(image[512:1024])
	if _, parts := sfdisk(t, image); cmp.Diff(want, parts) != "" {
		t.Errorf("from the second copy sfdisk reads %+v, want %+v", parts, want)
	}
}

func TestBuildDiskErrors(t *testing.T) {
	one := []byte{1}
	for _, tt := range []struct {
		name  string
		parts []Part
		want  string
	}{
		{"at the table", []Part{{Start: 0, Data: one}}, "no room"},
		{"unaligned", []Part{{Start: mib + 1, Data: one}}, "no room"},
		{"beyond the end", []Part{{Start: 4*mib - 512, Data: make([]byte, 513)}}, "no room"},
		{"overlap", []Part{{Start: mib, Data: make([]byte, 513)}, {Start: mib + 512, Data: one}}, "no room"},
		{"empty", []Part{{Start: mib}}, "no room"},
	} {
		for name, build := range map[string]func([]Part, int64) ([]byte, error){"MBR": BuildMBR, "GPT": BuildGPT} {
			if got, err := build(tt.parts, 4*mib); err == nil || !strings.Contains(err.Error(), tt.want) || got != nil {
				t.Errorf("%s %s: %d bytes, %v, want error with %q", name, tt.name, len(got), err, tt.want)
			}
		}
	}
	for _, tt := range []struct {
		name  string
		parts []Part
		want  string
	}{
		{"no room for the EBR", []Part{{Start: mib, Data: one}, {Start: mib + 512*2048, Data: one, Logical: true}}, "no room"},
		{"five", []Part{{Start: 512, Data: one}, {Start: 1024, Data: one}, {Start: 1536, Data: one}, {Start: 2048, Data: one},
			{Start: 2560, Data: one}}, "5 primary partitions"},
		{"primary inside", []Part{{Start: 2 * mib, Data: one, Logical: true}, {Start: 2*mib + 512, Data: one},
			{Start: 3*mib + 1024, Data: one, Logical: true}}, "between logical ones"},
	} {
		if got, err := BuildMBR(tt.parts, 4*mib); err == nil || !strings.Contains(err.Error(), tt.want) || got != nil {
			t.Errorf("%s: BuildMBR = %d bytes, %v, want error with %q", tt.name, len(got), err, tt.want)
		}
	}
	if got, err := BuildGPT([]Part{{Start: mib, Data: one, GUID: "x"}}, 4*mib); err == nil || got != nil {
		t.Errorf("BuildGPT with a bad GUID = %d bytes, %v, want error", len(got), err)
	}
}

func TestSampleDisk(t *testing.T) {
	system, err := Build(Win7(""), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for table, start := range map[string]int64{"mbr": 5 * mib, "gpt": 5 * mib, "none": 0} {
		image, err := SampleDisk(system, table, 3)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "windows")
		if err := os.WriteFile(file, image[start:], 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := judge(t, "ntfscat", "-f", file, "Windows/System32/config/SYSTEM"); err != nil || out != string(system) {
			t.Errorf("%s: ntfscat SYSTEM: %v, %d bytes, want %d", table, err, len(out), len(system))
		}
		if table == "none" {
			continue
		}
		if _, parts := sfdisk(t, image); len(parts) != 2 || parts[1].Start*sectorSize != start {
			t.Errorf("%s: partitions %+v, want the second at %d", table, parts, start)
		}
	}
	if got, err := SampleDisk(system, "apm", 1); err == nil || got != nil {
		t.Errorf("SampleDisk with table apm = %d bytes, %v, want error", len(got), err)
	}
}
