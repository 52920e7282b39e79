package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// The NBD protocol, big-endian, as far as qemu-nbd needs it: the fixed newstyle
// handshake with NBD_OPT_EXPORT_NAME, and simple replies; after the protocol's proto.md.
const (
	nbdMagic        = 0x4e42444d41474943 // "NBDMAGIC"
	nbdOptionMagic  = 0x49484156454f5054 // "IHAVEOPT"
	nbdRequestMagic = 0x25609513
	nbdReplyMagic   = 0x67446698

	nbdFixedNewstyle = 1 << 0 // handshake flags, and those of the client
	nbdNoZeroes      = 1 << 1
	nbdExportName    = 1

	nbdReadOnly  = 1 << 1 // transmission flags
	nbdSendFlush = 1 << 2

	nbdRead       = 0
	nbdWrite      = 1
	nbdDisconnect = 2
	nbdFlush      = 3

	nbdMaxPayload = 1 << 20 // of one request; every server takes 32 MiB
)

// nbdTime is how long one answer may take. A server that hangs must not hang this
// program, too, but a slow disk behind it is no reason to give up.
const nbdTime = 5 * time.Minute

// nbdConn is a disk behind a connection to an NBD server: an io.ReaderAt and
// io.WriterAt. After the first error of the connection all further calls fail.
type nbdConn struct {
	mu       sync.Mutex
	conn     net.Conn
	size     int64
	writable bool
	flushes  bool
	handle   uint64
	broken   error
}

// nbdError is an error that the server reports for one request.
type nbdError uint32

func (n nbdError) Error() string { return fmt.Sprintf("NBD error %d", uint32(n)) }

// Unwrap gives the error of the system that the number stands for.
func (n nbdError) Unwrap() error {
	return map[nbdError]error{1: syscall.EPERM, 5: syscall.EIO, 12: syscall.ENOMEM, 22: syscall.EINVAL, 28: syscall.ENOSPC}[n]
}

// nbdHandshake agrees with a server on its default export.
func nbdHandshake(conn net.Conn) (*nbdConn, error) {
	if err := conn.SetDeadline(time.Now().Add(exportTime)); err != nil {
		return nil, err
	}
	var hello [18]byte
	if _, err := io.ReadFull(conn, hello[:]); err != nil {
		return nil, fmt.Errorf("reading the greeting: %w", err)
	}
	flags := binary.BigEndian.Uint16(hello[16:])
	if binary.BigEndian.Uint64(hello[:]) != nbdMagic || binary.BigEndian.Uint64(hello[8:]) != nbdOptionMagic || flags&nbdFixedNewstyle == 0 {
		return nil, errors.New("no greeting of an NBD server")
	}
	flags &= nbdFixedNewstyle | nbdNoZeroes
	answer := binary.BigEndian.AppendUint32(nil, uint32(flags))
	answer = binary.BigEndian.AppendUint64(answer, nbdOptionMagic)
	answer = binary.BigEndian.AppendUint32(answer, nbdExportName)
	answer = binary.BigEndian.AppendUint32(answer, 0) // length of the default export's name
	if _, err := conn.Write(answer); err != nil {
		return nil, fmt.Errorf("asking for the export: %w", err)
	}
	export := make([]byte, 10, 10+124)
	if flags&nbdNoZeroes == 0 {
		export = export[:cap(export)]
	}
	if _, err := io.ReadFull(conn, export); err != nil {
		return nil, fmt.Errorf("reading about the export: %w", err)
	}
	size, about := int64(binary.BigEndian.Uint64(export)), binary.BigEndian.Uint16(export[8:])
	if size < 0 {
		return nil, fmt.Errorf("an export of %d bytes", uint64(size))
	}
	return &nbdConn{conn: conn, size: size, writable: about&nbdReadOnly == 0, flushes: about&nbdSendFlush != 0}, nil
}

// Size of the disk in bytes.
func (c *nbdConn) Size() int64 { return c.size }

// ReadAt reads from the disk.
func (c *nbdConn) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("reading at %d", off)
	}
	if off >= c.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > c.size-off {
		p, end = p[:c.size-off], io.EOF
	}
	for done := 0; done < len(p); {
		n := min(len(p)-done, nbdMaxPayload)
		if err := c.ask(nbdRead, off+int64(done), n, nil, p[done:done+n]); err != nil {
			return done, err
		}
		done += n
	}
	return len(p), end
}

// WriteAt writes to the disk.
func (c *nbdConn) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || int64(len(p)) > c.size-off {
		return 0, fmt.Errorf("writing %d bytes at %d of a disk of %d: %w", len(p), off, c.size, io.ErrShortWrite)
	}
	for done := 0; done < len(p); {
		n := min(len(p)-done, nbdMaxPayload)
		if err := c.ask(nbdWrite, off+int64(done), n, p[done:done+n], nil); err != nil {
			return done, err
		}
		done += n
	}
	return len(p), nil
}

// Sync makes what was written permanent.
func (c *nbdConn) Sync() error {
	if !c.writable {
		return nil
	}
	if !c.flushes {
		return errors.New("the NBD server cannot flush")
	}
	return c.ask(nbdFlush, 0, 0, nil, nil)
}

// Close says goodbye; the server then closes the image.
func (c *nbdConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.broken
	if err == nil {
		err = c.send(nbdDisconnect, 0, 0, nil)
	}
	c.broken = net.ErrClosed
	return errors.Join(err, c.conn.Close())
}

// ask sends one request and reads its answer, into the buffer if there is one.
func (c *nbdConn) ask(command uint16, off int64, n int, payload, into []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	err := c.send(command, off, n, payload)
	if err == nil {
		err = c.receive(into)
	}
	if own := nbdError(0); err != nil && !errors.As(err, &own) {
		c.broken = err
	}
	return err
}

func (c *nbdConn) send(command uint16, off int64, n int, payload []byte) error {
	c.handle++
	b := make([]byte, 0, 28+len(payload))
	b = binary.BigEndian.AppendUint32(b, nbdRequestMagic)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint16(b, command)
	b = binary.BigEndian.AppendUint64(b, c.handle)
	b = binary.BigEndian.AppendUint64(b, uint64(off))
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	if err := c.conn.SetDeadline(time.Now().Add(nbdTime)); err != nil {
		return fmt.Errorf("asking the NBD server: %w", err)
	}
	if _, err := c.conn.Write(append(b, payload...)); err != nil {
		return fmt.Errorf("asking the NBD server: %w", err)
	}
	return nil
}

func (c *nbdConn) receive(into []byte) error {
	var b [16]byte
	if _, err := io.ReadFull(c.conn, b[:]); err != nil {
		return fmt.Errorf("waiting for the NBD server: %w", err)
	}
	if binary.BigEndian.Uint32(b[:]) != nbdReplyMagic || binary.BigEndian.Uint64(b[8:]) != c.handle {
		return errors.New("the NBD server answers something else")
	}
	if code := binary.BigEndian.Uint32(b[4:]); code != 0 {
		return nbdError(code)
	}
	if _, err := io.ReadFull(c.conn, into); err != nil {
		return fmt.Errorf("waiting for the NBD server: %w", err)
	}
	return nil
}
