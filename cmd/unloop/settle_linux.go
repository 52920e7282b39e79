package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// How long disks may take to appear. A device that has announced itself gets its time;
// nothing waits longer than the last one needs.
const (
	quietTime     = 600 * time.Millisecond // without news, all controllers have looked at their ports
	stickPatience = 30 * time.Second       // for the stick, which may hang on a slow hub
	diskPatience  = 20 * time.Second       // for a USB disk that is known, but has not spun up
	newsPatience  = 2 * time.Minute        // for the end of news, as of a plug that does not sit tight
)

// settle loads drivers until no more devices appear. found says whether the stick is
// there; it returns when that is so, the machine has been quiet and no USB disk is
// still on its way, or when patience is over.
func (d *drivers) settle(sys string, news *uevents, found func() bool) error {
	if err := d.coldplug(sys); err != nil {
		return fmt.Errorf("looking for devices: %w", err)
	}
	start := time.Now()
	last := start
	for {
		event, any := news.next(50)
		now := time.Now()
		switch {
		case now.Sub(start) > newsPatience:
			return nil
		case any && event == nil:
			last = now
			if err := d.coldplug(sys); err != nil {
				return fmt.Errorf("looking for devices: %w", err)
			}
		case any && event["ACTION"] == "add":
			last = now
			if alias := event["MODALIAS"]; alias != "" {
				d.loadFor(alias)
			}
		case any, now.Sub(last) < quietTime:
		case found() && (!usbDiskComing(sys) || now.Sub(start) > diskPatience):
			return nil
		case now.Sub(start) > stickPatience:
			return nil
		}
	}
}

// usbDiskComing says whether a USB mass storage device has no block device yet: its
// driver has not looked at it, or it is a disk that spins up.
func usbDiskComing(sys string) bool {
	classes, err := filepath.Glob(filepath.Join(sys, "bus/usb/devices/*/bInterfaceClass"))
	if err != nil {
		return false
	}
	for _, class := range classes {
		if readLine(class) != "08" {
			continue
		}
		types, _ := filepath.Glob(filepath.Join(filepath.Dir(class), "host*/target*/*/type"))
		if len(types) == 0 {
			return true
		}
		for _, file := range types {
			blocks, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "block/*"))
			if isDiskType(readLine(file)) && len(blocks) == 0 {
				return true
			}
		}
	}
	return false
}

// isDiskType says whether a SCSI device is a disk: a plain, an optical or a simplified
// one (SCSI Primary Commands, peripheral device types 0, 7, 14), and no CD drive.
func isDiskType(t string) bool { return t == "0" || t == "7" || t == "14" }

// driverless names the disk and USB controllers on PCI that no driver has taken, for
// the message that no disk was found.
func driverless(sys string) []string {
	devices, err := filepath.Glob(filepath.Join(sys, "bus/pci/devices/*"))
	if err != nil {
		return nil
	}
	var names []string
	for _, dir := range devices {
		class := strings.TrimPrefix(readLine(filepath.Join(dir, "class")), "0x")
		kind := controllerKind(class)
		if _, err := os.Stat(filepath.Join(dir, "driver")); err == nil || kind == "" {
			continue
		}
		names = append(names, fmt.Sprintf("%s %s (%s:%s)", kind, filepath.Base(dir),
			strings.TrimPrefix(readLine(filepath.Join(dir, "vendor")), "0x"), strings.TrimPrefix(readLine(filepath.Join(dir, "device")), "0x")))
	}
	return names
}

// controllerKind names the PCI class of a controller that a disk or the stick may hang
// on ("PCI Code and ID Assignment Specification", base classes 01, 08 and 0C).
func controllerKind(class string) string {
	for prefix, kind := range map[string]string{
		"0101": "IDE", "0104": "RAID", "0106": "SATA", "0107": "SAS", "0108": "NVMe", "0100": "SCSI", "0180": "storage",
		"0805": "SD", "0c03": "USB",
	} {
		if strings.HasPrefix(class, prefix) {
			return kind
		}
	}
	return ""
}
