package hivetest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// The layout of NTFS 3.1 as ntfs-3g's layout.h and logfile.h describe it; the
// names of structures and fields in the ntfs files are theirs.
const (
	sectorSize = 512
	recordSize = 1024 // an MFT record
	indexSize  = 4096 // an index block
	mirrorSize = 4    // records in $MFTMirr
	firstUser  = 24   // the first MFT record that is not reserved
)

// NTFSFile is one file of a volume to be built.
type NTFSFile struct {
	Path string // "Windows/System32/config/SYSTEM"; folders are made as needed
	Data []byte

	// Fragments splits the clusters into that many extents, none next to the
	// one before it, some before it on the volume. Default 1.
	Fragments int
	Resident  bool // in the MFT record; empty files always are

	Compressed bool // the flag, with every compression unit stored as it is
	Sparse     bool // the flag, and the middle third of the clusters a hole, which reads as zeros
	Encrypted  bool // the flag alone

	Free   bool // its clusters are free in $Bitmap, as on a volume that chkdsk should see
	Broken bool // its MFT record was torn: the fix-ups of its sectors differ

	// Initialized is the initialised size: bytes of Data behind it lie on the
	// volume but read as zeros. 0 means all.
	Initialized int64

	// Modified is when the data was written last, as $STANDARD_INFORMATION has it. The
	// times in $FILE_NAME stay those of the file's making, as in Windows. Default
	// 2018-05-09 00:00 UTC.
	Modified time.Time
}

// NTFSOptions says how BuildNTFS lays a volume out.
type NTFSOptions struct {
	Size          int64  // bytes, a multiple of 512; default 32 MiB
	ClusterSize   int    // a power of two from 512 to 65536; default 4096
	Serial        uint64 // default a fixed number
	Label         string
	Unclean       bool   // journal in use, as a reset PC leaves it; else emptied
	NewJournal    bool   // the journal is of version 2.0, as of Windows 8 and later
	Dirty         bool   // the dirty flag of $Volume
	HiddenSectors uint32 // sectors before the partition, for the boot sector
}

// BuildNTFS returns an NTFS 3.1 volume with the system files 0 to 11, the
// given files, and folders above them. Names that are not 8.3 names get a short
// one beside them, as Windows gives them.
//
// Not supported: more extents or longer names than fit in one MFT record (there
// are no attribute lists), hard links, names that differ in letter case alone.
func BuildNTFS(files []NTFSFile, o NTFSOptions) ([]byte, error) {
	if err := o.setDefaults(); err != nil {
		return nil, fmt.Errorf("building NTFS volume: %w", err)
	}
	root, err := buildTree(files)
	if err != nil {
		return nil, fmt.Errorf("building NTFS volume: %w", err)
	}
	v := newVolume(o)
	if err := v.build(root); err != nil {
		return nil, fmt.Errorf("building NTFS volume: %w", err)
	}
	return v.image, nil
}

func (o *NTFSOptions) setDefaults() error {
	if o.Size == 0 {
		o.Size = 32 << 20
	}
	if o.ClusterSize == 0 {
		o.ClusterSize = 4096
	}
	if o.Serial == 0 {
		o.Serial = 0x1C3A5B7D9E2F4610
	}
	c := o.ClusterSize
	if c < sectorSize || c > 65536 || c&(c-1) != 0 {
		return fmt.Errorf("cluster size %d", c)
	}
	if o.Size%sectorSize != 0 || o.Size < 2<<20 || o.Size > 1<<31 {
		return fmt.Errorf("size of %d bytes is not a whole number of sectors between 2 MiB and 2 GiB", o.Size)
	}
	if n := len(units(o.Label)); n > 32 {
		return fmt.Errorf("label of %d characters", n)
	}
	return nil
}

// ntfsNode is a file or folder while its volume is built.
type ntfsNode struct {
	name     string
	short    string    // 8.3 name, "" if name is one
	file     *NTFSFile // nil for a folder
	children []*ntfsNode
	names    map[string]*ntfsNode // children by upper-case name, long or short
	number   uint64               // of the MFT record
	seq      uint16
	parent   *ntfsNode

	attributes      uint32 // FILE_ATTR_*, as in $STANDARD_INFORMATION
	index           uint32 // attrFolder, attrView or 0: kept in $FILE_NAME alone
	allocated, size int64  // of the data, as in $FILE_NAME
}

func newNode(name string, parent *ntfsNode) *ntfsNode {
	return &ntfsNode{name: name, parent: parent, names: map[string]*ntfsNode{}, seq: 1, index: attrFolder}
}

// upper returns a name as names are compared.
func upper(name string) string {
	u := units(name)
	for i := range u {
		u[i] = upcase(u[i])
	}
	return string(utf16.Decode(u))
}

// buildTree turns paths into a tree under the root folder.
func buildTree(files []NTFSFile) (*ntfsNode, error) {
	root := newNode(".", nil)
	root.parent, root.number, root.seq, root.attributes = root, rootRecord, rootRecord, attrHidden|attrSystem
	for i := range files {
		f := &files[i]
		dir := root
		names := strings.Split(strings.Trim(f.Path, "/"), "/")
		for j, name := range names {
			if n := len(units(name)); n == 0 || n > 255 || name == "." || name == ".." {
				return nil, fmt.Errorf("path %q", f.Path)
			}
			child := dir.names[upper(name)]
			last := j == len(names)-1
			if child != nil && (last || child.index == 0) || dir == root && slices.Contains(systemNames, name) {
				return nil, fmt.Errorf("path %q: %s is there already", f.Path, name)
			}
			if child == nil {
				child = newNode(name, dir)
				dir.children = append(dir.children, child)
				dir.names[upper(name)] = child
			}
			dir = child
		}
		dir.file, dir.index, dir.attributes = f, 0, attrArchive
	}
	root.assignNumbers(firstUser)
	return root, nil
}

// assignNumbers gives MFT records and short names to all below n and returns the
// next free record number.
func (n *ntfsNode) assignNumbers(next uint64) uint64 {
	for _, c := range n.children {
		c.number = next
		c.short = shortName(c.name, n)
		next = c.assignNumbers(next + 1)
	}
	return next
}

// modified is when the data was written last, as a FILETIME.
func (n *ntfsNode) modified() uint64 {
	if n.file == nil || n.file.Modified.IsZero() {
		return defaultTime
	}
	return filetime(n.file.Modified)
}

// reference is the MFT reference of a record: number and sequence number.
func (n *ntfsNode) reference() uint64 {
	return n.number | uint64(n.seq)<<48
}

// fileName returns the $FILE_NAME attribute of the node under one of its names.
func (n *ntfsNode) fileName(name string, space byte) []byte {
	u := units(name)
	b := make([]byte, 66, 66+2*len(u))
	le := binary.LittleEndian
	le.PutUint64(b, n.parent.reference())
	for at := 8; at < 40; at += 8 {
		le.PutUint64(b[at:], defaultTime)
	}
	le.PutUint64(b[40:], uint64(n.allocated))
	le.PutUint64(b[48:], uint64(n.size))
	le.PutUint32(b[56:], n.attributes|n.index)
	b[64] = byte(len(u))
	b[65] = space
	for _, c := range u {
		b = le.AppendUint16(b, c)
	}
	return b
}

// fileNames returns the $FILE_NAME attributes of the node: one, or a long and
// a short one.
func (n *ntfsNode) fileNames() [][]byte {
	if n.short == "" {
		return [][]byte{n.fileName(n.name, nameWin32AndDOS)}
	}
	return [][]byte{n.fileName(n.name, nameWin32), n.fileName(n.short, nameDOS)}
}
