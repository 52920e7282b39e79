package hive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"unloop/hive/regf"
)

// Errors a caller branches on. Each comes wrapped with the place it speaks of.
var (
	// ErrNotHive: the file is no registry hive at all.
	ErrNotHive = regf.ErrNotHive
	// ErrMustGrow: the edit does not fit the file, which cannot become longer.
	ErrMustGrow = regf.ErrMustGrow
	// ErrNotSystem: a sound hive, but not a SYSTEM hive with control sets.
	ErrNotSystem = errors.New("not a SYSTEM hive")
	// ErrNotSoftware: a sound hive, but not the SOFTWARE hive of a Windows.
	ErrNotSoftware = errors.New("not a SOFTWARE hive")
	// ErrNoAutoUpdate: the key that holds the settings of Windows Update is missing.
	ErrNoAutoUpdate = errors.New("Windows Update has no key for its settings")
	// ErrControlSet: Select names a control set that is not there.
	ErrControlSet = errors.New("Select names a control set that is not there")
	// ErrNoKey: a key that every Windows has is missing.
	ErrNoKey = errors.New("a key that must be there is missing")
	// ErrUnexpected: the value to be edited is not of the type Windows expects.
	ErrUnexpected = errors.New("a value is not of the expected type")
	// ErrStale: hive or logs have changed since the plan was made.
	ErrStale = errors.New("the hive has changed since the plan was made")
	// ErrMismatch: the edited hive differs from the original otherwise than planned.
	ErrMismatch = errors.New("the edited hive is not what was planned")
)

// FormatError says where a hive is broken and how; see regf.FormatError.
type FormatError = regf.FormatError

// Files are the bytes of a hive and of its transaction logs as they were found. A
// nil slice stands for a file that is not there.
type Files struct {
	Name    string // of the hive's own file, SoftwareFile …; "": PrimaryFile
	Primary []byte
	Log1    []byte // SYSTEM.LOG1
	Log2    []byte // SYSTEM.LOG2
	Log     []byte // SYSTEM.LOG, of the scheme with one log
}

// name is what the hive's own file is called.
func (f Files) name() string {
	if f.Name == "" {
		return PrimaryFile
	}
	return f.Name
}

// Digest is a SHA-256 checksum in lower-case hex; "" stands for a missing file.
type Digest string

// Sum returns the digest of b, or "" if b is nil.
func Sum(b []byte) Digest {
	if b == nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return Digest(hex.EncodeToString(sum[:]))
}

// SumOf returns the digest of the first size bytes of r, read in pieces.
func SumOf(r io.ReaderAt, size int64) (Digest, error) {
	sum := sha256.New()
	if n, err := io.Copy(sum, io.NewSectionReader(r, 0, size)); err != nil || n < size {
		return "", fmt.Errorf("reading at 0x%x: %w", n, orEOF(err))
	}
	return Digest(hex.EncodeToString(sum.Sum(nil))), nil
}

