//go:build !linux && !windows

package image

import (
	"errors"
	"syscall"
)

func isBusy(err error) bool { return errors.Is(err, syscall.EBUSY) }

func isRawDevice(string) bool { return false }
