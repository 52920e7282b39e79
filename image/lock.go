package image

import "os"

// OpenLocked opens an ordinary file that is there for reading and writing, under the lock
// that keeps two runs of this program apart: no other run has it open so until it is
// closed, or its process ends in whatever way. Errors: ErrBusy, ErrReadOnly, ErrNotFound.
func OpenLocked(path string) (*os.File, error) {
	f, err := openExclusive(path, false)
	if err != nil {
		return nil, writeError(path, err)
	}
	return f, nil
}
