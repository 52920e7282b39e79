package hive_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// Objects of a BCD hive as Windows 7's setup makes them.
const (
	bootmgr = `Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}`
	loader1 = `Objects\{2e1d7c10-0f5e-11e8-9d3a-c0ffee000001}`
	loader2 = `Objects\{2e1d7c10-0f5e-11e8-9d3a-c0ffee000002}`
)

// bootEntry spells an entry; elements may be empty.
func bootEntry(object string, kind uint32, path, elements string) string {
	text := "[" + object + "\\Description]\n" + regValue("Type", dword(kind))
	if path != "" {
		text += "[" + object + "\\Elements\\12000002]\n" + regValue("Element", &hive.Data{Type: hive.RegSZ, Bytes: hive.EncodeSZ(path)})
	}
	return text + elements
}

// nx and pae spell an element of an entry.
func nx(object, bytes string) string {
	return "[" + object + "\\Elements\\25000020]\n\"Element\"=hex:" + bytes + "\n"
}
func pae(object, bytes string) string {
	return "[" + object + "\\Elements\\25000021]\n\"Element\"=hex:" + bytes + "\n"
}

// buildBCD makes a BCD hive whose default entry is loader1, with extra merged over it.
func buildBCD(t testing.TB, extra string) []byte {
	t.Helper()
	text := "[" + bootmgr + "\\Elements\\23000003]\n\"Element\"=\"{2e1d7c10-0f5e-11e8-9d3a-c0ffee000001}\"\n" +
		bootEntry(loader1, 0x10200003, `\Windows\system32\winload.exe`, "") + extra
	return buildText(t, text, hivetest.Options{RootName: "NewStoreRoot", FileName: "BCD"})
}

func TestReadBoot(t *testing.T) {
	const winload = `\Windows\system32\winload.exe`
	number := func(n uint64) *uint64 { return &n }
	for _, tt := range []struct {
		name, extra string
		want        *hive.BootConfig
	}{
		{"nothing set", "", &hive.BootConfig{}},
		{"OptIn", nx(loader1, "00,00,00,00,00,00,00,00"), &hive.BootConfig{NX: number(0)}},
		{"AlwaysOff and ForceEnable", nx(loader1, "02,00,00,00,00,00,00,00") + pae(loader1, "01,00,00,00,00,00,00,00"), &hive.BootConfig{NX: number(2), PAE: number(1)}},
		{"little endian", nx(loader1, "02,01"), &hive.BootConfig{NX: number(0x102)}},
		{"too long", nx(loader1, "02,00,00,00,00,00,00,00,00"), &hive.BootConfig{}},
		{"empty", nx(loader1, ""), &hive.BootConfig{}},
		{"of another type", "[" + loader1 + "\\Elements\\25000020]\n\"Element\"=dword:2\n", &hive.BootConfig{}},
		{"default before first", nx(loader1, "03") + bootEntry(`Objects\{00000000-0000-0000-0000-000000000000}`, 0x10200003, winload, nx(`Objects\{00000000-0000-0000-0000-000000000000}`, "02")),
			&hive.BootConfig{NX: number(3)}},
		{"default starts an older Windows", bootEntry(loader1, 0x10300006, `\ntldr`, nx(loader1, "03")) + bootEntry(loader2, 0x10200003, `\WINDOWS\System32\WINLOAD.EXE`, nx(loader2, "02")),
			&hive.BootConfig{NX: number(2)}},
		{"default starts something else", bootEntry(loader1, 0x10200003, `\boot\memtest.exe`, nx(loader1, "03")) + bootEntry(loader2, 0x10200003, winload, nx(loader2, "02")),
			&hive.BootConfig{NX: number(2)}},
		{"no default", "[-" + bootmgr + "]\n" + nx(loader1, "02"), &hive.BootConfig{NX: number(2)}},
		{"default is not there", "[-" + loader1 + "]\n" + bootEntry(loader2, 0x10200003, winload, nx(loader2, "01")), &hive.BootConfig{NX: number(1)}},
		{"resume alone", "[-" + loader1 + "]\n" + bootEntry(loader2, 0x10200004, `\Windows\system32\winresume.exe`, ""), nil},
		{"no entry at all", "[-Objects]", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := hive.ReadBoot(hive.Files{Primary: buildBCD(t, tt.extra)})
			if diff := cmp.Diff(tt.want, got); diff != "" || (err == nil) != (tt.want != nil) || err != nil && !errors.Is(err, hive.ErrNoKey) {
				t.Errorf("ReadBoot, %v (-want +got):\n%s", err, diff)
			}
		})
	}
	pc, err := hivetest.BCDHive(hivetest.LoaderInteger(hivetest.ElementPAE, 2))
	if err != nil {
		t.Fatal(err)
	}
	b, err := hive.ReadBoot(hive.Files{Primary: pc})
	if diff := cmp.Diff(&hive.BootConfig{NX: number(0), PAE: number(2)}, b); diff != "" || err != nil {
		t.Errorf("ReadBoot of a PC, %v (-want +got):\n%s", err, diff)
	}
	if b, err := hive.ReadBoot(hive.Files{Primary: make([]byte, 4096)}); b != nil || !errors.Is(err, hive.ErrNotHive) {
		t.Errorf("ReadBoot of zeros = %v, %v", b, err)
	}
}
