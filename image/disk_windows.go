package image

import (
	"errors"
	"strings"

	"golang.org/x/sys/windows"
)

// isBusy reports a file that Windows itself or another program holds, as the
// hives of the running system are.
func isBusy(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION)
}

// isRawDevice reports a path of the raw device namespace, which is refused:
// Windows caches the volume above it and would not see, or undo, our writes.
func isRawDevice(path string) bool {
	p := strings.ReplaceAll(path, "/", `\`)
	return strings.HasPrefix(p, `\\.\`) || strings.HasPrefix(p, `\\?\GLOBALROOT`)
}
