package main

import (
	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"
)

// grid is what a page is drawn on: rows of cells, of which a Japanese character takes
// two. A style says what a text is; which colours that are, the screen decides.
type grid interface {
	Size() (width, height int)
	Clear()
	PutStrStyled(x, y int, text string, style tcell.Style)
}

// screen is a grid that a person sees and has keys to. A tcell.Screen is one.
type screen interface {
	grid
	Show()
	Sync()
	PollEvent() tcell.Event
	Fini()
}

// cells is a grid in memory.
type cells struct {
	width, height int
	all           []cell // row by row
}

// cell holds a character with its marks, and how many cells it takes; 0 says that it is
// covered by the one to its left.
type cell struct {
	text  string
	width int
	style tcell.Style
}

func newCells(width, height int) *cells {
	c := &cells{width: width, height: height, all: make([]cell, width*height)}
	c.Clear()
	return c
}

// Size returns the number of columns and rows.
func (c *cells) Size() (width, height int) { return c.width, c.height }

// Clear empties every cell.
func (c *cells) Clear() {
	for i := range c.all {
		c.all[i] = cell{" ", 1, tcell.StyleDefault}
	}
}

// PutStrStyled writes text into a row from a column on, as far as it fits.
func (c *cells) PutStrStyled(x, y int, text string, style tcell.Style) {
	if x < 0 || y < 0 || y >= c.height {
		return
	}
	for state := -1; text != ""; {
		var cluster string
		var width int
		cluster, text, width, state = uniseg.FirstGraphemeClusterInString(text, state)
		if x+width > c.width {
			return
		}
		for i := range width {
			c.all[y*c.width+x+i] = cell{style: style}
		}
		if width > 0 {
			c.all[y*c.width+x].text, c.all[y*c.width+x].width = cluster, width
		}
		x += width
	}
}

// row returns the cells of a row.
func (c *cells) row(y int) []cell { return c.all[y*c.width:][:c.width] }
