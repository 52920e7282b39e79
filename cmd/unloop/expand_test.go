package main

import (
	"io"
	"strings"
	"testing"
)

// Ctrl-C ends the wait for a list that never comes.
func TestListInterrupted(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	p := play(t, r)
	p.cancel()
	if code := p.main([]string{"unloop", "scan", "-"}); code != exitFailed || !strings.Contains(p.stderr.String(), "interrupted") {
		t.Errorf("exit code %d: %s", code, p.stderr.String())
	}
}

// A list that would not fit into memory is a mistake in the command line.
func TestLongList(t *testing.T) {
	p := play(t, strings.NewReader(strings.Repeat("disk.img\n", maxList/9+1)))
	if code := p.main([]string{"unloop", "scan", "-"}); code != exitUsage {
		t.Errorf("exit code %d, want %d: %.200s", code, exitUsage, p.stderr.String())
	}
}
