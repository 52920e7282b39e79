//go:build !windows

package hive

import "os"

// syncDir makes the names in a folder durable. A file system that cannot sync a
// folder, as FAT mounted through FUSE, is no reason to give up: the files are synced.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync()
	return nil
}
