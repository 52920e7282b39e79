package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// drivers loads kernel modules for the devices of this PC, as udev would.
type drivers struct {
	dir    string // /lib/modules/VERSION
	index  *moduleIndex
	loaded map[string]bool // files that were tried
	failed []error         // modules that the kernel refused
}

// moduleParameters are given to modules that otherwise wait without need, or go on
// looking for disks in the background.
var moduleParameters = map[string]string{
	"usb_storage": "delay_use=0",
	"scsi_mod":    "scan=sync",
}

// openDrivers reads the index of the running kernel's modules.
func openDrivers(root string) (*drivers, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, fmt.Errorf("asking for the kernel's version: %w", err)
	}
	dir := filepath.Join(root, unix.ByteSliceToString(u.Release[:]))
	index, err := readModules(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("reading the modules of %s: %w", dir, err)
	}
	return &drivers{dir: dir, index: index, loaded: map[string]bool{}}, nil
}

// load loads a module and what it needs. A module that the stick does not have is
// built in, or will not be missed: what matters is whether the device appears.
func (d *drivers) load(name string) {
	for _, file := range d.index.order(name) {
		if d.loaded[file] {
			continue
		}
		d.loaded[file] = true
		if err := d.insert(file); err != nil {
			d.failed = append(d.failed, fmt.Errorf("loading %s: %w", file, err))
		}
	}
}

func (d *drivers) insert(file string) error {
	f, err := os.Open(filepath.Join(d.dir, file))
	if err != nil {
		return err
	}
	defer f.Close()
	err = unix.FinitModule(int(f.Fd()), moduleParameters[moduleName(file)], 0)
	if errors.Is(err, unix.EEXIST) || errors.Is(err, unix.ENODEV) { // there already; no such hardware
		return nil
	}
	return err
}

// loadFor loads what drives a device.
func (d *drivers) loadFor(modalias string) {
	for _, name := range d.index.drives(modalias) {
		d.load(name)
	}
}

// coldplug loads what drives the devices that the kernel has found so far.
func (d *drivers) coldplug(sys string) error {
	return filepath.WalkDir(filepath.Join(sys, "devices"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "modalias" {
			return nil // a device may vanish while it is looked at
		}
		if b, err := os.ReadFile(path); err == nil {
			d.loadFor(string(bytes.TrimSpace(b)))
		}
		return nil
	})
}

// uevents is the kernel's stream of news about devices.
type uevents struct{ fd int }

// listenUevents opens the stream; news before that are coldplug's matter.
func listenUevents() (*uevents, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("listening for devices: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20); err != nil {
		return nil, errors.Join(fmt.Errorf("listening for devices: %w", err), unix.Close(fd))
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil {
		return nil, errors.Join(fmt.Errorf("listening for devices: %w", err), unix.Close(fd))
	}
	return &uevents{fd}, nil
}

func (u *uevents) close() { unix.Close(u.fd) }

// next waits for news, at most so many milliseconds. news is false when the time is over;
// lost news count as news of nothing known, after which coldplug must look again.
func (u *uevents) next(timeout int) (event map[string]string, news bool) {
	poll := []unix.PollFd{{Fd: int32(u.fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(poll, timeout); err != nil || n == 0 {
		return nil, false
	}
	b := make([]byte, 16<<10)
	n, _, err := unix.Recvfrom(u.fd, b, 0)
	if errors.Is(err, unix.ENOBUFS) {
		return nil, true
	}
	if err != nil {
		return nil, false
	}
	return parseUevent(b[:n]), true
}

// parseUevent reads "add@/devices/…\0ACTION=add\0…": a headline, then variables.
func parseUevent(b []byte) map[string]string {
	event := map[string]string{}
	for _, word := range strings.Split(string(b), "\x00") {
		if name, value, ok := strings.Cut(word, "="); ok {
			event[name] = value
		}
	}
	return event
}
