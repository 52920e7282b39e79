package main

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// changed is the default with a few settings changed.
func changed(change func(*settings)) settings {
	s := defaultSettings()
	change(&s)
	return s
}

// Every setting can be given every value it has; what the file leaves out has its
// default, and how an editor of Windows saves the file does not matter.
func TestParseSettings(t *testing.T) {
	for _, test := range []struct {
		text string
		want settings
	}{
		{"", defaultSettings()},
		{"# nothing\r\n\r\n", defaultSettings()},
		{`mode = "ask"`, defaultSettings()},
		{`mode = "auto"`, changed(func(s *settings) { s.Mode = modeAuto })},
		{`mode = "dry-run"`, changed(func(s *settings) { s.Mode = modeDryRun })},
		{`fix = ["drivers"]`, changed(func(s *settings) { s.Fix = []string{"drivers"} })},
		{`fix = ["drivers", "override"]`, changed(func(s *settings) { s.Fix = []string{"drivers", "override"} })},
		{`services = ["hardlock"]`, changed(func(s *settings) { s.Services = []string{"hardlock"} })},
		{`services = ["a", "b", "HASP Loader"]`, changed(func(s *settings) { s.Services = []string{"a", "b", "HASP Loader"} })},
		{`services = []`, changed(func(s *settings) { s.Services = []string{} })},
		{`after = "ask"`, defaultSettings()},
		{`after = "reboot"`, changed(func(s *settings) { s.After = afterReboot })},
		{`after = "poweroff"`, changed(func(s *settings) { s.After = afterPowerOff })},
		{`after = "shell"`, changed(func(s *settings) { s.After = afterShell })},
		{`language = "en"`, defaultSettings()},
		{`language = "ja"`, changed(func(s *settings) { s.Language = "ja" })},
		{`keyboard = "us"`, defaultSettings()},
		{`fix = ["override", "updates"]`, changed(func(s *settings) { s.Fix = []string{"override", "updates"} })},
		{"discard_hibernation = false", defaultSettings()},
		{"discard_hibernation = true", changed(func(s *settings) { s.Discard = true })},
		{`keyboard = "jp"`, changed(func(s *settings) { s.Keyboard = "jp" })},
		{"\ufeffmode = \"auto\" # すべて自動\r\nkeyboard = 'jp'\r\n", changed(func(s *settings) { s.Mode, s.Keyboard = modeAuto, "jp" })},
	} {
		got, err := parseSettings(test.text)
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("parseSettings(%q): %v (-want +got):\n%s", test.text, err, diff)
		}
	}
}

// What is not understood asks before anything: the defaults, and an error that tells
// where to look.
func TestParseSettingsErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"mode = auto", "line 1"},
		{"\r\n# x\r\nmode = 'auto\r\n", "line 3"},
		{"mode = 'auto'\nmode = 'ask'\n", "line 2"},
		{"mode = 'auto'\n\nfix = 3\n", "line 3"},
		{"fix = 'override'", "line 1"},
		{"fix = ['override', 1]", `"fix"`},
		{"mode = true", `"mode"`},
		{"[mode]\nname = 'auto'", `"mode"`},
		{"mode = 'auto'\nmod = 'ask'\n", `"mod"`},
		{"mode = 'auto'\n[more]\nfix = ['drivers']\n", `"more"`},
		{"mode = 'automatic'", `mode = "automatic" is not one of ask, auto, dry-run`},
		{"mode = 'AUTO'", `mode = "AUTO"`},
		{"mode = ''", `mode = ""`},
		{"after = 'power off'", `after = "power off" is not one of ask, reboot, poweroff, shell`},
		{"language = 'de'", `language = "de" is not one of en, ja`},
		{"keyboard = 'de'", `keyboard = "de" is not one of us, jp`},
		{"mode = 'auto'\nfix = []", "fix is empty"},
		{"mode = 'auto'\nfix = ['update']", `fix = ["update"]: there are override, drivers and updates`},
		{"discard_hibernation = 'yes'", `"discard_hibernation"`},
		{"mode = 'auto'\nservices = ['']", `services: ""`},
		{"mode = 'auto'\nservices = ['a\\b']", `services: "a\\b"`},
		{"mode = 'auto'\nservices = ['a/b']", `services: "a/b"`},
		{"mode = 'auto' # \x8e\xa9\x93\xae\n", "line 1"}, // a comment as Windows' old code page has it
	} {
		got, err := parseSettings(test.text)
		if !errors.Is(err, errSettings) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("parseSettings(%q): %v, want one that says %q", test.text, err, test.want)
		}
		if diff := cmp.Diff(defaultSettings(), got); diff != "" {
			t.Errorf("parseSettings(%q) with its error returns (-want +got):\n%s", test.text, diff)
		}
	}
}

