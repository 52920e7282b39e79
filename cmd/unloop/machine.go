package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// machine is what the BIOS says of the PC.
type machine struct {
	Vendor  string `json:"vendor,omitempty"`
	Product string `json:"product,omitempty"`
	Serial  string `json:"serial,omitempty"`
	BIOS    string `json:"bios,omitempty"`
}

func readMachine(sys string) machine {
	word := func(name string) string { return meant(readLine(filepath.Join(sys, "class/dmi/id", name))) }
	m := machine{word("sys_vendor"), word("product_name"), word("product_serial"), word("bios_version")}
	if m.Serial == "" {
		m.Serial = word("board_serial")
	}
	return m
}

// meant is empty for what makers leave in a field that they did not fill.
func meant(s string) string {
	low := strings.ToLower(s)
	for _, filler := range []string{"o.e.m", "to be filled", "not specified", "system serial number", "default string", "none", "invalid", "not applicable", "system manufacturer", "system product name", "unknown"} {
		if strings.Contains(low, filler) {
			return ""
		}
	}
	if strings.Trim(low, "0. -x") == "" {
		return ""
	}
	return s
}

func (m machine) String() string {
	var words []string
	for _, w := range []string{m.Vendor, m.Product} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// fileWord makes a part of a folder's name of a string: what FAT and Windows allow, no
// blanks, not too long; other stands for an empty one.
func fileWord(s, other string) string {
	clean := strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) || c == '-' || c == '_' || c == '.' {
			return c
		}
		return '_'
	}, strings.TrimSpace(s))
	if words := []rune(clean); len(words) > 40 {
		clean = string(words[:40])
	}
	if clean = strings.Trim(clean, "-._"); clean == "" {
		return other
	}
	return clean
}

// diskIdentity names a disk by what is fixed in it, for the manifest: model and serial
// number, and the PC's own number, as disks without one are not rare.
func (m machine) diskIdentity(sys, device string) string {
	dir := filepath.Join(sys, "class/block", filepath.Base(device))
	name := diskAbout(sys, filepath.Base(device))
	if serial := diskSerial(dir); serial != "" {
		name += ", serial " + serial
	}
	if m.Serial != "" {
		name += ", in PC " + m.Serial
	}
	return strings.ToValidUTF8(name, "?") // as JSON would, and an undo compares it with the manifest's
}

// diskSerial reads a disk's serial number: a file of its own (NVMe, virtio), or page
// 0x80 of the vital product data (SCSI Primary Commands, "Unit Serial Number").
func diskSerial(dir string) string {
	for _, name := range []string{"serial", "device/serial"} {
		if s := readLine(filepath.Join(dir, name)); s != "" {
			return s
		}
	}
	page := readLine(filepath.Join(dir, "device/vpd_pg80"))
	if len(page) < 4 {
		return ""
	}
	return strings.TrimFunc(page[4:], func(c rune) bool { return c <= ' ' || c > '~' })
}

// diskAbout says of a disk what is printed on it: model and size in GB as makers count.
func diskAbout(sys, name string) string {
	dir := filepath.Join(sys, "class/block", name)
	words := strings.Fields(readLine(filepath.Join(dir, "device/vendor")) + " " + readLine(filepath.Join(dir, "device/model")))
	if len(words) > 0 && strings.HasPrefix(words[0], "0x") {
		words = words[1:] // of a virtual disk the vendor is a number
	}
	if sectors, err := strconv.ParseInt(readLine(filepath.Join(dir, "size")), 10, 64); err == nil {
		words = append(words, sizeWords(sectors*512))
	}
	return strings.Join(words, " ")
}

// readLine reads a one-line file of /sys or /proc; "" if it cannot be read.
func readLine(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(bytes.TrimRight(b, "\x00\n")))
}
