package hive

import (
	"slices"
	"strings"

	"unloop/hive/regf"
)

// Weigh gives the verdict from the SYSTEM hive and what was seen beside it. It sets
// Windows, Verdict, Reason, AlreadyRepaired, Evidence and Diagnosis, each time anew.
//
// The kernel's own version is the firmest sign of the updates, because it says what will
// be loaded even when the bookkeeping is half done; only where it is not known do the
// packages of Component Based Servicing count. The CPU and the look-alikes never change
// the verdict.
func (f *Findings) Weigh(ev Evidence) {
	f.Evidence = ev
	f.Windows = f.refined(ev)
	var reason statementID
	var args []string
	f.Verdict, reason, args = f.judge()
	f.Reason = sentence(reason, args...)
	f.AlreadyRepaired = (f.Verdict == Affected || f.Verdict == Probable) &&
		(f.overrideActive() || len(f.Services) > 0 && f.servicesDisabled())
	f.Diagnosis = Diagnosis{Reason: say(reason, args...), Evidence: f.testimony(), LookAlikes: f.lookAlikes()}
}

// judge returns the verdict and its reason.
func (f *Findings) judge() (v Verdict, reason statementID, args []string) {
	windows := f.Windows.String()
	switch f.Windows.Match {
	case MatchNo:
		return NotAffected, notThisWindows, []string{windows}
	case MatchUnknown:
		return Unknown, windowsUnknown, nil
	}
	drivers := strings.Join(f.loadable(), ", ")
	kernel, known := f.kernel()
	waiting, waits := f.update(StateInstallPending)
	update, updated := f.update(StateInstallPending, StateInstalled, StateSuperseded)
	switch {
	case known && !atLeast(kernel, firstKernel()) && waits:
		return Probable, probableWaiting, []string{windows, kernel.String(), waiting.Label()}
	case known && !atLeast(kernel, firstKernel()):
		return NotAffected, notThisKernel, []string{windows, kernel.String()}
	case known && drivers == "":
		return Probable, probableNoDrivers, []string{windows, kernel.String()}
	case known:
		return Affected, affectedByKernel, []string{windows, drivers, kernel.String()}
	case drivers == "":
		return Probable, probableNothingKnown, []string{windows}
	case updated:
		return Affected, affectedByUpdate, []string{windows, drivers, update.Label()}
	}
	return Probable, probableUpdatesUnknown, []string{windows, drivers}
}

// loadable names the drivers in question that Windows could load: those whose file is not
// known to be missing.
func (f *Findings) loadable() []string {
	var names []string
	for _, s := range f.suspects {
		if f.fileOf(s).Presence != Absent && !containsName(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

// fileOf returns what was seen of a driver's file; the zero value if nothing.
func (f *Findings) fileOf(s Service) FileSeen {
	file := imageFile(s.Name, s.ImagePath, false)
	for _, d := range f.Evidence.Drivers {
		if regf.EqualNames(d.Service, s.Name) && file != "" && strings.EqualFold(d.Path, file) {
			return d
		}
	}
	return FileSeen{}
}

// kernel returns the newer version of the kernels. It is not known if an old one is all
// there is while another could not be read: which of them is loaded is not known either.
func (f *Findings) kernel() (FileVersion, bool) {
	version := newestKernel(f.Evidence.Kernels).Version
	if name, _ := kernelWindows(version); name != windows7 {
		return FileVersion{}, false
	}
	unread := slices.ContainsFunc(f.Evidence.Kernels, func(k FileSeen) bool {
		return k.Presence == Present && k.Version == FileVersion{}
	})
	return version, atLeast(version, firstKernel()) || !unread
}

func atLeast(v, than FileVersion) bool { return slices.Compare(v[:], than[:]) >= 0 }

// update returns the newest update of FirstBuild or later that is in one of the states.
func (f *Findings) update(states ...int) (UpdatePackage, bool) {
	for _, u := range f.NewUpdates() {
		if slices.Contains(states, u.State) {
			return u, true
		}
	}
	return UpdatePackage{}, false
}

// NewUpdates lists the recorded updates of FirstBuild or later, whatever their state,
// newest first.
func (f *Findings) NewUpdates() []UpdatePackage {
	if f.Evidence.Software == nil {
		return nil
	}
	updates := slices.DeleteFunc(slices.Clone(f.Evidence.Software.Updates), func(u UpdatePackage) bool { return u.leastBuild() < FirstBuild })
	slices.SortStableFunc(updates, func(a, b UpdatePackage) int { return b.leastBuild() - a.leastBuild() })
	return updates
}
