package hive

import (
	"fmt"
	"slices"
	"strings"

	"unloop/hive/regf"
)

// maxMissing bounds how many missing files are named.
const maxMissing = 20

// lookAlikes names what else made PCs of those months stop or restart, as far as it shows
// here. No cure is promised for any of it.
func (f *Findings) lookAlikes() []Statement {
	return slices.Concat(f.processorFaults(), f.servicingFaults(), f.dumps(), f.missingFiles())
}

// processorFaults are those of the updates of March 2018 themselves: Windows without PAE,
// and CPUs without SSE2. They are of 32-bit Windows 7.
func (f *Findings) processorFaults() (s []Statement) {
	if f.Windows.Match == MatchNo {
		return nil
	}
	if b := f.Evidence.Boot; b != nil && b.paeOff() {
		s = append(s, say(paeOffByBoot, "BCD"))
	}
	if f.pae != nil && *f.pae == 0 {
		key := []string{ControlSetName(f.Select.Default), "Control", "Session Manager", "Memory Management", paeValue}
		s = append(s, say(paeOffByRegistry, FormatRegKey(key)))
	}
	if parseProcessor(f.Windows.CPU).lacksSSE2() {
		s = append(s, say(cpuNoSSE2, f.Windows.CPU))
	}
	return s
}

// servicingFaults are updates that Windows has not finished.
func (f *Findings) servicingFaults() (s []Statement) {
	if f.Evidence.PendingXML == Present {
		s = append(s, say(pendingXML, `WinSxS\pending.xml`))
	}
	sw := f.Evidence.Software
	if sw == nil {
		return s
	}
	for _, x := range []struct {
		there bool
		id    statementID
		key   string
	}{
		{sw.Servicing.PackagesPending, packagesPending, "PackagesPending"},
		{sw.Servicing.RebootPending, rebootPending, "RebootPending"},
		{sw.Servicing.RebootInProgress, rebootInProgress, "RebootInProgress"},
	} {
		if x.there {
			s = append(s, say(x.id, keyServicing+`\`+x.key))
		}
	}
	return s
}

// dumps names the newest crash dumps by code and date.
func (f *Findings) dumps() (s []Statement) {
	for _, d := range f.Evidence.Dumps[:min(len(f.Evidence.Dumps), maxListed)] {
		s = append(s, say(crashDump, fmt.Sprintf("0x%08X", d.Code), date(d.Time), windowsFile(d.Path)))
	}
	return s
}

// missingFiles names what starts by itself and has no file.
func (f *Findings) missingFiles() (s []Statement) {
	for _, d := range f.Evidence.Drivers {
		if d.Presence == Absent && f.startsItself(d) && len(s) < maxMissing {
			s = append(s, say(driverFileMissing, d.Service, windowsFile(d.Path)))
		}
	}
	return s
}

// startsItself says whether a file of DriverFiles is that of a service with Start 2 in the
// control set that Windows starts from. Those that are not among the findings are in that
// list for this reason alone.
func (f *Findings) startsItself(d FileSeen) bool {
	for _, s := range slices.Concat(f.Services, f.suspects, f.Others) {
		if s.Set == f.Select.Default && regf.EqualNames(s.Name, d.Service) {
			n, ok := s.StartType()
			return ok && n == StartAuto && strings.EqualFold(imageFile(s.Name, s.ImagePath, false), d.Path)
		}
	}
	return !f.names(d.Service)
}
