package hive

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const regHeader = "Windows Registry Editor Version 5.00\n"

func TestFormatRegValue(t *testing.T) {
	for _, tt := range []struct {
		name string
		typ  ValueType
		data string
		want string
	}{
		{"Start", RegDWORD, "\x02\x00\x00\x00", `"Start"=dword:00000002`},
		{"Start", RegDWORD, "\x02\x00", `"Start"=hex(4):02,00`},
		{"", RegSZ, string(EncodeSZ("text")), `@="text"`},
		{"Path", RegSZ, string(EncodeSZ(`C:\"x"; y`)), `"Path"="C:\\\"x\"; y"`},
		{"名前", RegSZ, string(EncodeSZ("値　😀")), `"名前"="値　😀"`},
		{"no NUL", RegSZ, "a\x00", `"no NUL"=hex(1):61,00`},
		{"two NULs", RegSZ, "a\x00\x00\x00\x00\x00", `"two NULs"=hex(1):61,00,00,00,00,00`},
		{"odd", RegSZ, "a\x00\x00\x00\x00", `"odd"=hex(1):61,00,00,00,00`},
		{"escape", RegSZ, string(EncodeSZ("\x1b[2J")), `"escape"=hex(1):1b,00,5b,00,32,00,4a,00,00,00`},
		{"bidi", RegSZ, string(EncodeSZ("\u202e")), `"bidi"=hex(1):2e,20,00,00`},
		{"surrogate", RegSZ, "\x3d\xd8\x00\x00", `"surrogate"=hex(1):3d,d8,00,00`},
		{"empty", RegSZ, "", `"empty"=hex(1):`},
		{"list", RegMultiSZ, "\xaa\xbb", `"list"=hex(7):aa,bb`},
		{"bytes", RegBinary, "\x00\x10\xff", `"bytes"=hex:00,10,ff`},
		{"none", RegNone, "", `"none"=hex(0):`},
		{"own", 0xFFFF0012, "\x01", `"own"=hex(ffff0012):01`},
		{`q"b\u0041`, RegBinary, "", `"q\"b\\u0041"=hex:`},
		{"a\x00\x1b\u202e", RegBinary, "", `"a\u0000\u001b\u202e"=hex:`},
		{"\xed\xa0\xbd|\U000E0001", RegBinary, "", `"\ud83d|\udb40\udc01"=hex:`},
	} {
		if got := FormatRegValue(tt.name, tt.typ, []byte(tt.data)); got != tt.want {
			t.Errorf("FormatRegValue(%q, %v, %x) = %s, want %s", tt.name, tt.typ, tt.data, got, tt.want)
		}
		checkRegRoundTrip(t, []string{"k"}, RegValue{Name: tt.name, Type: tt.typ, Data: []byte(tt.data)})
	}
}

func TestFormatRegKey(t *testing.T) {
	for _, tt := range []struct {
		path []string
		want string
	}{
		{nil, ``},
		{[]string{"ControlSet001", "services", "Haspnt"}, `ControlSet001\services\Haspnt`},
		{[]string{"a]", "[b", " c ", `"`}, `a]\[b\ c \"`},
		{[]string{"-x", "-y"}, `\\u002dx\-y`},
		{[]string{`a\b`, "\x07c"}, `a\\u005cb\\\u0007c`},
		{[]string{"\xed\xa0\xbd", "日本"}, `\\ud83d\日本`},
	} {
		if got := FormatRegKey(tt.path); got != tt.want {
			t.Errorf("FormatRegKey(%q) = %s, want %s", tt.path, got, tt.want)
		}
		checkRegRoundTrip(t, tt.path, RegValue{Type: RegBinary})
	}
}

