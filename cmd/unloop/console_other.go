//go:build !windows

package main

// openConsole finds the terminal as it should be: UTF-8, and in colour.
func (e *env) openConsole() (restore func()) {
	e.colour = e.outTTY
	return func() {}
}

// systemLang is English where the environment names no language.
func systemLang() string { return "en" }
