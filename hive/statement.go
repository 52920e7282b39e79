package hive

import "fmt"

// statementID numbers all that Weigh can say. say alone makes Statements, and of nothing
// else, so that StatementKeys is the whole list.
type statementID int

const (
	// Reasons of the verdict.
	affectedByKernel statementID = iota
	affectedByUpdate
	probableWaiting
	probableUpdatesUnknown
	probableNoDrivers
	probableNothingKnown
	notThisWindows
	notThisKernel
	windowsUnknown

	// Evidence on which Windows this is.
	systemFits
	systemOther
	productNamed
	productOther
	machineFits
	machineOther
	wow64There

	// Evidence on updates.
	kernelNew
	kernelOld
	kernelOther
	kernelUnread
	kernelNoVersion
	updateIn
	updateInUndated
	updateWaits
	updateOther
	noUpdate
	softwareUnread

	// Evidence on drivers and programs.
	driverStarts
	driverOff
	driverNoStart
	driverElsewhere
	fileThere
	fileThereVersion
	fileMissing
	noDrivers
	otherServicesThere
	programThere

	// What else bears on the cause.
	overrideOn
	cpuAMD
	cpuAtom
	lastStart
	lastUpdate

	// What else may make such a PC restart.
	paeOffByBoot
	paeOffByRegistry
	cpuNoSSE2
	pendingXML
	packagesPending
	rebootPending
	rebootInProgress
	crashDump
	driverFileMissing

	statementCount
)

// statements tells of each its key, how many arguments it takes, and which way it speaks.
// english is there for the reasons, which Findings spells out.
var statements = [statementCount]struct {
	key     string
	args    int
	weight  Weight
	english string
}{
	affectedByKernel:       {"diag.affected.kernel", 3, For, "%s with %s and kernel %s, of March 2018 or later"},
	affectedByUpdate:       {"diag.affected.update", 3, For, "%s with %s and update %s, of March 2018 or later"},
	probableWaiting:        {"diag.probable.waiting", 3, For, "%s with kernel %s, older than March 2018, but update %s waits to be installed"},
	probableUpdatesUnknown: {"diag.probable.unknown", 2, For, "%s with %s; whether it has updates of March 2018 or later is not known"},
	probableNoDrivers:      {"diag.probable.nodrivers", 2, For, "%s with kernel %s, of March 2018 or later, but without the drivers that Microsoft names"},
	probableNothingKnown:   {"diag.probable.nothing", 1, For, "%s without the drivers that Microsoft names"},
	notThisWindows:         {"diag.not.windows", 1, Against, "%s is not Windows 7 SP1 x86"},
	notThisKernel:          {"diag.not.kernel", 2, Against, "%s with kernel %s, older than the updates of March 2018"},
	windowsUnknown:         {"diag.unknown.windows", 0, Context, "the hive does not tell which Windows it belongs to"},

	systemFits:   {"diag.system.fits", 1, For, ""},
	systemOther:  {"diag.system.other", 1, Against, ""},
	productNamed: {"diag.product", 3, Context, ""},
	productOther: {"diag.product.other", 3, Against, ""},
	machineFits:  {"diag.machine.fits", 1, For, ""},
	machineOther: {"diag.machine.other", 2, Against, ""},
	wow64There:   {"diag.syswow64", 1, Against, ""},

	kernelNew:       {"diag.kernel.new", 3, For, ""},
	kernelOld:       {"diag.kernel.old", 3, Against, ""},
	kernelOther:     {"diag.kernel.other", 2, Against, ""},
	kernelUnread:    {"diag.kernel.unread", 2, Context, ""},
	kernelNoVersion: {"diag.kernel.noversion", 1, Context, ""},
	updateIn:        {"diag.update.in", 4, For, ""},
	updateInUndated: {"diag.update.undated", 3, For, ""},
	updateWaits:     {"diag.update.waits", 2, For, ""},
	updateOther:     {"diag.update.other", 3, Context, ""},
	noUpdate:        {"diag.update.none", 1, Against, ""},
	softwareUnread:  {"diag.software.unread", 1, Context, ""},

	driverStarts:       {"diag.driver.starts", 3, For, ""},
	driverOff:          {"diag.driver.off", 2, Context, ""},
	driverNoStart:      {"diag.driver.nostart", 2, Context, ""},
	driverElsewhere:    {"diag.driver.elsewhere", 2, Context, ""},
	fileThere:          {"diag.file.there", 2, For, ""},
	fileThereVersion:   {"diag.file.version", 3, For, ""},
	fileMissing:        {"diag.file.missing", 2, Against, ""},
	noDrivers:          {"diag.nodrivers", 2, Against, ""},
	otherServicesThere: {"diag.others", 2, Context, ""},
	programThere:       {"diag.program", 2, For, ""},

	overrideOn: {"diag.override", 1, Context, ""},
	cpuAMD:     {"diag.cpu.amd", 1, Context, ""},
	cpuAtom:    {"diag.cpu.atom", 1, Context, ""},
	lastStart:  {"diag.laststart", 2, Context, ""},
	lastUpdate: {"diag.lastupdate", 2, Context, ""},

	paeOffByBoot:      {"diag.look.pae.boot", 1, Context, ""},
	paeOffByRegistry:  {"diag.look.pae.registry", 1, Context, ""},
	cpuNoSSE2:         {"diag.look.sse2", 1, Context, ""},
	pendingXML:        {"diag.look.pendingxml", 1, Context, ""},
	packagesPending:   {"diag.look.packages", 1, Context, ""},
	rebootPending:     {"diag.look.reboot", 1, Context, ""},
	rebootInProgress:  {"diag.look.progress", 1, Context, ""},
	crashDump:         {"diag.look.dump", 3, Context, ""},
	driverFileMissing: {"diag.look.missing", 2, Context, ""},
}

// StatementKeys lists the keys of all that Weigh can say.
func StatementKeys() []string {
	keys := make([]string, statementCount)
	for i, s := range statements {
		keys[i] = s.key
	}
	return keys
}

// StatementArgs returns how many arguments a statement has, false for an unknown key: a
// catalogue of messages is checked by it.
func StatementArgs(key string) (int, bool) {
	for _, s := range statements {
		if s.key == key {
			return s.args, true
		}
	}
	return 0, false
}

// say makes a statement.
func say(id statementID, args ...string) Statement {
	return Statement{statements[id].key, args, statements[id].weight}
}

// sentence spells a reason in English.
func sentence(id statementID, args ...string) string {
	all := make([]any, len(args))
	for i, a := range args {
		all[i] = a
	}
	return fmt.Sprintf(statements[id].english, all...)
}
