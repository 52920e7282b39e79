package main

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A WinPE writes only where there is a place for backups, and without a question only
// in mode auto.
func TestWinpeRun(t *testing.T) {
	for _, test := range []struct {
		mode, backup string
		dryRun, yes  bool
	}{
		{modeAsk, "b", false, false},
		{modeAuto, "b", false, true},
		{modeDryRun, "b", true, false},
		{modeAsk, "", true, false},
		{modeAuto, "", true, true},
	} {
		s := defaultSettings()
		s.Mode, s.Discard = test.mode, true
		o := winpeRun(s, test.backup)
		if o.dryRun != test.dryRun || o.yes != test.yes || o.backup != test.backup || (o.report == "") != (test.backup == "") {
			t.Errorf("mode %s, backup %q: %+v", test.mode, test.backup, o.common)
		}
		if o.discard != (test.mode == modeAsk) {
			t.Errorf("mode %s discards a hibernation: %v", test.mode, o.discard)
		}
		if len(o.fixes) != 2 || len(o.scope.Services) != 2 || o.jobs != 1 {
			t.Errorf("mode %s: fixes %v, services %v, jobs %d", test.mode, o.fixes, o.scope.Services, o.jobs)
		}
	}
}

// The first unloop.toml that is there counts; a broken one is said, and asks.
func TestReadWinpeSettings(t *testing.T) {
	files := map[string]string{"image": "mode = \"auto\"", "broken": "mode = 7"}
	read := func(path string) ([]byte, error) {
		if text, ok := files[filepath.Base(path)]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}
	for _, test := range []struct {
		paths      []string
		mode, says string
	}{
		{[]string{"none", "image"}, modeAuto, "image, mode auto"},
		{[]string{"broken", "image"}, modeAsk, "asks before every step"},
		{[]string{"none"}, modeAsk, "mode ask"},
	} {
		var errs bytes.Buffer
		e := &env{err: &errs, lang: "en", mu: new(sync.Mutex)}
		if s := e.readWinpeSettings(read, test.paths...); s.Mode != test.mode || !strings.Contains(errs.String(), test.says) {
			t.Errorf("%q: mode %s, want %s; said %q", test.paths, s.Mode, test.mode, &errs)
		}
	}
}
