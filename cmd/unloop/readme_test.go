package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive/hivetest"
)

// readmePath is where the README of a language lies.
func readmePath(lang string) string {
	return filepath.Join("..", "..", map[string]string{"en": "README.md", "ja": filepath.Join("scripts", "README.ja.md")}[lang])
}

func readme(t *testing.T, lang string) string {
	t.Helper()
	text, err := os.ReadFile(readmePath(lang))
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
	for _, lang := range languages {
		text := readme(t, lang)
		for _, args := range helps() {
			help := runIn(t, append([]string{"--lang", lang}, args...)...)
			if !strings.Contains(text, "```\n"+help+"```\n") {
				t.Errorf("%s does not hold what unloop --lang %s %s prints:\n%s", readmePath(lang), lang, strings.Join(args, " "), help)
			}
		}
	}
}

// names of runs hold the time and a random word.
var runName = regexp.MustCompile(`\d{8}T\d{6}Z-[a-z2-7]{8}`)

// labelSums hold the absolute path.
var labelSumOf = regexp.MustCompile(`img-01-[0-9a-f]{8}`)

// crosschecked is what the judge said, or that there is none on this machine.
var crosschecked = regexp.MustCompile(`(crosscheck|クロスチェック): .*`)

func steady(s string) string {
	s = crosschecked.ReplaceAllString(s, "$1: …")
	return labelSumOf.ReplaceAllString(runName.ReplaceAllString(s, "RUN"), "img-01-SUM")
}

// The session in the README is what happens, in either language.
func TestReadmeSession(t *testing.T) {
	t.Setenv("PATH", "")
	system, err := hivetest.Build(hivetest.Win7(""), hivetest.Options{Fill: 8192, Slack: 65536})
	if err != nil {
		t.Fatal(err)
	}
	disk, err := hivetest.SampleDisk(system, "mbr", 1)
	if err != nil {
		t.Fatal(err)
	}
	for lang, env := range map[string]string{"en": "C", "ja": "ja_JP.UTF-8"} {
		t.Run(lang, func(t *testing.T) {
			_, session, ok := strings.Cut(readme(t, lang), sessionMark)
			session, _, ok2 := strings.Cut(session, "```\n")
			if !ok || !ok2 {
				t.Fatalf("%s has no session between <!-- session --> and the end of its block", readmePath(lang))
			}
			t.Setenv("LANG", env)
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
				t.Errorf("the session is not what happens (-README +now):\n%s", diff)
			}
			after, err := os.ReadFile("pc.img")
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(disk, after) {
				t.Error("after the session the image is not what it was")
			}
		})
	}
}

// sessionMark stands before the session in a README.
const sessionMark = "<!-- session -->\n```console\n"

// readmeSection is what both READMEs must have in common below a heading, whatever the language.
type readmeSection struct {
	Level    int      // of the heading
	Commands []string // blocks of commands
	Rows     []int    // of each table
	Items    int      // of lists
	Spans    []string // `words` in code type
	Links    []string // where links and images lead, seen from the top of the repository
}

var (
	codeSpan     = regexp.MustCompile("`([^`\n]+)`")
	linkWords    = regexp.MustCompile(`\]\(([^)]+)\)`)
	notInAnchors = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	headings     = regexp.MustCompile(`^(#+) `)
)

// readmeSections cuts a README at its headings.
func readmeSections(t *testing.T, lang string) (sections []readmeSection) {
	t.Helper()
	var s *readmeSection
	block, rows, session := "", 0, false
	anchors := map[string]int{} // number of the section
	for line := range strings.Lines(readme(t, lang)) {
		switch {
		case block != "" && line == "```\n":
			if strings.HasPrefix(block, "```console\n") && !session {
				s.Commands = append(s.Commands, block)
			}
			block, session = "", false
		case block != "":
			if !session || strings.HasPrefix(line, "$ ") {
				block += line
			}
		case strings.HasPrefix(line, "```"):
			block = line
		case headings.MatchString(line):
			sections = append(sections, readmeSection{Level: len(headings.FindStringSubmatch(line)[1])})
			s = &sections[len(sections)-1]
			anchors[anchor(line)] = len(sections)
		case strings.HasPrefix(line, "<!-- session"):
			session = true
		}
		if block == "" && s != nil {
			s.inProse(lang, line)
		}
		if strings.HasPrefix(line, "|") {
			rows++
		} else if rows > 0 {
			s.Rows, rows = append(s.Rows, rows), 0
		}
	}
	for i := range sections {
		slices.Sort(sections[i].Spans)
		sections[i].Spans = slices.Compact(sections[i].Spans)
		for j, link := range sections[i].Links {
			if to, ok := strings.CutPrefix(link, "#"); ok {
				if anchors[to] == 0 {
					t.Errorf("%s: no heading for %s", readmePath(lang), link)
				}
				sections[i].Links[j] = fmt.Sprintf("section:%d", anchors[to])
			}
		}
	}
	return sections
}

// anchor is what a heading is called in links: its words in small letters, joined by hyphens.
func anchor(heading string) string {
	words := strings.ToLower(strings.TrimLeft(strings.TrimSpace(heading), "# "))
	return strings.ReplaceAll(notInAnchors.ReplaceAllString(words, ""), " ", "-")
}

// inProse notes what a line outside of blocks has.
func (s *readmeSection) inProse(lang, line string) {
	if strings.HasPrefix(line, "- ") {
		s.Items++
	}
	for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
		s.Spans = append(s.Spans, m[1])
	}
	for _, m := range linkWords.FindAllStringSubmatch(line, -1) {
		to := m[1]
		if !strings.ContainsAny(to, ":#") {
			to = filepath.ToSlash(filepath.Join(filepath.Dir(readmePath(lang)), to))
		}
		s.Links = append(s.Links, to)
	}
}

// translatedSpans are words on the screen, which is Japanese there; japaneseSpans say how to get
// that language.
var (
	translatedSpans = map[string]string{"already repaired": "修復済み"}
	japaneseSpans   = []string{"LANG=ja_JP.UTF-8", "--lang ja"}
)

// The Japanese README says what the English one does: the same sections with the same commands,
// tables, lists, links and technical words.
func TestReadmesKeepInStep(t *testing.T) {
	en, ja := readmeSections(t, "en"), readmeSections(t, "ja")
	if len(en) == 0 || len(en) != len(ja) {
		t.Fatalf("%d sections in README.md, %d in Japanese", len(en), len(ja))
	}
	for lang, s := range map[string]*readmeSection{"ja": &en[0], "en": &ja[0]} { // each leads to the other
		if want := filepath.ToSlash(readmePath(lang)); len(s.Links) == 0 || s.Links[0] != want {
			t.Fatalf("the first link of %v does not lead to %s", s.Links, want)
		}
		s.Links = s.Links[1:]
	}
	for i := range en {
		for j, span := range en[i].Spans {
			if translated, ok := translatedSpans[span]; ok {
				en[i].Spans[j] = translated
			}
		}
		slices.Sort(en[i].Spans)
		for _, s := range []*readmeSection{&en[i], &ja[i]} {
			s.Spans = slices.DeleteFunc(s.Spans, func(span string) bool { return slices.Contains(japaneseSpans, span) })
		}
		if diff := cmp.Diff(en[i], ja[i]); diff != "" {
			t.Errorf("section %d (-en +ja):\n%s", i+1, diff)
		}
	}
	for _, s := range slices.Concat(en, ja) {
		for _, to := range s.Links {
			if _, err := os.Stat(to); !strings.Contains(to, ":") && err != nil {
				t.Errorf("a link leads nowhere: %v", err)
			}
		}
	}
}
