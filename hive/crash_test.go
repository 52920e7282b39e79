package hive_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"unloop/hive"
	"unloop/hive/hivetest"
)

// fragmented is a Windows 7 whose edited keys and free cells lie all over the hive.
func fragmented(t testing.TB, o hivetest.Options) []byte {
	t.Helper()
	var b strings.Builder
	for _, set := range []string{"ControlSet001", "ControlSet002"} {
		for i := range 90 {
			fmt.Fprintf(&b, "[%s\\services\\H%c%03d\\Parameters]\n\"Path\"=\"a value that fills a cell of its own, %03d\"\n", set, 'a'+i%26, i, i)
		}
		fmt.Fprintf(&b, "[%s\\Control\\Class\\{1}]\n%s%s", set, regValue("UpperFilters", multiSZ("kbdclass", "hardlock")), regValue("LowerFilters", multiSZ("Haspnt")))
		fmt.Fprintf(&b, "[%s\\Enum\\USB\\VID_0529\\1]\n%s\"Service\"=\"x\"\n", set, regValue("UpperFilters", multiSZ("hardlock", "haspnt")))
	}
	// A key without values has no list, and no length of data to its name either.
	b.WriteString("[-ControlSet002\\Control\\Session Manager\\Memory Management]\n[ControlSet002\\Control\\Session Manager\\Memory Management]\n")
	primary := build(t, b.String(), o)
	if len(primary) > 128<<10 {
		t.Fatalf("the built hive has %d bytes, more than 128 KiB", len(primary))
	}
	return primary
}

// testCrashes plays all journeys of a hive: of pairs of lost sectors that many, and
// every so many states looked at in full.
func testCrashes(t *testing.T, name string, primary []byte, mayGrow bool, pairs, every int) {
	if raceDetector {
		t.Skip("too slow under the race detector")
	}
	for _, logged := range []bool{true, false} {
		for _, j := range journeys(t, primary, mayGrow, logged) {
			t.Run(j.name, func(t *testing.T) { j.play(t, name, pairs, every) })
		}
	}
}

// play plays every crash of a journey and reports them.
func (j *journey) play(t *testing.T, name string, pairs, every int) {
	t.Helper()
	play := j.ordered
	if j.u.Log {
		play = j.logged
	}
	n, err := play(j.record(t), pairs, every)
	if err != nil {
		t.Fatalf("%s %s: %v", name, j.name, err)
	}
	n.report(t, name+" "+j.name)
}

func TestCrashBuilt(t *testing.T) {
	testCrashes(t, "built", fragmented(t, hivetest.Options{Fill: 3000}), false, -1, 1)
}

// A hive without a free cell grows over its slack, and gives it back.
func TestCrashSlack(t *testing.T) {
	testCrashes(t, "slack", withStaleSlack(fragmented(t, hivetest.Options{Full: true})), false, -1, 5)
}

// A hive file that may grow becomes longer, and short again.
func TestCrashGrown(t *testing.T) {
	testCrashes(t, "grown", fragmented(t, hivetest.Options{Full: true}), true, -1, 5)
}

// The real hive is 16 MB: every prefix, every single loss, some of the pairs.
func TestCrashReal(t *testing.T) {
	testCrashes(t, "real", realHive(t, haspHive), false, 500, 50)
}

// A dirty hive is replayed, then repaired. Until the replay is done its log alone
// holds what Windows wrote last, and no crash may lose it.
func TestCrashDirty(t *testing.T) {
	if raceDetector {
		t.Skip("too slow under the race detector")
	}
	before := fragmented(t, hivetest.Options{Fill: 3000})
	after := bytes.Replace(before, hive.EncodeUTF16("a value that fills"), hive.EncodeUTF16("Windows wrote this"), 20)
	touch(t, after)
	halfWritten := func(primary []byte) {
		for i, off := range differing(before, after) {
			if off > 0 && i%2 == 0 {
				copy(primary[off:off+512], after[off:])
			}
		}
	}
	torn := func(primary []byte) { copy(primary, bytes.Repeat([]byte{0xE5}, 512)) }
	t.Run("dirty", func(t *testing.T) { playDirty(t, "dirty", before, after, func([]byte) {}, log1Size, 0) })
	t.Run("half-written", func(t *testing.T) { playDirty(t, "half-written", before, after, halfWritten, log1Size, 0) })
	t.Run("torn", func(t *testing.T) { playDirty(t, "torn", before, after, torn, log1Size, 0) })
	// Here the log changes the time by which it is known while the base block is torn.
	later := bytes.Clone(after)
	later[4096+20]++
	t.Run("torn, with another time", func(t *testing.T) { playDirty(t, "torn later", before, later, torn, 0) })
}

