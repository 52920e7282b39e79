package stick

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"time"
	"unicode/utf16"
)

// Bounds on what is read, however large the numbers on the disk are.
const (
	maxContent = 1 << 30 // bytes of all files and folders
	maxFiles   = 1 << 17
	maxDepth   = 64
)

// Read reads a disk of size bytes that Write wrote, or that has been used since:
// the inverse of Write, for writing an image to a stick and for checking. The
// time is that of the label, else of the first file.
// Errors: ErrNotStick, ErrDamaged, or the reader's.
func Read(r io.ReaderAt, size int64) (*Image, error) {
	im, err := read(r, size)
	if err != nil {
		return nil, fmt.Errorf("reading the stick: %w", err)
	}
	return im, nil
}

func read(r io.ReaderAt, size int64) (*Image, error) {
	if size < (partitionStart+reserved)*sectorSize {
		return nil, fmt.Errorf("%d bytes: %w", size, ErrNotStick)
	}
	head := make([]byte, partitionStart*sectorSize)
	if err := readFull(r, head, 0); err != nil {
		return nil, err
	}
	sectors, err := readMBR(head, size)
	if err != nil {
		return nil, err
	}
	boot := make([]byte, sectorSize)
	if err := readFull(r, boot, partitionStart*sectorSize); err != nil {
		return nil, err
	}
	v := &volume{r: r, blockAt: -1}
	if v.geometry, err = readBPB(boot, sectors); err != nil {
		return nil, err
	}
	im := &Image{
		Size:     size,
		DiskID:   binary.LittleEndian.Uint32(head[440:]),
		VolumeID: binary.LittleEndian.Uint32(boot[67:]),
		BootCode: trimZeros(head[:440]),
		Core:     trimZeros(head[sectorSize:]),
	}
	if err := v.folder(folder{first: int64(binary.LittleEndian.Uint32(boot[44:]))}); err != nil {
		return nil, err
	}
	if _, err := plant(v.files); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	im.Label, im.Time, im.Files = v.label, v.time, v.files
	return im, nil
}

// trimZeros cuts zeros off the end: how long the code was is written nowhere.
func trimZeros(b []byte) []byte {
	if b = bytes.TrimRight(b, "\x00"); len(b) == 0 {
		return nil
	}
	return b
}

// readFull reads all of b; a disk that ends before is damaged.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == nil || err == io.EOF:
		return fmt.Errorf("ends at offset 0x%x: %w", at+int64(n), ErrDamaged)
	}
	return fmt.Errorf("at offset 0x%x: %w", at, err)
}

// readMBR finds the one partition and returns its sectors.
func readMBR(b []byte, size int64) (int64, error) {
	if binary.LittleEndian.Uint16(b[510:]) != bootSignature {
		return 0, fmt.Errorf("sector 0 has no signature: %w", ErrNotStick)
	}
	entry := b[446:462]
	start, sectors := int64(binary.LittleEndian.Uint32(entry[8:])), int64(binary.LittleEndian.Uint32(entry[12:]))
	alone := bytes.Equal(b[462:510], make([]byte, 48))
	if entry[4] != fatType || start != partitionStart || !alone {
		return 0, fmt.Errorf("not one partition of FAT32 from 1 MiB on: %w", ErrNotStick)
	}
	if (start+sectors)*sectorSize > size {
		return 0, fmt.Errorf("partition ends at %d, the disk at %d: %w", (start+sectors)*sectorSize, size, ErrDamaged)
	}
	return sectors, nil
}

// readBPB reads where the parts of the volume lie.
func readBPB(b []byte, sectors int64) (geometry, error) {
	get16, get32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	if get16(b[510:]) != bootSignature || get16(b[11:]) != sectorSize || get16(b[17:]) != 0 || get16(b[22:]) != 0 {
		return geometry{}, fmt.Errorf("partition holds no FAT32 volume: %w", ErrNotStick)
	}
	g := geometry{
		sectors: int64(get32(b[32:])), cluster: int64(b[13]), reserved: int64(get16(b[14:])),
		fats: int64(b[16]), fat: int64(get32(b[36:])),
	}
	if bits.OnesCount8(b[13]) != 1 || g.reserved < 8 || g.fats < 1 || g.fats > 2 || g.sectors > sectors {
		return geometry{}, fmt.Errorf("boot sector of the volume: %+v: %w", g, ErrDamaged)
	}
	g.clusters = (g.sectors - g.data()) / g.cluster
	if g.clusters < minClusters || g.clusters >= 0x0FFFFFF5 || g.fat*sectorSize < 4*(g.clusters+rootCluster) {
		return geometry{}, fmt.Errorf("boot sector of the volume: %+v: %w", g, ErrDamaged)
	}
	return g, nil
}

// volume is a FAT32 volume while it is read.
type volume struct {
	geometry
	r       io.ReaderAt
	block   [8 * sectorSize]byte // a piece of the FAT
	blockAt int64
	seen    []uint64 // one bit for each cluster that belongs to something
	content int64    // bytes read
	files   []File
	label   string
	time    time.Time
}

// folder is a folder that is being read.
type folder struct {
	path  string // with a slash at the end, but for the root
	first int64
	depth int
}

// next looks a cluster up in the first FAT.
func (v *volume) next(cluster int64) (int64, error) {
	at := 4 * cluster
	if block := at / int64(len(v.block)) * int64(len(v.block)); block != v.blockAt {
		v.blockAt = -1
		n := min(int64(len(v.block)), v.fat*sectorSize-block)
		if err := readFull(v.r, v.block[:n], (partitionStart+v.reserved)*sectorSize+block); err != nil {
			return 0, err
		}
		v.blockAt = block
	}
	return int64(binary.LittleEndian.Uint32(v.block[at-v.blockAt:]) & endOfChain), nil
}

