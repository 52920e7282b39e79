//go:build cgo

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// toolLimit is how long an outside tool may take; some run for minutes on some hives.
const toolLimit = 60 * time.Second

// output runs an outside tool. Where it is missing the test is skipped, but never where nobody would notice.
func output(t *testing.T, tool string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", tool)
		}
		t.Skipf("%s is not installed", tool)
	}
	ctx, cancel := context.WithTimeout(t.Context(), toolLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	// A test built for 386 may have got its own gconv files this way; the tool's are elsewhere.
	cmd.Env = slices.DeleteFunc(cmd.Env, func(s string) bool { return strings.HasPrefix(s, "GCONV_PATH=") })
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	return out
}

func TestSelfTest(t *testing.T) {
	if err := selfTest(); err != nil {
		t.Error(err)
	}
}

// The self-test must fail when libhivex reads something else than what was written.
func TestSelfTestNotices(t *testing.T) {
	image := tinyHive()
	for name, offset := range map[string]int{
		"a letter of the key":              bytes.Index(image, utf16le(tinyKey)),
		"a letter of the Latin-1 name":     bytes.Index(image, []byte("Gr\xf6\xdfe")) + 2,
		"a letter of the UTF-16 name":      bytes.Index(image, append([]byte{0, 0, 0, 0}, utf16le(tinyWideValue)...)) + 4,
		"a letter of the text":             bytes.Index(image, utf16z(tinyText)),
		"the number":                       bytes.Index(image, u32s(tinyNumber)),
		"the signature of the first value": bytes.Index(image, []byte("vk")),
	} {
		if offset < 4 {
			t.Fatalf("%s: not found in the hive", name)
		}
		if err := readTinyHive(patched(image, offset, image[offset]^1)); err == nil {
			t.Errorf("readTinyHive with %s changed = nil, want an error", name)
		}
	}
}

func TestCannotJudge(t *testing.T) {
	hive := writeTemp(t, tinyHive())
	t.Setenv("TMPDIR", "/nonexistent")
	code, stdout, stderr := runProgram(`{"keys":[]}`, hive)
	if code != exitCannotJudge || stdout != "" || !strings.HasPrefix(stderr, "unloop-crosscheck: error: cannot judge: ") {
		t.Errorf("run = %d, %q, %q; want %d, nothing, cannot judge", code, stdout, stderr, exitCannotJudge)
	}
}

// Before anybody believes the tiny hive, somebody else reads it.
func TestTinyHiveByOthers(t *testing.T) {
	out := output(t, "regfexport", "-K", `\`, writeTemp(t, tinyHive()))
	_, got, _ := strings.Cut(string(out), "\n\n") // after name and version of the tool
	want := `Key path: \\tiny
Key: tiny

Key path: \\tiny\復旧
Key: 復旧
Value: 0 Größe
Type: 32-bit integer little-endian (REG_DWORD_LITTLE_ENDIAN)
Data size: 4
Data: 305419896

Value: 1 値
Type: string (REG_SZ)
Data size: 6
Data: はい


`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("regfexport (-want +got)\n%s", diff)
	}
}

func TestRunAnswers(t *testing.T) {
	content := tinyHive()
	hive := writeTemp(t, content)
	code, stdout, stderr := runProgram(`{"keys":[
		{"path":["復旧"],"values":["値","gRößE","GRÖSSE",""]},
		{"path":["復旧","x"],"values":["値"]},
		{"path":[]},
		{}]}`, hive)
	want := `"keys":[` +
		`{"path":["復旧"],"found":true,"values":[{"name":"値","found":true,"type":1,"data":"6f3044300000"},` +
		`{"name":"gRößE","found":true,"type":4,"data":"78563412"},` +
		`{"name":"GRÖSSE","found":false,"type":0,"data":""},{"name":"","found":false,"type":0,"data":""}]},` +
		`{"path":["復旧","x"],"found":false,"values":[{"name":"値","found":false,"type":0,"data":""}]},` +
		`{"path":[],"found":true,"values":[]},{"path":[],"found":true,"values":[]}]}` + "\n"
	if code != exitAnswered || !strings.HasPrefix(stdout, `{"judge":"libhivex`) || !strings.HasSuffix(stdout, want) || stderr != "" {
		t.Errorf("run = %d, %s, %q; want %d, ...%s", code, stdout, stderr, exitAnswered, want)
	}
	if after, err := os.ReadFile(hive); err != nil || !bytes.Equal(after, content) {
		t.Errorf("the hive was changed (%v)", err)
	}
}

