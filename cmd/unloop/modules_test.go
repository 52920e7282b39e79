package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// The index of a small stick, as depmod writes it: of a line's needs the last one is
// loaded first.
const (
	sampleDep = `kernel/drivers/scsi/scsi_common.ko:
kernel/drivers/scsi/scsi_mod.ko: kernel/drivers/scsi/scsi_common.ko
kernel/drivers/scsi/sd_mod.ko: kernel/drivers/scsi/scsi_mod.ko kernel/drivers/scsi/scsi_common.ko
kernel/drivers/ata/libata.ko: kernel/drivers/scsi/scsi_mod.ko kernel/drivers/scsi/scsi_common.ko
kernel/drivers/ata/libahci.ko: kernel/drivers/ata/libata.ko kernel/drivers/scsi/scsi_mod.ko kernel/drivers/scsi/scsi_common.ko
kernel/drivers/ata/ahci.ko: kernel/drivers/ata/libahci.ko kernel/drivers/ata/libata.ko kernel/drivers/scsi/scsi_mod.ko kernel/drivers/scsi/scsi_common.ko
kernel/drivers/usb/core/usbcore.ko:
kernel/drivers/usb/host/ehci-hcd.ko: kernel/drivers/usb/core/usbcore.ko
kernel/drivers/usb/host/ehci-pci.ko: kernel/drivers/usb/host/ehci-hcd.ko kernel/drivers/usb/core/usbcore.ko
kernel/drivers/usb/host/uhci-hcd.ko: kernel/drivers/usb/core/usbcore.ko
kernel/drivers/usb/storage/usb-storage.ko: kernel/drivers/scsi/scsi_mod.ko kernel/drivers/usb/core/usbcore.ko kernel/drivers/scsi/scsi_common.ko
kernel/lib/crc.ko.xz:
`
	sampleAlias = `# Aliases extracted from modules themselves.
alias pci:v*d*sv*sd*bc01sc06i01* ahci
alias pci:v00001B4Bd00009123sv*sd*bc*sc*i* ahci
alias pci:v*d*sv*sd*bc0Csc03i20* ehci_pci
alias pci:v*d*sv*sd*bc0Csc03i00* uhci_hcd
alias usb:v*p*d*dc*dsc*dp*ic08isc06ip50in* usb_storage
alias usb:v0421p0019d059[0-9]dc*dsc*dp*ic*isc*ip*in* usb_storage
alias usb:v03EBp2002d0[1-9]*dc*dsc*dp*ic*isc*ip*in* usb_storage
alias scsi:t-0x00* sd_mod
alias acpi*:PNP0A03:* ehci-pci
alias dmi*:bvn*:pvr* dcdbas
`
	sampleSoft = `# Soft dependencies extracted from modules themselves.
softdep uhci_hcd pre: ehci-pci
softdep libahci pre: crc nowhere post: sd_mod
`
)

