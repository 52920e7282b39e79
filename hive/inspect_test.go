package hive_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
)

// haspGone takes the drivers out of both control sets.
const haspGone = `
[-ControlSet001\services\Haspnt]
[-ControlSet001\services\Hardlock]
[-ControlSet002\services\Haspnt]
[-ControlSet002\services\Hardlock]
`

// serviceNames lists services as "set:name", in the order found.
func serviceNames(services []hive.Service) []string {
	var names []string
	for _, s := range services {
		names = append(names, hive.ControlSetName(s.Set)+":"+s.Name)
	}
	return names
}

func TestServices(t *testing.T) {
	const one, two = "ControlSet001:", "ControlSet002:"
	for _, tt := range []struct {
		name, extra  string
		scope        hive.Scope
		want, others []string
	}{
		{"as built", "", hive.Scope{},
			[]string{one + "Hardlock", one + "Haspnt", two + "Hardlock", two + "Haspnt"},
			[]string{one + "akshasp", one + "aksusb", one + "hasplms", two + "akshasp", two + "aksusb", two + "hasplms"}},
		{"absent", haspGone, hive.Scope{DefaultSetOnly: true}, nil, []string{one + "akshasp", one + "aksusb", one + "hasplms"}},
		{"in other letter case", haspGone + "[ControlSet001\\services\\HASPNT]\n[ControlSet001\\services\\hardLock]", hive.Scope{DefaultSetOnly: true},
			[]string{one + "hardLock", one + "HASPNT"}, []string{one + "akshasp", one + "aksusb", one + "hasplms"}},
		{"wanted in other letter case", "", hive.Scope{Services: []string{"hArDlOcK"}, DefaultSetOnly: true},
			[]string{one + "Hardlock"}, []string{one + "akshasp", one + "aksusb", one + "hasplms"}},
		{"one of the others wanted", "", hive.Scope{Services: []string{"AKSHASP"}, DefaultSetOnly: true},
			[]string{one + "akshasp"}, []string{one + "aksusb", one + "hasplms"}},
		{"none wanted", "", hive.Scope{Services: []string{}, DefaultSetOnly: true}, nil, []string{one + "akshasp", one + "aksusb", one + "hasplms"}},
		{"no key services", "[-ControlSet001\\services]", hive.Scope{DefaultSetOnly: true}, nil, nil},
		{"names that only begin alike", haspGone + "[ControlSet001\\services\\Haspnt2]\n[ControlSet001\\services\\Hardloc]", hive.Scope{DefaultSetOnly: true},
			nil, []string{one + "akshasp", one + "aksusb", one + "hasplms"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := inspect(t, win7(t, tt.extra), tt.scope)
			if diff := cmp.Diff(tt.want, serviceNames(f.Services)); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.others, serviceNames(f.Others)); diff != "" {
				t.Errorf("other services (-want +got):\n%s", diff)
			}
		})
	}
}

func TestServiceAsStored(t *testing.T) {
	f := inspect(t, win7(t, ""), hive.Scope{Services: []string{"haspnt"}, DefaultSetOnly: true})
	want := []hive.Service{{
		Set: 1, Path: path(`ControlSet001\services\Haspnt`), Name: "Haspnt", Start: dword(hive.StartAuto), ImagePath: `system32\drivers\Haspnt.sys`,
	}}
	if diff := cmp.Diff(want, f.Services); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
}

