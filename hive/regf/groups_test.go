package regf_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

// maxExhaustive is the number of sectors of a group of which every subset is tried;
// of more, randomSubsets.
const (
	maxExhaustive = 8
	randomSubsets = 100
)

// crash applies each prefix of the groups to the old hive and, of the group that
// comes next, every subset of the sectors it touches, and calls fn with the bytes.
func crash(old []byte, groups [][]regf.Patch, rng *rand.Rand, fn func(state []byte, where string)) {
	for i, group := range groups {
		sectors := touched(group)
		n := len(sectors)
		subsets := uint64(1) << min(n, maxExhaustive)
		if n > maxExhaustive {
			subsets = randomSubsets
		}
		for s := range subsets {
			if n > maxExhaustive {
				s = rng.Uint64() & rng.Uint64() // few sectors; with the last of all …
				if rng.IntN(2) == 0 {
					s = ^s // … or nearly all
				}
			}
			written := map[int64]bool{}
			for j, sector := range sectors {
				written[sector] = s>>(j%64)&1 != 0
			}
			fn(patched(old, group, written), fmt.Sprintf("group %d of %d, sectors %x of %x", i, len(groups), s, sectors))
		}
		old = patched(old, group, nil)
		fn(old, fmt.Sprintf("group %d of %d, all", i, len(groups)))
	}
}

// touched lists the sectors that a group changes.
func touched(group []regf.Patch) []int64 {
	var sectors []int64
	for _, p := range group {
		for s := p.Offset / regf.SectorSize; s <= (p.Offset+int64(len(p.Data))-1)/regf.SectorSize; s++ {
			sectors = append(sectors, s)
		}
	}
	slices.Sort(sectors)
	return slices.Compact(sectors)
}

// between says why a state of a key is not one between old and new: every value is
// the old or the new one, in the old or the new order.
func between(state, old, edited *node) error {
	if !state.sameKey(old) || len(state.Subkeys) != len(old.Subkeys) {
		return fmt.Errorf("key %q changed", old.Name)
	}
	spelt := func(n *node) (names []string) {
		for _, v := range n.Values {
			names = append(names, v.Name)
		}
		return names
	}
	if !slices.Equal(spelt(state), spelt(old)) && !slices.Equal(spelt(state), spelt(edited)) {
		return fmt.Errorf("key %q has the values %q, neither %q nor %q", old.Name, spelt(state), spelt(old), spelt(edited))
	}
	for _, v := range state.Values {
		if !slices.Contains(old.Values, v) && !slices.Contains(edited.Values, v) {
			return fmt.Errorf("key %q: value %q is neither old nor new", old.Name, v.Name)
		}
	}
	for i := range state.Subkeys {
		if err := between(state.Subkeys[i], old.Subkeys[i], edited.Subkeys[i]); err != nil {
			return err
		}
	}
	return nil
}

// tryCrashes proves the order without a log for some edits and says how many states
// it saw.
func tryCrashes(t *testing.T, h, edited *regf.Hive, groups [][]regf.Patch, rng *rand.Rand) (states int) {
	t.Helper()
	was, is := tree(t, h), tree(t, edited)
	crash(h.Bytes(), groups, rng, func(b []byte, where string) {
		states++
		state, err := checked(b)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		if err := between(tree(t, state), was, is); err != nil {
			t.Fatalf("%s: %v", where, err)
		}
	})
	return states
}

// TestGroups is the order without a log: whatever part of a group is on the medium
// when the power fails, the hive is sound and each value is the old or the new one.
func TestGroups(t *testing.T) {
	states := 0
	for _, tt := range editCases {
		t.Run(tt.name, func(t *testing.T) {
			h := sound(t, build(t, tt.reg, tt.o))
			edited, groups := run(t, h, tt.mayGrow, tt.edits...)
			states += tryCrashes(t, h, edited, groups, rand.New(rand.NewPCG(1, 2)))
		})
	}
	t.Logf("%d states", states)
}

// TestGroupsOrder: the last group holds the base block that ends the write, and
// bins come before the base block that takes them in.
func TestGroupsOrder(t *testing.T) {
	h := sound(t, build(t, valuesKey(3), hivetest.Options{Full: true, Slack: 8192}))
	edited, groups := run(t, h, false, set("new", sz, text(100)), remove("v0"))
	end := regf.BaseBlockSize + int64(h.Base().BinsSize)
	for _, p := range groups[0] {
		if p.Offset < end {
			t.Errorf("the first group writes at 0x%x, in front of the new bin at 0x%x", p.Offset, end)
		}
	}
	if len(groups[1]) != 1 || groups[1][0].Offset != 0 {
		t.Fatalf("the second group is %v, want the base block", groups[1])
	}
	bb, err := regf.DecodeBaseBlock(groups[1][0].Data)
	if err != nil || bb.BinsSize != edited.Base().BinsSize || bb.PrimarySeq != h.Base().PrimarySeq || bb.Dirty() != "" {
		t.Errorf("its base block %+v, %v; want the new length, the old sequence numbers", bb, err)
	}
	last := groups[len(groups)-1]
	if p := last[len(last)-1]; p.Offset != 0 || string(p.Data) != string(edited.Bytes()[:512]) {
		t.Errorf("the last patch is at 0x%x, want the new base block", p.Offset)
	}
}

// randomEdits makes up to four edits of different values.
func randomEdits(rng *rand.Rand, root *node) []edit {
	var edits []edit
	var seen []string
	for range 1 + rng.IntN(4) {
		n, path := root, []string(nil)
		for len(n.Subkeys) > 0 && rng.IntN(4) > 0 {
			n = n.Subkeys[rng.IntN(len(n.Subkeys))]
			path = append(path, n.Name)
		}
		e := edit{path: path, name: fmt.Sprintf("new %c", 'a'+rng.IntN(20)), typ: uint32(rng.IntN(5))}
		if len(n.Values) > 0 && rng.IntN(3) > 0 {
			v := n.Values[rng.IntN(len(n.Values))]
			e.name, e.remove = v.Name, rng.IntN(3) == 0
			if rng.IntN(2) == 0 {
				e.typ = v.Type
			}
		}
		e.data = text([]int{4, rng.IntN(9), rng.IntN(200), rng.IntN(200), rng.IntN(1500), rng.IntN(7000)}[rng.IntN(6)])
		if at := fmt.Sprintf("%q %q", path, e.name); !slices.Contains(seen, at) {
			seen = append(seen, at)
			edits = append(edits, e)
		}
	}
	return edits
}

// TestRandomEdits edits the same hive again and again, so that its free cells
// straddle sectors and pages and lie between used ones, and tries crashes each time.
func TestRandomEdits(t *testing.T) {
	rounds, states := 60, 0
	if testing.Short() {
		rounds = 10
	}
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 7))
		h := sound(t, build(t, mixed+regText([]string{"k", "deep"}, value{"big", raw, text(33000)})+manyKeys(5),
			hivetest.Options{Fill: 1000 * int(seed%3), Slack: 4096 * int(seed), MaxList: 3}))
		for range rounds {
			edited, groups := run(t, h, true, randomEdits(rng, tree(t, h))...)
			states += tryCrashes(t, h, edited, groups, rng)
			h = edited
		}
	}
	t.Logf("%d states", states)
}
