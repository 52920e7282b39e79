package hivetest

import (
	"debug/pe"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func writeFile(t *testing.T, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestPE: the standard library and exiftool read what was put in, objdump finds
// nothing to complain of.
func TestPE(t *testing.T) {
	version := [4]uint16{6, 1, 7601, 24117}
	for _, tt := range []struct {
		name    string
		machine uint16
		size    int
		kind    string
		format  string
	}{
		{"x86 driver", 0x014C, 0, "PE32", "pei-i386"},
		{"x64 driver", 0x8664, 0, "PE32+", "pei-x86-64"},
		{"x86 kernel", 0x014C, 4 << 20, "PE32", "pei-i386"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := PESized(tt.machine, version, tt.size)
			if len(data) < tt.size || len(data) > tt.size+4096 {
				t.Errorf("PESized gives %d bytes, want about %d", len(data), tt.size)
			}
			file := writeFile(t, data)
			f, err := pe.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if f.Machine != tt.machine || len(f.Sections) != 2 || f.Section(".rsrc") == nil {
				t.Errorf("debug/pe reads machine %#x, %d sections", f.Machine, len(f.Sections))
			}
			out, err := judge(t, "exiftool", "-s3", "-PEType", "-FileVersionNumber", "-FileVersion", "-Subsystem", file)
			if want := tt.kind + "\n6.1.7601.24117\n6.1.7601.24117\nNative\n"; err != nil || out != want {
				t.Errorf("exiftool: %v, %q, want %q", err, out, want)
			}
			out, err = judge(t, "objdump", "-x", file)
			if err != nil || !strings.Contains(out, tt.format) || !strings.Contains(out, "Resources start at offset: 0x58") || strings.Contains(out, "orrupt") {
				t.Errorf("objdump -x: %v\n%s", err, out)
			}
		})
	}
}

func TestDump32(t *testing.T) {
	when := time.Date(2018, 4, 15, 9, 30, 0, 500, time.UTC)
	data := Dump32(0x7E, when)
	out, err := judge(t, "file", "-b", writeFile(t, data))
	if err != nil || !strings.Contains(out, "32bit crash dump, PAE") {
		t.Errorf("file: %v, %q", err, out)
	}
	if filetime(when)%10_000_000 != 5 || filetime(time.Unix(0, 0)) != 116444736000000000 {
		t.Errorf("filetime(%v) = %d", when, filetime(when))
	}
}
