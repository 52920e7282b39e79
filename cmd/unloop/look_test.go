package main

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/image"
)

// lookedAt is what was found on disks whose installations ended so. A status of refused
// or failed has an error of its own; "!" is a disk with an error.
func lookedAt(e *env, dryRun bool, disks ...[]status) *looked {
	l := new(looked)
	for i, statuses := range disks {
		t := &targetResult{Target: string(rune('a' + i)), DryRun: dryRun, Installations: []*result{}}
		for n, s := range statuses {
			if s == "!" {
				t.Error = e.errorResult(image.ErrDamaged)
				continue
			}
			r := &result{Hive: t.Target + itoa(n+1), Status: s}
			if s == statusRefused || s == statusFailed {
				r.fail(e, map[status]error{statusRefused: image.ErrHibernated, statusFailed: errors.New("odd")}[s])
			}
			t.Installations = append(t.Installations, r)
			if s == statusPlanned || s == statusLeft {
				l.offers = append(l.offers, &offer{&job{main: r}, t})
			}
		}
		l.targets, l.sources = append(l.targets, t), append(l.sources, nil)
	}
	return l
}

// How the installations of all disks ended is one word, one colour and, when it is bad,
// one reason.
func TestConclude(t *testing.T) {
	e := testEnv(t)
	one := func(s ...status) []status { return s }
	for _, test := range []struct {
		disks  [][]status
		dryRun bool
		result string
		mood   mood
		why    string // key and label
	}{
		{[][]status{one(statusRepaired)}, false, resultRepaired, moodGood, ""},
		{[][]status{one(statusRepaired, statusSkipped)}, false, resultRepaired, moodGood, ""},
		{[][]status{one(statusRepaired, statusNothing)}, false, resultRepaired, moodGood, ""},
		{[][]status{one(statusSkipped), one(), one(statusRepaired)}, false, resultRepaired, moodGood, ""},
		{[][]status{one("!"), one(statusRepaired)}, false, resultRepaired, moodGood, ""},
		{[][]status{one(statusRepaired, statusLeft)}, false, resultRepaired, moodGood, ""},
		{[][]status{one(statusRepaired), one(statusRefused)}, false, resultPartly, moodNote, "hibernated b1"},
		{[][]status{one(statusFailed, statusRepaired)}, false, resultPartly, moodNote, "other a1"},
		{[][]status{one("!"), one(statusRepaired, statusRefused)}, false, resultPartly, moodNote, "damaged a"},
		{[][]status{one(statusUndone)}, false, resultUndone, moodGood, ""},
		{[][]status{one(statusUndone, statusSkipped)}, false, resultUndone, moodGood, ""},
		{[][]status{one(statusUndone), one(statusFailed)}, false, resultPartly, moodNote, "other b1"},
		{[][]status{one(statusRefused)}, false, resultFailed, moodBad, "hibernated a1"},
		{[][]status{one(statusFailed)}, false, resultFailed, moodBad, "other a1"},
		{[][]status{one(statusSkipped, statusRefused)}, false, resultFailed, moodBad, "hibernated a2"},
		{[][]status{one(statusFailed), one(statusRefused)}, false, resultFailed, moodBad, "other a1"},
		{[][]status{one(statusLeft, statusRefused)}, false, resultFailed, moodBad, "hibernated a2"},
		{[][]status{one(statusRefused)}, true, resultFailed, moodBad, "hibernated a1"},
		{[][]status{one(statusRepaired, "!")}, false, resultFailed, moodBad, "damaged a"}, // not given back
		{[][]status{one("!"), one()}, false, resultFailed, moodBad, "damaged a"},
		{nil, false, resultFailed, moodBad, ""},
		{[][]status{one(), one()}, false, resultFailed, moodBad, ""},
		{[][]status{one(statusPlanned)}, true, resultDryRun, moodCalm, ""},
		{[][]status{one(statusPlanned, statusSkipped)}, true, resultDryRun, moodCalm, ""},
		{[][]status{one(statusPlanned, statusRefused)}, true, resultFailed, moodBad, "hibernated a2"},
		{[][]status{one(statusLeft)}, false, resultLeft, moodNote, ""},
		{[][]status{one(statusLeft, statusNothing)}, false, resultLeft, moodNote, ""},
		{[][]status{one(statusNothing)}, false, resultNothing, moodNote, ""},
		{[][]status{one(statusSkipped)}, true, resultNothing, moodNote, ""},
		{[][]status{one("!"), one(statusNothing)}, false, resultNothing, moodNote, ""},
		{[][]status{one("!"), one(statusSkipped)}, false, resultFailed, moodBad, "damaged a"}, // it may be the sick one
	} {
		l := lookedAt(e, test.dryRun, test.disks...)
		c := l.conclude()
		why := ""
		if c.why != nil {
			why = c.why.Key + " " + c.label
		}
		if c.result != test.result || c.mood != test.mood || why != test.why {
			t.Errorf("%q: %s, mood %d, %q, want %s, %d, %q", test.disks, c.result, c.mood, why, test.result, test.mood, test.why)
		}
	}
}

