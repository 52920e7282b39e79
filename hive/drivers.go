package hive

import (
	"fmt"
	"slices"
)

// driverEdits disables the wanted services where they exist, and takes their names
// out of every filter list: Windows stops with 0x0000007B when a listed driver
// cannot be loaded. A key without Start is no service and stays as it is.
func (h *Hive) driverEdits(f *Findings) ([]Edit, error) {
	var edits []Edit
	disabled := map[uint32][]string{} // by control set
	for _, s := range f.Services {
		n, ok := s.Start.dword()
		switch {
		case s.Start == nil:
			continue
		case !ok:
			return nil, fmt.Errorf("%w: %s is %s of %d bytes, not REG_DWORD", ErrUnexpected,
				FormatRegKey(append(slices.Clip(s.Path), "Start")), s.Start.Type, len(s.Start.Bytes))
		}
		disabled[s.Set] = append(disabled[s.Set], s.Name)
		if n == StartDisabled {
			continue
		}
		k, path, _, err := h.key(s.Path...)
		if err != nil {
			return nil, err
		}
		name, _, err := value(k, "Start") // as stored: "START" is what the diff will show
		if err != nil {
			return nil, err
		}
		edits = append(edits, Edit{FixDrivers, path, name, s.Start, dwordData(StartDisabled)})
	}
	for _, filter := range f.Filters {
		names := disabled[filter.Set]
		if slices.ContainsFunc(filter.Names(), func(s string) bool { return containsName(names, s) }) {
			edits = append(edits, Edit{FixDrivers, filter.Path, filter.Value, filter.List, without(filter.List, names)})
		}
	}
	return edits, nil
}

// without returns a filter list without these names, or nil when nothing is left.
func without(list *Data, names []string) *Data {
	rest := slices.DeleteFunc(list.list(), func(s string) bool { return s == "" || containsName(names, s) })
	if len(rest) == 0 {
		return nil
	}
	return &Data{list.Type, EncodeMultiSZ(rest)}
}