// checkRegRoundTrip formats one value, with and without a prefix, and expects
// ParseReg to give the same key and value back.
func checkRegRoundTrip(t *testing.T, path []string, v RegValue) {
	t.Helper()
	line := FormatRegValue(v.Name, v.Type, v.Data)
	if strings.ContainsFunc(line+FormatRegKey(path), func(r rune) bool { return r < ' ' || r == 0x7F }) {
		t.Errorf("control characters in %q of %q", line, FormatRegKey(path))
	}
	want := []RegSection{{Path: path, Values: []RegValue{v}}}
	for _, prefix := range []string{"", `HKEY_LOCAL_MACHINE\SYSTEM`} {
		key := FormatRegKey(path)
		if prefix != "" && key != "" {
			key = prefix + `\` + key
		} else if prefix != "" {
			key = prefix
		}
		text := regHeader + "[" + key + "]\n" + line + "\n"
		got, err := ParseReg([]byte(text), prefix)
		if err != nil {
			t.Errorf("ParseReg(%q): %v", text, err)
		} else if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("ParseReg(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestParseReg(t *testing.T) {
	text := strings.ReplaceAll(regHeader+`
; a comment \
[HKEY_Local_Machine\system]
[HKEY_LOCAL_MACHINE\SYSTEM\Select]
@="default"
"Current"=dword:1 ; trailing
"Gone"=-
@=-
 "Wide" = hex(7):61,00,\
  00,00,\
  00,00
"Image"=str(2):"%SystemRoot%\\x"
"q"=hex(b):
[-HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\a]b]
`, "\n", "\r\n")
	want := []RegSection{
		{},
		{Path: []string{"Select"}, Values: []RegValue{
			{Type: RegSZ, Data: EncodeSZ("default")},
			{Name: "Current", Type: RegDWORD, Data: []byte{1, 0, 0, 0}},
			{Name: "Gone", Delete: true},
			{Delete: true},
			{Name: "Wide", Type: RegMultiSZ, Data: EncodeMultiSZ([]string{"a"})},
			{Name: "Image", Type: RegExpandSZ, Data: EncodeSZ(`%SystemRoot%\x`)},
			{Name: "q", Type: RegQWORD},
		}},
		{Path: []string{"ControlSet002", "a]b"}, Delete: true},
	}
	for name, encoded := range map[string][]byte{
		"UTF-8":          []byte(text),
		"UTF-8 with BOM": []byte("\xEF\xBB\xBF" + text),
		"UTF-16":         append([]byte("\xFF\xFE"), EncodeUTF16(text)...),
	} {
		got, err := ParseReg(encoded, `HKEY_LOCAL_MACHINE\SYSTEM`)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ParseReg of %s: error %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestParseRegANSI(t *testing.T) {
	got, err := ParseReg([]byte("REGEDIT4\n[k]\n\"e\"=hex(2):61,00\n\"b\"=hex:61\n"), "")
	want := []RegSection{{Path: []string{"k"}, Values: []RegValue{
		{Name: "e", Type: RegExpandSZ, Data: EncodeSZ("a")},
		{Name: "b", Type: RegBinary, Data: []byte("a")},
	}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("ParseReg: error %v (-want +got):\n%s", err, diff)
	}
}

func TestParseRegErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "first line is neither"},
		{"[k]\n", "line 1: neither"},
		{regHeader + "\n\"a\"=\"b\"", "line 3: value before the first key"},
		{regHeader + "[HKEY_USERS\\x]", "line 2: key does not begin with HKLM"},
		{regHeader + "[HKLMx]", "line 2: key does not begin with HKLM"},
		{regHeader + "[HKLM\\a", "line 2: key without closing bracket"},
		{regHeader + "[HKLM\\a\\]", "line 2: empty key name"},
		{regHeader + "[HKLM\\a\\\\b]", "line 2: empty key name"},
		{regHeader + "[-HKLM\\a]\n\"x\"=-", "line 3: value under a deleted key"},
		{regHeader + "[HKLM]\nfoo", "line 3: neither a key"},
		{regHeader + "[HKLM]\n\"x\"", "line 3: no = after"},
		{regHeader + "[HKLM]\n\"x\\", "line 3: value name: "},
		{regHeader + "[HKLM]\n\"x\"=\"y", "line 3: no closing quote"},
		{regHeader + "[HKLM]\n\"x\"=\"C:\\Windows\"", `line 3: a lone \`},
		{regHeader + "[HKLM]\n\"x\"=\"y\" z", "line 3: text after the closing quote"},
		{regHeader + "[HKLM]\n\"x\"=dword:123456789", "line 3: dword"},
		{regHeader + "[HKLM]\n\"x\"=hex:00,\\\n 100\n", "line 3: hex"},
		{regHeader + "[HKLM]\n\"x\"=hex(7:00", "line 3: type is not"},
		{regHeader + "[HKLM]\n\"x\"=qword:00", "line 3: data of unknown kind"},
		{regHeader + "[HKLM]\n\"\xff\"=\"\"", "line 3: text is neither UTF-16"},
		{"REGEDIT4\n[HKLM]\n@=hex(2):83,00", "line 3: hex: REGEDIT4 text that is not ASCII"},
	} {
		got, err := ParseReg([]byte(tt.text), "HKLM")
		if err == nil || !strings.Contains(err.Error(), tt.want) || got != nil {
			t.Errorf("ParseReg(%q) = %v, %v, want error with %q", tt.text, got, err, tt.want)
		}
	}
}

// FuzzParseReg: whatever text is accepted is the same after formatting.
func FuzzParseReg(f *testing.F) {
	f.Add([]byte(regHeader + "[a\\b]\n@=\"x\"\n\"n\"=dword:00000001\n\"m\"=hex(7):61,00,\\\n 00,00\n\"g\"=-\n[-c]\n"))
	f.Add([]byte("REGEDIT4\n[\\\\u0007\\-x]\n\"\\u0000\\\\\"=str(2):\"\\ud83d\"\n"))
	f.Add(append([]byte("\xFF\xFE"), EncodeUTF16(regHeader+"[名]\n\"\xed\xa0\xbd\"=hex:")...))
	f.Fuzz(func(t *testing.T, text []byte) {
		sections, err := ParseReg(text, "")
		if err != nil {
			if sections != nil {
				t.Fatalf("sections beside error %v", err)
			}
			return
		}
		again, err := ParseReg(formatSections(sections), "")
		if diff := cmp.Diff(sections, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("second reading: error %v (-first +second):\n%s", err, diff)
		}
	})
}

func formatSections(sections []RegSection) []byte {
	b := bytes.NewBufferString(regHeader)
	for _, s := range sections {
		sign := map[bool]string{true: "-"}[s.Delete]
		b.WriteString("[" + sign + FormatRegKey(s.Path) + "]\n")
		for _, v := range s.Values {
			line := FormatRegValue(v.Name, v.Type, v.Data)
			if v.Delete {
				line = strings.TrimSuffix(FormatRegValue(v.Name, RegBinary, nil), "hex:") + "-"
			}
			b.WriteString(line + "\n")
		}
	}
	return b.Bytes()
}

// FuzzFormatReg: whatever a hive can hold survives being formatted and parsed.
func FuzzFormatReg(f *testing.F) {
	f.Add([]byte("k\x00"), []byte("n\x00\x00\x00"), uint32(1), []byte("v\x00\x00\x00"))
	f.Add([]byte("-\x00\\\x00"), []byte("\x3d\xd8\x22\x00"), uint32(4), []byte{1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, key, name []byte, typ uint32, data []byte) {
		k := DecodeUTF16(key)
		if k == "" {
			k = "empty"
		}
		checkRegRoundTrip(t, []string{k, k}, RegValue{Name: DecodeUTF16(name), Type: ValueType(typ), Data: data})
	})
}
