//go:build linux

package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A vmRow is what one PC adds to the table of scripts/vm-matrix.md.
type vmRow struct {
	result                string
	times                 string        // the line that unloop prints of itself
	resultAfter, offAfter time.Duration // since power on
}

// writeRow shows the row, and appends it to the table's file.
func (m *machine) writeRow() {
	if m.row.result == "" {
		return
	}
	row := fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", m.t.Name()[len("TestStick"):], m.vm, m.row.result,
		inSeconds(m.row.resultAfter), inSeconds(m.row.offAfter), shares(m.row.times))
	m.t.Log(row)
	path := os.Getenv(tableVariable)
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		m.t.Error(err)
		return
	}
	defer f.Close()
	if _, err := f.WriteString(row); err != nil {
		m.t.Error(err)
	}
}

func inSeconds(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// timeOfStage is one stage in the line of times: "modules 1.2 s".
var timeOfStage = regexp.MustCompile(`([a-z][a-z -]*[a-z]):? ([0-9.]+) ?s\b`)

// shares gives each stage's part of the whole in percent.
func shares(times string) string {
	var names []string
	var values []float64
	var sum float64
	for _, stage := range timeOfStage.FindAllStringSubmatch(times, -1) {
		if v, err := strconv.ParseFloat(stage[2], 64); err == nil && stage[1] != "total" {
			names, values = append(names, stage[1]), append(values, v)
			sum += v
		}
	}
	for i, v := range values {
		names[i] += fmt.Sprintf(" %.1f s (%.0f %%)", v, 100*v/max(sum, 0.001))
	}
	return strings.Join(names, ", ")
}
