package main

import (
	"testing"

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
