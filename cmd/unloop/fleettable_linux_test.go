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
	at := func(minute string) string { return "2026-11-24 09:" + minute + ":00" }
	nothing := func(f *fleetOf, minute, serial string) {
		when, _ := time.Parse(tableTime, at(minute))
		f.stick(&targetResult{Verb: "repair", Installations: []*result{}, Tool: "unloop 1", Time: when}, machine{Serial: serial}, resultFailed, "no disk")
	}
	for name, test := range map[string]struct {
		make func(f *fleetOf)
		want []string
	}{
		"a stick, a dock, an undo": {func(f *fleetOf) {
			f.stick(f.target(f.seen, "PC", 1, at("10"), nil), machine{Serial: "A"}, resultLeft, "")
			f.run(f.target(f.model, "pc", 1, at("20"), device), "")
			f.run(f.target(f.model, "PC", 1, at("30"), nameless), "")
		}, []string{"1 09:10 PC A to be repaired", "1 09:20 pc A repaired", "1 09:30 pc A undone, newest"}},
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
