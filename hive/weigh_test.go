package hive_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// The kernels of March 2018, of the month before, and of Windows 10.
var (
	march    = hive.FileVersion{6, 1, 7601, hive.FirstBuild}
	may      = hive.FileVersion{6, 1, 7601, 24117}
	february = hive.FileVersion{6, 1, 7601, 24024}
	windows8 = hive.FileVersion{6, 3, 9600, 17415}
)

// kernels are both kernels of a 32-bit Windows.
func kernels(without, with hive.FileVersion) []hive.FileSeen {
	return []hive.FileSeen{
		{Path: "System32/ntoskrnl.exe", Presence: hive.Present, Version: without, Machine: hive.MachineI386},
		{Path: "System32/ntkrnlpa.exe", Presence: hive.Present, Version: with, Machine: hive.MachineI386},
	}
}

// driverFiles are the files of the drivers in question.
func driverFiles(p hive.Presence, v hive.FileVersion) []hive.FileSeen {
	return []hive.FileSeen{
		{Service: "Hardlock", Path: "system32/drivers/hardlock.sys", Presence: p, Version: v},
		{Service: "Haspnt", Path: "system32/drivers/Haspnt.sys", Presence: p, Version: v},
	}
}

// with is a SOFTWARE hive of Windows 7 with these updates.
func with(updates ...hive.UpdatePackage) *hive.Software {
	return &hive.Software{Product: "Windows 7 Professional", CSDVersion: "Service Pack 1", Build: "7601", Updates: updates}
}

func recorded(kb string, build, state int) hive.UpdatePackage {
	return hive.UpdatePackage{Package: "Package_for_" + kb, KB: kb, Build: build, State: state, Installed: may9}
}

const driversOff = `[ControlSet001\services\Haspnt]
"Start"=dword:4
[ControlSet002\services\Haspnt]
"Start"=dword:4
[ControlSet001\services\Hardlock]
"Start"=dword:4
[ControlSet002\services\Hardlock]
"Start"=dword:4
`

// isReason says whether a statement is one of the verdict's reasons.
func isReason(key string) bool {
	return slices.ContainsFunc([]string{"affected", "probable", "not", "unknown"}, func(word string) bool { return strings.HasPrefix(key, "diag."+word+".") })
}

// checkAllGiven checks that every statement of a kind came up in a test.
func checkAllGiven(t *testing.T, given map[string]bool, reasons bool) {
	t.Helper()
	for _, key := range hive.StatementKeys() {
		if isReason(key) == reasons && !given[key] {
			t.Errorf("no test gives %s", key)
		}
	}
}

// checkStatements checks that statements are as they are announced to the catalogue.
func checkStatements(t *testing.T, d hive.Diagnosis) {
	t.Helper()
	for _, s := range slices.Concat([]hive.Statement{d.Reason}, d.Evidence, d.LookAlikes) {
		if n, ok := hive.StatementArgs(s.Key); !ok || n != len(s.Args) {
			t.Errorf("statement %+v, want %d arguments (%v)", s, n, ok)
		}
	}
}

