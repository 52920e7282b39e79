package hive_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
	"unloop/hive/hivetest"
)

const (
	ntKey       = `Microsoft\Windows NT\CurrentVersion`
	uninstall   = `Microsoft\Windows\CurrentVersion\Uninstall`
	cbs         = `Microsoft\Windows\CurrentVersion\Component Based Servicing`
	publisher   = "31bf3856ad364e35"
	rollup24117 = "Package_for_RollupFix~" + publisher + "~x86~~7601.24117.1.6"
)

// bareSoftware is a SOFTWARE hive without any update or program.
const bareSoftware = "[" + ntKey + `]
"ProductName"="Windows 7 Professional"
"CurrentBuild"="7601"
"CSDVersion"="Service Pack 1"
"BuildLabEx"="7601.24117.x86fre.win7sp1_ldr.180422-0600"
[Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update]
"AUOptions"=dword:4
`

// buildSoftware makes a bare SOFTWARE hive with extra merged over it.
func buildSoftware(t testing.TB, extra string) []byte {
	t.Helper()
	return buildText(t, bareSoftware+extra, hivetest.Options{RootName: hivetest.SoftwareRoot, FileName: "SOFTWARE"})
}

func readSoftware(t testing.TB, extra string) *hive.Software {
	t.Helper()
	s, err := hive.ReadSoftware(hive.Files{Primary: buildSoftware(t, extra)})
	if err != nil {
		t.Fatalf("ReadSoftware: %v", err)
	}
	return s
}

// pkg spells the key of a package, installed on 2018-05-09.
func pkg(name string, state uint32) string {
	return fmt.Sprintf("[%s\\Packages\\%s]\n\"CurrentState\"=dword:%x\n\"InstallTimeHigh\"=dword:01d3e728\n\"InstallTimeLow\"=dword:ac578000\n", cbs, name, state)
}

var may9 = time.Date(2018, 5, 9, 0, 0, 0, 0, time.UTC)

func TestReadSoftware(t *testing.T) {
	got := readSoftware(t, pkg(rollup24117, hive.StateInstalled)+`
[`+uninstall+`\{7A3B}]
"DisplayName"="Sentinel Runtime"
"DisplayVersion"="7.51.1"
[`+cbs+`\PackagesPending\x]
[Policies\Microsoft\Windows\WindowsUpdate\AU]
"AUOptions"=dword:3
"NoAutoUpdate"=dword:1
[`+ntKey+`]
"RegisteredOwner"="Somebody"
"ProductId"="00000-000-0000000-00000"
`)
	four, three, one := uint32(4), uint32(3), uint32(1)
	want := &hive.Software{
		Product: "Windows 7 Professional", CSDVersion: "Service Pack 1", Build: "7601", BuildLab: "7601.24117.x86fre.win7sp1_ldr.180422-0600",
		Programs:   []hive.Program{{Name: "Sentinel Runtime", Version: "7.51.1"}},
		Updates:    []hive.UpdatePackage{{Package: rollup24117, KB: "KB4103718", Build: 24117, State: 112, Installed: may9}},
		Servicing:  hive.Servicing{PackagesPending: true},
		AutoUpdate: hive.AutoUpdate{Options: &four, PolicyOptions: &three, PolicyNoAutoUpdate: &one},
		LastUpdate: may9,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Software (-want +got):\n%s", diff)
	}
}