func TestDependents(t *testing.T) {
	haspnt := hive.Dependent{Set: 1, Name: "Haspnt", Service: "hardlock", Value: "DependOnService"}
	for _, tt := range []struct {
		name, extra string
		want        []hive.Dependent
	}{
		{"as built", "", []hive.Dependent{haspnt}},
		{"list of several, other letter case",
			"[ControlSet001\\services\\Beep]\n" + regValue("DependOnService", multiSZ("Tcpip", "HASPNT", "HardLock")),
			[]hive.Dependent{{Set: 1, Name: "Beep", Service: "HASPNT", Value: "DependOnService"}, {Set: 1, Name: "Beep", Service: "HardLock", Value: "DependOnService"}, haspnt}},
		{"a single string", "[ControlSet001\\services\\zz]\n\"DependOnService\"=\"hardlock\"",
			[]hive.Dependent{haspnt, {Set: 1, Name: "zz", Service: "hardlock", Value: "DependOnService"}}},
		{"by group", "[ControlSet001\\services\\Hardlock]\n\"Group\"=\"Parallel arbitrator\"\n[ControlSet001\\services\\zz]\n" +
			regValue("DependOnGroup", multiSZ("Base", "PARALLEL Arbitrator")),
			[]hive.Dependent{haspnt, {Set: 1, Name: "zz", Service: "Hardlock", Value: "DependOnGroup"}}},
		{"the service is not there", "[-ControlSet001\\services\\Hardlock]", nil},
		{"another group", "[ControlSet001\\services\\zz]\n" + regValue("DependOnGroup", multiSZ("Base")), []hive.Dependent{haspnt}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := inspect(t, win7(t, tt.extra), hive.Scope{DefaultSetOnly: true})
			if diff := cmp.Diff(tt.want, f.Dependents); diff != "" {
				t.Errorf("dependents (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAlreadyRepaired(t *testing.T) {
	override := func(set, value, mask string) string {
		return "[ControlSet00" + set + "\\Control\\Session Manager\\Memory Management]\n\"FeatureSettingsOverride\"=" + value + "\n\"FeatureSettingsOverrideMask\"=" + mask + "\n"
	}
	disabled := func(set, name string) string {
		return "[ControlSet00" + set + "\\services\\" + name + "]\n\"Start\"=dword:4\n"
	}
	drivers := disabled("1", "Haspnt") + disabled("2", "Haspnt") + disabled("1", "Hardlock")
	for _, tt := range []struct {
		name, extra string
		want        bool
	}{
		{"as built", "", false},
		{"override in one control set", override("1", "dword:3", "dword:3"), false},
		{"override in both", override("1", "dword:3", "dword:3") + override("2", "dword:b", "dword:f"), true},
		{"mask without the bits", override("1", "dword:3", "dword:3") + override("2", "dword:3", "dword:1"), false},
		{"override of another type", override("1", "dword:3", "dword:3") + override("2", `"3"`, "dword:3"), false},
		{"three drivers of four", drivers, false},
		{"all drivers", drivers + disabled("2", "Hardlock"), true},
		{"no drivers, no override", haspGone, false},
		{"not Windows 7", drivers + disabled("2", "Hardlock") + "[ControlSet001\\Control\\Windows]\n\"CSDVersion\"=dword:0\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if f := inspect(t, win7(t, tt.extra), hive.Scope{}); f.AlreadyRepaired != tt.want {
				t.Errorf("already repaired = %v (%s), want %v", f.AlreadyRepaired, f.Verdict, tt.want)
			}
		})
	}
}

// Values that are to be edited and are not what Windows expects there are named.
func TestUnexpectedValues(t *testing.T) {
	const mm = `ControlSet002\Control\Session Manager\Memory Management`
	for _, tt := range []struct {
		name, extra, words string
		want               error
	}{
		{"Start is text", "[ControlSet001\\services\\Haspnt]\n\"Start\"=\"2\"", `ControlSet001\services\Haspnt\Start is REG_SZ of 4 bytes`, hive.ErrUnexpected},
		{"Start is empty", "[ControlSet002\\services\\Hardlock]\n\"Start\"=hex(4):", `ControlSet002\services\Hardlock\Start is REG_DWORD of 0 bytes`, hive.ErrUnexpected},
		{"Start is a quadword", "[ControlSet002\\services\\Hardlock]\n\"Start\"=hex(b):02,00,00,00,00,00,00,00", "REG_QWORD of 8 bytes", hive.ErrUnexpected},
		{"override is text", "[" + mm + "]\n\"FeatureSettingsOverride\"=\"3\"", mm + `\FeatureSettingsOverride is REG_SZ`, hive.ErrUnexpected},
		{"mask is empty", "[" + mm + "]\n\"FeatureSettingsOverrideMask\"=hex(4):", mm + `\FeatureSettingsOverrideMask is REG_DWORD of 0 bytes`, hive.ErrUnexpected},
		{"mask is big-endian", "[" + mm + "]\n\"FeatureSettingsOverrideMask\"=hex(5):00,00,00,03", "REG_DWORD_BIG_ENDIAN of 4 bytes", hive.ErrUnexpected},
		{"no Memory Management", "[-" + mm + "]", mm, hive.ErrNoKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := win7(t, tt.extra)
			p, err := h.Plan(inspect(t, h, hive.Scope{}), bothFixes)
			if p != nil || !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("Plan = %v, %v, want %v with %q", p, err, tt.want, tt.words)
			}
		})
	}
}
