package hive_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

func compare(t testing.TB, a, b *hive.Hive, times bool) *hive.Diff {
	t.Helper()
	d, err := hive.Compare(a, b, times)
	if err != nil {
		t.Fatalf("Compare: %v", err)
	}
	return d
}

func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// textHive opens a hive of .reg text.
func textHive(t testing.TB, text string, o hivetest.Options) *hive.Hive {
	t.Helper()
	return open(t, hive.Files{Primary: buildText(t, text, o)})
}

const diffOld = `
[]
@="root"
[both]
"a"=dword:1
"kept"="same"
"Gone"=hex:01,02
"Case"=dword:5
"type"=hex:04,00,00,00
[old\deep\deeper]
@="x"
"z"=dword:1
"B"=dword:2
[both\sub]
"quoted \"\\ name"="a\\b"
[zz]
`

const diffNew = `
[]
@="the root"
[both]
"kept"="same"
"a"=dword:2
"CASE"=dword:5
"type"=dword:4
"added"=str(2):"%SystemRoot%"
[both\Sub]
"quoted \"\\ name"="a\\b\u001b[31m"
[both\new]
[New]
@=dword:ffffffff
[New\Ōsaka\日本]
"日"="本"
[_ after Z]
[zz]
`

const diffText = `[]
-@="root"
+@="the root"
[both]
-"a"=dword:00000001
+"a"=dword:00000002
+"added"=hex(2):25,00,53,00,79,00,73,00,74,00,65,00,6d,00,52,00,6f,00,6f,00,74,00,25,00,00,00
-"Case"=dword:00000005
+"CASE"=dword:00000005
-"Gone"=hex:01,02
-"type"=hex:04,00,00,00
+"type"=dword:00000004
+[both\new]
[both\Sub]
-;name="sub"
+;name="Sub"
-"quoted \"\\ name"="a\\b"
+"quoted \"\\ name"=hex(1):61,00,5c,00,62,00,1b,00,5b,00,33,00,31,00,6d,00,00,00
+[New]
+@=dword:ffffffff
+[New\Ōsaka]
+[New\Ōsaka\日本]
+"日"="本"
-[old]
-[old\deep]
-[old\deep\deeper]
-@="x"
-"B"=dword:00000002
-"z"=dword:00000001
+[_ after Z]
`

func TestCompare(t *testing.T) {
	a, b := textHive(t, diffOld, hivetest.Options{}), textHive(t, diffNew, hivetest.Options{Fill: 500, List: hivetest.ListLI})
	if diff := cmp.Diff(diffText, compare(t, a, b, false).Text()); diff != "" {
		t.Errorf("diff (-want +got):\n%s", diff)
	}
	for name, h := range map[string]*hive.Hive{"old": a, "new": b} {
		if got := compare(t, h, h, true).Text(); got != "" {
			t.Errorf("the %s hive differs from itself:\n%s", name, got)
		}
	}
}

// How a hive is laid out is no difference.
func TestCompareIgnoresLayout(t *testing.T) {
	a := textHive(t, hivetest.Win7(""), hivetest.Options{})
	b := textHive(t, hivetest.Win7(""), hivetest.Options{Fill: 9999, Slack: 8192, List: hivetest.ListLI, MaxList: 3, Minor: 3, Seq: 77, FileName: "x"})
	if got := compare(t, a, b, true).Text(); got != "" {
		t.Errorf("hives of the same text differ:\n%s", got)
	}
}

// Class, security and time of a key are properties that .reg text cannot say.
func TestCompareNotes(t *testing.T) {
	const text = "[k]\n\"v\"=\"a class of its own\"\n[k2]\n"
	a := buildText(t, text, hivetest.Options{})
	b := buildText(t, text, hivetest.Options{LastWritten: (1525824000+11644473600)*10_000_000 + 15})
	setClass(t, b)
	at := bytes.Index(b, []byte("sk\x00\x00"))
	b[at+20+8]++ // in the descriptor
	got := compare(t, open(t, hive.Files{Primary: a}), open(t, hive.Files{Primary: b}), true)
	if len(got.Keys) != 3 {
		t.Fatalf("%d keys differ, want all three:\n%s", len(got.Keys), got.Text())
	}
	want := `[k]
+;class="a class"
-;security=NOTE
+;security=NOTE
-;time="2018-05-09T00:00:00.0000000Z"
+;time="2018-05-09T00:00:00.0000015Z"
-"v"="a class of its own"
+"v"=""
`
	text1 := (&hive.Diff{Keys: got.Keys[1:2]}).Text()
	lines := strings.Split(text1, "\n")
	for i, line := range lines {
		if sign, note, ok := strings.Cut(line, ";security="); ok && strings.Contains(note, " bytes, sha256 ") {
			lines[i] = sign + ";security=NOTE"
		}
	}
	if diff := cmp.Diff(want, strings.Join(lines, "\n")); diff != "" {
		t.Errorf("diff (-want +got):\n%s", diff)
	}
	untimed := compare(t, open(t, hive.Files{Primary: a}), open(t, hive.Files{Primary: b}), false)
	if s := untimed.Text(); strings.Contains(s, ";time") || !strings.Contains(s, ";class") {
		t.Errorf("diff without times:\n%s", s)
	}
}

