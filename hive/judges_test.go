package hive_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"unloop/hive"
)

// lineDiff lists the lines that only the old text has, with -, and those that only
// the new one has, with +, sorted; their order in the texts counts for nothing.
func lineDiff(old, new []string) []string {
	counts := map[string]int{}
	for _, line := range old {
		counts[line]--
	}
	for _, line := range new {
		counts[line]++
	}
	var diff []string
	for line, n := range counts {
		for ; n < 0; n++ {
			diff = append(diff, "-"+line)
		}
		for ; n > 0; n-- {
			diff = append(diff, "+"+line)
		}
	}
	slices.Sort(diff)
	return diff
}

// exported returns what hivexregedit says of a whole hive, each line with its key.
func exported(t *testing.T, file string) []string {
	t.Helper()
	var lines []string
	key := ""
	for line := range strings.Lines(judge(t, "hivexregedit", "--export", file, `\`)) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "[") {
			key = line
		}
		lines = append(lines, key+line)
	}
	return lines
}

// looked returns what reglookup says of a whole hive.
func looked(t *testing.T, file string) []string {
	t.Helper()
	return strings.Split(judge(t, "reglookup", file), "\n")
}

// repaired applies a repair to a copy of the real hive, with a log and without: the
// same bytes. It returns the hive before and after as files.
func repaired(t *testing.T) (before, after string) {
	t.Helper()
	primary := realHive(t, haspHive)
	var results [][]byte
	for _, room := range []int64{log1Size, 0} {
		m := &medium{primary: bytes.Clone(primary), log1: make([]byte, log1Size)}
		c := prepare(t, open(t, hive.Files{Primary: primary, Log1: bytes.Clone(m.log1)}), hive.Scope{}, false)
		m.apply(t, update(t, c, room))
		results = append(results, m.primary)
	}
	if !bytes.Equal(results[0], results[1]) {
		t.Error("a repair with a log and one without make different hives")
	}
	return writeTemp(t, primary), writeTemp(t, results[0])
}

// Programs that share nothing with ours see the edits and nothing else.
func TestJudges(t *testing.T) {
	if raceDetector {
		t.Skip("what other programs see does not depend on it")
	}
	for _, name := range []string{"hivexget", "hivexregedit", "reglookup", "regfexport"} {
		tool(t, name)
	}
	const mm = `\Control\Session Manager\Memory Management`
	var wantExport, wantLookup []string
	for _, set := range []string{"ControlSet001", "ControlSet002"} {
		for _, name := range []string{"FeatureSettingsOverride", "FeatureSettingsOverrideMask"} {
			wantExport = append(wantExport, `+[\`+set+mm+`]"`+name+`"=dword:00000003`)
			wantLookup = append(wantLookup, "+/"+set+strings.ReplaceAll(mm, `\`, "/")+"/"+name+",DWORD,0x00000003,")
		}
		for _, name := range []string{"Haspnt", "Hardlock"} {
			key, path := `[\`+set+`\services\`+name+`]`, "/"+set+"/services/"+name
			wantExport = append(wantExport, "-"+key+`"Start"=dword:00000002`, "+"+key+`"Start"=dword:00000004`)
			wantLookup = append(wantLookup, "-"+path+"/Start,DWORD,0x00000002,", "+"+path+"/Start,DWORD,0x00000004,")
		}
	}
	slices.Sort(wantExport)
	slices.Sort(wantLookup)
	before, after := repaired(t)
	if diff := cmp.Diff(wantExport, lineDiff(exported(t, before), exported(t, after))); diff != "" {
		t.Errorf("hivexregedit sees (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantLookup, lineDiff(looked(t, before), looked(t, after))); diff != "" {
		t.Errorf("reglookup sees (-want +got):\n%s", diff)
	}
	for _, set := range []string{"ControlSet001", "ControlSet002"} {
		for _, v := range []struct{ key, name, want string }{
			{set + mm, "FeatureSettingsOverride", "3"}, {set + mm, "FeatureSettingsOverrideMask", "3"},
			{set + `\services\Haspnt`, "Start", "4"}, {set + `\services\Hardlock`, "Start", "4"},
		} {
			if got := strings.TrimSpace(judge(t, "hivexget", after, `\`+v.key, v.name)); got != v.want {
				t.Errorf("hivexget %s %s = %q, want %q", v.key, v.name, got, v.want)
			}
			if got := regfexportValue(t, after, v.key, v.name); got != v.want {
				t.Errorf("regfexport %s %s = %q, want %q", v.key, v.name, got, v.want)
			}
		}
	}
}

// regfexportValue returns the data regfexport shows of a value.
func regfexportValue(t *testing.T, file, key, name string) string {
	t.Helper()
	_, text, _ := strings.Cut(judge(t, "regfexport", "-K", key, file), " "+name+"\n")
	text, _, _ = strings.Cut(text, "\n\n")
	_, data, _ := strings.Cut(text, "\nData: ")
	return data
}
