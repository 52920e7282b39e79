//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"unloop/hive/hivetest"
)

// uncleanVolume unpacks a volume that a Windows has written to and left with its
// journal in use.
func uncleanVolume(t *testing.T) []byte {
	t.Helper()
	name := filepath.Join(realHivesDir(), "ntfs-unclean.zip")
	if _, err := os.Stat(name); err != nil {
		t.Skipf("no volume written by Windows: %v", err)
	}
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("SampleTinyNtfsVolume/partition.dd")
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// tool runs a foreign program that must succeed, or end with the exit code.
func tool(t *testing.T, code int, args ...string) string {
	t.Helper()
	need(t, args[0])
	out, err := exec.Command(args[0], args[1:]...).Output()
	if exit, ok := err.(*exec.ExitError); ok && exit.ExitCode() == code {
		return string(out)
	}
	if err != nil || code != 0 {
		t.Fatalf("%v: %v, want exit code %d\n%s", args, err, code, out)
	}
	return string(out)
}

// journalOf returns where $LogFile lies on a volume with clusters of 512 bytes, as
// ntfsinfo has it. It must be in one piece.
func journalOf(t *testing.T, volume string) (from, to int64) {
	t.Helper()
	_, data, _ := strings.Cut(tool(t, 0, "ntfsinfo", "-f", "-v", "-i", "2", volume), "Runlist:\tVCN\t\tLCN\t\tLength")
	var vcn, lcn, length int64
	n, err := fmt.Sscanf(strings.Join(strings.Fields(data), " "), "0x%x 0x%x 0x%x End of inode reached Total runs: 1", &vcn, &lcn, &length)
	if n != 3 || err != nil || vcn != 0 {
		t.Fatalf("$LogFile is not in one piece: %v\n%s", err, data)
	}
	return 512 * lcn, 512 * (lcn + length)
}

// putPC puts a looping PC onto a volume through a mount, which empties the journal, and
// then gives the journal its bytes back: a PC that has reset itself.
func putPC(t *testing.T, volume string, pc hivetest.PC) {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Geteuid() != 0 {
		t.Skip("mounting needs root and /dev/fuse")
	}
	before, err := os.ReadFile(volume)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tool(t, 0, "ntfs-3g", volume, dir)
	err = pc.Folder(dir)
	tool(t, 0, "umount", dir)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(volume)
	if err != nil {
		t.Fatal(err)
	}
	from, to := journalOf(t, volume)
	if bytes.Equal(data[from:to], before[from:to]) {
		t.Fatal("the mount has not emptied the journal, so this proves nothing")
	}
	copy(data[from:to], before[from:to])
	if err := os.WriteFile(volume, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// A volume that Windows has left with its journal in use is called so; a hive on it is
// repaired in place, undone to the byte, and the journal keeps every byte.
func TestVolumeLeftByWindows(t *testing.T) {
	volume := filepath.Join(t.TempDir(), "volume.dd")
	writeFile(t, volume, uncleanVolume(t))
	code, stdout, _ := unloop("scan", volume)
	if code != int(exitRefused) || !strings.Contains(stdout, "its journal is in use") {
		t.Errorf("scan of the volume without Windows: exit code %d\n%s", code, stdout)
	}
	tool(t, 15, "ntfs-3g.probe", "--readwrite", volume) // what others call it

	putPC(t, volume, hivetest.PC{})
	tool(t, 15, "ntfs-3g.probe", "--readwrite", volume)
	first, err := os.ReadFile(volume)
	if err != nil {
		t.Fatal(err)
	}
	from, to := journalOf(t, volume)
	code, stdout, _ = unloop("scan", volume)
	if code != 0 || !strings.Contains(stdout, "journal is in use") || !strings.Contains(stdout, "verdict: affected") {
		t.Errorf("scan: exit code %d\n%s", code, stdout)
	}
	backups := t.TempDir()
	if code, _, stderr := unloop("repair", "--yes", "--crosscheck", "off", "--backup", backups, volume); code != 0 {
		t.Fatalf("repair: exit code %d\n%s", code, stderr)
	}
	after, err := os.ReadFile(volume)
	if err != nil {
		t.Fatal(err)
	}
	if at := firstDifference(after[from:to], first[from:to]); at >= 0 {
		t.Errorf("the repair has changed the journal at 0x%x", at)
	}
	tool(t, 15, "ntfs-3g.probe", "--readwrite", volume)
	if bytes.Equal(after, first) {
		t.Error("the repair has changed nothing")
	}
	if got := tool(t, 0, "ntfscat", "-f", volume, "Windows/System32/config/SOFTWARE"); got != string(mustHive(t)) {
		t.Error("another file than the hive has changed")
	}
	if code, _, stderr := unloop("undo", "--yes", "--crosscheck", "off", "--backup", backups, volume); code != 0 {
		t.Fatalf("undo: exit code %d\n%s", code, stderr)
	}
	undone, err := os.ReadFile(volume)
	if err != nil {
		t.Fatal(err)
	}
	if at := firstDifference(undone, first); at >= 0 {
		t.Errorf("after the undo the volume differs from 0x%x on", at)
	}
}

// mustHive is the SOFTWARE of the usual PC.
func mustHive(t *testing.T) []byte {
	t.Helper()
	data, err := hivetest.SoftwareHive("")
	if err != nil {
		t.Fatal(err)
	}
	return data
}
