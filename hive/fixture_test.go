package hive_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// bothFixes are those a repair makes unless told otherwise.
var bothFixes = []hive.Fix{hive.FixOverride, hive.FixDrivers}

// build makes the hive of a small Windows 7 with extra merged over it.
func build(t testing.TB, extra string, o hivetest.Options) []byte {
	t.Helper()
	return buildText(t, hivetest.Win7(extra), o)
}

// buildText makes a hive of .reg text.
func buildText(t testing.TB, text string, o hivetest.Options) []byte {
	t.Helper()
	b, err := hivetest.Build(text, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, f hive.Files) *hive.Hive {
	t.Helper()
	h, err := hive.Open(f)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return h
}

// win7 opens the hive of a small Windows 7 with extra merged over it.
func win7(t testing.TB, extra string) *hive.Hive {
	t.Helper()
	return open(t, hive.Files{Primary: build(t, extra, hivetest.Options{Fill: 4096})})
}

func inspect(t testing.TB, h *hive.Hive, s hive.Scope) *hive.Findings {
	t.Helper()
	f, err := h.Inspect(s)
	if err != nil {
		t.Fatalf("Inspect: %v", err)
	}
	return f
}

// prepare plans all fixes and carries them out in memory.
func prepare(t testing.TB, h *hive.Hive, s hive.Scope, mayGrow bool) *hive.Change {
	t.Helper()
	p, err := h.Plan(inspect(t, h, s), bothFixes)
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	c, err := h.Prepare(p, mayGrow)
	if err != nil {
		t.Fatalf("Prepare: %v", err)
	}
	return c
}

// dword is REG_DWORD data.
func dword(n uint32) *hive.Data {
	return &hive.Data{Type: hive.RegDWORD, Bytes: binary.LittleEndian.AppendUint32(nil, n)}
}

// multiSZ is REG_MULTI_SZ data.
func multiSZ(list ...string) *hive.Data {
	return &hive.Data{Type: hive.RegMultiSZ, Bytes: hive.EncodeMultiSZ(list)}
}

// regValue spells a value as a line of .reg text.
func regValue(name string, d *hive.Data) string {
	return hive.FormatRegValue(name, d.Type, d.Bytes) + "\n"
}

// path splits a key path at its backslashes.
func path(s string) []string { return strings.Split(s, `\`) }

// tool returns a foreign program. Where it is missing the test is skipped, or
// fails under CI=true.
func tool(t testing.TB, name string) string {
	t.Helper()
	file, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", name)
	} else if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return file
}

// judge runs a foreign program, for 30 seconds at most, and returns what it prints.
func judge(t testing.TB, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool(t, name), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PERL_UNICODE=O")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, stderr.String())
	}
	return string(out)
}

// unpacked holds the real hives that were unpacked so far, by name.
var unpacked sync.Map

var errNoHives = errors.New("no folder of real hives")

// realHive returns the bytes of a real hive, a copy of the test's own. Without the
// folder of real hives the test is skipped.
func realHive(t testing.TB, name string) []byte {
	t.Helper()
	once, _ := unpacked.LoadOrStore(name, sync.OnceValues(func() ([]byte, error) { return unpack(name) }))
	data, err := once.(func() ([]byte, error))()
	switch {
	case errors.Is(err, errNoHives):
		t.Skipf("%v (UNLOOP_TESTDATA names it)", err)
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") != "true":
		t.Skip("xz is not installed")
	case err != nil:
		t.Fatal(err)
	}
	return bytes.Clone(data)
}

func unpack(name string) ([]byte, error) {
	dir := os.Getenv("UNLOOP_TESTDATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "hives")
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoHives, err)
	}
	return exec.Command("xz", "-dc", filepath.Join(dir, name+".xz")).Output()
}

// The real hive most tests use: Windows 7 SP1 x86 with HASP services, 16 MB.
const haspHive = "win7-x86-hasp-SYSTEM"

// writeTemp writes a file into a folder of the test's own.
func writeTemp(t testing.TB, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "SYSTEM")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
