package main

import (
	"fmt"
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

// overruled says whether a policy decides instead of the setting; au may be nil.
func (au *autoUpdateResult) overruled() bool {
	return au != nil && hive.AutoUpdate{PolicyOptions: au.PolicyOptions, PolicyNoAutoUpdate: au.PolicyNoAutoUpdate}.Overruled()
}

// dumpResult is a crash dump: code and date only.
type dumpResult struct {
	Path string    `json:"path"`
	Code string    `json:"code"` // "0x0000007E"
	Time time.Time `json:"time"`
}

// fillDiagnosis copies what was found beside the SYSTEM hive, and what follows from it,
// into the result.
func (r *result) fillDiagnosis(e *env, f *hive.Findings) {
	ev := f.Evidence
	r.System = systemOf(f)
	r.Diagnosis = &diagnosisResult{
		Reason:     e.statement(f.Diagnosis.Reason),
		Evidence:   e.statements(f.Diagnosis.Evidence),
		LookAlikes: e.statements(f.Diagnosis.LookAlikes),
	}
	r.DriverFiles = fileResults(ev.Drivers)
	for _, d := range ev.Dumps {
		r.Dumps = append(r.Dumps, dumpResult{d.Path, fmt.Sprintf("0x%08X", d.Code), *moment(d.Time)})
	}
	if ev.Software == nil {
		return
	}
	for _, p := range ev.Software.Programs {
		r.Programs = append(r.Programs, programResult{withoutUser(p.Name), p.Version})
	}
	for _, u := range ev.Software.Updates {
		r.Updates = append(r.Updates, updatePackageResult{u.Package, u.KB, u.Build, u.State, hive.StateName(u.State), moment(u.Installed)})
	}
	if au := ev.Software.AutoUpdate; au != (hive.AutoUpdate{}) {
		r.AutoUpdate = &autoUpdateResult{au.Options, au.PolicyOptions, au.PolicyNoAutoUpdate}
	}
}

// systemOf tells which Windows this is.
func systemOf(f *hive.Findings) *systemResult {
	ev := f.Evidence
	s := &systemResult{Kernels: fileResults(ev.Kernels), NX: nxName(ev.Boot), CPUVendor: f.Windows.CPUVendor(), LastBoot: moment(ev.BootTime)}
	if on, known := f.PAE(); known {
		s.PAE = map[bool]string{true: "on", false: "off"}[on]
	}
	if sw := ev.Software; sw != nil {
		s.Product, s.CSDVersion, s.Build, s.BuildLab, s.LastUpdate = sw.Product, sw.CSDVersion, sw.Build, sw.BuildLab, moment(sw.LastUpdate)
	}
	return s
}

// nxName spells the nx element of a boot entry as bcdedit does; "" if it is not known.
func nxName(b *hive.BootConfig) string {
	names := [...]string{"OptIn", "OptOut", "AlwaysOff", "AlwaysOn"}
	if b == nil || b.NX == nil || *b.NX >= uint64(len(names)) {
		return ""
	}
	return names[*b.NX]
}

func fileResults(files []hive.FileSeen) []fileResult {
	var out []fileResult
	for _, f := range files {
		out = append(out, fileResult{f.Service, withoutUser(f.Path), string(f.Presence), f.Version.String(), hive.MachineName(f.Machine), moment(f.Modified), f.Problem})
	}
	return out
}

// statement gives a sentence of the diagnosis as data and in English.
func (e *env) statement(s hive.Statement) statementResult {
	english := *e
	english.lang = "en"
	args := make([]string, len(s.Args))
	for i, a := range s.Args {
		args[i] = withoutUser(a)
	}
	return statementResult{s.Key, args, string(s.Weight), english.say(s)}
}

func (e *env) statements(all []hive.Statement) []statementResult {
	out := []statementResult{}
	for _, s := range all {
		out = append(out, e.statement(s))
	}
	return out
}

// say spells a sentence of the diagnosis in the user's language, without the names of
// persons that a path may hold.
func (e *env) say(s hive.Statement) string {
	args := make([]any, len(s.Args))
	for i, a := range s.Args {
		args[i] = withoutUser(a)
	}
	return e.text(s.Key, args...)
}