func TestVerdicts(t *testing.T) {
	given := map[string]bool{}
	defer func() { checkAllGiven(t, given, true) }()
	unread := kernels(february, hive.FileVersion{})
	for _, tt := range []struct {
		name, extra string
		ev          hive.Evidence
		want        hive.Verdict
		reason      string
		repaired    bool
	}{
		{"nothing beside the hive", "", hive.Evidence{}, hive.Probable, "diag.probable.unknown", false},
		{"kernel of March 2018", "", hive.Evidence{Kernels: kernels(march, march)}, hive.Affected, "diag.affected.kernel", false},
		{"one kernel of March 2018", "", hive.Evidence{Kernels: kernels(february, march)}, hive.Affected, "diag.affected.kernel", false},
		{"and repaired", driversOff, hive.Evidence{Kernels: kernels(march, march)}, hive.Affected, "diag.affected.kernel", true},
		{"and updates not recorded", "", hive.Evidence{Kernels: kernels(may, may), Software: with()}, hive.Affected, "diag.affected.kernel", false},
		{"kernel before March 2018", "", hive.Evidence{Kernels: kernels(february, february)}, hive.NotAffected, "diag.not.kernel", false},
		{"and repaired, old kernel", driversOff, hive.Evidence{Kernels: kernels(february, february)}, hive.NotAffected, "diag.not.kernel", false},
		{"old kernel, update installed by the books", "", hive.Evidence{Kernels: kernels(february, february), Software: with(recorded("KB4103718", 24117, 112))}, hive.NotAffected, "diag.not.kernel", false},
		{"old kernel, update waits", "", hive.Evidence{Kernels: kernels(february, february), Software: with(recorded("KB4103718", 24117, 96))}, hive.Probable, "diag.probable.waiting", false},
		{"old kernel, preview waits", "", hive.Evidence{Kernels: kernels(february, february), Software: with(recorded("KB4093113", 0, 96))}, hive.Probable, "diag.probable.waiting", false},
		{"old kernel, preview of February waits", "", hive.Evidence{Kernels: kernels(february, february), Software: with(recorded("KB4075211", 0, 96))}, hive.NotAffected, "diag.not.kernel", false},
		{"old kernel, older update waits", "", hive.Evidence{Kernels: kernels(february, february), Software: with(recorded("KB4074598", 24024, 96))}, hive.NotAffected, "diag.not.kernel", false},
		{"old kernel, no drivers, update waits", haspGone, hive.Evidence{Kernels: kernels(february, february), Software: with(recorded("KB4103718", 24117, 96))}, hive.Probable, "diag.probable.waiting", false},
		{"old kernel beside an unread one", "", hive.Evidence{Kernels: unread}, hive.Probable, "diag.probable.unknown", false},
		{"kernel unknown, rollup installed", "", hive.Evidence{Software: with(recorded("KB4103718", 24117, 112))}, hive.Affected, "diag.affected.update", false},
		{"kernel unknown, rollup superseded", "", hive.Evidence{Software: with(recorded("KB4088875", 24059, 80))}, hive.Affected, "diag.affected.update", false},
		{"kernel unknown, rollup waits", "", hive.Evidence{Software: with(recorded("KB4088875", 24059, 96))}, hive.Affected, "diag.affected.update", false},
		{"kernel unknown, build that is not in the table", "", hive.Evidence{Software: with(recorded("", 24130, 112))}, hive.Affected, "diag.affected.update", false},
		{"kernel unknown, rollup staged", "", hive.Evidence{Software: with(recorded("KB4103718", 24117, 64))}, hive.Probable, "diag.probable.unknown", false},
		{"kernel unknown, rollup absent", "", hive.Evidence{Software: with(recorded("KB4103718", 24117, 0))}, hive.Probable, "diag.probable.unknown", false},
		{"kernel unknown, old rollup", "", hive.Evidence{Software: with(recorded("KB4074598", 24024, 112))}, hive.Probable, "diag.probable.unknown", false},
		{"no drivers, new kernel", haspGone, hive.Evidence{Kernels: kernels(may, may)}, hive.Probable, "diag.probable.nodrivers", false},
		{"no drivers, kernel unknown", haspGone, hive.Evidence{}, hive.Probable, "diag.probable.nothing", false},
		{"no drivers, kernel unknown, rollup installed", haspGone, hive.Evidence{Software: with(recorded("KB4103718", 24117, 112))}, hive.Probable, "diag.probable.nothing", false},
		{"healthy Windows 7", haspGone, hive.Evidence{Kernels: kernels(february, february), Software: with()}, hive.NotAffected, "diag.not.kernel", false},
		{"drivers without files", "", hive.Evidence{Kernels: kernels(may, may), Drivers: driverFiles(hive.Absent, hive.FileVersion{})}, hive.Probable, "diag.probable.nodrivers", false},
		{"one driver without its file", "", hive.Evidence{Kernels: kernels(may, may), Drivers: driverFiles(hive.Absent, hive.FileVersion{})[:1]}, hive.Affected, "diag.affected.kernel", false},
		{"drivers with files", "", hive.Evidence{Kernels: kernels(may, may), Drivers: driverFiles(hive.Present, hive.FileVersion{3, 92})}, hive.Affected, "diag.affected.kernel", false},
		{"AMD", "[ControlSet001\\Control\\Session Manager\\Environment]\n\"PROCESSOR_IDENTIFIER\"=\"x86 Family 16 Model 8 Stepping 0, AuthenticAMD\"\n",
			hive.Evidence{Kernels: kernels(may, may)}, hive.Affected, "diag.affected.kernel", false},
		{"64-bit kernel", "", hive.Evidence{Kernels: []hive.FileSeen{{Path: "System32/ntoskrnl.exe", Presence: hive.Present, Version: may, Machine: hive.MachineAMD64}}}, hive.NotAffected, "diag.not.windows", false},
		{"kernel of another Windows", "", hive.Evidence{Kernels: kernels(windows8, windows8)}, hive.NotAffected, "diag.not.windows", false},
		{"unknown Windows", "[ControlSet001\\Control\\Windows]\n\"CSDVersion\"=-\n", hive.Evidence{}, hive.Unknown, "diag.unknown.windows", false},
		{"unknown Windows, repaired", driversOff + "[ControlSet001\\Control\\Windows]\n\"CSDVersion\"=-\n", hive.Evidence{}, hive.Unknown, "diag.unknown.windows", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := inspect(t, win7(t, tt.extra), hive.Scope{})
			f.Weigh(tt.ev)
			given[f.Diagnosis.Reason.Key] = true
			checkStatements(t, f.Diagnosis)
			if f.Verdict != tt.want || f.Diagnosis.Reason.Key != tt.reason || f.AlreadyRepaired != tt.repaired {
				t.Errorf("verdict %q (%s), already repaired %v, want %q (%s), %v", f.Verdict, f.Diagnosis.Reason.Key, f.AlreadyRepaired, tt.want, tt.reason, tt.repaired)
			}
			if strings.Contains(f.Reason, "%!") || f.Reason == "" {
				t.Errorf("reason %q", f.Reason)
			}
		})
	}
}

