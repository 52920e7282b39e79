package main

import "testing"

func TestListing(t *testing.T) {
	got := listing{
		head: []string{"対象", "Windows", "result"},
		rows: [][]string{{"a.img", "Windows 7 SP1 x86", "repaired"}, {"日本語.img", "", "a\x1b[31m"}},
	}.String()
	want := "" +
		"対象        Windows            result\n" +
		"----------  -----------------  -----------\n" +
		"a.img       Windows 7 SP1 x86  repaired\n" +
		"日本語.img                     a\\u001b[31m\n"
	if got != want {
		t.Errorf("listing\n%swant\n%s", got, want)
	}
}
