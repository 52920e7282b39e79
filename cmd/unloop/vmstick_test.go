//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"unloop/hive"
)

// A stick is a copy of the image that a test may write to, looked at through mtools, which
// shares no code with what wrote the image or with the kernel that writes the record.
type vmStick struct {
	path  string
	first tree // what is on it before the PC starts
}

// partition is where the stick's one volume lies.
const partition = 1 << 20

// newStick copies the image.
func newStick(t *testing.T, image string) *vmStick {
	t.Helper()
	s := &vmStick{path: filepath.Join(t.TempDir(), "stick.img")}
	if err := copySparse(image, s.path); err != nil {
		t.Fatal(err)
	}
	return s
}

// prepare sets the stick up for a PC, and remembers what is on it.
func (s *vmStick) prepare(v vm) error {
	if err := errors.Join(s.put("unloop.toml", v.toml()), s.put("unloop/test.cfg", v.testMenu())); err != nil {
		return err
	}
	if v.full {
		if err := s.fill(); err != nil {
			return err
		}
	}
	if v.twin {
		if err := copySparse(s.path, s.path+twinSuffix); err != nil {
			return err
		}
	}
	var err error
	s.first, err = s.tree()
	return err
}

// toml is the stick's unloop.toml.
func (v vm) toml() string {
	if v.settings != "" {
		return v.settings
	}
	return fmt.Sprintf("mode = %q\nafter = %q\n", v.mode, v.after)
}

// testMenu is what the boot menu reads before it shows itself: no waiting, and both
// consoles, of which the last has the screen.
func (v vm) testMenu() string {
	consoles := "console=tty0 console=ttyS0,115200"
	if v.screen == "tty0" {
		consoles = "console=ttyS0,115200 console=tty0"
	}
	// The kernel's self-tests of its ciphers take three seconds under emulation. At this level
	// it says which Linux it is, by which the start is timed, and little more.
	return fmt.Sprintf("set timeout=0\nset default=%d\nset extra=\"%s cryptomgr.notests no_timer_check loglevel=6\"\n", v.menu, consoles)
}

// copySparse copies a file without the blocks that are zeros.
func copySparse(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	return writeSparse(to, in, info.Size())
}

func writeSparse(to string, in io.Reader, size int64) (err error) {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() {
		if e := out.Close(); err == nil {
			err = e
		}
	}()
	block, zeros := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(0); at < size; at += int64(len(block)) {
		n, err := io.ReadFull(in, block[:min(int64(len(block)), size-at)])
		if err != nil {
			return err
		}
		if bytes.Equal(block[:n], zeros[:n]) {
			continue
		}
		if _, err := out.WriteAt(block[:n], at); err != nil {
			return err
		}
	}
	return out.Truncate(size)
}

// mtools runs one of these programs on the stick's volume; in ARG "::" stands for its root.
func (s *vmStick) mtools(program string, args ...string) ([]byte, error) {
	cmd := exec.Command(program, append([]string{"-i", fmt.Sprintf("%s@@%d", s.path, partition)}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MTOOLSRC=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w: %s", program, args, err, out)
	}
	return out, nil
}

// put writes a file over the one that is there.
func (s *vmStick) put(name, content string) error {
	file := filepath.Join(filepath.Dir(s.path), "put")
	if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
		return err
	}
	_, err := s.mtools("mcopy", "-o", file, "::/"+name)
	return err
}

// fill leaves no free cluster.
func (s *vmStick) fill() error {
	out, err := s.mtools("mdir", "::/")
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var digits []rune
	for _, c := range lines[len(lines)-1] { // "  40 123 392 bytes free"
		if c >= '0' && c <= '9' {
			digits = append(digits, c)
		}
	}
	var free int64
	if _, err := fmt.Sscan(string(digits), &free); err != nil {
		return fmt.Errorf("reading how much is free from %q: %w", lines[len(lines)-1], err)
	}
	return s.put("FILLER.BIN", string(make([]byte, free)))
}

// tree reads all that is on the stick.
func (s *vmStick) tree() (tree, error) {
	dir, err := os.MkdirTemp(filepath.Dir(s.path), "tree")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if _, err := s.mtools("mcopy", "-s", "::/*", dir); err != nil {
		return nil, err
	}
	found := tree{}
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		found[name], err = os.ReadFile(filepath.Join(dir, name))
		return err
	})
	return found, err
}