// playDirty plays the repair of a hive that a reset left dirty, and spoilt, while
// Windows was writing; of its log that many bytes may be written then.
func playDirty(t *testing.T, name string, before, after []byte, spoil func(primary []byte), rooms ...int64) {
	primary, log1, err := hivetest.Dirty(before, after, log1Size)
	if err != nil {
		t.Fatal(err)
	}
	spoil(primary)
	for _, room := range rooms {
		repair := journeysFrom(t, &medium{primary: primary, log1: log1}, room)[0]
		if got, err := bins(repair.old.Bytes()); err != nil || !bytes.Equal(got, after[4096:]) {
			t.Fatalf("the repair does not begin with what the log makes of the hive: %v", err)
		}
		repair.play(t, name, -1, 5)
	}
}

// withStaleSlack appends what once were bins of the hive, as real ones have there.
func withStaleSlack(primary []byte) []byte {
	return append(bytes.Clone(primary), primary[4096:4096+16384]...)
}

// A crash test that finds nothing proves nothing unless it finds something in
// updates that are wrong.
func TestCrashFindsWrongUpdates(t *testing.T) {
	if raceDetector {
		t.Skip("too slow under the race detector")
	}
	for _, tt := range []struct {
		name   string
		logged bool
		spoil  func(steps []hive.Step) []hive.Step
	}{
		{"log's pages after its base block, the hive being dirty", true, func(s []hive.Step) []hive.Step { return swapped(swapped(s, 0, 1), 1, 2) }},
		{"hive dirty before there is a log", true, func(s []hive.Step) []hive.Step { return swapped(s, 1, 2) }},
		{"sectors before the hive is dirty", true, func(s []hive.Step) []hive.Step { return swapped(s, 2, 3) }},
		{"sectors together with the mark", true, func(s []hive.Step) []hive.Step { return joined(s, 2) }},
		{"no mark", true, func(s []hive.Step) []hive.Step { return slices.Delete(s, 2, 3) }},
		{"clean before the sectors", true, func(s []hive.Step) []hive.Step { return swapped(s, 3, 4) }},
		{"clean together with the sectors", true, func(s []hive.Step) []hive.Step { return joined(s, 3) }},
		{"backward", false, func(s []hive.Step) []hive.Step { slices.Reverse(s); return s }},
		{"all in one step", false, func(s []hive.Step) []hive.Step {
			return joined(joined(joined(s, 0), 0), 0)
		}},
		{"switch before the contents", false, func(s []hive.Step) []hive.Step { return swapped(s, 0, 2) }},
		{"frees together with the switch", false, func(s []hive.Step) []hive.Step { return joined(s, 2) }},
		{"frees before the switch", false, func(s []hive.Step) []hive.Step { return swapped(s, 2, 3) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := journeys(t, fragmented(t, hivetest.Options{Fill: 3000}), false, tt.logged)[0]
			wrong := *j.u
			wrong.Steps = tt.spoil(slices.Clone(j.u.Steps))
			spoiled := *j
			spoiled.u = &wrong
			m := spoiled.start.clone()
			if err := wrong.Apply(mediumFile{m, hive.PrimaryFile}, mediumFile{m, hive.Log1File}); err != nil {
				t.Fatal(err)
			}
			var err error
			if tt.logged {
				_, err = spoiled.logged(m, -1, 1)
			} else {
				_, err = spoiled.ordered(m, -1, 1)
			}
			if err == nil {
				t.Error("no crash shows that the update is wrong")
			}
		})
	}
}

func swapped(steps []hive.Step, i, k int) []hive.Step {
	steps[i], steps[k] = steps[k], steps[i]
	return steps
}

// joined makes one step of the one at i and the next, without a sync between them.
func joined(steps []hive.Step, i int) []hive.Step {
	steps[i].Writes = append(slices.Clone(steps[i].Writes), steps[i+1].Writes...)
	return slices.Delete(steps, i+1, i+2)
}

// Where free cells end and sectors begin decides whether headers of new cells need a
// step of their own. Of many layouts some that need it are played.
func TestCrashLayouts(t *testing.T) {
	if raceDetector {
		t.Skip("too slow under the race detector")
	}
	played := 0
	for pad := range 64 {
		primary := fragmented(t, hivetest.Options{Fill: 5000 + 8*pad, RootName: strings.Repeat("r", 1+8*(pad%31))})
		all := journeys(t, primary, false, false)
		const withHeaders = 5
		if len(all[0].u.Steps) < withHeaders || played == 3 {
			continue
		}
		played++
		for _, j := range all {
			n, err := j.ordered(j.record(t), -1, 50)
			if err != nil {
				t.Fatalf("layout %d: %s: %v", pad, j.name, err)
			}
			n.report(t, fmt.Sprintf("layout %d %s", pad, j.name))
		}
	}
	if played == 0 {
		t.Error("no layout needs a step for headers alone")
	}
}
