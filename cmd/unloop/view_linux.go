package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// viewAt is where the found Windows volume can be looked at.
const viewAt = "/windows"

// view is a Windows volume mounted read-only by ntfs-3g, for the technician's shell. It
// is never mounted while unloop writes to its disk.
type view struct {
	device string
	cmd    *exec.Cmd
	ended  chan error
}

// viewTime is how long ntfs-3g may take to mount.
const viewTime = 10 * time.Second

// openView mounts a volume.
func openView(device string) (*view, error) {
	// With ro ntfs-3g neither empties the journal nor writes anything else.
	v := &view{device: device, cmd: exec.Command("ntfs-3g", "-o", "ro,no_detach,noatime,norecover", device, viewAt), ended: make(chan error, 1)}
	var said bytes.Buffer
	v.cmd.Stderr = &said
	if mountedAt(viewAt) {
		return nil, fmt.Errorf("mounting %s: something is mounted at %s", device, viewAt)
	}
	if err := v.cmd.Start(); err != nil {
		return nil, fmt.Errorf("mounting %s: %w", device, err)
	}
	go func() { v.ended <- v.cmd.Wait() }()
	for end := time.Now().Add(viewTime); time.Now().Before(end); {
		if mountedAt(viewAt) {
			return v, nil
		}
		select {
		case err := <-v.ended:
			return nil, fmt.Errorf("mounting %s: %w: %s", device, err, strings.TrimSpace(said.String()))
		case <-time.After(10 * time.Millisecond):
		}
	}
	err := fmt.Errorf("mounting %s: no answer", device)
	if kerr := v.cmd.Process.Kill(); kerr != nil {
		return nil, errors.Join(err, kerr)
	}
	select {
	case <-v.ended:
	case <-time.After(time.Second):
	}
	if mountedAt(viewAt) { // at the last moment; nobody serves it now
		err = errors.Join(err, unix.Unmount(viewAt, unix.MNT_DETACH))
	}
	return nil, err
}

// close unmounts the volume and waits until ntfs-3g has let go of the device.
func (v *view) close() error {
	if v == nil {
		return nil
	}
	if err := unix.Unmount(viewAt, 0); err != nil {
		// Somebody's shell stands in it; what is open stays readable, the name is gone.
		if err := errors.Join(v.cmd.Process.Kill(), unix.Unmount(viewAt, unix.MNT_DETACH)); err != nil {
			return fmt.Errorf("unmounting %s: %w", v.device, err)
		}
	}
	select {
	case <-v.ended:
		return nil
	case <-time.After(viewTime):
		return fmt.Errorf("unmounting %s: ntfs-3g does not end", v.device)
	}
}

// mountedAt says whether something is mounted at a path.
func mountedAt(path string) bool {
	mounts := readLine("/proc/self/mountinfo")
	for line := range strings.Lines(mounts) {
		if f := strings.Fields(line); len(f) > 4 && f[4] == path {
			return true
		}
	}
	return false
}
