package hive

import (
	"slices"

	"unloop/hive/regf"
)

// filters finds the wanted services in the UpperFilters and LowerFilters of every
// device class (Control\Class\{guid}) and device (Enum\bus\device\instance). A
// driver that is disabled but still listed there stops Windows with 0x0000007B
// INACCESSIBLE_BOOT_DEVICE.
func (f *Findings) filters(h *Hive, set uint32, wanted []string) error {
	cs := ControlSetName(set)
	for _, place := range []struct {
		path   []string
		levels int
	}{{[]string{cs, "Control", "Class"}, 1}, {[]string{cs, "Enum"}, 3}} {
		k, path, ok, err := h.key(place.path...)
		if err != nil {
			return err
		}
		if ok {
			if err := f.filtersBelow(k, path, place.levels, set, wanted); err != nil {
				return err
			}
		}
	}
	return nil
}

// filtersBelow looks at the keys that lie levels below k.
func (f *Findings) filtersBelow(k regf.Key, path []string, levels int, set uint32, wanted []string) error {
	if levels == 0 {
		return f.filtersOf(k, path, set, wanted)
	}
	keys, err := k.Subkeys()
	if err != nil {
		return err
	}
	for _, sub := range keys {
		if err := f.filtersBelow(sub, append(slices.Clip(path), sub.Name()), levels-1, set, wanted); err != nil {
			return err
		}
	}
	return nil
}

func (f *Findings) filtersOf(k regf.Key, path []string, set uint32, wanted []string) error {
	for _, name := range []string{"LowerFilters", "UpperFilters"} {
		stored, list, err := value(k, name)
		if err != nil {
			return err
		}
		for _, driver := range list.list() {
			if containsName(wanted, driver) {
				f.Filters = append(f.Filters, Filter{set, driver, slices.Clone(path), stored, list})
				break
			}
		}
	}
	return nil
}
