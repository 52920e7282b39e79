//go:build linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive/hivetest"
)

const config = "Windows/System32/config/"

// pcFiles is the drive of a sick PC.
func pcFiles(system []byte) map[string][]byte {
	return map[string][]byte{config + "SYSTEM": system, config + "SYSTEM.LOG1": make([]byte, 262144), config + "SYSTEM.LOG2": {}}
}

// TestWinPE is unloop.exe and unloop.cmd as Windows runs them, as far as Wine is Windows.
func TestWinPE(t *testing.T) {
	w := newWine(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *wine)
	}{
		{"same bytes as on Linux", testSameBytes},
		{"drive letters", testDriveLetters},
		{"raw drives", testRawDrives},
		{"in use", testInUse},
		{"hibernated", testWinpeHibernated},
		{"read-only", testReadOnlyAttribute},
		{"backups", testBackupPlace},
		{"command script", testCmd},
		{"command script refuses", testCmdRefuses},
		{"generated script", testGeneratedScript},
		{"generated script of two hives", testScriptOfTwoHives},
		{"WinPE", testInWinPE}, // last: from here on the prefix is one
	} {
		t.Run(test.name, func(t *testing.T) {
			own := *w
			own.t = t
			own.clear()
			test.run(t, &own)
		})
	}
}

// twin is the same target twice: for Linux' unloop and for Windows'.
type twin struct {
	name, target string
	files        map[string][]byte
}

func twins(t *testing.T) []twin {
	t.Helper()
	system := buildHive(t, "", hivetest.Options{Slack: 65536})
	edited := buildHive(t, "[ControlSet001\\Control]\n\"CurrentUser\"=\"OTHERONE\"\n", hivetest.Options{Slack: 65536})
	dirty, log, err := hivetest.Dirty(system, edited, 262144)
	if err != nil {
		t.Fatal(err)
	}
	all := []twin{
		{"hive with a log", "SYSTEM", map[string][]byte{"SYSTEM": system, "SYSTEM.LOG1": make([]byte, 262144)}},
		{"hive that must grow", "SYSTEM", map[string][]byte{"SYSTEM": buildHive(t, "", hivetest.Options{Full: true})}},
		{"dirty hive", "SYSTEM", map[string][]byte{"SYSTEM": dirty, "SYSTEM.LOG1": log}},
		{"folder", "pc", map[string][]byte{"pc/" + config + "SYSTEM": system, "pc/" + config + "SYSTEM.LOG1": make([]byte, 262144)}},
	}
	disk, err := hivetest.SampleDisk(system, "gpt", 3)
	if err != nil {
		t.Fatal(err)
	}
	return append(all, twin{"image", "pc.img", map[string][]byte{"pc.img": disk}})
}

// A repair by unloop.exe and one by Linux' unloop give the same bytes, and so do their
// undos; what stdout gets is the same too.
func testSameBytes(t *testing.T, w *wine) {
	for _, tw := range twins(t) {
		t.Run(tw.name, func(t *testing.T) {
			own := *w
			own.t = t
			own.clear()
			here, there := t.TempDir(), t.TempDir()
			put(t, here, tw.files)
			put(t, there, tw.files)
			t.Chdir(here)
			for _, args := range [][]string{
				{"scan"}, {"repair", "-n"}, {"repair", "-n", "--format", "reg"}, {"repair", "-y", "--backup", "backups"},
				{"repair", "-y", "--backup", "backups"}, {"undo", "-n", "--backup", "backups"}, {"undo", "-y", "--backup", "backups"},
			} {
				args = append(args, tw.target)
				code, stdout, stderr := runProgram(t, args...)
				if i := slices.Index(args, "backups"); i >= 0 {
					args[i] = `E:\unloop-backups` // what lies beside a folder lies on its volume
				}
				got, _ := own.unloop(exitCode(code), there, args...)
				if args[0] != "scan" { // the account is full of paths
					if diff := cmp.Diff(stdout, slashed(got)); diff != "" {
						t.Fatalf("unloop %q prints otherwise on Windows (-Linux +Windows):\n%s%s", args, diff, stderr)
					}
				}
				sameFiles(t, here, there, tw.files)
			}
			for name, data := range tw.files {
				if now, err := os.ReadFile(filepath.Join(there, name)); tw.name != "dirty hive" && (err != nil || !bytes.Equal(now, data)) {
					t.Errorf("%s is not what it was before the repair: %v", name, err)
				}
			}
		})
	}
}

