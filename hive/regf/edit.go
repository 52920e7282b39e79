package regf

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// phase orders the writes of all edits so that a reader sees, after any of them,
// each value either old or new, should there be no log to replay: see
// Editor.Groups.
type phase int

const (
	phaseNewBin   phase = iota // a hive bin in the slack, which nobody reads yet
	phaseBinsSize              // the base block that takes it in
	phaseContents              // inside free cells: contents, and headers of what remains free
	phaseAllocate              // headers that turn free cells into allocated ones
	phaseLargest               // a key's largest value name and data
	phaseSwitch                // a value: its data, or its key's count and list
	phaseFree                  // headers of the cells no longer used; sequence numbers
)

// Patch is a run of bytes that an edit changes.
type Patch struct {
	Offset int64 // from the start of the file
	Data   []byte
	phase  phase
}

// Editor changes values of a hive, on a copy of it.
type Editor struct {
	h        *Hive
	alloc    *allocator
	released []uint32
	patches  []Patch
	mayGrow  bool
}

// Edit begins to edit a copy of h, which must have passed Check. mayGrow says
// whether the hive's file may become longer than it is.
func (h *Hive) Edit(mayGrow bool) (*Editor, error) {
	alloc, err := newAllocator(h)
	if err != nil {
		return nil, err
	}
	data := NewBuffer(int64(len(h.data)))
	copy(data, h.data)
	copied, err := parseBins(data, h.base)
	if err != nil {
		return nil, err
	}
	return &Editor{h: copied, alloc: alloc, mayGrow: mayGrow}, nil
}

// patch changes the copy and records the change.
func (e *Editor) patch(p phase, offset int64, data []byte) {
	copy(e.h.data[offset:], data)
	e.patches = append(e.patches, Patch{offset, slices.Clone(data), p})
}

func (e *Editor) patch32(p phase, off, v uint32) {
	e.patch(p, BaseBlockSize+int64(off), binary.LittleEndian.AppendUint32(nil, v))
}

func (e *Editor) patchBaseBlock(p phase) {
	sector := slices.Clone(e.h.data[:SectorSize])
	EncodeBaseBlock(sector, e.h.base)
	e.patch(p, 0, sector)
}

func (e *Editor) find(path []string) (Key, error) {
	root, err := e.h.Root()
	if err != nil {
		return Key{}, err
	}
	k, ok, err := root.Find(path...)
	if err != nil {
		return Key{}, err
	}
	if !ok {
		return Key{}, fmt.Errorf("editing %q: no such key", path)
	}
	return k, nil
}

// What the editor writes at most: value data in bytes, and a value name in UTF-16
// code units, which is Windows' own limit and keeps its length in two bytes.
const (
	maxDataSize = segmentSize
	maxValName  = 16383
)

// SetValue gives the value of that name in the key at path this type and these
// data, of at most 16,344 bytes. A DWORD that is there already is changed in its
// own cell; anything else gets new cells, and the old ones are freed at the end.
func (e *Editor) SetValue(path []string, valueName string, typ uint32, data []byte) error {
	if len(data) > maxDataSize {
		return fmt.Errorf("editing %q: %d bytes of data are more than the %d the editor writes", valueName, len(data), maxDataSize)
	}
	k, err := e.find(path)
	if err != nil {
		return err
	}
	v, ok, err := k.Value(valueName)
	if err != nil {
		return err
	}
	switch {
	case !ok:
		return e.addValue(k, nameOf(valueName), typ, data)
	case v.Inline() && v.Type() == typ && len(data) == 4 && v.Size() == 4:
		e.patch(phaseSwitch, v.Offset()+cellSizeField+vkDataOff, data)
		return nil
	}
	return e.replaceValue(k, v, typ, data)
}

