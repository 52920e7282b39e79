package main

import (
	"slices"
	"strconv"
	"strings"

	"unloop/hive"
)

// aftermath is the state in which a run left a Windows, as far as its record tells: what
// was found, with what was written over it.
type aftermath struct {
	override string // "on", "off", "partly", "" if not known
	drivers  string // "disabled", "enabled", "partly", "" if there are none or not known
	updates  string // "manual", "automatic", "policy", "" if not known
	prices   []string
}

// The words of an aftermath.
const (
	stateOn, stateOff, statePartly  = "on", "off", "partly"
	stateDisabled, stateEnabled     = "disabled", "enabled"
	stateManual, stateAuto, stateGP = "manual", "automatic", "policy"
)

// after tells the state that was left.
func (s subject) after() aftermath {
	a := aftermath{
		override: agreed(s.overrides(), stateOn, stateOff),
		drivers:  agreed(s.disabled(), stateDisabled, stateEnabled),
		updates:  s.windowsUpdate(),
	}
	for _, one := range []struct {
		due bool
		fix string
	}{
		{a.override == stateOn || a.override == statePartly, string(hive.FixOverride)},
		{a.drivers == stateDisabled || a.drivers == statePartly, string(hive.FixDrivers)},
		{a.updates == stateManual && s.wrote(hive.FixUpdates), string(hive.FixUpdates)},
		{slices.ContainsFunc(s.results(), (*result).discardedSleep), "hibernation"},
	} {
		if one.due {
			a.prices = append(a.prices, one.fix)
		}
	}
	return a
}

func (r *result) discardedSleep() bool { return r.Hibernation != nil && r.Hibernation.Discarded }

// agreed is the word for a state that is the same everywhere; "" where there is nothing.
func agreed(states map[string]bool, yes, no string) string {
	have := map[bool]bool{}
	for _, v := range states {
		have[v] = true
	}
	switch {
	case have[true] && have[false]:
		return statePartly
	case have[true]:
		return yes
	case have[false]:
		return no
	}
	return ""
}

// written lists the edits that are in the hives now.
func (s subject) written() (edits []editResult) {
	for _, r := range s.results() {
		if r.written() {
			edits = append(edits, r.Edits...)
		}
	}
	return edits
}

// wrote says whether a fix has just been written.
func (s subject) wrote(fix hive.Fix) bool { return hasFix(s.written(), fix) }

const (
	overrideName, maskName = "FeatureSettingsOverride", "FeatureSettingsOverrideMask"
	bothMitigations        = 3 // of Spectre v2 and of Meltdown, as in package hive
)

// overrides says of each control set whether the mitigations are off in it.
func (s subject) overrides() map[string]bool {
	values := map[string]map[string]string{} // control set, name of the value
	set := func(controlSet, name, value string) {
		if values[controlSet] == nil {
			values[controlSet] = map[string]string{}
		}
		values[controlSet][strings.ToLower(name)] = value
	}
	for _, o := range s.r.Override {
		set(o.ControlSet, overrideName, o.Override)
		set(o.ControlSet, maskName, o.Mask)
	}
	for _, x := range s.written() {
		controlSet, _, _ := strings.Cut(x.Key, `\`)
		if strings.EqualFold(x.Name, overrideName) || strings.EqualFold(x.Name, maskName) {
			set(controlSet, x.Name, x.New)
		}
	}
	on := map[string]bool{}
	for controlSet, v := range values {
		value, valueKnown := v[strings.ToLower(overrideName)]
		mask, maskKnown := v[strings.ToLower(maskName)]
		off := valueKnown && dwordOf(value)&bothMitigations != bothMitigations ||
			maskKnown && dwordOf(mask)&bothMitigations != bothMitigations
		if off || valueKnown && maskKnown { // one that is not set settles it
			on[controlSet] = !off
		}
	}
	return on
}

// disabled says of each driver in each control set whether it is.
func (s subject) disabled() map[string]bool {
	off := map[string]bool{}
	for _, d := range s.r.Services {
		off[strings.ToLower(d.ControlSet+`\services\`+d.Name)] = dwordOf(d.Start) == hive.StartDisabled
	}
	for _, x := range s.written() {
		if key := strings.ToLower(x.Key); strings.EqualFold(x.Name, "Start") && strings.Contains(key, `\services\`) {
			off[key] = dwordOf(x.New) == hive.StartDisabled
		}
	}
	return off
}

// windowsUpdate says how Windows comes by its updates.
func (s subject) windowsUpdate() string {
	var options uint64
	known := false
	if au := s.r.AutoUpdate; au.overruled() {
		return stateGP
	} else if au != nil && au.Options != nil {
		options, known = uint64(*au.Options), true
	}
	for _, x := range s.written() {
		if strings.EqualFold(x.Name, "AUOptions") {
			options, known = dwordOf(x.New), x.New != ""
		}
	}
	switch {
	case !known:
		return ""
	case options == 1 || options == 2: // never, or ask first
		return stateManual
	}
	return stateAuto
}

// dwordOf reads the .reg spelling of a number; 0 for anything else.
func dwordOf(text string) uint64 {
	digits, ok := strings.CutPrefix(text, "dword:")
	n, err := strconv.ParseUint(digits, 16, 32)
	if !ok || err != nil {
		return 0
	}
	return n
}
