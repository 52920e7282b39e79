package hive_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"unloop/hive"
)

// A medium that fills up while the backup is made ends it, and is as empty as before.
func TestWriteBackupOnFullMedium(t *testing.T) {
	for _, size := range []int{1, 5, 17} { // pages: none, some, almost all fit
		dir := t.TempDir()
		option := map[int]string{1: "size=4k", 5: "size=20k", 17: "size=68k"}[size]
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, option); err != nil {
			t.Skipf("mounting a tmpfs: %v", err)
		}
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, 0); err != nil {
				t.Error(err)
			}
		})
		f := hive.Files{Primary: bytes.Repeat([]byte("p"), 16<<10), Log1: bytes.Repeat([]byte("1"), 52<<10)}
		b, err := hive.WriteBackup(filepath.Join(dir, "run"), f, someManifest())
		if b != nil || !errors.Is(err, hive.ErrBackup) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("WriteBackup on %s = %v, %v, want %v, %v", option, b, err, hive.ErrBackup, syscall.ENOSPC)
		}
		if left := names(t, dir); len(left) > 0 {
			t.Errorf("left behind on %s: %q", option, left)
		}
	}
}
