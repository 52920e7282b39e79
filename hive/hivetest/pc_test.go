package hivetest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPC: what is said of a PC is on its volume, and in its folder, and what is
// taken away is not.
func TestPC(t *testing.T) {
	dump := time.Date(2018, 5, 10, 8, 16, 5, 0, time.UTC)
	pc := PC{
		Kernel: [4]uint16{6, 1, 7601, 24024},
		Files: []NTFSFile{
			{Path: "Windows/Minidump/051018-15600-01.dmp", Data: Dump32(0x7E, dump), Modified: dump},
			{Path: "windows/system32/DRIVERS/HASPNT.SYS", Data: []byte("another")},
		},
		Without: []string{"windows/system32/drivers/hardlock.sys", "Program Files"},
	}
	data, err := pc.Volume()
	if err != nil {
		t.Fatal(err)
	}
	volume, folder := writeFile(t, data), t.TempDir()
	if err := pc.Folder(folder); err != nil {
		t.Fatal(err)
	}
	kernel := PESized(0x014C, pc.Kernel, 65536)
	for path, want := range map[string][]byte{
		"Windows/System32/ntkrnlpa.exe":         kernel,
		"Windows/System32/drivers/Haspnt.sys":   []byte("another"),
		"Windows/Minidump/051018-15600-01.dmp":  Dump32(0x7E, dump),
		"Boot/memtest.exe":                      PE(0x014C, [4]uint16{6, 1, 7601, 17514}),
		"Windows/System32/drivers/hardlock.sys": nil,
		"Program Files":                         nil,
	} {
		out, err := judge(t, "ntfscat", "-f", volume, path)
		if want == nil && err == nil || want != nil && (err != nil || out != string(want)) {
			t.Errorf("ntfscat %s: %v, %d bytes, want %d", path, err, len(out), len(want))
		}
		if got, err := os.ReadFile(filepath.Join(folder, path)); (err == nil) != (want != nil) || !bytes.Equal(got, want) {
			t.Errorf("in the folder %s has %d bytes, %v, want %d", path, len(got), err, len(want))
		}
	}
	out, err := judge(t, "ntfsinfo", "-f", "-F", "/Windows/bootstat.dat", volume)
	if want := "File Altered Time:\t Thu May 10 08:15:00 2018"; err != nil || !strings.Contains(out, want) {
		t.Errorf("ntfsinfo of bootstat.dat: %v, no %q:\n%s", err, want, out)
	}
	if info, err := os.Stat(filepath.Join(folder, "Windows/bootstat.dat")); err != nil || !info.ModTime().Equal(usualBoot) {
		t.Errorf("bootstat.dat in the folder: %v, %v", info, err)
	}
}

// TestPCWithMuch: a folder of thousands of files and a file of 60 MB.
func TestPCWithMuch(t *testing.T) {
	pc := PC{Files: []NTFSFile{{Path: "Windows/System32/config/COMPONENTS", Data: noise(60 << 20), Fragments: 20}}}
	for i := range 4000 {
		pc.Files = append(pc.Files, NTFSFile{Path: fmt.Sprintf("Windows/System32/%04d.dll", i), Data: []byte("MZ"), Resident: true})
	}
	data, err := pc.Volume()
	if err != nil {
		t.Fatal(err)
	}
	volume := writeFile(t, data)
	if out, err := judge(t, "ntfscat", "-f", volume, "Windows/System32/config/COMPONENTS"); err != nil || out != string(noise(60<<20)) {
		t.Errorf("ntfscat COMPONENTS: %v, %d bytes", err, len(out))
	}
	out, err := judge(t, "ntfsls", "-f", "-p", "/Windows/System32", volume)
	if n := strings.Count(out, ".dll\n"); err != nil || n != 4000 {
		t.Errorf("ntfsls: %v, %d files, want 4000", err, n)
	}
	if out, err := judge(t, "ntfsresize", "--info", "--force", "--no-progress-bar", volume); err != nil {
		t.Errorf("ntfsresize --info: %v:\n%s", err, out)
	}
}
