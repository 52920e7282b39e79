package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fleetShown is the page of a table in the browser.
type fleetShown struct {
	pageShown
	lang  string
	table *fleetTable
}

// show makes the page of a folder of records, and opens it in a window of that width.
func (f *fleetOf) show(b *browser, name string, latest bool, width int) fleetShown {
	f.Helper()
	t := f.table(latest)
	page, err := f.tableHTML(t)
	if err != nil {
		f.Fatal(err)
	}
	b.t = f.T
	p := fleetShown{pageShown{f.T, b, name, "", nil}, f.lang, t}
	p.path = p.keep(".html", []byte(page))
	p.visit(p.path, width)
	return p
}

// fleetFacts says of the page what holds for every page.
const fleetFacts = `({
	lang: document.documentElement.lang,
	foreign: document.querySelectorAll("link, iframe, object, embed, img, base, form, [src], [href]:not([href^='#']), [style], [onerror], script ~ script").length,
	scripts: document.scripts.length,
	pwned: typeof pwned,
	wide: document.documentElement.scrollWidth,
	faint: [` + faintText + `].flat(),
})`

// sound holds of every page, in a window of any width.
func (p fleetShown) sound(width int) {
	p.Helper()
	var got struct {
		Lang, Pwned            string
		Foreign, Scripts, Wide int
		Faint                  []string
	}
	p.eval(fleetFacts, &got)
	if got.Lang != p.lang || got.Foreign != 0 || got.Scripts != 1 || got.Pwned != "undefined" || got.Wide > width || len(got.Faint) > 0 {
		p.Errorf("%s, %d wide: %+v", p.name, width, got)
	}
	if list := p.complaints(p.path); len(list) > 0 {
		p.Errorf("%s: %q", p.name, list)
	}
}

