package hivetest

import (
	"encoding/binary"
	"time"
)

// windowsEpoch is the seconds from 1601, where FILETIME begins, to 1970.
const windowsEpoch = 11644473600

// filetime counts units of 100 ns since 1601.
func filetime(t time.Time) uint64 {
	return uint64(t.Unix()+windowsEpoch)*10_000_000 + uint64(t.Nanosecond()/100)
}

// Dump32 returns a small crash dump of 32-bit Windows 7 (DUMP_HEADER32 and nothing
// behind it that counts) with that bug check code, written at that time.
func Dump32(code uint32, t time.Time) []byte {
	const page = 4096
	b := make([]byte, 16*page)
	le := binary.LittleEndian
	for i := range page / 4 {
		copy(b[4*i:], "PAGE") // what Windows fills unused fields with
	}
	copy(b, "PAGEDUMP")
	le.PutUint32(b[8:], 0x0F) // free build
	le.PutUint32(b[12:], 7601)
	le.PutUint32(b[16:], 0x00185000) // page directory
	le.PutUint32(b[32:], 0x014C)
	le.PutUint32(b[36:], 2) // processors
	le.PutUint32(b[40:], code)
	for i := range uint32(4) {
		le.PutUint32(b[44+4*i:], 0xC0000005+i) // parameters
	}
	b[92] = 1                 // PAE
	le.PutUint32(b[100:], 1)  // one run of memory …
	le.PutUint32(b[104:], 16) // … of 16 pages
	le.PutUint32(b[108:], 0)
	le.PutUint32(b[112:], 16)
	le.PutUint32(b[3976:], 4)              // a small memory dump
	le.PutUint64(b[4000:], uint64(len(b))) // space it needs
	le.PutUint64(b[4024:], 95*10_000_000)  // time since the start
	le.PutUint64(b[4032:], filetime(t))
	return b
}
