package regf

import "encoding/binary"

// Offsets in a key node, counted from the start of the cell's contents
// (specification, "Key node").
const (
	nkFlags       = 2
	nkTime        = 4
	nkParent      = 16
	nkSubkeys     = 20
	nkSubkeyList  = 28
	nkValues      = 36
	nkValueList   = 40
	nkSecurity    = 44
	nkClass       = 48
	nkMaxValName  = 60
	nkMaxValData  = 64
	nkNameLen     = 72
	nkClassLen    = 74
	nkName        = 76
	nkFlagLatin1  = 0x20
	cellSizeField = 4
)

// Key is a key of a hive. The zero value is no key.
type Key struct {
	h   *Hive
	off uint32
	nk  []byte
}

// Root returns the hive's root key.
func (h *Hive) Root() (Key, error) { return h.key(h.base.RootCell) }

func (h *Hive) key(off uint32) (Key, error) {
	nk, err := h.cell("key node", off)
	if err != nil {
		return Key{}, err
	}
	at := BaseBlockSize + int64(off)
	if len(nk) < nkName || nk[0] != 'n' || nk[1] != 'k' {
		return Key{}, formatErrorf("key node", at, "not a key node")
	}
	if n := int(binary.LittleEndian.Uint16(nk[nkNameLen:])); nkName+n > len(nk) {
		return Key{}, formatErrorf("key node", at, "its name of %d bytes does not fit its cell", n)
	}
	return Key{h, off, nk}, nil
}

func (k Key) u32(off int) uint32 { return binary.LittleEndian.Uint32(k.nk[off:]) }

func (k Key) name() name {
	n := int(binary.LittleEndian.Uint16(k.nk[nkNameLen:]))
	return name{k.nk[nkName : nkName+n], binary.LittleEndian.Uint16(k.nk[nkFlags:])&nkFlagLatin1 != 0}
}

// Name returns the key's name as stored, in UTF-8 (a lone surrogate as WTF-8).
func (k Key) Name() string { return k.name().String() }

// CompareName orders k and other as Windows sorts subkeys; 0 means the same name.
func (k Key) CompareName(other Key) int { return compareNames(k.name(), other.name()) }

// Offset returns where the key's cell lies, in bytes from the start of the file.
func (k Key) Offset() int64 { return BaseBlockSize + int64(k.off) }

// LastWritten returns the key's time stamp as a FILETIME.
func (k Key) LastWritten() uint64 { return binary.LittleEndian.Uint64(k.nk[nkTime:]) }

// Class returns the key's class name, UTF-16LE bytes; empty for most keys.
func (k Key) Class() ([]byte, error) {
	n := int(binary.LittleEndian.Uint16(k.nk[nkClassLen:]))
	off := k.u32(nkClass)
	if n == 0 || off == None {
		return nil, nil
	}
	c, err := k.h.cell("class name", off)
	if err != nil {
		return nil, err
	}
	if n > len(c) {
		return nil, formatErrorf("class name", BaseBlockSize+int64(off), "%d bytes do not fit its cell", n)
	}
	return c[:n], nil
}

// Security returns the key's self-relative security descriptor, or nil where the
// key has none.
func (k Key) Security() ([]byte, error) {
	off := k.u32(nkSecurity)
	if off == None {
		return nil, nil
	}
	sk, err := k.h.security(off)
	if err != nil {
		return nil, err
	}
	return sk[skDescriptor : skDescriptor+int(binary.LittleEndian.Uint32(sk[skLength:]))], nil
}

// Subkeys returns the key's subkeys in the order they are stored.
func (k Key) Subkeys() ([]Key, error) {
	count := k.u32(nkSubkeys)
	if count == 0 {
		return nil, nil
	}
	if int64(count) > int64(len(k.h.bins))/nkName { // lists may name one cell many times
		return nil, formatErrorf("key node", k.Offset(), "%d subkeys in a hive of %d bytes", count, len(k.h.bins))
	}
	var keys []Key
	err := k.h.eachSubkey(k.u32(nkSubkeyList), func(off uint32) error {
		if uint32(len(keys)) == count {
			return formatErrorf("subkey list", k.Offset(), "longer than the key's count %d", count)
		}
		sub, err := k.h.key(off)
		keys = append(keys, sub)
		return err
	})
	if err != nil {
		return nil, err
	}
	return keys, nil
}

