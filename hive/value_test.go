package hive

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUTF16(t *testing.T) {
	for _, tt := range []struct{ name, text, utf16 string }{
		{"empty", "", ""},
		{"ascii", "ab", "a\x00b\x00"},
		{"nul kept", "a\x00", "a\x00\x00\x00"},
		{"japanese", "日本", "\xe5\x65\x2c\x67"},
		{"beyond the BMP", "😀", "\x3d\xd8\x00\xde"},
		{"high surrogate alone", "\xed\xa0\xbd", "\x3d\xd8"},
		{"low surrogate before high", "\xed\xb8\x80\xed\xa0\xbd", "\x00\xde\x3d\xd8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(EncodeUTF16(tt.text)); got != tt.utf16 {
				t.Errorf("EncodeUTF16(%q) = %x, want %x", tt.text, got, tt.utf16)
			}
			if got := DecodeUTF16([]byte(tt.utf16)); got != tt.text {
				t.Errorf("DecodeUTF16(%x) = %q, want %q", tt.utf16, got, tt.text)
			}
		})
	}
	if got := string(EncodeUTF16("\xff")); got != "\xfd\xff" {
		t.Errorf("EncodeUTF16 of a stray byte = %x, want U+FFFD", got)
	}
	if got := DecodeUTF16([]byte("a\x00b")); got != "a" {
		t.Errorf("DecodeUTF16 of an odd length = %q, want %q", got, "a")
	}
}

func TestMultiSZ(t *testing.T) {
	for _, tt := range []struct {
		name string
		data string
		want []string
		back bool // EncodeMultiSZ gives data again
	}{
		{"no data", "", nil, false},
		{"empty list", "\x00\x00", nil, true},
		{"one empty string", "\x00\x00\x00\x00", []string{""}, true},
		{"two", "a\x00\x00\x00b\x00\x00\x00\x00\x00", []string{"a", "b"}, true},
		{"empty string inside", "a\x00\x00\x00\x00\x00b\x00\x00\x00\x00\x00", []string{"a", "", "b"}, true},
		{"no list terminator", "a\x00\x00\x00", []string{"a"}, false},
		{"no terminator", "a\x00\x00\x00b\x00", []string{"a", "b"}, false},
		{"odd length", "a\x00\x00\x00\x00", []string{"a"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := DecodeMultiSZ([]byte(tt.data))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("DecodeMultiSZ(%x) (-want +got):\n%s", tt.data, diff)
			}
			if enc := string(EncodeMultiSZ(got)); (enc == tt.data) != tt.back {
				t.Errorf("EncodeMultiSZ(%q) = %x, equal to %x: want %v", got, enc, tt.data, tt.back)
			}
		})
	}
}

func TestDecodeSZ(t *testing.T) {
	for data, want := range map[string]string{
		"":                                 "",
		"a\x00":                            "a",
		"a\x00\x00\x00":                    "a",
		"a\x00\x00\x00b\x00\x00\x00":       "a",
		string(EncodeSZ("system32\\日本")):   "system32\\日本",
		string(EncodeSZ("x")) + "\x00\x00": "x",
	} {
		if got := DecodeSZ([]byte(data)); got != want {
			t.Errorf("DecodeSZ(%x) = %q, want %q", data, got, want)
		}
	}
}

func TestValueTypeString(t *testing.T) {
	for typ, want := range map[ValueType]string{
		RegNone: "REG_NONE", RegDWORD: "REG_DWORD", RegMultiSZ: "REG_MULTI_SZ", RegQWORD: "REG_QWORD",
		12: "type 0xc", 0xFFFF0012: "type 0xffff0012",
	} {
		if got := typ.String(); got != want {
			t.Errorf("ValueType(%d).String() = %q, want %q", uint32(typ), got, want)
		}
	}
}
