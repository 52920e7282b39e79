package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

// stopwatch shares out the time of a run among its stages: a stage gets what has passed
// since the one before it ended. A nil stopwatch measures nothing.
type stopwatch struct {
	mu     sync.Mutex
	now    func() time.Time
	last   time.Time
	stages []stageTime
}

// stageTime is one stage and how long it took.
type stageTime struct {
	Stage string  `json:"stage"`
	Took  seconds `json:"seconds"`
}

// seconds is written with milliseconds, more is not known.
type seconds time.Duration

func (s seconds) String() string { return fmt.Sprintf("%.2f s", time.Duration(s).Seconds()) }

// MarshalJSON gives the JSON its number of seconds.
func (s seconds) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", time.Duration(s).Seconds()), nil
}

// UnmarshalJSON takes what MarshalJSON gives.
func (s *seconds) UnmarshalJSON(text []byte) error {
	var n float64
	if err := json.Unmarshal(text, &n); err != nil {
		return err
	}
	if n < 0 || n > maxSeconds {
		return fmt.Errorf("%v seconds", n)
	}
	*s = seconds(n * float64(time.Second))
	return nil
}

// maxSeconds is more than any run takes, and what a time.Duration has room for.
const maxSeconds = 1e9

func newStopwatch(now func() time.Time) *stopwatch { return &stopwatch{now: now, last: now()} }

// ended adds the time since the last call to a stage.
func (w *stopwatch) ended(stage string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	w.add(stage, now.Sub(w.last))
	w.last = now
}

// skip leaves out the time since the last call: somebody was asked.
func (w *stopwatch) skip() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = w.now()
}

func (w *stopwatch) add(stage string, took time.Duration) {
	for i, s := range w.stages {
		if s.Stage == stage {
			w.stages[i].Took += seconds(took)
			return
		}
	}
	w.stages = append(w.stages, stageTime{stage, seconds(took)})
}

// all lists the stages in the order in which they first ended.
func (w *stopwatch) all() []stageTime {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]stageTime(nil), w.stages...)
}

// String gives all of it in one line.
func (w *stopwatch) String() string {
	var words []string
	for _, s := range w.all() {
		words = append(words, s.Stage+" "+s.Took.String())
	}
	return strings.Join(words, ", ")
}
