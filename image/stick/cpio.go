package stick

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path"
	"sort"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// The archive that Linux unpacks into its first root file system: cpio in the
// format "newc", as described in the kernel's
// Documentation/driver-api/early-userspace/buffer-format.rst.

// File types of a mode word.
const (
	modeType   = 0o170000
	modeFolder = 0o040000
	modeDevice = 0o020000 // a character device
	modeFile   = 0o100000
	modeLink   = 0o120000
)

// member is one entry of an archive.
type member struct {
	mode         uint32 // type and permissions
	major, minor uint32 // of a device
	data         []byte // content, or the target of a link
}

// archive collects what goes into one cpio archive, by name without a leading
// slash.
type archive struct {
	members map[string]member
}

func newArchive() *archive { return &archive{members: map[string]member{}} }

func (a *archive) add(name string, m member) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, there := a.members[dir]; !there {
			a.members[dir] = member{mode: modeFolder | 0o755}
		}
	}
	a.members[name] = m
}

func (a *archive) folder(name string) { a.add(name, member{mode: modeFolder | 0o755}) }
func (a *archive) file(name string, data []byte) {
	a.add(name, member{mode: modeFile | 0o644, data: data})
}
func (a *archive) program(name string, b []byte) {
	a.add(name, member{mode: modeFile | 0o755, data: b})
}
func (a *archive) link(name, target string) {
	a.add(name, member{mode: modeLink | 0o777, data: []byte(target)})
}
func (a *archive) device(name string, major, minor uint32) {
	a.add(name, member{mode: modeDevice | 0o600, major: major, minor: minor})
}

// encode writes the archive, sorted by name so that a folder precedes what is in
// it; every member has the same time.
func (a *archive) encode(t time.Time) ([]byte, error) {
	names := make([]string, 0, len(a.members))
	for name := range a.members {
		names = append(names, name)
	}
	sort.Strings(names)
	stamp := t.Unix()
	if stamp < 0 || stamp > math.MaxUint32 {
		return nil, fmt.Errorf("writing an archive of %v: %w", t, errors.ErrUnsupported)
	}
	var b bytes.Buffer
	for i, name := range names {
		m := a.members[name]
		if int64(len(m.data)) > math.MaxUint32 || strings.ContainsRune(name, 0) {
			return nil, fmt.Errorf("writing %q, %d bytes, into an archive: %w", name, len(m.data), errors.ErrUnsupported)
		}
		m.encode(&b, uint32(i+1), uint32(stamp), name)
	}
	member{}.encode(&b, 0, 0, "TRAILER!!!")
	return b.Bytes(), nil
}

// encode appends one member: 13 numbers of 8 hexadecimal digits, then name and
// data, both filled up to a multiple of four bytes.
func (m member) encode(b *bytes.Buffer, inode, stamp uint32, name string) {
	links := 1
	if m.mode&modeType == modeFolder {
		links = 2
	}
	b.WriteString("070701")
	for _, n := range []uint32{inode, m.mode, 0, 0, uint32(links), stamp, uint32(len(m.data)), 0, 0, m.major, m.minor,
		uint32(len(name) + 1), 0} {
		fmt.Fprintf(b, "%08X", n)
	}
	b.WriteString(name)
	b.WriteByte(0)
	fill(b)
	b.Write(m.data)
	fill(b)
}

func fill(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}

// compress packs with zstd. One thread and a window below the content's size keep
// the result the same on every machine, and small to unpack on a PC with little
// memory.
func compress(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(8<<20))
	if err != nil {
		return nil, fmt.Errorf("setting zstd up: %w", err)
	}
	if _, err := w.Write(data); err != nil {
		return nil, errors.Join(fmt.Errorf("compressing: %w", err), w.Close())
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return b.Bytes(), nil
}

// packed is encode, compressed.
func (a *archive) packed(t time.Time) ([]byte, error) {
	data, err := a.encode(t)
	if err != nil {
		return nil, err
	}
	return compress(data)
}
