package hive

import (
	"fmt"
	"slices"
)

// FirstBuild is the build of the first updates with the mitigations that the drivers do
// not get along with: those of March 2018.
const FirstBuild = 24059

// firstKernel is the file version of a kernel of FirstBuild.
func firstKernel() FileVersion { return FileVersion{6, 1, 7601, FirstBuild} }

// Release is a month's updates of Windows 7 SP1, by the numbers of their articles
// (KB…); 0 where there was none.
type Release struct {
	Month        string // "2018-05"
	Build        int    // of Rollup and SecurityOnly: 24117
	Rollup       int
	SecurityOnly int
	Preview      int // came later that month, with a later build that is not known
}

// Releases lists the updates of February 2018 to April 2020, oldest first: those of the
// last month without the mitigations, and all with them whose build is known. The
// numbers are those of Tenable's table of Windows rollups, by which scanners tell what
// is missing. KB4100480 of March 2018 mends 64-bit Windows alone.
func Releases() []Release {
	return []Release{
		{"2018-02", 24024, 4074598, 4074587, 4075211},
		{"2018-03", 24059, 4088875, 4088878, 4088881},
		{"2018-03", 24093, 0, 4100480, 0},
		{"2018-04", 24094, 4093118, 4093108, 4093113},
		{"2018-05", 24117, 4103718, 4103712, 4103713},
		{"2018-06", 24150, 4284826, 4284867, 4284842},
		{"2018-07", 24168, 4338818, 4338823, 4338821},
		{"2018-08", 24214, 4343900, 4343899, 4343894},
		{"2018-09", 24231, 4457144, 4457145, 4457139},
		{"2018-10", 24260, 4462923, 4462915, 4462927},
		{"2018-11", 24291, 4467107, 4467106, 4467108},
		{"2018-12", 24308, 4471318, 4471328, 0},
		{"2019-01", 24335, 4480970, 4480960, 4480955},
		{"2019-02", 24354, 4486563, 4486564, 4486565},
		{"2019-03", 24387, 4489878, 4489885, 4489892},
		{"2019-04", 24408, 4493472, 4493448, 4493453},
		{"2019-05", 24441, 4499164, 4499175, 4499178},
		{"2019-06", 24475, 4503292, 4503269, 4503277},
		{"2019-07", 24499, 4507449, 4507456, 4507437},
		{"2019-08", 24511, 4512506, 4512486, 4512514},
		{"2019-09", 24520, 4516065, 4516033, 4516048},
		{"2019-10", 24524, 4519976, 4520003, 4519972},
		{"2019-11", 24535, 4525235, 4525233, 0},
		{"2019-12", 24540, 4530734, 4530692, 0},
		{"2020-01", 24542, 4534310, 4534314, 0},
		{"2020-02", 24548, 4537820, 4537813, 0},
		{"2020-03", 24549, 4540688, 4541500, 0},
		{"2020-04", 24552, 4550964, 4550965, 0},
	}
}

// ReleaseOfBuild finds the month whose rollup has this build. A build between two of
// the table is a preview's, or one of an update that is not in it.
func ReleaseOfBuild(build int) (Release, bool) {
	return findRelease(func(r Release) bool { return build == r.Build })
}

// ReleaseOfKB finds the month of an update by its article's number.
func ReleaseOfKB(kb int) (Release, bool) {
	return findRelease(func(r Release) bool { return kb != 0 && (kb == r.Rollup || kb == r.SecurityOnly || kb == r.Preview) })
}

func findRelease(is func(Release) bool) (Release, bool) {
	releases := Releases()
	if i := slices.IndexFunc(releases, is); i >= 0 {
		return releases[i], true
	}
	return Release{}, false
}

// buildOf returns the build that an update brings, 0 where it is not known.
func (r Release) buildOf(kb int) int {
	if kb == r.Preview {
		return 0
	}
	return r.Build
}

// kbName spells an article's number as Windows does; "" for none.
func kbName(kb int) string {
	if kb == 0 {
		return ""
	}
	return fmt.Sprintf("KB%d", kb)
}
