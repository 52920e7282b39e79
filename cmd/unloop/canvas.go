package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/gdamore/tcell/v2"

	"unloop/image/stick"
)

// A cell of the font is 8 pixels wide and 16 high.
const (
	cellWidth  = 8
	cellHeight = 16
)

// What a cell shows for a character that the font does not have; 〓 is what Japanese
// printers set for a letter that is missing.
const (
	noNarrow = '\uFFFD'
	noWide   = '〓'
)

// errNoCanvas says that pages cannot be drawn on a framebuffer.
var errNoCanvas = errors.New("not a screen that can be drawn on")

// pixels says how a framebuffer keeps its pixels, in bytes and pixels. Of a pixel's
// number the lowest byte comes first.
type pixels struct {
	width, height    int
	stride           int   // bytes from a row to the next
	base             int64 // where the first row begins
	depth            int   // bits of a pixel: 16, 24 or 32
	red, green, blue channel
}

// channel is where in a pixel's number a colour lies, in bits.
type channel struct{ offset, length uint32 }

// check refuses what cannot be drawn on, and what is too small for a page. size is the
// framebuffer's in bytes.
func (p pixels) check(size int64) error {
	if p.depth != 16 && p.depth != 24 && p.depth != 32 {
		return fmt.Errorf("%w: %d bits a pixel", errNoCanvas, p.depth)
	}
	for _, c := range []channel{p.red, p.green, p.blue} {
		if c.length == 0 || c.length > 16 || c.offset > 31 || int(c.offset+c.length) > p.depth {
			return fmt.Errorf("%w: colours of %v, %v, %v bits", errNoCanvas, p.red, p.green, p.blue)
		}
	}
	const most = 1 << 14
	if p.width < 40*cellWidth || p.height < 10*cellHeight || p.width > most || p.height > most || p.stride < p.width*p.depth/8 || p.stride > 8*most {
		return fmt.Errorf("%w: %d x %d pixels, %d bytes a row", errNoCanvas, p.width, p.height, p.stride)
	}
	if p.base < 0 || p.base > size || int64(p.height)*int64(p.stride) > size-p.base {
		return fmt.Errorf("%w: %d rows of %d bytes from %d on in %d", errNoCanvas, p.height, p.stride, p.base, size)
	}
	return nil
}

// bytes returns a colour as the framebuffer keeps it.
func (p pixels) bytes(c rgb) []byte {
	of := func(value uint8, at channel) uint32 {
		return uint32(value) << 8 >> (16 - at.length) << at.offset
	}
	number := of(c.red, p.red) | of(c.green, p.green) | of(c.blue, p.blue)
	return binary.LittleEndian.AppendUint32(nil, number)[:p.depth/8]
}

// canvas draws cells on a framebuffer. It writes only the rows that have changed.
type canvas struct {
	pixels
	font    *stick.Font
	palette map[tcell.Style]colours
	out     io.WriterAt
	scale   int    // a pixel of the font is so many on the screen, each way
	drawn   *cells // what stands there; nil: anything
	band    []byte // the pixels of a row of cells
}

// newCanvas makes a canvas for a framebuffer of that many bytes. On screens of
// 1920 x 1080 pixels and more the characters are doubled, or no one could read them.
func newCanvas(p pixels, size int64, out io.WriterAt, font *stick.Font) (*canvas, error) {
	if err := p.check(size); err != nil {
		return nil, err
	}
	scale := max(min(p.width/960, p.height/540), 1)
	return &canvas{
		pixels: p, font: font, palette: palette(), out: out, scale: scale, band: make([]byte, scale*cellHeight*p.stride),
	}, nil
}

// grid returns an empty grid of as many cells as there is room for.
func (c *canvas) grid() *cells {
	return newCells(c.width/(cellWidth*c.scale), c.height/(cellHeight*c.scale))
}

// margin is what is left over on the left and on top.
func (c *canvas) margin() (left, top int) {
	return c.width % (cellWidth * c.scale) / 2, c.height % (cellHeight * c.scale) / 2
}

// forget says that something else has been drawn on the framebuffer.
func (c *canvas) forget() { c.drawn = nil }

