package main

import (
	"time"

	"unloop/hive"
)

// The structs below are the part of a result's JSON that tells which Windows this is
// and whether it has the fault. Fields that are not known are left out.

// systemResult says which Windows this is, from all that was read.
type systemResult struct {
	Product    string       `json:"product,omitempty"`    // "Windows 7 Professional"
	CSDVersion string       `json:"csdVersion,omitempty"` // "Service Pack 1"
	Build      string       `json:"build,omitempty"`      // "7601"
	BuildLab   string       `json:"buildLab,omitempty"`
	Kernels    []fileResult `json:"kernels,omitempty"`
	PAE        string       `json:"pae,omitempty"` // "on", "off"
	NX         string       `json:"nx,omitempty"`  // "OptIn", "OptOut", "AlwaysOff", "AlwaysOn"
	CPUVendor  string       `json:"cpuVendor,omitempty"`
	LastBoot   *time.Time   `json:"lastBoot,omitempty"`
	LastUpdate *time.Time   `json:"lastUpdate,omitempty"`
}

// fileResult is a kernel's or driver's file.
type fileResult struct {
	Service  string     `json:"service,omitempty"`
	Path     string     `json:"path"` // below the Windows folder
	Presence string     `json:"presence,omitempty"`
	Version  string     `json:"version,omitempty"`
	Machine  string     `json:"machine,omitempty"` // "x86", "x64", else hex
	Modified *time.Time `json:"modified,omitempty"`
	Problem  string     `json:"problem,omitempty"`
}

// diagnosisResult is the verdict's reason and evidence.
type diagnosisResult struct {
	Reason     statementResult   `json:"reason"`
	Evidence   []statementResult `json:"evidence"`
	LookAlikes []statementResult `json:"lookAlikes"`
}

// statementResult is one sentence, as a key with its arguments and spelt in English.
type statementResult struct {
	Key    string   `json:"key"`
	Args   []string `json:"args,omitempty"`
	Weight string   `json:"weight,omitempty"` // "for", "against", "context"
	Text   string   `json:"text"`
}

// programResult is a HASP or Sentinel program that is installed.
type programResult struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// updatePackageResult is an update that Component Based Servicing knows.
type updatePackageResult struct {
	Package   string     `json:"package"`
	KB        string     `json:"kb,omitempty"`
	Build     int        `json:"build,omitempty"`
	State     int        `json:"state"`
	StateName string     `json:"stateName"` // "Installed", "Install Pending" …
	Installed *time.Time `json:"installed,omitempty"`
}

// autoUpdateResult is how Windows Update is set; the policies win.
type autoUpdateResult struct {
	Options            *uint32 `json:"auOptions,omitempty"`
	PolicyOptions      *uint32 `json:"policyAUOptions,omitempty"`
	PolicyNoAutoUpdate *uint32 `json:"policyNoAutoUpdate,omitempty"`
}

// dumpResult is a crash dump: code and date only.
type dumpResult struct {
	Path string    `json:"path"`
	Code string    `json:"code"` // "0x0000007E"
	Time time.Time `json:"time"`
}

// say spells a statement in the user's language.
func (e *env) say(s hive.Statement) string {
	args := make([]any, len(s.Args))
	for i, a := range s.Args {
		args[i] = a
	}
	return e.text(s.Key, args...)
}