// The SOFTWARE hive of the PC that most tests are about. The names of persons and the
// product key in it are not so much as held.
func TestReadSoftwareOfPC(t *testing.T) {
	data, err := hivetest.SoftwareHive("")
	if err != nil {
		t.Fatal(err)
	}
	s, err := hive.ReadSoftware(hive.Files{Primary: data})
	if err != nil {
		t.Fatal(err)
	}
	var updates []string
	for _, u := range s.Updates {
		updates = append(updates, fmt.Sprintf("%s %d %s", u.KB, u.Build, hive.StateName(u.State)))
	}
	if diff := cmp.Diff([]string{"KB4074598 24024 Superseded", "KB4103718 24117 Installed"}, updates); diff != "" || s.Problem != "" {
		t.Errorf("updates (problem %q; -want +got):\n%s", s.Problem, diff)
	}
	if text := strings.ToLower(fmt.Sprintf("%+v", *s)); strings.Contains(text, "secret") || strings.Contains(text, "hanako") {
		t.Errorf("Software = %s", text)
	}
	if len(s.Programs) < 2 || slices.ContainsFunc(s.Programs, func(p hive.Program) bool { return strings.Contains(p.Name, "SentinelOne") }) {
		t.Errorf("programs %q", s.Programs)
	}
}

// Older Windows spell the build in another value.
func TestBuildNumber(t *testing.T) {
	if s := readSoftware(t, "["+ntKey+"]\n\"CurrentBuild\"=-\n\"CurrentBuildNumber\"=\"2600\"\n"); s.Build != "2600" {
		t.Errorf("build %q, want 2600", s.Build)
	}
}

func TestPackages(t *testing.T) {
	const end = "~" + publisher + "~x86~~6.1.1.0"
	installed := func(p, kb string, build, state int) hive.UpdatePackage {
		return hive.UpdatePackage{Package: p, KB: kb, Build: build, State: state, Installed: may9}
	}
	for _, tt := range []struct {
		name, extra string
		want        []hive.UpdatePackage
	}{
		{"none", "", nil},
		{"rollup before March 2018", pkg("Package_for_RollupFix~"+publisher+"~x86~~7601.24024.1.4", 112),
			[]hive.UpdatePackage{installed("Package_for_RollupFix~"+publisher+"~x86~~7601.24024.1.4", "KB4074598", 24024, 112)}},
		{"rollup between two months", pkg("Package_for_RollupFix~"+publisher+"~x86~~7601.24130.1.4", 112),
			[]hive.UpdatePackage{installed("Package_for_RollupFix~"+publisher+"~x86~~7601.24130.1.4", "", 24130, 112)}},
		{"rollup after the version of Windows", pkg("Package_for_RollupFix~"+publisher+"~x86~~6.1.7601.24117", 96),
			[]hive.UpdatePackage{installed("Package_for_RollupFix~"+publisher+"~x86~~6.1.7601.24117", "KB4103718", 24117, 96)}},
		{"rollup in other letter case", pkg("package_FOR_rollupfix~"+publisher+"~X86~~7601.24117.1.6", 112),
			[]hive.UpdatePackage{installed("package_FOR_rollupfix~"+publisher+"~X86~~7601.24117.1.6", "KB4103718", 24117, 112)}},
		{"security-only", pkg("Package_for_KB4103712"+end, 112), []hive.UpdatePackage{installed("Package_for_KB4103712"+end, "KB4103712", 24117, 112)}},
		{"preview, whose build is not known", pkg("Package_for_KB4093113"+end, 112), []hive.UpdatePackage{installed("Package_for_KB4093113"+end, "KB4093113", 0, 112)}},
		{"update that is not in the table", pkg("Package_for_KB2999226"+end, 112), nil},
		{"parts alone", pkg("Package_1_for_KB4103712"+end, 0) + pkg("Package_2_for_KB4103712"+end, 112) + pkg("Package_3_for_KB4103712"+end, 80),
			[]hive.UpdatePackage{installed("Package_2_for_KB4103712"+end, "KB4103712", 24117, 112)}},
		{"one part waits", pkg("Package_1_for_KB4103712"+end, 112) + pkg("Package_2_for_KB4103712"+end, 96) + pkg("Package_3_for_KB4103712"+end, 112),
			[]hive.UpdatePackage{installed("Package_2_for_KB4103712"+end, "KB4103712", 24117, 96)}},
		{"the whole speaks for its parts", pkg("Package_1_for_KB4103712"+end, 112) + pkg("Package_for_KB4103712"+end, 5) + pkg("Package_for_KB4103712_SP1"+end, 112),
			[]hive.UpdatePackage{installed("Package_for_KB4103712"+end, "KB4103712", 24117, 5)}},
		{"parts of another revision", pkg("Package_1_for_KB4103712"+end, 112) + pkg("Package_1_for_KB4103712~"+publisher+"~x86~~6.1.1.2", 80),
			[]hive.UpdatePackage{installed("Package_1_for_KB4103712"+end, "KB4103712", 24117, 112), installed("Package_1_for_KB4103712~"+publisher+"~x86~~6.1.1.2", "KB4103712", 24117, 80)}},
		{"64-bit", pkg("Package_for_RollupFix~"+publisher+"~amd64~~7601.24117.1.6", 112), nil},
		{"rollup of Windows 10", pkg("Package_for_RollupFix~"+publisher+"~x86~~16299.431.1.9", 112), nil},
		{"other packages", pkg("Microsoft-Windows-Foundation-Package~"+publisher+"~x86~~6.1.7601.17514", 112) + pkg("Package_for_KB4103712", 112) +
			pkg("Package_x_for_KB4103712"+end, 112) + pkg("Package_for_KB"+end, 112) + pkg("Package_for_KB4103712x"+end, 112) + pkg("Package_of_KB4103712"+end, 112) +
			pkg("Package_for_KB99999999999999999999"+end, 112) + pkg("Package_for_RollupFix~"+publisher+"~x86~~7601.999999999999999999.1.6", 112), nil},
		{"without a state", "[" + cbs + "\\Packages\\" + rollup24117 + "]\n", nil},
		{"with an invalid state", pkg(rollup24117, 0xFFFFFFFF), []hive.UpdatePackage{installed(rollup24117, "KB4103718", 24117, -1)}},
		{"without a time", "[" + cbs + "\\Packages\\" + rollup24117 + "]\n\"CurrentState\"=dword:70\n\"InstallTimeHigh\"=dword:01d3e728\n",
			[]hive.UpdatePackage{{Package: rollup24117, KB: "KB4103718", Build: 24117, State: 112}}},
		{"with a time no clock showed", "[" + cbs + "\\Packages\\" + rollup24117 + "]\n\"CurrentState\"=dword:70\n\"InstallTimeHigh\"=dword:ffffffff\n\"InstallTimeLow\"=dword:ffffffff\n",
			[]hive.UpdatePackage{{Package: rollup24117, KB: "KB4103718", Build: 24117, State: 112}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := readSoftware(t, tt.extra)
			if diff := cmp.Diff(tt.want, s.Updates); diff != "" || s.Problem != "" {
				t.Errorf("updates (problem %q; -want +got):\n%s", s.Problem, diff)
			}
		})
	}
}

