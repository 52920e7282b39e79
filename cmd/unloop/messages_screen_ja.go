package main

// messagesScreenJA is what the PC's own screen says where unloop draws it itself, and
// what people read of its font, in Japanese.
var messagesScreenJA = map[string]string{
	"screen.none":    "この画面には日本語を表示できないため、英語で表示します: %v",
	"screen.working": "unloop: 作業中",
	"screen.wait":    "お待ちください",
	"key.english":    "E 英語 (English)",
	"key.japanese":   "J 日本語",
	"error.font":     "%s: この USB メモリに使えるフォントではありません",
	"hint.font":      "--packages には、展開した Debian パッケージ unifont が要ります。scripts/stick が取得します",
}
