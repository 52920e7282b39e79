package main

import (
	"bytes"
	"context"
	_ "embed" // for guard.sh
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"unloop/image"
)

// exporterName is the program that reads and writes the image formats that are no plain
// bytes. It serves one disk to one client, and ends when that goes away.
const exporterName = "qemu-nbd"

// guard starts it, and ends it when our end of its standard input closes, be it by
// kill -9. Qemu-nbd forgets a signal that comes while it opens the image, so that one is
// not enough.
//
//go:embed guard.sh
var guard string

const (
	exportTime  = 30 * time.Second // until it serves the image, and until it has ended
	exportLocks = 2 * time.Second  // how long a run that is just ending may still hold the image
	exportWords = 2 * time.Second  // how long one that serves nothing may take to say why
	exportPause = 5 * time.Millisecond
	maxSocket   = 100 // length of a socket's path; systems differ a little
)

// exported is a disk that qemu-nbd serves.
type exported struct {
	*nbdConn
	server *server
}

// exportImage has the disk of a container served. QEMU gets each layer with its format,
// so that it guesses nothing, and opens no file that a header names and we have not seen.
func (e *env) exportImage(c *image.Container, writable bool) (image.Exported, error) {
	program, err := exec.LookPath(exporterName)
	if runtime.GOOS == "windows" {
		err = errors.ErrUnsupported
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", image.ErrNoExporter, err)
	}
	graph, err := blockGraph(c.Layers, writable)
	if err != nil {
		return nil, err
	}
	for begin := time.Now(); ; time.Sleep(10 * exportPause) {
		x, err := e.serve(program, graph, writable)
		if err != nil && e.ctx.Err() != nil {
			return nil, errInterrupted
		}
		if err == nil || !errors.Is(err, image.ErrBusy) || time.Since(begin) > exportLocks {
			return x, err
		}
	}
}

// blockNode describes an image to QEMU, see its blockdev options.
type blockNode struct {
	Driver   string      `json:"driver"`
	ReadOnly bool        `json:"read-only"`
	File     *blockFile  `json:"file"`
	Extents  []extentRef `json:"extents,omitempty"`
	Backing  *blockNode  `json:"backing"` // null: none, whatever the header says
}

type blockFile struct {
	Driver   string `json:"driver"`
	Filename string `json:"filename"`
	ReadOnly bool   `json:"read-only"`
}

// extentRef has an extent opened as an ordinary file, never as a device or a URL.
type extentRef struct {
	Driver string `json:"driver"`
}

// rawNode is the same for a raw image, which knows no backing. Of a VHD the size counts, not
// the geometry, which ends before it: VirtualBox and Windows use all of the disk.
type rawNode struct {
	Driver   string     `json:"driver"`
	ReadOnly bool       `json:"read-only"`
	File     *blockFile `json:"file"`
	Size     string     `json:"force_size_calc,omitempty"`
}

// MarshalJSON leaves backing out where the driver does not know it.
func (n *blockNode) MarshalJSON() ([]byte, error) {
	type plain blockNode
	raw := rawNode{Driver: n.Driver, ReadOnly: n.ReadOnly, File: n.File}
	switch n.Driver {
	case "qcow2", "vmdk":
		return json.Marshal((*plain)(n))
	case "vpc":
		raw.Size = "current_size"
	}
	return json.Marshal(raw)
}

// blockGraph describes the layers of a disk, of which only the top one is ever written.
func blockGraph(layers []image.Layer, writable bool) (string, error) {
	var node *blockNode
	for i := len(layers) - 1; i >= 0; i-- {
		path, err := filepath.Abs(layers[i].Path)
		if err != nil {
			return "", err
		}
		if !utf8.ValidString(path) {
			return "", fmt.Errorf("%w: the name of %q is not UTF-8", image.ErrExport, path)
		}
		readOnly := i > 0 || !writable
		node = &blockNode{
			Driver: layers[i].Format.Driver(), ReadOnly: readOnly, Backing: node,
			File: &blockFile{Driver: "file", Filename: path, ReadOnly: readOnly},
		}
		for range layers[i].Extents {
			node.Extents = append(node.Extents, extentRef{"file"})
		}
	}
	text, err := json.Marshal(node)
	return "json:" + string(text), err
}

