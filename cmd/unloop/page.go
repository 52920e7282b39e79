package main

import (
	"strings"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"
)

// page is one screen of the stick: a bar that tells how things stand by word and by
// colour, text that may be longer than the screen, and the keys it waits for.
type page struct {
	title string
	mood  mood
	end   bool // it tells how the work ended
	body  []pageLine
	keys  []pageKey
}

// mood is the colour of a page.
type mood int

const (
	moodCalm mood = iota // blue: nothing decided yet
	moodGood             // green
	moodNote             // yellow
	moodBad              // red
)

// pageLine is one line of text before it is broken.
type pageLine struct {
	text string
	kind lineKind
}

type lineKind int

const (
	linePlain lineKind = iota
	lineHead
	lineAdded
	lineRemoved
	lineGood
	lineNote
	lineBad
)

// pageKey is a key the page waits for; '\n' is Enter.
type pageKey struct {
	key  rune
	text string
}

func (p *page) add(kind lineKind, text string) {
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		p.body = append(p.body, pageLine{line, kind})
	}
}

// addDiff adds the text of a diff, its lines coloured by their first character.
func (p *page) addDiff(text string) {
	for line := range strings.Lines(text) {
		kind := linePlain
		switch {
		case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "["):
			kind = lineHead
		case strings.HasPrefix(line, "-"):
			kind = lineRemoved
		case strings.HasPrefix(line, "+"):
			kind = lineAdded
		}
		p.add(kind, line)
	}
}

// offers says whether the page waits for a key, and which letter case does not matter.
func (p *page) offers(key rune) bool {
	for _, k := range p.keys {
		if k.key == key {
			return true
		}
	}
	return false
}

// wrapped breaks the text to lines of at most width columns; what a line continues with
// is set in as far as the line itself was.
func (p *page) wrapped(width int) []pageLine {
	var out []pageLine
	for _, line := range p.body {
		indent := len(line.text) - len(strings.TrimLeft(line.text, " "))
		rest := line.text
		for first := true; first || rest != ""; first = false {
			room, pad := width, ""
			if !first && indent+20 < width {
				room, pad = width-indent, strings.Repeat(" ", indent)
			}
			var piece string
			piece, rest = cutLine(rest, room)
			out = append(out, pageLine{pad + piece, line.kind})
		}
	}
	return out
}

// cutLine cuts a piece of at most width columns off s: at a blank or beside a Japanese
// character if there is one, between characters otherwise. Characters of two columns are
// not cut.
func cutLine(s string, width int) (piece, rest string) {
	columns, cut, skip, state := 0, 0, 0, -1 // skip: the blank that is lost
	last := ""
	for at := 0; at < len(s); {
		cluster, _, w, next := uniseg.FirstGraphemeClusterInString(s[at:], state)
		if mayPart(last, cluster) {
			cut, skip = at, 0
		}
		if columns+w > width {
			if cluster == " " && at > 0 {
				cut, skip = at, 1 // the piece ends just here
			}
			if cut > 0 {
				return s[:cut], s[cut+skip:]
			}
			if at == 0 {
				at = len(cluster)
			}
			return s[:at], s[at:]
		}
		if cluster == " " && columns > 0 && strings.TrimLeft(s[:at], " ") != "" {
			cut, skip = at, 1
		}
		columns, state, at, last = columns+w, next, at+len(cluster), cluster
	}
	return s, ""
}

// Japanese is broken anywhere, but no line begins with the first of these, and none ends
// with the second (JIS X 4051).
const (
	neverFirst = "、。，．・：；？！）」』】〕〉》ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…)]},.:;?!%｡､｣ﾞﾟｰ"
	neverLast  = "（「『【〔〈《([{"
)

// mayPart says whether a line may be broken between two characters because one of them is
// Japanese.
func mayPart(last, first string) bool {
	if last == "" || last == " " || first == " " || strings.Contains(neverLast, last) || strings.Contains(neverFirst, first) {
		return false
	}
	return uniseg.StringWidth(last) > 1 || uniseg.StringWidth(first) > 1
}

// keyLines lays the keys out in as few lines as they need.
func (p *page) keyLines(width int) []string {
	var lines []string
	line := ""
	for _, k := range p.keys {
		if k.text == "" {
			continue
		}
		word := " " + k.text + " "
		if line != "" && uniseg.StringWidth(line+word) > width {
			lines = append(lines, line)
			line = ""
		}
		line += word
	}
	return append(lines, line)
}

// draw puts the page on a grid, its text from line top on, and returns the greatest
// top that makes sense, and how many lines there is room for.
func (p *page) draw(s grid, top int, more string) (maxTop, rows int) {
	width, height := s.Size()
	s.Clear()
	keys := p.keyLines(width)
	text := p.wrapped(width - 2)
	head := p.headRows(height)
	rows = max(height-len(keys)-2-head, 1)
	maxTop = max(len(text)-rows, 0)
	top = min(top, maxTop)
	for y := range head {
		bar(s, y, width, "", barStyle(p.mood))
	}
	bar(s, head/2, width, " "+p.title, barStyle(p.mood))
	for i := 0; i < rows && top+i < len(text); i++ {
		s.PutStrStyled(1, head+i, text[top+i].text, lineStyle(text[top+i].kind))
	}
	if maxTop > 0 {
		s.PutStrStyled(1, height-len(keys)-2, fmtMore(more, top, rows, len(text)), dimStyle())
	}
	for i, line := range keys {
		bar(s, height-len(keys)+i, width, line, keyStyle())
	}
	return maxTop, rows
}

// headRows is how high the title bar is: a page that tells the end is recognised from
// across the room, where the screen has the room for that.
func (p *page) headRows(height int) int {
	if p.end && height >= 20 {
		return 3
	}
	return 1
}

func fmtMore(more string, top, rows, all int) string {
	return strings.NewReplacer("{from}", itoa(top+1), "{to}", itoa(min(top+rows, all)), "{of}", itoa(all)).Replace(more)
}

// bar fills a whole row.
func bar(s grid, y, width int, text string, style tcell.Style) {
	s.PutStrStyled(0, y, strings.Repeat(" ", width), style)
	s.PutStrStyled(0, y, text, style)
}

// barStyle gives the title bar its colour; one that the terminal lacks still leaves the
// bar reversed, and the word says the same.
func barStyle(m mood) tcell.Style {
	style := tcell.StyleDefault.Foreground(tcell.ColorWhite).Bold(true)
	switch m {
	case moodGood:
		return style.Background(tcell.ColorGreen)
	case moodNote:
		return tcell.StyleDefault.Foreground(tcell.ColorBlack).Background(tcell.ColorYellow)
	case moodBad:
		return style.Background(tcell.ColorMaroon)
	}
	return style.Background(tcell.ColorNavy)
}

func lineStyle(k lineKind) tcell.Style {
	style := tcell.StyleDefault
	switch k { // bold, as the dark colours of a PC's console are hard to read on black
	case lineHead:
		return style.Bold(true)
	case lineAdded, lineGood:
		return style.Foreground(tcell.ColorGreen).Bold(true)
	case lineRemoved, lineBad:
		return style.Foreground(tcell.ColorMaroon).Bold(true)
	case lineNote:
		return style.Foreground(tcell.ColorOlive).Bold(true)
	}
	return style
}
