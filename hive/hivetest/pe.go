package hivetest

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"unloop/hive"
)

// Layout of the PE files made here, after "PE Format" at learn.microsoft.com.
const (
	peHeader    = 0x80 // of "PE\0\0"; the DOS header says so
	peAlignment = 0x200
	pePage      = 0x1000
	peAMD64     = 0x8664
)

// PE returns a small driver for a machine (0x014C x86, 0x8664 x64) with that file
// version in its resources. Its code refuses to be started.
func PE(machine uint16, version [4]uint16) []byte { return PESized(machine, version, 0) }

// PESized is PE with code enough for about size bytes, before the resources: as in a
// kernel, the version then lies at the far end of the file.
func PESized(machine uint16, version [4]uint16, size int) []byte {
	code := driverEntry(machine)
	code = append(code, make([]byte, max(0, size-len(code)-3*peAlignment))...)
	text := peSection{name: ".text", flags: 0x60000020, at: pePage, data: code} // code, execute, read
	resources := peSection{name: ".rsrc", flags: 0x40000040, at: text.end()}    // initialised data, read
	resources.data = versionTree(resources.at, versionInfo(version))

	file := peHeaders(machine, version, text, resources)
	file = append(file, padTo(text.data, peAlignment)...)
	file = append(file, padTo(resources.data, peAlignment)...)
	binary.LittleEndian.PutUint32(file[peHeader+24+64:], peChecksum(file))
	return file
}

// driverEntry returns the code of a driver that answers STATUS_UNSUCCESSFUL.
func driverEntry(machine uint16) []byte {
	if machine == peAMD64 {
		return []byte{0xB8, 0x01, 0x00, 0x00, 0xC0, 0xC3} // mov eax, C0000001; ret
	}
	return []byte{0xB8, 0x01, 0x00, 0x00, 0xC0, 0xC2, 0x08, 0x00} // mov eax, C0000001; ret 8
}

// peSection is a section: its place in memory relative to the image, and its bytes.
type peSection struct {
	name  string
	flags uint32
	at    uint32
	data  []byte
}

func (s peSection) size() uint32 { return uint32(len(s.data)) }
func (s peSection) raw() uint32  { return uint32(roundUp(int64(len(s.data)), peAlignment)) }
func (s peSection) end() uint32  { return uint32(roundUp(int64(s.at)+int64(len(s.data)), pePage)) }

func padTo(b []byte, unit int) []byte {
	return append(bytes.Clone(b), make([]byte, roundUp(int64(len(b)), int64(unit))-int64(len(b)))...)
}

// peHeaders returns everything before the first section.
func peHeaders(machine uint16, version [4]uint16, text, resources peSection) []byte {
	le := binary.LittleEndian
	b := make([]byte, peHeader)
	copy(b, "MZ")
	le.PutUint16(b[8:], 4)       // paragraphs of the DOS header
	le.PutUint16(b[0x18:], 0x40) // relocation table, there is none
	copy(b[0x40:], "\xCD\x20")   // a DOS program that ends at once
	le.PutUint32(b[0x3C:], peHeader)
	optional := peOptional(machine, version, text, resources)
	b = append(b, "PE\x00\x00"...)
	b = le.AppendUint16(b, machine)
	b = le.AppendUint16(b, 2)          // sections
	b = le.AppendUint32(b, 0x5ADC0000) // time stamp: April 2018
	b = le.AppendUint64(b, 0)          // no symbols
	b = le.AppendUint16(b, uint16(len(optional)))
	b = le.AppendUint16(b, peCharacteristics(machine))
	b = append(b, optional...)
	offset := uint32(peAlignment * 2)
	for _, s := range []peSection{text, resources} {
		h := make([]byte, 40)
		copy(h, s.name)
		le.PutUint32(h[8:], s.size())
		le.PutUint32(h[12:], s.at)
		le.PutUint32(h[16:], s.raw())
		le.PutUint32(h[20:], offset)
		le.PutUint32(h[36:], s.flags)
		b = append(b, h...)
		offset += s.raw()
	}
	return padTo(b, 2*peAlignment)
}

// peCharacteristics: an executable image, for 32-bit machines or large addresses.
func peCharacteristics(machine uint16) uint16 {
	if machine == peAMD64 {
		return 0x0022
	}
	return 0x0102
}

