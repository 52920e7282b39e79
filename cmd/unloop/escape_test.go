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

// runProgram runs the program inside the test, with a state folder of its own.
func runProgram(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	if os.Getenv("XDG_STATE_HOME") == "" || !strings.HasPrefix(os.Getenv("XDG_STATE_HOME"), os.TempDir()) {
		t.Setenv("XDG_STATE_HOME", t.TempDir())
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		t.Setenv(name, "C")
	}
	var out, errs bytes.Buffer
	code = run(append([]string{"unloop"}, args...), strings.NewReader(""), &out, &errs)
	mustCheck(t, args, out.String())
	return code, out.String(), errs.String()
}

// writeFile writes a file of the test's own.
func writeFile(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func buildHive(t *testing.T, extra string, o hivetest.Options) []byte {
	t.Helper()
	if !o.Full {
		o.Fill = 16384
	}
	data, err := hivetest.Build(hivetest.Win7(extra), o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEscape(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{"日本語 ok", "日本語 ok"},
		{"a\x1b[31mb", `a\u001b[31mb`},
		{"bell\a tab\t nl\n cr\r", `bell\u0007 tab\u0009 nl\u000a cr\u000d`},
		{"\x7f", `\u007f`},
		{"\u009b31m", `\u009b31m`},         // CSI in one character
		{"\u202egpj.exe", `\u202egpj.exe`}, // right-to-left override
		{"\u200b\u2028\ufeff\u00a0", `\u200b\u2028\ufeff\u00a0`},
		{"\x9b31m\xff", `\x9b31m\xff`}, // no UTF-8
		{"\xed\xa0\x80", `\xed\xa0\x80`},
		{"\U000e0001", `\ue0001`},
	} {
		if got := escape(test.in); got != test.want {
			t.Errorf("escape(%q) = %s, want %s", test.in, got, test.want)
		}
	}
}

// evil holds what must not reach a terminal: C0, DEL, C1, a direction override.
const evil = "E\x1b]0;x\a\x7f\u009b31m\u202eV"

// No raw control character of a hive, volume label or path reaches stdout or
// stderr, whatever the verb, format and language.
func TestNoControlCharacters(t *testing.T) {
	dir := t.TempDir()
	name := strings.ReplaceAll(strings.ReplaceAll(evil, "\\", ""), "/", "")
	text := func(s string) string { return hexValue(hive.EncodeSZ(s), 1) }
	extra := "\n[ControlSet001\\Control\\ComputerName\\ComputerName]\n\"ComputerName\"=" + text(evil) +
		"\n[ControlSet001\\Control\\Session Manager\\Environment]\n\"PROCESSOR_IDENTIFIER\"=" + text(evil) +
		"\n[ControlSet001\\services\\Haspnt]\n\"ImagePath\"=" + text(evil) +
		"\n[ControlSet001\\services\\" + name + "]\n\"Start\"=dword:00000002\n\"DependOnService\"=" +
		hexValue(hive.EncodeMultiSZ([]string{"haspnt", evil}), 7) +
		"\n[ControlSet001\\Control\\Class\\" + name + "]\n\"UpperFilters\"=" + hexValue(hive.EncodeMultiSZ([]string{"haspnt", evil}), 7) + "\n"
	a := writeFile(t, filepath.Join(dir, name+"-hive"), buildHive(t, extra, hivetest.Options{}))
	other := writeFile(t, filepath.Join(dir, name+"-other"), buildHive(t, strings.ReplaceAll(extra, "\\"+name+"]", "\\"+name+"2]"), hivetest.Options{}))
	root := writeFile(t, filepath.Join(dir, "root"), buildHive(t, "", hivetest.Options{RootName: name}))
	noSelect := writeFile(t, filepath.Join(dir, "noselect"), buildHive(t, "[-Select]\n", hivetest.Options{RootName: name}))
	broken := writeFile(t, filepath.Join(dir, name+"-broken"), []byte("regf"+evil))
	files, err := hivetest.LoopingPC(buildHive(t, extra, hivetest.Options{}), 1)
	if err != nil {
		t.Fatal(err)
	}
	volume, err := hivetest.BuildNTFS(files, hivetest.NTFSOptions{Label: evil})
	if err != nil {
		t.Fatal(err)
	}
	image := writeFile(t, filepath.Join(dir, name+"-image"), volume)
	missing := filepath.Join(dir, name+"-missing")
	for _, args := range [][]string{
		{"scan", a, other, root, noSelect, broken, image, missing},
		{"scan", "--format", "json", a, other, root, noSelect, broken, image, missing},
		{"repair", "--dry-run", a, root, noSelect, broken, image, missing},
		{"repair", "--dry-run", "--format", "json", a, root, noSelect, broken, image, missing},
		{"repair", "--dry-run", "--format", "reg", a, image},
		{"repair", "--dry-run", "--service", name, a, image},
		{"repair", "--dry-run", "--service", "no" + name, a},
		{"repair", "--yes", "--backup", filepath.Join(dir, name+"-backup"), "--report", filepath.Join(dir, name+"-report"), a, image},
		{"undo", "--yes", "--backup", filepath.Join(dir, name+"-backup"), a, image},
		{"undo", "--yes", "--from", filepath.Join(dir, name), a},
		{"diff", a, other}, {"diff", "--format", "json", a, other}, {"diff", "--format", "reg", a, other}, {"diff", "--times", a, other},
		{"repair", "--" + evil, a}, {"repair", "--format", evil, a}, {evil}, {"repair", "--dry-run", "--service", evil + `\`, a}, {"help", evil},
		{"--lang", evil, "scan"}, {"scan", "--jobs", evil, a}, {"repair", "--dry-run=" + evil, a}, {"repair", "-" + evil, a},
	} {
		for _, lang := range []string{"--lang=en", "--lang=ja"} {
			code, stdout, stderr := runProgram(t, append(args[:len(args):len(args)], lang)...)
			for stream, text := range map[string]string{"stdout": stdout, "stderr": stderr} {
				clean := strings.NewReplacer("\r\n", "", "\n", "").Replace(text)
				if i := strings.IndexFunc(clean, unprintable); i >= 0 {
					t.Errorf("unloop %q, exit code %d: raw control character in %s: %q", args, code, stream, clean[max(0, i-60):min(len(clean), i+20)])
				}
			}
		}
	}
}

// hexValue spells data as a hex value of .reg text.
func hexValue(data []byte, typ int) string {
	const digits = "0123456789abcdef"
	parts := make([]string, len(data))
	for i, b := range data {
		parts[i] = string([]byte{digits[b>>4], digits[b&15]})
	}
	return "hex(" + string(rune('0'+typ)) + "):" + strings.Join(parts, ",")
}

// Colours are for terminals, and for those who want them.
func TestPrintDiffColour(t *testing.T) {
	const text = "--- a\n+++ b\n[Key]\n-\"x\"=1\n+\"x\"=2\n"
	for _, test := range []struct {
		tty     bool
		noColor string
		want    string
	}{
		{false, "", text},
		{true, "1", text},
		{true, "", "\x1b[1m--- a\x1b[0m\n\x1b[1m+++ b\x1b[0m\n[Key]\n\x1b[31m-\"x\"=1\x1b[0m\n\x1b[32m+\"x\"=2\x1b[0m\n"},
	} {
		var out bytes.Buffer
		e := &env{out: &out, colour: test.tty, getenv: func(string) string { return test.noColor }}
		e.printDiff(text)
		if out.String() != test.want {
			t.Errorf("printDiff on a terminal: %v, NO_COLOR=%q: %q, want %q", test.tty, test.noColor, out.String(), test.want)
		}
	}
}
