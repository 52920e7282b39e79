package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseReg(t *testing.T) {
	text := strings.ReplaceAll(`Windows Registry Editor Version 5.00

; a comment
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\Haspnt]
"Start"=dword:00000002
"Image\"\\Path"="a\\b"
@=hex:01,\
  02,\
  ff
"Multi"=hex(7):61,00,00,00,00,00
"Expand"=str(2):"x"
"Empty"=hex(0):
"Gone"=-
[-\Select]
[hkey_local_machine\system]
`, "\n", "\r\n")
	data := func(name string, typ uint32, data string) change {
		return change{value: value{name, typ, []byte(data)}}
	}
	want := []section{
		{path: []string{"ControlSet001", "Services", "Haspnt"}, values: []change{
			data("Start", regDword, "\x02\x00\x00\x00"),
			data(`Image"\Path`, regSz, "a\x00\\\x00b\x00\x00\x00"),
			data("", regBinary, "\x01\x02\xff"),
			data("Multi", 7, "a\x00\x00\x00\x00\x00"),
			data("Expand", 2, "x\x00\x00\x00"),
			data("Empty", 0, ""),
			{value: value{name: "Gone"}, delete: true},
		}},
		{path: []string{"Select"}, delete: true},
		{},
	}
	got, err := parseReg(strings.NewReader("\ufeff" + text))
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(section{}, change{}, value{})); err != nil || diff != "" {
		t.Errorf("parseReg: %v (-want +got)\n%s", err, diff)
	}
}

func TestParseRegErrors(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"[Select", "line 2: key without its closing bracket"},
		{`[HKEY_CURRENT_USER\Software]`, "line 2: key outside"},
		{`"a"=dword:1`, "line 2: value outside a key"},
		{"[-a]\n" + `"a"=dword:1`, "line 3: value outside a key"},
		{"[a]\n\n" + `"a"=dword:1_0`, "line 4: "},
		{"[a]\n" + `"a"=dword:100000000`, "line 3: "},
		{"[a]\n" + `"a"=dword:`, "line 3: "},
		{"[a]\n" + `"a"=hex:1`, "line 3: "},
		{"[a]\n" + `"a"=hex(x):01`, "line 3: type"},
		{"[a]\n" + `"a"=qword:01`, "line 3: data of unknown kind"},
		{"[a]\n" + `"a"=1`, "line 3: data"},
		{"[a]\n" + `"a"="b`, "line 3: text without"},
		{"[a]\n" + `"a"="b"c`, "line 3: \"c\" after the text"},
		{"[a]\n" + `"a" dword:1`, "line 3: value without"},
		{"[a]\n" + `a=dword:1`, "line 3: "},
		{"[a]\n" + `"a"=hex:01,\`, "ends in the middle of a value"},
	} {
		got, err := parseReg(strings.NewReader(regHeader + "\n" + tt.line + "\n"))
		if err == nil || !strings.Contains(err.Error(), tt.want) || got != nil {
			t.Errorf("parseReg(%q) = %v, %v; want %q", tt.line, got, err, tt.want)
		}
	}
	for _, text := range []string{"", "REGEDIT4\n", "\xff\xfeW\x00i\x00"} {
		if got, err := parseReg(strings.NewReader(text)); err == nil {
			t.Errorf("parseReg(%q) = %v, want an error", text, got)
		}
	}
}
