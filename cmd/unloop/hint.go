package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"unloop/hive"
	"unloop/image"
	"unloop/image/stick"
)

// exitCode is what the process ends with, see the README.
type exitCode int

// The exit codes.
const (
	exitDone    exitCode = 0 // done, or nothing to do
	exitFailed  exitCode = 1 // failed with no hive byte changed
	exitUsage   exitCode = 2 // before any target was opened
	exitRefused exitCode = 4 // refused for safety, nothing written
	exitBroken  exitCode = 5 // hive bytes written but not verified
)

// worse returns the code that counts when several targets end differently.
func worse(a, b exitCode) exitCode {
	for _, c := range []exitCode{exitUsage, exitBroken, exitFailed, exitRefused} {
		if a == c || b == c {
			return c
		}
	}
	return exitDone
}

// usageError is a mistake in the command line, found before any target is opened.
type usageError struct {
	key  string
	args []any
}

func (u usageError) Error() string { return u.key }

// Errors of the command itself.
var (
	errNotShown     = errors.New("standard output cannot be written")
	errAnsweredNo   = errors.New("answered no")
	errInterrupted  = errors.New("interrupted")
	errNotAffected  = errors.New("not affected")
	errDisagree     = errors.New("the crosscheck disagrees")
	errNoJudge      = errors.New("no crosscheck")
	errSharesMedium = errors.New("the backup would lie on what is being repaired")
	errNoService    = errors.New("no such service in any control set")
	errVolatile     = errors.New("the backup would lie in memory")
	errNotTwoHives  = errors.New("not one hive")
	errNoReport     = errors.New("the report is not written")
	errReportShares = errors.New("the report would lie on what is looked at")

	errUnknownWindows = errors.New("the hive does not tell which Windows it belongs to")
	errNoDisk         = errors.New("no disk found")
	errNoWindowsHere  = errors.New("no disk holds a Windows")
	errNoWindowsDrive = errors.New("no other fixed drive holds a Windows")
	errNoRecord       = errors.New("the record is not written")
	errNoStick        = errors.New("the stick is not found")
	errStickReadOnly  = errors.New("the stick is write-protected")
	errStickGone      = errors.New("the stick is no longer there")
	errStickBackup    = errors.New("the stick does not take the backup")
)

// explained is one row of the table: an error, its message and hint in the
// catalogue ("error.KEY", "hint.KEY"), and the exit code.
type explained struct {
	err  error
	key  string
	code exitCode
}

// explanations is searched from the top; the first error that matches counts.
func explanations() []explained {
	return slices.Concat(
		explanationsOfRuns(),
		explanationsOfChoices(),
		explanationsOfHives(),
		explanationsOfImages(),
		explanationsOfDisks(),
		explanationsOfWinPE(),
		explanationsOfFiles(),
	)
}

// explanationsOfRuns are of how a run ended, whatever error of a hive or disk is behind it.
func explanationsOfRuns() []explained {
	return []explained{
		{hive.ErrNotVerified, "notverified", exitBroken},
		{errHalfStick, "halfstick", exitFailed},
		{errStickNotVerified, "sticknotverified", exitFailed},
		{errNotShown, "notshown", exitFailed},
		{errTableNotShown, "tablenotshown", exitFailed},
		{errAnsweredNo, "answeredno", exitFailed},
		{errInterrupted, "interrupted", exitFailed},
		{errNotDiscarded, "notdiscarded", exitFailed},
		{errSleepFile, "sleepfile", exitRefused},
		{errNoSoftware, "nosoftware", exitRefused},
		{hive.ErrNotSoftware, "notsoftware", exitRefused},
		{hive.ErrNoAutoUpdate, "noautoupdate", exitRefused},
		{context.Canceled, "interrupted", exitFailed},
		{errSharesMedium, "sharesmedium", exitRefused},
		{errReportShares, "reportshares", exitRefused},
		{errNoRecords, "norecords", exitFailed},
		{errDamagedRecord, "damagedrecord", exitFailed},
		{errOtherRecord, "otherrecord", exitFailed},
		{errNotReportFile, "notreportfile", exitRefused},
		{errNoRecord, "norecord", exitFailed},
		{errNoReport, "noreport", exitFailed},
		{errNoTable, "notable", exitFailed},
		{errStickGone, "stickgone", exitRefused},
		{errStickBackup, "stickbackup", exitRefused},
		{hive.ErrBackup, "backup", exitRefused},
	}
}

