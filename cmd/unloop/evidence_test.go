package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
	"unloop/hive/hivetest"
	"unloop/image"
)

// scanned scans the disk of a PC, or its folder, and returns the one result and the text
// for people.
func scanned(t *testing.T, pc hivetest.PC, folder bool) (*result, string) {
	t.Helper()
	target := filepath.Join(t.TempDir(), "pc")
	if folder {
		if err := pc.Folder(target); err != nil {
			t.Fatal(err)
		}
	} else {
		disk, err := pc.Disk("mbr")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, disk, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return scanTarget(t, target)
}

func scanTarget(t *testing.T, target string) (*result, string) {
	t.Helper()
	var data, text bytes.Buffer
	if code := run([]string{"unloop", "scan", "--format", "json", target}, strings.NewReader(""), &data, io.Discard); code != 0 {
		t.Fatalf("scan of %s = %d", target, code)
	}
	if code := run([]string{"unloop", "--lang", "en", "scan", target}, strings.NewReader(""), &text, io.Discard); code != 0 {
		t.Fatalf("scan of %s = %d", target, code)
	}
	var got struct{ Installations []*result }
	if err := json.Unmarshal(data.Bytes(), &got); err != nil || len(got.Installations) != 1 {
		t.Fatalf("%d results, %v\n%s", len(got.Installations), err, data.Bytes())
	}
	return got.Installations[0], text.String()
}

// spelt has one line for each file.
func spelt(files []fileResult) (lines []string) {
	for _, f := range files {
		problem := ""
		if f.Problem != "" {
			problem = " unreadable"
		}
		lines = append(lines, strings.TrimSpace(f.Service+" "+f.Path+" "+f.Presence+" "+f.Version+" "+f.Machine)+problem)
	}
	return lines
}

// TestKernelsAndDrivers: what is there, what is not, and what cannot be told.
func TestKernelsAndDrivers(t *testing.T) {
	const system32 = "Windows/System32/"
	usual := []string{"System32/ntoskrnl.exe present 6.1.7601.24117 x86", "System32/ntkrnlpa.exe present 6.1.7601.24117 x86"}
	for _, tt := range []struct {
		name    string
		pc      hivetest.PC
		kernels []string
		drivers []string // some of them, the first ones
		verdict hive.Verdict
	}{
		{"usual", hivetest.PC{}, usual,
			[]string{"Hardlock system32/drivers/hardlock.sys present 3.42.0.0 x86", "Haspnt system32/drivers/Haspnt.sys present 4.97.0.0 x86"}, hive.Affected},
		{"a driver's file is missing", hivetest.PC{Without: []string{system32 + "drivers/hardlock.sys"}}, usual,
			[]string{"Hardlock system32/drivers/hardlock.sys absent", "Haspnt system32/drivers/Haspnt.sys present 4.97.0.0 x86"}, hive.Affected},
		{"a folder in its place", hivetest.PC{Without: []string{system32 + "drivers/hardlock.sys"},
			Files: []hivetest.NTFSFile{{Path: system32 + "drivers/hardlock.sys.d/x"}, {Path: system32 + "drivers/Hardlock.SYS/x"}}}, usual,
			[]string{"Hardlock system32/drivers/hardlock.sys absent"}, hive.Affected},
		{"files that are none", hivetest.PC{Files: []hivetest.NTFSFile{
			{Path: system32 + "ntoskrnl.exe", Data: []byte("MZ: not a kernel\n")}, {Path: system32 + "drivers/hardlock.sys"}}},
			[]string{"System32/ntoskrnl.exe present unreadable", usual[1]},
			[]string{"Hardlock system32/drivers/hardlock.sys present unreadable"}, hive.Affected},
		{"old kernels", hivetest.PC{Kernel: [4]uint16{6, 1, 7601, 24024}, SoftwareReg: hivetest.NoPackage(hivetest.RollupPackage(24117))},
			[]string{"System32/ntoskrnl.exe present 6.1.7601.24024 x86", "System32/ntkrnlpa.exe present 6.1.7601.24024 x86"},
			[]string{"Hardlock system32/drivers/hardlock.sys present 3.42.0.0 x86"}, hive.NotAffected},
		{"64 bit", hivetest.PC{Machine: 0x8664, Without: []string{system32 + "ntkrnlpa.exe"}, Files: []hivetest.NTFSFile{{Path: "Windows/SysWOW64/ntdll.dll"}}},
			[]string{"System32/ntoskrnl.exe present 6.1.7601.24117 x64", "System32/ntkrnlpa.exe absent"},
			[]string{"Hardlock system32/drivers/hardlock.sys present 3.42.0.0 x64"}, hive.NotAffected},
		{"no folder of drivers", hivetest.PC{Without: []string{system32 + "drivers"}}, usual,
			[]string{"Hardlock system32/drivers/hardlock.sys", "Haspnt system32/drivers/Haspnt.sys"}, hive.Affected},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, folder := range []bool{false, true} {
				r, _ := scanned(t, tt.pc, folder)
				if d := cmp.Diff(tt.kernels, spelt(r.System.Kernels)); d != "" {
					t.Errorf("folder %v: kernels (-want +got):\n%s", folder, d)
				}
				if d := cmp.Diff(tt.drivers, spelt(r.DriverFiles)[:len(tt.drivers)]); d != "" {
					t.Errorf("folder %v: drivers (-want +got):\n%s", folder, d)
				}
				if r.Verdict != tt.verdict {
					t.Errorf("folder %v: verdict %q, want %q", folder, r.Verdict, tt.verdict)
				}
			}
		})
	}
}

