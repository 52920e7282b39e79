package main

import (
	"os"
	"path/filepath"
)

// backupsName is the folder that backups go to on the medium of unloop.exe.
const backupsName = "unloop-backups"

// backupPlace is beside unloop.exe, so on the medium that a technician carries. Where
// that is the memory of a WinPE, it is the medium that WinPE was started from.
func (e *env) backupPlace() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", usageError{"usage.nohome", nil}
	}
	if dir := filepath.Dir(exe); !e.host.InMemory(dir) {
		return filepath.Join(dir, backupsName), nil
	}
	if drive := e.host.BootDrive(); drive != "" && !e.host.InMemory(drive) {
		return filepath.Join(drive, backupsName), nil
	}
	return "", usageError{"usage.memory", []any{exe}}
}

// quotePath makes a path safe to paste into cmd.exe.
func quotePath(s string) string {
	if plainWord(s, `\/._-+:@`) {
		return s
	}
	if s[len(s)-1] == '\\' {
		s += `\` // or the program would take the quote for a part of it
	}
	return `"` + s + `"`
}
