package stick

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestMenuOperators: GRUB takes a line with these for an error, and goes on.
func TestMenuOperators(t *testing.T) {
	for _, f := range menuFiles() {
		for _, operator := range []string{"&&", "||"} {
			if strings.Contains(string(f.Data), operator) {
				t.Errorf("%s has %s, which GRUB does not know", f.Path, operator)
			}
		}
	}
}

// TestPackagesMenu has GRUB's own checker read the menu.
func TestPackagesMenu(t *testing.T) {
	tree, err := openTree(realPackages(t), "amd64")
	if err != nil {
		t.Fatal(err)
	}
	loader, err := tree.need("libc6", "lib64/ld-linux-x86-64.so.2")
	if err != nil {
		t.Fatal(err)
	}
	checker, err := tree.need("grub-common", "usr/bin/grub-script-check")
	if err != nil {
		t.Fatal(err)
	}
	libraries := filepath.Join(tree.root, "lib/x86_64-linux-gnu") + ":" + filepath.Join(tree.root, "usr/lib/x86_64-linux-gnu")
	for _, f := range menuFiles() {
		name := filepath.Join(t.TempDir(), "grub.cfg")
		writeFile(t, name, f.Data)
		runJudge(t, nil, loader, "--library-path", libraries, checker, name)
	}
}

// TestTextsForWindows: the Notepad of Windows 7 shows a lone line feed as nothing.
func TestTextsForWindows(t *testing.T) {
	for name, text := range map[string][]byte{"unloop.toml": DefaultSettings(), "README.txt": windowsText(readme)} {
		lines := strings.Split(string(text), "\n")
		for _, line := range lines[:len(lines)-1] {
			if !strings.HasSuffix(line, "\r") {
				t.Errorf("%s: line %q does not end as in Windows", name, line)
			}
		}
		if lines[len(lines)-1] != "" || !utf8.Valid(text) || strings.HasPrefix(string(text), "\ufeff") {
			t.Errorf("%s: not UTF-8, or with a byte order mark, or its last line has no end", name)
		}
	}
}
