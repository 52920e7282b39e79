package hive_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// Root keys that Windows' setup gives a SYSTEM hive.
const (
	rootWin7x64 = "CMI-CreateHive{2A7FB991-7BBE-4F9D-B91E-7CB51D4737F5}"
	rootVista   = "CMI-CreateHive{3406549D-0E3F-4A2C-A4BA-6DFB9D3F2D09}"
	rootWin8    = "CsiTool-CreateHive-{00000000-0000-0000-0000-000000000000}"
)

func TestWindows(t *testing.T) {
	const windows, env = `[ControlSet001\Control\Windows]` + "\n", `[ControlSet001\Control\Session Manager\Environment]` + "\n"
	const sp2, sp0 = `"CSDVersion"=dword:200` + "\n", `"CSDVersion"=dword:0` + "\n"
	for _, tt := range []struct {
		name, root, extra string
		want              hive.Match
		words             string
		verdict           hive.Verdict
	}{
		{"Windows 7 SP1 x86", "", "", hive.MatchYes, "Windows 7 SP1 x86", hive.Probable},
		{"without the drivers", "", haspGone, hive.MatchYes, "Windows 7 SP1 x86", hive.Probable},
		{"one driver, one control set", "", "[-ControlSet001\\services\\Haspnt]\n[-ControlSet001\\services\\Hardlock]\n[-ControlSet002\\services\\Haspnt]",
			hive.MatchYes, "Windows 7 SP1 x86", hive.Probable},
		{"root key of x64", rootWin7x64, "", hive.MatchNo, "Windows 7 SP1 x64", hive.NotAffected},
		{"architecture AMD64", "", env + `"PROCESSOR_ARCHITECTURE"="AMD64"`, hive.MatchNo, "Windows 7 SP1 x64", hive.NotAffected},
		{"architecture unheard of", "", env + `"PROCESSOR_ARCHITECTURE"="ARM64"`, hive.MatchNo, "Windows 7 SP1 ARM64", hive.NotAffected},
		{"architecture absent", "", env + `"PROCESSOR_ARCHITECTURE"=-`, hive.MatchYes, "Windows 7 SP1 x86", hive.Probable},
		{"SP0", "", windows + sp0 + `"CSDBuildNumber"=dword:1db0`, hive.MatchNo, "Windows 7 x86", hive.NotAffected},
		{"SP2", "", windows + sp2, hive.MatchNo, "Windows 7 SP2 x86", hive.NotAffected},
		{"no service pack noted", "", windows + `"CSDVersion"=-`, hive.MatchUnknown, "Windows 7 x86", hive.Unknown},
		{"service pack is text", "", windows + `"CSDVersion"="1"`, hive.MatchUnknown, "Windows 7 x86", hive.Unknown},
		{"Windows XP", "$$$PROTO.HIV", windows + `"CSDVersion"=dword:300`, hive.MatchNo, "Windows XP SP3 x86", hive.NotAffected},
		{"Windows Vista", rootVista, "", hive.MatchNo, "Windows Vista SP1 x86", hive.NotAffected},
		{"Windows 8", rootWin8, "", hive.MatchNo, "Windows 8 or 8.1 SP1 x86", hive.NotAffected},
		{"Windows 10", "ROOT", windows + sp0, hive.MatchNo, "Windows 10 x86", hive.NotAffected},
		{"root key unheard of, all else fits", "somebody's hive", "", hive.MatchYes, "Windows 7 SP1 x86", hive.Probable},
		{"root key unheard of, other build", "somebody's hive", windows + `"CSDBuildNumber"=dword:1771`, hive.MatchUnknown, "Windows SP1 x86", hive.Unknown},
		{"root key unheard of, SP2", "somebody's hive", windows + sp2, hive.MatchNo, "Windows SP2 x86", hive.NotAffected},
		{"nothing known", "somebody's hive", windows + "\"CSDVersion\"=-\n\"CSDBuildNumber\"=-\n" + env + `"PROCESSOR_ARCHITECTURE"=-`,
			hive.MatchUnknown, "Windows", hive.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, hive.Files{Primary: build(t, tt.extra, hivetest.Options{RootName: tt.root})})
			f := inspect(t, h, hive.Scope{})
			if f.Windows.Match != tt.want || f.Windows.String() != tt.words {
				t.Errorf("Windows = %q, match %q, want %q, %q", f.Windows, f.Windows.Match, tt.words, tt.want)
			}
			if f.Verdict != tt.verdict || f.Reason == "" || f.AlreadyRepaired {
				t.Errorf("verdict %q (%q), already repaired %v, want %q", f.Verdict, f.Reason, f.AlreadyRepaired, tt.verdict)
			}
		})
	}
}

// What is known of the PC comes from the control set that Default names.
func TestWindowsEvidence(t *testing.T) {
	h := win7(t, `[Select]
"Default"=dword:2
[ControlSet002\Control\ComputerName\ComputerName]
"ComputerName"="CAD-03"
[ControlSet002\Control\Session Manager\Environment]
"PROCESSOR_IDENTIFIER"=str(2):"x86 Family 6 Model 42"
`)
	want := hive.Windows{
		Name: "Windows 7", Arch: "x86", ServicePack: 1, Computer: "CAD-03", CPU: "x86 Family 6 Model 42", Match: hive.MatchYes,
		Evidence: []string{
			"root key CMI-CreateHive{F10156BE-0E87-4EFB-969E-5DA29D131144}",
			"PROCESSOR_ARCHITECTURE x86", "CSDVersion 0x100", "CSDBuildNumber 17514",
		},
	}
	if diff := cmp.Diff(want, inspect(t, h, hive.Scope{}).Windows); diff != "" {
		t.Errorf("Windows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(hive.HiveID{ResourceManager: "00000000000000000000000000000000", Computer: "CAD-03"}, h.Identify()); diff != "" {
		t.Errorf("Identify (-want +got):\n%s", diff)
	}
}

func TestWindowsOfRealHives(t *testing.T) {
	for _, tt := range []struct {
		file, words string
		want        hive.Match
		verdict     hive.Verdict
	}{
		{haspHive, "Windows 7 SP1 x86", hive.MatchYes, hive.Probable},
		{"win7-x86-SYSTEM", "Windows 7 SP1 x86", hive.MatchYes, hive.Probable},
		{"xp-sp3-SYSTEM", "Windows XP SP3 x86", hive.MatchNo, hive.NotAffected},
		{"win10-SYSTEM", "Windows 10 x64", hive.MatchNo, hive.NotAffected},
	} {
		t.Run(tt.file, func(t *testing.T) {
			f := inspect(t, open(t, hive.Files{Primary: realHive(t, tt.file)}), hive.Scope{})
			if f.Windows.String() != tt.words || f.Windows.Match != tt.want || f.Verdict != tt.verdict {
				t.Errorf("Windows = %q, match %q, verdict %q, want %q, %q, %q", f.Windows, f.Windows.Match, f.Verdict, tt.words, tt.want, tt.verdict)
			}
		})
	}
}
