//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"unloop/hive"
	"unloop/hive/hivetest"
	"unloop/image"
)

// A disk is a hard disk of a PC: as it was made, and as a file that the PC works on.
type disk struct {
	first   []byte
	files   hive.Files     // SYSTEM and its logs before the PC starts, if it has Windows
	extents []image.Extent // of SYSTEM and its first log
	path    string
	bad     int64 // offset that cannot be read; 0: none
}

// pcDisk is a disk with Windows to be made: MBR, a System Reserved partition, and a
// volume with its journal in use, as a PC leaves it that resets itself.
type pcDisk struct {
	system []byte
	log1   []byte // default: zeros
	hiber  string // first bytes of hiberfil.sys
}

func (p pcDisk) build(t *testing.T) *disk {
	t.Helper()
	const mib, fragments = 1 << 20, 3
	const windowsStart = 5 * mib
	files, err := hivetest.LoopingPC(p.system, fragments)
	for i := range files {
		if p.log1 != nil && strings.HasSuffix(files[i].Path, "SYSTEM.LOG1") {
			files[i].Data = p.log1
		}
	}
	if p.hiber != "" {
		files = append(files, hivetest.NTFSFile{Path: "hiberfil.sys", Data: append([]byte(p.hiber), make([]byte, 8<<20)...)})
	}
	boot, err2 := hivetest.BuildNTFS([]hivetest.NTFSFile{{Path: "Boot/BCD", Data: make([]byte, 4096)}},
		hivetest.NTFSOptions{Size: 4 * mib, Label: "System Reserved", Serial: 0x5EED, HiddenSectors: mib / 512})
	windows, err3 := hivetest.BuildNTFS(files, hivetest.NTFSOptions{Size: 58 * mib, Unclean: true,
		Serial: uint64(hiveSerial(p.system)), HiddenSectors: windowsStart / 512})
	data, err4 := hivetest.BuildMBR([]hivetest.Part{{Start: mib, Data: boot, Active: true}, {Start: windowsStart, Data: windows}}, 64*mib)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return &disk{first: data}
}

// loopingDisk is the disk of a Windows 7 that restarts over and over.
func loopingDisk(t *testing.T) *disk {
	t.Helper()
	return pcDisk{system: sickHive(t, "")}.build(t)
}

// realDisk has the hive of a real PC.
func realDisk(t *testing.T, name string) *disk {
	t.Helper()
	if _, err := os.Stat(realHivesDir()); err != nil {
		t.Skipf("no folder of real hives: %v", err)
	}
	need(t, "xz")
	cache := realHives{dir: t.TempDir()}
	system, err := cache.read(name)
	if err != nil {
		t.Fatal(err)
	}
	return pcDisk{system: system}.build(t)
}

// dirtyDisk is that of a PC which reset itself while Windows wrote the hive.
func dirtyDisk(t *testing.T) *disk {
	t.Helper()
	primary, log := dirtyPair(t)
	return pcDisk{system: primary, log1: log}.build(t)
}

// sleepingDisk is that of a PC in hibernation.
func sleepingDisk(t *testing.T) *disk {
	t.Helper()
	return pcDisk{system: sickHive(t, ""), hiber: image.HiberSleeping}.build(t)
}

// repairedDisk has been repaired before.
func repairedDisk(t *testing.T) *disk {
	t.Helper()
	d := loopingDisk(t)
	d.plugIn(t)
	repairHere(t, d)
	now, err := os.ReadFile(d.path)
	if err != nil {
		t.Fatal(err)
	}
	return &disk{first: now}
}

// emptyDisk has a partition table with nothing that is known behind it.
func emptyDisk(t *testing.T) *disk {
	t.Helper()
	data, err := hivetest.BuildMBR([]hivetest.Part{{Start: 1 << 20, Data: make([]byte, 8<<20), Type: 0x0C}}, 16<<20)
	if err != nil {
		t.Fatal(err)
	}
	return &disk{first: data}
}

