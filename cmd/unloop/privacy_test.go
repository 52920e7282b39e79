package main

import (
	"testing"

	"unloop/hive"
)

// Paths lose the names of persons and keep everything else.
func TestWithoutUser(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{`system32\drivers\haspnt.sys`, `system32\drivers\haspnt.sys`},
		{`\??\C:\Users\Taro Yamada\AppData\x.sys`, `\??\C:\Users\…\AppData\x.sys`},
		{`C:\\Users\\taro\\x`, `C:\\Users\\…\\x`},
		{`c:/users/taro/x`, `c:/users/…/x`},
		{`C:\Documents and Settings\太郎\x`, `C:\Documents and Settings\…\x`},
		{`UDP Query User{1}C:\users\taro\a.exe`, `UDP Query User{1}C:\users\…\a.exe`},
		{`"C:\Users\taro" and D:\Users\hanako\y`, `"C:\Users\…" and D:\Users\…\y`},
		{`C:\Users\Public\x`, `C:\Users\Public\x`},
		{`C:\Users\All Users\x`, `C:\Users\All Users\x`},
		{`C:\Users\`, `C:\Users\`},
		{`C:\Powerusers\taro`, `C:\Powerusers\taro`},
	} {
		if got := withoutUser(test.in); got != test.want {
			t.Errorf("withoutUser(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

// Of a value that is none of ours, a number alone is told.
func TestDiscreet(t *testing.T) {
	for _, test := range []struct {
		data *hive.Data
		want string
	}{
		{nil, ""},
		{&hive.Data{Type: hive.RegDWORD, Bytes: []byte{2, 0, 0, 0}}, "dword:00000002"},
		{&hive.Data{Type: hive.RegDWORD, Bytes: []byte{2}}, "REG_DWORD, 1 bytes"},
		{&hive.Data{Type: hive.RegSZ, Bytes: hive.EncodeSZ("Taro")}, "REG_SZ, 10 bytes"},
		{&hive.Data{Type: 0x1234}, "type 0x1234, 0 bytes"},
	} {
		if got := discreet(test.data); got != test.want {
			t.Errorf("discreet(%+v) = %q, want %q", test.data, got, test.want)
		}
	}
}
