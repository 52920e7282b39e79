package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"
)

// indexName is the name of a directory's index attributes.
const indexName = "$I30"

// dosName is the namespace of a short name that stands beside a long one.
const dosName = 2

// dirEntry is a name found in a directory's index. The index may be stale
// where the journal has not been replayed, so it is only a hint: see live.
type dirEntry struct {
	name     string
	number   int64
	seq      uint16
	folder   bool
	modified uint64 // FILETIME
}

// child is a directory entry whose MFT record agrees with it.
type child struct {
	name string
	rec  *record
}

// fixUp checks and undoes the update sequence of an NTFS record in place: the
// last two bytes of each 512 hold a counter, their own bytes stand in a table.
func fixUp(b []byte, magic string) error {
	if len(b) < sectorSize || string(b[:4]) != magic {
		return fmt.Errorf("no %s signature: %w", magic, ErrDamaged)
	}
	at, count := int(binary.LittleEndian.Uint16(b[4:])), int(binary.LittleEndian.Uint16(b[6:]))
	if count != len(b)/sectorSize+1 || at+2*count > sectorSize {
		return fmt.Errorf("%s with %d fix-ups at %d: %w", magic, count, at, ErrDamaged)
	}
	for i := 1; i < count; i++ {
		tail := b[i*sectorSize-2 : i*sectorSize]
		if tail[0] != b[at] || tail[1] != b[at+1] {
			return fmt.Errorf("%s torn in its sector %d: %w", magic, i-1, ErrDamaged)
		}
		copy(tail, b[at+2*i:at+2*i+2])
	}
	return nil
}

// entries lists the names in a directory, every index block that is in use.
// Blocks that cannot be read come back as the error, beside what was found.
func (n *ntfs) entries(dir *record) ([]dirEntry, error) {
	root, err := n.stream(dir, attrIndexRoot, indexName)
	if err != nil || !root.isResident || len(root.resident) < 32 {
		return nil, fmt.Errorf("MFT record %d has no index: %w", dir.number, ErrDamaged)
	}
	all, err := indexEntries(nil, root.resident[16:])
	if err != nil {
		return nil, fmt.Errorf("index of MFT record %d: %w", dir.number, err)
	}
	block := int64(binary.LittleEndian.Uint32(root.resident[8:]))
	alloc, err := n.stream(dir, attrIndexAllocation, indexName)
	if errors.Is(err, errNoAttribute) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	if alloc.isResident || !powerOfTwo(block, sectorSize, 1<<16) || alloc.size > maxIndex {
		return nil, fmt.Errorf("index of MFT record %d: %d bytes in blocks of %d: %w",
			dir.number, alloc.size, block, ErrDamaged)
	}
	return n.allocated(dir, alloc, block, all)
}

// allocated reads the index blocks outside of the record.
func (n *ntfs) allocated(dir *record, alloc *stream, block int64, all []dirEntry) ([]dirEntry, error) {
	used, damage := n.indexBitmap(dir)
	b := make([]byte, block)
	for i := int64(0); i < alloc.size/block; i++ {
		if i/8 < int64(len(used)) && used[i/8]>>(i%8)&1 == 0 {
			continue
		}
		_, err := alloc.readAt(n.dev, b, i*block)
		if err == nil {
			err = fixUp(b, "INDX")
		}
		if err == nil {
			all, err = indexEntries(all, b[24:])
		}
		if err != nil && damage == nil {
			damage = fmt.Errorf("index of MFT record %d, block %d: %w", dir.number, i, err)
		}
		if len(all) > maxEntries {
			return all, fmt.Errorf("MFT record %d: more than %d names: %w", dir.number, maxEntries, ErrDamaged)
		}
	}
	return all, damage
}

// indexBitmap says which index blocks are in use.
func (n *ntfs) indexBitmap(dir *record) ([]byte, error) {
	s, err := n.stream(dir, attrBitmap, indexName)
	if err != nil {
		return nil, fmt.Errorf("index bitmap of MFT record %d: %w", dir.number, err)
	}
	return n.content(s, maxIndex/sectorSize/8)
}

// indexEntries decodes the entries behind an index header (ntfs-3g, layout.h,
// INDEX_HEADER and INDEX_ENTRY); offsets count from that header.
func indexEntries(all []dirEntry, b []byte) ([]dirEntry, error) {
	first, end := int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))
	if first < 16 || end > int64(len(b)) {
		return all, fmt.Errorf("entries from %d to %d in %d bytes: %w", first, end, len(b), ErrDamaged)
	}
	for off := first; off+16 <= end; {
		e := b[off:end]
		length, key := int(binary.LittleEndian.Uint16(e[8:])), int(binary.LittleEndian.Uint16(e[10:]))
		if binary.LittleEndian.Uint16(e[12:])&2 != 0 { // the last entry has no name
			return all, nil
		}
		if length < 16+key || length%8 != 0 || length > len(e) {
			return all, fmt.Errorf("entry of %d bytes at %d: %w", length, off, ErrDamaged)
		}
		f, err := parseFileName(e[16 : 16+key])
		if err != nil {
			return all, err
		}
		ref := binary.LittleEndian.Uint64(e)
		if f.space != dosName {
			all = append(all, dirEntry{f.name, int64(ref & (1<<48 - 1)), uint16(ref >> 48), f.folder, f.modified})
		}
		off += int64(length)
	}
	return all, nil
}

