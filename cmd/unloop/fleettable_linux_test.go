package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"unloop/image"
)

// pcsOf tells which rows are of which PC, and which are the newest.
func pcsOf(t *fleetTable) (words []string) {
	for _, row := range t.Rows {
		word := fmt.Sprintf("%d %s %s %s %s", row.PC, row.Time[11:16], row.name(), row.Serial, row.Outcome)
		if row.Newest {
			word += ", newest"
		}
		words = append(words, word)
	}
	return words
}

// Records of one PC are known by place, name and serial number, as far as they tell.
func TestFleetTellsPCsApart(t *testing.T) {
	device := func(t *targetResult, _ *result) { calls(t, "/dev/sdb", "device") }
	image := func(name string) func(*targetResult, *result) {
		return func(t *targetResult, _ *result) { calls(t, name, "image") }
	}
	nameless := func(t *targetResult, r *result) {
		device(t, r)
		t.Verb, r.Status, r.Windows, r.Verdict = "undo", statusUndone, nil, ""
	}
	unread := func(t *targetResult, r *result) {
		t.Verb, r.Windows, r.Verdict, r.Status = "repair", nil, "", statusFailed
		r.Error = &errorResult{"broken", exitRefused, "d", "h"}
	}
	typed := func(name, path string) func(*targetResult, *result) {
		return func(t *targetResult, _ *result) {
			calls(t, name, "image")
			t.Path = path
		}
	}
	at := func(minute string) string { return "2026-11-24 09:" + minute + ":00" }
	nothing := func(f *fleetOf, minute, serial string) {
		when, _ := time.Parse(tableTime, at(minute))
		f.stick(&targetResult{Verb: "repair", Installations: []*result{}, Tool: "unloop 1", Time: when}, machine{Serial: serial}, resultFailed, "no disk")
	}
	none := func(minute, target, path, key string) *targetResult {
		when, _ := time.Parse(tableTime, at(minute))
		return &targetResult{
			Schema: reportSchema, Tool: "unloop 1", Time: when, Verb: "repair", Target: target, Path: path, Exit: exitRefused,
			Installations: []*result{}, Error: &errorResult{key, exitRefused, "d", "h"},
		}
	}
	for name, test := range map[string]struct {
		make func(f *fleetOf)
		want []string
	}{
		"a stick, a dock, an undo": {func(f *fleetOf) {
			f.stick(f.target(f.seen, "PC", 1, at("10"), nil), machine{Serial: "A"}, resultLeft, "")
			f.run(f.target(f.model, "pc", 1, at("20"), device), "")
			f.run(f.target(f.model, "PC", 1, at("30"), nameless), "")
		}, []string{"1 09:10 PC A to be repaired, newest", "2 09:20 pc  repaired, newest", "3 09:30 sdb  undone, newest"}},
		"a dock, twice": {func(f *fleetOf) {
			f.run(f.target(f.seen, "PC", 1, at("10"), device), "")
			f.run(f.target(f.model, "pc", 1, at("20"), device), "")
		}, []string{"1 09:10 PC  to be repaired", "1 09:20 pc  repaired, newest"}},
		"a stick that could not read the name, then could": {func(f *fleetOf) {
			f.stick(f.target(f.seen, "", 1, at("10"), unread), machine{Serial: "A"}, resultFailed, "broken")
			f.stick(f.target(f.model, "PC", 1, at("20"), nil), machine{Serial: "A"}, resultRepaired, "")
		}, []string{"1 09:10 PC A failed", "1 09:20 PC A repaired, newest"}},
		"an encrypted disk, then another on the same device": {func(f *fleetOf) {
			f.run(none("10", "/dev/loop0", "/dev/loop0", "bitlocker"), "")
			f.run(f.target(f.model, "PC", 1, at("20"), func(t *targetResult, _ *result) { calls(t, "/dev/loop0", "device") }), "")
			f.run(none("30", "/dev/loop0", "/dev/loop0", "bitlocker"), "")
		}, []string{"1 09:20 PC  repaired, newest", "2 09:10 loop0  refused, newest", "3 09:30 loop0  refused, newest"}},
		"sticks in PCs without serial numbers": {func(f *fleetOf) {
			f.stick(f.target(f.seen, "", 1, at("10"), unread), machine{}, resultFailed, "broken")
			nothing(f, "15", "")
			f.stick(f.target(f.model, "KEIRI-PC", 2, at("20"), nil), machine{}, resultRepaired, "")
			nothing(f, "30", "")
		}, []string{"1 09:20 KEIRI-PC  repaired, newest", "2 09:15 ?  failed, newest", "3 09:30 ?  failed, newest", "4 09:10 sda  failed, newest"}},
		"a clone whose name cannot be read": {func(f *fleetOf) {
			f.run(f.target(f.seen, "", 1, at("10"), func(t *targetResult, r *result) { device(t, r); unread(t, r) }), "")
			f.run(f.target(f.model, "PC-B", 1, at("20"), device), "")
		}, []string{"1 09:20 PC-B  repaired, newest", "2 09:10 sdb  failed, newest"}},
		"one relative name in two folders": {func(f *fleetOf) {
			f.run(none("10", "pc1.img", "/siteA/pc1.img", "nothive"), "")
			f.run(f.target(f.seen, "PC", 1, at("11"), image("/siteA/pc2.img")), "")
			f.run(f.target(f.model, "PC", 1, at("20"), typed("pc1.img", "/siteB/pc1.img")), "")
			f.run(f.target(f.model, "PC", 1, at("21"), typed("pc2.img", "/siteB/pc2.img")), "")
			f.run(none("30", "pc1.img", "/siteC/pc1.img", "nothive"), "")
			f.run(none("30", "pc1.img", "/siteD/pc1.img", "nothive"), "")
		}, []string{"1 09:11 PC  to be repaired, newest", "2 09:20 PC  repaired, newest", "3 09:21 PC  repaired, newest",
			"4 09:10 pc1.img  refused, newest", "5 09:30 pc1.img  refused, newest", "6 09:30 pc1.img  refused, newest"}},
		"relative names of which no path is known": {func(f *fleetOf) {
			f.run(none("10", "pc1.img", "", "nothive"), "")
			f.run(f.target(f.seen, "PC", 1, at("11"), image("pc1.img")), "")
			f.run(f.target(f.model, "PC", 1, at("20"), image("pc1.img")), "")
		}, []string{"1 09:11 PC  to be repaired, newest", "2 09:20 PC  repaired, newest", "3 09:10 pc1.img  refused, newest"}},
		"a relative name in a file of --resume": {func(f *fleetOf) {
			for minute, of := range map[string]*targetResult{"10": f.seen, "20": f.model} {
				f.run(f.target(of, "PC", 1, at(minute), func(t *targetResult, _ *result) {
					calls(t, "pc1.img", "image")
					t.Resume = &resumeMark{Path: "/siteA/pc1.img", Asked: "repair"}
				}), "")
			}
		}, []string{"1 09:10 PC  to be repaired", "1 09:20 PC  repaired, newest"}},
		"one file by two names: failed, repaired": {func(f *fleetOf) {
			f.run(none("05", "pc1.img", "/siteA/pc1.img", "nothive"), "")
			f.run(f.target(f.seen, "", 1, at("10"), func(t *targetResult, r *result) { typed("pc1.img", "/siteA/pc1.img")(t, r); unread(t, r) }), "")
			f.run(f.target(f.model, "PC", 1, at("20"), typed("../siteA/pc1.img", "/siteA/pc1.img")), "")
		}, []string{"1 09:10 PC  failed", "1 09:20 PC  repaired, newest", "2 09:05 pc1.img  refused"}},
		"disks that are mounted on one folder": {func(f *fleetOf) {
			f.run(none("05", "/mnt", "/mnt", "nowindows"), "")
			f.run(f.target(f.seen, "", 1, at("10"), func(t *targetResult, r *result) { calls(t, "/mnt", "folder"); unread(t, r) }), "")
			f.run(f.target(f.model, "PC", 1, at("20"), func(t *targetResult, _ *result) { calls(t, "/mnt", "folder") }), "")
		}, []string{"1 09:20 PC  repaired, newest", "2 09:05 mnt  refused, newest", "3 09:10 mnt  failed, newest"}},
		"clones with serial numbers": {func(f *fleetOf) {
			f.stick(f.target(f.seen, "PC", 1, at("10"), nil), machine{Serial: "A"}, resultLeft, "")
			f.stick(f.target(f.model, "PC", 1, at("20"), nil), machine{Serial: "B"}, resultRepaired, "")
			f.run(f.target(f.model, "PC", 1, at("30"), device), "")
		}, []string{"1 09:10 PC A to be repaired, newest", "2 09:20 PC B repaired, newest", "3 09:30 PC  repaired, newest"}},
		"clones with names": {func(f *fleetOf) {
			f.run(f.target(f.seen, "PC-1", 1, at("10"), device), "")
			f.run(f.target(f.model, "PC-2", 1, at("20"), device), "")
			f.run(f.target(f.model, "", 1, at("30"), nameless), "")
		}, []string{"1 09:10 PC-1  to be repaired, newest", "2 09:20 PC-2  repaired, newest", "3 09:30 sdb  undone, newest"}},
		"copies of an image": {func(f *fleetOf) {
			f.run(f.target(f.seen, "PC", 1, at("10"), image("/srv/a.img")), "")
			f.run(f.target(f.model, "PC", 1, at("20"), image("/srv/b.img")), "")
		}, []string{"1 09:10 PC  to be repaired, newest", "2 09:20 PC  repaired, newest"}},
		"two disks in a dock": {func(f *fleetOf) {
			f.run(f.target(f.seen, "PC", 1, at("10"), device), "")
			f.run(f.target(f.model, "PC", 1, at("20"), func(t *targetResult, _ *result) {
				calls(t, "/dev/sdc", "device")
				t.Volumes[1].SameSerial = "/dev/sdb:2"
			}), "")
		}, []string{"1 09:20 PC  repaired, newest", "2 09:10 PC  to be repaired, newest"}},
		"no disk, then repaired": {func(f *fleetOf) {
			nothing(f, "05", "A")
			f.stick(f.target(f.model, "PC", 1, at("20"), nil), machine{Serial: "A"}, resultRepaired, "")
		}, []string{"1 09:20 PC A repaired, newest", "2 09:05 A A failed"}},
		"repaired, then no disk": {func(f *fleetOf) {
			f.stick(f.target(f.model, "PC", 1, at("20"), nil), machine{Serial: "A"}, resultRepaired, "")
			nothing(f, "30", "A")
		}, []string{"1 09:20 PC A repaired, newest", "2 09:30 A A failed, newest"}},
		"not there, then there": {func(f *fleetOf) {
			when, _ := time.Parse(tableTime, at("05"))
			f.run(&targetResult{Schema: reportSchema, Tool: "unloop 1", Time: when, Verb: "repair", Target: "/srv/a.img", Exit: exitFailed, Installations: []*result{}, Error: &errorResult{"notfound", exitFailed, "d", "h"}}, "")
			f.run(f.target(f.model, "PC", 1, at("20"), image("/srv/a.img")), "")
		}, []string{"1 09:20 PC  repaired, newest", "2 09:05 a.img  failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newWorkshop(t, "en")
			test.make(f)
			all := f.table(false)
			got := pcsOf(all)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			latest := f.table(true)
			if n := len(latest.Rows); n != strings.Count(strings.Join(test.want, "\n"), ", newest") || !latest.Latest {
				t.Errorf("--latest leaves %d rows", n)
			}
		})
	}
}

