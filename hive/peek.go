package hive

import (
	"errors"
	"fmt"

	"unloop/hive/regf"
)

// A hive of 60 MB is too large to be checked for a mere look. Of one that is not
// checked no more is read than this; real ones stay far below.
const (
	maxPeekKeys   = 1 << 16 // subkeys of one key
	maxPeekValues = 256     // values of one key
	maxPeekData   = 4096    // bytes of one value
)

// peek reads single keys of a hive that has not passed Check. What cannot be read
// counts as absent, and the first such problem is kept.
type peek struct {
	root    regf.Key
	problem string // "" while there is none
}

// peekAt makes ready to read a hive. A dirty one is replayed in memory; if that is not
// possible it is read as it lies, with the problem noted. Errors: ErrNotHive, or a
// *FormatError.
func peekAt(f Files) (*peek, error) {
	p := &peek{}
	reg, err := regf.Parse(f.Primary)
	if errors.Is(err, regf.ErrDirty) || errors.Is(err, ErrNotHive) {
		reg, err = p.clean(f, err)
	}
	if err != nil {
		return nil, err
	}
	if p.root, err = reg.Root(); err != nil {
		return nil, fmt.Errorf("reading root key: %w", err)
	}
	return p, nil
}

// clean makes the best of a hive that is dirty for that reason.
func (p *peek) clean(f Files, why error) (*regf.Hive, error) {
	b, _, err := replay(f, why.Error())
	if err == nil {
		return regf.Parse(b)
	}
	reg, raw := regf.ParseAnyway(f.Primary)
	if raw != nil {
		return nil, why
	}
	p.problem = fmt.Sprintf("read as it lies: %v", err)
	return reg, nil
}

// note keeps the first problem.
func (p *peek) note(err error) {
	if err != nil && p.problem == "" {
		p.problem = err.Error()
	}
}

// key finds a key below the root.
func (p *peek) key(path ...string) (regf.Key, bool) {
	return p.below(p.root, path...)
}

// below finds a key below another one.
func (p *peek) below(k regf.Key, path ...string) (regf.Key, bool) {
	found, ok, err := k.Find(path...)
	p.note(err)
	return found, ok && err == nil
}

// subkeys lists the subkeys of a key below the root; nil where there is none.
func (p *peek) subkeys(path ...string) []regf.Key {
	k, ok := p.key(path...)
	if !ok {
		return nil
	}
	keys, err := k.Subkeys()
	p.note(err)
	if len(keys) > maxPeekKeys {
		p.note(fmt.Errorf("only %d of %d subkeys of %s were looked at", maxPeekKeys, len(keys), FormatRegKey(path)))
		keys = keys[:maxPeekKeys]
	}
	return keys
}

// value reads a value of a key; nil where there is none.
func (p *peek) value(k regf.Key, name string) *Data {
	if n := k.ValueCount(); n > maxPeekValues {
		p.note(fmt.Errorf("key %q has %d values", k.Name(), n))
		return nil
	}
	v, ok, err := k.Value(name)
	if err != nil || !ok {
		p.note(err)
		return nil
	}
	if v.Size() > maxPeekData {
		p.note(fmt.Errorf("value %q of key %q is %d bytes long", v.Name(), k.Name(), v.Size()))
		return nil
	}
	data, err := v.Data()
	if err != nil {
		p.note(err)
		return nil
	}
	return &Data{ValueType(v.Type()), data}
}

// number reads a REG_DWORD of a key; nil where there is none.
func (p *peek) number(k regf.Key, name string) *uint32 {
	n, ok := p.value(k, name).dword()
	if !ok {
		return nil
	}
	return &n
}
