package main

// messagesScreenEN is what the PC's own screen says where unloop draws it itself, and
// what people read of its font.
var messagesScreenEN = map[string]string{
	"error.font": "%s: the font is not one for the stick",
	"hint.font":  "--packages needs Debian's package unifont, unpacked; scripts/stick fetches it",
}
