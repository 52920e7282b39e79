package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// stickAt is where the stick's volume is mounted.
const stickAt = "/stick"

// stickVolume is the volume that unloop was started from, or one with the same id.
type stickVolume struct {
	device   string // of the volume: /dev/sdb1
	disk     string // of the whole stick: /dev/sdb
	about    string // what it is, for a person who has to choose
	readOnly bool   // write-protected, or mounted so
}

// volumeIDs remembers the ids of volumes by the kernel's name and number of their disk: a
// dying disk takes its time for every read, and it is asked for often.
type volumeIDs map[string]readID

// readID is a volume's id, or how often it could not be read.
type readID struct {
	id    string
	tries int
}

// maxIDReads is how often a volume is read that cannot be: a disk may not be ready at once.
const maxIDReads = 3

// of reads the id of a volume, unless it is known.
func (ids volumeIDs) of(sys, disk, name, node string) string {
	key := name + " " + readLine(filepath.Join(sys, "class/block", disk, "diskseq"))
	known, seen := ids[key]
	if seen && (known.tries == 0 || known.tries >= maxIDReads) {
		return known.id
	}
	id, err := volumeID(node)
	if err != nil {
		ids[key] = readID{tries: known.tries + 1}
		return ""
	}
	ids[key] = readID{id: id}
	return id
}

// sticks lists the volumes with the id that the boot menu gave, as in "ABCD-1234".
func sticks(sys, dev, id string, ids volumeIDs) []stickVolume {
	entries, err := os.ReadDir(filepath.Join(sys, "class/block"))
	if err != nil || id == "" {
		return nil
	}
	var found []stickVolume
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, "loop") || strings.HasPrefix(name, "ram") || strings.HasPrefix(name, "sr") || strings.HasPrefix(name, "fd") {
			continue
		}
		node := filepath.Join(dev, strings.ReplaceAll(name, "!", "/"))
		disk := wholeDisk(sys, name)
		if ids.of(sys, disk, name, node) != id {
			continue
		}
		found = append(found, stickVolume{
			device: node, disk: filepath.Join(dev, disk), about: diskAbout(sys, disk),
			readOnly: readLine(filepath.Join(sys, "class/block", name, "ro")) == "1",
		})
	}
	return found
}

// volumeID reads the serial number of a FAT32 volume, as GRUB spells it; "" if there is
// none (Microsoft, "FAT32 File System Specification": BS_VolID at 67, BS_FilSysType at 82).
func volumeID(node string) (string, error) {
	f, err := os.Open(node)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b := make([]byte, 512)
	if _, err := f.ReadAt(b, 0); err != nil {
		return "", err
	}
	if string(b[82:87]) != "FAT32" || b[510] != 0x55 || b[511] != 0xAA {
		return "", nil
	}
	n := binary.LittleEndian.Uint32(b[67:])
	return fmt.Sprintf("%04X-%04X", n>>16, n&0xFFFF), nil
}

// wholeDisk is the kernel's name of the disk that a partition is part of.
func wholeDisk(sys, name string) string {
	link, err := filepath.EvalSymlinks(filepath.Join(sys, "class/block", name))
	if err != nil {
		return name
	}
	if _, err := os.Stat(filepath.Join(link, "partition")); err != nil {
		return name
	}
	return filepath.Base(filepath.Dir(link))
}

// partitionAt finds the device node of the partition of a disk that begins at offset, in
// bytes; the disk itself for 0.
func partitionAt(sys, disk string, offset int64) (string, error) {
	if offset == 0 {
		return disk, nil
	}
	starts, err := filepath.Glob(filepath.Join(sys, "class/block", filepath.Base(disk), "*/start"))
	if err != nil {
		return "", err
	}
	for _, file := range starts {
		if n, err := strconv.ParseInt(readLine(file), 10, 64); err == nil && n*512 == offset {
			return filepath.Join(filepath.Dir(disk), filepath.Base(filepath.Dir(file))), nil
		}
	}
	return "", fmt.Errorf("looking for the partition of %s at %d: %w", disk, offset, fs.ErrNotExist)
}

// mount mounts the stick's volume; read-only if it does not allow more. Its times are
// those of the PC's clock, as Windows on the same PC reads them.
func (s *stickVolume) mount(at string) error {
	const options = "utf8=1,shortname=mixed,tz=UTC,errors=remount-ro"
	flags := uintptr(unix.MS_NOATIME | unix.MS_NODEV | unix.MS_NOSUID | unix.MS_NOEXEC)
	if !s.readOnly {
		err := unix.Mount(s.device, at, "vfat", flags, options)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EROFS) && !errors.Is(err, unix.EACCES) {
			return fmt.Errorf("mounting %s: %w", s.device, err)
		}
		s.readOnly = true
	}
	if err := unix.Mount(s.device, at, "vfat", flags|unix.MS_RDONLY, options); err != nil {
		return fmt.Errorf("mounting %s: %w", s.device, err)
	}
	return nil
}

// syncMedium puts all that a file system has in memory on its medium.
func syncMedium(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
}

// errStickBusy: a program of the shell holds the stick. All of it is on the medium.
var errStickBusy = errors.New("the stick is in use")

// unmount gives the stick back, unless errStickBusy; all of it is on the medium then, or the error says that
// it may not be.
func (s *stickVolume) unmount(at string) error {
	err := syncMedium(at)
	switch uerr := unix.Unmount(at, 0); {
	case errors.Is(uerr, unix.EBUSY) && err == nil:
		return errStickBusy
	case uerr != nil:
		err = errors.Join(err, uerr, unix.Unmount(at, unix.MNT_DETACH))
	}
	if err != nil {
		return fmt.Errorf("unmounting the stick: %w", err)
	}
	return nil
}

// present says whether the stick is still plugged in.
func (s *stickVolume) present(sys string) bool {
	if s == nil {
		return false
	}
	_, err := os.Stat(filepath.Join(sys, "class/block", filepath.Base(s.device)))
	return err == nil
}

// readSettingsFile reads unloop.toml in the stick's top folder. Notepad may have saved
// it as UTF-16, which is said rather than guessed at.
func readSettingsFile(dir string) (settings, error) {
	b, err := os.ReadFile(filepath.Join(dir, "unloop.toml"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return defaultSettings(), nil
	case err != nil:
		return defaultSettings(), fmt.Errorf("%w: %w", errSettings, err)
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return defaultSettings(), fmt.Errorf("%w: it is saved as Unicode (UTF-16); save it as UTF-8", errSettings)
	}
	return parseSettings(string(b))
}