// explanationsOfChoices are of what was asked for, and of where it was to happen.
func explanationsOfChoices() []explained {
	return []explained{
		{errNotAffected, "notaffected", exitRefused},
		{errDisagree, "disagree", exitRefused},
		{errNoJudge, "nojudge", exitRefused},
		{errNotTwoHives, "nottwohives", exitRefused},
		{errNoService, "noservice", exitRefused},
		{errUnknownWindows, "unknownwindows", exitRefused},
		{errNoDisk, "nodisk", exitFailed},
		{errNoWindowsHere, "nowindowshere", exitRefused},
		{errNoStick, "nostick", exitRefused},
		{errStickReadOnly, "stickreadonly", exitRefused},
		{errStickSettings, "sticksettings", exitFailed},
		{errSettings, "settings", exitFailed},
		{errVolatile, "volatile", exitRefused},
	}
}

// explanationsOfHives are of hives and backups.
func explanationsOfHives() []explained {
	return []explained{
		{hive.ErrStale, "stale", exitRefused},
		{hive.ErrNoLog, "nolog", exitRefused},
		{hive.ErrNewLog, "newlog", exitRefused},
		{hive.ErrNotHive, "nothive", exitRefused},
		{hive.ErrNotSystem, "notsystem", exitRefused},
		{hive.ErrControlSet, "controlset", exitRefused},
		{hive.ErrNoKey, "nokey", exitRefused},
		{hive.ErrUnexpected, "unexpected", exitRefused},
		{hive.ErrMustGrow, "mustgrow", exitRefused},
		{hive.ErrMismatch, "mismatch", exitRefused},
		{hive.ErrNoBackup, "nobackup", exitRefused},
		{hive.ErrSeveralBackups, "severalbackups", exitRefused},
		{hive.ErrDiffers, "differs", exitRefused},
	}
}

// explanationsOfImages are of image files, and of the program that opens most of them.
func explanationsOfImages() []explained {
	return []explained{
		{image.ErrPacked, "packedimage", exitRefused},
		{image.ErrLockedImage, "lockedimage", exitRefused},
		{image.ErrPackedBlocks, "packedblocks", exitRefused},
		{image.ErrDelta, "delta", exitRefused},
		{image.ErrUnclosed, "unclosed", exitRefused},
		{image.ErrOutside, "outside", exitRefused},
		{image.ErrUnknownImage, "unknownimage", exitRefused},
		{image.ErrPartMissing, "partmissing", exitRefused},
		{image.ErrIsBase, "isbase", exitRefused},
		{image.ErrNoExporter, "noexporter", exitFailed},
		{image.ErrNotStarted, "notstarted", exitFailed},
		{image.ErrExport, "export", exitRefused},
	}
}

// explanationsOfDisks are of disks, volumes, and the making of a stick.
func explanationsOfDisks() []explained {
	return []explained{
		{errResumeBusy, "resumebusy", exitRefused},
		{image.ErrFixed, "fixed", exitRefused},
		{errLargeDrive, "largedrive", exitRefused},
		{errHoldsWindows, "holdswindows", exitRefused},
		{errMayHoldWindows, "mayholdwindows", exitRefused},
		{image.ErrHibernated, "hibernated", exitRefused},
		{image.ErrBitLocker, "bitlocker", exitRefused},
		{image.ErrRaidMember, "raid", exitRefused},
		{image.ErrDynamicDisk, "dynamic", exitRefused},
		{image.ErrSectorSize, "sectorsize", exitRefused},
		{image.ErrMounted, "mounted", exitRefused},
		{image.ErrAttached, "attached", exitRefused},
		{image.ErrBusy, "busydisk", exitRefused},
		{image.ErrChanged, "stale", exitRefused},
		{image.ErrCompressed, "compressed", exitRefused},
		{image.ErrSparse, "sparse", exitRefused},
		{image.ErrEncrypted, "encrypted", exitRefused},
		{image.ErrResident, "resident", exitRefused},
		{image.ErrUninitialised, "misplaced", exitRefused},
		{image.ErrMisplaced, "misplaced", exitRefused},
		{errWrongName, "wrongname", exitRefused},
		{image.ErrNotDrive, "notdrive", exitRefused},
		{image.ErrPartition, "partition", exitRefused},
		{image.ErrOwnDisk, "owndisk", exitRefused},
		{image.ErrStillMounted, "stillmounted", exitRefused},
		{image.ErrNoMedium, "nomedium", exitFailed},
		{stick.ErrTooSmall, "toosmall", exitRefused},
		{stick.ErrNotStick, "notstick", exitRefused},
		{stick.ErrDamaged, "badstick", exitRefused},
	}
}

