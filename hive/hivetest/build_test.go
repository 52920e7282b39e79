package hivetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
)

// judge runs a foreign program that may take ten seconds. It skips the test,
// or fails it under CI=true, where the program is missing.
func judge(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", name)
	} else if err != nil {
		t.Skipf("%s is not installed", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PERL_UNICODE=O")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s%s", name, err, stderr.String(), out)
	}
	return string(out), err
}

// japanese is a name of 16 characters.
const japanese = "設定値名前日本語漢字仮名交文字列"

// bigList is a key with n subkeys.
func bigList(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "[big\\%04d]\n", (i*7)%n)
	}
	return b.String()
}

// hexValue is a REG_BINARY of n bytes.
func hexValue(name string, n int) string {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i * i >> 3)
	}
	return hive.FormatRegValue(name, hive.RegBinary, data) + "\n"
}

var builds = []struct {
	name string
	reg  string
	o    Options
}{
	{"empty", "", Options{}},
	{"win7", Win7(""), Options{Slack: 8192, Fill: 3000}},
	{"win7 full", Win7(""), Options{Full: true}},
	{"win7 full and filled", Win7(""), Options{Full: true, Fill: 20000}},
	{"japanese", "[" + japanese + "\\ä]\n\"" + japanese + "\"=\"" + japanese + "\"\n\"é\"=dword:00000001\n", Options{}},
	{"sizes", "[k]\n" + hexValue("0", 0) + hexValue("1", 1) + hexValue("4", 4) + hexValue("5", 5) + hexValue("page", 4096) +
		hexValue("largest plain", 16344) + hexValue("smallest big", 16345) + hexValue("three", 3*16344) + hexValue("bigger", 3*16344+1), Options{}},
	{"version 1.3", "[k]\n" + hexValue("plain", 20000), Options{Minor: 3}},
	{"lf", bigList(30), Options{List: ListLF}},
	{"li", bigList(30), Options{List: ListLI}},
	{"ri of lh", bigList(1201), Options{}},
	{"ri of li", bigList(30), Options{List: ListLI, MaxList: 4}},
}

