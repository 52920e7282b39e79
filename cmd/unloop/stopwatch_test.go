package main

import (
	"encoding/json"
	"testing"
	"time"
)

// Each stage gets the time since the one before it ended; time in which somebody was
// asked belongs to none, and a stage that comes again adds up.
func TestStopwatch(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w := newStopwatch(func() time.Time { return now })
	passes := func(d time.Duration) { now = now.Add(d) }
	if got := w.String(); got != "" || len(w.all()) != 0 {
		t.Errorf("before anything ended: %q, %v", got, w.all())
	}
	passes(1500 * time.Millisecond)
	w.ended("discover")
	passes(10 * time.Millisecond)
	w.ended("inspect")
	passes(time.Hour)
	w.skip()
	passes(2 * time.Second)
	w.ended("apply")
	passes(500 * time.Millisecond)
	w.ended("discover")
	if got, want := w.String(), "discover 2.00 s, inspect 0.01 s, apply 2.00 s"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	text, err := json.Marshal(w.all())
	if want := `[{"stage":"discover","seconds":2.000},{"stage":"inspect","seconds":0.010},{"stage":"apply","seconds":2.000}]`; err != nil || string(text) != want {
		t.Errorf("JSON: %v\n%s, want\n%s", err, text, want)
	}
	w.all()[0].Took = 0
	if w.all()[0].Took != seconds(2*time.Second) {
		t.Error("all hands out the stages themselves")
	}
}

// Without a stopwatch nothing is measured, and nobody has to ask for it.
func TestNoStopwatch(t *testing.T) {
	var w *stopwatch
	w.ended("discover")
	w.skip()
	if got := w.all(); len(got) != 0 || w.String() != "" {
		t.Errorf("%v, %q", got, w)
	}
}
