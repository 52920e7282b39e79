package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive/hivetest"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// runIn runs the program in this process and returns what a terminal would show.
func runIn(t *testing.T, args ...string) string {
	t.Helper()
	var screen bytes.Buffer
	if code := run(append([]string{"unloop"}, args...), strings.NewReader(""), &screen, &screen); code != 0 {
		t.Fatalf("unloop %s = %d, want 0\n%s", strings.Join(args, " "), code, &screen)
	}
	return screen.String()
}

// What the README says of the command line is what the program says.
func TestReadmeShowsTheHelp(t *testing.T) {
	t.Setenv("LANG", "C")
	text := readme(t)
	for _, args := range [][]string{{"--help"}, {"scan", "--help"}, {"repair", "--help"}, {"undo", "--help"}, {"diff", "--help"},
		{"stick", "--help"}, {"stick", "build", "--help"}, {"stick", "write", "--help"}} {
		if help := runIn(t, args...); !strings.Contains(text, help) {
			t.Errorf("README.md does not hold what unloop %s prints:\n%s", strings.Join(args, " "), help)
		}
	}
}

// names of runs hold the time and a random word.
var runName = regexp.MustCompile(`\d{8}T\d{6}Z-[a-z2-7]{8}`)

// labelSums hold the absolute path.
var labelSumOf = regexp.MustCompile(`img-01-[0-9a-f]{8}`)

// crosschecked is what the judge said, or that there is none on this machine.
var crosschecked = regexp.MustCompile(`crosscheck: .*`)

func steady(s string) string {
	s = crosschecked.ReplaceAllString(s, "crosscheck: …")
	return labelSumOf.ReplaceAllString(runName.ReplaceAllString(s, "RUN"), "img-01-SUM")
}

// The session in the README is what happens.
func TestReadmeSession(t *testing.T) {
	t.Setenv("LANG", "C")
	t.Setenv("PATH", "")
	_, session, ok := strings.Cut(readme(t), "<!-- session -->\n```console\n")
	session, _, ok2 := strings.Cut(session, "```\n")
	if !ok || !ok2 {
		t.Fatal("README.md has no session between <!-- session --> and the end of its block")
	}
	system, err := hivetest.Build(hivetest.Win7(""), hivetest.Options{Fill: 8192, Slack: 65536})
	if err != nil {
		t.Fatal(err)
	}
	disk, err := hivetest.SampleDisk(system, "mbr", 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("pc.img", disk, 0o644); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for line := range strings.Lines(session) {
		if command, ok := strings.CutPrefix(line, "$ unloop "); ok {
			got.WriteString(line)
			got.WriteString(runIn(t, strings.Fields(command)...))
		}
	}
	if diff := cmp.Diff(strings.Split(steady(session), "\n"), strings.Split(steady(got.String()), "\n")); diff != "" {
		t.Errorf("the session in README.md is not what happens (-README +now):\n%s", diff)
	}
	after, err := os.ReadFile("pc.img")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(disk, after) {
		t.Error("after the session the image is not what it was")
	}
}
