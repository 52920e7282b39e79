//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"unloop/hive/hivetest"
)

// packagesLike returns .reg text of the bulk of a real SOFTWARE hive: thousands of
// packages of Component Based Servicing, and classes of no interest.
func packagesLike(packages, classes int) string {
	var b strings.Builder
	for i := range packages {
		b.WriteString(hivetest.Package(fmt.Sprintf("Package_%d_for_KB%d~31bf3856ad364e35~x86~~6.1.1.%d", i%40, 2_500_000+i/40, i%7),
			hivetest.StateInstalled, time.Date(2017, 1, 1+i%300, 3, 0, 0, 0, time.UTC)))
	}
	for i := range classes {
		fmt.Fprintf(&b, "\n[Classes\\CLSID\\{%08x-0000-0000-C000-000000000046}\\InprocServer32]\n@=\"C:\\\\Windows\\\\System32\\\\library%d.dll\"\n\"ThreadingModel\"=\"Both\"\n", i, i)
	}
	return b.String()
}

// bigPC is a disk with the real SYSTEM hive of 16 MB, a SOFTWARE hive of 50 MB, kernels
// of 4 MB, and folders as full as those of a real PC.
func bigPC(t testing.TB) string {
	if _, err := os.Stat(realHivesDir()); err != nil {
		t.Skip("no real hives: set UNLOOP_TESTDATA")
	}
	system, err := (&realHives{dir: t.TempDir()}).read("win7-x86-hasp-SYSTEM")
	if err != nil {
		t.Fatal(err)
	}
	pc := hivetest.PC{System: system, SoftwareReg: packagesLike(4000, 110_000), KernelSize: 4 << 20}
	for i := range 3000 {
		pc.Files = append(pc.Files, hivetest.NTFSFile{Path: fmt.Sprintf("Windows/System32/library%d.dll", i), Data: []byte("MZ"), Resident: true})
	}
	for i := range 350 {
		pc.Files = append(pc.Files, hivetest.NTFSFile{Path: fmt.Sprintf("Windows/System32/drivers/driver%d.sys", i), Data: []byte("MZ"), Resident: true})
	}
	for i := range 10_000 {
		pc.Files = append(pc.Files, hivetest.NTFSFile{Path: fmt.Sprintf("Windows/winsxs/x86_microsoft-windows-component-%05d_31bf3856ad364e35_6.1.7601.17514_none_%016x", i, i), Resident: true})
	}
	data, err := pc.Disk("mbr")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// BenchmarkScan scans a disk as large as real ones in all that matters. The limit is a
// second.
func BenchmarkScan(b *testing.B) {
	disk := bigPC(b)
	for b.Loop() {
		var out bytes.Buffer
		if code := run([]string{"unloop", "scan", disk}, nil, &out, io.Discard); code != int(exitDone) || !strings.Contains(out.String(), "verdict: affected") {
			b.Fatalf("exit %d\n%s", code, out.String())
		}
	}
}
