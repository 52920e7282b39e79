package main

import (
	"fmt"

	"unloop/hive"
)

// script makes the changes into a script for cmd.exe, for a PC where only Windows' own
// recovery environment starts.
func (j *job) script() error {
	s := hive.CmdScript{Tool: versionLine(), Label: j.main.Hive}
	for _, w := range j.writers {
		if name := w.change.Old.Name(); name != hive.PrimaryFile {
			return ofHive{w.r, fmt.Errorf("a change of %s: %w", name, hive.ErrUnquotable)}
		}
		s.Edits = w.change.Edits
	}
	if j.main.Windows != nil && j.main.Select != nil {
		s.Computer, s.Default = j.main.Windows.Computer, j.main.Select.Default
	}
	var err error
	j.main.cmdText, err = s.Text()
	return err
}
