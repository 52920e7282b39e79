package stick

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	version32 = "6.1.0-1-686"
	version64 = "6.1.0-1-amd64"
)

// fixtureFile is one file of a package: its content, and the package that an error
// has to name when it is missing.
type fixtureFile struct {
	pkg  string
	data []byte
}

// packageFiles are small packages with all that a stick needs, by path below the
// folder of the packages.
func packageFiles() map[string]fixtureFile {
	files := map[string]fixtureFile{
		"packages.txt": {"packages.txt", []byte("the list\n")},

		"i386/lib/ld-linux.so.2":                                  {"libc6:i386", aLibrary()},
		"i386/lib/i386-linux-gnu/libc.so.6":                       {"libc6:i386", aLibrary("ld-linux.so.2")},
		"i386/usr/lib/i386-linux-gnu/libhivex.so.0":               {"libhivex0:i386", aLibrary("libc.so.6")},
		"i386/lib/i386-linux-gnu/libntfs-3g.so.89":                {"libntfs-3g89:i386", aLibrary("libc.so.6")},
		"i386/usr/lib/i386-linux-gnu/gconv/UTF-16.so":             {"libc6:i386", aLibrary("libc.so.6")},
		"i386/usr/lib/i386-linux-gnu/gconv/ISO8859-1.so":          {"libc6:i386", aLibrary("libc.so.6")},
		"i386/usr/lib/i386-linux-gnu/gconv/gconv-modules":         {"libc6:i386", []byte("module UTF-16\n")},
		"i386/bin/busybox":                                        {"busybox-static:i386", aProgram()},
		"i386/bin/ntfs-3g":                                        {"ntfs-3g:i386", dynamicProgram("libntfs-3g.so.89", "libc.so.6")},
		"i386/boot/vmlinuz-" + version32:                          {"linux-image-*:i386", aKernel(version32, false, false)},
		"amd64/boot/vmlinuz-" + version64:                         {"linux-image-*:amd64", aKernel(version64, true, true)},
		"amd64/usr/share/unifont/unifont_jp.hex":                  {"unifont:amd64", aFontSource()},
		"amd64/lib64/ld-linux-x86-64.so.2":                        {"libc6:amd64", []byte(fakeLoader)},
		"amd64/usr/bin/grub-mkimage":                              {"grub-common:amd64", []byte("the core of GRUB\n")},
		"amd64/usr/lib/grub/i386-pc/moddep.lst":                   {"grub-pc-bin:amd64", nil},
		"amd64/usr/lib/grub/i386-pc/boot.img":                     {"grub-pc-bin:amd64", fakeBoot()},
		"amd64/usr/lib/shim/shimx64.efi.signed":                   {"shim-signed:amd64", signedProgram(true)},
		"amd64/usr/lib/shim/mmx64.efi.signed":                     {"shim-helpers-amd64-signed:amd64", signedProgram(true)},
		"amd64/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed": {"grub-efi-amd64-signed:amd64", signedProgram(true)},
		"i386/usr/lib/shim/shimia32.efi.signed":                   {"shim-signed:i386", signedProgram(true)},
		"i386/usr/lib/shim/mmia32.efi.signed":                     {"shim-helpers-i386-signed:i386", signedProgram(true)},
		"i386/usr/lib/grub/i386-efi-signed/grubia32.efi.signed":   {"grub-efi-ia32-signed:i386", signedProgram(true)},
	}
	addModules(files, "i386", version32, elf.EM_386)
	addModules(files, "amd64", version64, elf.EM_X86_64)
	return files
}