// repairHere repairs a disk's file with the program in this process.
func repairHere(t *testing.T, d *disk) {
	t.Helper()
	code, _, stderr := unloop("repair", "--yes", "--crosscheck", "off", "--backup", t.TempDir(), d.path)
	if code != 0 {
		t.Fatalf("repair ends with %d:\n%s", code, stderr)
	}
}

// plugIn makes the file, and remembers what a repair may change in it.
func (d *disk) plugIn(t *testing.T) {
	t.Helper()
	d.path = filepath.Join(t.TempDir(), "disk.img")
	if err := writeSparse(d.path, bytes.NewReader(d.first), int64(len(d.first))); err != nil {
		t.Fatal(err)
	}
	var err error
	if d.files, d.extents, err = d.read(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// read reads SYSTEM and its logs from the disk's file with the program's own reader, which
// the tests of image hold against others. fs.ErrNotExist: there is no Windows.
func (d *disk) read() (files hive.Files, extents []image.Extent, err error) {
	src, err := image.Host{}.Open(d.path)
	if err != nil {
		return files, nil, err
	}
	defer src.Close()
	if len(src.Installations()) == 0 {
		return files, nil, fmt.Errorf("looking for Windows: %w", fs.ErrNotExist)
	}
	f, err := openHive(src.Installations()[0], hive.PrimaryFile)
	if err != nil {
		return files, nil, err
	}
	files, err = f.read()
	return files, append(f.primary.Extents(), f.log1.Extents()...), err
}

// untouched wants every byte to be as it was made.
func (d *disk) untouched() error {
	now, err := os.ReadFile(d.path)
	if err != nil {
		return err
	}
	if at := firstDifference(now, d.first); at >= 0 {
		return fmt.Errorf("the disk is not as it was, from 0x%x on", at)
	}
	return nil
}

// repaired wants the hive to differ by the repair alone, and the disk by the hive and its
// first log.
func (d *disk) repaired() error {
	if err := d.sameOutside(); err != nil {
		return err
	}
	old, err := hive.Open(d.files)
	if err != nil {
		return fmt.Errorf("reading the hive as it was: %w", err)
	}
	files, _, err := d.read()
	if err != nil {
		return err
	}
	now, err := hive.Open(files)
	if err != nil {
		return fmt.Errorf("reading the repaired hive: %w", err)
	}
	if now.Replay != nil {
		return errors.New("the repaired hive is dirty")
	}
	return errors.Join(onlyTheCure(old, now), cureSeenByHivexget(files.Primary))
}

// sameOutside compares all sectors but those of the hive and its log.
func (d *disk) sameOutside() error {
	now, err := os.ReadFile(d.path)
	if err != nil {
		return err
	}
	if len(now) != len(d.first) {
		return fmt.Errorf("the disk has %d bytes, had %d", len(now), len(d.first))
	}
	inside := func(at int64) bool {
		return slices.ContainsFunc(d.extents, func(x image.Extent) bool {
			return at >= x.DeviceOffset && at < x.DeviceOffset+x.Length
		})
	}
	for at := 0; at < len(now); at += 512 {
		if end := min(at+512, len(now)); !bytes.Equal(now[at:end], d.first[at:end]) && !inside(int64(at)) {
			return fmt.Errorf("the sector at 0x%x, which is neither SYSTEM's nor SYSTEM.LOG1's, differs", at)
		}
	}
	return nil
}

// The keys that a repair changes below each control set, the values, and what they become.
var cure = []struct {
	key, value string
	want       uint32
}{
	{`Control\Session Manager\Memory Management`, "FeatureSettingsOverride", 3},
	{`Control\Session Manager\Memory Management`, "FeatureSettingsOverrideMask", 3},
	{`services\Hardlock`, "Start", hive.StartDisabled},
	{`services\Haspnt`, "Start", hive.StartDisabled},
}

// controlSets are those of all hives here.
var controlSets = []string{"ControlSet001", "ControlSet002"}

// onlyTheCure compares two hives, value by value.
func onlyTheCure(old, now *hive.Hive) error {
	d, err := hive.Compare(old, now, true)
	if err != nil {
		return err
	}
	var want, got []string
	for _, set := range controlSets {
		for _, c := range cure {
			want = append(want, strings.ToLower(fmt.Sprintf(`%s\%s %s is dword:%08x`, set, c.key, c.value, c.want)))
		}
	}
	for _, k := range d.Keys {
		if k.Side != hive.InBoth || len(k.Notes) > 0 {
			got = append(got, "the key "+hive.FormatRegKey(k.Path)+" itself changed")
		}
		for _, v := range k.Values {
			got = append(got, strings.ToLower(fmt.Sprintf("%s %s is %s", hive.FormatRegKey(k.Path), v.Name, v.New.Text())))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		return fmt.Errorf("the repair changed\n%q, want\n%q", got, want)
	}
	return nil
}

// cureSeenByHivexget asks libhivex the same, where it is installed.
func cureSeenByHivexget(system []byte) error {
	program, err := exec.LookPath("hivexget")
	if err != nil {
		if os.Getenv("CI") == "true" {
			return err
		}
		return nil
	}
	dir, err := os.MkdirTemp("", "unloop")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "SYSTEM")
	if err := os.WriteFile(file, system, 0o666); err != nil {
		return err
	}
	for _, set := range controlSets {
		for _, c := range cure {
			out, err := exec.Command(program, file, `\`+set+`\`+c.key, c.value).CombinedOutput()
			if got, want := strings.TrimSpace(string(out)), fmt.Sprint(c.want); err != nil || got != want {
				return fmt.Errorf("hivexget says %s of %s in %s, want %s; %v", got, c.value, set+`\`+c.key, want, err)
			}
		}
	}
	return nil
}

// wornDisk cannot be read in the middle of the hive.
func wornDisk(t *testing.T) *disk {
	t.Helper()
	d := loopingDisk(t)
	d.plugIn(t)
	d.bad = d.extents[0].DeviceOffset + 8192
	return d
}

// foreignDisk has a volume made by mkntfs and filled through ntfs-3g.
func foreignDisk(t *testing.T) *disk {
	t.Helper()
	const mib = 1 << 20
	need(t, "mkntfs", "ntfs-3g", "umount", "fuser")
	if os.Geteuid() != 0 {
		t.Skip("not root: cannot mount")
	}
	dir := t.TempDir()
	volume, at := filepath.Join(dir, "volume"), filepath.Join(dir, "mnt")
	config := filepath.Join(at, "Windows/System32/config")
	err := writeSparse(volume, bytes.NewReader(make([]byte, 48*mib)), 48*mib)
	err = errors.Join(err, os.Mkdir(at, 0o777), command("mkntfs", "-F", "-Q", "-q", "-p", "2048", "-H", "255", "-S", "63", volume))
	if err != nil {
		t.Fatal(err)
	}
	if err := command("ntfs-3g", volume, at); err != nil {
		t.Fatal(err)
	}
	err = os.MkdirAll(config, 0o777)
	for name, data := range map[string][]byte{"SYSTEM": sickHive(t, ""), "SYSTEM.LOG1": make([]byte, 262144), "SYSTEM.LOG2": nil} {
		err = errors.Join(err, os.WriteFile(filepath.Join(config, name), data, 0o666))
	}
	if err := errors.Join(err, command("umount", at)); err != nil {
		t.Fatal(err)
	}
	for command("fuser", "-s", volume) == nil { // the driver still writes
		time.Sleep(10 * time.Millisecond)
	}
	data, err := os.ReadFile(volume)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := hivetest.BuildMBR([]hivetest.Part{{Start: mib, Data: data, Active: true}}, 64*mib)
	if err != nil {
		t.Fatal(err)
	}
	return &disk{first: whole}
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w: %s", name, args, err, out)
	}
	return nil
}