// addValue appends a value to the key's list: into the list's own cell where it
// has room, else into a new and longer one.
func (e *Editor) addValue(k Key, n name, typ uint32, data []byte) error {
	if n.units() > maxValName {
		return fmt.Errorf("editing: a value name of %d characters is longer than %d", n.units(), maxValName)
	}
	vk, err := e.newValue(k, n, typ, data)
	if err != nil {
		return err
	}
	count := k.u32(nkValues)
	old := k.u32(nkValueList)
	var entries []byte
	if count > 0 {
		if entries, err = e.h.cell("value list", old); err != nil {
			return err
		}
		if int64(count)*4 > int64(len(entries)) {
			return formatErrorf("value list", BaseBlockSize+int64(old), "%d values do not fit its cell", count)
		}
	}
	list := old
	if room := int64(len(entries)) - 4*int64(count); room >= 4 {
		e.patch32(phaseContents, old+cellSizeField+4*count, vk)
	} else {
		longer := binary.LittleEndian.AppendUint32(slices.Clone(entries[:4*count]), vk)
		if list, err = e.allocate(longer, k.off); err != nil {
			return err
		}
		if count > 0 {
			e.release(old)
		}
	}
	e.raiseLargest(k, 2*n.units(), len(data))
	e.switchList(k, count+1, list)
	return nil
}

// newValue allocates the cells of a new value and returns its key value's offset.
func (e *Editor) newValue(k Key, n name, typ uint32, data []byte) (uint32, error) {
	vk := make([]byte, vkName+len(n.raw))
	copy(vk, "vk")
	binary.LittleEndian.PutUint16(vk[vkNameLen:], uint16(len(n.raw)))
	size, off, err := e.storeData(k, data)
	if err != nil {
		return 0, err
	}
	binary.LittleEndian.PutUint32(vk[vkDataSize:], size)
	copy(vk[vkDataOff:], off)
	binary.LittleEndian.PutUint32(vk[vkType:], typ)
	if n.latin1 && len(n.raw) > 0 {
		binary.LittleEndian.PutUint16(vk[vkFlags:], vkFlagLatin1)
	}
	copy(vk[vkName:], n.raw)
	return e.allocate(vk, k.off)
}

// storeData returns the size and offset fields of a value with these data, after
// giving them a cell where they do not fit the field itself.
func (e *Editor) storeData(k Key, data []byte) (size uint32, field []byte, err error) {
	field = make([]byte, 4)
	if len(data) <= 4 {
		copy(field, data)
		return uint32(len(data)) | inlineBit, field, nil
	}
	off, err := e.allocate(data, k.off)
	binary.LittleEndian.PutUint32(field, off)
	return uint32(len(data)), field, err
}

// replaceValue gives a value other data. Only if the type stays can that be one
// write within a sector (data size and offset are 8 bytes at a multiple of 8); else
// the value gets a new cell and the list is switched.
func (e *Editor) replaceValue(k Key, v Value, typ uint32, data []byte) error {
	if v.Type() != typ || v.big() {
		return e.swapValue(k, v, typ, data)
	}
	size, off, err := e.storeData(k, data)
	if err != nil {
		return err
	}
	e.raiseLargest(k, 0, len(data))
	if !v.Inline() && v.Size() > 0 {
		e.release(v.u32(vkDataOff))
	}
	fields := append(binary.LittleEndian.AppendUint32(nil, size), off...)
	e.patch(phaseSwitch, v.Offset()+cellSizeField+vkDataSize, fields)
	return nil
}

func (e *Editor) swapValue(k Key, v Value, typ uint32, data []byte) error {
	vk, err := e.newValue(k, v.name(), typ, data)
	if err != nil {
		return err
	}
	e.raiseLargest(k, 2*v.name().units(), len(data))
	return e.relist(k, v, func(entry uint32) (uint32, bool) { return vk, true })
}