// The packages of another Windows are not looked for, so that nothing is said of them.
func TestNoWordOnUpdatesOfOthers(t *testing.T) {
	for machine, want := range map[uint16]bool{hive.MachineI386: true, hive.MachineAMD64: false} {
		f := inspect(t, win7(t, ""), hive.Scope{})
		f.Weigh(hive.Evidence{Software: with(), Kernels: []hive.FileSeen{{Path: "System32/ntoskrnl.exe", Presence: hive.Present, Version: may, Machine: machine}}})
		said := slices.ContainsFunc(f.Diagnosis.Evidence, func(s hive.Statement) bool { return s.Key == "diag.update.none" })
		if said != want {
			t.Errorf("machine 0x%X: says %v that no update is recorded, want %v", machine, said, want)
		}
	}
}

// A second weighing does not build on the first.
func TestWeighAnew(t *testing.T) {
	f := inspect(t, win7(t, ""), hive.Scope{})
	hiveAlone := f.Windows
	f.Weigh(hive.Evidence{Kernels: kernels(windows8, windows8), SysWOW64: hive.Present, Software: &hive.Software{Product: "Windows 8.1"}})
	if f.Windows.Match != hive.MatchNo {
		t.Errorf("Windows = %v, match %q", f.Windows, f.Windows.Match)
	}
	f.Weigh(hive.Evidence{})
	if diff := cmp.Diff(hiveAlone, f.Windows); diff != "" || f.Verdict != hive.Probable {
		t.Errorf("verdict %q; Windows (-want +got):\n%s", f.Verdict, diff)
	}
}

func TestReasonInWords(t *testing.T) {
	for _, tt := range []struct {
		extra string
		ev    hive.Evidence
		want  string
	}{
		{"", hive.Evidence{Kernels: kernels(may, may)}, "Windows 7 SP1 x86 with Hardlock, Haspnt and kernel 6.1.7601.24117, of March 2018 or later"},
		{"", hive.Evidence{Software: with(recorded("KB4103718", 24117, 112))}, "Windows 7 SP1 x86 with Hardlock, Haspnt and update KB4103718 (7601.24117), of March 2018 or later"},
		{"", hive.Evidence{Software: with(recorded("", 24130, 112))}, "Windows 7 SP1 x86 with Hardlock, Haspnt and update 7601.24130, of March 2018 or later"},
		{"", hive.Evidence{Kernels: kernels(february, february), Software: with(recorded("KB4093113", 0, 96))},
			"Windows 7 SP1 x86 with kernel 6.1.7601.24024, older than March 2018, but update KB4093113 waits to be installed"},
		{haspGone, hive.Evidence{SysWOW64: hive.Present}, "Windows 7 SP1 x64 is not Windows 7 SP1 x86"},
	} {
		f := inspect(t, win7(t, tt.extra), hive.Scope{})
		if f.Weigh(tt.ev); f.Reason != tt.want {
			t.Errorf("reason %q, want %q", f.Reason, tt.want)
		}
	}
}

