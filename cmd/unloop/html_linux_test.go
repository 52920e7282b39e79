package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"unloop/image"
)

// A browser shows the pages as they are meant: in words and in print, on a screen and on
// a telephone; it runs nothing and fetches nothing, whatever stands in a hive.
func TestPageInBrowser(t *testing.T) {
	b := newBrowser(t)
	for _, test := range []struct {
		name, lang, verb string
		change           func(e *env, tr *targetResult)
		sheets           int // of paper at most; 0: as many as it takes
		shot             int // height of the picture for the README
	}{
		{"report-en", "en", "repair", nil, 4, 1300},
		{"report-ja", "ja", "scan", nil, 3, 1300},
		{"dryrun-ja", "ja", "dry run", nil, 4, 0},
		{"full-en", "en", "repair", func(e *env, tr *targetResult) { full(e, tr.Installations[0], "") }, 0, 0},
		{"full-ja", "ja", "repair", func(e *env, tr *targetResult) { full(e, tr.Installations[0], "") }, 0, 0},
		{"hostile", "en", "repair", func(e *env, tr *targetResult) { full(e, tr.Installations[0], hostile) }, 0, 0},
		{"long", "ja", "repair", longDiff, 0, 0},
		{"two", "en", "scan", twoWindows, 6, 0},
		{"refused", "ja", "repair", refusal, 0, 0},
	} {
		e, tr := reported(t, test.lang, test.verb)
		tr.Target = "/home/technician/pc.img" // no folder of a test, for the pictures
		if r := tr.Installations[0]; r.Backup != "" {
			r.Backup = "/home/technician/backups/20261124T150405Z-jhob5z6c/pc.img-01-51570e71"
		}
		if test.change != nil {
			test.change(e, tr)
		}
		s := e.sheet(tr)
		page, err := e.sheetHTML(s)
		if err != nil {
			t.Fatal(err)
		}
		path := writeFile(t, filepath.Join(t.TempDir(), test.name+".html"), page)
		p := pageShown{t, b, test.name, path, s}
		p.onScreen(360)
		p.onScreen(900)
		if test.shot > 0 {
			p.keep(".png", b.shoot(900, test.shot))
		}
		p.onPaper(test.sheets)
	}
}

// longDiff adds a change of 200 values, some of them longer than a line.
func longDiff(_ *env, tr *targetResult) {
	r := tr.Installations[0]
	for i := range 200 {
		r.diffText += fmt.Sprintf("[ControlSet001\\Control\\Class\\{4D36E967-E325-11CE-BFC1-08002BE10318}\\%04d]\n", i) +
			fmt.Sprintf("-\"UpperFilters\"=hex(7):%s\n", strings.Repeat("61,00,", i)+"00,00") +
			fmt.Sprintf("+\"UpperFilters\"=hex(7):%04d\n", i)
	}
}

// twoWindows finds another Windows on the same disk.
func twoWindows(_ *env, tr *targetResult) {
	other := *tr.Installations[0]
	f := *other.findings
	f.Windows.Computer = "SECOND-PC"
	other.findings, other.Windows, other.label = &f, &f.Windows, "the second"
	tr.Installations = append(tr.Installations, &other)
}

// refusal is what a sleeping Windows leads to.
func refusal(_ *env, tr *targetResult) {
	r := tr.Installations[0]
	*r = result{Hive: r.Hive, label: r.label, Status: statusRefused, Windows: r.Windows, findings: r.findings}
	r.Error = &errorResult{Key: "hibernated", Exit: exitRefused, Detail: "/dev/sda:2/: Windows is hibernated", Hint: ""}
	r.Refused = []objection{{fmt.Errorf("/dev/sda:2/: %w", image.ErrHibernated)}}
	tr.Volumes[1].Hibernated = "hibr"
}

// pageShown is a page in the browser, and what should stand there.
type pageShown struct {
	*testing.T
	*browser
	name, path string
	sheet      *sheet
}

// pageFacts says of the page what a test can compare.
const pageFacts = `({
	lang: document.documentElement.lang,
	names: [...document.querySelectorAll("h1")].map(x => x.innerText),
	banners: [...document.querySelectorAll(".banner strong")].map(x => x.textContent),
	headings: [...document.querySelectorAll("h2")].map(x => x.innerText),
	diff: [...document.querySelectorAll(".diff div")].map(x => x.textContent),
	foreign: document.querySelectorAll("script, link, iframe, object, embed, img, base, form, [src], [href], [onerror]").length,
	pwned: typeof pwned,
	wide: document.documentElement.scrollWidth,
	faint: [` + faintText + `].flat(),
})`

