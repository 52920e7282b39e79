package main

import (
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// utf8Page is the code page of UTF-8.
const utf8Page = 65001

// openConsole makes a console show what unloop prints: UTF-8, and colours where it
// knows them. What it returns gives the console back as it was.
func (e *env) openConsole() (restore func()) {
	page, err := windows.GetConsoleOutputCP()
	if err == nil && page != 0 && page != utf8Page && windows.SetConsoleOutputCP(utf8Page) == nil {
		restore = func() { _ = windows.SetConsoleOutputCP(page) }
	} else {
		restore = func() {}
	}
	e.colour = e.outTTY && understandsColour(e.out)
	return restore
}

// understandsColour asks the console to obey escape sequences. Those before Windows 10,
// and some of WinPE, do not.
func understandsColour(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	var mode uint32
	h := windows.Handle(f.Fd())
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}

// systemLang is the language of Windows' own windows. A WinPE that speaks Japanese has
// the fonts for it.
func systemLang() string {
	const japanese = 0x11 // primary language, winnt.h
	id, _, _ := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetUserDefaultUILanguage").Call()
	if id&0x3FF == japanese {
		return "ja"
	}
	return "en"
}