// draw makes the framebuffer show a grid, which must be one of the canvas's own.
func (c *canvas) draw(g *cells) error {
	if c.drawn == nil {
		if err := c.blacken(); err != nil {
			return err
		}
		c.drawn = newCells(g.width, g.height)
	}
	for y := range g.height {
		if slices.Equal(g.row(y), c.drawn.row(y)) {
			continue
		}
		if err := c.drawRow(y, g.row(y)); err != nil {
			return err
		}
		copy(c.drawn.row(y), g.row(y))
	}
	return nil
}

// blacken clears all of the screen.
func (c *canvas) blacken() error {
	clear(c.band)
	all := int64(c.height) * int64(c.stride)
	for at := int64(0); at < all; at += int64(len(c.band)) {
		if err := c.write(c.band[:min(int64(len(c.band)), all-at)], at); err != nil {
			return err
		}
	}
	return nil
}

func (c *canvas) write(b []byte, at int64) error {
	if _, err := c.out.WriteAt(b, c.base+at); err != nil {
		return fmt.Errorf("drawing on the screen: %w", err)
	}
	return nil
}

// drawRow draws a row of cells. What is left over of the screen at the sides continues
// the outermost cells, so that a bar goes from edge to edge.
func (c *canvas) drawRow(y int, row []cell) error {
	left, top := c.margin()
	at := 0
	for x := range row {
		if row[x].width == 0 {
			continue
		}
		c.drawCell(left+x*cellWidth*c.scale, row[x])
		at = x
	}
	first, last := c.bytes(c.colours(row[0]).paper), c.bytes(c.colours(row[at]).paper)
	for y := range cellHeight * c.scale {
		c.fill(y, 0, left, first)
		c.fill(y, left+len(row)*cellWidth*c.scale, c.width, last)
	}
	return c.write(c.band, int64(top+y*cellHeight*c.scale)*int64(c.stride))
}

func (c *canvas) colours(of cell) colours {
	if known, ok := c.palette[of.style]; ok {
		return known
	}
	return c.palette[tcell.StyleDefault]
}

// drawCell draws a character into the band, from pixel x on.
func (c *canvas) drawCell(x int, of cell) {
	two := c.colours(of)
	ink, paper := c.bytes(two.ink), c.bytes(two.paper)
	rows := picture(c.font, of.text, of.width)
	for y, bits := range rows {
		for i := range of.width * cellWidth {
			colour := paper
			if i < 16 && bits&(0x8000>>i) != 0 {
				colour = ink
			}
			for s := range c.scale {
				c.fill(y*c.scale+s, x+i*c.scale, x+(i+1)*c.scale, colour)
			}
		}
	}
}

// fill colours pixels of one row of the band.
func (c *canvas) fill(y, from, to int, colour []byte) {
	row := c.band[y*c.stride:]
	for x := from; x < to; x++ {
		copy(row[x*len(colour):], colour)
	}
}

// picture is what a character with its marks looks like in that many cells: rows from
// the top, the leftmost pixel in the highest bit.
func picture(font *stick.Font, text string, width int) [cellHeight]uint16 {
	first, n := utf8.DecodeRuneInString(text)
	glyph, ok := font.Glyph(first)
	if !ok && width > 1 {
		glyph, _ = font.Glyph(noWide)
	} else if !ok {
		glyph, _ = font.Glyph(noNarrow)
	}
	rows := fitted(glyph, width)
	for _, mark := range text[n:] {
		if glyph, ok := font.Glyph(mark); ok {
			for y, bits := range fitted(glyph, width) {
				rows[y] |= bits
			}
		}
	}
	return rows
}

// fitted makes a picture as wide as its cells: a narrow one stands in the middle of two,
// of a wide one in one cell every two columns become one.
func fitted(glyph stick.Glyph, width int) [cellHeight]uint16 {
	for y, bits := range glyph.Rows {
		switch {
		case !glyph.Wide && width > 1:
			glyph.Rows[y] = bits >> (cellWidth / 2)
		case glyph.Wide && width == 1:
			glyph.Rows[y] = squeezed(bits)
		}
	}
	return glyph.Rows
}

func squeezed(bits uint16) (half uint16) {
	for i := range cellWidth {
		if bits&(0xC000>>(2*i)) != 0 {
			half |= 0x8000 >> i
		}
	}
	return half
}
