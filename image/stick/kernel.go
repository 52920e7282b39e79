package stick

import (
	"bytes"
	"debug/elf"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// ErrKernel means that a package tree has not exactly one kernel of a kind that
// the stick can start, with modules of its own version.
var ErrKernel = errors.New("unknown kernel")

// kernel is a kernel as its package brings it.
type kernel struct {
	version string // as uname -r says it: 6.1.0-50-686
	pkg     string // the Debian package
	machine elf.Machine
	image   []byte // the file vmlinuz
}

// readKernel reads the one kernel in a tree. One for 64-bit CPUs has to be signed:
// firmware with Secure Boot on takes no other.
func readKernel(t *tree, is64 bool) (kernel, error) {
	version, err := kernelVersion(t)
	if err != nil {
		return kernel{}, err
	}
	k := kernel{version: version, pkg: "linux-image-" + version, machine: elf.EM_386}
	if is64 {
		k.machine = elf.EM_X86_64
	}
	if k.image, err = t.read(k.pkg, "boot/vmlinuz-"+version); err != nil {
		return kernel{}, err
	}
	if err := k.check(is64); err != nil {
		return kernel{}, fmt.Errorf("looking at vmlinuz-%s of %s: %w", version, t.arch, err)
	}
	return k, nil
}

// kernelVersion finds the version in the names of vmlinuz and of the folder of
// modules, which have to agree.
func kernelVersion(t *tree) (string, error) {
	names, err := t.list("boot")
	if err != nil {
		return "", err
	}
	var versions []string
	for _, name := range names {
		if version, is := strings.CutPrefix(name, "vmlinuz-"); is {
			versions = append(versions, version)
		}
	}
	switch len(versions) {
	case 1:
	case 0:
		return "", fmt.Errorf("looking for boot/vmlinuz-* of a package linux-image-*:%s in %s: %w: none there", t.arch, t.root, ErrKernel)
	default:
		return "", fmt.Errorf("looking for boot/vmlinuz-* in %s: %w: several there, %s", t.root, ErrKernel, strings.Join(versions, ", "))
	}
	folders, err := t.list("lib/modules")
	if err != nil {
		return "", err
	}
	if len(folders) != 1 || folders[0] != versions[0] {
		return "", fmt.Errorf("looking for the modules of kernel %s in %s: %w: there are %q", versions[0], t.root, ErrKernel, folders)
	}
	return versions[0], nil
}

// Places in the first kilobyte of a kernel, from the kernel's
// Documentation/x86/boot.rst.
const (
	setupMagic   = 0x202 // "HdrS"
	setupVersion = 0x20E // where the version is, 0x200 less
	setupXLoad   = 0x236 // bit 0: has an entry for 64-bit CPUs
	setupEnd     = 0x238
)

// KernelVersion returns the version that a kernel's file says it has, as uname -r
// will; "" if it is none.
func KernelVersion(image []byte) string {
	if len(image) < setupEnd || string(image[setupMagic:setupMagic+4]) != "HdrS" {
		return ""
	}
	at := 0x200 + int(binary.LittleEndian.Uint16(image[setupVersion:]))
	text := image[min(at, len(image)):min(at+256, len(image))]
	version, _, _ := bytes.Cut(text, []byte(" "))
	return string(version)
}

// check compares what the kernel says of itself with what it is taken for.
func (k kernel) check(is64 bool) error {
	if len(k.image) < setupEnd || string(k.image[setupMagic:setupMagic+4]) != "HdrS" {
		return fmt.Errorf("%w: not a Linux kernel", ErrKernel)
	}
	if version := KernelVersion(k.image); version != k.version {
		return fmt.Errorf("%w: it calls itself %q", ErrKernel, version)
	}
	if has64 := k.image[setupXLoad]&1 != 0; has64 != is64 {
		return fmt.Errorf("%w: made for another CPU", ErrKernel)
	}
	if is64 && !signed(k.image) {
		return fmt.Errorf("%w: it has no signature, firmware with Secure Boot would refuse it", ErrKernel)
	}
	return nil
}

// signed says whether a program for UEFI has a table of signatures. Whose they
// are is for the firmware to say.
func signed(image []byte) bool {
	f, err := pe.NewFile(bytes.NewReader(image))
	if err != nil {
		return false
	}
	switch header := f.OptionalHeader.(type) {
	case *pe.OptionalHeader32:
		return header.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_SECURITY].Size > 0
	case *pe.OptionalHeader64:
		return header.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_SECURITY].Size > 0
	}
	return false
}
