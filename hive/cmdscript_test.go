package hive_test

import (
	"errors"
	"strings"
	"testing"

	"unloop/hive"
)

func cmdScript(edits ...hive.Edit) (string, error) {
	return hive.CmdScript{Tool: "unloop", Label: "x", Computer: "PC", Default: 1, Hives: []hive.CmdHive{{Name: hive.PrimaryFile, Edits: edits}}}.Text()
}

// What the script says of an edit, and how it says what cmd.exe would obey.
func TestCmdScript(t *testing.T) {
	list := func(names ...string) *hive.Data {
		return &hive.Data{Type: hive.RegMultiSZ, Bytes: hive.EncodeMultiSZ(names)}
	}
	number := &hive.Data{Type: hive.RegDWORD, Bytes: []byte{0xFF, 0xFF, 0xFF, 0xFF}}
	got, err := cmdScript(
		hive.Edit{Path: []string{"ControlSet001", "Enum", "50%", "a&b ^(x)!|<>"}, Name: "UpperFilters", Old: list("a%PATH%", "b&c"), New: list("b&c")},
		hive.Edit{Path: []string{"k"}, Name: "Gone", Old: &hive.Data{Type: hive.RegSZ, Bytes: hive.EncodeSZ("text")}},
		hive.Edit{Path: []string{"k"}, Name: "Start", New: number},
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`set "KEY=ControlSet001\Enum\50%%\a&b ^(x)!|<>"`, `set "WANT=REG_MULTI_SZ a%%PATH%%\0b&c"`, `set "DATA=b&c"`,
		`set "WANT=REG_SZ text"`, "call :delete", `set "WANT=absent"`, `set "DATA=0xffffffff"`, `set "WANT=REG_SZ PC"`,
		`rem   reg add "HKLM\NAME\ControlSet001\Enum\50%%\a&b ^(x)!|<>" /v "UpperFilters" /t REG_MULTI_SZ /d "a%%PATH%%\0b&c" /f`,
		`rem   reg delete "HKLM\NAME\k" /v "Start" /f`,
	} {
		if !strings.Contains(got, "\r\n"+want+"\r\n") {
			t.Errorf("the script has no line %s:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "\n"); n != strings.Count(got, "\r\n") {
		t.Error("a line ends otherwise than in CRLF")
	}
}

// What has no safe spelling is refused.
func TestCmdScriptRefuses(t *testing.T) {
	dword := &hive.Data{Type: hive.RegDWORD, Bytes: []byte{4, 0, 0, 0}}
	data := func(typ hive.ValueType, b []byte) *hive.Data { return &hive.Data{Type: typ, Bytes: b} }
	for name, e := range map[string]hive.Edit{
		"quote in a key":       {Path: []string{`a"b`}, Name: "Start", New: dword},
		"line end in a key":    {Path: []string{"a\nb"}, Name: "Start", New: dword},
		"key beyond ASCII":     {Path: []string{"設定"}, Name: "Start", New: dword},
		"backslash in a key":   {Path: []string{`a\b`}, Name: "Start", New: dword},
		"key that ends blank":  {Path: []string{"a "}, Name: "Start", New: dword},
		"empty key":            {Path: []string{""}, Name: "Start", New: dword},
		"blank in a name":      {Path: []string{"a"}, Name: "Start type", New: dword},
		"percent in a name":    {Path: []string{"a"}, Name: "%OS%", New: dword},
		"default value":        {Path: []string{"a"}, New: dword},
		"binary":               {Path: []string{"a"}, Name: "v", New: data(hive.RegBinary, []byte{1})},
		"short number":         {Path: []string{"a"}, Name: "v", New: data(hive.RegDWORD, []byte{1})},
		"quote in a string":    {Path: []string{"a"}, Name: "v", New: data(hive.RegSZ, hive.EncodeSZ(`"`))},
		"string without end":   {Path: []string{"a"}, Name: "v", New: data(hive.RegSZ, []byte{'a', 0})},
		"backslash at the end": {Path: []string{"a"}, Name: "v", New: data(hive.RegSZ, hive.EncodeSZ(`a\`))},
		"empty string":         {Path: []string{"a"}, Name: "v", New: data(hive.RegSZ, hive.EncodeSZ(""))},
		"old value":            {Path: []string{"a"}, Name: "v", Old: data(hive.RegSZ, hive.EncodeSZ(`"`)), New: dword},
		"empty name in a list": {Path: []string{"a"}, Name: "v", New: data(hive.RegMultiSZ, hive.EncodeMultiSZ([]string{"a", "", "b"}))},
		"separator in a list":  {Path: []string{"a"}, Name: "v", New: data(hive.RegMultiSZ, hive.EncodeMultiSZ([]string{`a\0b`}))},
		"too long":             {Path: []string{"a"}, Name: "v", New: data(hive.RegSZ, hive.EncodeSZ(strings.Repeat("x", 8000)))},
	} {
		if got, err := cmdScript(e); !errors.Is(err, hive.ErrUnquotable) || got != "" {
			t.Errorf("%s: %d characters, %v, want ErrUnquotable", name, len(got), err)
		}
	}
	// A name or label that is no part of the change is left out or made harmless.
	got, err := hive.CmdScript{Tool: "t\nx", Label: "a\" & %OS%\r\ndel {CHECK}", Computer: `PC" & x`, Default: 1}.Text()
	if err != nil || strings.Contains(got, "\ndel ?") || strings.Contains(got, "REG_SZ") || strings.Contains(got, "%OS%") {
		t.Errorf("script = %v\n%s", err, got)
	}
}

// A hive beside SYSTEM is loaded too, and its edits are checked before any is written.
func TestCmdScriptOfTwoHives(t *testing.T) {
	dword := &hive.Data{Type: hive.RegDWORD, Bytes: []byte{2, 0, 0, 0}}
	edit := func(key string) []hive.Edit { return []hive.Edit{{Path: []string{key}, Name: "v", New: dword}} }
	got, err := hive.CmdScript{Hives: []hive.CmdHive{{Name: hive.PrimaryFile, Edits: edit("a")}, {Name: hive.SoftwareFile, Edits: edit("b c")}}}.Text()
	if err != nil {
		t.Fatal(err)
	}
	at := -1
	for _, want := range []string{
		"rem of SYSTEM:", "rem   reg delete \"HKLM\\NAME\\a\"", "rem of SOFTWARE:", "for %%h in (SYSTEM SOFTWARE) do call :load %%h",
		`set "HIVE=SYSTEM"`, "call :expect", `set "HIVE=SOFTWARE"`, `set "KEY=b c"`, "call :expect",
		`set "HIVE=SYSTEM"`, "call :add", `set "HIVE=SOFTWARE"`, "call :add", `set "HIVE=SYSTEM"`, "call :expect", `set "HIVE=SOFTWARE"`, "call :expect",
	} {
		i := strings.Index(got[at+1:], "\r\n"+want)
		if i < 0 {
			t.Fatalf("the script has no line %s behind the %d first characters:\n%s", want, at, got)
		}
		at += i + 1
	}
	only, err := hive.CmdScript{Hives: []hive.CmdHive{{Name: hive.SoftwareFile, Edits: edit("b")}}}.Text()
	if err != nil || !strings.Contains(only, "in (SYSTEM SOFTWARE) do call :load") {
		t.Errorf("a script for SOFTWARE alone does not load both: %v\n%s", err, only)
	}
	if _, err := (hive.CmdScript{Hives: []hive.CmdHive{{Name: "A B", Edits: edit("b")}}}).Text(); !errors.Is(err, hive.ErrUnquotable) {
		t.Errorf("a hive of two words: %v, want ErrUnquotable", err)
	}
}
