package image

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func parseDevNumber(s string) (devNumber, bool) {
	major, minor, ok := strings.Cut(strings.TrimSpace(s), ":")
	a, err1 := strconv.ParseUint(major, 10, 32)
	b, err2 := strconv.ParseUint(minor, 10, 32)
	return devNumber{uint32(a), uint32(b)}, ok && err1 == nil && err2 == nil
}

// noMedium are the kernel's names of what is no disk of a PC: memory, files,
// CD-ROMs, and floppies, whose drive takes seconds to say that it is empty.
var noMedium = [...]string{"ram", "zram", "loop", "sr", "fd"}

// Disks lists the device paths of all whole disks of this machine that have a
// medium, in order.
func (h Host) Disks() ([]string, error) {
	list, err := os.ReadDir(h.sys("block"))
	if err != nil {
		return nil, fmt.Errorf("listing disks: %w", err)
	}
	var all []string
	for _, e := range list {
		name := e.Name()
		if isDisk(name) && readWord(h.sys("block", name, "size")) > "0" {
			all = append(all, devPath(name))
		}
	}
	return all, nil
}

func isDisk(name string) bool {
	for _, prefix := range noMedium {
		rest, ok := strings.CutPrefix(name, prefix)
		if _, err := strconv.Atoi(rest); ok && err == nil {
			return false
		}
	}
	return true
}

// devPath is the device node of a kernel name, where '!' stands for '/'.
func devPath(name string) string { return "/dev/" + strings.ReplaceAll(name, "!", "/") }

// readWord reads a one-line file of sysfs; "" if it is not there.
func readWord(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// sysDir is the folder of a device in sysfs; "" if it has none.
func (h Host) sysDir(n devNumber) string {
	dir, err := filepath.EvalSymlinks(h.sys("dev", "block", n.String()))
	if err != nil {
		return ""
	}
	return dir
}

// whole is the disk a partition is part of; any other device itself.
func (h Host) whole(n devNumber) devNumber {
	dir := h.sysDir(n)
	if dir == "" || readWord(filepath.Join(dir, "partition")) == "" {
		return n
	}
	if up, ok := parseDevNumber(readWord(filepath.Join(filepath.Dir(dir), "dev"))); ok {
		return up
	}
	return n
}

// withPartitions is a device and, of a whole disk, its partitions.
func (h Host) withPartitions(n devNumber) []devNumber {
	all := []devNumber{n}
	dir := h.sysDir(n)
	list, err := os.ReadDir(dir)
	if dir == "" || err != nil {
		return all
	}
	for _, e := range list {
		sub := filepath.Join(dir, e.Name())
		if readWord(filepath.Join(sub, "partition")) == "" {
			continue
		}
		if p, ok := parseDevNumber(readWord(filepath.Join(sub, "dev"))); ok {
			all = append(all, p)
		}
	}
	return all
}

// stacked lists the devices below (slaves) or above (holders) a device.
func (h Host) stacked(n devNumber, which string) (all []devNumber, names []string) {
	dir := h.sysDir(n)
	if dir == "" {
		return nil, nil
	}
	list, err := os.ReadDir(filepath.Join(dir, which))
	if err != nil {
		return nil, nil
	}
	for _, e := range list {
		names = append(names, e.Name())
		if d, ok := parseDevNumber(readWord(h.sys("class", "block", e.Name(), "dev"))); ok {
			all = append(all, d)
		} else if d, ok := parseDevNumber(readWord(h.sys("block", e.Name(), "dev"))); ok {
			all = append(all, d)
		}
	}
	return all, names
}

// mount is one line of mountinfo.
type mount struct {
	dev                          devNumber
	point, fstype, source, super string
	writable                     bool // the file system as a whole, not only this mount
}

// mounts reads what is mounted where (proc(5), mountinfo).
func (h Host) mounts() ([]mount, error) {
	f, err := os.Open(h.proc("self", "mountinfo"))
	if err != nil {
		return nil, fmt.Errorf("reading mounts: %w", err)
	}
	defer f.Close()
	var all []mount
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		left, right, ok := strings.Cut(lines.Text(), " - ")
		a, b := strings.Fields(left), strings.Fields(right)
		if !ok || len(a) < 6 || len(b) < 3 {
			continue
		}
		dev, _ := parseDevNumber(a[2])
		all = append(all, mount{dev: dev, point: unescape(a[4]), fstype: b[0], source: unescape(b[1]), super: b[2],
			writable: hasOption(b[2], "rw")})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading mounts: %w", err)
	}
	return all, nil
}

// hasOption looks for a word in a list with commas.
func hasOption(list, word string) bool {
	for _, o := range strings.Split(list, ",") {
		if o == word {
			return true
		}
	}
	return false
}