// faintText lists the texts whose contrast with what is behind them is below 4.5:1, the
// least that WCAG 2 (1.4.3) asks for.
const faintText = `(() => {
	const rgb = c => (c.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
	const light = c => [0, 1, 2].map(i => c[i] / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
	const behind = x => { for (; x; x = x.parentElement) { const c = rgb(getComputedStyle(x).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
	return [...document.querySelectorAll("body *")].filter(x => [...x.childNodes].some(n => n.nodeType == 3 && n.data.trim())).filter(x => {
		const [a, b] = [light(rgb(getComputedStyle(x).color)), light(behind(x))].sort((p, q) => q - p);
		return (a + .05) / (b + .05) < 4.5;
	}).map(x => x.className + ": " + x.innerText);
})()`

// onScreen compares the page with the sheet, in a window of that width.
func (p pageShown) onScreen(width int) {
	p.Helper()
	p.visit(p.path, width)
	var got struct {
		Lang, Pwned                           string
		Names, Banners, Headings, Diff, Faint []string
		Foreign, Wide                         int
	}
	p.eval(pageFacts, &got)
	var names, banners, diff []string
	for _, c := range p.sheet.Cases {
		names, banners = append(names, c.Name), append(banners, orVerdict(c))
		for _, s := range c.Parts {
			if !slices.Contains(got.Headings, s.Heading) {
				p.Errorf("%s: there is no heading %s", p.name, s.Heading)
			}
			for _, line := range s.Diff {
				diff = append(diff, line.Text)
			}
		}
	}
	switch {
	case got.Lang != p.sheet.Lang, !slices.Equal(got.Names, names), !slices.Equal(got.Banners, banners):
		p.Errorf("%s: %s, %q, %q, want %s, %q, %q", p.name, got.Lang, got.Names, got.Banners, p.sheet.Lang, names, banners)
	case !slices.Equal(got.Diff, diff):
		p.Errorf("%s: the diff is %q, want %q", p.name, got.Diff, diff)
	case got.Foreign != 0 || got.Pwned != "undefined":
		p.Errorf("%s: %d elements that run or fetch something; pwned is %s", p.name, got.Foreign, got.Pwned)
	case got.Wide > width:
		p.Errorf("%s: %d pixels wide in a window of %d", p.name, got.Wide, width)
	case len(got.Faint) > 0:
		p.Errorf("%s: hard to read: %q", p.name, got.Faint)
	}
	if list := p.complaints(p.path); len(list) > 0 {
		p.Errorf("%s: %q", p.name, list)
	}
}

func orVerdict(c *sheetCase) string {
	if c.Result != "" {
		return c.Result
	}
	return c.Verdict
}

// onPaper prints the page: on A4, each Windows beginning a sheet of its own, and every
// character of the diff on it.
func (p pageShown) onPaper(sheets int) {
	p.Helper()
	path := p.keep(".pdf", p.print())
	pages, size := pdfText(p.T, path)
	if !strings.HasSuffix(size, "(A4)") {
		p.Errorf("%s: printed on %s", p.name, size)
	}
	if sheets > 0 && len(pages) > sheets {
		p.Errorf("%s: %d sheets, want %d at most", p.name, len(pages), sheets)
	}
	begun := 0
	for _, page := range pages {
		if strings.Contains(page, p.sheet.Title) {
			begun++
		}
	}
	if begun != len(p.sheet.Cases) {
		p.Errorf("%s: %d sheets begin a Windows, want %d", p.name, begun, len(p.sheet.Cases))
	}
	paper := withoutBlanks(strings.Join(pages, ""))
	for _, c := range p.sheet.Cases {
		for _, s := range c.Parts {
			for _, line := range s.Diff {
				if want := withoutBlanks(line.Text); !strings.Contains(paper, want) {
					p.Errorf("%s: not on paper: %s", p.name, line.Text)
				}
			}
		}
	}
}

// withoutBlanks is text as it is compared when lines were broken and sheets turned over.
func withoutBlanks(s string) string { return strings.Join(strings.Fields(s), "") }

// keep writes a file into the folder UNLOOP_PAGES, if it is set, else into one of the
// test's own.
func (p pageShown) keep(suffix string, data []byte) string {
	dir := os.Getenv("UNLOOP_PAGES")
	if dir == "" {
		dir = p.TempDir()
	}
	return writeFile(p.T, filepath.Join(dir, p.name+suffix), data)
}