// take notes that a cluster belongs to something. It is refused when there is
// no such cluster, and the second time: chains that meet or run in a circle.
func (v *volume) take(cluster int64) error {
	if cluster < rootCluster || cluster >= rootCluster+v.clusters {
		return fmt.Errorf("there is no cluster %d: %w", cluster, ErrDamaged)
	}
	if v.seen == nil {
		v.seen = make([]uint64, (rootCluster+v.clusters)/64+1)
	}
	if v.seen[cluster/64]>>(cluster%64)&1 != 0 {
		return fmt.Errorf("cluster %d belongs to two files: %w", cluster, ErrDamaged)
	}
	v.seen[cluster/64] |= 1 << (cluster % 64)
	return nil
}

// read reads a chain of clusters; size bytes of it, or all of it for a folder,
// whose size is -1.
func (v *volume) read(first, size int64) ([]byte, error) {
	var b []byte
	start, end := first, first // clusters side by side, not yet read
	fetch := func() error {
		n := (end - start) * v.bytes()
		if v.content += n; v.content > maxContent {
			return fmt.Errorf("more than %d bytes of files: %w", maxContent, ErrDamaged)
		}
		b = append(b, make([]byte, n)...)
		return readFull(v.r, b[int64(len(b))-n:], v.offset(start))
	}
	for c := first; c < 0x0FFFFFF8; {
		if err := v.take(c); err != nil {
			return nil, err
		}
		if c != end {
			if err := fetch(); err != nil {
				return nil, err
			}
			start = c
		}
		end = c + 1
		if v.content+(end-start)*v.bytes() > maxContent || size < 0 && int64(len(b)) > maxEntries*entrySize {
			return nil, fmt.Errorf("chain from cluster %d is too long: %w", first, ErrDamaged)
		}
		var err error
		if c, err = v.next(c); err != nil {
			return nil, err
		}
	}
	if err := fetch(); err != nil {
		return nil, err
	}
	if size > int64(len(b)) {
		return nil, fmt.Errorf("file of %d bytes has clusters for %d: %w", size, len(b), ErrDamaged)
	}
	if size >= 0 {
		b = b[:size:size]
	}
	return b, nil
}

// folder reads a folder and all below.
func (v *volume) folder(f folder) error {
	b, err := v.read(f.first, -1)
	if err != nil {
		return fmt.Errorf("folder %q: %w", f.path, err)
	}
	var long longName
	for ; len(b) > 0 && b[0] != 0; b = b[entrySize:] {
		e := b[:entrySize]
		switch {
		case e[0] == 0xE5: // deleted
			long = longName{}
		case e[11]&0x3F == attrLongName:
			long.add(e)
		case e[11]&attrLabel != 0:
			if f.path == "" && v.label == "" {
				v.label = strings.TrimRight(string(e[:11]), " ")
				v.time = entryTime(e)
			}
			long = longName{}
		default:
			name := long.of(e)
			if long = (longName{}); name == "." || name == ".." {
				continue
			}
			if err := v.entry(f, e, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// entry reads what a directory entry leads to.
func (v *volume) entry(f folder, e []byte, name string) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("folder %q: %w: %w", f.path, err, ErrDamaged)
	}
	path := f.path + name
	if len(v.files) == maxFiles || f.depth == maxDepth {
		return fmt.Errorf("%q: too many files or folders: %w", path, ErrDamaged)
	}
	if v.time.IsZero() {
		v.time = entryTime(e)
	}
	first := int64(binary.LittleEndian.Uint16(e[20:]))<<16 | int64(binary.LittleEndian.Uint16(e[26:]))
	size := int64(binary.LittleEndian.Uint32(e[28:]))
	if e[11]&attrDir != 0 {
		v.files = append(v.files, File{Path: path, Dir: true})
		return v.folder(folder{path: path + "/", first: first, depth: f.depth + 1})
	}
	var data []byte
	if size > 0 {
		var err error
		if data, err = v.read(first, size); err != nil {
			return fmt.Errorf("file %q: %w", path, err)
		}
	}
	v.files = append(v.files, File{Path: path, Data: data})
	return nil
}

func entryTime(e []byte) time.Time {
	return timeOf(binary.LittleEndian.Uint16(e[24:]), binary.LittleEndian.Uint16(e[22:]))
}

// longName gathers the entries of a long name, which stand before the short
// one, the last part first.
type longName struct {
	units []uint16
	left  byte // parts still to come
	sum   byte
}

func (l *longName) add(e []byte) {
	if e[0]&0x40 != 0 {
		*l = longName{left: e[0]&0x1F + 1, sum: e[13]}
	}
	if l.left--; l.left != e[0]&0x1F || e[13] != l.sum || len(l.units) > maxLongName {
		*l = longName{}
		return
	}
	part := make([]uint16, 13, 13+len(l.units))
	for j := range part {
		part[j] = binary.LittleEndian.Uint16(e[longNameAt(j):])
	}
	l.units = append(part, l.units...)
}

// of gives the name of a short entry: the long one gathered before it, unless
// that belongs to another. Bits 3 and 4 of byte 12 are Windows' for a short
// name in lower case.
func (l *longName) of(e []byte) string {
	short := shortName(e[:11])
	if len(l.units) > 0 && l.left == 1 && l.sum == short.checksum() {
		units := l.units
		for i, u := range units {
			if u == 0 {
				units = units[:i]
				break
			}
		}
		return string(utf16.Decode(units))
	}
	for i := range short {
		if lower := i < 8 && e[12]&0x08 != 0 || i >= 8 && e[12]&0x10 != 0; lower && short[i] >= 'A' && short[i] <= 'Z' {
			short[i] += 'a' - 'A'
		}
	}
	return short.String()
}
