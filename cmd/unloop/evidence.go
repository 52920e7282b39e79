package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"unloop/hive"
	"unloop/image"
)

// Bounds on what is looked at beside the SYSTEM hive.
const (
	maxSoftware = 256 << 20 // bytes of a SOFTWARE hive; those of Windows 7 have 20 to 100 MB
	maxBoot     = 16 << 20  // bytes of a BCD hive; they have 30 KB
	maxDumps    = 50        // crash dumps that are opened: Windows 7 keeps no more small ones
)

// evidence is what was found beside the SYSTEM hive, and what could not be looked at.
type evidence struct {
	hive.Evidence
	notes []string
}

// unread lists what is there and could not be read, as a failing disk makes it. What was
// found damaged is told in the diagnosis alone.
func (ev evidence) unread() []string {
	all := slices.Clone(ev.notes)
	if s := ev.Software; s != nil && s.Product == "" && s.Problem != "" {
		all = append(all, s.Problem)
	}
	for _, file := range slices.Concat(ev.Kernels, ev.Drivers) {
		if file.Problem != "" {
			all = append(all, file.Path+": "+file.Problem)
		}
	}
	return all
}

// gather looks for what beside the SYSTEM hive bears on the diagnosis. None of it is a
// condition of a repair: what is not there or cannot be read is left out or noted, and
// never fails.
func (e *env) gather(in *image.Installation, h *hive.Hive, f *hive.Findings) evidence {
	g := &gatherer{in: in, folders: map[string]folder{}}
	g.found.Software = e.software(g)
	if in.Folder() == "" { // a hive file, or a config folder without its Windows around it
		return g.found
	}
	g.found.Boot = g.boot()
	for _, name := range []string{"ntoskrnl.exe", "ntkrnlpa.exe"} {
		g.found.Kernels = append(g.found.Kernels, g.look("", "System32/"+name, true))
	}
	for _, d := range h.DriverFiles(f) {
		if d.Path != "" {
			g.found.Drivers = append(g.found.Drivers, g.look(d.Service, d.Path, suspected(f, d.Service)))
		}
	}
	_, g.found.SysWOW64 = g.find("SysWOW64")
	_, g.found.PendingXML = g.find("WinSxS/pending.xml")
	g.found.Dumps = g.dumps()
	g.found.BootTime = g.bootTime()
	return g.found
}

// software reads the SOFTWARE hive; of several targets at once, one at a time, or all of
// them would count with the same free memory.
func (e *env) software(g *gatherer) *hive.Software {
	e.large.Lock()
	defer e.large.Unlock()
	g.free = e.host.FreeMemory()
	return g.software()
}

// suspected says whether the version of a service's file is worth knowing: of the
// drivers in question and of what their makers brought besides.
func suspected(f *hive.Findings, service string) bool {
	is := func(s hive.Service) bool { return strings.EqualFold(s.Name, service) }
	return slices.ContainsFunc(f.Services, is) || slices.ContainsFunc(f.Others, is) ||
		slices.ContainsFunc(hive.DefaultServices(), func(name string) bool { return strings.EqualFold(name, service) })
}

// gatherer looks into one installation. Folders are listed once: System32 has 3,000
// names, and a score of files is looked for there.
type gatherer struct {
	in      *image.Installation
	free    int64 // bytes of memory; 0: not known
	folders map[string]folder
	found   evidence
}

// folder is what a folder was found to hold.
type folder struct {
	entries []image.Entry
	err     error
}

// note says what could not be looked at; that something is not there is no news.
func (g *gatherer) note(err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		g.found.notes = append(g.found.notes, err.Error())
	}
}

// list lists a folder by its path below the Windows folder.
func (g *gatherer) list(dir string) folder {
	key := strings.ToLower(dir)
	l, ok := g.folders[key]
	if !ok {
		l.entries, l.err = g.in.List(path.Join(g.in.Folder(), dir))
		g.note(l.err)
		g.folders[key] = l
	}
	return l
}

// find looks for a name by its path below the Windows folder. A whole folder that is
// missing says nothing of what should be in it: this is the copy of a part of a Windows.
func (g *gatherer) find(name string) (image.Entry, hive.Presence) {
	dir, base := path.Split(name)
	l := g.list(path.Clean(dir))
	if found, ok := image.FindEntry(l.entries, base); ok {
		return found, hive.Present
	}
	if l.err != nil {
		return image.Entry{}, hive.PresenceUnknown
	}
	return image.Entry{}, hive.Absent
}