// Of the offers that nobody took only those of a real run were left.
func TestLeave(t *testing.T) {
	e := testEnv(t)
	for dryRun, want := range map[bool]status{false: statusLeft, true: statusPlanned} {
		l := lookedAt(e, dryRun, []status{statusPlanned, statusRepaired})
		if l.begun() {
			t.Error("begun although nobody has decided yet")
		}
		l.leave()
		if got := []status{l.installations()[0].Status, l.installations()[1].Status}; !cmp.Equal(got, []status{want, statusRepaired}) {
			t.Errorf("dry run %v: left %q", dryRun, got)
		}
	}
	l := lookedAt(e, false, []status{statusPlanned, statusPlanned})
	l.offers[0].main.Status = statusFailed
	if !l.begun() {
		t.Error("a repair that failed was no beginning")
	}
}

// A record of one installation is concluded without the others.
func TestOnly(t *testing.T) {
	l := lookedAt(testEnv(t), false, []status{statusSkipped}, []status{statusRepaired, statusFailed})
	for i, want := range []string{resultNothing, resultRepaired, resultFailed} {
		r := l.installations()[i]
		if got := l.only(r).conclude(); got.result != want || (got.why != nil) != (want == resultFailed) {
			t.Errorf("%s alone: %+v, want %s", r.Hive, got, want)
		}
		if l.targetOf(r).Target != r.Hive[:1] {
			t.Errorf("targetOf(%s) = %s", r.Hive, l.targetOf(r).Target)
		}
	}
	if len(l.installations()) != 3 || l.conclude().result != resultPartly {
		t.Error("the others are gone")
	}
	if got := l.targetOf(new(result)); got != nil {
		t.Errorf("the target of an installation that is not there is %v", got)
	}
}

// Why nothing was found is told by what was seen: no disk, controllers without a driver,
// or disks without Windows.
func TestNothingFound(t *testing.T) {
	e := testEnv(t)
	none := lookedAt(e, false)
	if err := e.nothingFound(none, nil); !errors.Is(err, errNoDisk) {
		t.Errorf("without a disk: %v", err)
	}
	err := e.nothingFound(none, []string{"RAID 0000:00:1f.2 (8086:282a)"})
	if key, _ := explain(err); key != "nodisk" || err.Error() != "no disk found: [RAID 0000:00:1f.2 (8086:282a)]" {
		t.Errorf("with a controller without driver: %v", err)
	}
	if err := e.nothingFound(lookedAt(e, false, []status{"!"}, []status{}), []string{"USB"}); !errors.Is(err, errNoWindowsHere) {
		t.Errorf("with disks that hold none: %v", err)
	}
}
