package hive

import "fmt"

// Scope chooses what is looked at and may be edited.
type Scope struct {
	Services       []string // names of the services to disable; nil: DefaultServices
	DefaultSetOnly bool     // only the control set that Select's Default names
}

func (s Scope) services() []string {
	if s.Services == nil {
		return DefaultServices()
	}
	return s.Services
}

// Inspect looks at a SYSTEM hive and weighs what it alone tells; see Weigh. Errors: ErrNotSystem, ErrControlSet, ErrUnexpected.
func (h *Hive) Inspect(scope Scope) (*Findings, error) {
	sel, err := h.readSelect()
	if err != nil {
		return nil, err
	}
	f := &Findings{Select: sel}
	if f.Sets, err = h.controlSets(sel, scope.DefaultSetOnly); err != nil {
		return nil, err
	}
	f.system, f.packKnown = h.windows(sel.Default)
	if f.pae, err = h.pae(sel.Default); err != nil {
		return nil, err
	}
	for _, set := range f.Sets {
		if err := f.override(h, set); err != nil {
			return nil, err
		}
		if err := f.services(h, set, scope.services()); err != nil {
			return nil, fmt.Errorf("reading services of %s: %w", ControlSetName(set), err)
		}
		if err := f.filters(h, set, scope.services()); err != nil {
			return nil, fmt.Errorf("reading filter lists of %s: %w", ControlSetName(set), err)
		}
	}
	f.Weigh(Evidence{})
	return f, nil
}

// pae reads PhysicalAddressExtension; nil where it is not told.
func (h *Hive) pae(set uint32) (*uint32, error) {
	d, err := h.valueAt(paeValue, ControlSetName(set), "Control", "Session Manager", "Memory Management")
	n, ok := d.dword()
	if err != nil || !ok {
		return nil, err
	}
	return &n, nil
}

const paeValue = "PhysicalAddressExtension"

// override reads the two values. A control set without their key gets no entry.
func (f *Findings) override(h *Hive, set uint32) error {
	k, path, ok, err := h.key(ControlSetName(set), "Control", "Session Manager", "Memory Management")
	if err != nil || !ok {
		return err
	}
	o := Override{Set: set, Path: path}
	for i, name := range []string{overrideValue, maskValue} {
		if o.Values[i].Name, o.Values[i].Data, err = value(k, name); err != nil {
			return err
		}
	}
	f.Overrides = append(f.Overrides, o)
	return nil
}
