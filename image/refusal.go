package image

import (
	"errors"
	"fmt"
	"io/fs"
)

// The sentinels a caller branches on. Every error that wraps one of them also
// names the path, volume or offset.
var (
	// ErrNotFound: the target is not there, or vanished. Wraps fs.ErrNotExist.
	ErrNotFound = fmt.Errorf("no such target: %w", fs.ErrNotExist)
	// ErrUnsupported: neither regular file, folder nor block device.
	ErrUnsupported = errors.New("not a regular file, folder or disk")
	// ErrRawDrive: the raw device of a disk or volume that Windows has mounted.
	// Windows caches the volume above it: it would not see our writes, or undo them.
	ErrRawDrive = errors.New("a raw drive of Windows")
	// ErrNotAdministrator: access was denied to a process without
	// administrator rights.
	ErrNotAdministrator = errors.New("no administrator rights")
	// ErrEmpty: a file or medium of zero bytes.
	ErrEmpty = errors.New("empty")
	// ErrNoWindows: readable, but no Windows installation in it.
	ErrNoWindows = errors.New("no Windows installation found")
	// ErrDamaged: the file system or medium cannot be read there.
	ErrDamaged = errors.New("damaged or cut short")

	// ErrReadOnly: the medium or file does not allow writing.
	ErrReadOnly = errors.New("read-only")
	// ErrBusy: another program holds the device or image.
	ErrBusy = errors.New("in use")
	// ErrAttached: a loop device shows the image file. The two cache apart from each other,
	// so that neither would see what the other writes. Wraps ErrBusy.
	ErrAttached = fmt.Errorf("attached to a loop device: %w", ErrBusy)
	// ErrMounted: mounted read-write. Two writers destroy a file system.
	ErrMounted = errors.New("mounted read-write")
	// ErrChanged: the path now leads to another file or device than was read.
	ErrChanged = errors.New("replaced since it was opened")
	// ErrSectorSize: logical sectors are not 512 bytes. Windows 7 does not
	// boot from such a disk, and the order of writes assumes 512.
	ErrSectorSize = errors.New("logical sectors are not 512 bytes")

	// ErrHibernated: Windows sleeps in hiberfil.sys and holds the hive in
	// memory; on waking it would write over the repair, or worse.
	ErrHibernated = errors.New("hibernated")
	// ErrBitLocker: the volume is encrypted by BitLocker.
	ErrBitLocker = errors.New("encrypted by BitLocker")
	// ErrRaidMember: writing one half of a mirror splits it.
	ErrRaidMember = errors.New("member of a RAID set")
	// ErrDynamicDisk: volumes of a dynamic disk may be spread or mirrored.
	ErrDynamicDisk = errors.New("dynamic disk")

	// ErrPacked: an image that was packed as a whole, to be kept or sent.
	ErrPacked = errors.New("packed")
	// ErrLockedImage: the image file itself is encrypted.
	ErrLockedImage = errors.New("encrypted image")
	// ErrPackedBlocks: blocks of the image are compressed. A write would put other ones
	// beside them, and the image would be neither the small one that was kept nor a plain one.
	ErrPackedBlocks = errors.New("compressed image")
	// ErrDelta: a differencing image of a kind that cannot be read together with its base.
	ErrDelta = errors.New("differencing image")
	// ErrUnclosed: the image was not closed properly, is marked corrupt, or belongs to a
	// machine that sleeps.
	ErrUnclosed = errors.New("image not closed properly")
	// ErrOutside: an image names a device, a server, or a file in another folder. It may
	// come from a stranger: followed, it would lead to this machine's own disks.
	ErrOutside = errors.New("leads out of the image")
	// ErrUnknownImage: a kind or version of image whose rules are not known.
	ErrUnknownImage = errors.New("unknown kind of image")
	// ErrPartMissing: a file that an image names is not there.
	ErrPartMissing = errors.New("part of the image is missing")
	// ErrIsBase: another image stands on this one. It would hold the difference to
	// something that is no longer there.
	ErrIsBase = errors.New("base of another image")
	// ErrNoExporter: the program that opens such an image is not there.
	ErrNoExporter = errors.New("qemu-nbd is not installed")
	// ErrNotStarted: that program is there, but did not start, or never answers.
	ErrNotStarted = errors.New("qemu-nbd did not start")
	// ErrExport: that program does not open the image, or ended too early.
	ErrExport = errors.New("qemu-nbd does not serve the image")

	// ErrCompressed: the clusters do not hold the file's own bytes.
	ErrCompressed = errors.New("compressed")
	// ErrSparse: part of the file has no clusters.
	ErrSparse = errors.New("sparse")
	// ErrEncrypted: encrypted by EFS.
	ErrEncrypted = errors.New("encrypted file")
	// ErrResident: the data lie inside the MFT record, which is metadata.
	ErrResident = errors.New("stored inside its MFT record")
	// ErrUninitialised: NTFS reads these bytes as zero whatever the disk says.
	ErrUninitialised = errors.New("beyond the initialised size")
	// ErrMisplaced: the clusters are free in $Bitmap, taken twice, or those of
	// NTFS itself. Writing there would destroy something else.
	ErrMisplaced = errors.New("clusters are not the file's own")
	// ErrUnusableLog: the log cannot be used for logging.
	ErrUnusableLog = errors.New("not usable as a transaction log")
)

// Refusal says what forbids writing to these hives of an installation, to SYSTEM if
// none is named; nil if nothing does. It only reads, takes no lock, and so serves a dry
// run.
func (s *Source) Refusal(in *Installation, hives ...string) error {
	if all := s.Refusals(in, hives...); len(all) > 0 {
		return all[0]
	}
	return nil
}

// Refusals is Refusal with all reasons, the gravest first, for a caller that
// may overrule one of them (hibernation, on the user's explicit order).
func (s *Source) Refusals(in *Installation, hives ...string) []error {
	var all []error
	add := func(err error) {
		if err != nil {
			all = append(all, err)
		}
	}
	for _, err := range s.mediumRefusals() {
		add(err)
	}
	if v := in.Volume; v != nil {
		add(v.refusal())
	}
	add(in.hibernationRefusal())
	if len(hives) == 0 {
		hives = []string{"SYSTEM"}
	}
	for _, name := range hives {
		f, err := in.OpenBeside(name)
		if err != nil {
			add(err)
			continue
		}
		add(f.InPlace())
		add(f.writeRefusal())
	}
	return all
}

// mediumRefusals looks at the disk or image as a whole.
func (s *Source) mediumRefusals() []error {
	if s.disk == nil {
		return nil
	}
	var all []error
	all = append(all, s.members...)
	if s.disk.sector != sectorSize {
		all = append(all, fmt.Errorf("%s: %w but %d", s.path, ErrSectorSize, s.disk.sector))
	}
	all = append(all, s.disk.refusals()...)
	if err := s.disk.usable(); err != nil {
		all = append(all, err)
	}
	return all
}

// refusal says what forbids writing to a volume.
func (v *Volume) refusal() error {
	switch {
	case v.truncated:
		return fmt.Errorf("%s: volume reaches beyond the end of the disk: %w", v.name, ErrDamaged)
	case v.fs != nil && v.fs.boot.sector != sectorSize:
		return fmt.Errorf("%s: %w but %d", v.name, ErrSectorSize, v.fs.boot.sector)
	}
	return nil
}
