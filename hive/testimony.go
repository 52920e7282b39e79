package hive

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxListed bounds how many updates, and how many dumps, are named one by one.
const maxListed = 3

// testimony is the evidence for and against the verdict, firmest first. Each statement
// names the file or key it comes from.
func (f *Findings) testimony() []Statement {
	return slices.Concat(f.onWindows(), f.onKernels(), f.onUpdates(), f.onDrivers(), f.onPrograms(), f.onContext())
}

// onWindows tells which Windows this is.
func (f *Findings) onWindows() (s []Statement) {
	switch f.system.Match {
	case MatchYes:
		s = append(s, say(systemFits, f.system.String()))
	case MatchNo:
		s = append(s, say(systemOther, f.system.String()))
	}
	if sw := f.Evidence.Software; sw != nil && sw.Product != "" {
		id := productNamed
		if family := productFamily(sw.Product); family != "" && family != windows7 {
			id = productOther
		}
		s = append(s, say(id, strings.TrimSpace(sw.Product+" "+sw.CSDVersion), orUnknown(sw.Build), keyWindowsNT))
	}
	for _, k := range f.Evidence.Kernels {
		switch k.Machine {
		case 0:
		case MachineI386:
			s = append(s, say(machineFits, windowsFile(k.Path)))
		default:
			s = append(s, say(machineOther, windowsFile(k.Path), MachineName(k.Machine)))
		}
	}
	if f.Evidence.SysWOW64 == Present {
		s = append(s, say(wow64There, "SysWOW64"))
	}
	return s
}

// onKernels compares the kernels' versions with those of March 2018.
func (f *Findings) onKernels() (s []Statement) {
	for _, k := range f.Evidence.Kernels {
		file, version := windowsFile(k.Path), k.Version.String()
		name, pack := kernelWindows(k.Version)
		switch {
		case k.Problem != "":
			s = append(s, say(kernelUnread, file, k.Problem))
		case k.Presence != Present:
		case version == "":
			s = append(s, say(kernelNoVersion, file))
		case name != windows7 || pack != 1:
			s = append(s, say(kernelOther, file, version))
		case atLeast(k.Version, firstKernel()):
			s = append(s, say(kernelNew, file, version, firstKernel().String()))
		default:
			s = append(s, say(kernelOld, file, version, firstKernel().String()))
		}
	}
	return s
}

// onUpdates tells which updates with the mitigations are recorded: all that wait, and the
// newest of the others.
func (f *Findings) onUpdates() (s []Statement) {
	sw := f.Evidence.Software
	if sw == nil {
		return nil
	}
	listed := 0
	for _, u := range f.NewUpdates() {
		if u.State == StateInstallPending {
			s = append(s, say(updateWaits, u.Label(), u.Package))
		} else if listed++; listed <= maxListed {
			s = append(s, u.statement())
		}
	}
	_, in := f.update(StateInstalled, StateInstallPending, StateSuperseded)
	if !in && sw.Problem == "" && f.Windows.Match != MatchNo { // the packages of another Windows are not looked for
		s = append(s, say(noUpdate, keyServicing))
	}
	if sw.Problem != "" {
		s = append(s, say(softwareUnread, sw.Problem))
	}
	return s
}

// statement tells what is recorded of an update.
func (u UpdatePackage) statement() Statement {
	state := StateName(u.State)
	switch {
	case u.State != StateInstalled && u.State != StateSuperseded:
		return say(updateOther, u.Label(), state, u.Package)
	case u.Installed.IsZero():
		return say(updateInUndated, u.Label(), state, u.Package)
	}
	return say(updateIn, u.Label(), state, date(u.Installed), u.Package)
}

// Label names an update by article and build, as far as they are known.
func (u UpdatePackage) Label() string {
	build := "7601." + strconv.Itoa(u.Build)
	switch {
	case u.Build == 0:
		return u.KB
	case u.KB == "":
		return build
	}
	return u.KB + " (" + build + ")"
}

// leastBuild is the build that the update brings, or of a preview, whose own is not
// known, that of the rollup before it.
func (u UpdatePackage) leastBuild() int {
	if u.Build != 0 {
		return u.Build
	}
	kb, _ := strconv.Atoi(strings.TrimPrefix(u.KB, "KB"))
	r, _ := ReleaseOfKB(kb)
	return r.Build
}