// serve starts the program and connects to it. The socket lies in a folder that nobody
// else may enter, and is gone as soon as it is connected. Ctrl-C ends all that.
func (e *env) serve(program, graph string, writable bool) (image.Exported, error) {
	dir, err := socketFolder()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", image.ErrNotStarted, err)
	}
	defer os.Remove(dir)
	socket := filepath.Join(dir, "nbd")
	defer os.Remove(socket)
	args := []string{"--socket=" + socket, "--shared=1", "--discard=ignore", "--detect-zeroes=off", "--cache=writeback", "--aio=threads"}
	if !writable {
		args = append(args, "--read-only")
	}
	s, err := startServer(exec.Command("/bin/sh", slices.Concat([]string{"-c", guard, "sh", program}, args, []string{graph})...))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", image.ErrNotStarted, err)
	}
	ctx, cancel := context.WithTimeout(e.ctx, e.exportTime)
	defer cancel()
	c, err := s.shake(ctx, socket)
	switch {
	case ctx.Err() != nil:
		if c != nil {
			err = c.Close()
		}
		return nil, fmt.Errorf("%w: no answer in %v: %w", image.ErrNotStarted, e.exportTime, errors.Join(err, s.end(0)))
	case err != nil:
		return nil, s.why(errors.Join(err, s.end(exportWords)))
	case writable && !c.writable:
		return nil, fmt.Errorf("%w: it is served read-only: %w", image.ErrExport, errors.Join(c.Close(), s.end(exportTime)))
	}
	return &exported{c, s}, nil
}

// socketFolder makes a folder for a socket, whose path must not be long.
func socketFolder() (string, error) {
	dir, err := os.MkdirTemp("", "unloop-nbd-")
	if err != nil || len(dir) < maxSocket {
		return dir, err
	}
	if err := os.Remove(dir); err != nil {
		return "", err
	}
	return os.MkdirTemp("/tmp", "unloop-nbd-")
}

// Close ends the server, and waits until it has closed the image.
func (x *exported) Close() error {
	return errors.Join(x.nbdConn.Close(), x.server.end(exportTime))
}

// server is a running qemu-nbd.
type server struct {
	process *os.Process
	alive   io.Closer     // as long as this is open
	done    chan struct{} // closed when it has ended
	err     error         // how it ended, once done
	mu      sync.Mutex
	said    bytes.Buffer // on stderr
}

// Write takes what the server says on stderr, as long as it is not too much.
func (s *server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.said.Len() < 1<<16 {
		s.said.Write(p)
	}
	return len(p), nil
}

func (s *server) words() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(strings.Fields(s.said.String()), " ")
}

// startServer starts the program in a process group of its own: Ctrl-C in the terminal
// is for us, and must not end it in mid-write.
func startServer(cmd *exec.Cmd) (s *server, err error) {
	s = &server{done: make(chan struct{})}
	if s.alive, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	cmd.Stderr, cmd.Stdout = s, s
	cmd.WaitDelay = time.Second
	apart(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.process = cmd.Process
	go func() {
		s.err = cmd.Wait()
		close(s.done)
	}()
	return s, nil
}

// shake waits until the server listens, and agrees with it on the disk. It listens before
// it opens the image.
func (s *server) shake(ctx context.Context, socket string) (*nbdConn, error) {
	conn, err := s.connect(ctx, socket)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	c, err := nbdHandshake(conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// connect waits until the server listens.
func (s *server) connect(ctx context.Context, socket string) (net.Conn, error) {
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-s.done:
			return nil, err
		case <-time.After(exportPause):
		}
	}
}

// notRunnable and notFound are what a shell ends with when it cannot start a program.
const notRunnable, notFound = 126, 127

// why says why a server served nothing; err is what was noticed of that.
func (s *server) why(err error) error {
	said := s.words()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && (exit.ExitCode() == notRunnable || exit.ExitCode() == notFound):
		return fmt.Errorf("%w: %s", image.ErrNotStarted, said)
	case strings.Contains(said, "Failed to get") && strings.Contains(said, "lock"):
		return fmt.Errorf("%s: %w: %s", exporterName, image.ErrBusy, said)
	case said == "":
		return fmt.Errorf("%w: %w", image.ErrExport, err)
	}
	return fmt.Errorf("%w: %s", image.ErrExport, said)
}

// end waits for a server that was told goodbye, and sees to it that it ends. One without
// patience is killed at once: what was never served holds no write of ours.
func (s *server) end(patience time.Duration) error {
	defer s.alive.Close()
	for _, step := range []struct {
		force func()
		wait  time.Duration
	}{
		{func() {}, patience},
		{func() { s.alive.Close() }, patience},
		{func() { killGroup(s.process) }, exportTime},
	} {
		step.force()
		select {
		case <-s.done:
			if s.err != nil {
				return fmt.Errorf("%s: %w: %s", exporterName, s.err, s.words())
			}
			return nil
		case <-time.After(step.wait):
		}
	}
	return fmt.Errorf("%s does not end", exporterName)
}
