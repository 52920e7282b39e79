package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"unloop/hive"
	"unloop/image"
)

// The structs below are the JSON of every verb: one compact object a target a
// line. Fields that do not apply are left out. report.schema.json describes them.

// reportSchema is the version of all JSON that unloop writes. Its number rises when a
// field goes, is renamed, or changes its meaning or type; a field or a word more of
// those that are listed does not raise it.
const reportSchema = "unloop/report/1"

type targetResult struct {
	Schema        string         `json:"schema,omitempty"` // of a line or file of its own
	Tool          string         `json:"tool,omitempty"`   // likewise
	Time          time.Time      `json:"time,omitzero"`    // likewise: when the work began
	Verb          string         `json:"verb"`
	Target        string         `json:"target"`
	Path          string         `json:"path,omitempty"` // absolute: names may be relative to any folder
	Kind          string         `json:"kind,omitempty"`
	Format        image.Format   `json:"format,omitempty"`    // of an image
	Bases         []string       `json:"bases,omitempty"`     // what it stands on, and only reads
	Snapshots     int            `json:"snapshots,omitempty"` // inside it, which stay as they are
	DryRun        bool           `json:"dryRun,omitempty"`
	Exit          exitCode       `json:"exit"`
	Volumes       []volumeResult `json:"volumes,omitempty"`
	Problems      []string       `json:"problems,omitempty"`
	Installations []*result      `json:"installations"`
	Error         *errorResult   `json:"error,omitempty"`
	Took          seconds        `json:"seconds,omitempty"` // of several targets
	Earlier       bool           `json:"earlier,omitempty"` // finished by an earlier run
	Resume        *resumeMark    `json:"resume,omitempty"`  // in the file of --resume

	noReport bool // the report folder is no place for one
}

type volumeResult struct {
	Partition      int    `json:"partition"` // 0: a bare volume
	Offset         int64  `json:"offset"`
	Size           int64  `json:"size"`
	Kind           string `json:"kind"`
	Serial         string `json:"serial,omitempty"`
	SameSerial     string `json:"sameSerialAs,omitempty"` // a volume seen before it
	Label          string `json:"label,omitempty"`
	Hibernated     string `json:"hibernated,omitempty"`
	JournalUnclean bool   `json:"journalUnclean"`
	JournalVersion string `json:"journalVersion,omitempty"` // "" also where the journal was emptied
	Dirty          bool   `json:"dirty"`
}

type errorResult struct {
	Key    string   `json:"key"`
	Exit   exitCode `json:"exit"`
	Detail string   `json:"detail"`
	Hint   string   `json:"hint"`
}

// result is what was found and done at one installation.
type result struct {
	Hive        string                `json:"hive"` // label
	Status      status                `json:"status"`
	Windows     *hive.Windows         `json:"windows,omitempty"`
	Verdict     hive.Verdict          `json:"verdict,omitempty"`
	Reason      string                `json:"reason,omitempty"`
	Repaired    bool                  `json:"alreadyRepaired"`
	Select      *hive.Select          `json:"select,omitempty"`
	ControlSets []string              `json:"controlSets,omitempty"`
	Override    []overrideState       `json:"override,omitempty"`
	Services    []serviceState        `json:"services,omitempty"`
	Others      []serviceState        `json:"otherServices,omitempty"`
	Filters     []filterState         `json:"filters,omitempty"`
	Dependents  []dependent           `json:"dependents,omitempty"`
	System      *systemResult         `json:"system,omitempty"`
	Diagnosis   *diagnosisResult      `json:"diagnosis,omitempty"`
	DriverFiles []fileResult          `json:"driverFiles,omitempty"`
	Programs    []programResult       `json:"programs,omitempty"`
	Updates     []updatePackageResult `json:"updates,omitempty"`
	AutoUpdate  *autoUpdateResult     `json:"autoUpdate,omitempty"`
	Dumps       []dumpResult          `json:"dumps,omitempty"`
	Hibernation *hibernationResult    `json:"hibernation,omitempty"`
	Warnings    []string              `json:"warnings,omitempty"`
	Refused     []objection           `json:"refused,omitempty"` // what forbids writing
	Replay      *replayResult         `json:"replay,omitempty"`  // the hive is dirty
	Edits       []editResult          `json:"edits,omitempty"`
	Crosscheck  string                `json:"crosscheck,omitempty"`
	Update      *updateResult         `json:"update,omitempty"`
	Backup      string                `json:"backup,omitempty"`
	Exact       *bool                 `json:"exact,omitempty"` // undo: to the byte
	Error       *errorResult          `json:"error,omitempty"`

	label    string // of the Windows folder
	logText  string // what the log of a dirty hive changes
	diffText string
	regText  string
	cmdText  string
	err      error
	findings *hive.Findings
	in       *image.Installation
	other    *result        // of the SOFTWARE hive, which stands behind this one
	of       *result        // this is one of those, of that SYSTEM hive
	undoFrom string         // folder of all backups
	unnoted  []*hive.Backup // of runs that did just this and were killed before they noted it
	slept    *sentence
}

