package hive

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"unloop/hive/regf"
)

// Fix is one cure, a member of --fix.
type Fix string

// The fixes.
const (
	FixOverride Fix = "override" // switch the mitigations off that the drivers do not bear
	FixDrivers  Fix = "drivers"  // disable the drivers
	FixUpdates  Fix = "updates"  // let Windows Update ask first: a setting of the SOFTWARE hive
)

// Edit is one change of one value. It carries what was there before, so that it
// can be shown, refused when the hive holds something else, and taken back.
type Edit struct {
	Fix  Fix      `json:"fix,omitempty"`
	Path []string `json:"key"`  // key names from the root on, as stored
	Name string   `json:"name"` // of the value, as stored, or as it will be
	Old  *Data    `json:"old"`  // nil: there is no such value
	New  *Data    `json:"new"`  // nil: the value is deleted
}

// String spells the edit for a log or an error message.
func (e Edit) String() string { return FormatRegKey(append(e.Path[:len(e.Path):len(e.Path)], e.Name)) }

// reversed returns the edit that takes e back.
func (e Edit) reversed() Edit { return Edit{Path: e.Path, Name: e.Name, Old: e.New, New: e.Old} }

// equal says whether d and other are the same value data, or both none.
func (d *Data) equal(other *Data) bool {
	if d == nil || other == nil {
		return d == other
	}
	return d.Type == other.Type && bytes.Equal(d.Bytes, other.Bytes)
}

// Text spells the data as .reg text does, without the name; "" for none.
func (d *Data) Text() string {
	if d == nil {
		return ""
	}
	return FormatRegValue("", d.Type, d.Bytes)[len("@="):]
}

type jsonData struct {
	Type uint32 `json:"type"`
	Data string `json:"data"` // hex
	Text string `json:"text"` // .reg spelling
}

// MarshalJSON gives type number, data in hex, and the .reg spelling for people.
func (d *Data) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonData{uint32(d.Type), hex.EncodeToString(d.Bytes), d.Text()})
}

// UnmarshalJSON takes what MarshalJSON gives; the .reg spelling is ignored.
func (d *Data) UnmarshalJSON(b []byte) error {
	var j jsonData
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	data, err := hex.DecodeString(j.Data)
	if err != nil {
		return fmt.Errorf("reading value data: %w", err)
	}
	d.Type, d.Bytes = ValueType(j.Type), data
	return nil
}

// apply carries the edit out on the copy an editor holds, after comparing the old
// value with what h, the hive before all edits, has there.
func (e Edit) apply(h *Hive, ed *regf.Editor) error {
	k, _, ok, err := h.key(e.Path...)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: %s", ErrNoKey, FormatRegKey(e.Path))
	}
	_, found, err := value(k, e.Name)
	if err != nil {
		return err
	}
	if !found.equal(e.Old) {
		return fmt.Errorf("%w: %s is %s, planned for %s", ErrStale, e, orAbsent(found), orAbsent(e.Old))
	}
	if e.New == nil {
		return ed.DeleteValue(e.Path, e.Name)
	}
	return ed.SetValue(e.Path, e.Name, uint32(e.New.Type), e.New.Bytes)
}

func orAbsent(d *Data) string {
	if d == nil {
		return "absent"
	}
	return d.Text()
}
