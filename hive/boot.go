package hive

import (
	"fmt"
	"slices"
	"strings"

	"unloop/hive/regf"
)

// BootConfig is what the BCD hive tells of a Windows' boot entry. Nil: not set there.
type BootConfig struct {
	NX  *uint64 // 0 OptIn, 1 OptOut, 2 AlwaysOff, 3 AlwaysOn
	PAE *uint64 // 0 default, 1 ForceEnable, 2 ForceDisable
}

// Objects and elements of a BCD hive (Microsoft, "BcdBootMgrElementTypes",
// "BcdOSLoaderElementTypes").
const (
	bootManager       = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
	elementDefault    = "23000003"
	elementPath       = "12000002"
	elementNX         = "25000020"
	elementPAE        = "25000021"
	typeOSLoader      = 0x10200003
	windowsLoaderName = "winload.exe"
)

// ReadBoot reads a BCD hive: the boot manager's default entry if that starts a Windows,
// else the first entry that does. Which of two Windows an entry starts is not told, and
// what entries inherit is not followed. Errors: ErrNotHive, *FormatError, or that there
// is no such entry.
func ReadBoot(f Files) (*BootConfig, error) {
	p, err := peekAt(f)
	if err != nil {
		return nil, fmt.Errorf("reading BCD hive: %w", err)
	}
	entry, ok := p.bootEntry()
	if !ok {
		return nil, fmt.Errorf("reading BCD hive: %w", p.missing("an entry in Objects that starts Windows"))
	}
	return &BootConfig{NX: p.integer(entry, elementNX), PAE: p.integer(entry, elementPAE)}, nil
}

func (p *peek) bootEntry() (regf.Key, bool) {
	if manager, ok := p.key("Objects", bootManager); ok {
		name := p.element(manager, elementDefault).text()
		if entry, ok := p.key("Objects", name); ok && p.startsWindows(entry) {
			return entry, true
		}
	}
	entries := p.subkeys("Objects")
	if i := slices.IndexFunc(entries, p.startsWindows); i >= 0 {
		return entries[i], true
	}
	return regf.Key{}, false
}

// startsWindows says whether an object is an entry for the loader of Windows Vista or
// later, as opposed to one that resumes from hibernation, or the one for older Windows.
func (p *peek) startsWindows(entry regf.Key) bool {
	description, ok := p.below(entry, "Description")
	if !ok {
		return false
	}
	kind := p.number(description, "Type")
	loader := p.element(entry, elementPath).text()
	return kind != nil && *kind == typeOSLoader &&
		strings.EqualFold(loader[strings.LastIndex(loader, `\`)+1:], windowsLoaderName)
}

// element reads an element of an object; nil where there is none.
func (p *peek) element(entry regf.Key, id string) *Data {
	k, ok := p.below(entry, "Elements", id)
	if !ok {
		return nil
	}
	return p.value(k, "Element")
}

// integer reads an element that is a number, stored as little-endian bytes.
func (p *peek) integer(entry regf.Key, id string) *uint64 {
	d := p.element(entry, id)
	if d == nil || d.Type != RegBinary || len(d.Bytes) == 0 || len(d.Bytes) > 8 {
		return nil
	}
	var n uint64
	for i, b := range d.Bytes {
		n |= uint64(b) << (8 * i)
	}
	return &n
}
