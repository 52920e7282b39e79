package main

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

// Which language a screen has follows from the settings, the kernel line and what the
// screen can show. The record is in the one that was asked for.
func TestSpeak(t *testing.T) {
	for _, test := range []struct {
		name     string
		kernel   map[string]string
		settings string
		drawable bool
		console  string
		lang     string
		record   string
		note     bool
	}{
		{"as made", nil, "en", true, "tty1", "en", "en", false},
		{"ja", nil, "ja", true, "tty1", "ja", "ja", false},
		{"ja, serial", nil, "ja", true, "ttyS0", "ja", "ja", false},
		{"ja, 1 bit", nil, "ja", false, "tty1", "en", "ja", true},
		{"ja, 1 bit, serial", nil, "ja", false, "ttyS0", "ja", "ja", false},
		{"menu", map[string]string{"unloop.lang": "ja"}, "en", true, "tty1", "ja", "ja", false},
		{"menu, 1 bit", map[string]string{"unloop.lang": "ja"}, "en", false, "tty1", "en", "ja", true},
		{"menu in English", map[string]string{"unloop.lang": "en"}, "ja", true, "tty1", "en", "en", false},
		{"plain text", map[string]string{"unloop.screen": "text"}, "ja", true, "tty1", "en", "ja", false},
		{"plain text, serial", map[string]string{"unloop.screen": "text"}, "ja", true, "ttyS0", "ja", "ja", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t, map[string][]byte{})
			if d.console = test.console; test.drawable {
				d.drawable()
				d.console = test.console
			}
			for name, value := range test.kernel {
				d.kernel[name] = value
			}
			writeFile(t, "stick/unloop.toml", []byte("language = '"+test.settings+"'\n"))
			d.speakFirst()
			if first := test.kernel["unloop.lang"]; first != "" && d.lang != test.lang {
				t.Errorf("before the settings are read: %s", d.lang)
			}
			d.ready()
			d.ready() // as at every look
			if d.lang != test.lang || d.settings.Language != test.record {
				t.Errorf("language %s, of the record %s, want %s, %s", d.lang, d.settings.Language, test.lang, test.record)
			}
			if drawn := d.frame != nil; drawn != (test.lang == "ja" && test.console == "tty1") {
				t.Errorf("drawn: %v", drawn)
			}
			if n := strings.Count(d.said(), "cannot show Japanese"); (n == 1) != test.note || n > 1 {
				t.Errorf("the reason is given %d times:\n%s", n, d.said())
			}
		})
	}
}

// The menu's language stays when unloop.toml is not understood.
func TestSpeakUnclear(t *testing.T) {
	d := newDesk(t, map[string][]byte{})
	d.drawable()
	d.kernel["unloop.lang"] = "ja"
	writeFile(t, "stick/unloop.toml", []byte("language = 'en\n"))
	d.speakFirst()
	d.ready()
	if d.lang != "ja" || d.unclear == nil {
		t.Errorf("language %s, settings: %v", d.lang, d.unclear)
	}
}

// A key changes the language on the first page and on the last. What follows is in it:
// pages, log and record, whatever the settings say.
func TestLanguageKey(t *testing.T) {
	d := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "j", "<enter>", "e", "j", "p")
	d.drawable()
	writeFile(t, "stick/unloop.toml", []byte("language = 'en'\n"))
	if got := d.ask(); got != nextLook {
		t.Fatalf("ask = %v, want another look in the new language", got)
	}
	if !strings.Contains(d.page(0), "repair UNLOOP-PC?") || !strings.Contains(d.page(0), "J Japanese") {
		t.Errorf("first page:\n%s", d.page(0))
	}
	d.ready()
	if got := d.ask(); got != nextPowerOff {
		t.Fatalf("ask = %v", got)
	}
	d.allRead()
	for i, word := range []string{"UNLOOP-PC を修復しますか？\n", "修復しました（REPAIRED）\n", " REPAIRED\n", "修復しました（REPAIRED）\n"} {
		if page := d.page(i + 1); !strings.Contains(page, word) {
			t.Errorf("page %d does not say %q:\n%s", i+1, word, page)
		}
	}
	d.mustSay("unloop: USB メモリを抜いてもかまいません")
	if record := d.record(firstRecord, fullRecord...); !strings.Contains(record["report.txt"], "結果:     修復しました（REPAIRED）\r\n") {
		t.Errorf("report.txt:\n%s", record["report.txt"])
	}
	if !slices.Equal(d.modes, []int{kdGraphics}) {
		t.Errorf("the console was switched to %v", d.modes)
	}
}

// In the middle of several repairs a change of the language begins nothing anew.
func TestLanguageKeyBetween(t *testing.T) {
	d := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{}), "sdc": deskDisk(t, diskOptions{})}, "<enter>", "j", "<enter>", "p")
	if got := d.ask(); got != nextPowerOff {
		t.Errorf("ask = %v", got)
	}
	d.allRead()
	for _, disk := range []string{"sda", "sdc"} {
		if got := d.start(disk, "haspnt"); got != "dword:00000004" {
			t.Errorf("Haspnt's Start on %s is %s", disk, got)
		}
	}
}

// Where Japanese cannot be shown, its key is not offered, and pressed in vain it is not
// offered again.
func TestLanguageKeyInVain(t *testing.T) {
	d := newDesk(t, map[string][]byte{"sda": deskDisk(t, diskOptions{})}, "j", "p")
	d.console = "tty1"
	if got := d.ask(); got != nextLook {
		t.Fatalf("ask = %v", got)
	}
	if got := d.ask(); got != nextPowerOff {
		t.Fatalf("ask = %v", got)
	}
	if first, second := d.page(0), d.page(1); !strings.Contains(first, "J Japanese") || strings.Contains(second, "J Japanese") || !strings.Contains(second, "repair UNLOOP-PC?") {
		t.Errorf("first\n%s\nthen\n%s", first, second)
	}
	if d.settings.Language != "en" {
		t.Errorf("the record would be in %s", d.settings.Language)
	}
}

// The shell has the console, in English, and gives it back.
func TestShellHasTheConsole(t *testing.T) {
	d := drawnDesk(t, "s", "p")
	if got := d.ask(); got != nextPowerOff {
		t.Fatalf("ask = %v", got)
	}
	d.allRead()
	if !slices.Equal(d.modes, []int{kdGraphics, kdText, kdGraphics}) || d.lang != "ja" {
		t.Errorf("the console was switched to %v; language %s", d.modes, d.lang)
	}
	console, err := os.ReadFile("console")
	if err != nil || !strings.Contains(string(console), "unloop: shell: ") || strings.ContainsFunc(string(console), func(r rune) bool { return r > 0x7F }) {
		t.Errorf("the console was told %q, %v", console, err)
	}
	if page := d.page(1); !strings.Contains(page, "UNLOOP-PC を修復しますか？\n") {
		t.Errorf("after the shell:\n%s", page)
	}
}

// A screen that cannot be taken again leaves unloop with the console.
func TestShellKeepsTheConsole(t *testing.T) {
	d := drawnDesk(t)
	back := d.lend()
	d.frame.console = func(int) error { return errors.New("busy") }
	back()
	if d.frame != nil || d.lang != "en" {
		t.Errorf("frame %v, language %s", d.frame, d.lang)
	}
	d.mustSay("unloop: this screen cannot show Japanese, so it is English: busy")
}
