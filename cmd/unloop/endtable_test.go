package main

import (
	"slices"
	"testing"
)

// What went wrong with a target as a whole is told in the table: a hive that was written
// and may not have reached the medium is not repaired. What was written is told as well.
func TestRowsOf(t *testing.T) {
	windows := func(all ...status) (list []*result) {
		for _, s := range all {
			list = append(list, &result{Status: s, label: string(s)})
		}
		return list
	}
	system := &result{Status: statusNothing}
	broken, refused := &errorResult{Exit: exitBroken}, &errorResult{Exit: exitRefused}
	for _, test := range []struct {
		name   string
		target targetResult
		want   []string
		whole  string
	}{
		{"closing it failed", targetResult{Error: broken, Installations: windows(statusRepaired)}, []string{"broken"}, "broken"},
		{"and another was skipped", targetResult{Error: broken, Installations: windows(statusSkipped, statusRepaired)}, []string{"skipped", "broken"}, "broken"},
		{"nothing but skipped ones", targetResult{Error: refused, Installations: windows(statusSkipped, statusSkipped)}, []string{"refused", "refused"}, "refused"},
		{"no Windows", targetResult{Error: refused}, []string{"refused"}, "refused"},
		{"well", targetResult{Installations: windows(statusSkipped, statusRepaired)}, []string{"skipped", "repaired"}, "repaired"},
		{"one needed nothing", targetResult{Installations: windows(statusNothing, statusRepaired, statusSkipped)}, []string{"nothing", "repaired", "skipped"}, "repaired"},
		{"all needed nothing", targetResult{Installations: windows(statusSkipped, statusNothing)}, []string{"skipped", "nothing"}, "nothing"},
		{"only SOFTWARE was written", targetResult{Installations: []*result{system, {Status: statusRepaired, of: system}}}, []string{"repaired"}, "repaired"},
		{"left alone", targetResult{}, []string{"skipped"}, "skipped"},
	} {
		var got []string
		rows := testEnv(t).rowsOf(&test.target)
		for _, row := range rows {
			got = append(got, row.action)
		}
		if whole := actionOf(rows); !slices.Equal(got, test.want) || whole != test.whole {
			t.Errorf("%s: %q and %q, want %q and %q", test.name, got, whole, test.want, test.whole)
		}
	}
}

// Names wider than their column lose their middle, never half a character, and keep their end.
func TestShorten(t *testing.T) {
	for _, test := range []struct {
		text string
		room int
		want string
	}{
		{"disk.img", 8, "disk.img"},
		{"customer-disk.img", 12, "cust…isk.img"},
		{"顧客一のディスク.img", 16, "顧客…ィスク.img"},
		{"", 5, ""},
	} {
		if got := shorten(test.text, test.room); got != test.want {
			t.Errorf("shorten(%q, %d) = %q, want %q", test.text, test.room, got, test.want)
		}
	}
}
