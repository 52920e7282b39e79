package regf

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Applies says whether a valid log belongs to the hive with these bytes, as Windows
// decides it: the times of the last write must be equal, or, if the hive's base
// block is broken, the log's and that of the first hive bin. The error says why
// not; nil means it applies.
func (l *Log) Applies(primary []byte) error {
	bb, err := DecodeBaseBlock(primary)
	if err == nil && bb.Checksum == bb.Sum {
		if bb.LastWritten != l.Base.LastWritten {
			return fmt.Errorf("the log was written at %d, the hive at %d (FILETIME)", l.Base.LastWritten, bb.LastWritten)
		}
		return nil
	}
	if len(primary) < BaseBlockSize+binHeaderSize || string(primary[BaseBlockSize:BaseBlockSize+4]) != "hbin" {
		return formatErrorf("hive bin", BaseBlockSize, "neither the base block nor the first hive bin can be read")
	}
	if t := binary.LittleEndian.Uint64(primary[BaseBlockSize+offBinTime:]); t != l.Base.LastWritten {
		return fmt.Errorf("the log was written at %d, the first hive bin at %d (FILETIME)", l.Base.LastWritten, t)
	}
	return nil
}

// Replay applies a log that belongs to a hive, as Windows does when it loads a
// dirty one, and returns the bytes of the clean hive: its base block is the log's,
// turned into a primary file's; the bytes are new, as long as the hive needs.
func (l *Log) Replay(primary []byte) ([]byte, error) {
	if err := l.Applies(primary); err != nil {
		return nil, err
	}
	length := max(int64(len(primary)), BaseBlockSize+int64(l.Base.BinsSize))
	if grown := length - int64(len(primary)); grown > int64(len(l.Sector))+l.size() {
		return nil, formatErrorf("log", offBinsSize, "the hive would grow by %d bytes that are not in the log", grown)
	}
	b := make([]byte, length)
	copy(b, primary)
	copy(b, l.Sector)
	bb := l.Base
	bb.Type = TypePrimary
	EncodeBaseBlock(b, bb)
	for _, p := range l.Pages {
		copy(b[p.Offset:], p.Data)
	}
	return b, nil
}

// ReplayEquals says whether replaying the log over primary gives these hive bins,
// without making them. The rule of Applies is the caller's to ask.
func (l *Log) ReplayEquals(primary, want []byte) bool {
	end := BaseBlockSize + int64(l.Base.BinsSize)
	if end > int64(len(want)) {
		return false
	}
	at := int64(BaseBlockSize)
	for _, p := range append(l.Pages, DirtyPage{Offset: end}) {
		if p.Offset > at && (p.Offset > int64(len(primary)) || !bytes.Equal(primary[at:p.Offset], want[at:p.Offset])) {
			return false
		}
		at = p.Offset + int64(len(p.Data))
		if !bytes.Equal(p.Data, want[p.Offset:at]) {
			return false
		}
	}
	return true
}

// size is the length of all pages in bytes.
func (l *Log) size() int64 {
	var n int64
	for _, p := range l.Pages {
		n += int64(len(p.Data))
	}
	return n
}
