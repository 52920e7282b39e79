package hive_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
	"unloop/hive/hivetest"
)

func TestControlSets(t *testing.T) {
	for _, tt := range []struct {
		name, extra string
		defaultOnly bool
		want        []uint32
	}{
		{"as built", ``, false, []uint32{1, 2}},
		{"as built, default only", ``, true, []uint32{1}},
		{"last known good none", `"LastKnownGood"=dword:0`, false, []uint32{1}},
		{"last known good absent", `"LastKnownGood"=-`, false, []uint32{1}},
		{"current absent", "\"Current\"=-\n\"LastKnownGood\"=dword:1", false, []uint32{1}},
		{"default is not current", "\"Default\"=dword:2\n\"LastKnownGood\"=dword:0", false, []uint32{1, 2}},
		{"default is not current, default only", `"Default"=dword:2`, true, []uint32{2}},
		{"all three differ", "\"Default\"=dword:7\n[ControlSet007\\Control\\Session Manager\\Memory Management]", false, []uint32{1, 2, 7}},
		{"failed names a set that is gone", `"Failed"=dword:9`, false, []uint32{1, 2}},
		{"last known good is gone, default only", `"LastKnownGood"=dword:3`, true, []uint32{1}},
		{"names in other letter case", "[-Select]\n[SELECT]\n\"default\"=dword:2", false, []uint32{2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := inspect(t, win7(t, "[Select]\n"+tt.extra), hive.Scope{DefaultSetOnly: tt.defaultOnly})
			if diff := cmp.Diff(tt.want, f.Sets); diff != "" {
				t.Errorf("control sets (-want +got):\n%s", diff)
			}
			var overrides []uint32
			for _, o := range f.Overrides {
				overrides = append(overrides, o.Set)
			}
			if diff := cmp.Diff(tt.want, overrides); diff != "" {
				t.Errorf("control sets of the overrides (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSelectErrors(t *testing.T) {
	for _, tt := range []struct {
		name, extra string
		want        error
		words       string
	}{
		{"no Select", `[-Select]`, hive.ErrNotSystem, "CMI-CreateHive{F10156BE"},
		{"Select without values", "[-Select]\n[Select]", hive.ErrControlSet, `Select\Default`},
		{"default absent", `"Default"=-`, hive.ErrControlSet, `Select\Default`},
		{"default 0", `"Default"=dword:0`, hive.ErrControlSet, `Select\Default`},
		{"default is gone", `"Default"=dword:3`, hive.ErrControlSet, "Default is 3, but there is no key ControlSet003"},
		{"default is huge", `"Default"=dword:ffffffff`, hive.ErrControlSet, "ControlSet4294967295"},
		{"current is gone", `"Current"=dword:3`, hive.ErrControlSet, `Select\Current is 3`},
		{"last known good is gone", `"LastKnownGood"=dword:c`, hive.ErrControlSet, "ControlSet012"},
		{"default is text", `"Default"="1"`, hive.ErrUnexpected, `Select\Default is REG_SZ of 4 bytes`},
		{"current is empty", `"Current"=hex(4):`, hive.ErrUnexpected, `Select\Current is REG_DWORD of 0 bytes`},
		{"failed is too long", `"Failed"=hex(4):01,00,00,00,00`, hive.ErrUnexpected, `Select\Failed is REG_DWORD of 5 bytes`},
		{"last known good is a quadword", `"LastKnownGood"=hex(b):01,00,00,00,00,00,00,00`, hive.ErrUnexpected, "REG_QWORD"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := win7(t, "[Select]\n"+tt.extra).Inspect(hive.Scope{})
			if f != nil || !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("Inspect = %v, %v, want %v with %q", f, err, tt.want, tt.words)
			}
		})
	}
}

func TestIsSystem(t *testing.T) {
	software := open(t, hive.Files{Primary: buildText(t, hivetest.Win7Software(""), hivetest.Options{RootName: hivetest.SoftwareRoot})})
	if software.IsSystem() {
		t.Error("a SOFTWARE hive passes for a SYSTEM hive")
	}
	if _, err := software.Inspect(hive.Scope{}); !errors.Is(err, hive.ErrNotSystem) || !strings.Contains(err.Error(), hivetest.SoftwareRoot) {
		t.Errorf("Inspect of a SOFTWARE hive: %v, want %v with its root key", err, hive.ErrNotSystem)
	}
	if !win7(t, "").IsSystem() {
		t.Error("a SYSTEM hive does not pass for one")
	}
}
