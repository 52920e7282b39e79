package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// maxRestart bounds the search for a restart page: the largest log page size.
const maxRestart = 64 << 10

// readState reads the volume's label and flags, the journal's restart area
// and hiberfil.sys. None of it forbids reading.
func (v *Volume) readState() (err error) {
	defer guard(&err, "reading volume state")
	v.Hibernated = HiberUnreadable // until it is known
	var all []error
	all = append(all, v.readFlags(), v.readJournal(), v.readHibernation())
	return errors.Join(all...)
}

// readFlags reads $Volume: the label, and the flags at 0x0A of attribute 0x70
// (ntfs-3g, layout.h: 0x0001 is dirty).
func (v *Volume) readFlags() error {
	r, err := v.fs.read(volumeRecord)
	if err != nil {
		return fmt.Errorf("reading $Volume: %w", err)
	}
	if s, err := v.fs.stream(r, attrVolumeName, ""); err == nil && s.isResident {
		v.Label = utf16String(s.resident)
	}
	s, err := v.fs.stream(r, attrVolumeInformation, "")
	if err != nil {
		return fmt.Errorf("reading $Volume: %w", err)
	}
	if len(s.resident) < 12 {
		return fmt.Errorf("reading $Volume: flags missing: %w", ErrDamaged)
	}
	v.Dirty = binary.LittleEndian.Uint16(s.resident[10:])&1 != 0
	return nil
}

// readJournal reads the restart pages of $LogFile.
func (v *Volume) readJournal() error {
	v.JournalUnread = true
	r, err := v.fs.read(logRecord)
	if err != nil {
		return fmt.Errorf("reading $LogFile: %w", err)
	}
	s, err := v.fs.openData(r)
	if err != nil {
		return fmt.Errorf("reading $LogFile: %w", err)
	}
	head := make([]byte, min(s.size, 2*maxRestart))
	if _, err := s.readAt(v.fs.dev, head, 0); err != nil && err != io.EOF {
		return fmt.Errorf("reading $LogFile: %w", err)
	}
	v.JournalUnclean, v.RestartVersion = journalState(head)
	v.JournalUnread = false
	return nil
}

// journalState decides by the restart page with the larger sequence number
// (ntfs-3g, logfile.h): unclean when a client is in use and the flag that the
// volume is clean (2) is missing. A log of 0xFF bytes was emptied: clean. One
// without a readable restart page counts as unclean.
func journalState(head []byte) (unclean bool, version string) {
	if emptied(head) {
		return false, ""
	}
	best, found := uint64(0), false
	for off := 0; off < len(head) && off <= maxRestart; off = max(2*off, sectorSize) {
		p, ok := parseRestart(head[off:])
		if ok && (!found || p.lsn > best) {
			best, found = p.lsn, true
			unclean = p.inUse != 0xFFFF && p.flags&2 == 0
			version = fmt.Sprintf("%d.%d", p.major, p.minor)
		}
	}
	return unclean || !found, version
}

func emptied(b []byte) bool {
	for _, c := range b {
		if c != 0xFF {
			return false
		}
	}
	return true
}

// restartPage is what we need of a restart page and its restart area.
type restartPage struct {
	lsn          uint64
	inUse, flags uint16
	major, minor uint16
}

// parseRestart decodes the page at the start of b, RSTR or (after chkdsk) CHKD.
func parseRestart(b []byte) (restartPage, bool) {
	if len(b) < sectorSize || string(b[:4]) != "RSTR" && string(b[:4]) != "CHKD" {
		return restartPage{}, false
	}
	size := int64(binary.LittleEndian.Uint32(b[0x10:]))
	if !powerOfTwo(size, sectorSize, maxRestart) || size > int64(len(b)) {
		return restartPage{}, false
	}
	page := append([]byte(nil), b[:size]...)
	if fixUp(page, string(b[:4])) != nil {
		return restartPage{}, false
	}
	area := int64(binary.LittleEndian.Uint16(page[0x18:]))
	if area+16 > size {
		return restartPage{}, false
	}
	u16 := func(at int64) uint16 { return binary.LittleEndian.Uint16(page[at:]) }
	return restartPage{binary.LittleEndian.Uint64(page[area:]),
		u16(area + 12), u16(area + 14), u16(0x1C), u16(0x1A)}, true
}

// readHibernation reads the first bytes of \hiberfil.sys.
func (v *Volume) readHibernation() error {
	root, err := v.fs.root()
	if err != nil {
		return err
	}
	c, err := v.fs.lookup(root, hiberfil)
	if errors.Is(err, fs.ErrNotExist) {
		v.Hibernated = ""
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", hiberfil, err)
	}
	s, err := v.fs.openData(c.rec)
	if err != nil {
		return fmt.Errorf("reading %s: %w", hiberfil, err)
	}
	head := make([]byte, hiberHead)
	k, err := s.readAt(v.fs.dev, head, 0)
	if err != nil && err != io.EOF {
		return fmt.Errorf("reading %s: %w", hiberfil, err)
	}
	v.Hibernated = hiberState(head[:k])
	return nil
}
