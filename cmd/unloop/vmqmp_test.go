//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// qmp speaks QEMU's machine protocol: one JSON object a line, each command answered
// by "return" or "error", events in between.
type qmp struct {
	conn    net.Conn
	answers chan qmpMessage

	mu     sync.Mutex
	reason string // of the SHUTDOWN event
}

type qmpMessage struct {
	Return json.RawMessage
	Error  *struct{ Class, Desc string }
	Event  string
	Data   struct{ Reason string }
}

// newQMP returns our end of a connection, and QEMU's.
func newQMP() (*qmp, *os.File, error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("making a socket pair: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "qmp"), os.NewFile(uintptr(pair[1]), "qmp of QEMU")
	conn, err := net.FileConn(ours)
	if err := errors.Join(err, ours.Close()); err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	q := &qmp{conn: conn, answers: make(chan qmpMessage, 1)}
	go q.listen()
	return q, theirs, nil
}

// listen ends when QEMU does.
func (q *qmp) listen() {
	defer close(q.answers)
	for in := json.NewDecoder(q.conn); ; {
		var m qmpMessage
		if in.Decode(&m) != nil {
			return
		}
		switch {
		case m.Event == "SHUTDOWN":
			q.mu.Lock()
			q.reason = m.Data.Reason
			q.mu.Unlock()
		case m.Return != nil || m.Error != nil:
			q.answers <- m
		}
	}
}

// shutdown returns why QEMU ended: guest-shutdown, guest-reset, host-qmp-quit …
func (q *qmp) shutdown() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.reason
}

// execute runs a command with its arguments, nil for none.
func (q *qmp) execute(limit time.Duration, command string, arguments any) error {
	request := map[string]any{"execute": command}
	if arguments != nil {
		request["arguments"] = arguments
	}
	q.conn.SetWriteDeadline(time.Now().Add(limit))
	if err := json.NewEncoder(q.conn).Encode(request); err != nil {
		return fmt.Errorf("QMP %s: %w", command, err)
	}
	select {
	case m, ok := <-q.answers:
		switch {
		case !ok:
			return fmt.Errorf("QMP %s: QEMU has ended", command)
		case m.Error != nil:
			return fmt.Errorf("QMP %s: %s: %s", command, m.Error.Class, m.Error.Desc)
		}
		return nil
	case <-time.After(limit):
		return fmt.Errorf("QMP %s: no answer within %v", command, limit)
	}
}

// press types keys by QEMU's names for them: "ret", "a", "shift" …
func (q *qmp) press(limit time.Duration, names ...string) error {
	type key struct {
		Type string `json:"type"`
		Data string `json:"data"`
	}
	var keys []key
	for _, name := range names {
		keys = append(keys, key{"qcode", name})
	}
	return q.execute(limit, "send-key", map[string]any{"keys": keys})
}
