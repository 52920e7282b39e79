package main

import (
	"fmt"
	"strings"
	"syscall"

	"unloop/hive"
	"unloop/image"
	"unloop/image/stick"
)

// policy is what unloop does about one state of a disk, a Windows, a hive or a backup.
// The words are in the catalogue: policy.KEY.state says what the state is,
// policy.KEY.scan what a scan says of it, policy.KEY.does what a repair, or the verb of
// the group, does.
type policy struct {
	key  string
	code exitCode // of that verb, where there is nothing else to end it otherwise
	errs []error  // what the state is within the program; none: it forbids nothing
}

// policyGroup is the part of the table that concerns one thing. Its heading is
// policy.KEY in the catalogue.
type policyGroup struct {
	key   string
	scans bool // a scan has something to say of these states
	rows  []policy
}

// policies is the table of what is refused and what is not minded. README.md shows it,
// and tests hold it against hint.go and the program.
func policies() []policyGroup {
	return []policyGroup{
		{"windows", true, policiesOfWindows()},
		{"volume", true, policiesOfVolumes()},
		{"image", true, policiesOfImages()},
		{"hive", true, policiesOfHives()},
		{"run", false, policiesOfRuns()},
		{"undo", false, policiesOfUndo()},
		{"stick", false, policiesOfSticks()},
		{"write", false, policiesOfStickWrite()},
		{"winpe", false, policiesOfWinPE()},
	}
}

func policiesOfWindows() []policy {
	return []policy{
		{"affected", exitDone, nil},
		{"probable", exitDone, nil},
		{"repaired", exitDone, nil},
		{"notaffected", exitRefused, []error{errNotAffected}},
		{"beside", exitDone, nil},
		{"unknown", exitDone, nil},
		{"amd", exitDone, nil},
		{"lookalike", exitDone, nil},
		{"nowindows", exitRefused, []error{image.ErrNoWindows, errNothingInside}},
		{"windowsold", exitRefused, []error{image.ErrNoWindows}},
		{"link", exitRefused, []error{errLink, errTooDeep}},
	}
}

func policiesOfVolumes() []policy {
	return []policy{
		{"journal", exitDone, nil},
		{"journal2", exitDone, nil},
		{"dirtyflag", exitDone, nil},
		{"hibernated", exitRefused, []error{image.ErrHibernated}},
		{"woken", exitDone, nil},
		{"sleepfile", exitRefused, []error{errSleepFile}},
		{"hiberunreadable", exitRefused, []error{image.ErrDamaged}},
		{"bitlocker", exitRefused, []error{image.ErrBitLocker}},
		{"raid", exitRefused, []error{image.ErrRaidMember}},
		{"dynamic", exitRefused, []error{image.ErrDynamicDisk}},
		{"serial", exitDone, nil},
		{"sectorsize", exitRefused, []error{image.ErrSectorSize}},
		{"mounted", exitRefused, []error{image.ErrMounted}},
		{"busy", exitRefused, []error{image.ErrBusy}},
		{"owned", exitDone, nil},
		{"readonly", exitFailed, []error{image.ErrReadOnly}},
		{"damaged", exitRefused, []error{image.ErrDamaged, syscall.EIO}},
		{"empty", exitRefused, []error{image.ErrEmpty}},
		{"unsupported", exitRefused, []error{image.ErrUnsupported}},
	}
}

func policiesOfImages() []policy {
	return []policy{
		{"plainimage", exitDone, nil},
		{"container", exitDone, nil},
		{"toplayer", exitDone, nil},
		{"snapshots", exitDone, nil},
		{"attached", exitRefused, []error{image.ErrAttached}},
		{"isbase", exitRefused, []error{image.ErrIsBase}},
		{"packedblocks", exitRefused, []error{image.ErrPackedBlocks}},
		{"packedimage", exitRefused, []error{image.ErrPacked}},
		{"lockedimage", exitRefused, []error{image.ErrLockedImage}},
		{"unclosed", exitRefused, []error{image.ErrUnclosed}},
		{"delta", exitRefused, []error{image.ErrDelta}},
		{"outside", exitRefused, []error{image.ErrOutside}},
		{"partmissing", exitRefused, []error{image.ErrPartMissing}},
		{"unknownimage", exitRefused, []error{image.ErrUnknownImage}},
		{"export", exitRefused, []error{image.ErrExport}},
		{"noexporter", exitFailed, []error{image.ErrNoExporter}},
		{"notstarted", exitFailed, []error{image.ErrNotStarted}},
	}
}