func orEOF(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// errDiffers says where a file no longer holds what was read from it.
type errDiffers struct{ at int64 }

func (e errDiffers) Error() string { return fmt.Sprintf("other bytes at 0x%x", e.at) }

// Unwrap makes errors.Is find ErrStale.
func (e errDiffers) Unwrap() error { return ErrStale }

// Same checks, reading r in pieces, that it begins with data; where it does not, the
// error wraps ErrStale.
func Same(r io.ReaderAt, data []byte) error {
	piece := make([]byte, 256<<10)
	for off := 0; off < len(data); {
		want := data[off:min(off+len(piece), len(data))]
		if n, err := r.ReadAt(piece[:len(want)], int64(off)); n < len(want) {
			if err == nil || err == io.EOF {
				return errDiffers{int64(off + n)}
			}
			return err
		}
		if !bytes.Equal(piece[:len(want)], want) {
			return errDiffers{int64(off)}
		}
		off += len(want)
	}
	return nil
}

// Identity binds a plan to the very bytes it was made from.
type Identity struct {
	Primary Digest `json:"hive"`
	Log1    Digest `json:"log1,omitempty"`
	Log2    Digest `json:"log2,omitempty"`
	Log     Digest `json:"log,omitempty"`
}

// Identity returns the digests of all four files.
func (f Files) Identity() Identity {
	return Identity{Sum(f.Primary), Sum(f.Log1), Sum(f.Log2), Sum(f.Log)}
}

// Hive is a registry hive that was read and found sound.
type Hive struct {
	Warnings []string // what Windows may or may not mind, at most 20
	Files    Files    // as found
	Replay   *Replay  // how it was made clean; nil if it was
	identity func() Identity
	sum      func() Digest // of the hive in memory
	reg      *regf.Hive
	root     regf.Key
}

// Open checks the hive in f strictly and makes it ready to be looked at. A dirty
// hive is replayed in memory first. Errors: ErrNotHive, *FormatError for a broken
// hive, ErrNoLog or ErrNewLog for a dirty one. The bytes are kept, not copied.
func Open(f Files) (*Hive, error) {
	reg, err := regf.Parse(f.Primary)
	switch {
	case errors.Is(err, regf.ErrDirty):
		return openDirty(f, err.Error())
	case errors.Is(err, ErrNotHive):
		if h, derr := openDirty(f, "its base block cannot be read"); derr == nil {
			return h, nil
		}
		return nil, err
	case err != nil:
		return nil, err
	}
	h, err := open(reg)
	if err != nil {
		return nil, err
	}
	h.Files, h.identity = f, sync.OnceValue(f.Identity)
	return h, nil
}

func open(reg *regf.Hive) (*Hive, error) {
	warnings, err := reg.Check()
	if err != nil {
		return nil, fmt.Errorf("checking hive: %w", err)
	}
	h, err := unchecked(reg)
	if err != nil {
		return nil, err
	}
	h.Warnings = warnings
	return h, nil
}

// unchecked makes a Hive of one that is checked elsewhere.
func unchecked(reg *regf.Hive) (*Hive, error) {
	root, err := reg.Root()
	if err != nil {
		return nil, err
	}
	h := &Hive{Files: Files{Primary: reg.Bytes()}, reg: reg, root: root}
	h.identity = sync.OnceValue(h.Files.Identity)
	h.sum = sync.OnceValue(func() Digest { return Sum(reg.Bytes()) })
	return h, nil
}

// ID returns the digests of the files the hive was made from. They are computed
// when first asked for: a dry run need not wait for them.
func (h *Hive) ID() Identity { return h.identity() }

// NewBuffer returns n zero bytes to read a hive into, quicker to fill than others.
func NewBuffer(n int64) []byte { return regf.NewBuffer(n) }

// Name returns which hive it is, PrimaryFile or SoftwareFile, as it was opened.
func (h *Hive) Name() string { return h.Files.name() }

// Size returns the length of the hive's file in bytes.
func (h *Hive) Size() int64 { return int64(len(h.reg.Bytes())) }

// Bytes returns the hive's file. The caller must not change it.
func (h *Hive) Bytes() []byte { return h.reg.Bytes() }

// RootName returns the name of the root key, by which Windows versions differ.
func (h *Hive) RootName() string { return h.root.Name() }

// key finds a key by path and returns it with the path as stored.
func (h *Hive) key(path ...string) (regf.Key, []string, bool, error) {
	k := h.root
	stored := make([]string, 0, len(path))
	for _, part := range path {
		sub, ok, err := k.Subkey(part)
		if err != nil || !ok {
			return regf.Key{}, nil, false, err
		}
		k = sub
		stored = append(stored, k.Name())
	}
	return k, stored, true, nil
}

// Data is a value's type and data.
type Data struct {
	Type  ValueType
	Bytes []byte
}

// dword returns d as a number, if it is a well-formed REG_DWORD.
func (d *Data) dword() (uint32, bool) {
	if d == nil || d.Type != RegDWORD || len(d.Bytes) != 4 {
		return 0, false
	}
	b := d.Bytes
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24, true
}

// text returns d as a string, if it is one; "" otherwise.
func (d *Data) text() string {
	if d == nil || d.Type != RegSZ && d.Type != RegExpandSZ {
		return ""
	}
	return DecodeSZ(d.Bytes)
}

// list returns d as a list of strings: a REG_MULTI_SZ, or one REG_SZ.
func (d *Data) list() []string {
	switch {
	case d == nil:
		return nil
	case d.Type == RegMultiSZ:
		return DecodeMultiSZ(d.Bytes)
	case d.text() != "":
		return []string{d.text()}
	}
	return nil
}

func dwordData(n uint32) *Data {
	return &Data{RegDWORD, []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}}
}

// value reads a value of a key, with its name as stored. nil means that there is none.
func value(k regf.Key, name string) (string, *Data, error) {
	v, ok, err := k.Value(name)
	if err != nil || !ok {
		return name, nil, err
	}
	data, err := v.Data()
	if err != nil {
		return name, nil, err
	}
	return v.Name(), &Data{ValueType(v.Type()), data}, nil
}

// valueAt reads a value by its key's path; nil where key or value are not there.
func (h *Hive) valueAt(name string, path ...string) (*Data, error) {
	k, _, ok, err := h.key(path...)
	if err != nil || !ok {
		return nil, err
	}
	_, d, err := value(k, name)
	return d, err
}
