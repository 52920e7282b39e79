package image

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// busFolders tells the bus by the folders of sysfs that the device lies in. The
// first that matches counts: a SATA disk in a USB case is a USB disk.
var busFolders = [...]struct{ folder, bus string }{
	{`/usb\d+/`, BusUSB}, {`/fw\d+`, BusFireWire}, {`/mmc_host/`, BusMMC}, {`/nvme/`, BusNVMe},
	{`/ata\d+/`, BusATA}, {`/virtio\d+/`, BusVirtio}, {`/host\d+/`, BusSCSI}, {`/devices/virtual/`, BusVirtual},
}

// Drive looks up what the system knows of a block device, without opening it.
// Errors: ErrNotFound, ErrNotDrive.
func (h Host) Drive(path string) (*Drive, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, openError(path, err)
	}
	if info.Mode().Type() != fs.ModeDevice {
		return nil, fmt.Errorf("%s: %w", path, ErrNotDrive)
	}
	n := rdev(info)
	dir := h.sysDir(n)
	if dir == "" {
		return nil, fmt.Errorf("%s: the kernel does not know it: %w", path, ErrNotFound)
	}
	d := &Drive{Path: path, Name: kernelName(dir), Sector: sectorSize, number: n, seq: readWord(filepath.Join(dir, "diskseq"))}
	if sectors, err := strconv.ParseInt(readWord(filepath.Join(dir, "size")), 10, 64); err == nil && sectors < maxBytes/sectorSize {
		d.Size = sectors * sectorSize
	}
	d.ReadOnly = readWord(filepath.Join(dir, "ro")) == "1"
	if readWord(filepath.Join(dir, "partition")) != "" {
		dir = filepath.Dir(dir)
		d.Whole = kernelName(dir)
	}
	if size, err := strconv.ParseInt(readWord(filepath.Join(dir, "queue", "logical_block_size")), 10, 64); err == nil {
		d.Sector = size
	}
	d.Removable = readWord(filepath.Join(dir, "removable")) == "1"
	d.describe(dir)
	return d, nil
}

// kernelName is the name of a device by its folder in sysfs, where '!' stands
// for '/'.
func kernelName(dir string) string { return strings.ReplaceAll(filepath.Base(dir), "!", "/") }

// describe fills in bus, maker, model and serial number.
func (d *Drive) describe(dir string) {
	for _, b := range busFolders {
		if regexp.MustCompile(b.folder).MatchString(dir + "/") {
			d.Bus = b.bus
			break
		}
	}
	device := filepath.Join(dir, "device")
	if d.Bus == BusMMC && readWord(filepath.Join(device, "type")) == "SD" {
		d.Bus = BusSD
	}
	d.Vendor, d.Model = readWord(filepath.Join(device, "vendor")), readWord(filepath.Join(device, "model"))
	if d.Model == "" {
		d.Model = readWord(filepath.Join(device, "name")) // an SD card's
	}
	if strings.HasPrefix(d.Vendor, "0x") || d.Vendor == "ATA" {
		d.Vendor = "" // a number of the PCI bus, or no maker at all
	}
	for _, file := range []string{filepath.Join(device, "serial"), filepath.Join(dir, "serial")} {
		if d.Serial == "" {
			d.Serial = readWord(file)
		}
	}
	// The serial number of a USB disk is that of the USB device far above it.
	for up := dir; d.Serial == "" && d.Bus == BusUSB && len(up) > 1; up = filepath.Dir(up) {
		if readWord(filepath.Join(up, "idVendor")) != "" {
			d.Serial = readWord(filepath.Join(up, "serial"))
			return
		}
	}
}

// Occupied says what forbids overwriting a disk, whoever asks for it: it is a
// partition or empty drive (ErrPartition, ErrNoMedium), this machine runs from
// it (ErrOwnDisk), something on it is mounted (ErrStillMounted) or otherwise in
// use (ErrBusy), it is write-protected (ErrReadOnly). It takes no lock.
func (h Host) Occupied(d *Drive) error {
	switch {
	case d.Whole != "":
		return fmt.Errorf("%s is part of %s: %w", d.Path, devPath(d.Whole), ErrPartition)
	case d.Size == 0:
		return fmt.Errorf("%s: %w", d.Path, ErrNoMedium)
	}
	all, err := h.mounts()
	if err != nil {
		return err
	}
	below := layers{host: h, mounts: all, seen: map[devNumber]bool{}}
	below.addPath("/")
	if below.seen[d.number] {
		return fmt.Errorf("%s: %w", d.Path, ErrOwnDisk)
	}
	for _, dev := range h.withPartitions(d.number) {
		for _, m := range all {
			if m.dev == dev || isDevice(m.source, dev) {
				return fmt.Errorf("%s: %s at %s: %w", d.Path, h.name(dev), m.point, ErrStillMounted)
			}
		}
		if err := h.held(d.Path, dev); err != nil {
			return err
		}
	}
	switch {
	case d.ReadOnly:
		return fmt.Errorf("%s: %w", d.Path, ErrReadOnly)
	case d.Sector != sectorSize:
		return fmt.Errorf("%s: %w but %d", d.Path, ErrSectorSize, d.Sector)
	}
	return nil
}

// isDevice reports whether the source of a mount is a block device: file
// systems of several devices have a number of their own.
func isDevice(source string, n devNumber) bool {
	if !strings.HasPrefix(source, "/") {
		return false
	}
	info, err := os.Stat(source)
	return err == nil && rdev(info) == n
}

// held says who uses a device without mounting it.
func (h Host) held(path string, dev devNumber) error {
	if _, names := h.stacked(dev, "holders"); len(names) > 0 {
		return fmt.Errorf("%s: %s is part of %s: %w", path, h.name(dev), strings.Join(names, ", "), ErrBusy)
	}
	if h.isSwap(dev) {
		return fmt.Errorf("%s: %s is swap space: %w", path, h.name(dev), ErrBusy)
	}
	return nil
}