// The workshop's folder in every format: the words are those of a person's language in
// text, those of JSON in CSV, and JSON is as its schema says.
func TestFleetFormats(t *testing.T) {
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range languages {
		f := newWorkshop(t, lang).workshop()
		table := f.table(false)
		line, err := jsonLine(table)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkJSON([]byte(line)); err != nil {
			t.Error(err)
		}
		text, err := table.csv()
		if err != nil {
			t.Fatal(err)
		}
		f.csvIsJSON(text, line)
		golden(t, home, "fleet-"+lang, f.tableText(table))
	}
}

// csvIsJSON compares both cell by cell.
func (f *fleetOf) csvIsJSON(text, line string) {
	f.Helper()
	if !strings.HasPrefix(text, "\ufeffpc,newest,time,") || strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		f.Errorf("CSV begins with %.40q", text)
	}
	cells, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	if err != nil {
		f.Fatal(err)
	}
	var back struct{ Rows []map[string]any }
	numbers := json.NewDecoder(bytes.NewReader([]byte(line)))
	numbers.UseNumber()
	if err := numbers.Decode(&back); err != nil || len(cells) != len(back.Rows)+1 {
		f.Fatal(err, len(cells), len(back.Rows))
	}
	for i, row := range back.Rows {
		for j, name := range cells[0] {
			want := fmt.Sprint(row[name])
			if list, ok := row[name].([]any); ok {
				var words []string
				for _, w := range list {
					words = append(words, w.(string))
				}
				want = strings.Join(words, "; ")
			}
			if got := cells[i+1][j]; got != want {
				f.Errorf("row %d, %s: %q in CSV, %q in JSON", i, name, got, want)
			}
		}
	}
}

