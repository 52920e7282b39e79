//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A vm is a PC to boot the stick on. A test states only what differs from the oldest
// one that the stick is for: a BIOS, a 32-bit CPU, 512 MB, one IDE disk with a looping
// Windows 7, and a stick that repairs it unasked and powers off.
type vm struct {
	firmware string  // "UEFI x64", "UEFI x64 Secure Boot", "UEFI ia32"; default "BIOS"
	cpu      string  // QEMU's name; default qemu32, with UEFI x64 qemu64
	memory   int     // MiB; default 512, with UEFI 1024
	bus      string  // of all disks; default IDE, with UEFI AHCI
	disks    []*disk // default one looping Windows 7; empty, but not nil: none

	mode, after string // of unloop.toml; default auto, poweroff
	settings    string // unloop.toml as a whole instead
	menu        int    // entry of the boot menu
	screen      string // the console with screen and keys; default ttyS0, else tty0
	vga         string // QEMU's name of the graphics card; default std
	maker       string // of the PC, with its model, as QEMU wants them; default what QEMU is

	used     *vmStick // a stick that has been used before; default a new one
	readOnly bool     // the stick's write protection is on
	full     bool     // no room is left on the stick
	sluggish bool     // disks take three writes a second: there is time to cut the power
	twin     bool     // a copy of the stick is plugged in beside it
}

// firmware is how a kind of PC begins.
type firmware struct {
	code, vars string // files of OVMF; vars is copied, as the PC writes to it
	smm        bool   // the code is locked against all but system management mode
	machine    string
	cpu        string
	memory     int
	bus        string
}

const ovmf = "/usr/share/OVMF/"

var firmwares = map[string]firmware{
	"BIOS":                 {machine: "pc", cpu: "qemu32", memory: 512, bus: "IDE"},
	"UEFI x64":             {machine: "q35", cpu: "qemu64", memory: 1024, bus: "AHCI", code: "OVMF_CODE_4M.fd", vars: "OVMF_VARS_4M.fd"},
	"UEFI x64 Secure Boot": {machine: "q35", cpu: "qemu64", memory: 1024, bus: "AHCI", code: "OVMF_CODE_4M.secboot.fd", vars: "OVMF_VARS_4M.ms.fd", smm: true},
	"UEFI ia32":            {machine: "q35", cpu: "qemu32", memory: 1024, bus: "AHCI", code: "OVMF32_CODE_4M.secboot.fd", vars: "OVMF32_VARS_4M.fd", smm: true},
}

// buses are the ways to plug a disk in: a controller, if it is not there anyway, and
// the disk itself with its number.
var buses = map[string]struct{ controller, disk string }{
	"IDE":         {"", "ide-hd,bus=ide.%d"},
	"AHCI":        {"ahci,id=ahci", "ide-hd,bus=ahci.%d"},
	"NVMe":        {"", "nvme,serial=nvme%d"},
	"virtio-blk":  {"", "virtio-blk-pci,serial=virtio%d"},
	"virtio-scsi": {"virtio-scsi-pci,id=scsi", "scsi-hd,bus=scsi.0,scsi-id=%d"},
	"USB":         {"", "usb-storage,bus=usb.0,serial=usb%d"},
	"UAS":         {"usb-uas,bus=usb.0,id=uas", "scsi-hd,bus=uas.0,scsi-id=0,lun=%d"},
	"MegaRAID":    {"megasas,id=scsi", "scsi-hd,bus=scsi.0,scsi-id=%d"},
	"PVSCSI":      {"pvscsi,id=scsi", "scsi-hd,bus=scsi.0,scsi-id=%d"},
}

// biosSerial is the serial number of every such PC; it names the record on the stick.
const biosSerial = "VM4711"

