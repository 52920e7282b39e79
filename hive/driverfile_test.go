package hive_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
)

func TestDriverFiles(t *testing.T) {
	h := win7(t, `[ControlSet001\services\PEAUTH]
"Type"=dword:1
"Start"=dword:2
"ImagePath"=str(2):"system32\\drivers\\peauth.sys"
[ControlSet001\services\luafv]
"Type"=dword:2
"Start"=dword:2
"ImagePath"=str(2):"\\SystemRoot\\system32\\drivers\\luafv.sys"
[ControlSet001\services\recognizer]
"Type"=dword:8
"Start"=dword:2
[ControlSet001\services\text]
"Type"="1"
"Start"=dword:2
[ControlSet002\services\elsewhere]
"Type"=dword:1
"Start"=dword:2
`)
	want := []hive.DriverFile{
		{Service: "Hardlock", Path: "system32/drivers/hardlock.sys"},
		{Service: "Haspnt", Path: "system32/drivers/Haspnt.sys"},
		{Service: "akshasp", Path: "system32/DRIVERS/akshasp.sys"},
		{Service: "aksusb", Path: "system32/DRIVERS/aksusb.sys"},
		{Service: "hasplms", Path: "system32/hasplms.exe"},
		{Service: "luafv", Path: "system32/drivers/luafv.sys"},
		{Service: "PEAUTH", Path: "system32/drivers/peauth.sys"},
	}
	if diff := cmp.Diff(want, h.DriverFiles(inspect(t, h, hive.Scope{}))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	// The drivers that Microsoft names are looked for even where others are to be disabled.
	got := h.DriverFiles(inspect(t, h, hive.Scope{Services: []string{"aksusb"}}))
	if want[0], want[1], want[2] = (hive.DriverFile{Service: "aksusb", Path: "system32/DRIVERS/aksusb.sys"}), want[0], want[1]; len(got) != len(want) || got[0].Service != "aksusb" && got[2].Service != "aksusb" {
		t.Errorf("files = %v", got)
	}
}

// A hive may hold so many drivers that to look for all their files would take hours.
// A driver that only Last Known Good has is looked for as well. Without its file it is
// none that Windows could load, and it does not start by itself.
func TestDriverOfAnotherSet(t *testing.T) {
	h := win7(t, haspGone+`[ControlSet002\services\HASPNT]
"Type"=dword:1
"Start"=dword:2
"ImagePath"="\\??\\C:\\WINDOWS\\system32\\DRIVERS\\HASPNT.SYS"
`)
	f := inspect(t, h, hive.Scope{})
	want := hive.DriverFile{Service: "HASPNT", Path: "system32/DRIVERS/HASPNT.SYS"}
	files := h.DriverFiles(f)
	if len(files) == 0 || files[0] != want {
		t.Fatalf("files %v, want %v first", files, want)
	}
	for presence, verdict := range map[hive.Presence]hive.Verdict{hive.Present: hive.Affected, hive.Absent: hive.Probable} {
		f.Weigh(hive.Evidence{Kernels: kernels(may, may), Drivers: []hive.FileSeen{{Service: want.Service, Path: want.Path, Presence: presence}}})
		if f.Verdict != verdict || len(f.Diagnosis.LookAlikes) > 0 {
			t.Errorf("file %s: verdict %q, look-alikes %v, want %q and none", presence, f.Verdict, f.Diagnosis.LookAlikes, verdict)
		}
	}
}

func TestDriverFilesBounded(t *testing.T) {
	var text strings.Builder
	for i := range 1100 {
		fmt.Fprintf(&text, "[ControlSet001\\services\\a%d]\n\"Type\"=dword:1\n\"Start\"=dword:2\n", i)
	}
	h := win7(t, text.String())
	got := h.DriverFiles(inspect(t, h, hive.Scope{}))
	if len(got) != 1000 || got[0].Service != "Hardlock" || got[1].Service != "Haspnt" {
		t.Errorf("%d files, the first %v", len(got), got[:2])
	}
}

func TestImagePaths(t *testing.T) {
	const sys = "System32/drivers/Haspnt.sys"
	for _, tt := range []struct {
		image string // "-": absent
		want  string
	}{
		{"-", sys},
		{"", sys},
		{`\SystemRoot\System32\drivers\Haspnt.sys`, sys},
		{`\systemroot\System32\drivers\Haspnt.sys`, sys},
		{`%SystemRoot%\System32\drivers\Haspnt.sys`, sys},
		{`%WINDIR%\System32\drivers\Haspnt.sys`, sys},
		{`\??\C:\Windows\System32\drivers\Haspnt.sys`, sys},
		{`\??\d:\WINDOWS\System32\drivers\Haspnt.sys`, sys},
		{`\??\%SystemRoot%\System32\drivers\Haspnt.sys`, sys},
		{`C:\Windows\System32\drivers\Haspnt.sys`, sys},
		{`System32\drivers\Haspnt.sys`, sys},
		{` System32/drivers/Haspnt.sys `, sys},
		{`System32\drivers\Haspnt.sys -x y.sys -z`, sys},
		{`"C:\Windows\System32\drivers\Haspnt.sys" -x`, sys},
		{`C:\Windows\own tools\x.exe /run`, "own tools/x.exe"},
		{`C:\Program Files\HASP\Haspnt.sys`, ""},
		{`\??\C:\Haspnt.sys`, ""},
		{`\Device\HarddiskVolume1\Windows\System32\drivers\Haspnt.sys`, ""},
		{`%ProgramFiles%\Haspnt.sys`, ""},
		{`\\server\share\Haspnt.sys`, ""},
		{`\SystemRoot\..\Haspnt.sys`, ""},
		{`System32\.\Haspnt.sys`, ""},
		{`System32\\Haspnt.sys`, ""},
		{`System32\Haspnt.sys:stream`, ""},
		{`System32\*.sys`, ""},
		{`System32\%x%.sys`, ""},
		{`\SystemRoot\`, ""},
		{"System32\\\u202esys.tnpsaH", ""},
	} {
		image := `"ImagePath"=-`
		if tt.image != "-" {
			image = regValue("ImagePath", &hive.Data{Type: hive.RegExpandSZ, Bytes: hive.EncodeSZ(tt.image)})
		}
		h := win7(t, "[ControlSet001\\services\\Haspnt]\n"+image)
		got := h.DriverFiles(inspect(t, h, hive.Scope{Services: []string{"haspnt"}}))
		if i := 1; len(got) < 2 || got[i].Service != "Haspnt" || got[i].Path != tt.want {
			t.Errorf("image path %q is %v, want %q", tt.image, got, tt.want)
		}
	}
	// A Win32 service without a path has no file of its own name.
	h := win7(t, "[ControlSet001\\services\\hasplms]\n\"ImagePath\"=-")
	for _, d := range h.DriverFiles(inspect(t, h, hive.Scope{})) {
		if d.Service == "hasplms" && d.Path != "" {
			t.Errorf("hasplms without a path is %q", d.Path)
		}
	}
}
