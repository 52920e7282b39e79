package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"unloop/image"
)

// soon is far less than what a server that is served by nobody is waited for.
const soon = 10 * time.Second

// useExporter puts a shell script on PATH as qemu-nbd, and returns an image for it.
func useExporter(t *testing.T, script string) *image.Container {
	t.Helper()
	imageTools(t)
	path := filepath.Join(t.TempDir(), "pc.qcow2")
	tool(t, 0, "qemu-img", "create", "-q", "-f", "qcow2", path, "1M")
	c, err := image.Inside(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, exporterName), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	t.Setenv("TMPDIR", t.TempDir())
	return c
}

// A qemu-nbd that serves nothing is not the image's fault, and is not waited for twice.
func TestExporterThatServesNothing(t *testing.T) {
	const hangs = "trap '' TERM INT; sleep 100000 & wait; sleep 100000"
	for _, test := range []struct {
		name, script string
		wait         time.Duration // until it is given up
		ctrlC        bool
		want         error
	}{
		{"hangs", hangs, 300 * time.Millisecond, false, image.ErrNotStarted},
		{"Ctrl-C while it hangs", hangs, exportTime, true, errInterrupted},
		{"its libraries are missing", "echo no library >&2; exit 127", exportTime, false, image.ErrNotStarted},
		{"does not like the image", "echo no image >&2; exit 1", exportTime, false, image.ErrExport},
		{"another has the image", "echo Failed to get write lock >&2; exit 1", exportTime, false, image.ErrBusy},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, e := useExporter(t, test.script), testEnv(t)
			e.exportTime = test.wait
			if test.ctrlC {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				e.ctx = ctx
			}
			begin := time.Now()
			for _, writable := range []bool{false, true} {
				if x, err := e.exportImage(c, writable); !errors.Is(err, test.want) || x != nil {
					t.Errorf("exportImage() = %v, %v, want %v", x, err, test.want)
				}
			}
			if took := time.Since(begin); took > soon {
				t.Errorf("it took %v", took)
			}
			nothingLeft(t)
		})
	}
}

// Nor is one that listens and never speaks.
func TestExporterThatNeverSpeaks(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if c, err := (&server{done: make(chan struct{})}).shake(ctx, socket); err == nil || time.Since(begin) > soon {
		t.Errorf("shake() = %v, %v after %v", c, err, time.Since(begin))
	}
}

// Without a folder for its socket the folder is to blame, and the hint says so.
func TestExporterWithoutFolder(t *testing.T) {
	c := useExporter(t, "exit 1")
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nonexist"))
	code, _, errs := unloop("scan", c.Files[0])
	wantHint(t, code, errs)
	if code != int(exitFailed) || !strings.Contains(errs, "TMPDIR") || strings.Contains(errs, "qemu-img check") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
}