// status says in one word how the work on an installation ended.
type status string

const (
	statusFound    status = "found"   // scan
	statusPlanned  status = "planned" // dry run; on the stick also: not decided yet
	statusLeft     status = "left"    // nothing written: on the stick nobody wanted it, or the hive beside it could not be
	statusNothing  status = "nothing to do"
	statusSkipped  status = "skipped" // merely found beside others, and not affected
	statusRepaired status = "repaired"
	statusUndone   status = "undone"
	statusRefused  status = "refused"
	statusFailed   status = "failed"
)

type overrideState struct {
	ControlSet string `json:"controlSet"`
	Override   string `json:"featureSettingsOverride"` // .reg spelling, "" if absent
	Mask       string `json:"featureSettingsOverrideMask"`
	Active     bool   `json:"active"`
}

type serviceState struct {
	ControlSet string `json:"controlSet"`
	Name       string `json:"name"`
	Start      string `json:"start"` // .reg spelling, "" if absent
	ImagePath  string `json:"imagePath,omitempty"`
}

type filterState struct {
	Key     string   `json:"key"`
	Value   string   `json:"value"`
	Service string   `json:"service"`
	List    []string `json:"list"`
}

type dependent struct {
	ControlSet string `json:"controlSet"`
	Name       string `json:"name"`
	Service    string `json:"dependsOn"`
	Value      string `json:"value"`
}

type editResult struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	Old  string `json:"old"` // .reg spelling, "" if absent
	New  string `json:"new"`
	Fix  string `json:"fix,omitempty"`
}

// replayResult says what the log of a dirty hive changes.
type replayResult struct {
	Why        string    `json:"why"`
	Log        string    `json:"log"`
	Sectors    int       `json:"sectors"`
	Torn       bool      `json:"tornBaseBlock"`
	Unreadable string    `json:"unreadable,omitempty"` // why the hive as found cannot be compared
	Edits      []logEdit `json:"edits"`
}

// logEdit is a value that differs because of the log. It is Windows' own business and
// may name a person: of anything but numbers only type and length are told.
type logEdit struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	Old  string `json:"old"` // "dword:00000003", "REG_SZ, 38 bytes", "" if absent
	New  string `json:"new"`
}

// hibernationResult says what was done about the sleeping Windows of a volume.
type hibernationResult struct {
	Planned   bool   `json:"planned,omitempty"` // a dry run: it would be discarded, or put back
	Discarded bool   `json:"discarded"`         // hiberfil.sys no longer counts
	Restored  bool   `json:"restored"`          // undo: it counts again
	Why       string `json:"why,omitempty"`     // undo: it still does not count
}

type updateResult struct {
	Log       bool   `json:"log"` // LOG1 was written first
	Sectors   int    `json:"sectors"`
	HiveBytes int64  `json:"hiveBytes"`
	LogBytes  int64  `json:"logBytes"`
	Sum       string `json:"sha256"` // of the hive afterwards
}

func volumeResults(volumes []image.Volume) []volumeResult {
	var out []volumeResult
	for _, v := range volumes {
		out = append(out, volumeResult{
			Partition: v.Index, Offset: v.Offset, Size: v.Size, Kind: v.Kind.String(), Serial: v.Serial, Label: v.Label,
			Hibernated: v.Hibernated, JournalUnclean: v.JournalUnclean, JournalVersion: v.RestartVersion, Dirty: v.Dirty,
		})
	}
	return out
}