func TestRunTree(t *testing.T) {
	code, stdout, _ := runProgram(`{"keys":[]}`, "--tree", writeTemp(t, tinyHive()))
	record := "\x07\x00\x00\x00Größe\x04\x00\x00\x00\x04\x00\x00\x00\x78\x56\x34\x12" +
		"\x03\x00\x00\x00値\x01\x00\x00\x00\x06\x00\x00\x00\x6f\x30\x44\x30\x00\x00"
	want := fmt.Sprintf("%x \n%x 復旧\nEND 2 2\n", hash(""), hash(record))
	_, got, _ := strings.Cut(stdout, "\n")
	if diff := cmp.Diff(want, got); code != exitAnswered || diff != "" {
		t.Errorf("run --tree = %d (-want +got)\n%s", code, diff)
	}
}

func hash(record string) []byte {
	sum := sha256.Sum256([]byte(record))
	return sum[:16]
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestRunUnreadable(t *testing.T) {
	for name, content := range map[string][]byte{
		"dirty":        patched(tinyHive(), 4, 2),
		"bad checksum": patched(tinyHive(), 508, 0),
		"truncated":    tinyHive()[:8191],
		"not a hive":   make([]byte, 8192),
	} {
		code, stdout, stderr := runProgram(`{"keys":[]}`, writeTemp(t, content))
		if code != exitUnreadable || stdout != "" || !strings.HasPrefix(stderr, "unloop-crosscheck: error: ") {
			t.Errorf("run on a hive that is %s = %d, %q, %q; want %d", name, code, stdout, stderr, exitUnreadable)
		}
	}
	if code, _, _ := runProgram(`{"keys":[]}`, "/nonexistent/SYSTEM"); code != exitUnreadable {
		t.Errorf("run on a missing file = %d, want %d", code, exitUnreadable)
	}
	if code := run([]string{writeTemp(t, tinyHive())}, strings.NewReader(`{"keys":[]}`), brokenWriter{}, new(bytes.Buffer)); code != exitUnreadable {
		t.Errorf("run with a full disk = %d, want %d", code, exitUnreadable)
	}
}

// A crash must not look like one of the program's own exit codes.
func TestCrashBySignal(t *testing.T) {
	cmd := exec.Command(os.Args[0], "/nonexistent")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// More than a pipe holds: when it is written, the program is there and reads its question.
	if _, err := stdin.Write(bytes.Repeat([]byte(" "), 1<<18)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
		t.Errorf("ended with %v, want a signal", err)
	}
}

// A root cell of eight bytes holds no key, whatever lies behind it.
func TestRootCellTooSmall(t *testing.T) {
	image := tinyHive()
	root := 4096 + int(binary.LittleEndian.Uint32(image[36:]))
	size := -int32(binary.LittleEndian.Uint32(image[root:]))
	binary.LittleEndian.PutUint32(image[root:], 1<<32-8)
	binary.LittleEndian.PutUint32(image[root+8:], -uint32(size-8)) // the rest is a cell of its own
	code, stdout, _ := runProgram(`{"keys":[]}`, "--tree", writeTemp(t, image))
	if code != exitUnreadable {
		t.Errorf("run = %d, %q; want %d", code, stdout, exitUnreadable)
	}
	if code, stdout, _ = runProgram(`{"keys":[{"path":[]}]}`, writeTemp(t, image)); code != exitUnreadable || stdout != "" {
		t.Errorf("run = %d, %q; want %d", code, stdout, exitUnreadable)
	}
}

// A key may lie 512 levels deep, and in a damaged hive any number of them.
func TestTreeDepth(t *testing.T) {
	h, err := openHive(writeTemp(t, tinyHive()), true)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	path := slices.Repeat([]string{"k"}, maxDepth)
	n, err := makeKey(h, path)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := listing(h); err != nil || !bytes.HasSuffix(text, fmt.Appendf(nil, "END %d 2\n", maxDepth+2)) {
		t.Errorf("listing of %d levels: %v", maxDepth, err)
	}
	if _, err := h.addChild(n, "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := listing(h); err == nil {
		t.Errorf("listing of %d levels = nil, want an error", maxDepth+1)
	}
}

func TestBuild(t *testing.T) {
	base := writeTemp(t, tinyHive())
	out := filepath.Join(t.TempDir(), "out")
	text := regHeader + `
[HKEY_LOCAL_MACHINE\SYSTEM\復旧]
"größe"=-
"値"="いいえ"
[\ControlSet001\Services\Haspnt]
"Start"=dword:2
"Empty"=hex:
@="none"
[gone]
[-gone]
[\Select]
`
	if code, _, stderr := runProgram(text, "build", base, out); code != exitAnswered {
		t.Fatalf("build = %d, %s", code, stderr)
	}
	if content, err := os.ReadFile(base); err != nil || !bytes.Equal(content, tinyHive()) {
		t.Errorf("build changed its base (%v)", err)
	}
	got := answerOf(t, out, Question{Keys: []KeyQuestion{
		{Path: []string{"復旧"}, Values: []string{"Größe", "値"}},
		{Path: []string{"ControlSet001", "services", "haspnt"}, Values: []string{"start", "Empty", ""}},
		{Path: []string{"gone"}}, {Path: []string{"Select"}},
	}})
	want := []KeyAnswer{
		{Path: []string{"復旧"}, Found: true, Values: []ValueAnswer{{Name: "Größe"},
			{Name: "値", Found: true, Type: regSz, Data: hex.EncodeToString(utf16z("いいえ"))}}},
		{Path: []string{"ControlSet001", "services", "haspnt"}, Found: true, Values: []ValueAnswer{
			{Name: "start", Found: true, Type: regDword, Data: "02000000"},
			{Name: "Empty", Found: true, Type: regBinary},
			{Name: "", Found: true, Type: regSz, Data: hex.EncodeToString(utf16z("none"))}}},
		{Path: []string{"gone"}, Values: []ValueAnswer{}},
		{Path: []string{"Select"}, Found: true, Values: []ValueAnswer{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the built hive (-want +got)\n%s", diff)
	}
}

func answerOf(t *testing.T, path string, q Question) []KeyAnswer {
	t.Helper()
	h, err := openHive(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	a, err := answer(h, q)
	if err != nil {
		t.Fatal(err)
	}
	return a.Keys
}

// What cannot be built leaves no file behind, and an older one as it was.
func TestBuildRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		base []byte
		text string
	}{
		"dirty base":            {patched(tinyHive(), 4, 2), regHeader},
		"broken base":           {patched(tinyHive(), 508, 0), regHeader},
		"broken text":           {tinyHive(), "REGEDIT4"},
		"too much data":         {tinyHive(), regHeader + "\n[a]\n\"a\"=hex:" + strings.Repeat("00", maxData+1)},
		"NUL in a name":         {tinyHive(), regHeader + "\n[a\x00b]\n"},
		"NUL in a value's name": {tinyHive(), regHeader + "\n[a]\n\"b\x00c\"=dword:1"},
	} {
		out := writeTemp(t, []byte("older"))
		code, _, stderr := runProgram(tt.text, "build", writeTemp(t, tt.base), out)
		if code != exitUnreadable || stderr == "" {
			t.Errorf("build with %s = %d, %q; want %d", name, code, stderr, exitUnreadable)
		}
		files, err := os.ReadDir(filepath.Dir(out))
		if content, _ := os.ReadFile(out); err != nil || len(files) != 1 || string(content) != "older" {
			t.Errorf("build with %s left %v, %d bytes (%v)", name, files, len(content), err)
		}
	}
}

func BenchmarkSelfTest(b *testing.B) {
	for b.Loop() {
		if err := selfTest(); err != nil {
			b.Fatal(err)
		}
	}
}
