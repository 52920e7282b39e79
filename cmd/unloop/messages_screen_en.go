package main

// messagesScreenEN is what the PC's own screen says where unloop draws it itself, and
// what people read of its font.
var messagesScreenEN = map[string]string{
	"screen.none":    "this screen cannot show Japanese, so it is English: %v",
	"screen.working": "unloop: at work",
	"screen.wait":    "please wait",
	"key.english":    "E English",
	"key.japanese":   "J Japanese",
	"error.font":     "%s: the font is not one for the stick",
	"hint.font":      "--packages needs Debian's package unifont, unpacked; scripts/stick fetches it",
}
