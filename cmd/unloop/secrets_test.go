//go:build linux

package main

import (
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// secretsOfPC are those of the usual PC and of the ones below: names of a person, a firm
// and accounts, a product key and how it begins as bytes, a password.
var secretsOfPC = []string{
	"Hanako Secret", "hanako.secret", "hanako", "Secret Works", "00371-OEM-8992671-00524", "8992671", "X15-37362",
	"secret-Passw0rd", "5ec01337", "S-1-5-21-1004336348", "1004336348", "FROM-THE-LOG",
}

// secretPCs are PCs whose hives and paths name somebody.
func secretPCs(t *testing.T) map[string]hivetest.PC {
	t.Helper()
	const paths = `
[ControlSet001\services\Haspnt]
"ImagePath"=str(2):"\\??\\C:\\Users\\hanako.secret\\drivers\\Haspnt.sys"
[ControlSet001\services\akshasp]
"ImagePath"="C:\\Documents and Settings\\hanako.secret\\akshasp.sys"
[ControlSet001\services\hasplms]
"ImagePath"="\"C:\\Users\\hanako.secret\\AppData\\hasplms.exe\" -run"
[ControlSet001\services\NeedsIt]
"Type"=dword:00000010
"Start"=dword:00000002
"ImagePath"="C:\\Users\\hanako.secret\\needs.exe"
"DependOnService"=hex(7):48,00,61,00,72,00,64,00,6c,00,6f,00,63,00,6b,00,00,00,00,00
`
	const late = `
[ControlSet001\Control]
"CurrentUser"="hanako.secret"
[ControlSet001\services\Late]
"ImagePath"="C:\\Users\\hanako.secret\\FROM-THE-LOG.exe"
[ControlSet001\services\LanmanServer\Shares]
"secrets"=hex(7):50,00,61,00,74,00,68,00,3d,00,43,00,3a,00,5c,00,55,00,73,00,65,00,72,00,73,00,5c,00,68,00,61,00,6e,00,61,00,6b,00,6f,00,00,00,00,00
`
	before, err := hivetest.Build(hivetest.Win7(paths), hivetest.Options{Fill: 8192, Slack: 65536})
	if err != nil {
		t.Fatal(err)
	}
	after, err := hivetest.Build(hivetest.Win7(paths+late), hivetest.Options{Fill: 8192, Slack: 65536})
	if err != nil {
		t.Fatal(err)
	}
	primary, log, err := hivetest.Dirty(before, after, 262144)
	if err != nil {
		t.Fatal(err)
	}
	software, softwareLog, err := hivetest.DirtySoftwareHive("", "\n[Microsoft\\Windows NT\\CurrentVersion]\n\"RegisteredOwner\"=\"hanako.secret 2\"\n")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]hivetest.PC{
		"usual": {},
		"paths": {SystemReg: paths},
		"dirty": {System: primary, SystemLog: log, Software: software, SoftwareLog: softwareLog},
		"dump":  {Files: []hivetest.NTFSFile{{Path: "Windows/Minidump/hanako.dmp", Data: []byte("PAGEDUMP")}}},
	}
}

// Whatever unloop says of a PC, or keeps in a report, names nobody and gives no key away.
func TestNoSecrets(t *testing.T) {
	for name, pc := range secretPCs(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			disk, err := pc.Disk("mbr")
			if err != nil {
				t.Fatal(err)
			}
			image := writeFile(t, filepath.Join(dir, "pc.img"), disk)
			reports, backups := filepath.Join(dir, "reports"), filepath.Join(dir, "backups")
			for _, run := range []struct {
				showsLog bool // what Windows left in the log of a dirty hive, value by value, as is its purpose
				args     []string
			}{
				{true, []string{"scan", "-v"}},
				{false, []string{"scan", "--lang", "ja"}},
				{false, []string{"scan", "--format", "json", "--report", reports, "--html"}},
				{true, []string{"repair", "--dry-run"}},
				{false, []string{"repair", "--dry-run", "--format", "reg"}},
				{false, []string{"repair", "--yes", "--format", "json", "--backup", backups, "--report", reports, "--html"}},
				{false, []string{"scan", "--report", reports, "--html"}},
				{false, []string{"undo", "--yes", "--lang", "ja", "--backup", backups, "--report", reports, "--html"}},
			} {
				code, stdout, stderr := runProgram(t, append(run.args, image)...)
				if code != 0 {
					t.Fatalf("%q: exit code %d\n%s", run.args, code, stderr)
				}
				if pc.SystemLog == nil || !run.showsLog {
					wantNoSecret(t, strings.Join(run.args, " "), stdout+stderr)
				}
			}
			wantNoSecretIn(t, reports, "report.json", "report.txt", "report.html")
			wantNoSecretIn(t, backups, "manifest.json")
		})
	}
}

// wantNoSecretIn looks into all files below a folder but the copies of hives. Files of
// those names must be among them.
func wantNoSecretIn(t *testing.T, dir string, names ...string) {
	t.Helper()
	seen := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "SYSTEM") || strings.HasPrefix(d.Name(), "SOFTWARE") {
			return err
		}
		data, err := os.ReadFile(path)
		seen[d.Name()] = true
		wantNoSecret(t, d.Name(), string(data))
		return err
	})
	for _, name := range names {
		if !seen[name] {
			t.Errorf("%s holds no %s: %v", dir, name, err)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// wantNoSecret looks for the secrets as they are, and as .reg text spells UTF-16.
func wantNoSecret(t *testing.T, what, said string) {
	t.Helper()
	plain := strings.ToLower(said)
	bytes := strings.NewReplacer("\\\n", "", " ", "", ",", "").Replace(plain)
	for _, secret := range secretsOfPC {
		if strings.Contains(bytes, strings.ToLower(secret)) && !strings.Contains(plain, strings.ToLower(secret)) {
			t.Errorf("%s gives %q away, with other signs in it", what, secret)
		}
		if i := strings.Index(plain, strings.ToLower(secret)); i >= 0 {
			t.Errorf("%s gives %q away: …%s…", what, secret, said[max(0, i-80):min(len(said), i+80)])
		}
		for _, spelt := range []string{secret, strings.ToLower(secret), strings.ToUpper(secret)} {
			if strings.Contains(bytes, hex.EncodeToString(hive.EncodeUTF16(spelt))) {
				t.Errorf("%s gives %q away, as bytes", what, secret)
			}
		}
	}
}
