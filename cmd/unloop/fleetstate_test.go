package main

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
)

// No spreadsheet calculates what stands in a record, and no terminal obeys it.
func TestCSVCell(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "PC-1": "PC-1", "a=1": "a=1", "事務室": "事務室", "'x": "'x",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "＝1": "'＝1", "＋": "'＋", "－": "'－", "＠": "'＠",
		"\t=1": `\u0009=1`, "\r=1": `\u000d=1`, "a\nb": `a\u000ab`, "\x1b[31m": `\u001b[31m`, "\u202e=1": `\u202e=1`, "\xff": `\xff`,
	} {
		if got := csvCell(text); got != want {
			t.Errorf("csvCell(%q) = %q, want %q", text, got, want)
		}
	}
}

// What is in force after a run follows from what was found and what was written.
func TestAftermath(t *testing.T) {
	const key = `ControlSet001\Control\Session Manager\Memory Management`
	found := func(value, mask string) []overrideState {
		return []overrideState{{"ControlSet001", value, mask, false}}
	}
	both := func(value string) []editResult {
		return []editResult{{Key: key, Name: "FeatureSettingsOverride", New: value}, {Key: key, Name: "FeatureSettingsOverrideMask", New: value}}
	}
	two, four := uint32(2), uint32(4)
	driver := func(set, start string) serviceState {
		return serviceState{ControlSet: set, Name: "Haspnt", Start: start}
	}
	disable := editResult{Key: `ControlSet001\Services\HASPNT`, Name: "start", New: "dword:00000004", Fix: "drivers"}
	asks := editResult{Key: `Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update`, Name: "AUOptions", New: "dword:00000002", Fix: "updates"}
	for name, test := range map[string]struct {
		r    result
		want aftermath
	}{
		"nothing known":      {result{Status: statusFound}, aftermath{}},
		"absent":             {result{Status: statusFound, Override: found("", "")}, aftermath{override: "off"}},
		"on":                 {result{Status: statusFound, Override: found("dword:00000003", "dword:00000003")}, aftermath{override: "on", prices: []string{"override"}}},
		"other bits":         {result{Status: statusFound, Override: found("dword:0000004b", "dword:00000003")}, aftermath{override: "on", prices: []string{"override"}}},
		"one bit":            {result{Status: statusFound, Override: found("dword:00000001", "dword:00000003")}, aftermath{override: "off"}},
		"not a number":       {result{Status: statusFound, Override: found(`"3"`, "dword:00000003")}, aftermath{override: "off"}},
		"planned":            {result{Status: statusPlanned, Override: found("", ""), Edits: both("dword:00000003")}, aftermath{override: "off"}},
		"repaired":           {result{Status: statusRepaired, Override: found("", ""), Edits: both("dword:00000003")}, aftermath{override: "on", prices: []string{"override"}}},
		"undone":             {result{Status: statusUndone, Edits: both("")}, aftermath{override: "off"}},
		"one value undone":   {result{Status: statusUndone, Edits: both("")[:1]}, aftermath{override: "off"}},
		"one value left":     {result{Status: statusUndone, Edits: both("dword:00000003")[:1]}, aftermath{}},
		"in one control set": {result{Status: statusFound, Override: append(found("dword:00000003", "dword:00000003"), overrideState{"ControlSet002", "", "", false})}, aftermath{override: "partly", prices: []string{"override"}}},
		"drivers":            {result{Status: statusFound, Services: []serviceState{driver("ControlSet001", "dword:00000002")}}, aftermath{drivers: "enabled"}},
		"driver disabled":    {result{Status: statusRepaired, Services: []serviceState{driver("ControlSet001", "dword:00000002")}, Edits: []editResult{disable}}, aftermath{drivers: "disabled", prices: []string{"drivers"}}},
		"one of two":         {result{Status: statusFound, Services: []serviceState{driver("ControlSet001", "dword:00000004"), driver("ControlSet002", "dword:00000001")}}, aftermath{drivers: "partly", prices: []string{"drivers"}}},
		"updates":            {result{Status: statusFound, AutoUpdate: &autoUpdateResult{Options: &four}}, aftermath{updates: "automatic"}},
		"updates asked":      {result{Status: statusFound, AutoUpdate: &autoUpdateResult{Options: &two}}, aftermath{updates: "manual"}},
		"updates set":        {result{Status: statusRepaired, AutoUpdate: &autoUpdateResult{Options: &four}, Edits: []editResult{asks}}, aftermath{updates: "manual", prices: []string{"updates"}}},
		"policy":             {result{Status: statusRepaired, AutoUpdate: &autoUpdateResult{Options: &four, PolicyOptions: &four}, Edits: []editResult{asks}}, aftermath{updates: "policy"}},
		"discarded":          {result{Status: statusRepaired, Hibernation: &hibernationResult{Discarded: true}}, aftermath{prices: []string{"hibernation"}}},
	} {
		got := subject{t: new(targetResult), r: &test.r}.after()
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(aftermath{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// How things stand follows from verb, status and verdict.
func TestOutcome(t *testing.T) {
	refused := func(key string) *errorResult { return &errorResult{Key: key, Exit: exitRefused} }
	barred := []objection{{errors.New("x.img:2: hibernated")}}
	for _, test := range []struct {
		verb string
		r    *result
		err  *errorResult // of the target
		want string
	}{
		{"scan", &result{Status: statusFound, Verdict: hive.Affected}, nil, outcomeOpen},
		{"scan", &result{Status: statusFound, Verdict: hive.Probable}, nil, outcomeOpen},
		{"scan", &result{Status: statusFound, Verdict: hive.Affected, Repaired: true}, nil, outcomeAlready},
		{"scan", &result{Status: statusFound, Verdict: hive.NotAffected}, nil, outcomeNotAffected},
		{"scan", &result{Status: statusFound, Verdict: hive.Unknown}, nil, outcomeUnknown},
		{"scan", &result{Status: statusFound, Verdict: hive.Affected, Refused: barred}, nil, outcomeBarred},
		{"scan", &result{Status: statusFound, Verdict: hive.Unknown, Refused: barred}, nil, outcomeBarred},
		{"scan", &result{Status: statusFound, Verdict: hive.Affected, Repaired: true, Refused: barred}, nil, outcomeAlready},
		{"scan", &result{Status: statusFound, Verdict: hive.NotAffected, Refused: barred}, nil, outcomeNotAffected},
		{"repair", &result{Status: statusPlanned, Verdict: hive.Affected, Refused: barred}, nil, outcomeBarred},
		{"repair", &result{Status: statusRefused, Verdict: hive.Affected, Refused: barred, Error: refused("hibernated")}, nil, outcomeRefused},
		{"scan", nil, nil, outcomeNoWindows},
		{"scan", nil, refused("nowindows"), outcomeRefused},
		{"scan", nil, &errorResult{Key: "notfound", Exit: exitFailed}, outcomeFailed},
		{"repair", &result{Status: statusRepaired, Verdict: hive.Affected}, nil, outcomeRepaired},
		{"repair", &result{Status: statusRepaired, Verdict: hive.Affected}, &errorResult{Key: "notverified", Exit: exitBroken}, outcomeFailed},
		{"repair", &result{Status: statusPlanned, Verdict: hive.Affected}, nil, outcomeOpen},
		{"repair", &result{Status: statusNothing, Verdict: hive.Affected, Repaired: true}, nil, outcomeAlready},
		{"repair", &result{Status: statusLeft, Verdict: hive.Affected}, nil, outcomeOpen},
		{"repair", &result{Status: statusSkipped, Verdict: hive.NotAffected}, nil, outcomeNotAffected},
		{"repair", &result{Status: statusSkipped, Verdict: hive.NotAffected}, refused("notaffected"), outcomeNotAffected},
		{"repair", &result{Status: statusRefused, Verdict: hive.NotAffected, Error: refused("notaffected")}, nil, outcomeNotAffected},
		{"repair", &result{Status: statusRefused, Verdict: hive.Affected, Error: refused("hibernated")}, nil, outcomeRefused},
		{"repair", &result{Status: statusFailed, Verdict: hive.Affected, Error: &errorResult{Key: "halfwritten", Exit: exitBroken}}, nil, outcomeFailed},
		{"undo", &result{Status: statusUndone}, nil, outcomeUndone},
		{"undo", &result{Status: statusNothing}, nil, outcomeUndone},
		{"undo", &result{Status: statusPlanned}, nil, outcomeAlready},
		{"undo", &result{Status: statusSkipped}, nil, outcomeUnknown},
	} {
		s := subject{t: &targetResult{Verb: test.verb, Error: test.err}, r: test.r}
		if got := s.outcome(); got != test.want {
			t.Errorf("%s, %+v, %+v: %s, want %s", test.verb, test.r, test.err, got, test.want)
		}
	}
}

// A target is called by as much of its path as tells it from the others.
func TestTargetNames(t *testing.T) {
	const long = "2026-11-24-keiri-windows7-disk-"
	var rows []*fleetRow
	want := map[string]string{
		"": "", "/dev/sda": "sda", "/srv/a/pc1.img": "a/pc1.img", "/srv/b/pc1.img": "srv/b/pc1.img", "/mnt/b/pc1.img": "mnt/b/pc1.img", "/pc1.img": "/pc1.img", "pc1.img": "pc1.img",
		"/srv/pc2.img": "pc2.img", `C:\x\pc3.img`: "pc3.img", "/mnt/": "mnt/", "/": "/", "/srv/" + long + "1.img": long + "1.img", "/srv/" + long + "2.img": long + "2.img",
		"/srv/1" + long: "12026-11-24-keiri-window…",
	}
	for whole := range want {
		rows = append(rows, &fleetRow{Path: whole}, &fleetRow{Target: whole})
	}
	if diff := cmp.Diff(want, cutNames(targetNames(rows))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
