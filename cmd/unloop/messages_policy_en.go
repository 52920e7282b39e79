package main

// messagesPolicyEN are the words of the table of what is refused and what is not minded,
// which README.md shows in Markdown, and what is said of volumes that are not refused.
var messagesPolicyEN = map[string]string{
	"acc.journalnew": "its journal is of version %s: a Windows 8 or later has had this disk",
	"acc.sameserial": "the volume %s has the same serial number: one is a copy of the other, or both are halves of a mirror",
	"sameserial":     "%s: a volume with the serial number %s was seen before, %s: one is a copy of the other, or both are halves of a mirror",

	"policy.state":   "state",
	"policy.scan":    "`scan` says",
	"policy.repair":  "`repair` does",
	"policy.does":    "unloop does",
	"policy.code":    "code",
	"policy.windows": "Which Windows, and is it this fault:",
	"policy.volume":  "The disk and the volume:",
	"policy.hive":    "The hive:",
	"policy.run":     "The run itself (`repair`, `undo`, `diff`):",
	"policy.undo":    "`undo`:",
	"policy.stick":   "A PC started from the stick:",
	"policy.write":   "`stick write`, and the image file of `stick build`:",

	"policy.affected.state": "Windows 7 SP1 32-bit with one of the drivers and an update of March 2018 or later",
	"policy.affected.scan":  "affected, with the evidence",
	"policy.affected.does":  "repairs",

	"policy.probable.state": "the same without the drivers, or where nothing tells of the updates",
	"policy.probable.scan":  "probable, with the evidence",
	"policy.probable.does":  "repairs",

	"policy.repaired.state": "the same, repaired before",
	"policy.repaired.scan":  "already repaired",
	"policy.repaired.does":  "finds nothing to do",

	"policy.notaffected.state": "another Windows, a 64-bit one, or kernel files older than 6.1.7601.24059",
	"policy.notaffected.scan":  "not affected, and why",
	"policy.notaffected.does":  "refuses; `--force` repairs all the same",

	"policy.beside.state": "the same, merely found beside a Windows that is repaired",
	"policy.beside.scan":  "not affected, and why",
	"policy.beside.does":  "skips it",

	"policy.unknown.state": "a hive that does not tell which Windows it belongs to, and nothing else does",
	"policy.unknown.scan":  "unknown",
	"policy.unknown.does":  "repairs what was named, and says so",

	"policy.amd.state": "a CPU by AMD, or another that Microsoft counts as not in need of the mitigation",
	"policy.amd.scan":  "the cause is doubtful there",
	"policy.amd.does":  "repairs",

	"policy.lookalike.state": "PAE off, a CPU without SSE2, servicing left half done, crash dumps, a driver to be started whose file is missing",
	"policy.lookalike.scan":  "names each as what may also make such a PC restart",
	"policy.lookalike.does":  "repairs, and promises no cure of these",

	"policy.nowindows.state": "no Windows on what was named",
	"policy.nowindows.scan":  "an error",
	"policy.nowindows.does":  "refuses",

	"policy.windowsold.state": "`Windows.old` alone",
	"policy.windowsold.scan":  "an error: it is no installation",
	"policy.windowsold.does":  "refuses",

	"policy.journal.state": "`$LogFile` in use, as every reset leaves it",
	"policy.journal.scan":  "its journal is in use",
	"policy.journal.does":  "repairs in place; the journal's bytes stay for Windows to replay",

	"policy.journal2.state": "`$LogFile` of version 2.0: a Windows 8 or later has had the disk",
	"policy.journal2.scan":  "the journal's version, and who wrote it",
	"policy.journal2.does":  "repairs in place, likewise",

	"policy.dirtyflag.state": "the dirty flag of `$Volume`",
	"policy.dirtyflag.scan":  "`dirty` in JSON; alone it proves nothing",
	"policy.dirtyflag.does":  "repairs; Windows will check the volume as it would have",

	"policy.hibernated.state": "hibernated: `hibr` in `hiberfil.sys`",
	"policy.hibernated.scan":  "a repair would be refused, and why",
	"policy.hibernated.does":  "refuses; `--discard-hibernation` throws the sleeping session away and repairs",

	"policy.woken.state": "`hiberfil.sys` that was resumed from, or never used (`wake`, `rstr`, zeros, anything but `hibr`)",
	"policy.woken.scan":  "what `hiberfil.sys` says",
	"policy.woken.does":  "repairs",

	"policy.hiberunreadable.state": "`hiberfil.sys` that cannot be read, so that sleep cannot be ruled out",
	"policy.hiberunreadable.scan":  "a repair would be refused, and why",
	"policy.hiberunreadable.does":  "refuses",

	"policy.bitlocker.state": "encrypted by BitLocker",
	"policy.bitlocker.scan":  "an error",
	"policy.bitlocker.does":  "refuses",

	"policy.raid.state": "member of a RAID, by its mark (Intel, DDF, NVIDIA, LSI, Promise, AMD, Linux)",
	"policy.raid.scan":  "a repair would be refused, and why",
	"policy.raid.does":  "refuses: writing to one half of a mirror splits it",

	"policy.dynamic.state": "dynamic disk",
	"policy.dynamic.scan":  "a repair would be refused, and why",
	"policy.dynamic.does":  "refuses",

	"policy.serial.state": "two volumes with the same NTFS serial number: copies, or halves of a mirror without a mark",
	"policy.serial.scan":  "which two",
	"policy.serial.does":  "repairs, with that warning: whole fleets are cloned",

	"policy.sectorsize.state": "logical sectors of other than 512 bytes",
	"policy.sectorsize.scan":  "a repair would be refused, and why",
	"policy.sectorsize.does":  "refuses: Windows 7 does not start from such a disk",

	"policy.mounted.state": "mounted read-write",
	"policy.mounted.scan":  "a repair would be refused, and why, and where",
	"policy.mounted.does":  "refuses; the mounted folder may be named instead",

	"policy.busy.state": "in use by another program",
	"policy.busy.scan":  "nothing",
	"policy.busy.does":  "refuses",

	"policy.owned.state": "the disk that this machine runs from, found without having been named",
	"policy.owned.scan":  "that it is skipped",
	"policy.owned.does":  "skips it",

	"policy.readonly.state": "read-only file or medium",
	"policy.readonly.scan":  "a repair would be refused, and why",
	"policy.readonly.does":  "fails; a dry run goes on and says so",

	"policy.damaged.state": "damaged, cut short, or with read errors where it matters",
	"policy.damaged.scan":  "an error, or a repair would be refused, and why",
	"policy.damaged.does":  "refuses",

	"policy.empty.state": "a file or medium of zero bytes",
	"policy.empty.scan":  "an error",
	"policy.empty.does":  "refuses",

	"policy.unsupported.state": "neither file, folder nor disk",
	"policy.unsupported.scan":  "an error",
	"policy.unsupported.does":  "refuses",

	"policy.replayed.state": "dirty, and a log belongs to it",
	"policy.replayed.scan":  "dirty, which log, and what it changes",
	"policy.replayed.does":  "replays the log first, then repairs",

	"policy.nolog.state": "dirty, and no log belongs to it, or two contradict each other",
	"policy.nolog.scan":  "an error, with the reason for each log",
	"policy.nolog.does":  "refuses",

	"policy.newlog.state": "dirty, with a log of Windows 8.1 or later",
	"policy.newlog.scan":  "an error",
	"policy.newlog.does":  "refuses",

	"policy.logless.state": "clean, and `SYSTEM.LOG1` missing, too small or not safely placed",
	"policy.logless.scan":  "nothing",
	"policy.logless.does":  "repairs without the log; the order of the writes keeps the hive sound",

	"policy.broken.state": "broken, by the rules of Windows' own checker",
	"policy.broken.scan":  "an error, with structure and offset",
	"policy.broken.does":  "refuses",

	"policy.nothive.state": "not a hive",
	"policy.nothive.scan":  "an error",
	"policy.nothive.does":  "refuses",

	"policy.notsystem.state": "a hive other than SYSTEM",
	"policy.notsystem.scan":  "an error",
	"policy.notsystem.does":  "refuses",

	"policy.controlset.state": "`Select` names a control set that is not there",
	"policy.controlset.scan":  "an error",
	"policy.controlset.does":  "refuses; `--control-set default` may do without that one",

	"policy.nokey.state": "a key that every Windows has is missing",
	"policy.nokey.scan":  "nothing",
	"policy.nokey.does":  "refuses",

	"policy.unexpected.state": "a value to be changed has another type than Windows gives it",
	"policy.unexpected.scan":  "the value as it is",
	"policy.unexpected.does":  "refuses",

	"policy.mustgrow.state": "no free cell fits, and no room after the last bin",
	"policy.mustgrow.scan":  "nothing",
	"policy.mustgrow.does":  "refuses on a volume; an ordinary file grows",

	"policy.compressed.state": "compressed on NTFS",
	"policy.compressed.scan":  "a repair would be refused, and why",
	"policy.compressed.does":  "refuses",

	"policy.sparse.state": "sparse on NTFS",
	"policy.sparse.scan":  "a repair would be refused, and why",
	"policy.sparse.does":  "refuses",

	"policy.encrypted.state": "encrypted on NTFS (EFS)",
	"policy.encrypted.scan":  "a repair would be refused, and why",
	"policy.encrypted.does":  "refuses",

	"policy.resident.state": "so small that it lies in its MFT record",
	"policy.resident.scan":  "a repair would be refused, and why",
	"policy.resident.does":  "refuses",

	"policy.misplaced.state": "its clusters are free, taken twice, those of NTFS itself, or not initialised",
	"policy.misplaced.scan":  "a repair would be refused, and why",
	"policy.misplaced.does":  "refuses",

	"policy.filter.state": "one of the drivers stands in an `UpperFilters` or `LowerFilters` list",
	"policy.filter.scan":  "where",
	"policy.filter.does":  "takes the name out of the list as well, or Windows would stop with 0x0000007B",

	"policy.dependent.state": "a service that needs one of the drivers",
	"policy.dependent.scan":  "which",
	"policy.dependent.does":  "repairs, and names it: it will not start",

	"policy.stale.state": "hive, logs or disk have changed since the plan was made",
	"policy.stale.does":  "refuses",

	"policy.backup.state": "the backup cannot be written and read back",
	"policy.backup.does":  "refuses; the half of one is removed",

	"policy.sharesmedium.state": "backup or report would lie on the disk that is worked on",
	"policy.sharesmedium.does":  "refuses",

	"policy.volatile.state": "the backup would lie in memory, in a folder that nobody named",
	"policy.volatile.does":  "refuses",

	"policy.disagree.state": "libhivex reads the new hive otherwise than unloop, or crashes on it",
	"policy.disagree.does":  "refuses, and names the first difference",

	"policy.nojudge.state": "`--crosscheck require`, and there is no unloop-crosscheck",
	"policy.nojudge.does":  "refuses",

	"policy.mismatch.state": "the edited hive is not what was planned",
	"policy.mismatch.does":  "refuses; this is a mistake in unloop",

	"policy.noservice.state": "a service named with `--service` is in no control set",
	"policy.noservice.does":  "refuses",

	"policy.nottwohives.state": "`diff` with a side that is not exactly one hive",
	"policy.nottwohives.does":  "refuses",

	"policy.ours.state": "the hive is what the repair wrote",
	"policy.ours.does":  "gives hive and log their first bytes back",

	"policy.moved.state": "Windows has run since",
	"policy.moved.does":  "puts back the values that unloop wrote, and nothing else",

	"policy.differs.state": "one of these values has been changed by somebody else",
	"policy.differs.does":  "refuses, and names it",

	"policy.nobackup.state": "no backup belongs to the hive",
	"policy.nobackup.does":  "refuses; beside another one it is skipped",

	"policy.severalbackups.state": "more than one backup fits",
	"policy.severalbackups.does":  "refuses, and lists them: `--from` decides",

	"policy.unknownauto.state": "automatic mode, and nothing tells which Windows it is",
	"policy.unknownauto.does":  "leaves it alone",

	"policy.nowindowshere.state": "disks, but no Windows on them",
	"policy.nowindowshere.does":  "says so",

	"policy.nostick.state": "the stick itself is not found",
	"policy.nostick.does":  "repairs nothing: the backup would have no place",

	"policy.stickreadonly.state": "the stick is write-protected",
	"policy.stickreadonly.does":  "repairs nothing",

	"policy.stickgone.state": "the stick has been pulled out",
	"policy.stickgone.does":  "repairs nothing",

	"policy.stickbackup.state": "the stick does not take the backup",
	"policy.stickbackup.does":  "repairs nothing",

	"policy.owndisk.state": "the disk that this machine runs from",
	"policy.owndisk.does":  "refuses",

	"policy.fixed.state": "a disk that is neither removable nor on USB, or larger than 260 GB",
	"policy.fixed.does":  "overwrites it only when its name is typed or given",

	"policy.holdswindows.state": "a Windows is on it, or could be where nobody can look",
	"policy.holdswindows.does":  "likewise",

	"policy.wrongname.state": "the name that was typed or given is another",
	"policy.wrongname.does":  "refuses",

	"policy.stillmounted.state": "something on it is mounted",
	"policy.stillmounted.does":  "refuses",

	"policy.notdrive.state": "not a whole disk",
	"policy.notdrive.does":  "refuses",

	"policy.toosmall.state": "too small for the image",
	"policy.toosmall.does":  "refuses",

	"policy.badstick.state": "the image is not that of a stick, or is damaged",
	"policy.badstick.does":  "refuses",

	"policy.notimagefile.state": "the image's name is that of something else than an ordinary file",
	"policy.notimagefile.does":  "refuses",
}