// TestCopyOfAPart: of a folder with nothing but the hives nothing is said to be missing.
func TestCopyOfAPart(t *testing.T) {
	dir := t.TempDir()
	pc := hivetest.PC{Without: []string{"Windows/System32/drivers", "Windows/System32/ntoskrnl.exe", "Windows/System32/ntkrnlpa.exe", "Windows/WinSxS"}}
	if err := pc.Folder(dir); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "Windows", "System32", "config")
	plain := filepath.Join(t.TempDir(), "copied")
	if err := os.Rename(config, plain); err != nil {
		t.Fatal(err)
	}
	r, _ := scanTarget(t, plain)
	if r.Verdict != hive.Affected || len(r.System.Kernels) > 0 || len(r.DriverFiles) > 0 || r.System.NX != "" || r.System.Product == "" {
		t.Errorf("config folder: %q, %+v, %v", r.Verdict, r.System, r.DriverFiles)
	}
	r, _ = scanTarget(t, filepath.Join(plain, "SYSTEM"))
	if r.Verdict != hive.Probable || r.System.Product != "" || len(r.DriverFiles) > 0 {
		t.Errorf("hive file: %q, %+v, %v", r.Verdict, r.System, r.DriverFiles)
	}
}

// TestDamagedEvidence: whatever is broken beside the SYSTEM hive is told, and a repair
// and its undo go on as if it were not there.
func TestDamagedEvidence(t *testing.T) {
	rubbish := bytes.Repeat([]byte("rubbish "), 4096)
	software, err := hivetest.SoftwareHive("")
	if err != nil {
		t.Fatal(err)
	}
	torn := bytes.Clone(software)
	for i := 8192; i < len(torn); i += 3 {
		torn[i] ^= 0x55
	}
	for _, tt := range []struct {
		name string
		pc   hivetest.PC
		want string
	}{
		{"SOFTWARE", hivetest.PC{Software: rubbish}, "the SOFTWARE hive could not be read"},
		{"SOFTWARE's cells", hivetest.PC{Software: torn}, "the SOFTWARE hive could not be read"},
		{"empty SOFTWARE", hivetest.PC{Files: []hivetest.NTFSFile{{Path: "Windows/System32/config/SOFTWARE"}}}, "the SOFTWARE hive could not be read"},
		{"BCD", hivetest.PC{BCD: rubbish}, "warning: reading BCD hive"},
		{"kernels", hivetest.PC{Files: []hivetest.NTFSFile{{Path: "Windows/System32/ntoskrnl.exe", Data: rubbish}, {Path: "Windows/System32/ntkrnlpa.exe"}}},
			`the kernel System32\ntkrnlpa.exe could not be read`},
		{"dumps", hivetest.PC{Files: []hivetest.NTFSFile{{Path: "Windows/MEMORY.DMP", Data: rubbish}, {Path: "Windows/Minidump/1.dmp"}, {Path: "Windows/Minidump/2.dmp/x"}}}, "verdict: affected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			disk, err := tt.pc.Disk("mbr")
			if err != nil {
				t.Fatal(err)
			}
			target, backups := filepath.Join(t.TempDir(), "pc.img"), t.TempDir()
			if err := os.WriteFile(target, disk, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, text := scanTarget(t, target); !strings.Contains(text, tt.want) {
				t.Errorf("the scan does not say %q:\n%s", tt.want, text)
			}
			for _, verb := range []string{"repair", "undo"} {
				var out bytes.Buffer
				if code := run([]string{"unloop", verb, "--yes", "--backup", backups, target}, strings.NewReader(""), &out, &out); code != 0 {
					t.Fatalf("%s = %d\n%s", verb, code, &out)
				}
			}
			if after, err := os.ReadFile(target); err != nil || !bytes.Equal(after, disk) {
				t.Errorf("after the undo the disk is not what it was: %v", err)
			}
		})
	}
}