// click presses the mouse in the middle of the element that a script finds.
func (b *browser) click(element string) {
	b.t.Helper()
	var at struct{ X, Y float64 }
	b.eval(`(x => { x.scrollIntoView({block: "center"}); const r = x.getBoundingClientRect(); return {x: r.x + r.width / 2, y: r.y + r.height / 2}; })(`+element+`)`, &at)
	for _, what := range []string{"mousePressed", "mouseReleased"} {
		b.do("Input.dispatchMouseEvent", map[string]any{"type": what, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil)
	}
}

// press presses a key that has a text.
func (b *browser) press(key, text string) {
	b.t.Helper()
	code := map[string]int{"Enter": 13, "Backspace": 8}[key]
	b.do("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code}, nil)
	b.do("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code}, nil)
}

// shown are the names and states of the rows that are shown, from the top.
func (p fleetShown) shown() (rows []string) {
	p.Helper()
	p.eval(`[...document.querySelectorAll("tbody")].filter(x => x.getClientRects().length).map(x => x.querySelector(".name").textContent + ": " + x.dataset.outcome)`, &rows)
	return rows
}

func (p fleetShown) want(what string, want ...string) {
	p.Helper()
	if diff := cmp.Diff(append([]string{}, want...), p.shown()); diff != "" {
		p.Errorf("%s: rows after %s (-want +got):\n%s", p.name, what, diff)
	}
}

// rowWords are names and states of rows as the table has them.
func rowWords(rows []*fleetRow) (words []string) {
	for _, row := range rows {
		words = append(words, row.name()+": "+row.Outcome)
	}
	return words
}

// headButton is the button of a column.
func headButton(n int) string { return fmt.Sprintf(`document.querySelectorAll("thead button")[%d]`, n) }

// The page sorts, searches and filters by mouse and keyboard, in both languages.
func TestFleetInBrowser(t *testing.T) {
	b := newBrowser(t)
	for _, lang := range languages {
		f := newWorkshop(t, lang).workshop()
		p := f.show(b, "fleet-"+lang, false, 1200)
		p.keep(".png", b.shoot(1200, 640))
		all := rowWords(p.table.Rows)
		p.want("opening", all...)
		p.sound(1200)
		p.sorts(all)
		p.searches()
		p.filters()
		p.opensDetails()
		p.sound(1200)
		p.visit(p.path, 400)
		p.keep("-phone.png", b.shoot(400, 1000))
		p.want("opening on a telephone", all...)
		p.sound(400)
		p.prints()
		p.worksWithoutScript(all)
		p.runsNothingElse()
	}
}

// sorts clicks on the head of a column, and presses Enter there.
func (p fleetShown) sorts(all []string) {
	p.Helper()
	byTime := slices.Clone(p.table.Rows)
	slices.SortStableFunc(byTime, func(a, b *fleetRow) int { return strings.Compare(a.Time, b.Time) })
	p.click(headButton(1))
	p.want("sorting by time", rowWords(byTime)...)
	var order []string
	p.eval(`[...document.querySelectorAll("thead th")].map(x => x.getAttribute("aria-sort") || "")`, &order)
	if diff := cmp.Diff([]string{"", "ascending", "", "", "", "", "", "", ""}, order); diff != "" {
		p.Errorf("aria-sort (-want +got):\n%s", diff)
	}
	p.press("Enter", "\r") // the button has the focus
	var times []string
	p.eval(`[...document.querySelectorAll("tbody")].map(x => x.querySelectorAll("td")[0].dataset.key)`, &times)
	if !slices.IsSortedFunc(times, func(a, b string) int { return strings.Compare(b, a) }) {
		p.Errorf("times from the newest: %q", times)
	}
	for range 2 {
		p.click(headButton(3))
		if last := p.shown()[len(all)-2:]; !slices.Contains(last, "old-xp.img: refused") {
			p.Errorf("by Windows, what is not known stands last: %q", last)
		}
	}
	p.click(headButton(0))
	var names []string
	for _, row := range p.shown() {
		name, _, _ := strings.Cut(row, ":")
		names = append(names, strings.ToUpper(name))
	}
	if !slices.IsSorted(names) || len(names) != len(all) {
		p.Errorf("by name: %q", names)
	}
}

// searches types into the box: all words must be there, in whatever width and case.
func (p fleetShown) searches() {
	p.Helper()
	p.click(`document.querySelector("#search")`)
	p.do("Input.insertText", map[string]any{"text": "keiri Ｄ５８２ yLab002117"}, nil)
	p.want("typing", "KEIRI-02: to be repaired", "KEIRI-02: repaired")
	var count string
	p.eval(`document.querySelector("#shown").textContent`, &count)
	if want := strings.NewReplacer("{shown}", "2", "{of}", fmt.Sprint(len(p.table.Rows))).Replace(p.text("fleet.shown")); count != want {
		p.Errorf("%s: %q, want %q", p.name, count, want)
	}
	p.do("Input.insertText", map[string]any{"text": " nowhere"}, nil)
	p.want("typing more")
	p.eval(`(() => { search.select(); return 0; })()`, new(int))
	p.press("Backspace", "")
}

func (p fleetShown) text(key string) string { return message(p.lang, key, 1) }

// filters chooses a state, and the newest records.
func (p fleetShown) filters() {
	p.Helper()
	p.click(`document.querySelector("[data-outcome='to be repaired'].note")`)
	p.want("choosing a state", "KEIRI-02: to be repaired", "KENSA-11: to be repaired", "SOUKO-PC: to be repaired")
	p.click(`document.querySelector("#latest")`)
	p.want("the newest alone", "KENSA-11: to be repaired")
	var counts map[string]string
	p.eval(`Object.fromEntries([...document.querySelectorAll(".states button")].map(x => [x.dataset.outcome, x.querySelector("b").textContent + x.getAttribute("aria-pressed")]))`, &counts)
	want := map[string]string{"failed": "1false", "refused": "2false", "to be repaired": "1true", "repaired": "4false", "already repaired": "1false"}
	if diff := cmp.Diff(want, counts); diff != "" {
		p.Errorf("%s: states (-want +got):\n%s", p.name, diff)
	}
	p.click(`document.querySelector("[data-outcome='to be repaired'].note")`)
	if n := len(p.shown()); n != 9 {
		p.Errorf("%s: %d rows are the newest, want 9", p.name, n)
	}
	p.click(`document.querySelector("#latest")`)
}

// opensDetails shows all that is known of a row, and its values.
func (p fleetShown) opensDetails() {
	p.Helper()
	row := p.table.Rows[slices.IndexFunc(p.table.Rows, func(r *fleetRow) bool { return r.Computer == "KEIRI-01" })]
	body := `[...document.querySelectorAll("tbody")].find(x => x.querySelector(".name").textContent == "KEIRI-01")`
	var text string
	p.eval(body+`.innerText`, &text)
	if strings.Contains(text, row.Record) {
		p.Errorf("%s: details are open", p.name)
	}
	p.click(body + `.querySelector("button")`)
	p.eval(body+`.innerText`, &text)
	for _, want := range []string{row.Record, row.Backup, row.Serial, "Professional", `+"FeatureSettingsOverride"=dword:00000003`, `-"Start"=dword:00000002`, `[ControlSet002\services\Haspnt]`} {
		if !strings.Contains(text, want) {
			p.Errorf("%s: no %s in %s", p.name, want, text)
		}
	}
	var expanded string
	p.eval(body+`.querySelector("button").getAttribute("aria-expanded")`, &expanded)
	if expanded != "true" {
		p.Errorf("%s: aria-expanded is %s", p.name, expanded)
	}
	p.keep("-details.png", p.shoot(1100, 760))
	p.click(body + `.querySelector("button")`)
}

// prints puts what is shown, and no more, on A4 across, every sheet with the heads.
func (p fleetShown) prints() {
	p.Helper()
	for _, filtered := range []bool{false, true} {
		p.visit(p.path, 1100)
		if filtered {
			p.click(`document.querySelector("[data-outcome=repaired].good")`)
		}
		pages, size := pdfText(p.T, p.keep(".pdf", p.print()))
		if !strings.HasPrefix(size, "84") || !strings.HasSuffix(size, "(A4)") {
			p.Errorf("%s: printed on %s", p.name, size)
		}
		paper := strings.Join(pages, "")
		for _, page := range pages[:len(pages)-1] {
			for _, h := range []string{"fleet.head.pc", "fleet.head.price", "fleet.head.remarks"} {
				if !strings.Contains(withoutBlanks(page), withoutBlanks(p.text(h))) {
					p.Errorf("%s: a sheet without %s: %s", p.name, p.text(h), page)
				}
			}
		}
		for name, shown := range map[string]bool{"KEIRI-01": true, "GENBA-07": !filtered, "old-xp.img": !filtered} {
			if strings.Contains(paper, name) != shown {
				p.Errorf("%s, filtered %v: %s is on paper: %v", p.name, filtered, name, !shown)
			}
		}
		if len(pages) > 3 {
			p.Errorf("%s: %d sheets", p.name, len(pages))
		}
	}
}

// worksWithoutScript shows a plain table where scripts are not allowed.
func (p fleetShown) worksWithoutScript(all []string) {
	p.Helper()
	p.do("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	p.visit(p.path, 1100)
	p.do("Emulation.setScriptExecutionDisabled", map[string]any{"value": false}, nil)
	p.want("opening without script", all...)
	var got struct{ Tools, Buttons, Summaries int }
	p.eval(`({tools: document.querySelector(".tools").getClientRects().length, buttons: document.querySelectorAll("table button").length,
		summaries: [...document.querySelectorAll("summary")].filter(x => x.getClientRects().length).length})`, &got)
	if got.Tools != 0 || got.Buttons != 0 || got.Summaries != len(all) {
		p.Errorf("%s without script: %+v", p.name, got)
	}
	p.click(`document.querySelector("summary")`)
	var open bool
	p.eval(`document.querySelector("details").open`, &open)
	if !open {
		p.Errorf("%s: details do not open without script", p.name)
	}
	p.sound(1100)
}

// runsNothingElse puts a script and a style into the page that are not its own.
func (p fleetShown) runsNothingElse() {
	p.Helper()
	p.visit(p.path, 1100)
	var got struct{ Pwned, Colour string }
	p.eval(`(() => {
		const s = document.createElement("script"), c = document.createElement("style");
		s.textContent = "pwned = 1"; c.textContent = "h1 { color: rgb(1, 2, 3) }";
		document.body.append(s, c);
		return {pwned: typeof pwned, colour: getComputedStyle(document.querySelector("h1")).color};
	})()`, &got)
	if got.Pwned != "undefined" || got.Colour == "rgb(1, 2, 3)" {
		p.Errorf("%s: the policy let it through: %+v", p.name, got)
	}
}

// Whatever stands in a record, the page shows it and obeys none of it.
func TestFleetHostileInBrowser(t *testing.T) {
	b := newBrowser(t)
	f := newWorkshop(t, "en")
	f.hostile()
	p := f.show(b, "fleet-hostile", false, 1100)
	p.sound(1100)
	p.visit(p.path, 400)
	p.sound(400)
	if n := len(p.shown()); n != len(p.table.Rows) || n == 0 {
		t.Errorf("%d rows, want %d", n, len(p.table.Rows))
	}
	var text string
	p.eval(`document.body.textContent`, &text)
	if strings.ContainsAny(text, "\x1b\x00\u202e\u009b") || !strings.Contains(text, `<script>pwned=1</script>`) {
		t.Error("the page has control characters, or not the text as it stands in the records")
	}
}

// A thousand PCs stay quick.
func TestFleetThousandInBrowser(t *testing.T) {
	b := newBrowser(t)
	f := newWorkshop(t, "ja")
	one, err := json.Marshal(f.target(f.model, "PC-NNNN", 1, "2026-11-25 01:24:30", func(t *targetResult, _ *result) { calls(t, "/srv/vm/NNNN.img", "image") }))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		f.write("many.jsonl", append(bytes.ReplaceAll(one, []byte("NNNN"), fmt.Appendf(nil, "%04d", i)), '\n'))
	}
	p := f.show(b, "fleet-thousand", false, 1100)
	var took struct{ Load, Sort, Search, Rows float64 }
	p.eval(`(() => {
		const flush = () => document.body.offsetHeight;
		const time = what => { flush(); const begin = performance.now(); what(); flush(); return performance.now() - begin; };
		return {
			load: performance.getEntriesByType("navigation")[0].loadEventEnd,
			sort: time(() => document.querySelectorAll("thead button")[1].click()),
			search: time(() => { search.value = "PC-05"; search.dispatchEvent(new Event("input")); }),
			rows: [...document.querySelectorAll("tbody")].filter(x => !x.hidden).length,
		};
	})()`, &took)
	t.Logf("1,000 rows: shown after %.0f ms, sorted in %.0f ms, searched in %.0f ms", took.Load, took.Sort, took.Search)
	if took.Rows != 100 || took.Load > 10000 || took.Sort > 3000 || took.Search > 3000 {
		t.Errorf("%+v", took)
	}
	if _, size := pdfText(t, writeFile(t, filepath.Join(t.TempDir(), "x.pdf"), b.print())); !strings.HasSuffix(size, "(A4)") {
		t.Errorf("printed on %s", size)
	}
}
