package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"unicode/utf16"
)

// maxRecord bounds one record. Those of PCs have some ten kilobytes.
const maxRecord = 32 << 20

// pieces cuts a file of JSON into its objects: JSON Lines, or objects over several lines
// with their inner lines indented, one or more of them. What lies between counts as a
// piece too, but not blank lines and what unloop says on stderr.
type pieces struct {
	in    *bufio.Reader
	lines int    // read so far
	ahead []byte // a line that begins the next piece
	err   error  // that ended it, but for io.EOF

	text  []byte
	at    int  // its first line, from 1
	open  bool // it is one line, and the file ends without ending that
	large bool // longer than maxRecord, and cut off there
}

// newPieces reads UTF-8, or UTF-16 with its mark, as PowerShell's > writes it.
func newPieces(in io.Reader) *pieces {
	b := bufio.NewReaderSize(in, 64<<10)
	switch mark, _ := b.Peek(3); {
	case bytes.HasPrefix(mark, []byte("\xff\xfe")):
		b = bufio.NewReader(&utf16Reader{in: b})
	case bytes.Equal(mark, []byte("\ufeff")):
		_, _ = b.Discard(len(mark))
	}
	return &pieces{in: b}
}

// next finds the next piece; false after the last.
func (p *pieces) next() bool {
	line, ended := p.line()
	for line != nil && passedOver(line) {
		line, ended = p.line()
	}
	if line == nil {
		return false
	}
	p.text, p.at, p.open, p.large = line, p.lines, false, len(line) > maxRecord
	begins := line[0] == '{'
	if begins && json.Valid(line) {
		return true
	}
	for {
		was := ended
		if line, ended = p.line(); line == nil {
			p.open = !was && p.at == p.lines
			return true
		}
		if line[0] == '{' {
			p.ahead = line
			return true
		}
		if p.large = p.large || len(p.text)+len(line) > maxRecord; !p.large {
			p.text = append(p.text, line...)
		}
	}
}

// passedOver says whether a line between pieces counts for nothing.
func passedOver(line []byte) bool {
	return len(bytes.TrimSpace(line)) == 0 || bytes.HasPrefix(line, []byte("unloop: "))
}

// line reads a line with its end, and says whether it has one; nil after the last. Of one
// that is too long it keeps what shows that.
func (p *pieces) line() (line []byte, ended bool) {
	if line, p.ahead = p.ahead, nil; line != nil {
		return line, line[len(line)-1] == '\n'
	}
	for {
		part, err := p.in.ReadSlice('\n')
		if len(line) <= maxRecord {
			line = append(line, part...)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil && err != io.EOF {
			p.err = err
		}
		if len(line) > 0 {
			p.lines++
		}
		return line, err == nil
	}
}

// utf16Reader makes UTF-8 of little-endian UTF-16.
type utf16Reader struct {
	in   *bufio.Reader
	rest []byte
}

// Read gives at least one character, unless there is none left.
func (u *utf16Reader) Read(b []byte) (int, error) {
	for len(u.rest) == 0 {
		r, err := u.unit()
		if err != nil {
			return 0, err
		}
		if utf16.IsSurrogate(r) {
			low, err := u.unit()
			if err != nil {
				return 0, err
			}
			r = utf16.DecodeRune(r, low)
		}
		if r != '\ufeff' {
			u.rest = append(u.rest[:0], string(r)...)
		}
	}
	n := copy(b, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

func (u *utf16Reader) unit() (rune, error) {
	var pair [2]byte
	_, err := io.ReadFull(u.in, pair[:])
	if err == io.ErrUnexpectedEOF {
		err = io.EOF // half a character
	}
	return rune(binary.LittleEndian.Uint16(pair[:])), err
}
