//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A vmRow is what one PC adds to the table of scripts/vm-matrix.md.
type vmRow struct {
	result string
	times  string // the line that unloop prints of itself, by the PC's clock, which is wrong now and then

	kernelAfter, resultAfter, offAfter time.Duration // since power on, by ours
}

// writeRow shows the row, and appends it to the table's file.
func (m *vmRun) writeRow() {
	if m.row.result == "" {
		return
	}
	t := m.row.stages()
	row := fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |\n", strings.TrimPrefix(m.t.Name(), "TestStick"), m.vm, m.row.result,
		inSeconds(m.row.resultAfter), inSeconds(m.row.resultAfter-m.row.kernelAfter), inSeconds(time.Duration(t.own*1e9)), t.shares(),
		inSeconds(m.row.offAfter))
	m.t.Log(row)
	m.t.Log("times: " + m.row.times)
	path := os.Getenv(tableVariable)
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		m.t.Error(err)
		return
	}
	_, err = f.WriteString(row)
	if err := errors.Join(err, f.Close()); err != nil {
		m.t.Error(err)
	}
}

func inSeconds(d time.Duration) string {
	if d <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// stageTimes are the stages of a run, from the kernel's start to the result.
type stageTimes struct {
	names      []string
	took       []float64 // seconds
	whole, own float64   // own: from discover on, unloop's work on the disks
}

// timeOfStage is one stage in the line of times: "devices 1.20 s".
var timeOfStage = regexp.MustCompile(`([a-z]+) ([0-9.]+) s\b`)

func (r vmRow) stages() (t stageTimes) {
	stages, _, _ := strings.Cut(r.times, ", in all ") // the sum, and what the keys took
	for _, stage := range timeOfStage.FindAllStringSubmatch(stages, -1) {
		took, err := strconv.ParseFloat(stage[2], 64)
		if err != nil || stage[1] == "all" {
			continue
		}
		t.names, t.took, t.whole = append(t.names, stage[1]), append(t.took, took), t.whole+took
		if stage[1] == stageDiscover || t.own > 0 {
			t.own += took
		}
	}
	return t
}

// shares gives each stage's part of the whole, those of one percent and more.
func (t stageTimes) shares() string {
	var words []string
	for i, name := range t.names {
		if percent := 100 * t.took[i] / t.whole; percent >= 1 {
			words = append(words, fmt.Sprintf("%s %.0f %%", name, percent))
		}
	}
	return strings.Join(words, ", ")
}
