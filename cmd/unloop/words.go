package main

import "strings"

// Words that programs read too are English in JSON, wherever unloop runs. Here people
// get them in their language.

// kindWord names what a target is; "" is one that could not be opened.
func (e *env) kindWord(kind string) string {
	key, known := map[string]string{
		"hive": "kind.hive", "folder": "kind.folder", "image": "kind.image", "device": "kind.device", "": "kind.none",
	}[kind]
	if !known {
		return escape(kind)
	}
	return e.text(key)
}

// crosscheckWords says what the crosscheck said: a verdict of askJudge, after which the judge's
// name may stand in parentheses.
func (e *env) crosscheckWords(verdict string) string {
	word, judge, named := strings.Cut(strings.TrimSuffix(verdict, ")"), " (")
	key, known := map[string]string{
		"agrees": "judged.agrees", "disagrees": "judged.disagrees", "cannot judge": "judged.cannot",
		"not installed": "judged.none", "off": "judged.off", "interrupted": "judged.interrupted",
	}[word]
	switch {
	case !known:
		return escape(verdict)
	case named:
		return e.text("judged.by", e.text(key), judge)
	}
	return e.text(key)
}