func editResults(edits []hive.Edit) []editResult {
	var out []editResult
	for _, e := range edits {
		out = append(out, editResult{hive.FormatRegKey(e.Path), e.Name, e.Old.Text(), e.New.Text(), string(e.Fix)})
	}
	return out
}

// logEdits lists the values that differ because of a log.
func logEdits(d *hive.Diff) []logEdit {
	out := []logEdit{}
	for _, k := range d.Keys {
		for _, v := range k.Values {
			out = append(out, logEdit{withoutUser(hive.FormatRegKey(k.Path)), withoutUser(v.Name), discreet(v.Old), discreet(v.New)})
		}
	}
	return out
}

func serviceStates(services []hive.Service) []serviceState {
	var out []serviceState
	for _, s := range services {
		out = append(out, serviceState{hive.ControlSetName(s.Set), s.Name, s.Start.Text(), withoutUser(s.ImagePath)})
	}
	return out
}

// fill copies findings into the result.
func (r *result) fill(e *env, f *hive.Findings) {
	r.findings = f
	r.fillDiagnosis(e, f)
	r.Windows, r.Verdict, r.Reason, r.Repaired, r.Select = &f.Windows, f.Verdict, f.Reason, f.AlreadyRepaired, &f.Select
	for _, n := range f.Sets {
		r.ControlSets = append(r.ControlSets, hive.ControlSetName(n))
	}
	for _, o := range f.Overrides {
		r.Override = append(r.Override, overrideState{hive.ControlSetName(o.Set), o.Values[0].Data.Text(), o.Values[1].Data.Text(), o.Active()})
	}
	r.Services, r.Others = serviceStates(f.Services), serviceStates(f.Others)
	for _, x := range f.Filters {
		r.Filters = append(r.Filters, filterState{hive.FormatRegKey(x.Path), x.Value, x.Service, append([]string{}, x.Names()...)})
	}
	for _, d := range f.Dependents {
		r.Dependents = append(r.Dependents, dependent{hive.ControlSetName(d.Set), d.Name, d.Service, d.Value})
	}
}

// skip notes why an installation that was merely found is left alone.
func (r *result) skip(why error) { r.Status, r.err = statusSkipped, why }

// fail notes an error in the result and gives its exit code.
func (r *result) fail(e *env, err error) {
	r.err = err
	r.Error = e.errorResult(err)
	r.Status = statusFailed
	if r.Error.Exit == exitRefused {
		r.Status = statusRefused
	}
	r.unplan()
}

// unplan forgets what was to become of a hibernation: it stays as it was.
func (r *result) unplan() {
	if r.of != nil {
		r = r.of
	}
	if r.Hibernation != nil && r.Hibernation.Planned {
		r.Hibernation, r.slept = nil, nil
	}
}

func (e *env) errorResult(err error) *errorResult {
	key, code := explain(err)
	return &errorResult{key, code, err.Error(), e.hint(key)}
}

// exit is the code for one installation.
func (r *result) exit() exitCode {
	if r.Error != nil {
		return r.Error.Exit
	}
	return exitDone
}

// anyWritten says whether a hive was written to, and all went well.
func (t *targetResult) anyWritten() bool {
	return slices.ContainsFunc(t.Installations, (*result).written)
}

// anyError says whether something went wrong with a hive.
func (t *targetResult) anyError() bool {
	return slices.ContainsFunc(t.Installations, func(r *result) bool { return r.Error != nil })
}

// conclude gives the target its exit code. Installations that were merely found and
// skipped do not count; that a named target holds nothing else is its error.
func (t *targetResult) conclude() {
	for _, r := range t.Installations {
		if r.Status != statusSkipped {
			t.Exit = worse(t.Exit, r.exit())
		}
	}
	if t.Error != nil {
		t.Exit = worse(t.Exit, t.Error.Exit)
	}
}

// printJSON writes one line to stdout.
func (e *env) printJSON(v any) error {
	line, err := jsonLine(v)
	if err != nil {
		return err
	}
	_, err = io.WriteString(e.out, line)
	return err
}

// jsonLine is one line of JSON, with its end. What a terminal might obey and JSON would
// let through, such as U+009B, is spelt as an escape; the strings stay the same.
func jsonLine(v any) (string, error) {
	line, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("writing JSON: %w", err)
	}
	var b strings.Builder
	for _, r := range string(line) {
		if !unprintable(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String() + "\n", nil
}
