package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"unicode/utf16"
)

// What the tiny hive holds. A name that Latin-1 can spell is stored as Latin-1, all others as UTF-16, and glibc converts
// each by a file of its own, ISO8859-1.so and UTF-16.so. Where one is missing (a small stick) libhivex fails on such
// names only, so both are tried.
const (
	tinyKey        = "復旧"
	tinyLatinValue = "Größe"
	tinyWideValue  = "値"
	tinyNumber     = 0x12345678
	tinyText       = "はい"
)

// selfTest reads a hive made here, whose content is known, in the way every other hive is read. An error means that
// this process cannot judge anything; it wraps errCannotJudge.
func selfTest() error {
	if err := readTinyHive(tinyHive()); err != nil {
		return fmt.Errorf("%w: testing itself (are glibc's gconv files ISO8859-1.so and UTF-16.so there?): %w", errCannotJudge, err)
	}
	return nil
}

// readTinyHive reads an image of the tiny hive from a file, as libhivex opens nothing else.
func readTinyHive(image []byte) error {
	f, err := os.CreateTemp("", "unloop-crosscheck-*")
	if err != nil {
		return fmt.Errorf("making a hive: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(image)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("making a hive: %w", err)
	}
	h, err := openHive(f.Name(), false)
	if err != nil {
		return err
	}
	defer h.close()
	q, want := tinyQuestion()
	got, err := answer(h, q)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("read %+v, want %+v", got, want)
	}
	return nil
}

// tinyQuestion asks for what is there, and for what is not: a judge that finds everything is no better than one that
// finds nothing.
func tinyQuestion() (Question, Answer) {
	key, none := []string{tinyKey}, []string{tinyKey + "x"}
	q := Question{Keys: []KeyQuestion{
		{Path: key, Values: []string{tinyLatinValue, tinyWideValue, ""}},
		{Path: none, Values: []string{tinyWideValue}},
	}}
	number := hex.EncodeToString(binary.LittleEndian.AppendUint32(nil, tinyNumber))
	a := Answer{Keys: []KeyAnswer{
		{Path: key, Found: true, Values: []ValueAnswer{
			{Name: tinyLatinValue, Found: true, Type: regDword, Data: number},
			{Name: tinyWideValue, Found: true, Type: regSz, Data: hex.EncodeToString(utf16z(tinyText))},
			{Name: ""},
		}},
		{Path: none, Values: []ValueAnswer{{Name: tinyWideValue}}},
	}}
	return q, a
}

// tinyHive makes the smallest sound hive of version 1.3 that holds one key with two values.
func tinyHive() []byte {
	var b tinyBin
	security := b.securityKey()
	text := b.cell(utf16z(tinyText))
	values := b.cell(u32s(
		b.value([]byte("Gr\xf6\xdfe"), 1, regDword, 4|1<<31, tinyNumber), // 1: name in Latin-1; top bit: data inline
		b.value(utf16le(tinyWideValue), 0, regSz, uint32(len(utf16z(tinyText))), text),
	))
	key := b.key(utf16le(tinyKey), 0, tinyNode{security: security, valueCount: 2, values: values, longestName: 10, longestData: 6})
	list := b.cell(append([]byte("lf\x01\x00"), u32s(key, 0)...)) // 0: no hint, the name is not ASCII
	root := b.key([]byte("tiny"), 0x2c, tinyNode{security: security, subkeyCount: 1, subkeys: list, longestKey: 4})
	binary.LittleEndian.PutUint32(b.data[key+4+16:], root) // the parent of key, not known until now
	return b.hive(root)
}

// tinyBin is one hive bin in the making; offsets are relative to its start, as in the hive.
type tinyBin struct{ data []byte }

const (
	binSize       = 4096
	binHeaderSize = 32
	noOffset      = 0xffffffff
)

// cell appends an allocated cell (negative size, a multiple of 8) and returns its offset.
func (b *tinyBin) cell(content []byte) uint32 {
	if b.data == nil {
		b.data = make([]byte, binHeaderSize, binSize)
	}
	offset := uint32(len(b.data))
	size := (4 + len(content) + 7) &^ 7
	b.data = binary.LittleEndian.AppendUint32(b.data, -uint32(size))
	b.data = append(b.data, content...)
	b.data = append(b.data, make([]byte, int(offset)+size-len(b.data))...)
	return offset
}

func (b *tinyBin) value(name []byte, flags uint16, typ, size, data uint32) uint32 {
	vk := binary.LittleEndian.AppendUint16([]byte("vk"), uint16(len(name)))
	vk = append(vk, u32s(size, data, typ, uint32(flags))...)
	return b.cell(append(vk, name...))
}

// tinyNode is what differs between the two keys; list offsets count only where their number is not 0.
type tinyNode struct {
	security                         uint32
	subkeyCount, subkeys, longestKey uint32
	valueCount, values               uint32
	longestName, longestData         uint32
}

func (b *tinyBin) key(name []byte, flags uint16, n tinyNode) uint32 {
	if n.subkeyCount == 0 {
		n.subkeys = noOffset
	}
	if n.valueCount == 0 {
		n.values = noOffset
	}
	nk := binary.LittleEndian.AppendUint16([]byte("nk"), flags)
	nk = append(nk, u32s(
		0, 0, 0, noOffset, // time stamp, access bits, parent
		n.subkeyCount, 0, n.subkeys, noOffset, // stored and volatile subkeys
		n.valueCount, n.values, n.security, noOffset, // no class
		n.longestKey, 0, n.longestName, n.longestData, 0,
		uint32(len(name)))...)
	return b.cell(append(nk, name...))
}

// securityKey appends the one security key: owner, group and lists all absent.
func (b *tinyBin) securityKey() uint32 {
	const self = binHeaderSize // it is the first cell, and the only one in its ring
	descriptor := append([]byte{1, 0, 0, 0x80}, make([]byte, 16)...)
	sk := append([]byte("sk\x00\x00"), u32s(self, self, 2, uint32(len(descriptor)))...)
	return b.cell(append(sk, descriptor...))
}

// hive closes the bin with a free cell and puts a clean base block before it.
func (b *tinyBin) hive(root uint32) []byte {
	free := binSize - len(b.data)
	b.data = binary.LittleEndian.AppendUint32(b.data, uint32(free))
	b.data = append(b.data, make([]byte, free-4)...)
	copy(b.data, append([]byte("hbin"), u32s(0, binSize)...))

	base := make([]byte, 4096)
	copy(base, append([]byte("regf"), u32s(1, 1, 0, 0, 1, 3, 0, 1, root, binSize, 1)...)) // 1, 1: clean; 1, 3: version
	var sum uint32
	for i := 0; i < 508; i += 4 {
		sum ^= binary.LittleEndian.Uint32(base[i:])
	}
	binary.LittleEndian.PutUint32(base[508:], sum)
	return append(base, b.data...)
}

func u32s(numbers ...uint32) []byte {
	var out []byte
	for _, n := range numbers {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return out
}

func utf16le(s string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return out
}

// utf16z is the data of a REG_SZ.
func utf16z(s string) []byte { return append(utf16le(s), 0, 0) }
