//go:build linux

package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// TestCrosscheckTree has libhivex list whole hives, and then lets one line of what it
// reads be another: the first key about which the two readers differ is named, and
// nothing is written.
func TestCrosscheckTree(t *testing.T) {
	judges := t.TempDir()
	if err := buildJudge(judges); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("no judge: %v", err)
	}
	judge := filepath.Join(judges, judgeName)
	hives := map[string]map[string][]byte{"built": {"SYSTEM": sickHive(t, "")}}
	primary, log := dirtyPair(t)
	hives["dirty"] = map[string][]byte{"SYSTEM": primary, "SYSTEM.LOG1": log}
	if _, err := os.Stat(realHivesDir()); err == nil {
		need(t, "xz")
		data, err := (&realHives{dir: t.TempDir()}).read("win7-x86-hasp-SYSTEM")
		if err != nil {
			t.Fatal(err)
		}
		hives["real"] = map[string][]byte{"SYSTEM": data}
	}
	for name, files := range hives {
		t.Run(name, func(t *testing.T) {
			useJudge(t, `exec `+shellQuote(judge)+` "$@"`)
			c := &listed{stage: &stage{dir: t.TempDir()}, judge: judge}
			c.target = filepath.Join(c.dir, "pc", "SYSTEM")
			c.first = tree{}
			for file, data := range files {
				c.first["pc/"+file] = data
			}
			c.put(t, c.first)
			c.agrees(t)
			c.otherwise(t)
		})
	}
}

// listed is a hive before its repair, with the lines that libhivex lists for
// the repaired one.
type listed struct {
	*stage
	judge string
	lines []string
}

// agrees repairs the hive with the judge's consent, and has it list the result.
func (c *listed) agrees(t *testing.T) {
	t.Helper()
	start := time.Now()
	code, _, stderr := unloop("repair", "--dry-run", "--crosscheck", "require", c.target)
	if code != 0 || !strings.Contains(stderr, "crosscheck: agrees (libhivex") && !strings.Contains(stderr, "crosscheck: agrees (hivex") {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	t.Logf("repair --dry-run --crosscheck require took %v", time.Since(start))
	b := t.TempDir()
	if code, _, stderr := unloop("repair", "--yes", "--crosscheck", "require", "--backup", b, c.target); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	cmd := exec.Command(c.judge, "--tree", c.target)
	cmd.Stdin = strings.NewReader(`{"keys":[]}`)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("asking the judge: %v", err)
	}
	h, err := hive.Open(c.readFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	var ours bytes.Buffer
	if err := h.Listing(&ours); err != nil {
		t.Fatal(err)
	}
	_, listing, _ := bytes.Cut(out, []byte("\n"))
	if !bytes.Equal(listing, ours.Bytes()) {
		t.Fatal("the judge lists the repaired hive otherwise")
	}
	c.lines = strings.Split(strings.TrimSuffix(string(listing), "\n"), "\n")
	c.put(t, c.first)
}

// otherwise alters, removes and adds single lines, at both ends and in between.
func (c *listed) otherwise(t *testing.T) {
	t.Helper()
	last := len(c.lines) - 1 // END
	for _, n := range []int{1, 2, last / 3, last * 2 / 3, last - 1, last} {
		line, next := c.lines[n-1], c.lines[n]
		_, path, _ := strings.Cut(line, " ")
		_, nextPath, _ := strings.Cut(next, " ")
		named := fmt.Sprintf("%q", path)
		for sed, says := range map[string]string{
			fmt.Sprintf("%ds/^../zz/", n+1): fmt.Sprintf("it reads other values in the key %s)", named),
			fmt.Sprintf("%dd", n+1):         fmt.Sprintf("where unloop reads the key %s it reads %q)", named, nextPath),
			fmt.Sprintf("%dp", n+1):         fmt.Sprintf("where unloop reads the key %q it reads %s)", nextPath, named),
		} {
			useJudge(t, shellQuote(c.judge)+` "$@" | sed '`+sed+`'`)
			c.disagrees(t, sed, says)
		}
	}
	useJudge(t, shellQuote(c.judge)+` "$@" | sed 's/^END [0-9]*/END 1/'`)
	c.disagrees(t, "another END", "otherwise than unloop does")
}

// disagrees expects that nothing is written, and that the reason is given.
func (c *listed) disagrees(t *testing.T, name, says string) {
	t.Helper()
	b := filepath.Join(t.TempDir(), "backups")
	code, _, stderr := unloop("repair", "--yes", "--backup", b, c.target)
	wantHint(t, code, stderr)
	if exitCode(code) != exitRefused || !strings.Contains(stderr, "the crosscheck reads the edited hive otherwise") || !strings.Contains(stderr, says) {
		t.Errorf("%s: exit code %d, want %d and %s in\n%s", name, code, exitRefused, says, stderr)
	}
	if now := c.look(t); !maps.EqualFunc(now, c.first, bytes.Equal) {
		t.Fatalf("%s: files changed", name)
	}
	if _, err := os.Stat(b); err == nil {
		t.Errorf("%s: there is a backup", name)
	}
}

// A value that differs deep in the tree is found, whether its data, type or name
// does: the judge is given another hive than the one that was asked about.
func TestCrosscheckOtherHive(t *testing.T) {
	judges := t.TempDir()
	if err := buildJudge(judges); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("no judge: %v", err)
	}
	const key = `[ControlSet002\services\usbhub\Parameters\Deep]` + "\n"
	good := sickHive(t, key+`"Value"="text"`)
	dir := t.TempDir()
	target, other := filepath.Join(dir, "SYSTEM"), filepath.Join(dir, "other")
	for name, value := range map[string]string{
		"data": `"Value"="Text"`, "type": `"Value"=str(2):"text"`, "name": `"VALUE"="text"`, "length": `"Value"="text1"`,
		"none": "", "more": `"Value"="text"` + "\n" + `"Walue"="text"`, "key": `[ControlSet002\services\usbhub\Parameters\Deep\er]`,
	} {
		data, err := hivetest.Build(hivetest.Win7(key+value), hivetest.Options{Fill: 8192})
		if err != nil {
			t.Fatal(err)
		}
		// The other hive, repaired: in what was edited the two are alike.
		for path, b := range map[string][]byte{target: good, other: data} {
			if err := os.WriteFile(path, b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if code, _, stderr := unloop("repair", "--yes", "--crosscheck", "off", "--backup", filepath.Join(dir, name), other); code != 0 {
			t.Fatalf("exit code %d:\n%s", code, stderr)
		}
		useJudge(t, shellQuote(filepath.Join(judges, judgeName))+` "$1" `+shellQuote(other))
		code, _, stderr := unloop("repair", "--yes", "--backup", filepath.Join(dir, "backups"), target)
		if exitCode(code) != exitRefused || !regexp.MustCompile(`key "ControlSet002\\\\services\\\\(usbhub\\\\Parameters\\\\Deep|volmgr)"`).MatchString(stderr) {
			t.Errorf("%s: exit code %d:\n%s", name, code, stderr)
		}
		if now, err := os.ReadFile(target); err != nil || !bytes.Equal(now, good) {
			t.Errorf("%s: the hive changed, or %v", name, err)
		}
	}
}