func TestBuildAgainstHivex(t *testing.T) {
	for _, tt := range builds {
		t.Run(tt.name, func(t *testing.T) {
			file := writeHive(t, tt.reg, tt.o)
			out, err := judge(t, "hivexregedit", "--export", file, `\`)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(flatten(t, tt.reg), flatten(t, out)); diff != "" {
				t.Errorf("hivexregedit reads (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBuildAgainstReglookup and the next one count keys and values: these
// programs print data in ways of their own.
func TestBuildAgainstReglookup(t *testing.T) {
	for _, tt := range builds {
		t.Run(tt.name, func(t *testing.T) {
			out, err := judge(t, "reglookup", "-H", writeHive(t, tt.reg, tt.o))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := strings.Count(out, "\n"), len(flatten(t, tt.reg)); got != want {
				t.Errorf("reglookup lists %d keys and values, want %d:\n%.2000s", got, want, out)
			}
		})
	}
	out, err := judge(t, "reglookup", "-H", "-p", "/ControlSet002/services/Haspnt/Start", writeHive(t, Win7(""), Options{}))
	if want := "/ControlSet002/services/Haspnt/Start,DWORD,0x00000002,"; err != nil || strings.TrimSpace(out) != want {
		t.Errorf("reglookup = %q, %v, want %q", out, err, want)
	}
}

func TestBuildAgainstRegfexport(t *testing.T) {
	for _, tt := range builds {
		t.Run(tt.name, func(t *testing.T) {
			out, err := judge(t, "regfexport", writeHive(t, tt.reg, tt.o))
			if err != nil {
				t.Fatal(err)
			}
			values := 0
			for _, v := range flatten(t, tt.reg) {
				values += min(len(v), 1)
			}
			if got := strings.Count(out, "\nValue:"); got != values {
				t.Errorf("regfexport lists %d values, want %d:\n%.2000s", got, values, out)
			}
		})
	}
}

func TestBuildAgainstHivexsh(t *testing.T) {
	file := writeHive(t, Win7(""), Options{})
	script := filepath.Join(t.TempDir(), "script")
	err := os.WriteFile(script, []byte("load "+file+"\ncd ControlSet001\\services\\HASPNT\nlsval Start\n"), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	out, err := judge(t, "hivexsh", "-f", script)
	if err != nil || out != "2\n" {
		t.Errorf("hivexsh = %q, %v, want 2", out, err)
	}
}

// flatten returns key paths and values of .reg text with their data; keys have
// none. Every key on the way counts, the root does not.
func flatten(t *testing.T, reg string) map[string]string {
	t.Helper()
	var o Options
	o.setDefaults(reg)
	sections, err := hive.ParseReg([]byte(withHeader(reg)), o.Prefix)
	if err != nil {
		t.Fatal(err)
	}
	root := &treeKey{}
	if err := mergeReg(root, sections); err != nil {
		t.Fatal(err)
	}
	m := map[string]string{`\`: ""}
	var walk func(k *treeKey, path []string)
	walk = func(k *treeKey, path []string) {
		for _, v := range k.values {
			m[fmt.Sprintf("%q %q", path, v.Name)] = hive.FormatRegValue(v.Name, v.Type, v.Data)
		}
		for _, sub := range k.subkeys {
			p := append(path[:len(path):len(path)], sub.name)
			m[fmt.Sprintf("%q", p)] = ""
			walk(sub, p)
		}
	}
	walk(root, nil)
	return m
}

func writeHive(t *testing.T, reg string, o Options) string {
	t.Helper()
	b, err := Build(reg, o)
	if err != nil {
		t.Fatal(err)
	}
	checkBins(t, b, o)
	file := filepath.Join(t.TempDir(), "SYSTEM")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// checkBins walks bins and cells: gapless, no two free cells side by side, and
// as many free bytes as asked for.
func checkBins(t *testing.T, b []byte, o Options) {
	t.Helper()
	size := int(binary.LittleEndian.Uint32(b[40:]))
	if len(b) != pageSize+size+o.Slack {
		t.Fatalf("file of %d bytes with %d bytes of bins, want %d bytes of slack", len(b), size, o.Slack)
	}
	free, bins := 0, b[pageSize:pageSize+size]
	for at := 0; at < size; {
		end := at + int(binary.LittleEndian.Uint32(bins[at+8:]))
		if string(bins[at:at+4]) != "hbin" || int(binary.LittleEndian.Uint32(bins[at+4:])) != at || end%pageSize != 0 {
			t.Fatalf("no sound bin at %#x", at)
		}
		wasFree := false
		for at += binHeaderSize; at < end; {
			n := int(int32(binary.LittleEndian.Uint32(bins[at:])))
			if n == 0 || n%8 != 0 || n > 0 && wasFree {
				t.Fatalf("cell of size %d at %#x after a free one: %v", n, at, wasFree)
			}
			if wasFree = n > 0; wasFree {
				free += n
			}
			at += max(n, -n)
		}
		if at != end {
			t.Fatalf("last cell leaves its bin at %#x", at)
		}
	}
	if free < o.Fill&^15 || o.Full && free > o.Fill+binHeaderSize+pageSize {
		t.Errorf("%d bytes in free cells, want at least %d, no more if full: %v", free, o.Fill, o.Full)
	}
}

func TestBuildIsReproducible(t *testing.T) {
	a, errA := Build(Win7(""), Options{Fill: 500})
	b, errB := Build(Win7(""), Options{Fill: 500})
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("Build twice: %v, %v, equal: %v", errA, errB, bytes.Equal(a, b))
	}
}

func TestBuildMerges(t *testing.T) {
	extra := `
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\HASPNT]
"start"=dword:00000004
"DependOnService"=-
[-HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Services]
[-HKEY_LOCAL_MACHINE\SYSTEM\Not\There]
`
	plain, merged := flatten(t, Win7("")), flatten(t, Win7(extra))
	want := map[string]string{}
	for k, v := range plain {
		if !strings.HasPrefix(k, `["ControlSet002" "services"`) {
			want[k] = v
		}
	}
	haspnt := `["ControlSet001" "services" "Haspnt"]`
	want[haspnt+` "Start"`] = `"Start"=dword:00000004`
	delete(want, haspnt+` "DependOnService"`)
	if diff := cmp.Diff(want, merged); diff != "" {
		t.Errorf("Win7 with extra sections (-want +got):\n%s", diff)
	}
}

func TestBuildErrors(t *testing.T) {
	for _, tt := range []struct {
		name, reg string
		o         Options
		want      string
	}{
		{"slack", "", Options{Slack: 100}, "options out of range"},
		{"version", "", Options{Minor: 6}, "options out of range"},
		{"list", "", Options{List: "lx"}, `no "lx" lists`},
		{"lh before 1.5", "", Options{List: ListLH, Minor: 3}, `no "lh" lists in version 1.3`},
		{"text", "[a", Options{}, "line 2"},
		{"root", "[-]", Options{}, "deleting the root key"},
		{"name", "[" + strings.Repeat("k", 256) + "]", Options{}, "key name of 256 characters"},
	} {
		if got, err := Build(tt.reg, tt.o); err == nil || !strings.Contains(err.Error(), tt.want) || got != nil {
			t.Errorf("%s: Build = %d bytes, %v, want error with %q", tt.name, len(got), err, tt.want)
		}
	}
}

// TestNameHash has the hashes Windows 7 stored below the root of its SYSTEM.
func TestNameHash(t *testing.T) {
	for name, want := range map[string]uint32{"ControlSet001": 0x8f3ba9a2, "MountedDevices": 0xfc7a072b, "WPA": 0x1dd10} {
		if got := nameHash(name); got != want {
			t.Errorf("nameHash(%q) = %#x, want %#x", name, got, want)
		}
	}
}

func TestUpcase(t *testing.T) {
	for u, want := range map[uint16]uint16{'a': 'A', 'é': 'É', 'ß': 'ß', 'ı': 'ı', 'ſ': 'ſ', 'ÿ': 'Ÿ', 'ａ': 'Ａ', 0xD83D: 0xD83D} {
		if got := upcase(u); got != want {
			t.Errorf("upcase(%#x) = %#x, want %#x", u, got, want)
		}
	}
}
