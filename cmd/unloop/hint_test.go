package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"unloop/hive"
	"unloop/image"
	"unloop/image/stick"
)

func TestWorse(t *testing.T) {
	order := []exitCode{exitDone, exitRefused, exitFailed, exitBroken, exitUsage} // from good to bad
	for i, a := range order {
		for j, b := range order {
			if got, want := worse(a, b), order[max(i, j)]; got != want {
				t.Errorf("worse(%d, %d) = %d, want %d", a, b, got, want)
			}
		}
	}
}

// notRefusals are the rows whose run failed, or was ended by the user, instead of
// being refused for safety.
var notRefusals = []error{
	errNotDiscarded,
	hive.ErrNotVerified, errNotShown, errAnsweredNo, errInterrupted, context.Canceled, image.ErrReadOnly,
	image.ErrNotFound, fs.ErrNotExist, fs.ErrPermission, syscall.ENOTDIR, syscall.ENOSPC,
	errNoRecords, errDamagedRecord, errOtherRecord, errNoTable, errTableNotShown, errNoRecord, errNoReport, errNoDisk, errSettings, errHalfStick, errStickNotVerified, image.ErrNoMedium, image.ErrNotAdministrator, image.ErrNoExporter, image.ErrNotStarted,
	stick.ErrMissing, stick.ErrKernel, stick.ErrModule, stick.ErrProgram, stick.ErrFont, stick.ErrBootLoader, errStickSettings,
}

// Each row has an error line and a hint of its own in both languages, and a refusal
// is exit code 4.
func TestExplanations(t *testing.T) {
	for _, x := range explanations() {
		key, code := explain(fmt.Errorf("reading x: %w", fmt.Errorf("at 0x10: %w", x.err)))
		if key != x.key || code != x.code {
			t.Errorf("explain(… %v) = %s, %d, want %s, %d", x.err, key, code, x.key, x.code)
		}
		isRefusal := true
		for _, err := range notRefusals {
			isRefusal = isRefusal && err != x.err
		}
		if isRefusal != (x.code == exitRefused) {
			t.Errorf("%v: exit code %d", x.err, x.code)
		}
	}
	for _, lang := range []string{"en", "ja"} {
		for _, key := range errorKeys() {
			for _, kind := range []string{"error.", "hint."} {
				if !hasMessage(lang, kind+key) {
					t.Errorf("no message %s%s in %s", kind, key, lang)
				}
			}
			if !strings.HasPrefix(message(lang, "error."+key, 1), "%s: ") {
				t.Errorf("error.%s in %s does not begin with the place", key, lang)
			}
		}
	}
}

// Every sentinel of hive and image that a verb can meet has a row.
func TestExplain(t *testing.T) {
	for _, test := range []struct {
		err  error
		key  string
		code exitCode
	}{
		{&hive.ApplyError{Step: "log", Err: syscall.EIO}, "logonly", exitFailed},
		{&hive.ApplyError{Step: "log", Err: syscall.ENOSPC}, "logonly", exitFailed},
		{&hive.ApplyError{Step: "pages", HiveTouched: true, Err: syscall.EIO}, "halfwritten", exitBroken},
		{errors.Join(&hive.ApplyError{HiveTouched: true, Err: syscall.EIO}, syscall.ENOSPC), "halfwritten", exitBroken},
		{fmt.Errorf("%w: %w", hive.ErrNotVerified, image.ErrDamaged), "notverified", exitBroken},
		{fmt.Errorf("closing: %w", &hive.FormatError{}), "broken", exitRefused},
		{fmt.Errorf("%w: %w", hive.ErrBackup, syscall.ENOSPC), "backup", exitRefused},
		{fmt.Errorf("%w: %w", hive.ErrBackup, fs.ErrPermission), "backup", exitRefused},
		{fmt.Errorf("%w: %w", image.ErrNoWindows, image.ErrBitLocker), "bitlocker", exitRefused},
		{fmt.Errorf("%w: %w", image.ErrNoWindows, image.ErrDamaged), "damaged", exitRefused},
		{&hive.SeveralBackups{}, "severalbackups", exitRefused},
		{&os.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, "permission", exitFailed},
		{&os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, "notfound", exitFailed},
		{image.ErrUnusableLog, "other", exitFailed}, // never ends a run: the order of writes replaces the log
		{errors.New("something"), "other", exitFailed},
	} {
		if key, code := explain(test.err); key != test.key || code != test.code {
			t.Errorf("explain(%v) = %s, %d, want %s, %d", test.err, key, code, test.key, test.code)
		}
	}
}

// Of several targets worked on at once, an error and its hint stay together.
func TestComplainIsWhole(t *testing.T) {
	var errs bytes.Buffer
	e := &env{err: &errs, lang: "en", mu: new(sync.Mutex)}
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			for range 20 {
				if i%2 == 0 {
					e.complain("x", errors.New("two\nlines"))
				} else {
					e.note("problem", "y")
				}
			}
		})
	}
	wait.Wait()
	lines := strings.Split(strings.TrimSuffix(errs.String(), "\n"), "\n")
	if len(lines) != 25*20*2+25*20 {
		t.Errorf("%d lines", len(lines))
	}
	for i, line := range lines {
		if strings.HasPrefix(line, "unloop: error: ") && (i+1 == len(lines) || !strings.HasPrefix(lines[i+1], "unloop: hint: ")) {
			t.Fatalf("an error is not followed by its hint")
		}
	}
}
