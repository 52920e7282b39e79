package hive_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
)

const (
	usbClass = `ControlSet001\Control\Class\{36FC9E60-C465-11CF-8056-444553540000}`
	device   = `ControlSet001\Enum\USB\VID_0529&PID_0001\5&1`
)

// filterEdits are the edits of a plan that do not set Start.
func filterEdits(t *testing.T, h *hive.Hive) []hive.Edit {
	t.Helper()
	p, err := h.Plan(inspect(t, h, hive.Scope{DefaultSetOnly: true}), []hive.Fix{hive.FixDrivers})
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	var edits []hive.Edit
	for _, e := range p.Edits {
		if e.Name != "Start" {
			edits = append(edits, e)
		}
	}
	if _, err := h.Prepare(p, false); err != nil {
		t.Errorf("Prepare: %v", err)
	}
	return edits
}

func TestFilters(t *testing.T) {
	edit := func(key, name string, old, new *hive.Data) []hive.Edit {
		return []hive.Edit{{Fix: hive.FixDrivers, Path: path(key), Name: name, Old: old, New: new}}
	}
	for _, tt := range []struct {
		name, key, value string
		list, left       *hive.Data
		more             string
	}{
		{"class, beside another", usbClass, "UpperFilters", multiSZ("kbdclass", "hardlock"), multiSZ("kbdclass"), ""},
		{"class, lower, between others", usbClass, "LowerFilters", multiSZ("a", "Haspnt", "b"), multiSZ("a", "b"), ""},
		{"class, alone", usbClass, "UpperFilters", multiSZ("hardlock"), nil, ""},
		{"both drivers, nothing else", usbClass, "UpperFilters", multiSZ("haspnt", "hardlock"), nil, ""},
		{"twice", usbClass, "UpperFilters", multiSZ("hardlock", "x", "HARDLOCK"), multiSZ("x"), ""},
		{"other letter case", usbClass, "UpperFilters", multiSZ("HardLOCK", "kbdclass"), multiSZ("kbdclass"), ""},
		{"a single string", usbClass, "UpperFilters", &hive.Data{Type: hive.RegSZ, Bytes: hive.EncodeSZ("hardlock")}, nil, ""},
		{"beside an empty string", usbClass, "UpperFilters", multiSZ("hardlock", ""), nil, ""},
		{"device", device, "UpperFilters", multiSZ("hardlock", "x"), multiSZ("x"), ""},
		{"device, alone", device, "LowerFilters", multiSZ("hardlock"), nil, ""},
		{"driver disabled already", usbClass, "UpperFilters", multiSZ("hardlock", "x"), multiSZ("x"), "[ControlSet001\\services\\Hardlock]\n\"Start\"=dword:4\n"},
		{"first name without a service", usbClass, "UpperFilters", multiSZ("haspnt", "hardlock", "x"), multiSZ("haspnt", "x"), "[-ControlSet001\\services\\Haspnt]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := filterEdits(t, win7(t, "["+tt.key+"]\n"+regValue(tt.value, tt.list)+tt.more))
			if diff := cmp.Diff(edit(tt.key, tt.value, tt.list, tt.left), got); diff != "" {
				t.Errorf("edits (-want +got):\n%s", diff)
			}
		})
	}
}

// The paths and names of edits are those stored, whatever their letter case.
func TestFilterNamesAsStored(t *testing.T) {
	const key = `ControlSet001\enum\usb\Vid\1`
	got := filterEdits(t, win7(t, "[-ControlSet001\\Enum]\n["+key+"]\n"+regValue("UPPERfilters", multiSZ("hardlock"))))
	want := []hive.Edit{{Fix: hive.FixDrivers, Path: path(key), Name: "UPPERfilters", Old: multiSZ("hardlock")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("edits (-want +got):\n%s", diff)
	}
}

func TestFiltersLeftAlone(t *testing.T) {
	for _, tt := range []struct{ name, extra string }{
		{"single empty string", "[" + usbClass + "]\n\"UpperFilters\"=hex(7):00,00,00,00\n"},
		{"empty value", "[" + usbClass + "]\n\"UpperFilters\"=hex(7):\n"},
		{"other drivers", "[" + usbClass + "]\n" + regValue("UpperFilters", multiSZ("hardlock2", "xhaspnt"))},
		{"bytes", "[" + usbClass + "]\n" + regValue("UpperFilters", &hive.Data{Type: hive.RegBinary, Bytes: hive.EncodeMultiSZ([]string{"hardlock"})})},
		{"number", "[" + usbClass + "]\n\"UpperFilters\"=dword:1\n"},
		{"another value's list", "[" + usbClass + "]\n" + regValue("Filters", multiSZ("hardlock"))},
		{"no service of that name", "[-ControlSet001\\services\\Hardlock]\n[" + usbClass + "]\n" + regValue("UpperFilters", multiSZ("hardlock"))},
		{"service without Start", "[ControlSet001\\services\\Hardlock]\n\"Start\"=-\n[" + usbClass + "]\n" + regValue("UpperFilters", multiSZ("hardlock"))},
		{"below a class", "[" + usbClass + "\\0000]\n" + regValue("UpperFilters", multiSZ("hardlock"))},
		{"above the devices", "[ControlSet001\\Enum\\USB\\x]\n" + regValue("UpperFilters", multiSZ("hardlock"))},
		{"other control set", "[ControlSet002\\Enum\\USB\\x\\0]\n" + regValue("UpperFilters", multiSZ("hardlock"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := filterEdits(t, win7(t, tt.extra)); got != nil {
				t.Errorf("edits %v, want none", got)
			}
		})
	}
}

func TestFilterFindings(t *testing.T) {
	list := multiSZ("kbdclass", "HARDLOCK")
	f := inspect(t, win7(t, "["+usbClass+"]\n"+regValue("LowerFilters", list)), hive.Scope{})
	want := []hive.Filter{{Set: 1, Service: "HARDLOCK", Path: path(usbClass), Value: "LowerFilters", List: list}}
	if diff := cmp.Diff(want, f.Filters); diff != "" {
		t.Errorf("filters (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"kbdclass", "HARDLOCK"}, f.Filters[0].Names()); diff != "" {
		t.Errorf("Names (-want +got):\n%s", diff)
	}
}
