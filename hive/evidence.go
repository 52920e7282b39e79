package hive

import (
	"fmt"
	"time"
)

// Evidence is what was seen beside the SYSTEM hive. What could not be looked at is
// nil, empty or PresenceUnknown: that speaks neither for nor against anything.
type Evidence struct {
	Software   *Software   // the SOFTWARE hive
	Boot       *BootConfig // the BCD hive
	Kernels    []FileSeen  // ntoskrnl.exe and ntkrnlpa.exe
	Drivers    []FileSeen  // the files that DriverFiles asks for
	SysWOW64   Presence    // of the folder that only 64-bit Windows has
	PendingXML Presence    // of WinSxS\pending.xml
	Dumps      []Dump      // newest first
	BootTime   time.Time   // when bootstat.dat was last written: at the last start (inferred); zero if unknown
}

// Presence says whether a file or folder is there.
type Presence string

// The three answers.
const (
	PresenceUnknown Presence = ""
	Present         Presence = "present"
	Absent          Presence = "absent"
)

// FileSeen is a program or driver file that was looked for.
type FileSeen struct {
	Service  string // whose file it is; "" for a kernel
	Path     string // below the Windows folder, with slashes: "System32/ntkrnlpa.exe"
	Presence Presence
	Version  FileVersion // zero if it has none
	Machine  uint16      // of its PE header; 0 if it is no PE file
	Modified time.Time
	Problem  string // why it is there and could not be read; ""
}

// The machines of PE headers that matter here (Microsoft, PE format).
const (
	MachineI386  uint16 = 0x014C
	MachineAMD64 uint16 = 0x8664
)

// FileVersion is the file version of a PE file's VS_FIXEDFILEINFO: 6.1.7601.24059.
type FileVersion [4]uint16

// String spells the version with dots; "" for none.
func (v FileVersion) String() string {
	if v == (FileVersion{}) {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3])
}

// Dump is a crash dump: its code and date, nothing of what is in it.
type Dump struct {
	Path string // below the Windows folder, with slashes: "Minidump/041518-15600-01.dmp"
	Code uint32 // bug check code
	Time time.Time
}

// Weight says which way a statement speaks.
type Weight string

// The weights.
const (
	For     Weight = "for"     // this is the fault
	Against Weight = "against" // it is not
	Context Weight = "context" // neither; worth knowing
)

// Statement is one sentence of a diagnosis as data: a key of the message catalogue
// and what fills it. Every argument is a string.
type Statement struct {
	Key    string
	Args   []string
	Weight Weight
}

// Diagnosis is a verdict's reason, the evidence for and against it, and what else may
// make such a PC restart. A cure of the look-alikes is not promised.
type Diagnosis struct {
	Reason     Statement
	Evidence   []Statement
	LookAlikes []Statement
}
