//go:build cgo

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// programLimit is how long the program may take for one hive; the slowest machine counts.
const programLimit = 20 * time.Second

// testdata gives the path of a file among the real hives.
func testdata(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("UNLOOP_TESTDATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "hives")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no real hives: %v (UNLOOP_TESTDATA names their folder)", err)
	}
	return filepath.Join(dir, name)
}

// realHive unpacks a hive into a folder of the test's own.
func realHive(t *testing.T, name string) string {
	t.Helper()
	packed := testdata(t, name+".xz")
	return writeTemp(t, output(t, "xz", "-dc", packed))
}

// crafted unpacks all crafted hives and returns their folder.
func crafted(t *testing.T) string {
	t.Helper()
	packed := testdata(t, "crafted.tar.xz")
	dir := t.TempDir()
	output(t, "tar", "-xJf", packed, "-C", dir)
	return filepath.Join(dir, "crafted")
}

// runProcess runs the program in a process of its own, with a time limit. Code -1 is the end by a signal.
func runProcess(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), programLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0") // under -race each process would sleep a second at its end
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%q took more than %v", args, programLimit)
	}
	if cmd.ProcessState == nil {
		t.Fatalf("running %q: %v", args, err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// The whole tree has as many keys and values as libhivex' own tool finds, each key but once.
func TestTreeOfRealHives(t *testing.T) {
	for _, name := range []string{"win7-x86-hasp-SYSTEM", "win10-SYSTEM", "xp-sp3-SYSTEM"} {
		hive := realHive(t, name)
		before, err := os.Stat(hive)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		code, stdout, stderr := runProcess(t, `{"keys":[{"path":["Select"],"values":["Current"]}]}`, "--tree", hive)
		t.Logf("%s: %v", name, time.Since(start))
		if code != exitAnswered || stderr != "" {
			t.Fatalf("%s: exit code %d, %s", name, code, stderr)
		}
		xml := output(t, "hivexml", hive)
		lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
		keys, values := bytes.Count(xml, []byte("<node ")), bytes.Count(xml, []byte("<value "))
		if got, want := lines[len(lines)-1], "END "+strconv.Itoa(keys)+" "+strconv.Itoa(values); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		paths := make(map[string]bool)
		for _, line := range lines[1 : len(lines)-1] {
			paths[line[2*hashLen+1:]] = true
		}
		if len(paths) != keys {
			t.Errorf("%s: %d different paths, want %d", name, len(paths), keys)
		}
		if after, err := os.Stat(hive); err != nil || after.ModTime() != before.ModTime() {
			t.Errorf("%s was written to (%v)", name, err)
		}
	}
}

// Every value of every service is what hivexregedit exports.
func TestServicesLikeHivexregedit(t *testing.T) {
	hive := realHive(t, "win7-x86-hasp-SYSTEM")
	const services = `\ControlSet001\services`
	text := output(t, "hivexregedit", "--export", hive, services)
	sections, err := parseReg(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var q Question
	var want []KeyAnswer
	count := 0
	for _, s := range sections {
		kq := KeyQuestion{Path: s.path}
		ka := KeyAnswer{Path: s.path, Found: true, Values: []ValueAnswer{}}
		for _, v := range s.values {
			kq.Values = append(kq.Values, v.name)
			ka.Values = append(ka.Values, ValueAnswer{v.name, true, v.typ, hex.EncodeToString(v.data)})
			count++
		}
		q.Keys, want = append(q.Keys, kq), append(want, ka)
	}
	if count < 2000 {
		t.Fatalf("hivexregedit exported only %d values", count)
	}
	for i, got := range answerOf(t, hive, q) {
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	}
}

func TestStartLikeHivexget(t *testing.T) {
	hive := realHive(t, "win7-x86-hasp-SYSTEM")
	for _, service := range []string{"Haspnt", "hardlock", "AKSHASP", "hasplms"} {
		out := output(t, "hivexget", hive, `ControlSet002\Services\`+service, "Start")
		start, err := strconv.ParseUint(strings.TrimSpace(string(out)), 0, 32)
		if err != nil {
			t.Fatalf("hivexget: %v", err)
		}
		path := []string{"ControlSet002", "Services", service}
		got := answerOf(t, hive, Question{Keys: []KeyQuestion{{Path: path, Values: []string{"Start"}}}})
		data := hex.EncodeToString(binary.LittleEndian.AppendUint32(nil, uint32(start)))
		want := []KeyAnswer{{Path: path, Found: true, Values: []ValueAnswer{{"Start", true, regDword, data}}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", service, diff)
		}
	}
}

// The hive with the HASP services, built again from the one without, is the one that hivexregedit made.
func TestBuildRealHive(t *testing.T) {
	text, err := os.ReadFile(testdata(t, "hasp-services.reg"))
	if err != nil {
		t.Fatal(err)
	}
	base, out := realHive(t, "win7-x86-SYSTEM"), filepath.Join(t.TempDir(), "out")
	if code, _, stderr := runProcess(t, string(text), "build", base, out); code != exitAnswered {
		t.Fatalf("build = %d, %s", code, stderr)
	}
	if got, want := sortedListing(t, out), sortedListing(t, realHive(t, "win7-x86-hasp-SYSTEM")); !slices.Equal(got, want) {
		t.Error("the built hive differs from win7-x86-hasp-SYSTEM")
	}
}

func sortedListing(t *testing.T, hive string) []string {
	t.Helper()
	h, err := openHive(hive, false)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	text, err := listing(h)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	slices.Sort(lines)
	return lines
}

// A hive whose newest value lies in its log only is refused; what Windows made of it is not.
func TestDirtyRealHive(t *testing.T) {
	question := `{"keys":[{"path":["key_with_many_subkeys","4500"],"values":["V"]}]}`
	code, stdout, stderr := runProcess(t, question, testdata(t, "old-dirty/OldDirtyHive"))
	if code != exitUnreadable || stdout != "" || !strings.Contains(stderr, "is dirty: sequence numbers 5 and 4") {
		t.Errorf("dirty: %d, %q, %q; want %d", code, stdout, stderr, exitUnreadable)
	}
	code, stdout, _ = runProcess(t, question, testdata(t, "old-dirty/RecoveredHive_Windows7"))
	if code != exitAnswered || !strings.Contains(stdout, `"type":7,"data":"6100000062006200000063006300630000000000"`) {
		t.Errorf("recovered: %d, %q; want the value V", code, stdout)
	}
}

func TestCorruptedRealHive(t *testing.T) {
	code, stdout, _ := runProcess(t, `{"keys":[]}`, "--tree", realHive(t, "corrupted_system_hive"))
	if code != exitUnreadable || stdout != "" {
		t.Errorf("corrupted_system_hive: %d, %q; want %d", code, stdout, exitUnreadable)
	}
}

// A name may hold NUL, at which C ends: the name before it is another one.
func TestNameWithNUL(t *testing.T) {
	path := []string{"ControlSet001", "Services", "haspnt"}
	q := Question{Keys: []KeyQuestion{{Path: path, Values: []string{"Dis", "Dis\x00layName"}}}}
	got := answerOf(t, filepath.Join(crafted(t), "vk_name_nul"), q)
	want := []KeyAnswer{{Path: path, Found: true, Values: []ValueAnswer{{Name: "Dis"}, {"Dis\x00layName", true, regSz, hex.EncodeToString(utf16z("haspnt"))}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// No crafted hive hangs the judge or makes Go panic. Exit code 0 means that libhivex could follow every list to its
// end, not that the hive is sound: what it does not look at, such as a cell used twice, is for the strict checker.
func TestCraftedHives(t *testing.T) {
	dir := crafted(t)
	readable := map[string]bool{
		// Sound.
		"ok_baseline": true, "bins_checksum_collision": true, "cluster_8": true, "garbage_slack": true, "size_not_4k": true,
		"start_as_sz": true, "vk_name_nul": true, "vk_name_utf16_ascii": true, "zero_len_inline": true,
		// Broken where libhivex does not look.
		"data_is_nk": true, "data_is_vallist": true, "db_nseg_1": true, "db_ok_20000": true, "dup_key_name": true,
		"dup_vk_in_list": true, "hbins_beyond_eof": true, "hbins_unaligned": true, "shared_data_cell": true,
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if filepath.Ext(file.Name()) == ".md" {
			continue
		}
		code, stdout, stderr := runProcess(t, `{"keys":[]}`, "--tree", filepath.Join(dir, file.Name()))
		if strings.Contains(stderr, "panic: ") {
			t.Errorf("%s: %s", file.Name(), stderr)
		}
		whole := strings.HasSuffix(stdout, "\nEND 11 25\n")
		if readable[file.Name()] != (code == exitAnswered) || whole != (code == exitAnswered) {
			t.Errorf("%s: exit code %d, whole listing %v, want exit code 0: %v\n%s", file.Name(), code, whole, readable[file.Name()], stderr)
		}
		delete(readable, file.Name())
	}
	if len(readable) != 0 {
		t.Errorf("not among the crafted hives: %v", readable)
	}
}
