package main

// messagesScreenJA is what the PC's own screen says where unloop draws it itself, and
// what people read of its font, in Japanese.
var messagesScreenJA = map[string]string{
	"error.font": "%s: この USB メモリに使えるフォントではありません",
	"hint.font":  "--packages には、展開した Debian パッケージ unifont が要ります。scripts/stick が取得します",
}