// The time of the last update is that of any update, but of none that is not installed.
func TestLastUpdate(t *testing.T) {
	const other = "~" + publisher + "~x86~~6.1.1.0"
	for _, tt := range []struct {
		extra string
		want  time.Time
	}{
		{"", time.Time{}},
		{pkg("Package_for_KB2999226"+other, 112), may9},
		{pkg("Package_for_KB2999226"+other, 96), time.Time{}},
		{pkg("Microsoft-Windows-Foundation-Package"+other, 112), time.Time{}},
		{pkg("Package_for_KB2999226"+other, 112) + strings.Replace(pkg("Package_for_KB1"+other, 112), "ac578000", "ac578001", 1), may9.Add(100)},
	} {
		if s := readSoftware(t, tt.extra); !s.LastUpdate.Equal(tt.want) {
			t.Errorf("last update = %v, want %v, with %s", s.LastUpdate, tt.want, tt.extra)
		}
	}
}

func TestStateName(t *testing.T) {
	for state, want := range map[int]string{
		0: "Absent", 5: "Uninstall Pending", 16: "Resolving", 32: "Resolved", 48: "Staging", 64: "Staged", 80: "Superseded", 96: "Install Pending",
		101: "Partially Installed", 112: "Installed", 128: "Permanent", -5: "Invalid", 7: "state 7",
	} {
		if got := hive.StateName(state); got != want {
			t.Errorf("StateName(%d) = %q, want %q", state, got, want)
		}
	}
}

