package main

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/gdamore/tcell/v2"

	"unloop/image/stick"
)

// Where the stick has its font, and Linux the PC's screen.
const (
	fontFile        = "/lib/unloop/font"
	framebufferFile = "/dev/fb0"
)

// frame is the PC's own screen while unloop draws it itself, as Linux's console has no
// Japanese: the pages, and the last lines of the log before and between them.
type frame struct {
	mu      sync.Mutex
	canvas  *canvas
	grid    *cells
	console func(mode int) error         // switches it: kdText, kdGraphics
	between func(lines []pageLine) *page // around the lines of the log
	lines   []pageLine
	paged   bool // a page stands on the screen
}

// realFrame makes the frame of this PC, whose console is our standard input.
func realFrame() (*frame, error) {
	data, err := os.ReadFile(fontFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoCanvas, err)
	}
	font, err := stick.ParseFont(data)
	if err != nil {
		return nil, err
	}
	b, err := openFramebuffer(framebufferFile)
	if err != nil {
		return nil, err
	}
	c, err := newCanvas(b.pixels, b.size, b, font)
	if err != nil {
		return nil, err
	}
	return newFrame(c, func(mode int) error { return setConsoleMode(os.Stdin, mode) }), nil
}

func newFrame(c *canvas, console func(mode int) error) *frame {
	return &frame{canvas: c, grid: c.grid(), console: console}
}

// take takes the screen from the console and shows the log.
func (f *frame) take() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.console(kdGraphics); err != nil {
		return err
	}
	f.canvas.forget()
	return f.showLog()
}

// lend gives the screen to the console until it is taken again.
func (f *frame) lend() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.console(kdText)
}

// maxFrameLines bounds what is remembered of the log; no screen has as many rows.
const maxFrameLines = 1000

// Write adds lines to the log and shows them, unless a page is on the screen. It never
// fails: nothing waits for the screen, and who asks for a page will see what is wrong.
func (f *frame) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for line := range strings.Lines(string(p)) {
		line = strings.TrimSuffix(line, "\n")
		kind := linePlain
		switch {
		case strings.HasPrefix(line, "unloop: error: "):
			kind = lineBad
		case strings.HasPrefix(line, "unloop: hint: "):
			kind = lineHead
		}
		f.lines = append(f.lines, pageLine{line, kind})
	}
	f.lines = f.lines[max(len(f.lines)-maxFrameLines, 0):]
	if !f.paged {
		_ = f.showLog()
	}
	return len(p), nil
}

// showLog draws the log. When the screen is full the older half goes: to move all lines
// up for each new one takes long on an old PC.
func (f *frame) showLog() error {
	for {
		p := f.between(f.lines)
		if maxTop, _ := p.draw(f.grid, 0, ""); maxTop == 0 || len(f.lines) < 2 {
			return f.canvas.draw(f.grid)
		}
		f.lines = f.lines[(len(f.lines)+1)/2:]
	}
}

// open begins a page, for which keys are read from another screen that nobody sees.
func (f *frame) open(keys screen) *framePage {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paged = true
	return &framePage{cells: f.grid, frame: f, keys: keys}
}

// framePage is a screen for one page on the frame.
type framePage struct {
	*cells
	frame *frame
	keys  screen
	err   error
}

// Show draws what has changed.
func (p *framePage) Show() { p.show(false) }

// Sync draws everything.
func (p *framePage) Sync() { p.show(true) }

func (p *framePage) show(everything bool) {
	p.frame.mu.Lock()
	defer p.frame.mu.Unlock()
	if everything {
		p.frame.canvas.forget()
	}
	if err := p.frame.canvas.draw(p.cells); err != nil {
		p.err = err
	}
}

// PollEvent waits for a key. That the console has another size is no matter here.
func (p *framePage) PollEvent() tcell.Event {
	for p.err == nil {
		event := p.keys.PollEvent()
		if _, resized := event.(*tcell.EventResize); !resized {
			return event
		}
	}
	return tcell.NewEventError(p.err)
}

// Fini ends the page. It stays to be seen until the log says something.
func (p *framePage) Fini() {
	p.keys.Fini()
	p.frame.mu.Lock()
	defer p.frame.mu.Unlock()
	p.frame.paged = false
}

// quietTty is a terminal whose keys are read and which is never written to.
type quietTty struct{ tcell.Tty }

// Write writes nothing.
func (quietTty) Write(p []byte) (int, error) { return len(p), nil }