// The record of a stick tells of one Windows, whatever other disks are in the PC, and where
// its backup is, wherever the folder has been copied to.
func TestFleetRowOfStick(t *testing.T) {
	f := newWorkshop(t, "en")
	dir := f.stick(f.target(f.model, "PC", 1, "2026-11-24 09:12:40", func(t *targetResult, r *result) {
		calls(t, "/dev/sda", "device")
		soft := *r
		soft.Hive = strings.Replace(r.Hive, "SYSTEM", "SOFTWARE", 1)
		soft.Edits = []editResult{{Key: "k", Name: "AUOptions", Old: "dword:00000004", New: "dword:00000002", Fix: "updates"}}
		second := *r
		second.Hive = strings.Replace(r.Hive, "/Windows/", "/Windows.second/", 1)
		t.Installations = append(t.Installations, &soft, &second)
	}), machine{"NEC", "MK32", "S1", ""}, resultRepaired, "")
	table := f.table(false)
	if len(table.Rows) != 1 {
		t.Fatalf("%d rows: %q", len(table.Rows), pcsOf(table))
	}
	got := *table.Rows[0]
	if got.Backup != dir || got.Edits != 9 || got.Update != "manual" || !slices.Contains(got.Price, "updates") || got.Seconds != 4.25 || got.Clock != "PC" || got.Maker != "NEC" || got.Volume == "" {
		t.Errorf("%+v", got)
	}
}