// unescape undoes the octal escapes of mountinfo and swaps: \040 is a space.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// usable says what forbids writing to the medium: mounted read-write, held by
// another device, used as swap, read-only. It takes no lock.
func (d *disk) usable() error {
	if d.block {
		return d.host.deviceUsable(d.path, rdev(d.info))
	}
	files := []string{d.path}
	if d.inside != nil {
		files = d.inside.Files
	}
	for _, path := range files {
		info, err := os.Stat(path)
		if err == nil {
			err = mayWrite(path)
		}
		if err == nil {
			err = d.host.imageUsable(path, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (h Host) deviceUsable(path string, n devNumber) error {
	all, err := h.mounts()
	if err != nil {
		return err
	}
	for _, dev := range h.withPartitions(n) {
		for _, m := range all {
			if m.dev == dev && m.writable {
				return fmt.Errorf("%s: %s at %s: %w", path, h.name(dev), m.point, ErrMounted)
			}
		}
		if _, names := h.stacked(dev, "holders"); len(names) > 0 {
			return fmt.Errorf("%s: %s is part of %s: %w", path, h.name(dev), strings.Join(names, ", "), ErrBusy)
		}
		if h.isSwap(dev) {
			return fmt.Errorf("%s: %s is swap space: %w", path, h.name(dev), ErrBusy)
		}
	}
	if dir := h.sysDir(n); dir != "" && readWord(filepath.Join(dir, "ro")) == "1" {
		return fmt.Errorf("%s: %w", path, ErrReadOnly)
	}
	return mayWrite(path)
}

// imageUsable looks for mounts of an image file: through loop devices, or by
// a user-space file system that opened the file itself.
func (h Host) imageUsable(path string, info fs.FileInfo) error {
	all, err := h.mounts()
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.writable && isFile(m.source, info) {
			return fmt.Errorf("%s at %s: %w", path, m.point, ErrMounted)
		}
	}
	for _, loop := range h.loopsOf(info) {
		for _, dev := range h.withPartitions(loop) {
			for _, m := range all {
				if m.dev == dev && m.writable {
					return fmt.Errorf("%s through %s at %s: %w", path, h.name(dev), m.point, ErrMounted)
				}
			}
			if _, names := h.stacked(dev, "holders"); len(names) > 0 {
				return fmt.Errorf("%s: %s is part of %s: %w", path, h.name(dev), strings.Join(names, ", "), ErrBusy)
			}
		}
	}
	return h.attached(path, info)
}

// name is the device path of a device number.
func (h Host) name(n devNumber) string {
	if dir := h.sysDir(n); dir != "" {
		return devPath(filepath.Base(dir))
	}
	return n.String()
}

// isSwap reports a device in /proc/swaps, whose first line is a heading.
func (h Host) isSwap(n devNumber) bool {
	b, err := os.ReadFile(h.proc("swaps"))
	if err != nil {
		return false
	}
	for i, line := range strings.Split(string(b), "\n") {
		fields := strings.Fields(line)
		if i == 0 || len(fields) == 0 {
			continue
		}
		path := unescape(fields[0])
		if path == h.name(n) {
			return true
		}
		if info, err := os.Stat(path); err == nil && n != (devNumber{}) && rdev(info) == n {
			return true
		}
	}
	return false
}

// explain adds to a refused opening who holds the device.
func (d *disk) explain(err error) error {
	if !d.block || !isBusy(err) {
		return writeError(d.path, err)
	}
	all, _ := d.host.mounts()
	n := rdev(d.info)
	for _, dev := range append(d.host.withPartitions(n), d.host.whole(n)) {
		for _, m := range all {
			if m.dev == dev {
				return fmt.Errorf("opening %s for writing: %s is mounted at %s: %w", d.path, d.host.name(dev), m.point, ErrBusy)
			}
		}
	}
	return writeError(d.path, err)
}

// parentMembers looks for RAID and dynamic disk marks on the disk that a
// partition given as target is part of.
func (d *disk) parentMembers() (members []error, err error) {
	if !d.block {
		return nil, nil
	}
	up := d.host.whole(rdev(d.info))
	if up == rdev(d.info) {
		return nil, nil
	}
	f, err := openRead(d.host.name(up), true)
	if err != nil {
		return nil, fmt.Errorf("looking for RAID marks: %w", err)
	}
	info, err := f.Stat()
	if err != nil || rdev(info) != up {
		return nil, errors.Join(fmt.Errorf("looking for RAID marks: %s: %w", d.host.name(up), ErrChanged), f.Close())
	}
	parent, err := newDisk(d.host, d.host.name(up), f, info, nil)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return findMembers(parent, parent.size, parent.sector), parent.close()
}