// DeleteValue takes the value of that name out of the key at path.
func (e *Editor) DeleteValue(path []string, valueName string) error {
	k, err := e.find(path)
	if err != nil {
		return err
	}
	v, ok, err := k.Value(valueName)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("editing %q: no value %q", path, valueName)
	}
	return e.relist(k, v, func(uint32) (uint32, bool) { return 0, false })
}

// relist makes a new value list in which v's entry is what fn makes of it, and
// frees v's cells and the old list.
func (e *Editor) relist(k Key, v Value, fn func(entry uint32) (uint32, bool)) error {
	values, err := k.Values()
	if err != nil {
		return err
	}
	var entries []byte
	for _, other := range values {
		off, keep := other.off, true
		if off == v.off {
			off, keep = fn(off)
		}
		if keep {
			entries = binary.LittleEndian.AppendUint32(entries, off)
		}
	}
	list := uint32(None)
	if len(entries) > 0 {
		if list, err = e.allocate(entries, k.off); err != nil {
			return err
		}
	}
	if err := e.releaseValue(v); err != nil {
		return err
	}
	e.release(k.u32(nkValueList))
	e.switchList(k, uint32(len(entries)/4), list)
	return nil
}

// releaseValue frees every cell of a value.
func (e *Editor) releaseValue(v Value) error {
	e.release(v.off)
	if v.Inline() || v.Size() == 0 {
		return nil
	}
	off := v.u32(vkDataOff)
	if v.big() {
		db, err := e.h.cell("big data", off)
		if err != nil {
			return err
		}
		if err := e.h.eachSegment(off, v.Size(), func(seg uint32, _ []byte) error {
			e.release(seg)
			return nil
		}); err != nil {
			return err
		}
		e.release(binary.LittleEndian.Uint32(db[dbList:]))
	}
	e.release(off)
	return nil
}

// raiseLargest raises the key's largest value name and data length, in bytes, to
// what a new value needs. They never sink: they are bounds.
func (e *Editor) raiseLargest(k Key, nameBytes, dataBytes int) {
	if uint32(nameBytes) > k.u32(nkMaxValName) {
		e.patch32(phaseLargest, k.off+cellSizeField+nkMaxValName, uint32(nameBytes))
	}
	if uint32(dataBytes) > k.u32(nkMaxValData) {
		e.patch32(phaseLargest, k.off+cellSizeField+nkMaxValData, uint32(dataBytes))
	}
}

// switchList makes the key's value list the one at list: count and offset in one
// write, which lies in one sector since cells begin at multiples of 8.
func (e *Editor) switchList(k Key, count, list uint32) {
	fields := binary.LittleEndian.AppendUint32(nil, count)
	fields = binary.LittleEndian.AppendUint32(fields, list)
	e.patch(phaseSwitch, BaseBlockSize+int64(k.off)+cellSizeField+nkValues, fields)
}

// Finish frees what the edits no longer need and returns the edited hive. Its base
// block is what a completed write leaves behind: sequence numbers one higher, and
// the time of the first hive bin, which ties a log to it.
func (e *Editor) Finish() (*Hive, error) {
	if err := e.freeReleased(); err != nil {
		return nil, err
	}
	e.h.base.PrimarySeq++
	e.h.base.SecondarySeq = e.h.base.PrimarySeq
	e.h.base.LastWritten = e.h.FirstBinTime()
	e.patchBaseBlock(phaseFree)
	return Parse(e.h.data)
}

// Groups returns the edits as groups of patches. When each group is on the medium
// before the next one begins, every state between them, and every state with some
// of a group's sectors written, is a sound hive in which each value is the old or
// the new one. The cells that were freed come last. A value that was edited twice may
// also be seen as the first edit left it.
func (e *Editor) Groups() [][]Patch {
	patches := slices.Clone(e.patches)
	slices.SortStableFunc(patches, func(a, b Patch) int { return int(a.phase) - int(b.phase) })
	var groups [][]Patch
	for i, p := range patches {
		if i == 0 || p.phase != patches[i-1].phase {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], p)
	}
	return groups
}
