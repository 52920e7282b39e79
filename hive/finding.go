package hive

import (
	"fmt"
	"slices"

	"unloop/hive/regf"
)

// Verdict is the answer to "is this the fault unloop cures?".
type Verdict string

// The verdicts. AlreadyRepaired in Findings goes with the first two.
const (
	Affected    Verdict = "affected"
	Probable    Verdict = "probable"
	NotAffected Verdict = "not affected"
	Unknown     Verdict = "unknown"
)

// Override is the state of FeatureSettingsOverride and …Mask in one control set.
type Override struct {
	Set    uint32
	Path   []string     // of Memory Management, as stored
	Values [2]NamedData // FeatureSettingsOverride and FeatureSettingsOverrideMask
}

// NamedData is a value with its name as stored.
type NamedData struct {
	Name string
	Data *Data // nil: absent
}

// both are the bits that switch the mitigations of Spectre v2 (1) and Meltdown (2) off.
const both = 3

// Active says whether both mitigations are off by these values.
func (o Override) Active() bool {
	a, okA := o.Values[0].Data.dword()
	m, okM := o.Values[1].Data.dword()
	return okA && okM && a&m&both == both
}

// Service is a service or driver in one control set.
type Service struct {
	Set       uint32
	Path      []string // of its key, as stored
	Name      string   // as stored
	Start     *Data    // nil: absent
	ImagePath string
}

// Disabled says whether Windows never starts the service.
func (s Service) Disabled() bool {
	n, ok := s.StartType()
	return ok && n == StartDisabled
}

// StartType returns the start type, false where there is none or it is no number.
func (s Service) StartType() (uint32, bool) { return s.Start.dword() }

// Filter is a place where a driver stands in an UpperFilters or LowerFilters list.
type Filter struct {
	Set     uint32
	Service string // as spelt in the list
	Path    []string
	Value   string // name of the value, as stored
	List    *Data
}

// Dependent is a service that needs one of the drivers in order to start.
type Dependent struct {
	Set     uint32
	Name    string // who depends
	Service string // on what
	Value   string // DependOnService or DependOnGroup
}

// Findings is what was seen in a SYSTEM hive.
type Findings struct {
	Windows         Windows
	Select          Select
	Sets            []uint32 // the control sets worked on, ascending
	Overrides       []Override
	Services        []Service // those to be disabled, where their key exists
	Filters         []Filter  // lists that name them
	Dependents      []Dependent
	Others          []Service // other HASP and Sentinel services, listed but not judged
	Verdict         Verdict
	Reason          string // the verdict's, in English
	AlreadyRepaired bool
	Evidence        Evidence // what Weigh was given
	Diagnosis       Diagnosis

	suspects  []Service // the drivers that Microsoft names, wanted or not
	system    Windows   // by the SYSTEM hive alone
	packKnown bool      // system.ServicePack was told, not merely 0
	pae       *uint32   // PhysicalAddressExtension of the Default set; nil if not told
}

// Bereaved lists the dependents that are not among the drivers themselves: those
// that will not start although nobody disabled them.
func (f *Findings) Bereaved() []Dependent {
	return slices.DeleteFunc(slices.Clone(f.Dependents), func(d Dependent) bool { return f.hasService(d.Set, d.Name) })
}

func (f *Findings) overrideActive() bool {
	for _, o := range f.Overrides {
		if !o.Active() {
			return false
		}
	}
	return len(f.Overrides) > 0
}

func (f *Findings) servicesDisabled() bool {
	for _, s := range f.Services {
		if !s.Disabled() {
			return false
		}
	}
	return true
}

func hex32(n uint32) string   { return fmt.Sprintf("0x%x", n) }
func decimal(n uint32) string { return fmt.Sprintf("%d", n) }

// Names returns the drivers in the list.
func (f Filter) Names() []string { return f.List.list() }

// Has says whether a wanted service of that name is in any of the control sets.
func (f *Findings) Has(name string) bool {
	return slices.ContainsFunc(f.Services, func(s Service) bool { return regf.EqualNames(s.Name, name) })
}
