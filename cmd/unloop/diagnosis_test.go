package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// The English reason in a result is the one that people read.
func TestReasonInEnglish(t *testing.T) {
	const noDrivers = "[-ControlSet001\\services\\Haspnt]\n[-ControlSet002\\services\\Haspnt]\n[-ControlSet001\\services\\Hardlock]\n[-ControlSet002\\services\\Hardlock]\n"
	const noPack = "[ControlSet001\\Control\\Windows]\n\"CSDVersion\"=-\n"
	kernel := func(build uint16) []hive.FileSeen {
		return []hive.FileSeen{{Path: "System32/ntoskrnl.exe", Presence: hive.Present, Version: hive.FileVersion{6, 1, 7601, build}}}
	}
	software := func(state int) *hive.Software {
		return &hive.Software{Updates: []hive.UpdatePackage{{KB: "KB4103718", Build: 24117, State: state}}}
	}
	seen := map[string]bool{}
	for _, test := range []struct {
		extra string
		ev    hive.Evidence
	}{
		{"", hive.Evidence{}},
		{"", hive.Evidence{Kernels: kernel(24117)}},
		{"", hive.Evidence{Kernels: kernel(24024)}},
		{"", hive.Evidence{Kernels: kernel(24024), Software: software(hive.StateInstallPending)}},
		{"", hive.Evidence{Software: software(hive.StateInstalled)}},
		{"", hive.Evidence{SysWOW64: hive.Present}},
		{noDrivers, hive.Evidence{}},
		{noDrivers, hive.Evidence{Kernels: kernel(24117)}},
		{noPack, hive.Evidence{}},
	} {
		data, err := hivetest.Build(hivetest.Win7(test.extra), hivetest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		h, err := hive.Open(hive.Files{Primary: data})
		if err != nil {
			t.Fatal(err)
		}
		f, err := h.Inspect(hive.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		f.Weigh(test.ev)
		seen[f.Diagnosis.Reason.Key] = true
		if got := (&env{lang: "en"}).reason(f); got != f.Reason {
			t.Errorf("reason %q, in the result %q", got, f.Reason)
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d reasons, want each of 9", len(seen))
	}
}

// What is not known of a Windows is left out of the account, not asked.
func TestUnknownLeftOut(t *testing.T) {
	f := &hive.Findings{Windows: hive.Windows{Name: "Windows 7", Arch: "x86"}}
	f.Evidence.Software = &hive.Software{Updates: []hive.UpdatePackage{{KB: "KB4103718", Build: 24117, State: 112}}}
	full := *f
	full.Windows.Computer, full.Windows.CPU = "UNLOOP-PC", "x86 Family 6"
	kernel := []fileResult{{Path: "System32/ntoskrnl.exe", Presence: "present"}}
	for _, test := range []struct {
		lang string
		f    *hive.Findings
		s    systemResult
		want []string
	}{
		{"en", f, systemResult{}, []string{"Windows 7 x86", "KB4103718 (7601.24117): Installed"}},
		{"en", f, systemResult{PAE: "off"}, []string{"Windows 7 x86", "PAE off, probably (by the registry, and the boot entry where it can be read)", "KB4103718 (7601.24117): Installed"}},
		{"en", f, systemResult{NX: "OptIn", Kernels: kernel}, []string{"Windows 7 x86", "NX OptIn, probably (by the registry, and the boot entry where it can be read)", "kernels: ntoskrnl.exe", "KB4103718 (7601.24117): Installed"}},
		{"ja", &full, systemResult{Product: "Windows 7 Professional", Build: "7601", PAE: "on", NX: "OptIn"}, []string{
			"Windows 7 Professional、ビルド 7601、x86、PC 名 UNLOOP-PC", "CPU x86 Family 6", "PAE 有効、NX OptIn（推定。レジストリと、読めればブート構成による）", "KB4103718 (7601.24117): Installed",
		}},
	} {
		e := newEnv(nil, nil, nil, nil)
		e.lang = test.lang
		got := append(e.windowsLines(test.f, &test.s), e.updateLines(test.f)...)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%+v: account (-want +got):\n%s", test.s, diff)
		}
	}
}