// setClass turns the data of value v in key k into the key's class name.
func setClass(t *testing.T, b []byte) {
	t.Helper()
	h, err := regf.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	root, err := h.Root()
	if err != nil {
		t.Fatal(err)
	}
	k, _, err := root.Find("k")
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := k.Value("v")
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	vk, nk := b[v.Offset()+4:], b[k.Offset()+4:]
	copy(nk[48:52], vk[8:12]) // the class name lies where the data did
	le.PutUint16(nk[74:], uint16(len("a class")*2))
	le.PutUint32(vk[4:], 2|1<<31) // the value is an empty string of its own
	le.PutUint32(vk[8:], 0)
}

func TestDiffReg(t *testing.T) {
	a, b := textHive(t, diffOld, hivetest.Options{}), textHive(t, diffNew, hivetest.Options{})
	d := compare(t, a, b, false)
	const prefix = `HKEY_LOCAL_MACHINE\SYSTEM`
	text := d.Reg(prefix)
	if strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") {
		t.Error("a line does not end in CR LF")
	}
	const want = "\r\n[HKEY_LOCAL_MACHINE\\SYSTEM]\r\n@=\"the root\"\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\both]\r\n\"a\"=dword:00000002\r\n"
	if !strings.HasPrefix(text, "Windows Registry Editor Version 5.00\r\n"+want) {
		t.Errorf("Reg begins otherwise than %q:\n%s", want, text)
	}
	for _, line := range []string{`"Gone"=-`, `[-HKEY_LOCAL_MACHINE\SYSTEM\old]`, `[HKEY_LOCAL_MACHINE\SYSTEM\both\new]`} {
		if !strings.Contains(text, "\r\n"+line+"\r\n") {
			t.Errorf("Reg has no line %s:\n%s", line, text)
		}
	}
	// Merged over the old text, as regedit would, it makes the new hive, but for
	// letter case: a name that is there keeps its own.
	full := "Windows Registry Editor Version 5.00\n" + strings.NewReplacer("\n[", "\n["+prefix+`\`, "\n[]", "\n["+prefix+"]").Replace(diffOld)
	merged := textHive(t, full+strings.TrimPrefix(text, "Windows Registry Editor Version 5.00"), hivetest.Options{})
	left := compare(t, merged, b, false).Text()
	left = strings.TrimSuffix(left, "[both\\Sub]\n-;name=\"sub\"\n+;name=\"Sub\"\n")
	if left != "[both]\n-\"Case\"=dword:00000005\n+\"CASE\"=dword:00000005\n" && left != "" {
		t.Errorf("after merging Reg's text over the old hive:\n%s", left)
	}
}

// What the dry run prints as .reg, imported by another program, makes the same values.
func TestDiffRegImported(t *testing.T) {
	tool(t, "hivexregedit")
	const prefix = `HKEY_LOCAL_MACHINE\SYSTEM`
	for name, primary := range map[string]func() []byte{
		"built": func() []byte { return build(t, mixed, hivetest.Options{Fill: 4096}) },
		"real":  func() []byte { return realHive(t, haspHive) },
	} {
		t.Run(name, func(t *testing.T) {
			data := primary()
			c := prepare(t, open(t, hive.Files{Primary: data}), hive.Scope{}, false)
			reg := writeTemp(t, []byte(c.Diff.Reg(prefix)))
			file := writeTemp(t, data)
			judge(t, "hivexregedit", "--merge", "--prefix", prefix, file, reg)
			merged, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if left := compare(t, c.New, open(t, hive.Files{Primary: merged}), false).Text(); left != "" {
				t.Errorf("hivexregedit makes something else of it:\n%s", left)
			}
		})
	}
}

// Two big hives that have nothing in common are compared in a moment.
func TestCompareBigAndDifferent(t *testing.T) {
	big := func(key string) *hive.Hive {
		var b strings.Builder
		for i := range 20000 {
			fmt.Fprintf(&b, "[%s\\%s%05d]\n\"v%d\"=dword:%d\n", key, key, i, i, i%10)
		}
		fmt.Fprintf(&b, "[values]\n")
		for i := range 1000 {
			fmt.Fprintf(&b, "\"%s%05d\"=dword:1\n", key, i)
		}
		return textHive(t, b.String(), hivetest.Options{})
	}
	a, b := big("a"), big("b")
	begin := time.Now()
	d := compare(t, a, b, false)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("Compare took %v", took)
	}
	var values int
	for _, k := range d.Keys {
		values += len(k.Values)
	}
	if len(d.Keys) != 2*20001+1 || values != 2*21000 {
		t.Errorf("%d keys and %d values differ, want %d and %d", len(d.Keys), values, 2*20001+1, 2*21000)
	}
}

func BenchmarkCompare(b *testing.B) {
	h := open(b, hive.Files{Primary: realHive(b, haspHive)})
	c := prepare(b, h, hive.Scope{}, false)
	for b.Loop() {
		compare(b, c.Old, c.New, false)
	}
}
