package main

import (
	"fmt"
	"path/filepath"

	"unloop/hive"
)

// settingsName is the file of settings on a stick and in a WinPE.
const settingsName = "unloop.toml"

// winpeRun is what the settings of a WinPE ask for.
func winpeRun(s settings, backup string) repairOptions {
	o := repairOptions{crosscheck: "auto"}
	o.common = common{
		dryRun: s.Mode == modeDryRun || backup == "", yes: s.Mode == modeAuto,
		backup: backup, format: "text", jobs: 1,
	}
	if backup != "" {
		o.report = filepath.Join(filepath.Dir(backup), "unloop-reports")
	}
	for _, fix := range s.Fix {
		o.fixes = append(o.fixes, hive.Fix(fix))
	}
	o.scope.Services = s.Services
	o.discard = s.Discard && s.Mode == modeAsk // as on the stick
	return o
}

// readWinpeSettings reads the first of these files that is there. One that cannot be
// followed is said, and stands for asking before every step.
func (e *env) readWinpeSettings(read func(string) ([]byte, error), paths ...string) settings {
	for _, path := range paths {
		text, err := read(path)
		if err != nil {
			continue
		}
		s, err := parseSettings(string(text))
		if err != nil {
			e.note("winpe.settings", path, err)
		} else {
			e.note("winpe.mode", path, s.Mode)
		}
		return s
	}
	s := defaultSettings()
	e.note("winpe.mode", fmt.Sprintf("(%s)", settingsName), s.Mode)
	return s
}