// fileName is a $FILE_NAME attribute.
type fileName struct {
	parent   uint64 // reference of the directory
	modified uint64 // FILETIME
	folder   bool
	space    byte
	name     string
}

func parseFileName(b []byte) (fileName, error) {
	if len(b) < 0x42 || 0x42+2*int(b[0x40]) > len(b) {
		return fileName{}, fmt.Errorf("file name of %d bytes: %w", len(b), ErrDamaged)
	}
	return fileName{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[0x10:]), b[0x3B]&0x10 != 0,
		b[0x41], utf16String(b[0x42 : 0x42+2*int(b[0x40])])}, nil
}

// live fetches the record an entry names and checks that it is still the file
// of that name in that directory. Without this a deleted file's clusters,
// long since somebody else's, could be taken for the hive.
func (n *ntfs) live(dir *record, e dirEntry) (*record, error) {
	r, err := n.read(e.number)
	if err != nil {
		return nil, err
	}
	gone := fmt.Errorf("%s: MFT record %d is another file's: %w", e.name, e.number, fs.ErrNotExist)
	if !r.inUse || r.seq != e.seq || r.base != 0 {
		return nil, gone
	}
	names, err := n.attributes(r, attrFileName, "")
	if err != nil {
		return nil, err
	}
	for _, a := range names {
		s, err := residentStream(a)
		if err != nil {
			return nil, err
		}
		f, err := parseFileName(s.resident)
		if err != nil {
			return nil, err
		}
		if f.name == e.name && f.parent == uint64(dir.seq)<<48|uint64(dir.number) {
			return r, nil
		}
	}
	return nil, gone
}

// names lists a directory without a look at the files: see dirEntry.
func (n *ntfs) names(dir *record) (all []dirEntry, err error) {
	defer guard(&err, "reading folder")
	return n.entries(dir)
}

// openEntry opens the file of a directory entry, if it is still that file.
func (n *ntfs) openEntry(dir *record, e dirEntry) (s *stream, err error) {
	defer guard(&err, "opening file")
	r, err := n.live(dir, e)
	if err != nil {
		return nil, err
	}
	return n.openData(r)
}

// list gives the live children of a directory that match, in index order.
func (n *ntfs) list(dir *record, match func(name string) bool) (all []child, err error) {
	defer guard(&err, "reading folder")
	found, damage := n.entries(dir)
	for _, e := range found {
		if !match(e.name) {
			continue
		}
		r, err := n.live(dir, e)
		switch {
		case err == nil:
			all = append(all, child{e.name, r})
		case !errors.Is(err, fs.ErrNotExist) && damage == nil:
			damage = err
		}
	}
	return all, damage
}

// lookup finds one name in a directory as Windows does, without regard to
// letter case; the same case wins where both exist. fs.ErrNotExist if there is
// none and the whole directory was readable.
func (n *ntfs) lookup(dir *record, name string) (child, error) {
	if !dir.dir {
		return child{}, fmt.Errorf("%s: not in a folder: %w", name, fs.ErrNotExist)
	}
	all, err := n.list(dir, func(s string) bool { return sameName(s, name) })
	for _, c := range all {
		if c.name == name {
			return c, nil
		}
	}
	if len(all) > 0 {
		return all[0], nil
	}
	if err == nil {
		err = fs.ErrNotExist
	}
	return child{}, fmt.Errorf("%s: %w", name, err)
}

// resolve walks a path with slashes from a directory and returns the record
// and the path as spelt on the volume.
func (n *ntfs) resolve(dir *record, path string) (*record, string, error) {
	var spelt []string
	for _, name := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		c, err := n.lookup(dir, name)
		if err != nil {
			return nil, "", err
		}
		dir, spelt = c.rec, append(spelt, c.name)
	}
	return dir, strings.Join(spelt, "/"), nil
}

// root opens the root directory.
func (n *ntfs) root() (r *record, err error) {
	defer guard(&err, "opening root folder")
	if r, err = n.read(rootRecord); err != nil {
		return nil, fmt.Errorf("opening root folder: %w", err)
	}
	if !r.inUse || !r.dir {
		return nil, fmt.Errorf("opening root folder: not a folder: %w", ErrDamaged)
	}
	return r, nil
}

// sameName compares names without regard to letter case, unit by unit in
// upper case as NTFS does.
func sameName(a, b string) bool {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i]|b[i] >= utf8.RuneSelf {
			return strings.Map(unicode.ToUpper, a) == strings.Map(unicode.ToUpper, b)
		}
		if a[i] != b[i] && upperASCII(a[i]) != upperASCII(b[i]) {
			return false // as most names do, quickly
		}
	}
	return len(a) == len(b)
}

func upperASCII(c byte) byte {
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}
