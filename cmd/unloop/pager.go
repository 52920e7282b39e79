package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/gdamore/tcell/v2"
)

func itoa(n int) string { return strconv.Itoa(n) }

// show shows a page on a screen until one of its keys is pressed; arrows and page keys
// move the text.
func (p *page) show(s screen, more string) (rune, error) {
	top := 0
	for {
		maxTop, rows := p.draw(s, top, more)
		s.Show()
		event := s.PollEvent()
		switch event := event.(type) {
		case nil:
			return 0, io.ErrUnexpectedEOF
		case *tcell.EventError:
			return 0, event
		case *tcell.EventResize:
			s.Sync()
		case *tcell.EventKey:
			if key := p.pressed(event); key != 0 {
				return key, nil
			}
			top = min(max(scrolled(top, max(rows-1, 1), maxTop, event), 0), maxTop)
		}
	}
}

// pressed says which of the page's keys an event is; 0 if none.
func (p *page) pressed(event *tcell.EventKey) rune {
	key := unicode.ToUpper(event.Rune())
	if event.Key() == tcell.KeyEnter || event.Key() == tcell.KeyLF {
		key = '\n'
	} else if event.Key() != tcell.KeyRune {
		return 0
	}
	if p.offers(key) {
		return key
	}
	return 0
}

// scrolled is the new first line after a key that moves the text.
func scrolled(top, rows, maxTop int, event *tcell.EventKey) int {
	switch event.Key() {
	case tcell.KeyUp:
		return top - 1
	case tcell.KeyDown:
		return top + 1
	case tcell.KeyPgUp:
		return top - rows
	case tcell.KeyPgDn:
		return top + rows
	case tcell.KeyHome:
		return 0
	case tcell.KeyEnd:
		return maxTop
	}
	if event.Rune() == ' ' {
		return top + rows
	}
	return top
}

// ask shows a page without a screen: as lines, with the keys to be typed and ended with
// Enter.
func (p *page) ask(in *bufio.Reader, out io.Writer) (rune, error) {
	fmt.Fprintf(out, "\n*** %s ***\n\n", p.title)
	for _, line := range p.wrapped(78) {
		fmt.Fprintln(out, line.text)
	}
	for {
		fmt.Fprintf(out, "\n%s\n> ", strings.Join(p.keyLines(78), "\n"))
		line, err := in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		key := '\n'
		if word := strings.TrimSpace(line); word != "" {
			key = unicode.ToUpper([]rune(word)[0])
		}
		if p.offers(key) {
			return key, nil
		}
	}
}
