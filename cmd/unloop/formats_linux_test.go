package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive/hivetest"
)

// imageTools skips a test where those programs are missing that make and read images.
func imageTools(t *testing.T, more ...string) {
	t.Helper()
	for _, tool := range append([]string{"qemu-img", "qemu-nbd"}, more...) {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool)
		}
	}
}

// imageFormat is one way to keep a disk in files.
type imageFormat struct {
	name    string // also the name of the image
	format  string // in JSON
	options string // of qemu-img convert; "" for the cases that are made by make
	driver  string // QEMU's name
	check   bool   // qemu-img check can look at it
	make    func(t *testing.T, raw, image string)
}

func imageFormats() []imageFormat {
	return []imageFormat{
		{"pc.img", "raw", "-O raw", "raw", false, nil},
		{"fixed.vhd", "vhd-fixed", "-O vpc -o subformat=fixed,force_size=on", "vpc", false, nil},
		{"dynamic.vhd", "vhd-dynamic", "-O vpc -o subformat=dynamic,force_size=on", "vpc", false, nil},
		{"pc.qcow2", "qcow2", "-O qcow2", "qcow2", true, nil},
		{"old.qcow2", "qcow2", "-O qcow2 -o compat=0.10", "qcow2", true, nil},
		{"subclusters.qcow2", "qcow2", "-O qcow2 -o extended_l2=on,cluster_size=128k,lazy_refcounts=on", "qcow2", true, nil},
		{"a, b & 日本\"語.qcow2", "qcow2", "-O qcow2", "qcow2", true, nil},
		{"sparse.vmdk", "vmdk", "-O vmdk", "vmdk", true, nil},
		{"flat.vmdk", "vmdk", "-O vmdk -o subformat=monolithicFlat", "vmdk", false, nil},
		{"pieces.vmdk", "vmdk", "-O vmdk -o subformat=twoGbMaxExtentSparse", "vmdk", true, nil},
		{"flatpieces.vmdk", "vmdk", "-O vmdk -o subformat=twoGbMaxExtentFlat", "vmdk", false, nil},
		{"dynamic.vhdx", "vhdx", "-O vhdx", "vhdx", true, nil},
		{"fixed.vhdx", "vhdx", "-O vhdx -o subformat=fixed", "vhdx", true, nil},
		{"dynamic.vdi", "vdi", "-O vdi", "vdi", true, nil},
		{"fixed.vdi", "vdi", "-O vdi -o static=on", "vdi", true, nil},
		{"snapshot.qcow2", "qcow2", "", "qcow2", true, func(t *testing.T, raw, image string) {
			tool(t, 0, "qemu-img", "convert", "-O", "qcow2", raw, image)
			tool(t, 0, "qemu-img", "snapshot", "-c", "before", image)
		}},
		{"top.qcow2", "qcow2", "", "qcow2", true, func(t *testing.T, raw, image string) { // three layers, of two formats
			dir := filepath.Dir(image)
			tool(t, 0, "cp", raw, filepath.Join(dir, "bottom.raw"))
			tool(t, 0, "qemu-img", "create", "-f", "qcow2", "-b", "bottom.raw", "-F", "raw", filepath.Join(dir, "middle.qcow2"))
			tool(t, 0, "qemu-img", "create", "-f", "qcow2", "-b", "middle.qcow2", "-F", "qcow2", image)
		}},
		{"delta.vmdk", "vmdk", "", "vmdk", true, func(t *testing.T, raw, image string) {
			base := filepath.Join(filepath.Dir(image), "parent.vmdk")
			tool(t, 0, "qemu-img", "convert", "-O", "vmdk", raw, base)
			tool(t, 0, "qemu-img", "create", "-f", "vmdk", "-b", base, "-F", "vmdk", image)
		}},
	}
}

// sampleDisk writes the raw disk of a looping PC.
func sampleDisk(t *testing.T) (path string) {
	t.Helper()
	disk, err := hivetest.SampleDisk(sickHive(t, ""), "mbr", 3)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "raw.img")
	if err := os.WriteFile(path, disk, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// build makes the image in a folder of its own.
func (f imageFormat) build(t *testing.T, raw string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), f.name)
	if f.make != nil {
		f.make(t, raw, path)
		return path
	}
	tool(t, 0, slices.Concat([]string{"qemu-img", "convert", "-f", "raw"}, strings.Fields(f.options), []string{raw, path})...)
	return path
}

