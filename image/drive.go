package image

import (
	"errors"
	"fmt"
)

// The sentinels of a disk that is to be overwritten as a whole.
var (
	// ErrNotDrive: a file, folder or anything else that is no block device.
	ErrNotDrive = errors.New("not a disk")
	// ErrPartition: a part of a disk, not the whole.
	ErrPartition = errors.New("a partition, not a whole disk")
	// ErrOwnDisk: this machine runs from it.
	ErrOwnDisk = errors.New("this machine runs from it")
	// ErrStillMounted: a volume on it is mounted, read-only or not. It would be
	// pulled from under its users.
	ErrStillMounted = errors.New("mounted")
	// ErrNoMedium: a drive with nothing in it, as an empty card reader is.
	ErrNoMedium = errors.New("no medium in the drive")
	// ErrFixed: neither removable nor on a bus that things are plugged into.
	ErrFixed = errors.New("built-in disk")
)

// Buses of a Drive. Other systems' words are passed on as they are.
const (
	BusUSB      = "usb"
	BusSD       = "sd"  // an SD card in a reader of its own
	BusMMC      = "mmc" // flash that is soldered in
	BusFireWire = "firewire"
	BusATA      = "ata"
	BusNVMe     = "nvme"
	BusSCSI     = "scsi"
	BusVirtio   = "virtio"
	BusVirtual  = "virtual" // made by the kernel: loop, md, dm
)

// devNumber names a block device as the kernel does.
type devNumber struct{ major, minor uint32 }

func (n devNumber) String() string { return fmt.Sprintf("%d:%d", n.major, n.minor) }

// Drive is what the system knows of a block device.
type Drive struct {
	Path      string // as the user named it
	Name      string // as the kernel does: "sdb"
	Bus       string // one of the constants; "" if it cannot be told
	Vendor    string
	Model     string
	Serial    string
	Size      int64 // bytes
	Sector    int64 // logical sector size
	Removable bool  // its medium can be changed, or it says so of itself
	ReadOnly  bool
	Whole     string // of a partition: the disk it is part of, "sdb"; else ""

	number devNumber
	seq    string // the kernel's running number of media; another after a change
}

// Pluggable says whether the drive is made to be carried about: removable, or
// on a bus that things are plugged into.
func (d *Drive) Pluggable() bool {
	return d.Removable || d.Bus == BusUSB || d.Bus == BusSD || d.Bus == BusFireWire
}

// same recognises the drive, and what is in it, again.
func (d *Drive) same(now *Drive) error {
	if *d != *now {
		return fmt.Errorf("%s is another disk now: %w", d.Path, ErrChanged)
	}
	return nil
}
