package hive

// Match says how sure it is that a hive is Windows 7 SP1, 32 bit.
type Match string

// The three answers.
const (
	MatchYes     Match = "yes"
	MatchNo      Match = "no"
	MatchUnknown Match = "unknown"
)

// Windows is what the SYSTEM hive alone tells about the Windows it belongs to.
type Windows struct {
	Name        string   `json:"name"` // "Windows 7", "Windows XP" …; "" if unknown
	Arch        string   `json:"arch"` // "x86", "x64"; "" if unknown
	ServicePack int      `json:"servicePack"`
	Computer    string   `json:"computer,omitempty"`
	CPU         string   `json:"cpu,omitempty"`
	Match       Match    `json:"windows7SP1x86"`
	Evidence    []string `json:"evidence"`
}

// String names the Windows in a few words.
func (w Windows) String() string {
	s := w.Name
	if s == "" {
		s = "Windows"
	}
	if w.ServicePack > 0 {
		s += " SP" + string(rune('0'+w.ServicePack%10))
	}
	if w.Arch != "" {
		s += " " + w.Arch
	}
	return s
}

// rootNames are the root keys that Windows' setup gives a SYSTEM hive, as seen in
// real hives. Of Windows 7 the name tells the architecture too.
var rootNames = map[string]struct{ name, arch string }{
	"CMI-CreateHive{F10156BE-0E87-4EFB-969E-5DA29D131144}":      {"Windows 7", "x86"},
	"CMI-CreateHive{2A7FB991-7BBE-4F9D-B91E-7CB51D4737F5}":      {"Windows 7", "x64"},
	"CMI-CreateHive{3406549D-0E3F-4A2C-A4BA-6DFB9D3F2D09}":      {"Windows Vista", ""},
	"CsiTool-CreateHive-{00000000-0000-0000-0000-000000000000}": {"Windows 8 or 8.1", ""},
	"$$$PROTO.HIV": {"Windows XP", ""},
	"ROOT":         {"Windows 10", ""},
}

// sp1Build is Control\Windows\CSDBuildNumber of every Windows 7 SP1.
const sp1Build = 17514

// windows reads what SYSTEM tells; packKnown says whether that is the service pack too.
func (h *Hive) windows(set uint32) (w Windows, packKnown bool) {
	cs := ControlSetName(set)
	read := func(name string, path ...string) *Data {
		d, err := h.valueAt(name, append([]string{cs, "Control"}, path...)...)
		if err != nil {
			return nil // Check has passed: nothing here can be unreadable
		}
		return d
	}
	w.Computer = h.computerName(set)
	w.CPU = read("PROCESSOR_IDENTIFIER", "Session Manager", "Environment").text()
	root := rootNames[h.RootName()]
	w.Name, w.Arch = root.name, root.arch
	w.note("root key", h.RootName())
	if arch := read("PROCESSOR_ARCHITECTURE", "Session Manager", "Environment").text(); arch != "" {
		w.note("PROCESSOR_ARCHITECTURE", arch)
		w.setArch(arch)
	}
	csd, haveCSD := read("CSDVersion", "Windows").dword()
	build, _ := read("CSDBuildNumber", "Windows").dword()
	if haveCSD {
		w.ServicePack = int(csd >> 8 & 0xFF)
		w.note("CSDVersion", hex32(csd))
	}
	if build != 0 {
		w.note("CSDBuildNumber", decimal(build))
	}
	w.Match = w.match(haveCSD, build)
	if w.Match == MatchYes {
		w.Name = windows7
	}
	return w, haveCSD
}

// computerName returns the PC's name, "" where the hive does not tell.
func (h *Hive) computerName(set uint32) string {
	d, err := h.valueAt("ComputerName", ControlSetName(set), "Control", "ComputerName", "ComputerName")
	if err != nil {
		return ""
	}
	return d.text()
}

func (w *Windows) setArch(arch string) {
	switch arch {
	case "x86", "X86":
		if w.Arch == "" {
			w.Arch = "x86"
		}
	case "AMD64", "amd64":
		w.Arch = "x64"
	default:
		w.Arch = arch
	}
}

// match weighs the evidence: one contradiction is enough for no, and without a root
// key that is known everything else must agree for yes.
func (w *Windows) match(haveCSD bool, build uint32) Match {
	switch {
	case w.Arch != "" && w.Arch != "x86",
		w.Name != "" && w.Name != windows7,
		haveCSD && w.ServicePack != 1:
		return MatchNo
	case w.Name == windows7 && w.Arch == "x86" && haveCSD:
		return MatchYes
	case w.Arch == "x86" && haveCSD && build == sp1Build:
		return MatchYes
	}
	return MatchUnknown
}

func (w *Windows) note(what, value string) { w.Evidence = append(w.Evidence, what+" "+value) }
