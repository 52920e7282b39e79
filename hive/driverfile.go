package hive

import (
	"cmp"
	"slices"
	"strings"

	"unloop/hive/regf"
)

// Types of a service (MS-SCMR).
const (
	typeKernelDriver     = 1
	typeFileSystemDriver = 2
)

// DriverFile is the file of a driver or service.
type DriverFile struct {
	Service string
	Path    string // below the Windows folder, with slashes: "system32/drivers/Haspnt.sys"; "" if it lies elsewhere
}

// maxDriverFiles bounds the files that are looked for; a PC has some sixty.
const maxDriverFiles = 1000

// DriverFiles lists, for the control set that Windows starts from, the files of the
// services that f names, and of every driver that starts by itself (Start 2): a driver
// of that kind without its file is worth knowing. What cannot be read is left out; at most
// 1,000 are listed, the drivers in question first, those of other control sets too.
func (h *Hive) DriverFiles(f *Findings) []DriverFile {
	p := &peek{root: h.root}
	var files []DriverFile
	for _, k := range p.subkeys(ControlSetName(f.Select.Default), "Services") {
		typ, start := p.number(k, "Type"), p.number(k, "Start")
		driver := typ != nil && (*typ == typeKernelDriver || *typ == typeFileSystemDriver)
		if f.names(k.Name()) || driver && start != nil && *start == StartAuto {
			win32 := typ != nil && !driver
			files = append(files, DriverFile{k.Name(), imageFile(k.Name(), p.value(k, "ImagePath").text(), win32)})
		}
	}
	for _, s := range f.suspects { // those of the other control sets
		file := DriverFile{s.Name, imageFile(s.Name, s.ImagePath, false)}
		if !slices.ContainsFunc(files, file.same) {
			files = append(files, file)
		}
	}
	slices.SortStableFunc(files, func(a, b DriverFile) int {
		return cmp.Compare(f.rank(a.Service), f.rank(b.Service))
	})
	return files[:min(len(files), maxDriverFiles)]
}

// same says whether two are the same, without case.
func (d DriverFile) same(other DriverFile) bool {
	return regf.EqualNames(d.Service, other.Service) && strings.EqualFold(d.Path, other.Path)
}

// names says whether a service of that name is among the findings.
func (f *Findings) names(service string) bool { return f.rank(service) < 2 }

// rank puts the drivers in question first, those of their makers next.
func (f *Findings) rank(service string) int {
	is := func(s Service) bool { return regf.EqualNames(s.Name, service) }
	switch {
	case slices.ContainsFunc(f.Services, is), slices.ContainsFunc(f.suspects, is):
		return 0
	case slices.ContainsFunc(f.Others, is):
		return 1
	}
	return 2
}

// imageFile turns an ImagePath into a path below the Windows folder. A driver without
// one lies in System32\drivers by its own name; a Win32 service has no such rule.
func imageFile(service, image string, win32 bool) string {
	image = withoutArguments(strings.ReplaceAll(strings.TrimSpace(image), "/", `\`))
	switch {
	case image == "" && win32:
		return ""
	case image == "":
		image = `System32\drivers\` + service + ".sys"
	}
	below, ok := belowWindows(image)
	if !ok || !plainPath(below) {
		return ""
	}
	return strings.ReplaceAll(below, `\`, "/")
}

// withoutArguments cuts off what stands behind the file's name. Without quotation marks
// Windows tries ever longer names; the first that ends like a program is taken here.
func withoutArguments(image string) string {
	if quoted, ok := strings.CutPrefix(image, `"`); ok {
		name, _, _ := strings.Cut(quoted, `"`)
		return name
	}
	lower := strings.ToLower(image)
	end := len(image)
	for _, ending := range []string{".sys ", ".exe "} {
		if i := strings.Index(lower, ending); i >= 0 {
			end = min(end, i+len(ending)-1)
		}
	}
	if len(lower) != len(image) { // letters that change their length with their case
		return image
	}
	return image[:end]
}

// belowWindows takes off what stands for the Windows folder. Which letter its drive has
// is not known here, so that C:\Windows on any drive is taken for it.
func belowWindows(image string) (string, bool) {
	image, _ = strings.CutPrefix(image, `\??\`)
	for _, root := range []string{`\SystemRoot\`, `%SystemRoot%\`, `%windir%\`} {
		if rest, ok := cutPrefixFold(image, root); ok {
			return rest, true
		}
	}
	if len(image) > 3 && image[1:3] == `:\` {
		return cutPrefixFold(image[3:], `Windows\`)
	}
	// What has no root lies below the Windows folder; what has another does not.
	return image, !strings.HasPrefix(image, `\`) && !strings.HasPrefix(image, "%")
}

// plainPath says whether a path may be looked for: no ways up, streams or odd characters.
func plainPath(s string) bool {
	if len(s) > 1024 || !graphic(s) || strings.ContainsAny(s, `:*?"<>|%`) {
		return false
	}
	return !slices.ContainsFunc(strings.Split(s, `\`), func(part string) bool { return part == "" || part == "." || part == ".." })
}
