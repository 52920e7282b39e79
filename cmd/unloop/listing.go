package main

import (
	"slices"
	"strings"

	"github.com/rivo/uniseg"
)

// listing is text in columns, for a terminal or a file: a Japanese character takes two
// places. Its cells are made safe for a terminal.
type listing struct {
	head []string
	rows [][]string // as many cells each as head has
}

// String sets the table: columns are two blanks apart, the last one is not filled up, and
// a line of dashes parts head and rows.
func (t listing) String() string {
	all := [][]string{t.head, nil}
	for _, row := range t.rows {
		cells := make([]string, len(row))
		for i, text := range row {
			cells[i] = escape(text)
		}
		all = append(all, cells)
	}
	widths := make([]int, len(t.head))
	for _, row := range all {
		for i, text := range row {
			widths[i] = max(widths[i], uniseg.StringWidth(text))
		}
	}
	for _, width := range widths {
		all[1] = append(all[1], strings.Repeat("-", width))
	}
	var b strings.Builder
	for _, row := range all {
		var line strings.Builder
		for i, text := range row {
			line.WriteString(text)
			line.WriteString(strings.Repeat(" ", widths[i]-uniseg.StringWidth(text)+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// withoutEmpty leaves out columns that say nothing.
func (t listing) withoutEmpty() listing {
	keep := func(cells []string) (left []string) {
		for i, cell := range cells {
			if slices.ContainsFunc(t.rows, func(row []string) bool { return row[i] != "" }) {
				left = append(left, cell)
			}
		}
		return left
	}
	all := listing{head: keep(t.head)}
	for _, row := range t.rows {
		all.rows = append(all.rows, keep(row))
	}
	return all
}