func (v vm) withDefaults() vm {
	f := firmwares[cmp.Or(v.firmware, "BIOS")]
	v.firmware, v.cpu, v.bus = cmp.Or(v.firmware, "BIOS"), cmp.Or(v.cpu, f.cpu), cmp.Or(v.bus, f.bus)
	v.mode, v.after, v.screen = cmp.Or(v.mode, "auto"), cmp.Or(v.after, "poweroff"), cmp.Or(v.screen, "ttyS0")
	v.memory, v.vga = cmp.Or(v.memory, f.memory), cmp.Or(v.vga, "std")
	return v
}

// qemu is the program for the PC's CPU.
func (v vm) qemu() string {
	if slices.Contains([]string{"qemu32", "pentium2", "pentium3", "athlon", "coreduo", "n270"}, v.cpu) {
		return "qemu-system-i386"
	}
	return "qemu-system-x86_64"
}

// args are QEMU's arguments; the stick and the disks are files, vars is the copy of the
// firmware's variables, and the protocol QMP is spoken on file descriptor 3.
func (v vm) args(stick, vars string) []string {
	f := firmwares[v.firmware]
	machine := f.machine
	if f.smm {
		machine += ",smm=on"
	}
	a := []string{
		"-accel", "tcg", "-nodefaults", "-no-reboot", "-display", "none", "-vga", v.vga,
		"-machine", machine, "-cpu", v.cpu, "-m", strconv.Itoa(v.memory), "-smbios", "type=1,serial=" + biosSerial + v.maker,
		"-chardev", "stdio,id=serial,signal=off", "-serial", "chardev:serial",
		"-chardev", "socket,id=qmp,fd=3", "-mon", "chardev=qmp,mode=control",
	}
	if f.smm {
		a = append(a, "-global", "driver=cfi.pflash01,property=secure,value=on")
	}
	if f.code != "" {
		a = append(a, "-drive", "if=pflash,unit=0,format=raw,readonly=on,file="+ovmf+f.code,
			"-drive", "if=pflash,unit=1,format=raw,file="+escaped(vars))
	}
	a = append(a, "-device", "qemu-xhci,id=usb")
	a = append(a, drive("stick", stick, v.readOnly)...)
	a = append(a, "-device", "usb-storage,bus=usb.0,drive=stick,id=stick,removable=on,bootindex=0")
	if v.twin {
		a = append(a, drive("twin", stick+twinSuffix, false)...)
		a = append(a, "-device", "usb-storage,bus=usb.0,drive=twin,removable=on,serial=twin")
	}
	return append(a, v.diskArgs()...)
}

// twinSuffix is what the file of a stick's copy is called after the stick's.
const twinSuffix = ".twin"

func (v vm) diskArgs() (a []string) {
	bus := buses[v.bus]
	if bus.controller != "" && len(v.disks) > 0 {
		a = append(a, "-device", bus.controller)
	}
	for i, d := range v.disks {
		switch id := fmt.Sprint("disk", i); {
		case d.bad != 0:
			a = append(a, badDrive(id, d.path, d.bad)...)
		case v.sluggish:
			a = append(a, "-drive", "if=none,format=raw,cache=writethrough,throttling.iops-write=3,id="+id+",file="+escaped(d.path))
		default:
			a = append(a, drive(id, d.path, false)...)
		}
		a = append(a, "-device", fmt.Sprintf(bus.disk, i)+fmt.Sprint(",drive=disk", i))
	}
	return a
}

// drive gives an image file a name. Nobody cuts our power: QEMU need not wait for the
// host's disk.
func drive(id, path string, readOnly bool) []string {
	option := "if=none,format=raw,cache=unsafe,id=" + id + ",file=" + escaped(path)
	if readOnly {
		option += ",readonly=on"
	}
	return []string{"-drive", option}
}

// badDrive is a drive with one sector that cannot be read.
func badDrive(id, path string, at int64) []string {
	return []string{"-drive", fmt.Sprintf("if=none,id=%s,driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename=%s,"+
		"file.inject-error.0.event=read_aio,file.inject-error.0.sector=%d,file.inject-error.0.errno=5", id, escaped(path), at/512)}
}

// escaped is a path within an option of QEMU's, where commas part.
func escaped(path string) string { return strings.ReplaceAll(path, ",", ",,") }
