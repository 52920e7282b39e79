package stick

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrBootLoader means that GRUB's own program did not make the part of GRUB that a
// BIOS loads.
var ErrBootLoader = errors.New("making GRUB for the BIOS")

// Of GRUB's boot.img a BIOS disk has the code only: what follows is the signature
// of the disk and the partition table.
const bootCodeSize = 440

// driveCheck is where boot.img jumps over the drive number the BIOS gave when that
// one is wrong on many PCs. GRUB's installer takes this jump out for a USB stick
// or hard disk, by two instructions that do nothing.
const driveCheck = 0x66

// grubFolder is where the package of GRUB for the BIOS has its files.
const grubFolder = "usr/lib/grub/i386-pc"

// biosModules are the parts of GRUB in its core; no other is loaded.
func biosModules() []string {
	return []string{"biosdisk", "part_msdos", "fat", "normal", "linux", "configfile", "ls", "cat", "echo", "test", "true",
		"search", "search_fs_uuid", "search_fs_file", "serial", "terminal", "all_video", "gfxterm", "boot", "reboot", "halt",
		"minicmd", "cpuid", "regexp", "sleep", "probe"}
}

// bootCode returns the code of sector 0.
func bootCode(t *tree) ([]byte, error) {
	img, err := t.read("grub-pc-bin", grubFolder+"/boot.img")
	if err != nil {
		return nil, err
	}
	if len(img) != 512 || img[510] != 0x55 || img[511] != 0xAA {
		return nil, fmt.Errorf("reading boot.img of grub-pc-bin, %d bytes: %w", len(img), ErrBootLoader)
	}
	code := bytes.Clone(img[:bootCodeSize])
	copy(code[driveCheck:], []byte{0x90, 0x90})
	return code, nil
}

// coreImage makes GRUB's core with the program that its package brings for that,
// run by the package's own loader and libraries: nothing of this system is used
// but its kernel, which has to be Linux on amd64.
func coreImage(t *tree) ([]byte, error) {
	loader, err := t.need("libc6", "lib64/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
	if err != nil {
		return nil, err
	}
	program, err := t.need("grub-common", "usr/bin/grub-mkimage")
	if err != nil {
		return nil, err
	}
	lists, err := t.need("grub-pc-bin", grubFolder+"/moddep.lst")
	if err != nil {
		return nil, err
	}
	return t.makeCore(loader, program, filepath.Dir(lists))
}

// makeCore runs grub-mkimage, which writes to a real file only.
func (t *tree) makeCore(loader, program, folder string) (core []byte, err error) {
	tmp, err := os.MkdirTemp("", "unloop-grub-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for grub-mkimage: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	out := filepath.Join(tmp, "core.img")
	libraries := filepath.Join(t.root, "lib/x86_64-linux-gnu") + ":" + filepath.Join(t.root, "usr/lib/x86_64-linux-gnu")
	args := []string{"--library-path", libraries, program, "--directory", folder, "--format", "i386-pc",
		"--prefix", "(,msdos1)/boot/grub", "--output", out}
	cmd := exec.Command(loader, append(args, biosModules()...)...)
	cmd.Env = []string{"LC_ALL=C"}
	if said, err := cmd.CombinedOutput(); err != nil {
		text := strings.Join(strings.Fields(string(said)), " ")
		return nil, fmt.Errorf("running grub-mkimage of grub-common: %w: %w: %s", ErrBootLoader, err, text)
	}
	core, err = os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("running grub-mkimage of grub-common: %w: %w", ErrBootLoader, err)
	}
	return core, nil
}

// efiFile is one signed program for UEFI: name on the stick, and where the
// packages have it.
type efiFile struct {
	name, pkg, path string
}

func efiFiles(arch string) []efiFile {
	if arch == "i386" {
		return []efiFile{
			{"BOOTIA32.EFI", "shim-signed", "usr/lib/shim/shimia32.efi.signed"},
			{"grubia32.efi", "grub-efi-ia32-signed", "usr/lib/grub/i386-efi-signed/grubia32.efi.signed"},
			{"mmia32.efi", "shim-helpers-i386-signed", "usr/lib/shim/mmia32.efi.signed"},
		}
	}
	return []efiFile{
		{"BOOTX64.EFI", "shim-signed", "usr/lib/shim/shimx64.efi.signed"},
		{"grubx64.efi", "grub-efi-amd64-signed", "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"},
		{"mmx64.efi", "shim-helpers-amd64-signed", "usr/lib/shim/mmx64.efi.signed"},
	}
}

// uefi returns the signed programs of one architecture, in EFI/BOOT where firmware
// looks for them on a medium that it does not know.
func uefi(t *tree) ([]File, error) {
	var files []File
	for _, f := range efiFiles(t.arch) {
		data, err := t.read(f.pkg, f.path)
		if err != nil {
			return nil, err
		}
		if !signed(data) {
			return nil, fmt.Errorf("reading %s of package %s:%s: %w: no signature", f.path, f.pkg, t.arch, ErrBootLoader)
		}
		files = append(files, File{Path: "EFI/BOOT/" + f.name, Data: data})
	}
	return files, nil
}