func TestPrograms(t *testing.T) {
	for _, tt := range []struct {
		name string
		want bool
	}{
		{"Sentinel System Driver Installer 7.5.9", true},
		{"Sentinel Runtime", true},
		{"A+W Sentinel HASP Run-time", true},
		{"Sentinel Protection Installer 7.6.5", true},
		{"HASP Device Drivers", true},
		{"hasp hl device driver", true},
		{"Hardlock Device Driver", true},
		{"Sentinel LDK License Manager", true},
		{"Sentinel ランタイム", true},
		{"センチネル HASP", true},
		{"Hard Disk Sentinel PRO", false},
		{"Sentinel Monitoring Agent", false},
		{"Phaspa Photos", false},
		{"SentinelOne", false},
		{"Sentinel Agent", false},
		{"Sentinel One Agent", false},
		{"SENTINELONE for HASP", false},
		{"Microsoft Office", false},
		{"", false},
	} {
		s := readSoftware(t, "["+uninstall+"\\x]\n"+regValue("DisplayName", &hive.Data{Type: hive.RegSZ, Bytes: hive.EncodeSZ(tt.name)}))
		if got := len(s.Programs) == 1; got != tt.want {
			t.Errorf("programs = %v with %q installed", s.Programs, tt.name)
		}
	}
	const installer = `[Aladdin Knowledge Systems\HASP\Driver\Installer]` + "\n\"Version\"=\"5.22\"\n"
	for extra, want := range map[string]string{installer: "5.22", installer + "\"DrvPkgVersion\"=\"4.102\"\n": "4.102"} {
		s := readSoftware(t, extra)
		if diff := cmp.Diff([]hive.Program{{Name: `HASP\Driver\Installer`, Version: want}}, s.Programs); diff != "" {
			t.Errorf("programs (-want +got):\n%s", diff)
		}
	}
}

func TestProgramString(t *testing.T) {
	for want, p := range map[string]hive.Program{
		"Sentinel Runtime":                       {Name: "Sentinel Runtime"},
		"Sentinel Runtime 7.51":                  {Name: "Sentinel Runtime", Version: "7.51"},
		"Sentinel System Driver Installer 7.5.9": {Name: "Sentinel System Driver Installer 7.5.9", Version: "7.5.9"},
		"HASP 17.5.9 7.5.9":                      {Name: "HASP 17.5.9", Version: "7.5.9"},
	} {
		if got := p.String(); got != want {
			t.Errorf("%#v = %q, want %q", p, got, want)
		}
	}
}

func TestServicing(t *testing.T) {
	for _, tt := range []struct {
		extra string
		want  hive.Servicing
	}{
		{"", hive.Servicing{}},
		{"[" + cbs + "\\PackagesPending]", hive.Servicing{}},
		{"[" + cbs + "\\PackagesPending\\" + rollup24117 + "]", hive.Servicing{PackagesPending: true}},
		{"[" + cbs + "\\RebootPending]", hive.Servicing{RebootPending: true}},
		{"[" + cbs + "\\RebootInProgress]", hive.Servicing{RebootInProgress: true}},
	} {
		if got := readSoftware(t, tt.extra).Servicing; got != tt.want {
			t.Errorf("servicing = %+v, want %+v, with %s", got, tt.want, tt.extra)
		}
	}
}

