package main

import (
	"strings"

	"unloop/image"
)

// formatOf is how the disk lies in an image file; "" for any other target.
func formatOf(src *image.Source) image.Format {
	if c := src.Container(); c != nil {
		return c.Format
	}
	return ""
}

// noteImage notes what an image file says of itself, and tells what is written of it and
// what is not.
func (e *env) noteImage(t *targetResult, c *image.Container) {
	if c == nil {
		return
	}
	t.Format, t.Bases, t.Snapshots = c.Format, c.Bases, c.Snapshots
	for _, text := range e.imageNotes(t) {
		e.stageText(stageDiscover, escape(t.Target)+": "+text)
	}
}

// imageNotes tell which parts of an image stay as they are.
func (e *env) imageNotes(t *targetResult) (notes []string) {
	if len(t.Bases) > 0 {
		notes = append(notes, e.text("acc.layers", strings.Join(t.Bases, ", "), t.Target))
	}
	if t.Snapshots > 0 {
		notes = append(notes, e.text("acc.snapshots", t.Snapshots))
	}
	return notes
}