// The boot menu's words overrule the file, and are held to the same rules.
func TestSettingsOfKernelLine(t *testing.T) {
	file := changed(func(s *settings) {
		s.Mode, s.After, s.Language, s.Services = modeAuto, afterPowerOff, "ja", []string{"x"}
	})
	for _, test := range []struct {
		line string
		want settings
		err  string
	}{
		{"quiet panic=0", file, ""},
		{"unloop.mode= unloop.after unloop.lang=", file, ""},
		{"unloop.mode=dry-run", changed(func(s *settings) { *s = file; s.Mode = modeDryRun }), ""},
		{"unloop.after=reboot unloop.lang=en", changed(func(s *settings) { *s = file; s.After, s.Language = afterReboot, "en" }), ""},
		{"unloop.mode=ask unloop.mode=dry-run", changed(func(s *settings) { *s = file; s.Mode = modeDryRun }), ""},
		{"unloop.mode=repair", settings{}, `mode = "repair"`},
		{"unloop.after=never", settings{}, `after = "never"`},
		{"unloop.lang=fr", settings{}, `language = "fr"`},
	} {
		got, err := file.withKernelLine(kernelOptions(test.line))
		switch {
		case test.err != "":
			if !errors.Is(err, errSettings) || !strings.Contains(err.Error(), test.err) {
				t.Errorf("withKernelLine(%q): %v, want one that says %q", test.line, err, test.err)
			}
		case err != nil || !cmp.Equal(test.want, got):
			t.Errorf("withKernelLine(%q): %v (-want +got):\n%s", test.line, err, cmp.Diff(test.want, got))
		}
	}
}

func TestKernelOptions(t *testing.T) {
	got := kernelOptions("BOOT_IMAGE=/unloop/vmlinuz32 unloop.stick=ABCD-1234 quiet x= a=b=c quiet=2\n")
	want := map[string]string{"BOOT_IMAGE": "/unloop/vmlinuz32", "unloop.stick": "ABCD-1234", "quiet": "2", "x": "", "a": "b=c"}
	if !maps.Equal(got, want) {
		t.Errorf("kernelOptions = %q, want %q", got, want)
	}
	if got := kernelOptions(""); len(got) != 0 {
		t.Errorf("kernelOptions of nothing = %q", got)
	}
}

// There is always a console, the last one counts, and none is named twice.
func TestConsoles(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"", "tty0"},
		{"quiet", "tty0"},
		{"console=ttyS0", "ttyS0"},
		{"console=ttyS0,115200n8 quiet", "ttyS0"},
		{"console=tty0 console=ttyS0,9600", "tty0 ttyS0"},
		{"console=ttyS0 console=tty0", "ttyS0 tty0"},
		{"console=tty0 console=ttyS0 console=tty0", "ttyS0 tty0"},
		{"netconsole=x console=tty1", "tty1"},
		{"console=", "tty0"}, // how the kernel is told to have none
		{"console= console=ttyS1 console=,9600", "ttyS1"},
	} {
		if got := consoles(test.line); !slices.Equal(got, strings.Fields(test.want)) {
			t.Errorf("consoles(%q) = %q, want %q", test.line, got, test.want)
		}
	}
}

// Any text gives settings that keep the rules, and with an error the defaults.
func FuzzParseSettings(f *testing.F) {
	f.Add("mode = \"auto\"\r\nfix = [\"override\", \"drivers\"]\r\nservices = [\"haspnt\"]\r\nafter = \"poweroff\"\r\n")
	f.Add("\ufefflanguage = 'ja'\nkeyboard = 'jp'\n")
	f.Add("[[mode]]\nfix = { a = 1979-05-27 }\n")
	f.Add("services = [\n  \"\"\"a\nb\"\"\", 'c' ]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSettings(text)
		if err != nil {
			if !errors.Is(err, errSettings) || !cmp.Equal(s, defaultSettings()) {
				t.Errorf("%v with %+v", err, s)
			}
			return
		}
		if err := s.check(); err != nil {
			t.Errorf("accepted, but %v", err)
		}
		if fixes, err := parseFixes(s.Fix); err != nil || len(fixes) == 0 {
			t.Errorf("fixes %q: %v", fixes, err)
		}
	})
}