// Subkey finds a subkey by name, without case. It reports false where there is none.
func (k Key) Subkey(sub string) (Key, bool, error) {
	want := nameOf(sub)
	keys, err := k.Subkeys()
	if err != nil {
		return Key{}, false, err
	}
	for _, s := range keys {
		if compareNames(s.name(), want) == 0 {
			return s, true, nil
		}
	}
	return Key{}, false, nil
}

// Find walks from k down a path of names. It reports false where a part is missing.
func (k Key) Find(path ...string) (Key, bool, error) {
	for _, part := range path {
		sub, ok, err := k.Subkey(part)
		if err != nil || !ok {
			return Key{}, false, err
		}
		k = sub
	}
	return k, true, nil
}

// ValueCount returns how many values the key says it has. Those who look at keys of a
// hive that has not passed Check may want to bound their work by it.
func (k Key) ValueCount() uint32 { return k.u32(nkValues) }

// Values returns the key's values in the order they are stored.
func (k Key) Values() ([]Value, error) {
	count := k.u32(nkValues)
	if count == 0 {
		return nil, nil
	}
	list, err := k.h.cell("value list", k.u32(nkValueList))
	if err != nil {
		return nil, err
	}
	if int64(count)*4 > int64(len(list)) {
		return nil, formatErrorf("value list", BaseBlockSize+int64(k.u32(nkValueList)), "%d values do not fit its cell", count)
	}
	values := make([]Value, count)
	for i := range values {
		if values[i], err = k.h.value(binary.LittleEndian.Uint32(list[4*i:])); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// Value finds a value by name, without case; the default value's name is "". Of
// two of the same name the first counts, as in Windows.
func (k Key) Value(valueName string) (Value, bool, error) {
	count := k.u32(nkValues)
	if count == 0 {
		return Value{}, false, nil
	}
	list, err := k.h.cell("value list", k.u32(nkValueList))
	if err != nil {
		return Value{}, false, err
	}
	if int64(count)*4 > int64(len(list)) {
		return Value{}, false, formatErrorf("value list", BaseBlockSize+int64(k.u32(nkValueList)), "%d values do not fit its cell", count)
	}
	want := nameOf(valueName)
	for i := range count {
		v, err := k.h.value(binary.LittleEndian.Uint32(list[4*i:]))
		if err != nil {
			return Value{}, false, err
		}
		if compareNames(v.name(), want) == 0 {
			return v, true, nil
		}
	}
	return Value{}, false, nil
}

// SameValues says whether two keys of two hives have the same values in the same
// order. It allocates nothing, so that comparing equal hives is quick.
func (k Key) SameValues(other Key) (bool, error) {
	count := k.u32(nkValues)
	if count != other.u32(nkValues) {
		return false, nil
	}
	if count == 0 {
		return true, nil
	}
	a, err := k.h.cell("value list", k.u32(nkValueList))
	if err != nil {
		return false, err
	}
	b, err := other.h.cell("value list", other.u32(nkValueList))
	if err != nil {
		return false, err
	}
	if n := int64(count) * 4; n > int64(len(a)) || n > int64(len(b)) {
		return false, formatErrorf("value list", k.Offset(), "%d values do not fit its cell", count)
	}
	for i := range count {
		v, err := k.h.value(binary.LittleEndian.Uint32(a[4*i:]))
		if err != nil {
			return false, err
		}
		w, err := other.h.value(binary.LittleEndian.Uint32(b[4*i:]))
		if err != nil {
			return false, err
		}
		if same, err := v.Same(w); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}