// look looks for a file by its path below the Windows folder and, if asked to, reads its
// version.
func (g *gatherer) look(service, name string, version bool) hive.FileSeen {
	entry, presence := g.find(name)
	seen := hive.FileSeen{Service: service, Path: name, Presence: presence}
	if presence != hive.Present || !version {
		return seen
	}
	file, err := entry.Open()
	if errors.Is(err, fs.ErrNotExist) { // the folder was out of date, or this is one
		return hive.FileSeen{Service: service, Path: name, Presence: hive.Absent}
	}
	if err == nil {
		var info image.PEInfo
		seen.Modified = file.Modified()
		info, err = image.ReadPE(file, file.Size())
		seen.Machine, seen.Version = info.Machine, hive.FileVersion(info.Version)
	}
	if err != nil {
		seen.Problem = err.Error()
	}
	return seen
}

// software reads the SOFTWARE hive; nil without one.
func (g *gatherer) software() *hive.Software {
	files, err := g.readHive(g.in.Open, "SOFTWARE", maxSoftware)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		var s *hive.Software
		if s, err = hive.ReadSoftware(files); err == nil {
			return s
		}
	}
	return &hive.Software{Problem: err.Error()}
}

// boot reads the BCD hive of the volume that starts the PC; nil without one.
func (g *gatherer) boot() *hive.BootConfig {
	files, err := g.readHive(g.in.OpenBoot, "BCD", maxBoot)
	if err == nil {
		var b *hive.BootConfig
		if b, err = hive.ReadBoot(files); err == nil {
			return b
		}
	}
	g.note(err)
	return nil
}

// readHive reads a hive and its logs. A log that cannot be read counts as missing.
func (g *gatherer) readHive(open func(string) (*image.File, error), name string, limit int64) (files hive.Files, err error) {
	files.Name = name
	f, err := open(name)
	if err != nil {
		return files, err
	}
	// One that is dirty is held twice. Without the memory for it there is still a repair.
	if size := f.Size(); g.free > 0 && size > g.free/3 {
		return files, fmt.Errorf("reading %s: %d MB of %d MB of memory: %w", f.Label(), size>>20, g.free>>20, image.ErrUnsupported)
	}
	if files.Primary, err = readAll(f, limit); err != nil {
		return files, err
	}
	for suffix, log := range map[string]*[]byte{".LOG": &files.Log, ".LOG1": &files.Log1, ".LOG2": &files.Log2} {
		f, err := open(name + suffix)
		if err != nil {
			g.note(err)
			continue
		}
		if *log, err = readAll(f, min(limit, maxLog)); err != nil {
			*log = nil
			g.note(err)
		}
	}
	return files, nil
}

// bootTime is when the boot status was last written, as a start does; zero if unknown.
func (g *gatherer) bootTime() time.Time {
	if entry, there := g.find("bootstat.dat"); there == hive.Present {
		f, err := entry.Open()
		if err == nil {
			return f.Modified()
		}
		g.note(err)
	}
	return time.Time{}
}

// dumps reads code and date of the newest crash dumps. What is none is passed over.
func (g *gatherer) dumps() []hive.Dump {
	var all []hive.Dump
	add := func(name string, entry image.Entry) {
		f, err := entry.Open()
		if err != nil {
			g.note(err)
			return
		}
		d, err := image.ReadDump(f, f.Size())
		if errors.Is(err, syscall.EIO) {
			g.note(err)
		}
		if err != nil {
			return
		}
		if d.Time.IsZero() {
			d.Time = f.Modified()
		}
		all = append(all, hive.Dump{Path: name, Code: d.Code, Time: d.Time})
	}
	if entry, there := g.find("MEMORY.DMP"); there == hive.Present {
		add(entry.Name, entry)
	}
	if entry, there := g.find("Minidump"); there == hive.Present && entry.Dir {
		for _, small := range newest(g.list(entry.Name).entries) {
			add(entry.Name+"/"+small.Name, small)
		}
	}
	slices.SortStableFunc(all, func(a, b hive.Dump) int { return b.Time.Compare(a.Time) })
	return all
}

// newest returns the crash dumps that were written last.
func newest(entries []image.Entry) []image.Entry {
	var dumps []image.Entry
	for _, entry := range entries {
		if !entry.Dir && strings.EqualFold(path.Ext(entry.Name), ".dmp") {
			dumps = append(dumps, entry)
		}
	}
	slices.SortStableFunc(dumps, func(a, b image.Entry) int { return b.Modified.Compare(a.Modified) })
	return dumps[:min(len(dumps), maxDumps)]
}

// moment gives a time for JSON; nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}