// What a scan found and a repair would refuse is no PC to be repaired: text, CSV and page
// say so and why, in the user's language, and call clones by their targets.
func TestFleetBarred(t *testing.T) {
	for lang, words := range map[string][]string{
		"en": {"2 in all: would be refused 2.", "PC, /a/pc.img (records/", "PC, /b/pc.img (records/", "a repair would be refused: Windows is hibernated on this volume", "hint: start that Windows"},
		"ja": {"現状では修復不可 2", "PC、/a/pc.img（records/", "PC、/b/pc.img（records/", "このままでは修復できません: このボリュームの Windows は休止状態です", "ヒント: "},
	} {
		f := newWorkshop(t, lang)
		for _, name := range []string{"/a/pc.img", "/b/pc.img"} {
			f.run(f.target(f.seen, "PC", 1, "2026-11-24 09:12:40", func(t *targetResult, r *result) {
				calls(t, name, "image")
				r.Refused = []objection{{fmt.Errorf("%s:2: %w", name, image.ErrHibernated)}, {fmt.Errorf("%s:2: %w", name, image.ErrCompressed)}}
			}), "")
		}
		table := f.table(false)
		line, err := jsonLine(table)
		if err != nil || checkJSON([]byte(line)) != nil {
			t.Error(err, checkJSON([]byte(line)))
		}
		text := f.tableText(table)
		for _, want := range words {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", lang, want, text)
			}
		}
		if csv, err := table.csv(); err != nil || strings.Count(csv, ",would be refused,") != 2 {
			t.Error(err, csv)
		}
		if page, err := f.tableHTML(table); err != nil || !strings.Contains(page, `data-outcome="would be refused" aria-pressed`) || !strings.Contains(page, "a/pc.img</span>") {
			t.Error(err, "the page does not choose by that state")
		}
		if row := table.Rows[0]; !strings.Contains(row.Detail, image.ErrHibernated.Error()) || !strings.Contains(row.Detail, image.ErrCompressed.Error()) {
			t.Errorf("not all reasons: %q", row.Detail)
		}
	}
}

// What is not in the table is told above it on the page, too.
func TestFleetMissing(t *testing.T) {
	f := newWorkshop(t, "en").workshop()
	whole, err := f.tableHTML(f.table(false))
	if err != nil || strings.Contains(whole, "problems") {
		t.Error(err, "a page of sound records speaks of problems")
	}
	table := f.table(false)
	table.Problems = []recordProblem{{"a.json", 0, problemDamaged, "d"}, {"b.json", 7, problemVersion, "d"}}
	page, err := f.tableHTML(table)
	above, below, _ := strings.Cut(page, "<table>")
	if err != nil || !strings.Contains(above, `<a href="#problems">2 files or records are not in the table`) || !strings.Contains(below, `<div id="problems">`) || !strings.Contains(below, "b.json:7: of another version") {
		t.Error(err, page)
	}
}
