package hive

import (
	"fmt"
	"slices"
	"strings"
)

const windows7 = "Windows 7"

// refined returns what SYSTEM tells of the Windows together with what its files and the
// SOFTWARE hive tell. For the architecture the firmest source counts: the kernel, then
// the folder SysWOW64, then SOFTWARE, then SYSTEM. Of name and service pack the first
// contradiction does, so that one is enough for no.
func (f *Findings) refined(ev Evidence) Windows {
	software := ev.Software
	if software == nil {
		software = &Software{}
	}
	w := f.system
	w.Evidence = slices.Clone(w.Evidence)
	w.noteSources(ev, software)
	switch {
	case machineOf(ev.Kernels) != 0:
		w.Arch = MachineName(machineOf(ev.Kernels))
	case ev.SysWOW64 == Present:
		w.Arch = "x64"
	case labArch(software.BuildLab) != "":
		w.Arch = labArch(software.BuildLab)
	}
	kernel, kernelPack := kernelWindows(newestKernel(ev.Kernels).Version)
	w.Name = ""
	for _, claim := range []string{productFamily(software.Product), kernel, f.system.Name} {
		if claim != "" && (w.Name == "" || w.Name == windows7) {
			w.Name = claim
		}
	}
	systemPack := -1
	if f.packKnown {
		systemPack = f.system.ServicePack
	}
	pack := -1
	for _, claim := range []int{software.servicePack(), kernelPack, systemPack} {
		if claim >= 0 && (pack < 0 || pack == 1) {
			pack = claim
		}
	}
	w.ServicePack = max(pack, 0)
	w.Match = w.matchNow(pack, f.system.Match)
	return w
}

// matchNow is match with all sources asked. What SYSTEM alone was sure of stays so unless
// something speaks against it.
func (w *Windows) matchNow(pack int, system Match) Match {
	switch {
	case w.Arch != "" && w.Arch != "x86", w.Name != "" && w.Name != windows7, pack >= 0 && pack != 1:
		return MatchNo
	case w.Arch == "x86" && w.Name == windows7 && pack == 1:
		return MatchYes
	}
	return system
}

// noteSources adds to the evidence what the other sources say.
func (w *Windows) noteSources(ev Evidence, s *Software) {
	for _, note := range []struct{ what, value string }{
		{"ProductName", s.Product}, {"SOFTWARE CSDVersion", s.CSDVersion}, {"CurrentBuild", s.Build}, {"BuildLabEx", s.BuildLab},
		{"SysWOW64", string(ev.SysWOW64)},
	} {
		if note.value != "" {
			w.note(note.what, note.value)
		}
	}
	for _, k := range ev.Kernels {
		if k.Machine != 0 {
			w.note(k.Path, strings.TrimSpace(MachineName(k.Machine)+" "+k.Version.String()))
		}
	}
}

// machineOf returns the machine that the kernels are made for; 0 if none could be read.
func machineOf(kernels []FileSeen) uint16 {
	for _, k := range kernels {
		if k.Machine != 0 {
			return k.Machine
		}
	}
	return 0
}

// MachineName names the machine of a PE file as Windows is named for it: "x86", "x64",
// else its number in hex; "" for 0.
func MachineName(machine uint16) string {
	switch machine {
	case 0:
		return ""
	case MachineI386:
		return "x86"
	case MachineAMD64:
		return "x64"
	}
	return fmt.Sprintf("0x%04X", machine)
}

// newestKernel returns the kernel with the highest version; the zero value if none has one.
func newestKernel(kernels []FileSeen) FileSeen {
	var best FileSeen
	for _, k := range kernels {
		if slices.Compare(k.Version[:], best.Version[:]) > 0 {
			best = k
		}
	}
	return best
}

// kernelWindows names the Windows whose kernel has such a version, and its service pack,
// -1 where the version does not tell. A server has the same kernel as its client.
func kernelWindows(v FileVersion) (name string, pack int) {
	switch [2]uint16{v[0], v[1]} {
	case [2]uint16{5, 1}:
		return "Windows XP", -1
	case [2]uint16{5, 2}:
		return "Windows Server 2003", -1
	case [2]uint16{6, 0}:
		return "Windows Vista", -1
	case [2]uint16{6, 1}:
		return windows7, windows7Pack(int(v[2]))
	case [2]uint16{6, 2}, [2]uint16{6, 3}:
		return "Windows 8 or 8.1", -1
	case [2]uint16{10, 0}:
		return "Windows 10", -1
	}
	return "", -1
}

// windows7Pack is the service pack of a build of Windows 7; -1 for another build.
func windows7Pack(build int) int {
	switch build {
	case 7600:
		return 0
	case 7601:
		return 1
	}
	return -1
}

// servicePack is what SOFTWARE tells of it, -1 if nothing.
func (s *Software) servicePack() int {
	if n, ok := strings.CutPrefix(s.CSDVersion, "Service Pack "); ok && len(n) == 1 && digits(n) {
		return int(n[0] - '0')
	}
	switch s.Build {
	case "7600":
		return 0
	case "7601":
		return 1
	}
	return -1
}

// productFamily names the Windows by its ProductName: "Windows 7" for every edition of
// it, the whole name for others that are known, "" for what may be a Windows 7 under
// another name, such as the embedded ones or one that somebody renamed.
func productFamily(product string) string {
	has := func(word string) bool { return strings.Contains(product, word) }
	others := []string{"Server", "Vista", "Windows XP", "Windows 2000", "Windows 8", "Windows 10", "Windows 11"}
	switch {
	case slices.ContainsFunc(others, has):
		return product
	case has(windows7):
		return windows7
	}
	return ""
}

// labArch reads the architecture from BuildLabEx, 7601.24117.x86fre.win7sp1_ldr….
func labArch(lab string) string {
	switch {
	case strings.Contains(lab, ".x86fre."), strings.Contains(lab, ".x86chk."):
		return "x86"
	case strings.Contains(lab, ".amd64fre."), strings.Contains(lab, ".amd64chk."):
		return "x64"
	}
	return ""
}