// explanationsOfWinPE are of unloop.exe and of scripts for cmd.exe.
func explanationsOfWinPE() []explained {
	return []explained{
		{hive.ErrUnquotable, "unquotable", exitRefused},
		{errSecondScript, "secondscript", exitRefused},
		{image.ErrRawDrive, "rawdrive", exitRefused},
		{image.ErrNotAdministrator, "notadministrator", exitFailed},
		{errNoWindowsDrive, "nowindowsdrive", exitRefused},
	}
}

// explanationsOfFiles are of files and media. The errors of the system, which others wrap, come last.
func explanationsOfFiles() []explained {
	return []explained{
		{image.ErrReadOnly, "readonly", exitFailed},
		{image.ErrEmpty, "empty", exitRefused},
		{image.ErrUnsupported, "unsupported", exitRefused},
		{image.ErrDamaged, "damaged", exitRefused},
		{image.ErrNoWindows, "nowindows", exitRefused},
		{errNothingInside, "nothinginside", exitRefused},
		{errLink, "link", exitRefused},
		{errTooDeep, "toodeep", exitRefused},
		{image.ErrNotFound, "notfound", exitFailed},
		{stick.ErrMissing, "nopackage", exitFailed},
		{stick.ErrKernel, "kernel", exitFailed},
		{stick.ErrModule, "module", exitFailed},
		{stick.ErrProgram, "program", exitFailed},
		{stick.ErrFont, "font", exitFailed},
		{stick.ErrBootLoader, "bootloader", exitFailed},
		{errNotImageFile, "notimagefile", exitRefused},
		{fs.ErrNotExist, "notfound", exitFailed},
		{syscall.ENOTDIR, "notfound", exitFailed},
		{fs.ErrPermission, "permission", exitFailed},
		{syscall.ENOSPC, "nospace", exitFailed},
		{syscall.EIO, "damaged", exitRefused},
	}
}

// explain finds message, hint and exit code for an error.
func explain(err error) (key string, code exitCode) {
	var apply *hive.ApplyError
	if errors.As(err, &apply) {
		if apply.HiveTouched {
			return "halfwritten", exitBroken
		}
		return "logonly", exitFailed
	}
	for _, x := range explanations() {
		if errors.Is(err, x.err) {
			return x.key, x.code
		}
	}
	var format *hive.FormatError
	if errors.As(err, &format) {
		return "broken", exitRefused
	}
	return "other", exitFailed
}

// hint finds the advice for an error. On the stick there are no flags to give, and some
// of it is another.
func (e *env) hint(key string) string {
	if e.onStick && hasMessage(e.lang, "stickhint."+key) {
		return e.text("stickhint." + key)
	}
	return e.text("hint." + key)
}

// oneLine joins the lines of a joined error.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// complain prints an error with its hint, and returns its exit code. label names
// the target or hive concerned.
func (e *env) complain(label string, err error) exitCode {
	key, code := explain(err)
	e.tell("unloop: error: " + e.text("error."+key, label) + " (" + escape(oneLine(err)) + ")\n" +
		"unloop: hint: " + e.hint(key)) // one call: other targets may be speaking too
	return code
}
