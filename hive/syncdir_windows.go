package hive

import "syscall"

// syncDir makes the names in a folder durable. A file system that cannot flush a
// folder is no reason to give up: the files are flushed.
func syncDir(dir string) error {
	name, err := syscall.UTF16PtrFromString(dir)
	if err != nil {
		return err
	}
	const everybody = syscall.FILE_SHARE_READ | syscall.FILE_SHARE_WRITE | syscall.FILE_SHARE_DELETE
	h, err := syscall.CreateFile(name, syscall.GENERIC_WRITE, everybody, nil, syscall.OPEN_EXISTING,
		syscall.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return nil
	}
	defer syscall.CloseHandle(h)
	_ = syscall.FlushFileBuffers(h)
	return nil
}
