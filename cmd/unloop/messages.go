package main

import (
	_ "embed"
	"sync"

	"github.com/leonelquinteros/gotext"
)

// All that a person reads stands in locale/en.po and locale/ja.po, a format that translators
// have tools for. The msgid is the key that the source uses, in both: English is a
// translation like any other.

//go:embed locale/en.po
var englishPO []byte

//go:embed locale/ja.po
var japanesePO []byte

// A catalogue is parsed when its first message is wanted: a run needs one of the two.
var (
	messagesEN = sync.OnceValue(func() *gotext.Po { return parsePO(englishPO) })
	messagesJA = sync.OnceValue(func() *gotext.Po { return parsePO(japanesePO) })
)

func parsePO(text []byte) *gotext.Po {
	po := gotext.NewPo()
	po.Parse(text)
	return po
}

func catalogue(lang string) *gotext.Po {
	if lang == "ja" {
		return messagesJA()
	}
	return messagesEN()
}

// message returns a message of the catalogue in the form that goes with the number n. A
// key without a message, which a test rules out, shows itself.
func message(lang, key string, n int) string {
	if key == "" {
		return "" // of that key a PO file has its header
	}
	po := catalogue(lang)
	if !po.IsTranslatedN(key, n) {
		n = 1 // most messages have but one form
	}
	return po.GetN(key, key, n)
}

// hasMessage says whether there is a message of that key.
func hasMessage(lang, key string) bool { return catalogue(lang).IsTranslated(key) }

// counted is the number that decides between singular and plural: the first whole
// number among the arguments of a message.
func counted(args []any) int {
	for _, a := range args {
		switch a := a.(type) {
		case int:
			return a
		case int64:
			return int(a)
		}
	}
	return 1
}