func policiesOfHives() []policy {
	return []policy{
		{"replayed", exitDone, nil},
		{"nolog", exitRefused, []error{hive.ErrNoLog}},
		{"newlog", exitRefused, []error{hive.ErrNewLog}},
		{"logless", exitDone, nil},
		{"broken", exitRefused, []error{&hive.FormatError{}}},
		{"nothive", exitRefused, []error{hive.ErrNotHive}},
		{"notsystem", exitRefused, []error{hive.ErrNotSystem}},
		{"controlset", exitRefused, []error{hive.ErrControlSet}},
		{"nokey", exitRefused, []error{hive.ErrNoKey}},
		{"unexpected", exitRefused, []error{hive.ErrUnexpected}},
		{"mustgrow", exitRefused, []error{hive.ErrMustGrow}},
		{"compressed", exitRefused, []error{image.ErrCompressed}},
		{"sparse", exitRefused, []error{image.ErrSparse}},
		{"encrypted", exitRefused, []error{image.ErrEncrypted}},
		{"resident", exitRefused, []error{image.ErrResident}},
		{"misplaced", exitRefused, []error{image.ErrMisplaced, image.ErrUninitialised}},
		{"nosoftware", exitRefused, []error{errNoSoftware, hive.ErrNotSoftware}},
		{"noautoupdate", exitRefused, []error{hive.ErrNoAutoUpdate}},
		{"neverlooks", exitDone, nil},
		{"filter", exitDone, nil},
		{"dependent", exitDone, nil},
	}
}

// policiesOfRuns are what a run meets that the PC is not to blame for.
func policiesOfRuns() []policy {
	return []policy{
		{"stale", exitRefused, []error{hive.ErrStale, image.ErrChanged}},
		{"backup", exitRefused, []error{hive.ErrBackup}},
		{"sharesmedium", exitRefused, []error{errSharesMedium, errReportShares}},
		{"resumebusy", exitRefused, []error{errResumeBusy}},
		{"volatile", exitRefused, []error{errVolatile}},
		{"disagree", exitRefused, []error{errDisagree}},
		{"nojudge", exitRefused, []error{errNoJudge}},
		{"mismatch", exitRefused, []error{hive.ErrMismatch}},
		{"noservice", exitRefused, []error{errNoService}},
		{"nottwohives", exitRefused, []error{errNotTwoHives}},
		{"notreportfile", exitRefused, []error{errNotReportFile}},
	}
}

func policiesOfUndo() []policy {
	return []policy{
		{"ours", exitDone, nil},
		{"moved", exitDone, nil},
		{"asleep", exitDone, nil},
		{"awake", exitDone, nil},
		{"differs", exitRefused, []error{hive.ErrDiffers}},
		{"nobackup", exitRefused, []error{hive.ErrNoBackup}},
		{"severalbackups", exitRefused, []error{hive.ErrSeveralBackups}},
	}
}

// policiesOfSticks are what a PC meets that was started from the stick.
func policiesOfSticks() []policy {
	return []policy{
		{"unknownauto", exitRefused, []error{errUnknownWindows}},
		{"nowindowshere", exitRefused, []error{errNoWindowsHere}},
		{"nostick", exitRefused, []error{errNoStick}},
		{"stickreadonly", exitRefused, []error{errStickReadOnly}},
		{"stickgone", exitRefused, []error{errStickGone}},
		{"stickbackup", exitRefused, []error{errStickBackup}},
	}
}

// policiesOfWinPE are those of unloop.exe, and of scripts for cmd.exe.
func policiesOfWinPE() []policy {
	return []policy{
		{"rawdrive", exitRefused, []error{image.ErrRawDrive}},
		{"nowindowsdrive", exitRefused, []error{errNoWindowsDrive}},
		{"unquotable", exitRefused, []error{hive.ErrUnquotable}},
		{"secondscript", exitRefused, []error{errSecondScript}},
	}
}

// policiesOfStickWrite are those of stick write, and of the file of stick build.
func policiesOfStickWrite() []policy {
	return []policy{
		{"owndisk", exitRefused, []error{image.ErrOwnDisk}},
		{"fixed", exitRefused, []error{image.ErrFixed, errLargeDrive}},
		{"holdswindows", exitRefused, []error{errHoldsWindows, errMayHoldWindows}},
		{"wrongname", exitRefused, []error{errWrongName}},
		{"stillmounted", exitRefused, []error{image.ErrStillMounted}},
		{"notdrive", exitRefused, []error{image.ErrNotDrive, image.ErrPartition}},
		{"toosmall", exitRefused, []error{stick.ErrTooSmall}},
		{"badstick", exitRefused, []error{stick.ErrNotStick, stick.ErrDamaged}},
		{"notimagefile", exitRefused, []error{errNotImageFile}},
	}
}

// policyTable writes the table as Markdown, in one language.
func policyTable(lang string) string {
	var b strings.Builder
	cells := func(words ...string) { b.WriteString("| " + strings.Join(words, " | ") + " |\n") }
	word := func(key string) string { return message(lang, "policy."+key, 1) }
	for _, g := range policies() {
		b.WriteString("\n" + word(g.key) + "\n\n")
		if g.scans {
			cells(word("state"), word("scan"), word("repair"), word("code"))
			b.WriteString("|---|---|---|---|\n")
		} else {
			cells(word("state"), word("does"), word("code"))
			b.WriteString("|---|---|---|\n")
		}
		for _, p := range g.rows {
			row := []string{word(p.key + ".state")}
			if g.scans {
				row = append(row, word(p.key+".scan"))
			}
			cells(append(row, word(p.key+".does"), fmt.Sprint(int(p.code)))...)
		}
	}
	return b.String()
}
