package main

import (
	"errors"
	"strings"

	"unloop/image"
)

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

// targetWord is kindWord, and in which format an image is where that matters.
func (e *env) targetWord(kind string, format image.Format) string {
	if format == "" || format == image.FormatRaw {
		return e.kindWord(kind)
	}
	return e.text("kind.format", e.kindWord(kind), string(format))
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

// failure says what went wrong with a target or hive, and behind it the error's own words.
func (e *env) failure(label string, why *errorResult) string {
	words := e.text("error."+why.Key, label)
	if why.Detail != "" {
		words = e.text("acc.because", words, why.Detail)
	}
	return words
}

// objection is what forbids writing to an installation; in JSON, the error's own words.
type objection struct{ error }

// MarshalText gives JSON the words.
func (o objection) MarshalText() ([]byte, error) { return []byte(o.Error()), nil }

// UnmarshalText makes an error of the words again; which one it was is lost.
func (o *objection) UnmarshalText(text []byte) error {
	o.error = errors.New(string(text))
	return nil
}

// refused says what forbids writing, and behind it the error's own words, which name the
// place.
func (e *env) refused(why objection) string {
	key, _ := explain(why.error)
	if key == "other" {
		return escape(why.Error())
	}
	return e.text("acc.because", strings.TrimPrefix(e.text("error."+key, ""), ": "), why.error)
}
