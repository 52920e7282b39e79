package main

import "errors"

// errTextAsked says that the boot menu asked for plain text.
var errTextAsked = errors.New("unloop.screen=text")

// speakFirst chooses the language before the settings are known: the kernel line's.
func (r *rescue) speakFirst() {
	if r.kernel["unloop.screen"] == "text" {
		r.frameless = errTextAsked
	}
	if lang := r.kernel["unloop.lang"]; lang == "en" || lang == "ja" {
		r.chosen = lang
		r.speak(lang)
	}
}

// speak makes unloop speak a language from now on. The PC's own screen shows Japanese
// only if unloop draws on it itself; where it cannot, it is English by itself. English
// alone is left to Linux's console, which works on every screen.
func (r *rescue) speak(lang string) {
	r.settings.Language, r.lang = lang, lang
	if lang != "en" && isVT(r.console) && !r.draws() {
		r.lang = "en"
	}
}

// draws says whether unloop draws on the PC's screen itself, and begins to if it can.
func (r *rescue) draws() bool {
	if r.frame != nil {
		return true
	}
	if r.frameless != nil {
		return false
	}
	f, err := r.newFrame()
	if err == nil {
		f.between = r.workingPage
		if err = f.take(); err != nil {
			err = errors.Join(err, f.lend())
		}
	}
	if err != nil {
		r.plainText(err)
		return false
	}
	r.frame = f
	r.log.show(f)
	return true
}

// plainText gives up drawing, for good.
func (r *rescue) plainText(why error) {
	r.log.show(nil)
	r.frame, r.frameless, r.lang = nil, why, "en"
	r.note("screen.none", why)
}

// lend lends the screen to the console, whose words are English, until the function that
// it returns is called.
func (r *rescue) lend() (back func()) {
	f, lang := r.frame, r.lang
	if f == nil {
		return func() {}
	}
	r.log.show(nil)
	if err := f.lend(); err != nil {
		r.note("init.problem", err)
	}
	r.lang = "en"
	return func() {
		if err := f.take(); err != nil {
			r.plainText(err)
			return
		}
		r.lang = lang
		r.log.show(f)
	}
}

// workingPage is what stands on the screen between pages: what the stages say.
func (r *rescue) workingPage(lines []pageLine) *page {
	return &page{title: r.text("screen.working"), mood: moodCalm, body: lines, keys: []pageKey{{0, r.text("screen.wait")}}}
}

// languageKey offers the other language, in its own name where this one can show that.
func (r *rescue) languageKey() []pageKey {
	switch {
	case r.lang != "en":
		return []pageKey{{'E', r.text("key.english")}}
	case isVT(r.console) && r.frameless != nil:
		return nil
	}
	return []pageKey{{'J', r.text("key.japanese")}}
}

// otherLanguage speaks the other language, whatever the settings say.
func (r *rescue) otherLanguage() {
	other := "en"
	if r.lang == "en" {
		other = "ja"
	}
	r.speak(other)
	r.settings.Language, r.chosen = r.lang, r.lang
}