// Which Windows it is, from all that was seen.
func TestWindowsRefined(t *testing.T) {
	const noArch = "[ControlSet001\\Control\\Session Manager\\Environment]\n\"PROCESSOR_ARCHITECTURE\"=-\n"
	const noPack = "[ControlSet001\\Control\\Windows]\n\"CSDVersion\"=-\n\"CSDBuildNumber\"=-\n"
	product := func(name, csd, build, lab string) *hive.Software {
		return &hive.Software{Product: name, CSDVersion: csd, Build: build, BuildLab: lab}
	}
	x64 := []hive.FileSeen{{Path: "System32/ntoskrnl.exe", Presence: hive.Present, Version: may, Machine: hive.MachineAMD64}}
	arm := []hive.FileSeen{{Path: "System32/ntoskrnl.exe", Presence: hive.Present, Machine: 0xAA64}}
	for _, tt := range []struct {
		name, root, extra string
		ev                hive.Evidence
		words             string
		want              hive.Match
	}{
		{"as the hive says", "", "", hive.Evidence{}, "Windows 7 SP1 x86", hive.MatchYes},
		{"kernel x64", "", "", hive.Evidence{Kernels: x64}, "Windows 7 SP1 x64", hive.MatchNo},
		{"kernel of another machine", "", "", hive.Evidence{Kernels: arm}, "Windows 7 SP1 0xAA64", hive.MatchNo},
		{"kernel x86 and SysWOW64", "", "", hive.Evidence{Kernels: kernels(may, may), SysWOW64: hive.Present}, "Windows 7 SP1 x86", hive.MatchYes},
		{"kernel x86, hive of x64", rootWin7x64, "", hive.Evidence{Kernels: kernels(may, may)}, "Windows 7 SP1 x86", hive.MatchYes},
		{"SysWOW64", "", "", hive.Evidence{SysWOW64: hive.Present}, "Windows 7 SP1 x64", hive.MatchNo},
		{"no SysWOW64", "", "", hive.Evidence{SysWOW64: hive.Absent}, "Windows 7 SP1 x86", hive.MatchYes},
		{"SOFTWARE of x64", "", "", hive.Evidence{Software: product("Windows 7 Professional", "Service Pack 1", "7601", "7601.24117.amd64fre.win7sp1_ldr.180422-0600")}, "Windows 7 SP1 x64", hive.MatchNo},
		{"SOFTWARE of x86", "somebody's hive", noArch + noPack, hive.Evidence{Software: product("Windows 7 Professional", "Service Pack 1", "7601", "7601.24117.x86fre.win7sp1_ldr.180422-0600")}, "Windows 7 SP1 x86", hive.MatchYes},
		{"server", "", "", hive.Evidence{Software: product("Windows Server 2008 R2 Standard", "Service Pack 1", "7601", "")}, "Windows Server 2008 R2 Standard SP1 x86", hive.MatchNo},
		{"Windows 10", "ROOT", noPack, hive.Evidence{Software: product("Windows 10 Pro", "", "16299", "16299.15.amd64fre.rs3_release.170928-1534")}, "Windows 10 Pro x64", hive.MatchNo},
		{"Windows 10, kernel alone", "somebody's hive", noPack, hive.Evidence{Kernels: kernels(hive.FileVersion{10, 0, 16299, 15}, hive.FileVersion{})}, "Windows 10 x86", hive.MatchNo},
		{"Windows XP", "$$$PROTO.HIV", "[ControlSet001\\Control\\Windows]\n\"CSDVersion\"=dword:300\n", hive.Evidence{Software: product("Microsoft Windows XP", "Service Pack 3", "2600", "")}, "Microsoft Windows XP SP3 x86", hive.MatchNo},
		{"Windows XP, kernel alone", "somebody's hive", noPack, hive.Evidence{Kernels: kernels(hive.FileVersion{5, 1, 2600, 5512}, hive.FileVersion{})}, "Windows XP x86", hive.MatchNo},
		{"Server 2003, kernel alone", "somebody's hive", noPack, hive.Evidence{Kernels: kernels(hive.FileVersion{5, 2, 3790, 1}, hive.FileVersion{})}, "Windows Server 2003 x86", hive.MatchNo},
		{"Vista, kernel alone", "somebody's hive", noPack, hive.Evidence{Kernels: kernels(hive.FileVersion{6, 0, 6002, 1}, hive.FileVersion{})}, "Windows Vista x86", hive.MatchNo},
		{"Windows 8.1, kernel alone", "somebody's hive", noPack, hive.Evidence{Kernels: kernels(windows8, hive.FileVersion{})}, "Windows 8 or 8.1 x86", hive.MatchNo},
		{"kernel of no Windows", "", "", hive.Evidence{Kernels: kernels(hive.FileVersion{1, 2, 3, 4}, hive.FileVersion{})}, "Windows 7 SP1 x86", hive.MatchYes},
		{"kernel of no Windows 7 that is known", "somebody's hive", noPack, hive.Evidence{Kernels: kernels(hive.FileVersion{6, 1, 7602, 1}, hive.FileVersion{})}, "Windows 7 x86", hive.MatchUnknown},
		{"embedded", "", "", hive.Evidence{Software: product("Windows Embedded Standard", "Service Pack 1", "7601", "")}, "Windows 7 SP1 x86", hive.MatchYes},
		{"no service pack, kernel", "", "", hive.Evidence{Kernels: kernels(hive.FileVersion{6, 1, 7600, 16385}, hive.FileVersion{})}, "Windows 7 x86", hive.MatchNo},
		{"no service pack, SOFTWARE", "", "", hive.Evidence{Software: product("Windows 7 Professional", "", "7600", "")}, "Windows 7 x86", hive.MatchNo},
		{"no service pack in the hive, kernel of one", "", "[ControlSet001\\Control\\Windows]\n\"CSDVersion\"=dword:0\n", hive.Evidence{Kernels: kernels(may, may)}, "Windows 7 x86", hive.MatchNo},
		{"all from the kernel", "somebody's hive", noArch + noPack, hive.Evidence{Kernels: kernels(may, may)}, "Windows 7 SP1 x86", hive.MatchYes},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := inspect(t, open(t, hive.Files{Primary: build(t, tt.extra, hivetest.Options{RootName: tt.root})}), hive.Scope{})
			f.Weigh(tt.ev)
			if f.Windows.String() != tt.words || f.Windows.Match != tt.want {
				t.Errorf("Windows = %q, match %q, want %q, %q", f.Windows, f.Windows.Match, tt.words, tt.want)
			}
		})
	}
}