func indexOf(t *testing.T, dep, alias, soft string) *moduleIndex {
	t.Helper()
	m, err := readModules(fstest.MapFS{
		"modules.dep": {Data: []byte(dep)}, "modules.alias": {Data: []byte(alias)}, "modules.softdep": {Data: []byte(soft)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What a module needs comes before it, hard and soft, each file once; names are the
// same with - and with _.
func TestModuleOrder(t *testing.T) {
	m := indexOf(t, sampleDep, sampleAlias, sampleSoft)
	for _, test := range []struct{ name, want string }{
		{"scsi_common", "scsi_common.ko"},
		{"sd_mod", "scsi_common.ko scsi_mod.ko sd_mod.ko"},
		{"ahci", "scsi_common.ko scsi_mod.ko libata.ko crc.ko.xz libahci.ko ahci.ko"},
		{"uhci-hcd", "usbcore.ko ehci-hcd.ko ehci-pci.ko uhci-hcd.ko"},
		{"uhci_hcd", "usbcore.ko ehci-hcd.ko ehci-pci.ko uhci-hcd.ko"},
		{"usb-storage", "scsi_common.ko usbcore.ko scsi_mod.ko usb-storage.ko"},
		{"crc", "crc.ko.xz"},
		{"nowhere", ""},
		{"", ""},
		{"ahci.ko", "scsi_common.ko scsi_mod.ko libata.ko crc.ko.xz libahci.ko ahci.ko"},
	} {
		var got []string
		for _, file := range m.order(test.name) {
			got = append(got, path.Base(file))
		}
		if diff := cmp.Diff(strings.Fields(test.want), got); diff != "" && test.want != strings.Join(got, " ") {
			t.Errorf("order(%q) (-want +got):\n%s", test.name, diff)
		}
	}
}

// depmod never writes loops, a damaged index may hold them: they end, and still name
// every file once and the module last.
func TestModuleLoops(t *testing.T) {
	m := indexOf(t, "a.ko: b.ko\nb.ko: c.ko a.ko\nc.ko: a.ko\nself.ko: self.ko\n", "", "softdep c pre: b\n")
	for name, want := range map[string]int{"a": 3, "b": 3, "c": 3, "self": 1} {
		got := m.order(name)
		if len(got) != want || got[want-1] != name+".ko" || len(slices.Compact(slices.Sorted(slices.Values(got)))) != want {
			t.Errorf("order(%q) = %q, want %d files, it last", name, got, want)
		}
	}
}

// A module that is to be loaded before another, but needs that one itself, comes after
// it: the kernel would refuse it.
func TestSoftNeedsBack(t *testing.T) {
	m := indexOf(t, "core.ko:\nplugin.ko: core.ko\n", "", "softdep core pre: plugin\n")
	got := m.order("core")
	if at := slices.Index(got, "plugin.ko"); at >= 0 && at < slices.Index(got, "core.ko") {
		t.Errorf("order(core) = %q, but plugin needs core", got)
	}
	if got, want := m.order("plugin"), []string{"core.ko", "plugin.ko"}; !slices.Equal(got, want) {
		t.Errorf("order(plugin) = %q, want %q", got, want)
	}
}

// A modalias is matched as the shell matches file names, sets of characters included.
func TestModuleDrives(t *testing.T) {
	m := indexOf(t, sampleDep, sampleAlias, sampleSoft)
	for _, test := range []struct{ alias, want string }{
		{"pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01", "ahci"},
		{"pci:v00001B4Bd00009123sv0000sd0000bc01sc06i01", "ahci ahci"},
		{"pci:v00008086d0000293Asv00001AF4sd00001100bc0Csc03i20", "ehci_pci"},
		{"pci:v00008086d00007010sv00001AF4sd00001100bc01sc01i80", ""},
		{"usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00", "usb_storage"},
		{"usb:v0421p0019d0592dc00dsc00dp00icFFisc00ip00in00", "usb_storage"},
		{"usb:v0421p0019d059Adc00dsc00dp00icFFisc00ip00in00", ""},
		{"usb:v03EBp2002d0100dc00dsc00dp00icFFisc00ip00in00", "usb_storage"},
		{"usb:v03EBp2002d0000dc00dsc00dp00icFFisc00ip00in00", ""},
		{"scsi:t-0x00", "sd_mod"},
		{"scsi:t-0x05", ""},
		{"dmi:bvnAward:bvr6.0:pvr1:", "dcdbas"},
		{"acpi:PNP0A03:", "ehci_pci"},
		{"acpi:PNP0A03:PNP0A08:", "ehci_pci"},
		{"pci:", ""},
		{"", ""},
	} {
		if got := m.drives(test.alias); !slices.Equal(got, strings.Fields(test.want)) {
			t.Errorf("drives(%q) = %q, want %q", test.alias, got, test.want)
		}
	}
}

// Without soft dependencies an index is whole; without the others there is none, and
// the error names the file.
func TestModuleFiles(t *testing.T) {
	for _, test := range []struct {
		files string
		want  string // in the error
	}{
		{"modules.dep modules.alias modules.softdep", ""},
		{"modules.dep modules.alias", ""},
		{"modules.alias modules.softdep", "reading modules.dep"},
		{"modules.dep modules.softdep", "reading modules.alias"},
		{"", "reading modules.dep"},
	} {
		dir := fstest.MapFS{}
		for _, name := range strings.Fields(test.files) {
			dir[name] = &fstest.MapFile{Data: []byte("kernel/a.ko:\n")}
		}
		m, err := readModules(dir)
		switch {
		case test.want == "" && (err != nil || !slices.Equal(m.order("a"), []string{"kernel/a.ko"})):
			t.Errorf("with %q: %v", test.files, err)
		case test.want != "" && (m != nil || !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), test.want)):
			t.Errorf("with %q: %v, %v, want an error that begins with %q", test.files, m, err, test.want)
		}
	}
	long := fstest.MapFS{"modules.dep": {Data: []byte("a.ko: " + strings.Repeat("b.ko ", 1<<15))}}
	if _, err := readModules(long); err == nil {
		t.Error("a line without end is no error")
	}
}

// Whatever the files hold: no panic, an end, and an order that names files of the
// index, each once, with the module itself last.
func FuzzModuleIndex(f *testing.F) {
	f.Add(sampleDep, sampleAlias, sampleSoft, "uhci-hcd", "usb:v03EBp2002d0100dc00")
	f.Add("a.ko: b.ko\nb.ko: a.ko", "alias a:[b-] a", "softdep a pre: b", "a", "a:b")
	f.Add(".ko: .ko\n:\n", "alias [ [\nalias \\ \\", "softdep pre: pre: post:", "", "[")
	f.Fuzz(func(t *testing.T, dep, alias, soft, name, modalias string) {
		m, err := readModules(fstest.MapFS{
			"modules.dep": {Data: []byte(dep)}, "modules.alias": {Data: []byte(alias)}, "modules.softdep": {Data: []byte(soft)},
		})
		if (m == nil) != (err != nil) {
			t.Fatalf("readModules = %v, %v", m, err)
		}
		if err != nil {
			return
		}
		for _, name := range append(m.drives(modalias), name) {
			if err := checkOrder(m, name); err != nil {
				t.Errorf("order(%q): %v", name, err)
			}
		}
	})
}

func checkOrder(m *moduleIndex, name string) error {
	order := m.order(name)
	seen := map[string]bool{}
	for _, file := range order {
		if seen[file] || m.files[moduleName(file)] != file {
			return fmt.Errorf("%q is there twice, or not in the index: %q", file, order)
		}
		seen[file] = true
	}
	file, there := m.files[moduleName(name)]
	if there != (len(order) > 0) || there && order[len(order)-1] != file {
		return fmt.Errorf("%q, want %q last", order, file)
	}
	return nil
}
