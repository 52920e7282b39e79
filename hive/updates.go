package hive

import "fmt"

// What AUOptions says (Microsoft, "Configure Automatic Updates"): 3 downloads by itself,
// 4 installs by itself.
const (
	updatesNever = 1 // do not even look
	updatesAsk   = 2 // look, and let the user choose what is downloaded and installed
)

const auOptions = "AUOptions"

// AutoUpdate reads how Windows Update is set in a SOFTWARE hive. Values that are no
// numbers count as absent. ErrNotSoftware if it is another hive.
func (h *Hive) AutoUpdate() (au AutoUpdate, err error) {
	if _, _, ok, err := h.key(path(keyWindowsNT)...); err != nil || !ok {
		return au, fmt.Errorf("%w: %w", ErrNotSoftware, orNoKey(err, keyWindowsNT))
	}
	return (&peek{root: h.root}).autoUpdate(), nil
}

func orNoKey(err error, key string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s", ErrNoKey, key)
}

// NeverLooks says whether Windows Update is set not to look for updates at all, which is
// stricter than what a repair would set: the fault cannot come back by it.
func (a AutoUpdate) NeverLooks() bool { return a.Options != nil && *a.Options == updatesNever }

// Overruled says whether a policy decides instead of the setting.
func (a AutoUpdate) Overruled() bool { return a.PolicyOptions != nil || a.PolicyNoAutoUpdate != nil }

// PlanUpdates makes the plan of the fix updates for a SOFTWARE hive: AUOptions becomes
// 2, unless it is 1 or 2 already. Policies are left to who made them. Errors:
// ErrNotSoftware; ErrNoAutoUpdate, as no keys are created; ErrUnexpected.
func (h *Hive) PlanUpdates() (*Plan, error) {
	p := &Plan{of: h}
	au, err := h.AutoUpdate()
	if err != nil {
		return nil, err
	}
	if n := au.Options; n != nil && (*n == updatesNever || *n == updatesAsk) {
		return p, nil
	}
	k, found, ok, err := h.key(path(keyAutoUp)...)
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: %w", ErrNoAutoUpdate, orNoKey(err, keyAutoUp))
	}
	name, old, err := value(k, auOptions)
	if err != nil {
		return nil, err
	}
	if _, ok := old.dword(); old != nil && !ok {
		return nil, fmt.Errorf("%w: %s is %s of %d bytes, not REG_DWORD", ErrUnexpected,
			FormatRegKey(append(found[:len(found):len(found)], name)), old.Type, len(old.Bytes))
	}
	p.Edits = []Edit{{FixUpdates, found, name, old, dwordData(updatesAsk)}}
	return p, nil
}
