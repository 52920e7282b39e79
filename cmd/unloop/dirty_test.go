//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"unloop/hive/hivetest"
)

// scriptDirty makes what a reset leaves while Windows turns one hive into another:
// the hive, marked dirty, and its log.
//
//	dirty BEFORE AFTER HIVE LOG [-time] [-torn] [-new] [-cut BYTES]
//
// -time gives the log another time than the hive's, -torn overwrites the hive's
// first sector with garbage, -new makes the log look like one of Windows 8.1,
// -cut takes so many bytes off the end of its pages.
func scriptDirty(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: dirty BEFORE AFTER HIVE LOG [FLAG...]")
	}
	fs := flag.NewFlagSet("dirty", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	otherTime := fs.Bool("time", false, "")
	torn := fs.Bool("torn", false, "")
	newFormat := fs.Bool("new", false, "")
	cut := fs.String("cut", "0", "")
	ts.Check(fs.Parse(args[4:]))
	before, after := []byte(ts.ReadFile(args[0])), []byte(ts.ReadFile(args[1]))
	const logSize = 262144
	primary, log, err := hivetest.Dirty(before, after, logSize)
	ts.Check(err)
	if *otherTime {
		log[12]++
		sealBaseBlock(log)
	}
	if *torn {
		copy(primary, strings.Repeat("garbage!", 64))
	}
	if *newFormat {
		copy(log[512:], "HvLE")
		binary.LittleEndian.PutUint32(log[28:], 6)
		sealBaseBlock(log)
	}
	if n := parseSize(ts, *cut); n > 0 {
		log = log[:logSize-int64(garbageAfter(log))-n]
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), primary, 0o666))
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), log, 0o666))
}

// garbageAfter counts the bytes of a log behind its last page.
func garbageAfter(log []byte) int {
	binsSize := int(binary.LittleEndian.Uint32(log[40:]))
	end := (516 + binsSize/4096 + 511) &^ 511
	for _, bits := range log[516 : 516+binsSize/4096] {
		for ; bits > 0; bits >>= 1 {
			end += 512 * int(bits&1)
		}
	}
	return len(log) - end
}

// sealBaseBlock renews the checksum of a base block: all words but the last one.
func sealBaseBlock(b []byte) {
	var sum uint32
	for off := 0; off < 508; off += 4 {
		sum ^= binary.LittleEndian.Uint32(b[off:])
	}
	binary.LittleEndian.PutUint32(b[508:], sum)
}

// scriptPutlog writes a file over SYSTEM.LOG1 on the first volume of an image.
//
//	putlog IMAGE LOG
func scriptPutlog(ts *testscript.TestScript, _ bool, args []string) {
	wantArgs(ts, args, 2, "putlog IMAGE LOG")
	src, log1 := openSystemOf(ts, args[0], "SYSTEM.LOG1", 1)
	extents := log1.Extents()
	ts.Check(src.Close())
	data := ts.ReadFile(args[1])
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	for _, x := range extents {
		if x.FileOffset < int64(len(data)) {
			_, werr := f.WriteAt([]byte(data[x.FileOffset:min(x.FileOffset+x.Length, int64(len(data)))]), x.DeviceOffset)
			err = errors.Join(err, werr)
		}
	}
	ts.Check(errors.Join(err, f.Close()))
}

// TestDirtyRealHive repairs a real hive to which the drivers come in the log alone,
// and has foreign programs read what became of it.
func TestDirtyRealHive(t *testing.T) {
	if _, err := os.Stat(realHivesDir()); err != nil {
		t.Skipf("no real hives: %v", err)
	}
	need(t, "xz", "hivexget", "reglookup")
	real := realHives{dir: t.TempDir()}
	before, err := real.read("win7-x86-SYSTEM")
	if err != nil {
		t.Fatal(err)
	}
	after, err := real.read("win7-x86-hasp-SYSTEM")
	if err != nil {
		t.Fatal(err)
	}
	primary, log, err := hivetest.Dirty(before, after, 262144)
	if err != nil {
		t.Fatal(err)
	}
	st := &stage{scene: scene{name: "real", dirty: true, logged: true}, dir: t.TempDir()}
	st.target, st.backs = filepath.Join(st.dir, "pc", "SYSTEM"), filepath.Join(st.dir, "backups")
	st.first = tree{"pc/SYSTEM": primary, "pc/SYSTEM.LOG1": log}
	st.put(t, st.first)

	_, shown, _ := unloop("scan", "-v", st.target)
	for _, want := range []string{"verdict: probable", "+[ControlSet001\\services\\Haspnt]", "+[ControlSet002\\services\\Hardlock]", "SYSTEM.LOG1 belongs to it"} {
		if !strings.Contains(shown, want) {
			t.Errorf("scan -v does not say %q:\n%s", want, shown)
		}
	}
	_, planned, _ := unloop("repair", "--dry-run", st.target)
	fromLog, ours, _ := strings.Cut(planned, "from the log\n+++")
	if !strings.Contains(fromLog, "+[ControlSet001\\services\\Haspnt]") || !strings.Contains(ours, "+\"Start\"=dword:00000004") {
		t.Errorf("the dry run shows\n%s", planned)
	}
	st.wantPC(t, st.first, "after scan and dry run")

	st.must(t, "repair")
	for _, set := range []string{"ControlSet001", "ControlSet002"} {
		for _, want := range []struct{ key, value, text, raw string }{
			{`services\Haspnt`, "Start", "4", "0x00000004"},                                             // the log's key, our value
			{`services\Hardlock`, "Start", "4", "0x00000004"},                                           //
			{`services\aksusb`, "Start", "3", "0x00000003"},                                             // the log's alone
			{`Control\Session Manager\Memory Management`, "FeatureSettingsOverride", "3", "0x00000003"}, // ours alone
		} {
			if got := output(t, "hivexget", st.target, set+`\`+want.key, want.value); got != want.text {
				t.Errorf("hivexget reads %q in %s\\%s, want %q", got, set, want.key, want.text)
			}
			path := "/" + strings.ReplaceAll(set+`\`+want.key+`\`+want.value, `\`, "/")
			if got := output(t, "reglookup", "-H", "-p", path, st.target); !strings.HasPrefix(got, path+",DWORD,"+want.raw) {
				t.Errorf("reglookup reads %q, want %s at %s", got, want.raw, path)
			}
		}
	}
	st.must(t, "undo")
	if _, left, _ := unloop("diff", filepath.Join(real.dir, "win7-x86-hasp-SYSTEM"), st.target); left != "" {
		t.Errorf("the undo does not end at the replayed hive:\n%s", left)
	}
}

// output runs a program and returns what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Errorf("%s %q: %v", name, args, err)
	}
	return strings.TrimSpace(string(out))
}