// sums are the checksums of all files in the folder of an image.
func sums(t *testing.T, image string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(image))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(image), e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = fmt.Sprintf("%x %v", sha256.Sum256(data), info.ModTime())
	}
	return all
}

// disk is the disk in an image as qemu-img reads it.
func (f imageFormat) disk(t *testing.T, path string, options ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.raw")
	tool(t, 0, slices.Concat([]string{"qemu-img", "convert"}, options, []string{"-f", f.driver, "-O", "raw", path, out})...)
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// scanOf is what a scan says, as text and as JSON, without the name of the image.
func scanOf(t *testing.T, path string) (text string, result targetResult) {
	t.Helper()
	code, text, errs := unloop("scan", path)
	if code != 0 {
		t.Fatalf("scan of %s: exit code %d\n%s", path, code, errs)
	}
	code, data, errs := unloop("scan", "--format", "json", path)
	if code != 0 {
		t.Fatalf("scan of %s: exit code %d\n%s", path, code, errs)
	}
	if err := json.Unmarshal([]byte(data), &result); err != nil {
		t.Fatal(err)
	}
	_, text, _ = strings.Cut(text, "\n") // the first line names the format
	text = regexp.MustCompile(`(?m)^  (stands on|snapshots in) .*\n`).ReplaceAllString(text, "")
	return strings.ReplaceAll(text, path, "IMAGE"), result
}

// TestImageFormats: a disk is found, repaired and put back in each format as it is in a
// raw image, a dry run touches nothing, only the top layer is written, and no process,
// socket or folder is left behind.
func TestImageFormats(t *testing.T) {
	imageTools(t, "ntfscat", "hivexget", "reglookup")
	t.Setenv("TMPDIR", t.TempDir())
	raw := sampleDisk(t)
	before, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	account, _ := scanOf(t, raw)
	repaired := filepath.Join(t.TempDir(), "repaired.img")
	tool(t, 0, "cp", raw, repaired)
	mustUnloop(t, "repair", "--yes", "--backup", t.TempDir(), repaired)
	after, err := os.ReadFile(repaired)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range imageFormats() {
		t.Run(f.name, func(t *testing.T) {
			path, backups := f.build(t, raw), t.TempDir()
			start := sums(t, path)
			text, found := scanOf(t, path)
			if diff := cmp.Diff(account, text); diff != "" {
				t.Errorf("scan (-raw +this):\n%s", diff)
			}
			if string(found.Format) != f.format {
				t.Errorf("format %q, want %q", found.Format, f.format)
			}
			mustUnloop(t, "repair", "--dry-run", path)
			if diff := cmp.Diff(start, sums(t, path)); diff != "" {
				t.Fatalf("scan or dry run wrote (-before +after):\n%s", diff)
			}
			mustUnloop(t, "repair", "--yes", "--backup", backups, path)
			f.wantDisk(t, path, after)
			f.wantBases(t, path, found, start)
			f.readElsewhere(t, path, found)
			if f.name == "snapshot.qcow2" && !bytes.Equal(f.disk(t, path, "-l", "before"), before) {
				t.Error("the snapshot has changed")
			}
			mustUnloop(t, "undo", "--yes", "--backup", backups, path)
			f.wantDisk(t, path, before)
			nothingLeft(t)
		})
	}
}

// TestVHDGeometry: a dynamic VHD of VirtualBox is as long as it says; its geometry ends before.
func TestVHDGeometry(t *testing.T) {
	imageTools(t)
	raw := sampleDisk(t)
	path := convert("-O vpc -o subformat=dynamic,force_size=on")(t, raw, t.TempDir())
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, footer := range [][]byte{data[:512], data[len(data)-512:]} {
		copy(footer[28:], "vbox")
		copy(footer[56:], []byte{963 >> 8, 963 & 0xFF, 8, 17})
		sum := uint32(0)
		binary.BigEndian.PutUint32(footer[64:], 0)
		for _, c := range footer {
			sum += uint32(c)
		}
		binary.BigEndian.PutUint32(footer[64:], ^sum)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	src, err := testEnv(t).host.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Close(); err != nil || src.Size() != 64<<20 {
		t.Errorf("a disk of %d bytes, want %d; %v", src.Size(), 64<<20, err)
	}
	mustUnloop(t, "repair", "--yes", "--backup", t.TempDir(), path)
}

// mustUnloop runs the program, which must end well.
func mustUnloop(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	code, stdout, stderr := unloop(args...)
	if code != 0 {
		t.Fatalf("unloop %q: exit code %d\n%s", args, code, stderr)
	}
	return stdout, stderr
}

// wantDisk compares the disk in an image with a raw one, and has the image checked.
func (f imageFormat) wantDisk(t *testing.T, path string, want []byte) {
	t.Helper()
	if at := firstDifference(f.disk(t, path), want); at >= 0 {
		t.Errorf("the disk differs from the raw one at 0x%x", at)
	}
	if f.check {
		tool(t, 0, "qemu-img", "check", "-f", f.driver, path)
	}
	if f.format == "vhd-fixed" {
		data, err := os.ReadFile(path)
		if err != nil || string(data[len(data)-512:][:8]) != "conectix" || len(data) != len(want)+512 {
			t.Errorf("the footer of the VHD is gone: %v", err)
		}
	}
}

// wantBases wants that the layers below were named and are as they were.
func (f imageFormat) wantBases(t *testing.T, path string, found targetResult, start map[string]string) {
	t.Helper()
	now := sums(t, path)
	for _, base := range found.Bases {
		if name := filepath.Base(base); now[name] != start[name] {
			t.Errorf("%s was written", base)
		}
	}
	want := map[string]int{"top.qcow2": 2, "delta.vmdk": 1}[f.name]
	if len(found.Bases) != want || (found.Snapshots == 1) != (f.name == "snapshot.qcow2") {
		t.Errorf("bases %q and %d snapshots", found.Bases, found.Snapshots)
	}
	if _, errs := mustUnloop(t, "scan", path); strings.Contains(errs, "stands on") != (want > 0) {
		t.Errorf("layers are not told:\n%s", errs)
	}
}

// readElsewhere has the hive read by programs that know nothing of us.
func (f imageFormat) readElsewhere(t *testing.T, path string, found targetResult) {
	t.Helper()
	volume, hive := filepath.Join(t.TempDir(), "volume"), filepath.Join(t.TempDir(), "SYSTEM")
	v := found.Volumes[len(found.Volumes)-1]
	if err := os.WriteFile(volume, f.disk(t, path)[v.Offset:v.Offset+v.Size], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hive, []byte(tool(t, 0, "ntfscat", volume, "Windows/System32/config/SYSTEM")), 0o600); err != nil {
		t.Fatal(err)
	}
	start := tool(t, 0, "hivexget", hive, `ControlSet001\services\Haspnt`, "Start")
	mask := tool(t, 0, "hivexget", hive, `ControlSet001\Control\Session Manager\Memory Management`, "FeatureSettingsOverride")
	if strings.TrimSpace(start) != "4" || strings.TrimSpace(mask) != "3" {
		t.Errorf("hivexget: Start %s, override %s", start, mask)
	}
	if out := tool(t, 0, "reglookup", "-p", "/ControlSet001/services/Haspnt/Start", hive); !strings.Contains(out, "DWORD,0x00000004") {
		t.Errorf("reglookup: %s", out)
	}
}

// nothingLeft wants no server of ours to run and nothing to lie in TMPDIR.
func nothingLeft(t *testing.T) {
	t.Helper()
	if all := servers(t, os.TempDir()); len(all) > 0 {
		t.Errorf("still running: %q", all)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || slices.ContainsFunc(left, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "unloop-") }) {
		t.Errorf("left: %v, %v", left, err)
	}
}

// servers lists the command lines of all qemu-nbd that have a word in them.
func servers(t *testing.T, word string) (all []string) {
	t.Helper()
	list, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range list {
		line, _ := os.ReadFile(path) // gone meanwhile
		if program, _, _ := bytes.Cut(line, []byte{0}); filepath.Base(string(program)) == exporterName && bytes.Contains(line, []byte(word)) {
			all = append(all, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return all
}