// TestDumps: newest first by what their headers say, their code and date and no more.
func TestDumps(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2018, 5, n, 7, 30, 15, 0, time.UTC) }
	undated := hivetest.Dump32(0xD1, day(1))
	copy(undated[4032:], "PAGEPAGE")
	pc := hivetest.PC{Files: []hivetest.NTFSFile{
		{Path: "Windows/MEMORY.DMP", Data: hivetest.Dump32(0x7E, day(9))},
		{Path: "Windows/Minidump/050818-1.DMP", Data: hivetest.Dump32(0x50, day(8)), Modified: day(2)},
		{Path: "Windows/Minidump/051018-1.dmp", Data: undated, Modified: day(10)},
		{Path: "Windows/Minidump/notes.txt", Data: hivetest.Dump32(1, day(11))},
	}}
	want := []dumpResult{
		{"Minidump/051018-1.dmp", "0x000000D1", day(10)}, {"MEMORY.DMP", "0x0000007E", day(9)}, {"Minidump/050818-1.DMP", "0x00000050", day(8)},
	}
	for _, folder := range []bool{false, true} {
		r, _ := scanned(t, pc, folder)
		if d := cmp.Diff(want, r.Dumps); d != "" {
			t.Errorf("folder %v: dumps (-want +got):\n%s", folder, d)
		}
	}
}

// TestUpdatesAndPolicies: updates beyond those of the evidence are named, newest first
// and not without end, and the policy stands beside the setting.
func TestUpdatesAndPolicies(t *testing.T) {
	var reg strings.Builder
	for i, release := range hive.Releases()[1:20] {
		if release.Rollup != 0 {
			reg.WriteString(hivetest.Package(hivetest.RollupPackage(release.Build), hivetest.StateSuperseded, time.Date(2018, time.Month(3+i), 14, 3, 0, 0, 0, time.UTC)))
		}
	}
	reg.WriteString("\n[Policies\\Microsoft\\Windows\\WindowsUpdate\\AU]\n\"AUOptions\"=dword:00000003\n\"NoAutoUpdate\"=dword:00000001\n")
	r, text := scanned(t, hivetest.PC{SoftwareReg: reg.String()}, false)
	_, list, ok := strings.Cut(text, "    further updates of March 2018 or later\n")
	list, _, ok2 := strings.Cut(list, "\n    Windows Update\n")
	lines := strings.Split(list, "\n")
	if !ok || !ok2 || len(lines) != maxUpdateLines+1 || !strings.Contains(lines[0], "7601.24441") || !strings.HasPrefix(lines[maxUpdateLines], "      and ") {
		t.Errorf("updates:\n%s\nin\n%s", list, text)
	}
	for _, want := range []string{
		"      setting: AUOptions 4, downloads and installs updates by itself\n",
		"      policy, which wins over the setting: AUOptions 3, downloads updates and asks before it installs them\n",
		"      policy: NoAutoUpdate 1, automatic updates are off\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no line %q in\n%s", want, text)
		}
	}
	if au := r.AutoUpdate; au == nil || *au.Options != 4 || *au.PolicyOptions != 3 || *au.PolicyNoAutoUpdate != 1 {
		t.Errorf("autoUpdate %+v", au)
	}
}

