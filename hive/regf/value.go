package regf

import (
	"bytes"
	"encoding/binary"
)

// Offsets in a key value, from the start of the cell's contents (specification,
// "Key value").
const (
	vkNameLen    = 2
	vkDataSize   = 4
	vkDataOff    = 8
	vkType       = 12
	vkFlags      = 16
	vkName       = 20
	vkFlagLatin1 = 1
	inlineBit    = 0x80000000
)

// Big data (specification, "Big data"): from version 1.4 on, values longer than
// one segment lie in several cells, listed in a cell of their own.
const (
	segmentSize = 16344
	dbCount     = 2
	dbList      = 4
	dbSize      = 8
)

// TypeDWORD is the type of a value of four bytes, REG_DWORD.
const TypeDWORD = 4

// Value is a value of a key. The zero value is no value.
type Value struct {
	h   *Hive
	off uint32
	vk  []byte
}

func (h *Hive) value(off uint32) (Value, error) {
	vk, err := h.cell("key value", off)
	if err != nil {
		return Value{}, err
	}
	at := BaseBlockSize + int64(off)
	if len(vk) < vkName || vk[0] != 'v' || vk[1] != 'k' {
		return Value{}, formatErrorf("key value", at, "not a key value")
	}
	if n := int(binary.LittleEndian.Uint16(vk[vkNameLen:])); vkName+n > len(vk) {
		return Value{}, formatErrorf("key value", at, "its name of %d bytes does not fit its cell", n)
	}
	return Value{h, off, vk}, nil
}

func (v Value) u32(off int) uint32 { return binary.LittleEndian.Uint32(v.vk[off:]) }

func (v Value) name() name {
	n := int(binary.LittleEndian.Uint16(v.vk[vkNameLen:]))
	return name{v.vk[vkName : vkName+n], binary.LittleEndian.Uint16(v.vk[vkFlags:])&vkFlagLatin1 != 0}
}

// Name returns the value's name as stored, "" for the default value.
func (v Value) Name() string { return v.name().String() }

// CompareName orders v and other by name, without case.
func (v Value) CompareName(other Value) int { return compareNames(v.name(), other.name()) }

// Offset returns where the value's cell lies, in bytes from the start of the file.
func (v Value) Offset() int64 { return BaseBlockSize + int64(v.off) }

// Type returns the value's type number.
func (v Value) Type() uint32 { return v.u32(vkType) }

// Size returns the length of the value's data in bytes.
func (v Value) Size() int64 { return int64(v.u32(vkDataSize) &^ inlineBit) }

// Inline says whether the data lie in the value's own cell.
func (v Value) Inline() bool { return v.u32(vkDataSize)&inlineBit != 0 }

// Data returns the value's data. The caller must not change them.
func (v Value) Data() ([]byte, error) {
	n := v.Size()
	if v.Inline() {
		if n > 4 {
			return nil, formatErrorf("key value", v.Offset(), "%d bytes of data where only 4 fit", n)
		}
		return v.vk[vkDataOff : vkDataOff+n], nil
	}
	if n == 0 {
		return nil, nil
	}
	off := v.u32(vkDataOff)
	if v.big() {
		return v.h.bigData(off, n)
	}
	c, err := v.h.cell("value data", off)
	if err != nil {
		return nil, err
	}
	if n > int64(len(c)) {
		return nil, formatErrorf("value data", BaseBlockSize+int64(off), "%d bytes do not fit its cell", n)
	}
	return c[:n], nil
}

// big says whether the data are spread over segments: by version and length, never
// by signature, which data may begin with by chance.
func (v Value) big() bool { return v.h.base.Minor >= 4 && v.Size() > segmentSize }

func (h *Hive) bigData(off uint32, n int64) ([]byte, error) {
	if n > int64(len(h.bins)) {
		return nil, formatErrorf("big data", BaseBlockSize+int64(off), "%d bytes in a hive of %d", n, len(h.bins))
	}
	data := make([]byte, 0, n)
	err := h.eachSegment(off, n, func(_ uint32, segment []byte) error {
		data = append(data, segment...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// eachSegment calls fn with the cell and contents of each segment of n bytes of big data.
func (h *Hive) eachSegment(off uint32, n int64, fn func(off uint32, segment []byte) error) error {
	at := BaseBlockSize + int64(off)
	db, err := h.cell("big data", off)
	if err != nil {
		return err
	}
	if len(db) < dbSize || db[0] != 'd' || db[1] != 'b' {
		return formatErrorf("big data", at, "not a big data record")
	}
	count := int64(binary.LittleEndian.Uint16(db[dbCount:]))
	if want := (n + segmentSize - 1) / segmentSize; count != want {
		return formatErrorf("big data", at, "%d segments for %d bytes, not %d", count, n, want)
	}
	list, err := h.cell("big data list", binary.LittleEndian.Uint32(db[dbList:]))
	if err != nil {
		return err
	}
	if 4*count > int64(len(list)) {
		return formatErrorf("big data list", at, "%d segments do not fit its cell", count)
	}
	for i := int64(0); i < count; i++ {
		seg := binary.LittleEndian.Uint32(list[4*i:])
		c, err := h.cell("big data segment", seg)
		if err != nil {
			return err
		}
		want := min(segmentSize, n-i*segmentSize)
		if want > int64(len(c)) {
			return formatErrorf("big data segment", BaseBlockSize+int64(seg), "%d bytes do not fit its cell", want)
		}
		if err := fn(seg, c[:want]); err != nil {
			return err
		}
	}
	return nil
}

// Same says whether v and other, values of two hives, have the same name, type
// and data.
func (v Value) Same(other Value) (bool, error) {
	if v.Type() != other.Type() || v.Size() != other.Size() || !v.name().same(other.name()) {
		return false, nil
	}
	a, err := v.Data()
	if err != nil {
		return false, err
	}
	b, err := other.Data()
	if err != nil {
		return false, err
	}
	return bytes.Equal(a, b), nil
}