// onDrivers tells how it stands with the drivers in question.
func (f *Findings) onDrivers() (s []Statement) {
	if len(f.suspects) == 0 {
		s = append(s, say(noDrivers, strings.Join(DefaultServices(), ", "), FormatRegKey([]string{ControlSetName(f.Select.Default), "Services"})))
	}
	var told []string
	for _, d := range f.inDefaultSet(f.suspects) {
		if containsName(told, d.Name) {
			continue
		}
		told = append(told, d.Name)
		s = append(s, onDriver(d))
		s = append(s, f.onFile(d)...)
	}
	var others []string
	for _, o := range f.Others {
		if !containsName(others, o.Name) {
			others = append(others, o.Name)
		}
	}
	if len(others) > 0 {
		key := f.Others[0].Path[:len(f.Others[0].Path)-1]
		s = append(s, say(otherServicesThere, strings.Join(others, ", "), FormatRegKey(key)))
	}
	return s
}

// inDefaultSet sorts services so that those of the control set that Windows starts from
// come first.
func (f *Findings) inDefaultSet(services []Service) []Service {
	services = slices.Clone(services)
	rank := func(s Service) int {
		if s.Set == f.Select.Default {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(services, func(a, b Service) int { return rank(a) - rank(b) })
	return services
}

func onDriver(d Service) Statement {
	key := FormatRegKey(d.Path)
	n, ok := d.StartType()
	switch {
	case !ok:
		return say(driverNoStart, d.Name, key)
	case n == StartDisabled:
		return say(driverOff, d.Name, key)
	}
	return say(driverStarts, d.Name, decimal(n), key)
}

// onFile tells of a driver's file. That a version is good is never said: which one was
// cured is not known.
func (f *Findings) onFile(d Service) []Statement {
	seen := f.fileOf(d)
	file := windowsFile(seen.Path)
	switch {
	case imageFile(d.Name, d.ImagePath, false) == "":
		return []Statement{say(driverElsewhere, d.Name, d.ImagePath)}
	case seen.Presence == Absent:
		return []Statement{say(fileMissing, d.Name, file)}
	case seen.Presence == Present && seen.Version == FileVersion{}:
		return []Statement{say(fileThere, d.Name, file)}
	case seen.Presence == Present:
		return []Statement{say(fileThereVersion, d.Name, file, seen.Version.String())}
	}
	return nil
}

// onPrograms lists HASP and Sentinel programs.
func (f *Findings) onPrograms() (s []Statement) {
	if f.Evidence.Software == nil {
		return nil
	}
	for _, p := range f.Evidence.Software.Programs {
		key := keyUninstall
		if p.Name == installerName {
			key = keyInstaller
		}
		s = append(s, say(programThere, p.String(), key))
	}
	return s
}

// onContext tells what speaks neither for nor against the fault.
func (f *Findings) onContext() (s []Statement) {
	var sets []string
	for _, o := range f.Overrides {
		if o.Active() {
			sets = append(sets, FormatRegKey(o.Path))
		}
	}
	if len(sets) > 0 {
		s = append(s, say(overrideOn, strings.Join(sets, ", ")))
	}
	switch cpu := parseProcessor(f.Windows.CPU); {
	case cpu.vendor == vendorAMD:
		s = append(s, say(cpuAMD, f.Windows.CPU))
	case cpu.immuneAtom():
		s = append(s, say(cpuAtom, f.Windows.CPU))
	}
	if t := f.Evidence.BootTime; !t.IsZero() {
		s = append(s, say(lastStart, date(t), "bootstat.dat"))
	}
	if sw := f.Evidence.Software; sw != nil && !sw.LastUpdate.IsZero() {
		s = append(s, say(lastUpdate, date(sw.LastUpdate), keyServicing))
	}
	return s
}

func orUnknown(s string) string {
	if s == "" {
		return "?"
	}
	return s
}

// date spells the day of a time, in UTC: PCs' own time zones are not known.
func date(t time.Time) string {
	if t.IsZero() {
		return "?"
	}
	return t.UTC().Format("2006-01-02")
}

// windowsFile spells a path below the Windows folder as Windows does.
func windowsFile(path string) string { return strings.ReplaceAll(path, "/", `\`) }
