package main

import (
	"testing"

	"unloop/hive"
)

// Where a policy decides on updates, nobody is told that Windows installs none by itself.
func TestPriceUnderPolicy(t *testing.T) {
	four := uint32(4)
	for _, tt := range []struct {
		au   *autoUpdateResult
		want string
	}{
		{nil, "price.updates"},
		{&autoUpdateResult{Options: &four}, "price.updates"},
		{&autoUpdateResult{Options: &four, PolicyOptions: &four}, "price.policy"},
		{&autoUpdateResult{PolicyNoAutoUpdate: &four}, "price.policy"},
	} {
		r := &result{AutoUpdate: tt.au, Edits: []editResult{{Fix: string(hive.FixUpdates)}}}
		if got := r.prices(); len(got) != 1 || got[0].long != tt.want {
			t.Errorf("prices %v, want %s", got, tt.want)
		}
	}
}
