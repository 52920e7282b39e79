package stick

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
)

// elfFixture is a small ELF file, to be read and never run: a kernel module with a
// section .modinfo, or a program or library with what it says about its loading.
type elfFixture struct {
	machine elf.Machine
	kind    elf.Type
	modinfo []string // strings of .modinfo; nil: no such section
	loader  string
	needs   []string // libraries
	dynamic bool
}

// bytes lays the file out: header, one segment header, contents, section headers.
func (x elfFixture) bytes() []byte {
	is64 := x.machine == elf.EM_X86_64
	const contents = 0x100 // after the headers of either class
	var body bytes.Buffer
	place := func(b []byte) (at, size uint64) {
		at = contents + uint64(body.Len())
		body.Write(b)
		return at, uint64(len(b))
	}
	sections := []elf.Section64{{}}
	names := "\x00"
	section := func(name string, kind elf.SectionType, link uint32, b []byte) {
		at, size := place(b)
		sections = append(sections, elf.Section64{Name: uint32(len(names)), Type: uint32(kind), Off: at, Size: size, Link: link})
		names += name + "\x00"
	}
	if x.modinfo != nil {
		section(".modinfo", elf.SHT_PROGBITS, 0, []byte(strings.Join(x.modinfo, "\x00")+"\x00"))
	}
	if x.dynamic {
		text, table := x.dynamicTable(is64)
		section(".dynstr", elf.SHT_STRTAB, 0, text)
		section(".dynamic", elf.SHT_DYNAMIC, uint32(len(sections)-1), table)
	}
	interpAt, interpSize := place([]byte(x.loader + "\x00"))
	names += ".shstrtab\x00"
	at, size := place([]byte(names))
	sections = append(sections, elf.Section64{Name: uint32(strings.Index(names, ".shstrtab")), Type: uint32(elf.SHT_STRTAB), Off: at, Size: size})
	end := contents + uint64(body.Len())

	var out bytes.Buffer
	put := func(v any) { _ = binary.Write(&out, binary.LittleEndian, v) } // to memory
	segments := 0
	if x.loader != "" {
		segments = 1
	}
	if is64 {
		h := elf.Header64{Type: uint16(x.kind), Machine: uint16(x.machine), Version: 1, Phoff: 64, Shoff: end, Ehsize: 64,
			Phentsize: 56, Phnum: uint16(segments), Shentsize: 64, Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1)}
		copy(h.Ident[:], "\x7fELF\x02\x01\x01")
		put(h)
		put(elf.Prog64{Type: uint32(elf.PT_INTERP), Off: interpAt, Filesz: interpSize})
	} else {
		h := elf.Header32{Type: uint16(x.kind), Machine: uint16(x.machine), Version: 1, Phoff: 52, Shoff: uint32(end), Ehsize: 52,
			Phentsize: 32, Phnum: uint16(segments), Shentsize: 40, Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1)}
		copy(h.Ident[:], "\x7fELF\x01\x01\x01")
		put(h)
		put(elf.Prog32{Type: uint32(elf.PT_INTERP), Off: uint32(interpAt), Filesz: uint32(interpSize)})
	}
	out.Write(make([]byte, contents-out.Len()))
	out.Write(body.Bytes())
	for _, s := range sections {
		if is64 {
			put(s)
		} else {
			put(elf.Section32{Name: s.Name, Type: s.Type, Off: uint32(s.Off), Size: uint32(s.Size), Link: s.Link})
		}
	}
	return out.Bytes()
}

// dynamicTable returns the strings of .dynstr, and .dynamic with one DT_NEEDED for
// every library.
func (x elfFixture) dynamicTable(is64 bool) (text, table []byte) {
	text = []byte{0}
	put := func(tag elf.DynTag, v int) {
		if is64 {
			table = binary.LittleEndian.AppendUint64(table, uint64(tag))
			table = binary.LittleEndian.AppendUint64(table, uint64(v))
			return
		}
		table = binary.LittleEndian.AppendUint32(table, uint32(tag))
		table = binary.LittleEndian.AppendUint32(table, uint32(v))
	}
	for _, name := range x.needs {
		put(elf.DT_NEEDED, len(text))
		text = append(text, name+"\x00"...)
	}
	put(elf.DT_NULL, 0)
	return text, table
}

// aModule returns a module's file; info are further strings of .modinfo.
func aModule(machine elf.Machine, version string, info ...string) []byte {
	info = append(info, "vermagic="+version+" SMP mod_unload")
	return elfFixture{machine: machine, kind: elf.ET_REL, modinfo: info}.bytes()
}

// aProgram returns a static program for 386.
func aProgram() []byte { return elfFixture{machine: elf.EM_386, kind: elf.ET_EXEC}.bytes() }

// dynamicProgram returns a program for 386 that needs libraries.
func dynamicProgram(needs ...string) []byte {
	return elfFixture{machine: elf.EM_386, kind: elf.ET_EXEC, loader: "/lib/ld-linux.so.2", dynamic: true, needs: needs}.bytes()
}

// aLibrary returns a library for 386.
func aLibrary(needs ...string) []byte {
	return elfFixture{machine: elf.EM_386, kind: elf.ET_DYN, dynamic: true, needs: needs}.bytes()
}

// aKernel returns the first kilobytes of a kernel: the set-up header, and, as
// UEFI wants it, the headers of a PE file, whose table of signatures is there or not.
func aKernel(version string, is64, signed bool) []byte {
	b := make([]byte, 4096)
	copy(b[setupMagic:], "HdrS")
	binary.LittleEndian.PutUint16(b[setupVersion:], 0x300)
	copy(b[0x500:], version+" (builder) #1 SMP\x00")
	if is64 {
		b[setupXLoad] = 1
	}
	copy(b, signedProgram(signed)[:0x200])
	return b
}

// signedProgram returns the headers of a program for UEFI.
func signedProgram(signed bool) []byte {
	b := make([]byte, 0x200)
	copy(b, "MZ")
	const at = 0x40
	binary.LittleEndian.PutUint32(b[0x3C:], at)
	copy(b[at:], "PE\x00\x00")
	binary.LittleEndian.PutUint16(b[at+4:], 0x8664)
	binary.LittleEndian.PutUint16(b[at+20:], 240) // size of the optional header
	binary.LittleEndian.PutUint16(b[at+24:], 0x20B)
	binary.LittleEndian.PutUint32(b[at+24+108:], 16) // data directories
	if signed {
		binary.LittleEndian.PutUint32(b[at+24+112+4*8:], 0x1000)
		binary.LittleEndian.PutUint32(b[at+24+112+4*8+4:], 0x100)
	}
	return b
}
