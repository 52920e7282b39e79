package main

import (
	"errors"
	"fmt"

	"unloop/hive"
)

// errSecondScript says that stdout has a script for cmd.exe already, behind whose end
// another would never be reached.
var errSecondScript = errors.New("one script is written already")

// script makes the changes into a script for cmd.exe, for a PC where only Windows' own
// recovery environment starts. It cannot discard a hibernation or put one back: that is no work
// for reg.exe.
func (j *job) script() error {
	if j.discards() || j.sleep.pending() {
		return fmt.Errorf("changing a hibernation: %w", hive.ErrUnquotable)
	}
	s := hive.CmdScript{Tool: versionLine(), Label: j.main.Hive}
	for _, w := range j.writers {
		s.Hives = append(s.Hives, hive.CmdHive{Name: w.change.Old.Name(), Edits: w.change.Edits})
	}
	if j.main.Windows != nil && j.main.Select != nil {
		s.Computer, s.Default = j.main.Windows.Computer, j.main.Select.Default
	}
	text, err := s.Text()
	if err != nil {
		return err
	}
	if j.scripted.Swap(true) {
		return errSecondScript
	}
	j.main.cmdText = text
	return nil
}
