//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"unloop/hive"
	"unloop/hive/hivetest"
	"unloop/image"
)

// reported runs a verb on the disk of a looping PC in a language, and returns what a
// report is made of.
func reported(t *testing.T, lang, verb string) (*env, *targetResult) {
	t.Helper()
	disk, err := hivetest.SampleDisk(sickHive(t, ""), "mbr", 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	return reportOn(t, lang, verb, writeFile(t, "pc.img", disk), "backups")
}

func reportOn(t *testing.T, lang, verb, target, backups string) (*env, *targetResult) {
	t.Helper()
	e := testEnv(t)
	e.lang, e.out, e.err = lang, new(bytes.Buffer), new(bytes.Buffer)
	o := common{yes: true, format: "json", backup: backups, named: true, jobs: 1, dryRun: verb == "dry run"}
	if verb == "dry run" {
		verb = "repair"
	}
	fixes, _ := parseFixes(nil)
	return e, e.one(target, o, verb, true, func(e *env, src *image.Source, in *image.Installation, r *result) error {
		switch verb {
		case "repair":
			return e.repair(src, in, r, repairOptions{common: o, fixes: fixes, crosscheck: "off"}, true)
		case "undo":
			return e.undo(src, in, r, undoOptions{common: o, crosscheck: "off"}, true)
		}
		return e.scan(src, in, r, o)
	})
}

// hostile is what a hive may hold to break out of a page or to fool its reader.
const hostile = `"><script>pwned=1</script><img src=x onerror=pwned=1></style>` + "\x1b[31m\u202egpj\u0000"

// full puts something into every field that a report can have. Odd words stand where
// they come from a hive or disk.
func full(e *env, r *result, odd string) {
	moment := time.Date(2018, 4, 12, 3, 4, 5, 0, time.UTC)
	four := uint32(4)
	r.System = &systemResult{
		Product: "Windows 7 Professional" + odd, CSDVersion: "Service Pack 1", Build: "7601", BuildLab: "7601.24059.x86fre.win7sp1_ldr.180202-0600" + odd,
		Kernels: []fileResult{{Path: "System32/ntkrnlpa.exe", Presence: "present", Version: "6.1.7601.24117", Machine: "x86", Modified: &moment}},
		PAE:     "on", NX: "OptIn", CPUVendor: "GenuineIntel" + odd, LastBoot: &moment, LastUpdate: &moment,
	}
	r.findings.Diagnosis = hive.Diagnosis{
		Reason: hive.Statement{Key: "diag.affected.kernel", Args: []string{"Windows 7 SP1 x86", "Haspnt" + odd, "6.1.7601.24117"}},
		Evidence: []hive.Statement{
			{Key: "diag.cpu.amd", Weight: hive.Context, Args: []string{"AuthenticAMD" + odd}},
			{Key: "diag.override", Weight: hive.Against, Args: []string{"ControlSet001" + odd}},
			{Key: "diag.driver.starts", Weight: hive.For, Args: []string{"Haspnt" + odd, "2", `ControlSet001\services\Haspnt`}},
		},
		LookAlikes: []hive.Statement{{Key: "diag.look.pendingxml", Args: []string{`winsxs\pending.xml` + odd}}},
	}
	d := r.findings.Diagnosis
	r.Diagnosis = &diagnosisResult{e.statement(d.Reason), e.statements(d.Evidence), e.statements(d.LookAlikes)}
	r.DriverFiles = []fileResult{
		{Service: "haspnt" + odd, Path: "System32/drivers/haspnt.sys" + odd, Presence: "absent"},
		{Service: "aksusb", Path: "System32/drivers/aksusb.sys", Presence: "present", Problem: "cut short" + odd},
	}
	r.Programs = []programResult{{Name: "Sentinel System Driver Installer 7.5.9" + odd, Version: "7.5.9" + odd}}
	for i := range 30 {
		r.Updates = append(r.Updates, updatePackageResult{
			Package: fmt.Sprintf("Package_for_RollupFix~31bf3856ad364e35~x86~~7601.%d.1.4%s", 24059+i, odd),
			KB:      fmt.Sprintf("KB%d", 4088875+i), Build: 24059 + i, State: 112, StateName: "Installed" + odd, Installed: &moment,
		})
	}
	r.Updates[0].KB = ""
	r.AutoUpdate = &autoUpdateResult{Options: &four, PolicyOptions: &four, PolicyNoAutoUpdate: &four}
	r.Dumps = []dumpResult{{Path: "Minidump/041518-15600-01.dmp" + odd, Code: "0x0000007E", Time: moment}}
	r.Hibernation = &hibernationResult{Discarded: true, Why: "asked for" + odd}
	r.slept = &sentence{"sleep.stays", "hiberfil.sys" + odd, &stays{"awake.nofile", []any{"odd" + odd}}}
	r.Warnings, r.Refused = []string{"odd hive" + odd}, []objection{{errors.New("it sleeps" + odd)}}
	r.Replay = &replayResult{Why: "torn" + odd, Log: "SYSTEM.LOG1" + odd, Sectors: 12, Edits: []logEdit{{Key: "k" + odd, Name: odd, Old: "REG_SZ, 38 bytes"}}}
	r.findings.Windows.Computer, r.findings.Windows.CPU = "UNLOOP-PC"+odd, "x86 Family 6 Model 23"+odd
	r.Services[0].ImagePath, r.Services[0].Name = `system32\`+odd, "hardlock"+odd
}

// The schema has a place for everything that a report can hold.
func TestSchemaTakesAll(t *testing.T) {
	e, r := reported(t, "en", "repair")
	full(e, r.Installations[0], "")
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkJSON(text); err != nil {
		t.Error(err)
	}
}

// Both reports say all there is: what was found, what else it may be, the change, the
// backup, the way back, the price, what to do, whether it was safe, in both languages.
func TestReportsSayAll(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		e, tr := reported(t, lang, "repair")
		r := tr.Installations[0]
		full(e, r, "")
		d := r.findings.Diagnosis
		wanted := []string{
			"UNLOOP-PC", "Windows 7 Professional Service Pack 1 (Windows 7 SP1 x86)", "2018-04-12 03:04 UTC",
			e.text("status.repaired"), e.text("verdict.affected"), strings.TrimSuffix(e.say(d.Reason), "。"), e.say(d.LookAlikes[0])[1:],
			e.say(d.Evidence[0])[4:], e.say(d.Evidence[1])[4:], e.say(d.Evidence[2])[1:],
			`+"FeatureSettingsOverride"=dword:00000003`, `-"Start"=dword:00000002`, e.text("sheet.replayed", "SYSTEM.LOG1", 1),
			absolute(r.Backup), "unloop undo --backup " + absolute("backups") + " " + absolute("pc.img"),
			e.text("price.override")[5:], e.text("price.drivers")[5:], e.text("next.still"),
			"it sleeps", "odd hive", e.text("safe.journal")[5:], r.slept.text(e), e.text("price.hibernation")[5:], e.text("safe.nofilter")[1:],
		}
		files, err := e.reportFiles(tr, true)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"report.txt": string(files["report.txt"]), "report.html": unescaped(files["report.html"])} {
			for _, want := range wanted {
				if !strings.Contains(text, want) {
					t.Errorf("%s in %s does not say %q", name, lang, want)
				}
			}
			if strings.Contains(text, "%!") {
				t.Errorf("%s in %s has a bad verb", name, lang)
			}
		}
		for _, want := range []string{"ntkrnlpa.exe", "6.1.7601.24117", e.text("table.missing"), "cut short", "Sentinel System Driver Installer 7.5.9", "KB4088876", "7601.24060", "Installed (112)", "0x0000007E", "OptIn", "1C3A5B7D9E2F4610", r.Update.Sum} {
			if !strings.Contains(unescaped(files["report.html"]), want) {
				t.Errorf("the appendix in %s does not say %q", lang, want)
			}
		}
		if !strings.Contains(string(files["report.html"]), `<html lang="`+lang+`">`) {
			t.Errorf("the page is not marked as %s", lang)
		}
	}
}

// unescaped is a page with the signs that every HTML writer escapes as they are read.
func unescaped(page []byte) string {
	return strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&#43;", "+", "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(string(page))
}

// Whatever a hive holds, it is text in the reports.
func TestReportsAreHarmless(t *testing.T) {
	e, tr := reported(t, "en", "repair")
	full(e, tr.Installations[0], hostile)
	tr.Target, tr.Volumes[1].Label, tr.Problems = tr.Target+hostile, hostile, []string{hostile}
	tr.Installations[0].diffText += "+\"x\"=\"</div><script>pwned=1</script>\"\n"
	tr.Error = &errorResult{Key: "other", Exit: 1, Detail: hostile, Hint: hostile}
	files, err := e.reportFiles(tr, true)
	if err != nil {
		t.Fatal(err)
	}
	page := string(files["report.html"])
	for _, bad := range []string{"<script", "<img", "onerror=pwned=1>", "</style></"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	if n := strings.Count(page, "</style>"); n != 1 {
		t.Errorf("the page ends its style %d times", n)
	}
	for name, text := range map[string]string{"report.txt": string(files["report.txt"]), "report.html": page} {
		if i := strings.IndexFunc(strings.ReplaceAll(text, "\n", ""), unprintable); i >= 0 {
			t.Errorf("%s holds a control character: %q", name, strings.ReplaceAll(text, "\n", "")[max(0, i-40):i+10])
		}
	}
}

// secrets are what stands on a PC's disk and is nobody's business.
var secrets = []string{"Taro", "Yamada", "Hanako", "ABCDE-12345-FGHIJ-67890-KLMNO", "00371-OEM-8992671-00524", "Secret Ltd"}

// No report holds the names of users, or of the registered owner, or a product key.
func TestReportsAreDiscreet(t *testing.T) {
	extra := `
[ControlSet001\services\hasplms]
"ImagePath"="C:\\Users\\Taro Yamada\\hasplms.exe"
[ControlSet001\services\Haspnt]
"ImagePath"="\\??\\C:\\Users\\Hanako\\haspnt.sys"
[ControlSet001\Control\Session Manager\Environment]
"USERNAME"="Taro Yamada"
`
	before := sickHive(t, extra+`
[ControlSet001\Control\Session Manager]
"PendingFileRenameOperations"="C:\\Users\\Taro Yamada\\x"
[ControlSet001\services\SharedAccess\Parameters\FirewallPolicy\FirewallRules]
"TCP Query User{1}C:\\users\\taro\\a.exe"="v2.10|Name=Taro"
[WPA\PnP]
"ProductID"="00371-OEM-8992671-00524"
`)
	primary, log, err := hivetest.Dirty(before, sickHive(t, extra), 262144)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "pc", "Windows", "System32", "config")
	if err := os.MkdirAll(filepath.Join(dir, "pc", "Users", "Taro Yamada"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(config, 0o777); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(config, "SYSTEM"), primary)
	writeFile(t, filepath.Join(config, "SYSTEM.LOG1"), log)
	writeFile(t, filepath.Join(config, "SOFTWARE"), privateSoftware(t))
	for _, verb := range []string{"scan", "dry run", "repair", "scan", "undo"} {
		e, tr := reportOn(t, "en", verb, filepath.Join(dir, "pc"), filepath.Join(dir, "backups"))
		if tr.Exit != 0 {
			t.Fatalf("%s: %s", verb, e.err)
		}
		files, err := e.reportFiles(tr, true)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			for _, secret := range secrets {
				if at := bytes.Index(bytes.ToLower(text), []byte(strings.ToLower(secret))); at >= 0 {
					t.Errorf("%s: %s holds %s: …%s…", verb, name, secret, text[max(0, at-60):min(len(text), at+60)])
				}
			}
		}
	}
}

// privateSoftware is a SOFTWARE hive full of what a report must not tell.
func privateSoftware(t *testing.T) []byte {
	t.Helper()
	data, err := hivetest.Build(`
[Microsoft\Windows NT\CurrentVersion]
"ProductName"="Windows 7 Professional"
"CSDVersion"="Service Pack 1"
"CurrentVersion"="6.1"
"CurrentBuild"="7601"
"RegisteredOwner"="Taro Yamada"
"RegisteredOrganization"="Secret Ltd"
"ProductId"="00371-OEM-8992671-00524"
"ProductKey"="ABCDE-12345-FGHIJ-67890-KLMNO"
[Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1-2-3-1000]
"ProfileImagePath"="C:\\Users\\Taro Yamada"
[Microsoft\Windows NT\CurrentVersion\Winlogon]
"DefaultUserName"="Taro"
[Microsoft\Windows\CurrentVersion\Uninstall\HASP]
"DisplayName"="HASP Device Drivers"
"DisplayVersion"="4.116"
"InstallLocation"="C:\\Users\\Taro Yamada\\hasp"
[Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages\Package_for_RollupFix~31bf3856ad364e35~x86~~7601.24117.1.4]
"CurrentState"=dword:00000070
"InstallUser"="S-1-5-21-1-2-3-1000"
"InstallLocation"="\\\\?\\C:\\Users\\Taro Yamada\\AppData\\x"
`, hivetest.Options{RootName: "CMI-CreateHive{199DAFC2-6F16-4946-BF90-5A3FC3A60902}"})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Two hives of one Windows share a page, two Windows have one each, and a disk without
// any has one all the same.
func TestSubjects(t *testing.T) {
	for _, test := range []struct {
		labels []string
		want   []int // how many hives each page is about
	}{
		{nil, []int{0}},
		{[]string{"a"}, []int{1}},
		{[]string{"a", "a"}, []int{2}},
		{[]string{"a", "b", "b", "c"}, []int{1, 2, 1}},
		{[]string{"", ""}, []int{1, 1}},
	} {
		tr := new(targetResult)
		for _, label := range test.labels {
			tr.Installations = append(tr.Installations, &result{label: label})
		}
		var got []int
		for _, s := range subjects(tr) {
			got = append(got, len(s.results()))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("subjects of %q: %v, want %v", test.labels, got, test.want)
		}
	}
}

// The colour follows what counts, and a word stands beside it.
func TestMoods(t *testing.T) {
	for _, test := range []struct {
		r    result
		want mood
	}{
		{result{Status: statusFound, Verdict: "affected"}, moodBad},
		{result{Status: statusFound, Verdict: "affected", Repaired: true}, moodGood},
		{result{Status: statusFound, Verdict: "probable"}, moodNote},
		{result{Status: statusFound, Verdict: "unknown"}, moodNote},
		{result{Status: statusFound, Verdict: "not affected"}, moodCalm},
		{result{Status: statusRepaired}, moodGood},
		{result{Status: statusUndone}, moodGood},
		{result{Status: statusPlanned}, moodCalm},
		{result{Status: statusNothing}, moodNote},
		{result{Status: statusFailed}, moodBad},
		{result{Status: statusRefused}, moodBad},
		{result{Status: statusSkipped}, moodCalm},
	} {
		s := subject{t: new(targetResult), r: &test.r}
		if got := s.mood(); got != test.want {
			t.Errorf("%s, %s: mood %d, want %d", test.r.Status, test.r.Verdict, got, test.want)
		}
		s.also = []*result{{Status: statusRefused}}
		if got := s.mood(); got != moodBad {
			t.Errorf("%s, and another hive refused: mood %d", test.r.Status, got)
		}
	}
}

func TestSentence(t *testing.T) {
	for _, test := range []struct{ lang, in, want string }{
		{"en", "", ""},
		{"en", "its journal is in use", "Its journal is in use."},
		{"en", "haspnt.sys is there", "haspnt.sys is there."},
		{"en", "It is so.", "It is so."},
		{"en", "kernel 6.1.7601.24059 (new)", "Kernel 6.1.7601.24059 (new)."},
		{"ja", "使用中です", "使用中です。"},
		{"ja", "使用中です。", "使用中です。"},
		{"ja", "override の代償", "override の代償。"},
	} {
		e := &env{lang: test.lang}
		if got := e.sentence(test.in); got != test.want {
			t.Errorf("sentence(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}
