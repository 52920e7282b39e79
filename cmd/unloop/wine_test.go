//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wine runs Windows' programs on 64-bit Wine, in a prefix of the test's own. D: is the
// drive of the sick PC, E: the technician's stick.
type wine struct {
	t          *testing.T
	dir        string // holds all of it
	pc, stick  string // what D: and E: are
	exe        string // unloop.exe, on the stick
	loader     string
	server     string
	slow       time.Duration
	env        []string
	registered string // where the stand-in of reg.exe keeps its list, as Windows names it
}

// newWine makes the prefix, or skips the test: scripts/test asks for it by UNLOOP_WINPE.
func newWine(t *testing.T) *wine {
	t.Helper()
	if os.Getenv("UNLOOP_WINPE") == "" {
		t.Skip("UNLOOP_WINPE is not set; scripts/test sets it")
	}
	w := &wine{t: t, dir: t.TempDir(), slow: 3 * time.Minute, registered: `E:\reg.json`}
	w.loader = needTool(t, "wine64", "/usr/lib/wine/wine64")
	w.server = needTool(t, "wineserver64", "/usr/lib/wine/wineserver64", "/usr/lib/wine/wineserver")
	gcc := needTool(t, "x86_64-w64-mingw32-gcc")
	w.pc, w.stick, w.exe = filepath.Join(w.dir, "pc"), filepath.Join(w.dir, "stick"), filepath.Join(w.dir, "stick", "unloop.exe")
	for _, dir := range []string{w.pc, w.stick} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(w.end)
	if _, stderr, code := w.run("", "wineboot", "-i"); code != 0 {
		t.Fatalf("wineboot: exit code %d\n%s", code, stderr)
	}
	system32 := filepath.Join(w.dir, "prefix", "drive_c", "windows", "system32")
	build(t, gcc, "-shared", "-o", filepath.Join(system32, "bcryptprimitives.dll"), "testdata/wine/bcryptprimitives.c", "-ladvapi32")
	build(t, gcc, "-municode", "-o", filepath.Join(w.dir, "hold.exe"), "testdata/wine/hold.c")
	goBuild(t, "unloop/cmd/unloop", w.exe, "amd64")
	goBuild(t, "unloop/hive/hivetest/reg", filepath.Join(w.stick, "reg.exe"), "amd64")
	for letter, dir := range map[string]string{"d:": w.pc, "e:": w.stick} {
		if err := os.Symlink(dir, filepath.Join(w.dir, "prefix", "dosdevices", letter)); err != nil {
			t.Fatal(err)
		}
	}
	w.end() // the next server knows the new drives; one that ended by itself could take a program with it
	w.tellServer("-p120")
	return w
}

// needTool finds the first of these programs. Without one the test is skipped, or fails
// under CI=true.
func needTool(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", names[0])
	}
	t.Skipf("%s is not installed", names[0])
	return ""
}

func build(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

func goBuild(t *testing.T, pkg, out, arch string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=windows", "GOARCH="+arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", pkg, err, text)
	}
}

// command prepares a program of Windows. Its working folder is dir, or the stick.
func (w *wine) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.loader, args...)
	cmd.Dir = dir
	if dir == "" {
		cmd.Dir = w.stick
	}
	cmd.Env = []string{
		"WINEPREFIX=" + filepath.Join(w.dir, "prefix"), "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe=",
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "LANG=C", "UNLOOP_REG=" + w.registered,
	}
	cmd.Env = append(cmd.Env, w.env...)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// run runs a program of Windows to its end.
func (w *wine) run(dir string, args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), w.slow)
	defer cancel()
	cmd := w.command(ctx, dir, args...)
	// Files, not pipes: what Wine leaves running in the background would hold those open.
	var files [2]*os.File
	for i := range files {
		f, err := os.CreateTemp(w.dir, "out")
		if err != nil {
			w.t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	cmd.Stdout, cmd.Stderr = files[0], files[1]
	err := cmd.Run()
	var texts [2]string
	for i, f := range files {
		text, rerr := os.ReadFile(f.Name())
		if rerr != nil {
			w.t.Fatal(rerr)
		}
		texts[i] = string(text)
	}
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		w.t.Fatalf("%q: %v\n%s%s", args, err, texts[0], texts[1])
	}
	return texts[0], texts[1], cmd.ProcessState.ExitCode()
}

// unloop runs unloop.exe and wants an exit code.
func (w *wine) unloop(want exitCode, dir string, args ...string) (stdout, stderr string) {
	w.t.Helper()
	stdout, stderr, code := w.run(dir, append([]string{w.exe}, args...)...)
	if code != int(want) {
		w.t.Fatalf("unloop.exe %q: exit code %d, want %d\n%s%s", args, code, want, stdout, stderr)
	}
	return stdout, stderr
}

// hold keeps a file from everybody else until the function it returns is called.
func (w *wine) hold(path string) (release func()) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), w.slow)
	cmd := w.command(ctx, "", filepath.Join(w.dir, "hold.exe"), path)
	in, err := cmd.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	word := make([]byte, 4)
	if _, err := out.Read(word); err != nil || string(word) != "held" {
		w.t.Fatalf("holding %s: %q, %v", path, word, err)
	}
	return func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			w.t.Errorf("releasing %s: %v", path, err)
		}
		cancel()
	}
}

// end ends the server of this prefix, and with it all that still runs there.
func (w *wine) end() { w.tellServer("-k", "-w") }

// tellServer runs wineserver for this prefix: it starts the server, or speaks to it.
func (w *wine) tellServer(args ...string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.server, args...)
	cmd.Env = []string{"WINEPREFIX=" + filepath.Join(w.dir, "prefix"), "HOME=" + w.dir}
	_ = cmd.Run()
}

// put makes a new content of the sick PC's drive or of the stick.
func put(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, data)
	}
}

// clear empties the sick PC's drive, and takes backups and records from the stick.
func (w *wine) clear() {
	w.t.Helper()
	entries, err := os.ReadDir(w.pc)
	if err != nil {
		w.t.Fatal(err)
	}
	paths := []string{filepath.Join(w.stick, "unloop-backups"), filepath.Join(w.stick, "unloop-reports"), filepath.Join(w.stick, "reg.json")}
	for _, e := range entries {
		paths = append(paths, filepath.Join(w.pc, e.Name()))
	}
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			w.t.Fatal(err)
		}
	}
}

// slashed spells the two lines above a diff as on Linux.
func slashed(stdout string) string {
	var b strings.Builder
	for line := range strings.Lines(stdout) {
		if strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "+++ ") {
			line = strings.ReplaceAll(line, `\`, "/")
		}
		b.WriteString(line)
	}
	return b.String()
}