// TestNoNames: no output names a person, wherever the name stands.
func TestNoNames(t *testing.T) {
	const driver = `"ImagePath"=str(2):"\\??\\C:\\Users\\hanako.secret\\hardlock.sys"`
	pc := hivetest.PC{
		SystemReg:   fmt.Sprintf("\n[ControlSet001\\services\\Hardlock]\n%s\n\n[ControlSet002\\services\\Hardlock]\n%s\n", driver, driver),
		SoftwareReg: "\n[Microsoft\\Windows\\CurrentVersion\\Uninstall\\x]\n\"DisplayName\"=\"HASP of C:\\\\Documents and Settings\\\\hanako.secret\\\\x\"\n",
	}
	disk, err := pc.Disk("mbr")
	if err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "pc.img")
	if err := os.WriteFile(target, disk, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"scan", "-v"}, {"scan", "--format", "json"}, {"scan", "--lang", "ja"}, {"repair", "--dry-run"}, {"repair", "--dry-run", "--format", "json"}} {
		var out bytes.Buffer
		if code := run(append(append([]string{"unloop"}, args...), target), strings.NewReader(""), &out, &out); code != 0 {
			t.Fatalf("%v = %d\n%s", args, code, &out)
		}
		if strings.Contains(strings.ToLower(out.String()), "hanako") {
			t.Errorf("%v names a person:\n%s", args, &out)
		}
		if args[0] == "scan" && !strings.Contains(out.String(), "hardlock.sys") {
			t.Errorf("%v does not tell the driver's file", args)
		}
	}
}

// TestDoubts: a CPU that Microsoft's check leaves alone, and other likely causes, are
// told before a repair.
func TestDoubts(t *testing.T) {
	const amd = `"PROCESSOR_IDENTIFIER"="x86 Family 16 Model 8 Stepping 0, AuthenticAMD"`
	pc := hivetest.PC{
		SystemReg: "\n[ControlSet001\\Control\\Session Manager\\Environment]\n" + amd + "\n",
		Files:     []hivetest.NTFSFile{{Path: "Windows/WinSxS/pending.xml", Data: []byte("<x/>")}},
	}
	dir := t.TempDir()
	if err := pc.Folder(dir); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := run([]string{"unloop", "--lang", "en", "repair", "--dry-run", dir}, strings.NewReader(""), io.Discard, &out); code != 0 {
		t.Fatalf("repair = %d\n%s", code, &out)
	}
	for _, want := range []string{"unloop: the CPU is an AMD", "unloop: other things that may make this PC restart or stop: 1;"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("repair does not say %q:\n%s", want, &out)
		}
	}
}

// TestLittleMemory: where SOFTWARE could fill the memory it is left alone, and said so.
func TestLittleMemory(t *testing.T) {
	dir := t.TempDir()
	if err := (hivetest.PC{}).Folder(dir); err != nil {
		t.Fatal(err)
	}
	src, err := image.Host{}.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for free, ok := range map[int64]bool{0: true, 1 << 30: true, 30_000: false} {
		s := (&gatherer{in: src.Installations()[0], free: free}).software()
		if s == nil || (s.Problem == "") != ok || (s.Product != "") != ok {
			t.Errorf("with %d bytes of memory: %+v", free, s)
		}
	}
}