// What bears on one side is said there, with the file or key it comes from.
func TestStatements(t *testing.T) {
	const env = "[ControlSet001\\Control\\Session Manager\\Environment]\n\"PROCESSOR_IDENTIFIER\"="
	given := map[string]bool{}
	defer func() { checkAllGiven(t, given, false) }()
	const package1 = "Package_for_KB4103718"
	say := func(w hive.Weight, key string, args ...string) hive.Statement {
		return hive.Statement{Key: key, Args: args, Weight: w}
	}
	number := func(n uint64) *uint64 { return &n }
	with := func(u ...hive.UpdatePackage) hive.Evidence { return hive.Evidence{Software: with(u...)} }
	for _, tt := range []struct {
		name, extra string
		ev          hive.Evidence
		want        hive.Statement
	}{
		{"hive fits", "", hive.Evidence{}, say(hive.For, "diag.system.fits", "Windows 7 SP1 x86")},
		{"hive does not fit", env[:strings.Index(env, "\"PROC")] + "\"PROCESSOR_ARCHITECTURE\"=\"AMD64\"\n", hive.Evidence{}, say(hive.Against, "diag.system.other", "Windows 7 SP1 x64")},
		{"product", "", with(), say(hive.Context, "diag.product", "Windows 7 Professional Service Pack 1", "7601", ntKey)},
		{"another product", "", hive.Evidence{Software: &hive.Software{Product: "Windows 10 Pro", Build: "16299"}}, say(hive.Against, "diag.product.other", "Windows 10 Pro", "16299", ntKey)},
		{"machine", "", hive.Evidence{Kernels: kernels(may, may)}, say(hive.For, "diag.machine.fits", `System32\ntkrnlpa.exe`)},
		{"another machine", "", hive.Evidence{Kernels: []hive.FileSeen{{Path: "System32/ntoskrnl.exe", Presence: hive.Present, Machine: hive.MachineAMD64}}},
			say(hive.Against, "diag.machine.other", `System32\ntoskrnl.exe`, "x64")},
		{"SysWOW64", "", hive.Evidence{SysWOW64: hive.Present}, say(hive.Against, "diag.syswow64", "SysWOW64")},
		{"kernel new", "", hive.Evidence{Kernels: kernels(february, may)}, say(hive.For, "diag.kernel.new", `System32\ntkrnlpa.exe`, "6.1.7601.24117", "6.1.7601.24059")},
		{"kernel old", "", hive.Evidence{Kernels: kernels(february, may)}, say(hive.Against, "diag.kernel.old", `System32\ntoskrnl.exe`, "6.1.7601.24024", "6.1.7601.24059")},
		{"kernel of another Windows", "", hive.Evidence{Kernels: kernels(windows8, windows8)}, say(hive.Against, "diag.kernel.other", `System32\ntoskrnl.exe`, "6.3.9600.17415")},
		{"kernel not read", "", hive.Evidence{Kernels: []hive.FileSeen{{Path: "System32/ntoskrnl.exe", Presence: hive.Present, Problem: "compressed"}}},
			say(hive.Context, "diag.kernel.unread", `System32\ntoskrnl.exe`, "compressed")},
		{"kernel without a version", "", hive.Evidence{Kernels: kernels(hive.FileVersion{}, may)}, say(hive.Context, "diag.kernel.noversion", `System32\ntoskrnl.exe`)},
		{"update installed", "", with(recorded("KB4103718", 24117, 112)), say(hive.For, "diag.update.in", "KB4103718 (7601.24117)", "Installed", "2018-05-09", package1)},
		{"update superseded, no time", "", with(hive.UpdatePackage{Package: "p", Build: 24130, State: 80}), say(hive.For, "diag.update.undated", "7601.24130", "Superseded", "p")},
		{"update waits", "", with(recorded("KB4093113", 0, 96)), say(hive.For, "diag.update.waits", "KB4093113", "Package_for_KB4093113")},
		{"update staged", "", with(recorded("KB4103718", 24117, 64)), say(hive.Context, "diag.update.other", "KB4103718 (7601.24117)", "Staged", package1)},
		{"no update", "", with(recorded("KB4074598", 24024, 112)), say(hive.Against, "diag.update.none", cbs)},
		{"SOFTWARE not read", "", hive.Evidence{Software: &hive.Software{Problem: "torn"}}, say(hive.Context, "diag.software.unread", "torn")},
		{"driver starts", "", hive.Evidence{}, say(hive.For, "diag.driver.starts", "Haspnt", "2", `ControlSet001\services\Haspnt`)},
		{"driver disabled", driversOff, hive.Evidence{}, say(hive.Context, "diag.driver.off", "Haspnt", `ControlSet001\services\Haspnt`)},
		{"driver without Start", "[ControlSet001\\services\\Haspnt]\n\"Start\"=-\n", hive.Evidence{}, say(hive.Context, "diag.driver.nostart", "Haspnt", `ControlSet001\services\Haspnt`)},
		{"driver elsewhere", "[ControlSet001\\services\\Haspnt]\n\"ImagePath\"=\"D:\\\\x.sys\"\n", hive.Evidence{}, say(hive.Context, "diag.driver.elsewhere", "Haspnt", `D:\x.sys`)},
		{"driver in another set only", "[-ControlSet001\\services\\Haspnt]", hive.Evidence{}, say(hive.For, "diag.driver.starts", "Haspnt", "2", `ControlSet002\services\Haspnt`)},
		{"file", "", hive.Evidence{Drivers: driverFiles(hive.Present, hive.FileVersion{})}, say(hive.For, "diag.file.there", "Haspnt", `system32\drivers\Haspnt.sys`)},
		{"file with a version", "", hive.Evidence{Drivers: driverFiles(hive.Present, hive.FileVersion{3, 92, 0, 1})}, say(hive.For, "diag.file.version", "Haspnt", `system32\drivers\Haspnt.sys`, "3.92.0.1")},
		{"file missing", "", hive.Evidence{Drivers: driverFiles(hive.Absent, hive.FileVersion{})}, say(hive.Against, "diag.file.missing", "Haspnt", `system32\drivers\Haspnt.sys`)},
		{"no drivers", haspGone, hive.Evidence{}, say(hive.Against, "diag.nodrivers", "haspnt, hardlock", `ControlSet001\Services`)},
		{"others", "", hive.Evidence{}, say(hive.Context, "diag.others", "akshasp, aksusb, hasplms", `ControlSet001\services`)},
		{"program", "", hive.Evidence{Software: &hive.Software{Programs: []hive.Program{{Name: "Sentinel Runtime", Version: "7.51"}}}}, say(hive.For, "diag.program", "Sentinel Runtime 7.51", uninstall)},
		{"installer", "", hive.Evidence{Software: &hive.Software{Programs: []hive.Program{{Name: `HASP\Driver\Installer`}}}},
			say(hive.For, "diag.program", `HASP\Driver\Installer`, `Aladdin Knowledge Systems\HASP\Driver\Installer`)},
		{"override", "[ControlSet001\\Control\\Session Manager\\Memory Management]\n\"FeatureSettingsOverride\"=dword:3\n\"FeatureSettingsOverrideMask\"=dword:3\n", hive.Evidence{},
			say(hive.Context, "diag.override", `ControlSet001\Control\Session Manager\Memory Management`)},
		{"AMD", env + `"x86 Family 16 Model 8 Stepping 0, AuthenticAMD"`, hive.Evidence{}, say(hive.Context, "diag.cpu.amd", "x86 Family 16 Model 8 Stepping 0, AuthenticAMD")},
		{"Atom", env + `"x86 Family 6 Model 28 Stepping 2, GenuineIntel"`, hive.Evidence{}, say(hive.Context, "diag.cpu.atom", "x86 Family 6 Model 28 Stepping 2, GenuineIntel")},
		{"last start", "", hive.Evidence{BootTime: may9}, say(hive.Context, "diag.laststart", "2018-05-09", "bootstat.dat")},
		{"last update", "", hive.Evidence{Software: &hive.Software{LastUpdate: may9}}, say(hive.Context, "diag.lastupdate", "2018-05-09", cbs)},
		{"PAE off", "", hive.Evidence{Boot: &hive.BootConfig{NX: number(2)}}, say(hive.Context, "diag.look.pae.boot", "BCD")},
		{"PAE off, pae ForceDisable", "", hive.Evidence{Boot: &hive.BootConfig{NX: number(2), PAE: number(2)}}, say(hive.Context, "diag.look.pae.boot", "BCD")},
		{"PAE was off", "[ControlSet001\\Control\\Session Manager\\Memory Management]\n\"PhysicalAddressExtension\"=dword:0\n", hive.Evidence{},
			say(hive.Context, "diag.look.pae.registry", `ControlSet001\Control\Session Manager\Memory Management\PhysicalAddressExtension`)},
		{"no SSE2", env + `"x86 Family 6 Model 8 Stepping 6, GenuineIntel"`, hive.Evidence{}, say(hive.Context, "diag.look.sse2", "x86 Family 6 Model 8 Stepping 6, GenuineIntel")},
		{"pending.xml", "", hive.Evidence{PendingXML: hive.Present}, say(hive.Context, "diag.look.pendingxml", `WinSxS\pending.xml`)},
		{"packages pending", "", hive.Evidence{Software: &hive.Software{Servicing: hive.Servicing{PackagesPending: true}}}, say(hive.Context, "diag.look.packages", cbs+`\PackagesPending`)},
		{"reboot pending", "", hive.Evidence{Software: &hive.Software{Servicing: hive.Servicing{RebootPending: true}}}, say(hive.Context, "diag.look.reboot", cbs+`\RebootPending`)},
		{"reboot in progress", "", hive.Evidence{Software: &hive.Software{Servicing: hive.Servicing{RebootInProgress: true}}}, say(hive.Context, "diag.look.progress", cbs+`\RebootInProgress`)},
		{"dump", "", hive.Evidence{Dumps: []hive.Dump{{Path: "Minidump/a.dmp", Code: 0x7E, Time: may9}}}, say(hive.Context, "diag.look.dump", "0x0000007E", "2018-05-09", `Minidump\a.dmp`)},
		{"dump without a time", "", hive.Evidence{Dumps: []hive.Dump{{Path: "MEMORY.DMP", Code: 0xC000021A}}}, say(hive.Context, "diag.look.dump", "0xC000021A", "?", "MEMORY.DMP")},
		{"driver without its file", "", hive.Evidence{Drivers: []hive.FileSeen{{Service: "x", Path: "system32/drivers/x.sys", Presence: hive.Absent}}},
			say(hive.Context, "diag.look.missing", "x", `system32\drivers\x.sys`)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := inspect(t, win7(t, tt.extra), hive.Scope{})
			f.Weigh(tt.ev)
			given[tt.want.Key] = true
			checkStatements(t, f.Diagnosis)
			all := slices.Concat(f.Diagnosis.Evidence, f.Diagnosis.LookAlikes)
			n := slices.IndexFunc(all, func(s hive.Statement) bool { return cmp.Equal(s, tt.want) })
			if n < 0 {
				t.Errorf("no statement %+v in %+v", tt.want, all)
			}
			lookAlike := strings.HasPrefix(tt.want.Key, "diag.look.")
			if n >= 0 && lookAlike != (n >= len(f.Diagnosis.Evidence)) {
				t.Errorf("%+v is on the wrong list", tt.want)
			}
		})
	}
}

