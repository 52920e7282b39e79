//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"unloop/hive/hivetest"
)

// peImage is one image of a boot.wim that a test makes.
type peImage struct {
	machine uint16
	major   int    // of its Windows
	windows string // how its folder is spelt
	files   map[string]string
}

// makeWim captures images into a boot.wim.
func makeWim(t *testing.T, wimlib string, images []peImage) string {
	t.Helper()
	wim := filepath.Join(t.TempDir(), "boot.wim")
	for i, image := range images {
		dir := t.TempDir()
		files := map[string][]byte{}
		if image.machine != 0 {
			files[image.windows+"/ntdll.dll"] = hivetest.PE(image.machine, [4]uint16{uint16(image.major), 0, 0, 0})
		}
		for name, text := range image.files {
			files[strings.Replace(name, "*", image.windows, 1)] = []byte(text)
		}
		put(t, dir, files)
		verb := "append"
		if i == 0 {
			verb = "capture"
		}
		build(t, wimlib, verb, dir, wim, fmt.Sprintf("image %d", i+1), fmt.Sprintf("--image-property=WINDOWS/VERSION/MAJOR=%d", image.major))
	}
	return wim
}

// inject runs scripts/winpe/inject and returns what it says.
func inject(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(filepath.Join("..", "..", "scripts", "winpe", "inject"), args...).CombinedOutput()
	return string(out), err
}

// wimFile reads a file of an image.
func wimFile(t *testing.T, wimlib, wim, image, path string) string {
	t.Helper()
	cmd := exec.Command(wimlib, "extract", wim, image, path, "--to-stdout")
	cmd.Env = append(os.Environ(), "WIMLIB_IMAGEX_IGNORE_CASE=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("image %s has no %s: %v", image, path, err)
	}
	return string(out)
}

// wimList lists an image.
func wimList(t *testing.T, wimlib, wim, image string) []string {
	t.Helper()
	out, err := exec.Command(wimlib, "dir", wim, image).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

const startnet = "wpeinit\r\nrem own line\r\n"

// Each WinPE of a boot.wim gets the program of its architecture; a second run changes
// nothing; the original stays.
func TestInject(t *testing.T) {
	if os.Getenv("UNLOOP_WINPE") == "" {
		t.Skip("UNLOOP_WINPE is not set; scripts/test sets it")
	}
	wimlib := needTool(t, "wimlib-imagex")
	wim := makeWim(t, wimlib, []peImage{
		{0x8664, 10, "Windows/System32", map[string]string{"*/startnet.cmd": startnet}},
		{0x14c, 10, "WINDOWS/system32", map[string]string{"*/StartNet.cmd": startnet, "setup.exe": ""}},
		{0x14c, 6, "Windows/System32", map[string]string{"*/other": ""}},
		{0, 10, "", map[string]string{"file": "no Windows"}},
	})
	before, err := os.ReadFile(wim)
	if err != nil {
		t.Fatal(err)
	}
	said, err := inject(t, wim)
	if err != nil {
		t.Fatalf("inject: %v\n%s", err, said)
	}
	for _, want := range []string{
		"image 1 (amd64): unloop.cmd, unloop.exe", "image 2 (386): unloop.cmd, unloop.exe", "image 2: starts a program of its own",
		"image 3 (386): unloop.cmd, started", "image 4: no Windows",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("inject does not say %q:\n%s", want, said)
		}
	}
	if orig, err := os.ReadFile(wim + ".orig"); err != nil || string(orig) != string(before) {
		t.Errorf("the original is not kept: %v", err)
	}
	checkInjected(t, wimlib, wim)
	first := wimList(t, wimlib, wim, "1")
	if said, err := inject(t, wim); err != nil {
		t.Fatalf("inject again: %v\n%s", err, said)
	}
	checkInjected(t, wimlib, wim)
	if second := wimList(t, wimlib, wim, "1"); !slices.Equal(first, second) {
		t.Errorf("after a second run image 1 holds %q, after the first %q", second, first)
	}
	if orig, err := os.ReadFile(wim + ".orig"); err != nil || string(orig) != string(before) {
		t.Errorf("the second run changed the original: %v", err)
	}
	testInjectElsewhere(t, wimlib, wim)
}

func checkInjected(t *testing.T, wimlib, wim string) {
	t.Helper()
	for image, machine := range map[string]string{"1": "\x64\x86", "2": "\x4c\x01"} {
		exe := wimFile(t, wimlib, wim, image, "/unloop/unloop.exe")
		at := int(exe[0x3c]) | int(exe[0x3d])<<8
		if exe[at+4:at+6] != machine {
			t.Errorf("image %s has a program for %x", image, exe[at+4:at+6])
		}
	}
	want := "rem unloop begins\r\nwpeutil UpdateBootInfo >nul 2>nul\r\ncall \"%SystemDrive%\\unloop\\start.cmd\"\r\nrem unloop ends\r\n"
	for image, begin := range map[string]string{"1": startnet, "2": startnet, "3": "wpeinit\r\n"} {
		if got := wimFile(t, wimlib, wim, image, "/Windows/System32/startnet.cmd"); got != begin+want {
			t.Errorf("image %s: startnet.cmd is %q", image, got)
		}
		if got := wimFile(t, wimlib, wim, image, "/unloop/unloop.toml"); !strings.Contains(got, "mode = \"ask\"\r\n") {
			t.Errorf("image %s: unloop.toml is %q", image, got)
		}
	}
	if list := strings.Join(wimList(t, wimlib, wim, "2"), "\n"); strings.Count(strings.ToLower(list), "/windows/system32/startnet.cmd") != 1 {
		t.Errorf("image 2 has two trees:\n%s", list)
	}
	build(t, wimlib, "verify", wim)
}

// With a second name the first file stays as it is, and settings are taken over.
func testInjectElsewhere(t *testing.T, wimlib, wim string) {
	t.Helper()
	before, err := os.ReadFile(wim)
	if err != nil {
		t.Fatal(err)
	}
	settings := writeFile(t, filepath.Join(t.TempDir(), "x.toml"), []byte("mode = \"auto\"\r\n"))
	other := filepath.Join(t.TempDir(), "other.wim")
	if said, err := inject(t, "--settings", settings, wim, other); err != nil {
		t.Fatalf("inject: %v\n%s", err, said)
	}
	if now, err := os.ReadFile(wim); err != nil || string(now) != string(before) {
		t.Errorf("the source has changed: %v", err)
	}
	if got := wimFile(t, wimlib, other, "1", "/unloop/unloop.toml"); got != "mode = \"auto\"\r\n" {
		t.Errorf("unloop.toml is %q", got)
	}
	if said, err := inject(t, settings); err == nil {
		t.Errorf("a file that is no boot.wim is taken:\n%s", said)
	}
}

// What lies in scripts/winpe for cmd.exe is ASCII with CRLF, or old consoles and old
// recovery environments stumble.
func TestCommandFiles(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "..", "scripts", "winpe", "*.cmd"))
	if err != nil || len(paths) != 2 {
		t.Fatalf("%q, %v", paths, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.SplitAfter(string(text), "\n") {
			body, ok := strings.CutSuffix(line, "\r\n")
			if line != "" && !ok || strings.ContainsFunc(body, func(c rune) bool { return c > '~' || c < ' ' && c != '\t' }) {
				t.Errorf("%s:%d: %q", path, n+1, line)
			}
		}
	}
}