// aFontSource is a font in Unifont's form with all characters that the stick's must have,
// each with a picture that its number tells, and some more.
func aFontSource() []byte {
	var b bytes.Buffer
	for r := rune(0); r < 0xFFFF; r++ {
		switch {
		case !FontHas(r) && r%256 != 7:
		case r < 0x1100 || r >= 0xFF61 && r <= 0xFF9F:
			fmt.Fprintf(&b, "%04X:%s\n", r, strings.Repeat(fmt.Sprintf("%04X", r), narrowSize/2))
		default:
			fmt.Fprintf(&b, "%04X:%s\n", r, strings.Repeat(fmt.Sprintf("%04X", r), wideSize/2))
		}
	}
	fmt.Fprintf(&b, "FFFD:%s\n01F600:%s\n", strings.Repeat("AA", narrowSize), strings.Repeat("55", wideSize))
	return b.Bytes()
}

// addModules adds every module a stick must have; two of them built into the kernel.
func addModules(files map[string]fixtureFile, arch, version string, machine elf.Machine) {
	folder := arch + "/lib/modules/" + version + "/"
	pkg := "linux-image-" + version + ":" + arch
	files[folder+"modules.builtin"] = fixtureFile{pkg, []byte("kernel/drivers/input/serio/i8042.ko\nkernel/drivers/input/keyboard/atkbd.ko\n")}
	for _, name := range mustModules() {
		if name != "i8042" && name != "atkbd" {
			files[folder+"kernel/drivers/any/"+name+".ko"] = fixtureFile{pkg, aModule(machine, version, "alias=of:"+name)}
		}
	}
	depends := func(name string, info ...string) {
		files[folder+"kernel/drivers/any/"+name+".ko"] = fixtureFile{pkg, aModule(machine, version, info...)}
	}
	depends("ahci", "alias=pci:v*bc01sc06i01*", "depends=libahci,libata")
	depends("libahci", "depends=libata")
	depends("libata", "depends=scsi_mod")
	depends("scsi_mod", "depends=scsi-common")
	depends("scsi-common", "depends=")
	depends("uhci_hcd", "softdep=pre: ehci_pci post: not-there", "depends=i8042")
	depends("unwanted", "alias=pci:v*")
}

// fakeLoader does for the tests what the loader does with grub-mkimage: the last
// argument but for the modules names the file to write.
const fakeLoader = `#!/bin/sh
program=$3
while [ "$1" != --output ]; do shift; done
cat "$program" >"$2"
`

func fakeBoot() []byte {
	b := make([]byte, 512)
	for i := range b {
		b[i] = byte(i)
	}
	b[510], b[511] = 0x55, 0xAA
	return b
}

// writeFiles writes files below a new folder, all with one time.
func writeFiles(t testing.TB, files map[string]fixtureFile) string {
	t.Helper()
	dir := t.TempDir()
	for name, f := range files {
		writeFile(t, filepath.Join(dir, name), f.data)
	}
	return dir
}

func writeFile(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o755); err != nil {
		t.Fatal(err)
	}
	stamp := time.Date(2026, 7, 2, 13, 50, 42, 0, time.UTC)
	if err := os.Chtimes(name, stamp, stamp); err != nil {
		t.Fatal(err)
	}
}

// writePrograms writes programs of ours as small as can be.
func writePrograms(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "unloop"), aProgram())
	writeFile(t, filepath.Join(dir, "unloop-crosscheck"), dynamicProgram("libhivex.so.0", "libc.so.6"))
	return dir
}

// realPackages returns the folder of unpacked Debian packages that UNLOOP_PACKAGES
// names; without it the test is skipped.
func realPackages(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("UNLOOP_PACKAGES")
	if dir == "" {
		t.Skip("no unpacked packages (UNLOOP_PACKAGES names them; scripts/stick makes them)")
	}
	return dir
}

// judge runs a foreign program and returns what it prints. Where it is missing the
// test is skipped, or fails under CI=true.
func judge(t testing.TB, in []byte, name string, args ...string) string {
	t.Helper()
	file, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return runJudge(t, in, file, args...)
}

func runJudge(t testing.TB, in []byte, file string, args ...string) string {
	t.Helper()
	var said strings.Builder
	cmd := exec.CommandContext(t.Context(), file, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(in)), &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", path.Base(file), args, err, said.String())
	}
	return string(out)
}
