//go:build linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// script runs a file for cmd.exe that lies on the stick, and wants an exit code.
func (w *wine) script(want exitCode, name string, args ...string) string {
	w.t.Helper()
	stdout, stderr, code := w.run("", append([]string{"cmd", "/c", `E:\` + name}, args...)...)
	if code != int(want) {
		w.t.Fatalf("%s %q: exit code %d, want %d\n%s%s", name, args, code, want, stdout, stderr)
	}
	if text, err := os.ReadFile(filepath.Join(w.stick, "reg.json")); err == nil && string(text) != "[]" && string(text) != "null" {
		w.t.Errorf("%s %q leaves hives loaded: %s", name, args, text)
	}
	return stdout
}

func (w *wine) putScript() {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "scripts", "winpe", "unloop.cmd"))
	if err != nil {
		w.t.Fatal(err)
	}
	writeFile(w.t, filepath.Join(w.stick, "unloop.cmd"), text)
}

// repaired is what unloop makes of a hive.
func repaired(t *testing.T, system []byte, args ...string) []byte {
	t.Helper()
	path := writeFile(t, filepath.Join(t.TempDir(), "SYSTEM"), system)
	if code, _, stderr := runProgram(t, append(append([]string{"repair", "-y"}, args...), path)...); code != 0 {
		t.Fatalf("repair = %d\n%s", code, stderr)
	}
	now, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// wantValues wants the PC's hive to hold the same as another.
func (w *wine) wantValues(want []byte) {
	w.t.Helper()
	path := writeFile(w.t, filepath.Join(w.t.TempDir(), "WANT"), want)
	code, stdout, stderr := runProgram(w.t, "diff", path, filepath.Join(w.pc, filepath.FromSlash(config), "SYSTEM"))
	if code != 0 || stdout != "" {
		w.t.Errorf("the hive is not what it should be (-want +got):\n%s%s", stdout, stderr)
	}
}

// The values that unloop.cmd writes are those that unloop writes, and its undo puts the
// old ones back.
func testCmd(t *testing.T, w *wine) {
	w.putScript()
	strange := "[ControlSet001\\Control\\Session Manager\\Memory Management]\n\"FeatureSettingsOverride\"=dword:00000048\n" +
		"\"featuresettingsoverridemask\"=dword:00000003\n[Select]\n\"LastKnownGood\"=dword:00000001\n\"Default \"=dword:00000009\n" +
		"[-ControlSet001\\services\\Haspnt]\n[ControlSet001\\Control\\Class\\{4D36E96B-E325-11CE-BFC1-08002BE10318}]\n" +
		"\"LowerFilters\"=\"\\\" & echo %PATH% | ^ hardlocks\"\n"
	for _, test := range []struct{ name, reg string }{
		{"sample", ""},
		{"other bits, one control set, one driver", strange},
	} {
		t.Run(test.name, func(t *testing.T) {
			own := *w
			own.t = t
			own.clear()
			system := buildHive(t, test.reg, hivetest.Options{})
			put(t, own.pc, pcFiles(system))
			dry := own.script(exitDone, "unloop.cmd", "/dryrun", "D:")
			own.wantValues(system)
			if now, err := os.ReadFile(filepath.Join(own.pc, filepath.FromSlash(config), "SYSTEM")); err != nil || !bytes.Equal(now, system) {
				t.Errorf("a dry run changes the hive: %v", err)
			}
			wet := own.script(exitDone, "unloop.cmd", "/y", "D:")
			own.wantValues(repaired(t, system))
			if a, b := shownChanges(dry), shownChanges(wet); a != b || a == "" {
				t.Errorf("the dry run shows\n%s\nand the repair\n%s", a, b)
			}
			if again := own.script(exitDone, "unloop.cmd", "/y", "D:"); !strings.Contains(again, "nothing to do") {
				t.Errorf("a second repair:\n%s", again)
			}
			own.script(exitDone, "unloop.cmd", "/undo", "/y", "D:")
			own.wantValues(system)
			if test.name == "sample" {
				own.script(exitRefused, "unloop.cmd", "/undo", "/y", "D:")
			}
		})
	}
}

// shownChanges are the lines that show old and new values.
func shownChanges(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if strings.Contains(line, ": now ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// What unloop.cmd refuses leaves the hive as it was.
func testCmdRefuses(t *testing.T, w *wine) {
	w.putScript()
	mm := "[ControlSet001\\Control\\Session Manager\\Memory Management]\n"
	for _, test := range []struct {
		name, reg string
		files     map[string][]byte
		args      []string
		want      exitCode
		says      string
	}{
		{"number too large", mm + "\"FeatureSettingsOverride\"=dword:80000000\n", nil, []string{"/y", "D:"}, exitRefused, "is not a number"},
		{"control set", "[Select]\n\"Default\"=dword:00000007\n", nil, []string{"/y", "D:"}, exitRefused, "Select names"},
		{"service pack", "[ControlSet001\\Control\\Windows]\n\"CSDVersion\"=dword:00000000\n", nil, []string{"/y", "D:"}, exitRefused, "not affected"},
		{"64 bits, unnamed", "", map[string][]byte{"Windows/SysWOW64/x": {}}, []string{"/y"}, exitRefused, "not affected"},
		{"hibernated", "", map[string][]byte{"hiberfil.sys": append([]byte("hibr\x00\x01&|"), make([]byte, 4088)...)}, []string{"/y", "D:"}, exitRefused, "hibernated"},
		{"backup on the same drive", "", nil, []string{"/y", "/backup", `D:\x`, "D:"}, exitRefused, "backups would lie"},
		{"no record", "", nil, []string{"/undo", "/y", "D:"}, exitRefused, "no record"},
		{"two verbs", "", nil, []string{"/undo", "/dryrun"}, exitUsage, "not understood"},
		{"no such flag", "", nil, []string{"/fast"}, exitUsage, "not understood"},
		{"no Windows there", "", nil, []string{"Q:"}, exitRefused, "no Windows"},
		{"help", "", nil, []string{"/?"}, exitDone, "Usage:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			own := *w
			own.t = t
			own.clear()
			system := buildHive(t, test.reg, hivetest.Options{})
			put(t, own.pc, pcFiles(system))
			put(t, own.pc, test.files)
			if out := own.script(test.want, "unloop.cmd", test.args...); !strings.Contains(out, test.says) {
				t.Errorf("unloop.cmd %q does not say %q:\n%s", test.args, test.says, out)
			}
			own.wantValues(system)
		})
	}
	t.Run("filter", func(t *testing.T) { testCmdFilter(t, w) })
}

// A driver in a filter list is left as it is, and said to be.
func testCmdFilter(t *testing.T, w *wine) {
	own := *w
	own.t = t
	own.clear()
	system := buildHive(t, "[ControlSet001\\Enum\\USB\\VID_0529&PID_0001\\1&2]\n\"UpperFilters\"="+
		"hex(7):61,00,00,00,48,00,61,00,72,00,64,00,6c,00,6f,00,63,00,6b,00,00,00,00,00\n", hivetest.Options{})
	put(t, own.pc, pcFiles(system))
	if out := own.script(exitDone, "unloop.cmd", "/y", "D:"); !strings.Contains(out, "ControlSet001: hardlock stands in a filter list") {
		t.Errorf("the filter is not said:\n%s", out)
	}
	_, stdout, _ := runProgram(t, "diff", writeFile(t, filepath.Join(t.TempDir(), "OLD"), system), filepath.Join(own.pc, filepath.FromSlash(config), "SYSTEM"))
	if strings.Contains(stdout, `[ControlSet001\services\Hardlock]`) || !strings.Contains(stdout, `[ControlSet002\services\Hardlock]`) {
		t.Errorf("what changed:\n%s", stdout)
	}
}

// The script that a dry run writes makes just the edits of that plan, on that PC alone.
// Wine's cmd.exe loses exclamation marks, so there is none among the hostile signs.
func testGeneratedScript(t *testing.T, w *wine) {
	hostile := "[ControlSet001\\Enum\\USB\\VID_0529&PID_0001\\50%% ^off & (on) %PATH%]\n\"UpperFilters\"=" +
		"hex(7):61,00,25,00,50,00,25,00,00,00,48,00,61,00,72,00,64,00,6c,00,6f,00,63,00,6b,00,00,00,62,00,00,00,00,00\n"
	system := buildHive(t, hostile, hivetest.Options{})
	put(t, w.pc, pcFiles(system))
	code, text, stderr := runProgram(t, "repair", "-n", "--format", "cmd", filepath.Join(w.pc, filepath.FromSlash(config), "SYSTEM"))
	if code != 0 {
		t.Fatalf("repair -n --format cmd = %d\n%s", code, stderr)
	}
	writeFile(t, filepath.Join(w.stick, "one.cmd"), []byte(text))
	w.script(exitUsage, "one.cmd")
	w.script(exitDone, "one.cmd", "D:")
	w.wantValues(repaired(t, system))
	w.script(exitRefused, "one.cmd", "D:") // the old values are no longer there

	other := buildHive(t, "[ControlSet001\\Control\\ComputerName\\ComputerName]\n\"ComputerName\"=\"OTHER\"\n"+hostile, hivetest.Options{})
	put(t, w.pc, pcFiles(other))
	if out := w.script(exitRefused, "one.cmd", `D:\`); !strings.Contains(out, "another PC") {
		t.Errorf("on another PC:\n%s", out)
	}
	w.wantValues(other)
}

// A script of two hives makes the edits of both, or none: where a value of SOFTWARE is
// another by now, SYSTEM stays as it was.
func testScriptOfTwoHives(t *testing.T, w *wine) {
	system := buildHive(t, "", hivetest.Options{})
	software, err := hivetest.SoftwareHive("")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.pc, filepath.FromSlash(config), "SOFTWARE")
	files := pcFiles(system)
	files[config+"SOFTWARE"] = software
	put(t, w.pc, files)
	code, text, stderr := runProgram(t, "repair", "-n", "--format", "cmd", "--fix", "override,drivers,updates", w.pc)
	if code != 0 {
		t.Fatalf("repair -n --format cmd = %d\n%s", code, stderr)
	}
	writeFile(t, filepath.Join(w.stick, "two.cmd"), []byte(text))
	w.script(exitDone, "two.cmd", "D:")
	w.wantValues(repaired(t, system))
	old := writeFile(t, filepath.Join(t.TempDir(), "OLD"), software)
	if _, diff, _ := runProgram(t, "diff", old, path); !strings.Contains(diff, `+"AUOptions"=dword:00000002`) || strings.Count(diff, "\n+") != 2 {
		t.Errorf("SOFTWARE is changed otherwise than in AUOptions:\n%s", diff)
	}

	put(t, w.pc, files)
	writeFile(t, path, reshaped(t, software))
	if out := w.script(exitRefused, "two.cmd", "D:"); !strings.Contains(out, "SOFTWARE: ") {
		t.Errorf("after SOFTWARE has changed:\n%s", out)
	}
	w.wantValues(system)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if out := w.script(exitFailed, "two.cmd", "D:"); !strings.Contains(out, "SOFTWARE cannot be loaded") {
		t.Errorf("without SOFTWARE:\n%s", out)
	}
	w.wantValues(system)
	if _, err := os.Stat(path); err == nil {
		t.Error("the script makes a SOFTWARE hive where there was none")
	}
}

// reshaped is a SOFTWARE hive after the fix updates.
func reshaped(t *testing.T, software []byte) []byte {
	t.Helper()
	h, err := hive.Open(hive.Files{Name: hive.SoftwareFile, Primary: software})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := h.PlanUpdates()
	if err != nil {
		t.Fatal(err)
	}
	c, err := h.Prepare(plan, true)
	if err != nil {
		t.Fatal(err)
	}
	return c.New.Bytes()
}
