package hivetest

import (
	"encoding/binary"
	"fmt"
	"strings"

	"unloop/hive"
)

// Layout of a hive, after the public "Windows registry file format
// specification" (github.com/msuhanov/regf).
const (
	pageSize      = 4096 // base block, and the unit of a bin
	binHeaderSize = 32
	none          = 0xFFFFFFFF // "no cell"
	maxSegment    = 16344      // bytes of data in one segment of big data
)

// ListKind is the kind of subkey list a hive is built with.
type ListKind string

// The subkey lists. Windows writes lh since hive version 1.5, lf before.
const (
	ListLH ListKind = "lh" // offset and hash of the whole name
	ListLF ListKind = "lf" // offset and the first four characters
	ListLI ListKind = "li" // offset alone
)

// Options says how Build lays a hive out. The zero value gives a hive like
// Windows 7's SYSTEM.
type Options struct {
	RootName    string   // default: the root key of Windows 7 x86
	FileName    string   // in the base block; default SYSTEM
	Minor       uint32   // version 1.Minor, 3 to 5; default 5
	Seq         uint32   // both sequence numbers; default 1
	LastWritten uint64   // FILETIME of base block, first bin and keys; default 2018-05-09 00:00 UTC
	Slack       int      // zero bytes after the last bin, a multiple of 4096
	Fill        int      // bytes of free cells spread between the others
	Full        bool     // no free cell at all: each bin's last cell takes what is left
	List        ListKind // default ListLH (ListLF before version 1.5)
	MaxList     int      // subkeys in one list before an ri list is put on top; default 500
	Prefix      string   // cut off all keys; default HKEY_LOCAL_MACHINE\SYSTEM where the text has it
}

// Build returns a clean hive with the keys and values of .reg text; without a
// header line the text counts as version 5.00. Later sections are merged over
// earlier ones, deletions included.
func Build(reg string, o Options) ([]byte, error) {
	o.setDefaults(reg)
	if o.Slack < 0 || o.Slack%pageSize != 0 || o.Fill < 0 || o.Minor < 3 || o.Minor > 5 || o.MaxList < 1 {
		return nil, fmt.Errorf("building hive: options out of range: %+v", o)
	}
	if o.List != ListLH && o.List != ListLF && o.List != ListLI || o.List == ListLH && o.Minor < 5 {
		return nil, fmt.Errorf("building hive: no %q lists in version 1.%d", o.List, o.Minor)
	}
	sections, err := hive.ParseReg([]byte(withHeader(reg)), o.Prefix)
	if err != nil {
		return nil, fmt.Errorf("building hive: %w", err)
	}
	root := &treeKey{name: o.RootName}
	if err := mergeReg(root, sections); err != nil {
		return nil, fmt.Errorf("building hive: %w", err)
	}
	b := &builder{o: o, cells: cells{fill: o.Fill, full: o.Full}}
	rootOffset := b.tree(root)
	b.cells.finish(o.LastWritten)
	if len(b.cells.data) > 1<<30 {
		return nil, fmt.Errorf("building hive: %d bytes are more than a hive may have", len(b.cells.data))
	}
	out := append(b.baseBlock(rootOffset), b.cells.data...)
	return append(out, make([]byte, o.Slack)...), nil
}

func (o *Options) setDefaults(reg string) {
	if o.RootName == "" {
		o.RootName = "CMI-CreateHive{F10156BE-0E87-4EFB-969E-5DA29D131144}"
	}
	if o.FileName == "" {
		o.FileName = "SYSTEM"
	}
	if o.Minor == 0 {
		o.Minor = 5
	}
	if o.Seq == 0 {
		o.Seq = 1
	}
	if o.LastWritten == 0 {
		o.LastWritten = defaultTime
	}
	if o.List == "" && o.Minor < 5 {
		o.List = ListLF
	} else if o.List == "" {
		o.List = ListLH
	}
	if o.MaxList == 0 {
		o.MaxList = 500
	}
	const system = `HKEY_LOCAL_MACHINE\SYSTEM`
	if o.Prefix == "" && strings.Contains(strings.ToUpper(reg), "["+system) {
		o.Prefix = system
	}
}

// defaultTime is 2018-05-09 00:00 UTC in units of 100 ns since 1601.
const defaultTime = (1525824000 + 11644473600) * 10_000_000

// regHeader is the first line of .reg text.
const regHeader = "Windows Registry Editor Version 5.00"

func withHeader(reg string) string {
	text := strings.TrimLeft(reg, " \t\r\n")
	if strings.HasPrefix(text, "REGEDIT4") || strings.Contains(reg, regHeader) || strings.HasPrefix(reg, "\xFF\xFE") {
		return reg
	}
	return regHeader + "\n" + reg
}

// baseBlock returns the first page of the hive.
func (b *builder) baseBlock(root uint32) []byte {
	p := make([]byte, pageSize)
	le := binary.LittleEndian
	copy(p, "regf")
	le.PutUint32(p[4:], b.o.Seq)
	le.PutUint32(p[8:], b.o.Seq)
	le.PutUint64(p[12:], b.o.LastWritten)
	le.PutUint32(p[20:], 1) // major version
	le.PutUint32(p[24:], b.o.Minor)
	le.PutUint32(p[28:], 0) // a primary file
	le.PutUint32(p[32:], 1) // direct memory load
	le.PutUint32(p[36:], root)
	le.PutUint32(p[40:], uint32(len(b.cells.data)))
	le.PutUint32(p[44:], 1) // clustering factor
	copy(p[48:112], hive.EncodeUTF16(b.o.FileName))
	le.PutUint32(p[508:], checksum(p))
	return p
}

// checksum is the XOR of the first 127 words; two results are reserved.
func checksum(p []byte) uint32 {
	var sum uint32
	for i := 0; i < 508; i += 4 {
		sum ^= binary.LittleEndian.Uint32(p[i:])
	}
	switch sum {
	case 0:
		return 1
	case 0xFFFFFFFF:
		return 0xFFFFFFFE
	}
	return sum
}
