package main

import "github.com/gdamore/tcell/v2"

// rgb is a colour, its parts from 0 to 255.
type rgb struct{ red, green, blue uint8 }

// colours are those of characters and of what is behind them.
type colours struct{ ink, paper rgb }

// dimStyle is that of what is said beside the page's own text, keyStyle that of the keys.
func dimStyle() tcell.Style { return tcell.StyleDefault.Dim(true) }
func keyStyle() tcell.Style { return tcell.StyleDefault.Reverse(true) }

// palette has the colours of every style that a page uses, for a screen that unloop draws
// itself: those of a PC's console, where that is legible.
func palette() map[tcell.Style]colours {
	black, grey, white := rgb{0, 0, 0}, rgb{200, 200, 200}, rgb{255, 255, 255}
	green, red, yellow := rgb{85, 255, 85}, rgb{255, 100, 100}, rgb{255, 255, 85}
	return map[tcell.Style]colours{
		barStyle(moodCalm):     {white, rgb{0, 0, 170}},
		barStyle(moodGood):     {white, rgb{0, 128, 0}},
		barStyle(moodNote):     {black, rgb{255, 215, 0}},
		barStyle(moodBad):      {white, rgb{170, 0, 0}},
		lineStyle(linePlain):   {grey, black},
		lineStyle(lineHead):    {white, black},
		lineStyle(lineAdded):   {green, black},
		lineStyle(lineRemoved): {red, black},
		lineStyle(lineGood):    {green, black},
		lineStyle(lineNote):    {yellow, black},
		lineStyle(lineBad):     {red, black},
		dimStyle():             {rgb{128, 128, 128}, black},
		keyStyle():             {black, grey},
	}
}
