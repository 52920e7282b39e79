package hivetest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestWin7Software: the text builds and has what the updates fix edits.
func TestWin7Software(t *testing.T) {
	m := flatten(t, Win7Software("[Microsoft\\Extra]\n"))
	key := `["Microsoft" "Windows" "CurrentVersion" "WindowsUpdate" "Auto Update"] "AUOptions"`
	if got, want := m[key], `"AUOptions"=dword:00000004`; got != want {
		t.Errorf("AUOptions: %q, want %q", got, want)
	}
	if _, ok := m[`["Microsoft" "Extra"]`]; !ok {
		t.Error("extra key is not there")
	}
}

// TestPackage: what a diagnosis reads of an update, and that the last word counts.
func TestPackage(t *testing.T) {
	when := time.Date(2018, 5, 9, 3, 0, 0, 0, time.UTC)
	key := `["Microsoft" "Windows" "CurrentVersion" "Component Based Servicing" "Packages" `
	name := "Package_for_RollupFix~31bf3856ad364e35~x86~~7601.24094.1.3"
	m := flatten(t, Win7Software(Package(RollupPackage(24094), StateInstalled, when)+
		Package(RollupPackage(24094), StateInstallPending, when)+NoPackage(RollupPackage(24117))))
	got := map[string]string{}
	for _, value := range []string{"CurrentState", "InstallTimeHigh", "InstallTimeLow"} {
		got[value] = m[key+`"`+name+`"] "`+value+`"`]
	}
	want := map[string]string{
		"CurrentState":    `"CurrentState"=dword:00000060`,
		"InstallTimeHigh": `"InstallTimeHigh"=dword:01d3e741`,
		"InstallTimeLow":  `"InstallTimeLow"=dword:d1a4b800`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("package (-want +got):\n%s", diff)
	}
	for path := range m {
		if strings.Contains(path, "7601.24117") {
			t.Errorf("%s was taken away", path)
		}
	}
}

// TestDirtySoftwareHive: what is late is in the log and not in the hive.
func TestDirtySoftwareHive(t *testing.T) {
	primary, log, err := DirtySoftwareHive("", "\n[Microsoft\\Late]\n")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(primary, []byte("Late")) || !bytes.Contains(log, []byte("Late")) {
		t.Error("the late key is not in the log alone")
	}
	clean, err := SoftwareHive("")
	if err != nil || len(clean) != len(primary) || !bytes.Equal(clean[512:], primary[512:]) {
		t.Errorf("%v; the hive differs from the clean one behind its first sector", err)
	}
}

// TestBCDHive: a foreign program finds the boot manager's default, and its nx.
func TestBCDHive(t *testing.T) {
	data, err := BCDHive(LoaderInteger(ElementNX, 2) + LoaderInteger(ElementPAE, 1))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "BCD")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := judge(t, "reglookup", "-H", "-t", "SZ", "-p", "/Objects/{9dea862c-5cdd-4e70-acc1-f32b344d4795}/Elements/23000003", file)
	if err != nil || !strings.Contains(out, LoaderID) {
		t.Errorf("reglookup, default: %v\n%s", err, out)
	}
	for element, want := range map[string]string{"25000020": `%02%00`, "25000021": `%01%00`} {
		out, err := judge(t, "reglookup", "-H", "-t", "BINARY", "-p", "/Objects/"+LoaderID+"/Elements/"+element, file)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("reglookup, %s: %v\n%s", element, err, out)
		}
	}
}