// A dirty hive is replayed; where it cannot be, it is read as it lies, and that is told.
func TestReadSoftwareDirty(t *testing.T) {
	before, after := buildSoftware(t, pkg(rollup24117, 96)), buildSoftware(t, pkg(rollup24117, 112))
	primary, log, err := hivetest.Dirty(before, after, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		files   hive.Files
		state   int
		problem string
	}{
		{"clean", hive.Files{Primary: before}, 96, ""},
		{"dirty with its log", hive.Files{Primary: primary, Log1: log}, 112, ""},
		{"dirty without a log", hive.Files{Primary: primary}, 96, "read as it lies: no log belongs to the dirty hive"},
		{"dirty with another log", hive.Files{Name: "SOFTWARE", Primary: primary, Log1: log[:600], Log2: []byte{}}, 96,
			"read as it lies: no log belongs to the dirty hive: the hive is dirty: its sequence numbers differ: 2 and 1; SOFTWARE.LOG1: "},
	} {
		s, err := hive.ReadSoftware(tt.files)
		if err != nil || len(s.Updates) != 1 || s.Updates[0].State != tt.state || !strings.HasPrefix(s.Problem, tt.problem) || tt.problem == "" && s.Problem != "" {
			t.Errorf("%s: ReadSoftware = %+v, %v, want state %d, problem %q", tt.name, s, err, tt.state, tt.problem)
		}
	}
}

func TestReadSoftwareErrors(t *testing.T) {
	sound := buildSoftware(t, "")
	for _, tt := range []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, hive.ErrNotHive},
		{"no hive", []byte("MZ"), hive.ErrNotHive},
		{"a SYSTEM hive", build(t, "", hivetest.Options{}), hive.ErrNoKey},
		{"cut short", sound[:5000], nil},
		{"base block alone", sound[:4096], nil},
		{"root key overwritten", bytes.ReplaceAll(sound, []byte("nk"), []byte("xx")), nil},
	} {
		if s, err := hive.ReadSoftware(hive.Files{Primary: tt.data}); s != nil || err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: ReadSoftware = %v, %v, want %v", tt.name, s, err, tt.want)
		}
	}
}

// Damage in one place leaves the rest readable.
func TestReadSoftwareDamaged(t *testing.T) {
	data := bytes.Replace(buildSoftware(t, pkg(rollup24117, 112)), []byte("Uninstall"), []byte("Uninstaxx"), 1)
	at := bytes.Index(data, []byte(rollup24117))
	data[at-76] = 'x' // signature of the package's key
	s, err := hive.ReadSoftware(hive.Files{Primary: data})
	if err != nil || s.Product != "Windows 7 Professional" || s.Problem == "" || s.Updates != nil {
		t.Errorf("ReadSoftware = %+v, %v, want a problem and the product", s, err)
	}
}

// No real hive of another kind is taken for SOFTWARE, and none makes it panic.
func TestReadSoftwareOfRealHives(t *testing.T) {
	for _, name := range []string{haspHive, "xp-sp3-SYSTEM", "win10-SYSTEM", "corrupted_system_hive"} {
		if s, err := hive.ReadSoftware(hive.Files{Primary: realHive(t, name)}); err == nil {
			t.Errorf("ReadSoftware of %s = %+v", name, s)
		}
		if b, err := hive.ReadBoot(hive.Files{Primary: realHive(t, name)}); err == nil {
			t.Errorf("ReadBoot of %s = %+v", name, b)
		}
	}
}

