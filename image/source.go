package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Host is the machine image looks at. The zero value is the real one; tests
// name other roots.
type Host struct {
	SysRoot  string // "/sys" if empty
	ProcRoot string // "/proc" if empty

	// Export has another program serve the disk of a container that has Layers; nil:
	// there is none. Its errors wrap ErrNoExporter, ErrNotStarted, ErrExport or ErrBusy.
	Export func(c *Container, writable bool) (Exported, error)
}

// Exported is the disk of a container as another program serves it. Close ends that
// program; after writing its error means that data may not have reached the medium.
type Exported interface {
	io.ReaderAt
	io.WriterAt
	Size() int64
	Sync() error
	Close() error
}

func (h Host) sys(elem ...string) string {
	return filepath.Join(append([]string{orDefault(h.SysRoot, "/sys")}, elem...)...)
}

func (h Host) proc(elem ...string) string {
	return filepath.Join(append([]string{orDefault(h.ProcRoot, "/proc")}, elem...)...)
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// Kind says what a target is.
type Kind int

// Kinds of targets.
const (
	KindHive   Kind = iota // a hive file
	KindFolder             // a mounted volume, or a folder on the way to config
	KindImage              // a disk image: a whole disk or a bare volume
	KindDevice             // a block device or partition
)

func (k Kind) String() string {
	return [...]string{"hive", "folder", "image", "device"}[k]
}

// Source is an opened target, read-only until BeginWrite.
type Source struct {
	host     Host
	path     string
	kind     Kind
	size     int64
	disk     *disk      // image and device only
	inside   *Container // image only
	volumes  []*Volume
	found    []*Installation
	members  []error // marks of RAID and dynamic disks
	problems []error
	files    []*File // ordinary files handed out, closed with the source
	writing  bool
	written  bool
	closed   bool
}

// Open looks at what the user named, reading only. A hive file that is no
// hive opens all the same, so that the checker of hives can say what is wrong
// with it. An image or device without Windows opens too: see NoWindows.
// Errors: ErrNotFound, ErrUnsupported, ErrEmpty, ErrNoWindows, ErrDamaged; of
// image files also those of Container.Unreadable and Host.Export; on
// Windows also ErrRawDrive, ErrBusy, ErrBitLocker, ErrNotAdministrator.
func (h Host) Open(path string) (*Source, error) {
	if isRawDevice(path) {
		return nil, fmt.Errorf("opening %s: %w", path, ErrRawDrive)
	}
	path = cleanTarget(path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, openError(path, err)
	}
	s := &Source{host: h, path: path}
	switch mode := info.Mode(); {
	case mode.IsDir():
		s.kind = KindFolder
		if err := s.findInFolder(); err != nil {
			return nil, err
		}
		return s, nil
	case mode.IsRegular(), mode.Type() == fs.ModeDevice:
		if err := s.openFile(info); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		return s, nil
	}
	return nil, fmt.Errorf("opening %s: %w", path, ErrUnsupported)
}

// openFile opens a regular file or block device and decides what it is.
func (s *Source) openFile(before fs.FileInfo) error {
	f, err := openRead(s.path, true)
	if err != nil {
		return openError(s.path, err)
	}
	info, err := f.Stat()
	if err == nil && !sameFile(before, info) {
		err = fmt.Errorf("opening %s: %w", s.path, ErrChanged)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if info.Mode().IsRegular() && info.Size() == 0 {
		return errors.Join(fmt.Errorf("opening %s: %w", s.path, ErrEmpty), f.Close())
	}
	s.kind = KindDevice
	if info.Mode().IsRegular() {
		if s.inside, err = inside(s.path, f, info); err == nil {
			err = s.inside.Unreadable
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
		if s.kind = KindImage; s.inside.Format == "" {
			s.kind, s.size = KindHive, info.Size()
			return errors.Join(f.Close(), s.findHive())
		}
	}
	if s.disk, err = newDisk(s.host, s.path, f, info, s.inside); err != nil {
		return errors.Join(err, f.Close())
	}
	s.size = s.disk.size
	s.findVolumes()
	return nil
}

// isRawImage tells a disk image from a hive by the first sector.
func isRawImage(first []byte, size int64) bool {
	switch {
	case len(first) < sectorSize || string(first[:4]) == "regf":
		return false
	case sniff(first) != VolumeOther:
		return true
	}
	return size >= 1<<20 && binary.LittleEndian.Uint16(first[510:]) == 0xAA55
}

// findVolumes lists the volumes of the disk and the installations on them,
// and the marks of RAID sets on it or on the disk it is a partition of.
func (s *Source) findVolumes() {
	d := s.disk
	parent, err := d.parentMembers()
	if err != nil {
		s.addProblems(err)
	}
	s.addMembers(parent...)
	s.look(d, d.size, d.sector)
}

// look lists the volumes of a medium. A volume at offset 0 counts before a
// partition table: its boot code may look like one.
func (s *Source) look(dev io.ReaderAt, size, sector int64) {
	b := make([]byte, sectorSize)
	if err := readFull(dev, b, 0); err != nil {
		s.addProblems(fmt.Errorf("reading first sector: %w", err))
		return
	}
	s.addMembers(findMembers(dev, size, sector)...)
	parts := []partition{{size: size}}
	if sniff(b) == VolumeOther {
		var problems []error
		parts, problems = readPartitions(dev, size, sector)
		s.addProblems(problems...)
	}
	for _, p := range parts {
		s.addVolume(dev, size, p, p.index > 0 && p.index == activePartition(b))
	}
}

func (s *Source) addMembers(all ...error) {
	for _, err := range all {
		s.members = append(s.members, fmt.Errorf("%s: %w", s.path, err))
	}
}

func (s *Source) addProblems(all ...error) {
	for _, err := range all {
		s.problems = append(s.problems, fmt.Errorf("%s: %w", s.path, err))
	}
}

// addVolume looks into one partition.
func (s *Source) addVolume(dev io.ReaderAt, size int64, p partition, active bool) {
	v := &Volume{Index: p.index, Offset: p.offset, Size: p.size, active: active,
		name: fmt.Sprintf("%s:%d", s.path, p.index), truncated: p.size > size-p.offset}
	if p.index == 0 {
		v.name = s.path
	}
	s.volumes = append(s.volumes, v)
	if err := v.inspect(dev, size); err != nil {
		s.problems = append(s.problems, err)
	}
	if p.dynamic {
		v.Kind = VolumeDynamic
		s.addMembers(fmt.Errorf("partition %d: %w", p.index, ErrDynamicDisk))
	}
	if v.fs == nil {
		return
	}
	found, err := s.findOnVolume(v)
	s.found = append(s.found, found...)
	if err != nil {
		s.problems = append(s.problems, fmt.Errorf("%s: looking for Windows: %w", v.name, err))
	}
}

// Path is the target as the user named it.
func (s *Source) Path() string { return s.path }

// Kind says what the target is.
func (s *Source) Kind() Kind { return s.kind }

// Container says how the disk lies in an image file; nil for any other target.
func (s *Source) Container() *Container {
	if s.kind != KindImage {
		return nil
	}
	return s.inside
}

// Written says whether anything was written through this source.
func (s *Source) Written() bool { return s.written }

// Size of the hive file, disk or device in bytes; 0 for a folder.
func (s *Source) Size() int64 { return s.size }

// SectorSize is the logical sector size of the disk in bytes, 512 for a file
// or folder.
func (s *Source) SectorSize() int {
	if s.disk == nil {
		return sectorSize
	}
	return int(s.disk.sector)
}

// Volumes lists the volumes of an image or device in disk order.
func (s *Source) Volumes() []Volume {
	all := make([]Volume, len(s.volumes))
	for i, v := range s.volumes {
		all[i] = *v
	}
	return all
}

// Installations lists the Windows installations found.
func (s *Source) Installations() []*Installation { return s.found }

// Problems lists what could not be looked at, each naming its place.
func (s *Source) Problems() []error { return s.problems }

// NoWindows is nil if there is an installation, else the best reason why not:
// ErrBitLocker, ErrDamaged (a volume or table that cannot be read),
// ErrDynamicDisk, ErrRaidMember, or plain ErrNoWindows, which all wrap.
func (s *Source) NoWindows() error {
	if len(s.found) > 0 {
		return nil
	}
	for _, v := range s.volumes {
		if v.Kind == VolumeBitLocker {
			return fmt.Errorf("%s: %w: %w", v.name, ErrNoWindows, ErrBitLocker)
		}
	}
	for _, err := range append(append([]error(nil), s.members...), s.problems...) {
		return fmt.Errorf("%w: %w", ErrNoWindows, err)
	}
	return fmt.Errorf("%s: %w", s.path, ErrNoWindows)
}

// BeginWrite asks for writing: exclusively on a device, under a lock on an
// image or hive file. It refuses what endangers the medium (ErrMounted,
// ErrBusy, ErrReadOnly, ErrSectorSize, ErrRaidMember, ErrDynamicDisk,
// ErrChanged); what endangers one installation is Refusal's matter. Closing
// the source gives lock and device back.
func (s *Source) BeginWrite() error {
	if s.writing {
		return nil
	}
	if s.disk != nil {
		s.disk.frozen = nil // look again
	}
	if all := s.mediumRefusals(); len(all) > 0 {
		return all[0]
	}
	if s.disk != nil {
		if err := s.disk.beginWrite(); err != nil {
			return err
		}
		s.writing = true
		return nil
	}
	s.writing = true
	for _, in := range s.found {
		f, err := in.Open("SYSTEM")
		if err == nil {
			err = f.plain.beginWrite()
		}
		if err != nil {
			s.writing = false
			return err
		}
	}
	return nil
}

// StartWriting has an image that is not kept as plain bytes opened for writing, which
// BeginWrite does with everything else: the headers of some formats change by that alone.
// Anew says that it was, and that what was read before may have changed in that moment.
func (s *Source) StartWriting() (anew bool, err error) {
	if !s.writing || s.disk == nil || !s.disk.contained() || s.disk.served {
		return false, nil
	}
	return true, s.disk.serveForWriting()
}

// Close gives everything back. After writing its error means that data may
// not have reached the medium.
func (s *Source) Close() error {
	var all []error
	for _, f := range s.files {
		all = append(all, f.plain.close())
	}
	s.files = nil
	if s.disk != nil && !s.closed {
		all = append(all, s.disk.close())
	}
	s.closed, s.writing = true, false
	return errors.Join(all...)
}
