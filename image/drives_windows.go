package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// Disks lists the fixed drives that hold a Windows, as C:\, and those that
// BitLocker has locked, or that cannot be read, which may. The drive that the running Windows or WinPE is
// on (X: there) is none of them. ErrNotAdministrator without such rights.
func (h Host) Disks() ([]string, error) {
	if !elevated() {
		return nil, ErrNotAdministrator
	}
	mask, err := windows.GetLogicalDrives()
	if err != nil {
		return nil, fmt.Errorf("asking for drive letters: %w", err)
	}
	own := filepath.VolumeName(h.SystemFolder())
	var all []string
	for i := range 26 {
		root := string(rune('A'+i)) + `:\`
		if mask>>i&1 == 0 || strings.EqualFold(filepath.VolumeName(root), own) || driveType(root) != windows.DRIVE_FIXED {
			continue
		}
		if h.mayHoldWindows(root) {
			all = append(all, root)
		}
	}
	return all, nil
}

func driveType(root string) uint32 {
	name, err := windows.UTF16PtrFromString(root)
	if err != nil {
		return windows.DRIVE_UNKNOWN
	}
	return windows.GetDriveType(name)
}

func (h Host) mayHoldWindows(root string) bool {
	s, err := h.Open(root)
	if err != nil {
		return errors.Is(err, ErrBitLocker) || errors.Is(err, ErrDamaged)
	}
	return s.Close() == nil
}

// SystemFolder is a folder on what this machine runs from: the Windows folder, X:\Windows
// in WinPE.
func (h Host) SystemFolder() string {
	if dir, err := windows.GetSystemWindowsDirectory(); err == nil {
		return dir
	}
	return os.Getenv("SystemRoot")
}

// minint is there in WinPE and the recovery environments made of it, in nothing else.
const minint = `SYSTEM\CurrentControlSet\Control\MiniNT`

// InWinPE says whether this is WinPE or WinRE, whose own drive is memory.
func (h Host) InWinPE() bool {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, minint, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	k.Close()
	return true
}

// BootDrive is the drive that WinPE was started from, as E:\; "" where WinPE does not
// tell, as before "wpeutil UpdateBootInfo".
func (h Host) BootDrive() string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Control`, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer k.Close()
	drive, _, err := k.GetStringValue("PEBootRamdiskSourceDrive")
	if err != nil || len(drive) < 2 || drive[1] != ':' {
		return ""
	}
	return drive[:2] + `\`
}

// InMemory says whether dir, or its nearest parent that exists, lies on the drive of a
// WinPE, which is gone at power-off.
func (h Host) InMemory(dir string) bool {
	return h.InWinPE() && sameVolume(dir, h.SystemFolder())
}

// SharesMedium says whether a backup must not be put in dir, and why: dir lies on
// the volume whose Windows is being repaired. A hive or an image that was copied
// somewhere may share its volume with dir, and so may all that lies on the drive of
// the running Windows. A folder that does not exist yet is judged by its parent.
func (s *Source) SharesMedium(dir string) (bool, string, error) {
	if s.disk != nil || !s.insideWindows() || !sameVolume(dir, s.path) || sameVolume(dir, s.host.SystemFolder()) {
		return false, "", nil
	}
	return true, fmt.Sprintf("%s lies on the volume being repaired", dir), nil
}

// insideWindows says whether the target is a Windows where it lies, not a copy of a hive.
func (s *Source) insideWindows() bool {
	return slices.ContainsFunc(s.found, func(in *Installation) bool {
		if in.hive == "" {
			return in.root != ""
		}
		abs, err := filepath.Abs(in.hive)
		return err == nil && rootAbove(filepath.Dir(abs)) != ""
	})
}

// sameVolume says whether two folders or files, or their nearest parents that exist, lie
// on one volume.
func sameVolume(a, b string) bool {
	return strings.EqualFold(volumeOf(a), volumeOf(b))
}

// How GetFinalPathNameByHandle is to spell a volume (fileapi.h).
const (
	volumeNameDOS  = 0
	volumeNameGUID = 1
)

// volumeOf names the volume of a path: by its GUID, else by its drive letter or share.
// Links and substituted drives are followed.
func volumeOf(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	for {
		_, err := os.Stat(path)
		if !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path) {
			break
		}
		path = filepath.Dir(path)
	}
	for _, kind := range []uint32{volumeNameGUID, volumeNameDOS} {
		if final, err := finalPath(path, kind); err == nil {
			return filepath.VolumeName(final)
		}
	}
	return filepath.VolumeName(path)
}

func finalPath(path string, kind uint32) (string, error) {
	name, err := windows.UTF16PtrFromString(longPath(path))
	if err != nil {
		return "", err
	}
	const everybody = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, 0, everybody, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return "", err
	}
	defer windows.CloseHandle(h)
	buf := make([]uint16, 1<<15) // the longest path there is
	n, err := windows.GetFinalPathNameByHandle(h, &buf[0], uint32(len(buf)), kind)
	if err != nil || n == 0 || int(n) >= len(buf) {
		return "", errors.Join(err, windows.ERROR_INVALID_NAME)
	}
	return windows.UTF16ToString(buf[:n]), nil
}
