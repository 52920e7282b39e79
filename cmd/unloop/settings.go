package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"unloop/hive"
)

// settings are what unloop.toml on the stick says, and the kernel line above it.
type settings struct {
	Mode     string   `toml:"mode"`     // ask, auto or dry-run
	Fix      []string `toml:"fix"`      // override, drivers, updates
	Services []string `toml:"services"` // to be disabled
	After    string   `toml:"after"`    // ask, reboot, poweroff or shell
	Language string   `toml:"language"` // en or ja
	Keyboard string   `toml:"keyboard"` // us or jp
	Discard  bool     `toml:"discard_hibernation"`
}

// The modes of the stick.
const (
	modeAsk    = "ask"
	modeAuto   = "auto"
	modeDryRun = "dry-run"
)

// What may follow when the work is done.
const (
	afterAsk      = "ask"
	afterReboot   = "reboot"
	afterPowerOff = "poweroff"
	afterShell    = "shell"
)

// errSettings says that unloop.toml cannot be followed. Then nothing is done without
// being asked.
var errSettings = errors.New("unloop.toml is not understood")

// defaultSettings ask before anything is written.
func defaultSettings() settings {
	return settings{
		Mode: modeAsk, Fix: []string{string(hive.FixOverride), string(hive.FixDrivers)},
		Services: hive.DefaultServices(), After: afterAsk, Language: "en", Keyboard: "us",
	}
}

// parseSettings reads unloop.toml. What it leaves out has its default. With an error,
// which wraps errSettings and names the line, it returns the defaults.
func parseSettings(text string) (settings, error) {
	s := defaultSettings()
	text = strings.TrimPrefix(text, "\ufeff")     // as Windows' Notepad saves it
	text = strings.ReplaceAll(text, "\r\n", "\n") // of which the parser miscounts some
	meta, err := toml.Decode(text, &s)
	if err != nil {
		return defaultSettings(), fmt.Errorf("%w: %s", errSettings, tomlProblem(err))
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return defaultSettings(), fmt.Errorf("%w: there is no setting %q", errSettings, unknown[0].String())
	}
	if err := s.check(); err != nil {
		return defaultSettings(), err
	}
	return s, nil
}

func tomlProblem(err error) string {
	var parse toml.ParseError
	if errors.As(err, &parse) {
		return fmt.Sprintf("line %d: %s", parse.Position.Line, parse.Message)
	}
	return err.Error()
}

// withKernelLine lets options of the kernel line, as the boot menu gives them, overrule
// the file: unloop.mode, unloop.after, unloop.lang.
func (s settings) withKernelLine(options map[string]string) (settings, error) {
	for name, field := range map[string]*string{"unloop.mode": &s.Mode, "unloop.after": &s.After, "unloop.lang": &s.Language} {
		if v := options[name]; v != "" {
			*field = v
		}
	}
	return s, s.check()
}

func (s settings) check() error {
	for _, one := range []struct {
		name, value string
		choices     []string
	}{
		{"mode", s.Mode, []string{modeAsk, modeAuto, modeDryRun}},
		{"after", s.After, []string{afterAsk, afterReboot, afterPowerOff, afterShell}},
		{"language", s.Language, []string{"en", "ja"}},
		{"keyboard", s.Keyboard, []string{"us", "jp"}},
	} {
		if !slices.Contains(one.choices, one.value) {
			return fmt.Errorf("%w: %s = %q is not one of %s", errSettings, one.name, one.value, strings.Join(one.choices, ", "))
		}
	}
	if len(s.Fix) == 0 {
		return fmt.Errorf("%w: fix is empty", errSettings)
	}
	if _, err := parseFixes(s.Fix); err != nil {
		return fmt.Errorf("%w: fix = %q: there are override, drivers and updates", errSettings, s.Fix)
	}
	for _, name := range s.Services {
		if !serviceName(name) {
			return fmt.Errorf("%w: services: %q is no name of a service", errSettings, name)
		}
	}
	return nil
}

// kernelOptions reads /proc/cmdline: words, of which those with = have a value. Of a
// word given twice the last counts.
func kernelOptions(line string) map[string]string {
	options := map[string]string{}
	for _, word := range strings.Fields(line) {
		name, value, _ := strings.Cut(word, "=")
		options[name] = value
	}
	return options
}

// consoles lists the consoles of a kernel line in the order given; the last one is the
// kernel's own /dev/console.
func consoles(line string) []string {
	var names []string
	for _, word := range strings.Fields(line) {
		name, ok := strings.CutPrefix(word, "console=")
		if name, _, _ = strings.Cut(name, ","); ok && name != "" {
			names = append(slices.DeleteFunc(names, func(s string) bool { return s == name }), name)
		}
	}
	if len(names) == 0 {
		return []string{"tty0"}
	}
	return names
}
