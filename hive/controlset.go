package hive

import (
	"fmt"
	"slices"
)

// Select is the key that says which control set Windows uses for what. A number n
// stands for the key ControlSet00n, 0 for none.
type Select struct {
	Current       uint32 `json:"current"`
	Default       uint32 `json:"default"` // what the boot loader takes
	Failed        uint32 `json:"failed"`
	LastKnownGood uint32 `json:"lastKnownGood"`
}

// ControlSetName returns the key name of control set n.
func ControlSetName(n uint32) string { return fmt.Sprintf("ControlSet%03d", n) }

// readSelect reads Select. A hive without it, or without a usable Default, is not
// a SYSTEM hive that Windows could boot from.
func (h *Hive) readSelect() (Select, error) {
	k, _, ok, err := h.key("Select")
	if err != nil {
		return Select{}, err
	}
	if !ok {
		return Select{}, fmt.Errorf("%w: it has no key Select (its root key is %q)", ErrNotSystem, h.RootName())
	}
	var s Select
	for name, field := range map[string]*uint32{
		"Current": &s.Current, "Default": &s.Default, "Failed": &s.Failed, "LastKnownGood": &s.LastKnownGood,
	} {
		_, d, err := value(k, name)
		if err != nil {
			return Select{}, err
		}
		if d == nil {
			continue
		}
		n, ok := d.dword()
		if !ok {
			return Select{}, fmt.Errorf(`%w: Select\%s is %s of %d bytes`, ErrUnexpected, name, d.Type, len(d.Bytes))
		}
		*field = n
	}
	if s.Default == 0 {
		return Select{}, fmt.Errorf(`%w: Select\Default names no control set`, ErrControlSet)
	}
	return s, nil
}

// controlSets returns the numbers of the control sets to be worked on: what Default
// names, then, unless defaultOnly, what Current and LastKnownGood name. Each must exist.
func (h *Hive) controlSets(s Select, defaultOnly bool) ([]uint32, error) {
	named := []struct {
		by string
		n  uint32
	}{{"Default", s.Default}, {"Current", s.Current}, {"LastKnownGood", s.LastKnownGood}}
	if defaultOnly {
		named = named[:1]
	}
	var sets []uint32
	for _, set := range named {
		if set.n == 0 || slices.Contains(sets, set.n) {
			continue
		}
		_, _, ok, err := h.key(ControlSetName(set.n))
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf(`%w: Select\%s is %d, but there is no key %s`, ErrControlSet, set.by, set.n, ControlSetName(set.n))
		}
		sets = append(sets, set.n)
	}
	slices.Sort(sets)
	return sets, nil
}

// IsSystem says whether the hive has what makes a SYSTEM hive.
func (h *Hive) IsSystem() bool {
	_, err := h.readSelect()
	return err == nil
}
