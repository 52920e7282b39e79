//go:build !windows

package main

import "path/filepath"

// backupPlace is the user's state folder.
func (e *env) backupPlace() (string, error) {
	if home := e.getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "state", "unloop", "backups"), nil
	}
	return "", usageError{"usage.nohome", nil}
}

// quotePath makes a path safe to paste into a shell.
func quotePath(s string) string { return shellQuote(s) }