// Whatever a package is called: if it is taken for an update, it has a KB or a build.
func FuzzPackageName(f *testing.F) {
	for _, name := range []string{
		rollup24117, "Package_for_KB4103712~" + publisher + "~x86~~6.1.1.0", "Package_2_for_KB4093113_SP1~" + publisher + "~x86~ja-JP~6.1.1.0",
		"Package_for_RollupFix~~x86~~6.1.7601.24117", "Package_for_KB0~~x86~~", "Package__for_KB1~~x86~~", "~~~~", "Package_for_RollupFix~~x86~~7601.٣.1",
	} {
		f.Add(name, uint32(112))
	}
	f.Fuzz(func(t *testing.T, name string, state uint32) {
		if !utf8.ValidString(name) {
			t.Skip("no text")
		}
		key := hive.FormatRegKey(append(path(cbs), "Packages", name))
		text := "[" + key + "]\n\"CurrentState\"=" + strings.TrimPrefix(regValue("", dword(state)), "@=")
		data, err := hivetest.Build(bareSoftware+text, hivetest.Options{RootName: hivetest.SoftwareRoot})
		if err != nil {
			t.Skip("no name of a key")
		}
		s, err := hive.ReadSoftware(hive.Files{Primary: data})
		if err != nil || s.Problem != "" || len(s.Updates) > 1 {
			t.Fatalf("ReadSoftware = %+v, %v", s, err)
		}
		checkUpdates(t, s)
		if len(s.Updates) == 1 && (s.Updates[0].Package != name || s.Updates[0].State != int(int32(state))) {
			t.Errorf("update %+v of package %q in state %d", s.Updates[0], name, int32(state))
		}
	})
}

// A hive that is damaged in a few places gives a result or an error, never both, and
// nothing that a report could not hold.
func FuzzReadSoftware(f *testing.F) {
	software := buildSoftware(f, pkg(rollup24117, 112)+pkg("Package_1_for_KB4103712~"+publisher+"~x86~~6.1.1.0", 96)+
		"["+uninstall+"\\x]\n\"DisplayName\"=\"Sentinel Runtime\"\n["+cbs+"\\PackagesPending\\x]\n")
	boot := buildBCD(f, "")
	f.Add([]byte{})
	for at := 4096; at < len(software); at += 128 {
		f.Add([]byte{byte(at), byte(at >> 8), 0xFF, 0xFF, 0xFF, 0x7F})
	}
	f.Fuzz(func(t *testing.T, pokes []byte) {
		for _, sound := range [][]byte{software, boot} {
			data := bytes.Clone(sound)
			for p := pokes; len(p) >= 6; p = p[6:] {
				at := (int(p[0]) | int(p[1])<<8) % (len(data) - 4)
				copy(data[at:], p[2:6])
			}
			s, err := hive.ReadSoftware(hive.Files{Primary: data})
			if (s == nil) == (err == nil) {
				t.Fatalf("ReadSoftware = %v, %v", s, err)
			}
			if s != nil {
				checkUpdates(t, s)
			}
			if b, err := hive.ReadBoot(hive.Files{Primary: data}); (b == nil) == (err == nil) {
				t.Fatalf("ReadBoot = %v, %v", b, err)
			}
		}
	})
}

// checkUpdates checks that each update is known by a KB or a build, and can be reported.
func checkUpdates(t *testing.T, s *hive.Software) {
	t.Helper()
	kb := regexp.MustCompile(`^(KB4\d{6})?$`)
	for _, u := range s.Updates {
		if !kb.MatchString(u.KB) || u.KB == "" && u.Build == 0 || u.Build < 0 || u.Build > 99999 {
			t.Errorf("update %+v", u)
		}
	}
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
}

// A SOFTWARE hive of 60 MB with more packages than any PC has.
func BenchmarkReadSoftware(b *testing.B) {
	var text strings.Builder
	for i := range 12000 {
		text.WriteString(pkg(fmt.Sprintf("Package_%d_for_KB%d~%s~x86~~6.1.1.0", i%40, 4088000+i, publisher), 112) + "\"InstallClient\"=\"WindowsUpdateAgent\"\n\"InstallName\"=\"update.mum\"\n\"Visibility\"=dword:1\n")
	}
	data := buildText(b, bareSoftware+text.String(), hivetest.Options{RootName: hivetest.SoftwareRoot, FileName: "SOFTWARE", Fill: 50 << 20})
	b.ReportMetric(float64(len(data))/(1<<20), "MB")
	for b.Loop() {
		if s, err := hive.ReadSoftware(hive.Files{Primary: data}); err != nil || s.Problem != "" || len(s.Updates) == 0 {
			b.Fatal(s, err)
		}
	}
}
