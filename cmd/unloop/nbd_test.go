package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
)

// nbdGreeting is what a server says first, and of an export of 4096 bytes.
func nbdGreeting(flags uint16) []byte {
	b := binary.BigEndian.AppendUint64(nil, nbdMagic)
	b = binary.BigEndian.AppendUint64(b, nbdOptionMagic)
	b = binary.BigEndian.AppendUint16(b, nbdFixedNewstyle|nbdNoZeroes)
	b = binary.BigEndian.AppendUint64(b, 4096)
	return binary.BigEndian.AppendUint16(b, 1|flags)
}

func nbdAnswer(code uint32, handle uint64, data string) []byte {
	b := binary.BigEndian.AppendUint32(nil, nbdReplyMagic)
	b = binary.BigEndian.AppendUint32(b, code)
	b = binary.BigEndian.AppendUint64(b, handle)
	return append(b, data...)
}

// nbdScript connects to a server that says what it is told to whatever it is asked, and
// then hangs up.
func nbdScript(says ...[]byte) (*nbdConn, error) {
	ours, theirs := net.Pipe()
	go io.Copy(io.Discard, theirs)
	go func() {
		defer theirs.Close()
		theirs.Write(slices.Concat(says...))
	}()
	c, err := nbdHandshake(ours)
	if err != nil {
		ours.Close()
	}
	return c, err
}

func TestNBD(t *testing.T) {
	c, err := nbdScript(nbdGreeting(nbdSendFlush),
		nbdAnswer(0, 1, "data"), nbdAnswer(28, 2, ""), nbdAnswer(5, 3, ""), nbdAnswer(0, 4, ""), nbdAnswer(0, 5, "last"), nbdAnswer(0, 7, "else"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Size() != 4096 || !c.writable {
		t.Errorf("%d bytes, writable %v", c.Size(), c.writable)
	}
	b := make([]byte, 4)
	if n, err := c.ReadAt(b, 0); n != 4 || err != nil || string(b) != "data" {
		t.Errorf("ReadAt = %d, %v, %q", n, err, b)
	}
	if n, err := c.WriteAt(b, 0); n != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("WriteAt on a full medium = %d, %v", n, err)
	}
	if _, err := c.ReadAt(b, 0); !errors.Is(err, syscall.EIO) {
		t.Errorf("ReadAt where there is an error: %v", err)
	}
	if err := c.Sync(); err != nil {
		t.Errorf("Sync: %v", err)
	}
	if n, err := c.ReadAt(make([]byte, 9), 4092); n != 4 || err != io.EOF {
		t.Errorf("ReadAt across the end = %d, %v", n, err)
	}
	if n, err := c.ReadAt(b, 4096); n != 0 || err != io.EOF {
		t.Errorf("ReadAt behind the end = %d, %v", n, err)
	}
	for _, off := range []int64{4093, 4096, -1} { // is not even asked
		if n, err := c.WriteAt(b, off); n != 0 || err == nil {
			t.Errorf("WriteAt at %d = %d, %v", off, n, err)
		}
	}
	for range 2 { // the answer to something else is not taken, nor any after it
		if n, err := c.ReadAt(b, 0); n != 0 || err == nil {
			t.Errorf("ReadAt = %d, %v", n, err)
		}
	}
	if err := c.Close(); err == nil {
		t.Error("closing a connection that is broken is no error")
	}
}

func TestNBDReadOnly(t *testing.T) {
	c, err := nbdScript(nbdGreeting(nbdReadOnly))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Sync(); err != nil || c.writable {
		t.Errorf("Sync = %v, writable %v", err, c.writable)
	}
	if _, err := c.ReadAt(make([]byte, 4), 0); err == nil {
		t.Error("a server that hangs up is not noticed")
	}
}

// FuzzNBD takes any bytes for what a server says.
func FuzzNBD(f *testing.F) {
	f.Add(slices.Concat(nbdGreeting(nbdSendFlush), nbdAnswer(0, 1, "data"), nbdAnswer(0, 2, "")))
	f.Fuzz(func(t *testing.T, says []byte) {
		c, err := nbdScript(says)
		if (c == nil) != (err != nil) {
			t.Fatalf("%v, %v", c, err)
		}
		if err != nil {
			return
		}
		b := make([]byte, 4)
		if n, err := c.ReadAt(b, 0); err == nil && (n != 4 || !bytes.Contains(says, b)) {
			t.Errorf("%d bytes, %q, were not said", n, b)
		}
		c.WriteAt(b, 0)
		c.Sync()
		c.Close()
	})
}
