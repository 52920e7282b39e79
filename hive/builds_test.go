package hive_test

import (
	"testing"

	"unloop/hive"
)

// The table is in order, and no number stands in it twice.
func TestReleases(t *testing.T) {
	seen := map[int]string{}
	last := hive.Release{}
	for _, r := range hive.Releases() {
		if r.Month < last.Month || r.Build <= last.Build {
			t.Errorf("%+v comes after %+v", r, last)
		}
		last = r
		for _, kb := range []int{r.Rollup, r.SecurityOnly, r.Preview} {
			if kb == 0 {
				continue
			}
			if kb < 4_000_000 || kb > 4_999_999 || seen[kb] != "" {
				t.Errorf("KB%d of %s stands also at %q", kb, r.Month, seen[kb])
			}
			seen[kb] = r.Month
		}
	}
	if len(seen) != 75 {
		t.Errorf("the table has %d updates, want 75", len(seen))
	}
}

func TestReleaseOf(t *testing.T) {
	for _, tt := range []struct {
		kb, build int
		want      string
		wantBuild string
	}{
		{4074598, 24024, "2018-02", "2018-02"},
		{4088875, hive.FirstBuild, "2018-03", "2018-03"},
		{4093118, 24094, "2018-04", "2018-04"},
		{4093113, 24095, "2018-04", ""},
		{4103718, 24117, "2018-05", "2018-05"},
		{4100480, 24093, "2018-03", "2018-03"},
		{4550965, 24552, "2020-04", "2020-04"},
		{4556836, 24553, "", ""},
		{0, 0, "", ""},
	} {
		if r, ok := hive.ReleaseOfKB(tt.kb); r.Month != tt.want || ok != (tt.want != "") {
			t.Errorf("ReleaseOfKB(%d) = %+v, %v, want %q", tt.kb, r, ok, tt.want)
		}
		if r, ok := hive.ReleaseOfBuild(tt.build); r.Month != tt.wantBuild || ok != (tt.wantBuild != "") {
			t.Errorf("ReleaseOfBuild(%d) = %+v, %v, want %q", tt.build, r, ok, tt.wantBuild)
		}
	}
}