func TestPAE(t *testing.T) {
	const mm = "[ControlSet001\\Control\\Session Manager\\Memory Management]\n\"PhysicalAddressExtension\"="
	number := func(n uint64) *uint64 { return &n }
	for _, tt := range []struct {
		extra     string
		boot      *hive.BootConfig
		on, known bool
	}{
		{mm + "dword:1\n", nil, true, true},
		{mm + "dword:0\n", nil, false, true},
		{mm + "-\n", nil, false, false},
		{mm + "\"1\"\n", nil, false, false},
		{mm + "-\n", &hive.BootConfig{NX: number(0)}, false, false},
		{mm + "-\n", &hive.BootConfig{PAE: number(1)}, true, true},
		{mm + "dword:1\n", &hive.BootConfig{NX: number(2)}, false, true},
		{mm + "dword:1\n", &hive.BootConfig{NX: number(2), PAE: number(1)}, true, true},
	} {
		f := inspect(t, win7(t, tt.extra), hive.Scope{})
		f.Weigh(hive.Evidence{Boot: tt.boot})
		if on, known := f.PAE(); on != tt.on || known != tt.known {
			t.Errorf("PAE = %v, %v, want %v, %v with %+v and %s", on, known, tt.on, tt.known, tt.boot, tt.extra)
		}
	}
}

