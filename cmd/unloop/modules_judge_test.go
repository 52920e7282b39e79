package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tinyModules are the modules of a kernel that depmod is to index: each exports its own
// name and uses those it needs.
var tinyModules = []struct {
	file  string
	needs []string
	info  []string
}{
	{"kernel/scsi/scsi_common.ko", nil, nil},
	{"kernel/scsi/scsi_mod.ko", []string{"scsi_common"}, nil},
	{"kernel/scsi/sd_mod.ko", []string{"scsi_mod", "scsi_common"}, []string{"alias=scsi:t-0x00*", "alias=scsi:t-0x07*"}},
	{"kernel/ata/libata.ko", []string{"scsi_mod", "scsi_common"}, nil},
	{"kernel/ata/libahci.ko", []string{"libata", "scsi_mod"}, []string{"softdep=pre: crc"}},
	{"kernel/ata/ahci.ko", []string{"libahci", "libata"}, []string{"alias=pci:v*d*sv*sd*bc01sc06i01*", "alias=pci:v00001B4Bd00009123sv*sd*bc*sc*i*"}},
	{"kernel/usb/usbcore.ko", nil, nil},
	{"kernel/usb/ehci-hcd.ko", []string{"usbcore"}, nil},
	{"kernel/usb/ehci-pci.ko", []string{"ehci_hcd", "usbcore"}, []string{"alias=pci:v*d*sv*sd*bc0Csc03i20*"}},
	{"kernel/usb/uhci-hcd.ko", []string{"usbcore"}, []string{"alias=pci:v*d*sv*sd*bc0Csc03i00*", "softdep=pre: ehci-pci post: crc"}},
	{"kernel/usb/usb-storage.ko", []string{"scsi_mod", "usbcore"}, []string{"alias=usb:v0421p0019d059[0-2]dc*dsc*dp*ic*isc*ip*in*", "alias=usb:v*p*d*dc*dsc*dp*ic08isc06ip50in*"}},
	{"kernel/mmc/sdhci-acpi.ko", nil, []string{"alias=acpi*:80860F14:*", "alias=acpi*:PNP0D40:*"}},
	{"kernel/lib/crc.ko", nil, nil},
}

// tinyKernel builds the modules with the compiler and has depmod index them.
func tinyKernel(t *testing.T) (root, version string) {
	t.Helper()
	for _, tool := range []string{"depmod", "modprobe", "gcc"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing: %v", tool, err)
		} else if err != nil {
			t.Skipf("%s is not installed (package kmod, gcc)", tool)
		}
	}
	root, version = t.TempDir(), "6.1.0-test"
	for _, m := range tinyModules {
		path := filepath.Join(root, "lib/modules", version, m.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		compile := exec.Command("gcc", "-x", "c", "-c", "-o", path, "-")
		compile.Stdin = strings.NewReader(moduleSource(moduleName(m.file), m.needs, m.info))
		if out, err := compile.CombinedOutput(); err != nil {
			t.Fatalf("compiling %s: %v\n%s", m.file, err, out)
		}
	}
	if out, err := exec.Command("depmod", "-b", root, version).CombinedOutput(); err != nil {
		t.Fatalf("depmod: %v\n%s", err, out)
	}
	return root, version
}

func moduleSource(name string, needs, info []string) string {
	var b strings.Builder
	all := append([]string{"license=GPL", "name=" + name}, info...)
	fmt.Fprintf(&b, "static const char info[] __attribute__((section(\".modinfo\"), used)) = %q;\n", strings.Join(all, "\x01"))
	source := strings.ReplaceAll(b.String(), `\x01`, `\0`)
	source += fmt.Sprintf("const char strings[] __attribute__((section(\"__ksymtab_strings\"))) = \"%s\";\nvoid %s(void) {}\n", name, name)
	for _, need := range needs {
		source += fmt.Sprintf("extern void %s(void);\nvoid use_%s(void) { %s(); }\n", need, need, need)
	}
	return source
}

// modprobe, reading its own index of the same kernel, loads the same files in the same
// order, and finds the same modules for a device.
func TestModulesAsModprobe(t *testing.T) {
	root, version := tinyKernel(t)
	m, err := readModules(os.DirFS(filepath.Join(root, "lib/modules", version)))
	if err != nil {
		t.Fatal(err)
	}
	modprobe := func(args ...string) []string {
		out, err := exec.Command("modprobe", append([]string{"-C", "/dev/null", "-d", root, "-S", version}, args...)...).Output()
		if err != nil && len(out) > 0 {
			t.Fatalf("modprobe %q: %v", args, err)
		}
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	for _, one := range tinyModules {
		name := strings.TrimSuffix(filepath.Base(one.file), ".ko")
		var want []string
		for _, line := range modprobe("--show-depends", name) {
			file := strings.TrimPrefix(strings.TrimSpace(line), "insmod "+filepath.Join(root, "lib/modules", version)+"/")
			if !slices.Contains(want, file) { // it names some again
				want = append(want, file)
			}
		}
		if at := slices.Index(want, one.file); at >= 0 {
			want = want[:at+1] // what comes after it is loaded for its own devices
		}
		got := m.order(name)
		if !slices.Equal(got, want) {
			t.Errorf("order(%s) = %q, modprobe says %q", name, got, want)
		}
	}
	for _, alias := range []string{
		"pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01", "pci:v00001B4Bd00009123sv00001B4Bsd00009123bc01sc06i01",
		"pci:v00008086d0000293Asv00001AF4sd00001100bc0Csc03i20", "pci:v00008086d0000293Asv00001AF4sd00001100bc0Csc03i30",
		"usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00", "usb:v0421p0019d0592dc00dsc00dp00icFFisc00ip00in00",
		"usb:v0421p0019d0593dc00dsc00dp00icFFisc00ip00in00", "scsi:t-0x00", "scsi:t-0x05", "acpi:80860F14:PNP0D40:", "acpi:PNP0A03:",
	} {
		want := slices.Sorted(slices.Values(strings.Fields(strings.Join(modprobe("-R", alias), " "))))
		got := slices.Sorted(slices.Values(m.drives(alias)))
		if !slices.Equal(slices.Compact(got), slices.Compact(want)) {
			t.Errorf("drives(%s) = %q, modprobe says %q", alias, got, want)
		}
	}
}