func sameFiles(t *testing.T, here, there string, files map[string][]byte) {
	t.Helper()
	for name := range files {
		a, err := os.ReadFile(filepath.Join(here, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(there, name))
		if err != nil {
			t.Fatal(err)
		}
		if at := firstDifference(a, b); at >= 0 {
			t.Fatalf("%s: Linux' (%d bytes) and Windows' (%d bytes) differ from 0x%x on", name, len(a), len(b), at)
		}
	}
}

// A drive letter is its drive, with and without a backslash; without a target every
// drive with a Windows is meant, here D: alone.
func testDriveLetters(t *testing.T, w *wine) {
	put(t, w.pc, pcFiles(buildHive(t, "", hivetest.Options{})))
	for _, args := range [][]string{{"scan", "D:"}, {"scan", `D:\`}, {"scan", `d:\Windows`}, {"scan", `D:"`}, {"scan"}} {
		out, _ := w.unloop(exitDone, "", args...)
		if !strings.Contains(out, `:\Windows\System32\config\SYSTEM`) || strings.Contains(out, "Z:") {
			t.Errorf("unloop.exe %q:\n%s", args, out)
		}
	}
	_, errs := w.unloop(exitDone, "", "repair", "-y", "D:")
	if !strings.Contains(errs, `unloop undo --backup E:\unloop-backups D:`) {
		t.Errorf("the way back is not named:\n%s", errs)
	}
	w.unloop(exitDone, "", "undo", "-y")
	w.clear()
	w.unloop(exitRefused, "", "scan") // no drive has a Windows
	w.unloop(exitFailed, "", "scan", "Q:")
}

func testRawDrives(t *testing.T, w *wine) {
	for _, name := range []string{
		`\\.\PhysicalDrive0`, `\\.\D:`, `//./D:`, `\\?\Volume{01234567-89ab-cdef-0123-456789abcdef}\`, `\\?\GLOBALROOT\Device\Harddisk0`, `\\?\PhysicalDrive0`,
	} {
		_, errs := w.unloop(exitRefused, "", "scan", name)
		if !strings.Contains(errs, "a raw drive") {
			t.Errorf("scan %s:\n%s", name, errs)
		}
	}
}

// A hive that Windows has loaded, or another program writes to, is named as in use.
func testInUse(t *testing.T, w *wine) {
	put(t, w.pc, pcFiles(buildHive(t, "", hivetest.Options{})))
	release := w.hold(`D:\Windows\System32\config\SYSTEM`)
	for _, verb := range []string{"scan", "repair"} {
		args := []string{verb, "D:"}
		if verb == "repair" {
			args = append(args, "-y")
		}
		if _, errs := w.unloop(exitRefused, "", args...); !strings.Contains(errs, "something else is using it") {
			t.Errorf("%s of a loaded hive:\n%s", verb, errs)
		}
	}
	release()
	w.unloop(exitDone, "", "scan", "D:")
}

func testWinpeHibernated(t *testing.T, w *wine) {
	put(t, w.pc, pcFiles(buildHive(t, "", hivetest.Options{})))
	sleeping := writeFile(t, filepath.Join(w.pc, "hiberfil.sys"), append([]byte("hibr"), make([]byte, 4092)...))
	if _, errs := w.unloop(exitRefused, "", "repair", "-y", "D:"); !strings.Contains(errs, "hibernated") {
		t.Errorf("repair under a sleeping Windows:\n%s", errs)
	}
	writeFile(t, sleeping, make([]byte, 4096))
	release := w.hold(`D:\hiberfil.sys`)
	if _, errs := w.unloop(exitRefused, "", "repair", "-y", "D:"); !strings.Contains(errs, "hiberfil.sys is in use") {
		t.Errorf("repair with a locked hiberfil.sys:\n%s", errs)
	}
	release()
	w.unloop(exitDone, "", "repair", "-y", "D:")
}

func testReadOnlyAttribute(t *testing.T, w *wine) {
	put(t, w.pc, pcFiles(buildHive(t, "", hivetest.Options{})))
	path := filepath.Join(w.pc, filepath.FromSlash(config), "SYSTEM")
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if _, errs := w.unloop(exitFailed, "", "repair", "-y", "D:"); !strings.Contains(errs, "attribute read-only") {
		t.Errorf("repair of a read-only hive:\n%s", errs)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Backups lie beside unloop.exe, never on the drive that is repaired; a long path is
// no hindrance.
func testBackupPlace(t *testing.T, w *wine) {
	put(t, w.pc, pcFiles(buildHive(t, "", hivetest.Options{})))
	if _, errs := w.unloop(exitRefused, "", "repair", "-y", "--backup", `D:\backups`, "D:"); !strings.Contains(errs, "backup folder lies on the disk") {
		t.Errorf("a backup on the PC's own drive:\n%s", errs)
	}
	long := `E:\unloop-backups` + strings.Repeat(`\`+strings.Repeat("x", 50), 6)
	w.unloop(exitDone, "", "repair", "-y", "--backup", long, "D:")
	w.unloop(exitDone, "", "undo", "-y", "--backup", long, "D:")
	w.unloop(exitDone, "", "repair", "-y", "D:")
	if found, _ := filepath.Glob(filepath.Join(w.stick, "unloop-backups", "2*", "*", "manifest.json")); len(found) != 1 {
		t.Errorf("backups beside unloop.exe: %q, want one", found)
	}
}

// testInWinPE makes the prefix a WinPE whose memory is drive C:.
func testInWinPE(t *testing.T, w *wine) {
	const control = `HKLM\SYSTEM\CurrentControlSet\Control`
	for _, args := range [][]string{{control + `\MiniNT`, "/f"}} {
		if _, errs, code := w.run("", append([]string{`C:\windows\system32\reg.exe`, "add"}, args...)...); code != 0 {
			t.Fatalf("reg add = %d: %s", code, errs)
		}
	}
	put(t, w.pc, pcFiles(buildHive(t, "", hivetest.Options{})))
	exe, err := os.ReadFile(w.exe)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(w.dir, "prefix", "drive_c"), map[string][]byte{"unloop/unloop.exe": exe})
	w.exe = `C:\unloop\unloop.exe`

	if _, errs := w.unloop(exitUsage, "", "repair", "-y", "D:"); !strings.Contains(errs, "lies in memory") {
		t.Errorf("a backup in memory:\n%s", errs)
	}
	w.unloop(exitDone, "", "repair", "-n", "D:")
	if _, errs := w.unloop(exitDone, "", "winpe"); !strings.Contains(errs, "no medium for backups") || !strings.Contains(errs, "dry run") {
		t.Errorf("winpe without a medium:\n%s", errs)
	}
	if _, errs, code := w.run("", `C:\windows\system32\reg.exe`, "add", control, "/v", "PEBootRamdiskSourceDrive", "/d", `E:\`, "/f"); code != 0 {
		t.Fatalf("reg add = %d: %s", code, errs)
	}
	testModes(t, w)
	testStartCmd(t, w)
}

// testModes: what startnet.cmd starts does as unloop.toml says, the one on the medium
// before the one in the image.
func testModes(t *testing.T, w *wine) {
	for _, test := range []struct {
		mode string
		want exitCode
		says string
	}{
		{"dry-run", exitDone, "dry run, nothing was written"},
		{"ask", exitFailed, "the answer was no"}, // there is nobody to answer
		{"no such mode", exitFailed, "unloop asks before every step"},
		{"auto", exitDone, "REPAIRED"},
	} {
		writeFile(t, filepath.Join(w.stick, "unloop.toml"), []byte("mode = \""+test.mode+"\"\r\n"))
		if _, errs := w.unloop(test.want, "", "winpe"); !strings.Contains(errs, test.says) {
			t.Errorf("mode %s does not say %q:\n%s", test.mode, test.says, errs)
		}
	}
	if found, _ := filepath.Glob(filepath.Join(w.stick, "unloop-backups", "*", "*", "manifest.json")); len(found) != 1 {
		t.Errorf("backups on the medium: %q, want one", found)
	}
	if found, _ := filepath.Glob(filepath.Join(w.stick, "unloop-reports", "*", "report.json")); len(found) == 0 {
		t.Error("no report on the medium")
	}
}

// testStartCmd: without unloop.exe, as in a WinPE of Windows 7, start.cmd does the same with
// unloop.cmd, and keeps its backups on the medium that has a boot.wim.
func testStartCmd(t *testing.T, w *wine) {
	w.clear()
	w.env = []string{"UNLOOP_REG_PE=1"}
	memory := filepath.Join(w.dir, "prefix", "drive_c", "unloop")
	if err := os.Remove(filepath.Join(memory, "unloop.exe")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"start.cmd", "unloop.cmd"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "scripts", "winpe", name))
		if err != nil {
			t.Fatal(err)
		}
		put(t, memory, map[string][]byte{name: text})
	}
	put(t, memory, map[string][]byte{"unloop.toml": []byte("mode = \"auto\" # comment\r\n")})
	system := buildHive(t, "", hivetest.Options{})
	put(t, w.pc, pcFiles(system))
	start := func(says string) {
		t.Helper()
		out, errs, code := w.run("", "cmd", "/c", `C:\unloop\start.cmd`)
		if out+errs == "" { // seen once on a busy machine: Wine's cmd ended before its first line
			t.Logf("start.cmd, exit code %d, says nothing; once more", code)
			out, errs, code = w.run("", "cmd", "/c", `C:\unloop\start.cmd`)
		}
		if !strings.Contains(out, says) {
			t.Errorf("start.cmd, exit code %d, does not say %q:\n%s%s", code, says, out, errs)
		}
	}
	if err := os.Remove(filepath.Join(w.stick, "unloop.toml")); err != nil {
		t.Fatal(err)
	}
	start("no medium for backups")
	w.wantValues(system)
	put(t, w.stick, map[string][]byte{"sources/boot.wim": {}, "unloop.toml": []byte("mode = \"dry-run\"\r\n")})
	start("dry run, nothing was written")
	w.wantValues(system)
	if err := os.Remove(filepath.Join(w.stick, "unloop.toml")); err != nil {
		t.Fatal(err)
	}
	start("REPAIRED")
	w.wantValues(repaired(t, system))
	if _, err := os.Stat(filepath.Join(w.stick, "unloop-backups", "cmd-1", "SYSTEM")); err != nil {
		t.Errorf("the backup is not on the medium: %v", err)
	}
}