// peOptional returns the optional header, PE32 or PE32+, with its 16 directories.
func peOptional(machine uint16, version [4]uint16, text, resources peSection) []byte {
	const headersSize, native = 2 * peAlignment, 1
	le := binary.LittleEndian
	wide := machine == peAMD64
	b := make([]byte, 24)
	le.PutUint16(b, 0x010B)
	if wide {
		le.PutUint16(b, 0x020B)
	}
	b[2] = 9 // linker version
	le.PutUint32(b[4:], text.raw())
	le.PutUint32(b[8:], resources.raw())
	le.PutUint32(b[16:], text.at) // entry point
	le.PutUint32(b[20:], text.at) // base of code
	if wide {
		b = le.AppendUint64(b, 0x140000000) // image base
	} else {
		b = le.AppendUint32(b, resources.at) // base of data
		b = le.AppendUint32(b, 0x00010000)   // image base
	}
	b = le.AppendUint32(b, pePage)
	b = le.AppendUint32(b, peAlignment)
	for range 3 { // of operating system, image, subsystem
		b = le.AppendUint16(b, version[0])
		b = le.AppendUint16(b, version[1])
	}
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, resources.end()) // size of the image
	b = le.AppendUint32(b, headersSize)
	b = le.AppendUint32(b, 0) // checksum, at 64
	b = le.AppendUint16(b, native)
	b = le.AppendUint16(b, 0)
	for _, n := range []uint64{0x40000, 0x1000, 0x100000, 0x1000} { // stack and heap
		if wide {
			b = le.AppendUint64(b, n)
		} else {
			b = le.AppendUint32(b, uint32(n))
		}
	}
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, 16)
	directories := make([]byte, 16*8)
	le.PutUint32(directories[2*8:], resources.at)
	le.PutUint32(directories[2*8+4:], resources.size())
	return append(b, directories...)
}

// versionTree returns a resource section at address at whose only resource, a
// version in English, is data.
func versionTree(at uint32, data []byte) []byte {
	const (
		typeVersion, first, english = 16, 1, 0x0409
		level                       = 16 + 8 // bytes of a directory with one entry
		below                       = 1 << 31
	)
	le := binary.LittleEndian
	var b []byte
	for i, id := range []uint32{typeVersion, first, english} {
		directory := make([]byte, level)
		le.PutUint16(directory[14:], 1) // entries with a number
		le.PutUint32(directory[16:], id)
		next := uint32((i + 1) * level)
		if i < 2 {
			next |= below
		}
		le.PutUint32(directory[20:], next)
		b = append(b, directory...)
	}
	entry := make([]byte, 16)
	content := uint32(len(b) + len(entry))
	le.PutUint32(entry, at+content)
	le.PutUint32(entry[4:], uint32(len(data)))
	return append(append(b, entry...), data...)
}

// versionInfo returns VS_VERSIONINFO: the fixed part, and a few of the strings that
// Windows' files have.
func versionInfo(v [4]uint16) []byte {
	text := fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3])
	le := binary.LittleEndian
	fixed := make([]byte, 52)
	le.PutUint32(fixed, 0xFEEF04BD)
	le.PutUint32(fixed[4:], 0x00010000)
	for _, at := range []int{8, 16} { // file version, product version
		le.PutUint32(fixed[at:], uint32(v[0])<<16|uint32(v[1]))
		le.PutUint32(fixed[at+4:], uint32(v[2])<<16|uint32(v[3]))
	}
	le.PutUint32(fixed[24:], 0x3F)       // flags that count
	le.PutUint32(fixed[32:], 0x00040004) // Windows NT, 32 bits
	le.PutUint32(fixed[36:], 3)          // a driver
	var strings []byte
	for _, s := range [][2]string{{"FileDescription", "made for a test"}, {"FileVersion", text}, {"ProductVersion", text}} {
		value := hive.EncodeUTF16(s[1] + "\x00")
		strings = align4(append(strings, versionBlock(s[0], 1, len(value)/2, value)...))
	}
	table := versionBlock("040904B0", 1, 0, strings)
	info := versionBlock("StringFileInfo", 1, 0, table)
	translation := versionBlock("Translation", 0, 4, []byte{0x09, 0x04, 0xB0, 0x04})
	children := append(align4(bytes.Clone(fixed)), align4(info)...)
	children = append(children, versionBlock("VarFileInfo", 1, 0, translation)...)
	return versionBlock("VS_VERSION_INFO", 0, len(fixed), children)
}

// versionBlock is the unit all of VS_VERSIONINFO is made of. valueLength counts
// characters of a text, bytes of anything else.
func versionBlock(key string, typ uint16, valueLength int, body []byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, 6)
	b = align4(append(b, hive.EncodeUTF16(key+"\x00")...))
	b = append(b, body...)
	le.PutUint16(b, uint16(len(b)))
	le.PutUint16(b[2:], uint16(valueLength))
	le.PutUint16(b[4:], typ)
	return b
}

func align4(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }

// peChecksum is the sum Windows wants of a driver: of its 16-bit words, carries added
// in, without the checksum itself (which is zero still), plus the file's length.
func peChecksum(file []byte) uint32 {
	var sum uint32
	for i := 0; i+1 < len(file); i += 2 {
		sum += uint32(binary.LittleEndian.Uint16(file[i:]))
		sum = sum>>16 + sum&0xFFFF
	}
	return sum + uint32(len(file))
}