// What does not fit is not said.
func TestStatementsNotGiven(t *testing.T) {
	const mm = "[ControlSet001\\Control\\Session Manager\\Memory Management]\n\"PhysicalAddressExtension\"=dword:0\n"
	const pentium3 = "[ControlSet001\\Control\\Session Manager\\Environment]\n\"PROCESSOR_IDENTIFIER\"=\"x86 Family 6 Model 8 Stepping 6, GenuineIntel\"\n"
	number := func(n uint64) *uint64 { return &n }
	absent := func(service string) hive.Evidence {
		return hive.Evidence{Drivers: []hive.FileSeen{{Service: service, Path: "x", Presence: hive.Absent}}}
	}
	for _, tt := range []struct {
		name, extra string
		ev          hive.Evidence
		key         string
	}{
		{"nx not set", "", hive.Evidence{Boot: &hive.BootConfig{}}, "diag.look.pae.boot"},
		{"nx OptIn, pae ForceDisable", "", hive.Evidence{Boot: &hive.BootConfig{NX: number(0), PAE: number(2)}}, "diag.look.pae.boot"},
		{"nx AlwaysOff, pae ForceEnable", "", hive.Evidence{Boot: &hive.BootConfig{NX: number(2), PAE: number(1)}}, "diag.look.pae.boot"},
		{"64-bit has PAE anyway", mm, hive.Evidence{SysWOW64: hive.Present, Boot: &hive.BootConfig{NX: number(2)}}, "diag.look.pae"},
		{"not this Windows, no SSE2", pentium3, hive.Evidence{Software: &hive.Software{Product: "Microsoft Windows XP"}}, "diag.look.sse2"},
		{"PAE on", "", hive.Evidence{}, "diag.look.pae"},
		{"SSE2", "", hive.Evidence{}, "diag.look.sse2"},
		{"demand-start driver without its file", "", absent("akshasp"), "diag.look.missing"},
		{"disabled driver without its file", driversOff, absent("Haspnt"), "diag.look.missing"},
		{"no pending.xml", "", hive.Evidence{PendingXML: hive.Absent}, "diag.look.pendingxml"},
		{"CPU of Intel", "", hive.Evidence{}, "diag.cpu"},
		{"updates not known for a broken hive", "", hive.Evidence{Software: &hive.Software{Problem: "torn"}}, "diag.update.none"},
		{"kernel not there", "", hive.Evidence{Kernels: []hive.FileSeen{{Path: "System32/ntkrnlpa.exe", Presence: hive.Absent}}}, "diag.kernel"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := inspect(t, win7(t, tt.extra), hive.Scope{})
			f.Weigh(tt.ev)
			for _, s := range slices.Concat(f.Diagnosis.Evidence, f.Diagnosis.LookAlikes) {
				if strings.HasPrefix(s.Key, tt.key) {
					t.Errorf("statement %+v", s)
				}
			}
		})
	}
}

// A hostile hive cannot fill the report.
func TestStatementsAreBounded(t *testing.T) {
	var ev hive.Evidence
	ev.Software = with()
	for i := range 2000 {
		ev.Software.Updates = append(ev.Software.Updates, recorded("", 24060+i, 112))
		ev.Dumps = append(ev.Dumps, hive.Dump{Path: "x", Time: time.Unix(int64(i), 0)})
		ev.Drivers = append(ev.Drivers, hive.FileSeen{Service: "x" + string(rune('a'+i%26)), Path: "x", Presence: hive.Absent})
	}
	f := inspect(t, win7(t, ""), hive.Scope{})
	if f.Weigh(ev); len(f.Diagnosis.Evidence) > 20 || len(f.Diagnosis.LookAlikes) > 30 {
		t.Errorf("%d and %d statements", len(f.Diagnosis.Evidence), len(f.Diagnosis.LookAlikes))
	}
	if s := f.Diagnosis.Evidence[2]; s.Key != "diag.update.in" || s.Args[0] != "7601.26059" {
		t.Errorf("first of the updates is %+v, want the newest", s)
	}
}