// sound asks fsck.fat about the volume.
func (s *vmStick) sound() error {
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	volume := filepath.Join(filepath.Dir(s.path), "volume.img")
	defer os.Remove(volume)
	size := info.Size() - partition
	if err := writeSparse(volume, io.NewSectionReader(f, partition, size), size); err != nil {
		return err
	}
	if out, err := exec.Command("fsck.fat", "-n", volume).CombinedOutput(); err != nil {
		return fmt.Errorf("fsck.fat of the stick: %w: %s", err, out)
	}
	return nil
}

// added returns what has come to the stick since the PC started. All else must be as
// it was.
func (s *vmStick) added() (tree, error) {
	now, err := s.tree()
	if err != nil {
		return nil, err
	}
	for name, data := range s.first {
		if !bytes.Equal(now[name], data) {
			return nil, fmt.Errorf("%s on the stick is not what it was", name)
		}
		delete(now, name)
	}
	return now, nil
}

// records are the folders of records on the stick, their files by base name.
func (s *vmStick) records() (map[string]tree, error) {
	added, err := s.added()
	if err != nil {
		return nil, err
	}
	all := map[string]tree{}
	for file, data := range added {
		dir := path.Dir(file)
		if path.Dir(dir) != "records" || !strings.HasSuffix(dir, "-"+biosSerial) {
			return nil, fmt.Errorf("%s on the stick is in no record of a PC with the serial number %s", file, biosSerial)
		}
		if all[dir] == nil {
			all[dir] = tree{}
		}
		all[dir][path.Base(file)] = data
	}
	return all, nil
}

// recorded wants the record of a repair of one disk: an account of it, and hive and logs
// as they were before.
func (s *vmStick) recorded(d *disk) error {
	all, err := s.records()
	if err != nil {
		return err
	}
	for name, files := range all {
		if bytes.Equal(files["SYSTEM"], d.files.Primary) {
			if err := wholeRecord(files, d); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		}
	}
	return fmt.Errorf("no record on the stick has the disk's hive: %q", slices.Sorted(maps.Keys(all)))
}

func wholeRecord(files tree, d *disk) error {
	want := []string{"SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2", "diff.txt", "manifest.json", "report.html", "report.json", "report.txt"}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, want) {
		return fmt.Errorf("there are %q, want %q", got, want)
	}
	for file, was := range map[string][]byte{"SYSTEM.LOG1": d.files.Log1, "SYSTEM.LOG2": d.files.Log2} {
		if !bytes.Equal(files[file], was) {
			return fmt.Errorf("%s is not the PC's as it was", file)
		}
	}
	manifest, err := hive.ParseManifest(files[hive.ManifestName])
	if err != nil {
		return fmt.Errorf("reading the manifest: %w", err)
	}
	if manifest.State != hive.StateDone || manifest.Before.Primary != hive.Sum(d.files.Primary) {
		return fmt.Errorf("the manifest is of a repair that is %q, of the hive %s", manifest.State, manifest.Before.Primary)
	}
	return errorOfAccount(files, manifest.Hive.Computer)
}

// onlyRecord is the record of a run that had nothing to keep a backup of.
func (s *vmStick) onlyRecord() (tree, error) {
	all, err := s.records()
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("%d records on the stick, want 1", len(all))
	}
	for _, files := range all {
		for _, name := range []string{"report.txt", "report.html", "report.json", "diff.txt"} {
			if files[name] == nil {
				return nil, fmt.Errorf("no %s in the record", name)
			}
		}
		if err := checkJSON(files["report.json"]); err != nil {
			return nil, fmt.Errorf("reading report.json: %w", err)
		}
		return files, nil
	}
	return nil, nil
}

// errorOfAccount looks at what is there for people.
func errorOfAccount(files tree, computer string) error {
	if err := checkJSON(files["report.json"]); err != nil {
		return fmt.Errorf("reading report.json: %w", err)
	}
	for file, words := range map[string][]string{
		"report.txt": {computer},
		"diff.txt":   {`+"Start"=dword:00000004`, `+"FeatureSettingsOverride"=dword:00000003`},
	} {
		for _, word := range words {
			if !bytes.Contains(files[file], []byte(word)) {
				return fmt.Errorf("%s does not say %s:\n%s", file, word, files[file])
			}
		}
	}
	return nil
}
