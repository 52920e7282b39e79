package hive

import (
	"fmt"
	"slices"
)

// The two values of Memory Management by which Windows is told to leave CPU
// mitigations off.
const (
	overrideValue = "FeatureSettingsOverride"
	maskValue     = "FeatureSettingsOverrideMask"
)

// overrideEdits sets bits 0 and 1 in both values of every control set. Other bits
// belong to others (SSBD, MDS …) and stay.
func overrideEdits(f *Findings) ([]Edit, error) {
	var edits []Edit
	found := map[uint32]bool{}
	for _, o := range f.Overrides {
		found[o.Set] = true
		for _, v := range o.Values {
			n, ok := v.Data.dword()
			if v.Data != nil && !ok {
				return nil, fmt.Errorf("%w: %s is %s of %d bytes, not REG_DWORD", ErrUnexpected,
					FormatRegKey(append(slices.Clip(o.Path), v.Name)), v.Data.Type, len(v.Data.Bytes))
			}
			if v.Data != nil && n&both == both {
				continue
			}
			edits = append(edits, Edit{FixOverride, o.Path, v.Name, v.Data, dwordData(n | both)})
		}
	}
	for _, set := range f.Sets {
		if !found[set] {
			return nil, fmt.Errorf(`%w: %s\Control\Session Manager\Memory Management`, ErrNoKey, ControlSetName(set))
		}
	}
	return edits, nil
}
