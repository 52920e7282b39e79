package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/windows"
)

// lockedVolume is how Windows spells STATUS_FVE_LOCKED_VOLUME (winerror.h,
// FVE_E_LOCKED_VOLUME) when a drive letter of a locked BitLocker volume is read.
const lockedVolume = windows.Errno(0x80310000)

// isBusy reports a file that Windows itself or another program holds, as the
// hives of the running system are, and one that reg load has loaded.
func isBusy(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION)
}

// isReadOnly reports a medium that cannot be written. A denied access is not that:
// see readError.
func isReadOnly(err error) bool {
	return errors.Is(err, windows.ERROR_WRITE_PROTECT) || errors.Is(err, errReadOnlyFile)
}

// errReadOnlyFile stands for the access that Windows denies to whoever wants to write
// a file with the attribute read-only.
var errReadOnlyFile = errors.New("the file has the attribute read-only")

// readError names what an error of Windows means for the user.
func readError(err error) error {
	switch {
	case isBusy(err):
		return fmt.Errorf("%w: %w", err, ErrBusy)
	case errors.Is(err, lockedVolume):
		return fmt.Errorf("%w: %w", err, ErrBitLocker)
	case errors.Is(err, windows.ERROR_NOT_READY):
		return fmt.Errorf("%w: %w", err, ErrNoMedium)
	case errors.Is(err, windows.ERROR_FILE_CORRUPT), errors.Is(err, windows.ERROR_DISK_CORRUPT):
		return fmt.Errorf("%w: %w", err, ErrDamaged)
	case errors.Is(err, windows.ERROR_ACCESS_DENIED) && !elevated():
		return fmt.Errorf("%w: %w", err, ErrNotAdministrator)
	}
	return err
}

// elevated says whether this process has an administrator's rights. In WinPE everybody has.
func elevated() bool { return windows.GetCurrentProcessToken().IsElevated() || Host{}.InWinPE() }

// isRawDevice reports a path of the raw device namespace. Of those that begin with
// \\?\ only a drive letter's and a share's are ordinary files.
func isRawDevice(path string) bool {
	p := strings.ReplaceAll(path, "/", `\`)
	if strings.HasPrefix(p, `\\.\`) || strings.HasPrefix(p, `\??\`) {
		return true
	}
	rest, ok := strings.CutPrefix(p, `\\?\`)
	if !ok {
		return false
	}
	drive := len(rest) > 2 && rest[1:3] == `:\`
	return !drive && !strings.HasPrefix(strings.ToUpper(rest), `UNC\`)
}

// cleanTarget makes a folder of a drive letter, which alone would be that drive's
// current folder, and drops the quote that is left of "D:\" in a command line.
func cleanTarget(path string) string {
	path = strings.TrimSuffix(path, `"`)
	if len(path) == 2 && path[1] == ':' {
		path += `\`
	}
	return path
}

// busyTries and busyWait are how long openExclusive waits: a virus scanner may hold a
// file for a moment.
const (
	busyTries = 20
	busyWait  = 100 * time.Millisecond
)

// openExclusive opens a file for reading and writing. Others may go on reading it,
// nobody else may write, and reg cannot load it.
func openExclusive(path string, block bool) (*os.File, error) {
	if block {
		return nil, ErrUnsupported
	}
	for try := 1; ; try++ {
		f, err := openShared(path, windows.GENERIC_READ|windows.GENERIC_WRITE, windows.FILE_SHARE_READ)
		if err == nil || !isBusy(err) || try == busyTries {
			return f, err
		}
		time.Sleep(busyWait)
	}
}

// openShared opens a file that is there, with the sharing that os.OpenFile does not let one
// choose.
func openShared(path string, access, share uint32) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(longPath(path))
	if err != nil {
		return nil, err
	}
	if access&windows.GENERIC_WRITE != 0 && attributes(name)&windows.FILE_ATTRIBUTE_READONLY != 0 {
		return nil, &os.PathError{Op: "open", Path: path, Err: errReadOnlyFile}
	}
	h, err := windows.CreateFile(name, access, share, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// attributes of a file; none where it cannot be asked.
func attributes(name *uint16) uint32 {
	a, err := windows.GetFileAttributes(name)
	if err != nil {
		return 0
	}
	return a
}

// longPath spells a path so that it may be longer than MAX_PATH, as package os does
// for its own.
func longPath(path string) string {
	const longest = 248 // MAX_PATH less a short name, the limit for folders
	abs, err := filepath.Abs(path)
	switch {
	case err != nil, len(abs) < longest, strings.HasPrefix(abs, `\\?\`):
		return path
	case strings.HasPrefix(abs, `\\`):
		return `\\?\UNC` + abs[1:]
	}
	return `\\?\` + abs
}

// mayWrite asks whether a file could be written, by opening it and closing it again;
// nothing in it changes.
func mayWrite(path string) error {
	const everybody = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	f, err := openShared(path, windows.GENERIC_WRITE, everybody)
	if err != nil {
		return writeError(path, err)
	}
	return f.Close()
}

// lockFromQEMU does nothing here.
func lockFromQEMU(*os.File) error { return nil }
