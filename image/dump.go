package image

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// dumpPage is the length of DUMP_HEADER32, and of what is read of DUMP_HEADER64.
const dumpPage = 4096

// DumpInfo is a crash dump's code and date. Nothing else is read: the rest is the memory
// of a PC.
type DumpInfo struct {
	Code uint32    // bug check code
	Time time.Time // of the crash, UTC; zero if the header does not tell
}

// ReadDump reads the header of a crash dump of size bytes, as 32-bit or 64-bit Windows
// write it (Volatility, crash_vtypes, _DMP_HEADER and _DMP_HEADER64). Anything else is
// an error that wraps ErrDamaged.
func ReadDump(r io.ReaderAt, size int64) (DumpInfo, error) {
	if size < dumpPage {
		return DumpInfo{}, fmt.Errorf("crash dump of %d bytes: %w", size, ErrDamaged)
	}
	b := make([]byte, dumpPage)
	if err := readFull(r, b, 0); err != nil {
		return DumpInfo{}, fmt.Errorf("reading crash dump: %w", err)
	}
	code, when := 0x28, 0xFC0
	switch string(b[:8]) {
	case "PAGEDUMP":
	case "PAGEDU64":
		code, when = 0x38, 0xFA8
	default:
		return DumpInfo{}, fmt.Errorf("not a crash dump: %w", ErrDamaged)
	}
	return DumpInfo{binary.LittleEndian.Uint32(b[code:]), fileTime(binary.LittleEndian.Uint64(b[when:]))}, nil
}
