package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/leonelquinteros/gotext"

	"unloop/image/stick"
)

var verbs = regexp.MustCompile(`%[-+# 0]*(\*|\d+)?(\.(\*|\d+)?)?.`)

// languages are those that everything a person reads exists in.
var languages = []string{"en", "ja"}

// messagesOf returns all messages of a language by their key.
func messagesOf(lang string) map[string]*gotext.Translation {
	all := catalogue(lang).GetDomain().GetTranslations()
	delete(all, "") // the header
	return all
}

// forms are the plural forms of a message, or the one it has.
func forms(m *gotext.Translation) []string {
	var list []string
	for i := range len(m.Trs) {
		list = append(list, m.Trs[i])
	}
	return list
}

// poKeys returns the keys of a PO file in their order, as gotext's parser, which
// forgets what it does not understand, has no part in it.
func poKeys(t *testing.T, lang string) (keys []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("locale", lang+".po"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^msgid "(.+)"$`).FindAllStringSubmatch(string(text), -1) {
		keys = append(keys, m[1])
	}
	return keys
}

// Both files have the same keys in the same order, none twice, and the parser has
// understood them all.
func TestCataloguesHaveTheSameKeys(t *testing.T) {
	en, ja := poKeys(t, "en"), poKeys(t, "ja")
	if diff := cmp.Diff(en, ja); diff != "" {
		t.Errorf("locale/en.po and locale/ja.po have different keys, or in another order (-en +ja):\n%s", diff)
	}
	for _, lang := range languages {
		sorted := slices.Sorted(slices.Values(poKeys(t, lang)))
		for i := 1; i < len(sorted); i++ {
			if sorted[i] == sorted[i-1] {
				t.Errorf("locale/%s.po has %s twice", lang, sorted[i])
			}
		}
		if diff := cmp.Diff(slices.Compact(sorted), slices.Sorted(maps.Keys(messagesOf(lang)))); diff != "" {
			t.Errorf("locale/%s.po is not what was parsed (-file +parsed):\n%s", lang, diff)
		}
	}
}

// Every message says something in each of its forms, and all forms in both languages
// have the same format verbs in the same order.
func TestCataloguesHaveTheSameVerbs(t *testing.T) {
	ja := messagesOf("ja")
	for key, m := range messagesOf("en") {
		if n := len(forms(m)); n != 1 && n != 2 {
			t.Errorf("%s has %d forms in English", key, n)
		}
		if ja[key] == nil {
			continue // TestCataloguesHaveTheSameKeys tells
		}
		if n := len(forms(ja[key])); n != 1 {
			t.Errorf("%s has %d forms in Japanese, which has no plural", key, n)
		}
		if m.PluralID != ja[key].PluralID || (m.PluralID != "") != (len(forms(m)) == 2) || m.PluralID != "" && m.PluralID != key {
			t.Errorf("%s: msgid_plural is %q in English, %q in Japanese; want %q in a message with two forms", key, m.PluralID, ja[key].PluralID, key)
		}
		want := verbs.FindAllString(forms(m)[0], -1)
		if m.PluralID != "" && !slices.Contains(want, "%d") {
			t.Errorf("%s has a plural, but no number", key)
		}
		for _, text := range append(forms(m), forms(ja[key])...) {
			if text == "" || strings.TrimSpace(text) != text {
				t.Errorf("%s: message %q", key, text)
			}
			if got := verbs.FindAllString(text, -1); !slices.Equal(got, want) {
				t.Errorf("%s: format verbs %q in %q, want %q", key, got, text, want)
			}
		}
	}
}

// need skips a test where an outside program is missing; in CI that is an error.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
}

// GNU gettext, whose format it is, finds nothing wrong with the files.
func TestCataloguesAreSoundForGettext(t *testing.T) {
	need(t, "msgfmt")
	for _, lang := range languages {
		out, err := exec.Command("msgfmt", "--check", "--statistics", "-o", os.DevNull, filepath.Join("locale", lang+".po")).CombinedOutput()
		want := fmt.Sprintf("%d translated messages.\n", len(messagesOf(lang)))
		if err != nil || string(out) != want {
			t.Errorf("msgfmt of locale/%s.po: %v, %q, want %q", lang, err, out, want)
		}
	}
}

var japaneseLetters = regexp.MustCompile(`[\p{Hiragana}\p{Katakana}\p{Han}]`)

// Whatever a person reads is translated: a Japanese message without one Japanese
// letter is a forgotten one, but for those of names alone.
func TestJapaneseIsJapanese(t *testing.T) {
	names := regexp.MustCompile(`Windows Update|Windows|FeatureSettingsOverride|Mask|Start|CPU|PC|PAE|NX|hiberfil\.sys|sha256|undo|E English|AUOptions`)
	en := messagesOf("en")
	for key, m := range messagesOf("ja") {
		bare := names.ReplaceAllString(verbs.ReplaceAllString(m.Get(), ""), "")
		if !japaneseLetters.MatchString(bare) && strings.ContainsFunc(bare, unicode.IsLetter) {
			t.Errorf("%s: %q is not translated", key, m.Get())
		}
	}
	for key, m := range en {
		if japaneseLetters.MatchString(strings.Join(forms(m), "")) {
			t.Errorf("%s: %q in English", key, forms(m))
		}
	}
}

// The stick's font has a picture of every character that a message has, in both languages.
func TestMessagesHaveGlyphs(t *testing.T) {
	for _, lang := range languages {
		for key, m := range messagesOf(lang) {
			for _, r := range strings.Join(forms(m), "") {
				if r != '\n' && !stick.FontHas(r) {
					t.Errorf("%s in %s: %q, %U, is not in the font of the stick", key, lang, r, r)
				}
			}
		}
	}
}

// Numbers of the help and messages do not come from nowhere: a wrong verb would show
// as %!d(…).
func TestNoBadVerbs(t *testing.T) {
	for _, lang := range languages {
		for _, args := range [][]string{
			{"--help"}, {"scan", "--help"}, {"repair", "--help"}, {"undo", "--help"}, {"diff", "--help"}, {"stick", "--help"}, {"stick", "write", "--help"},
			{"stick"}, {"stick", "write"}, {"stick", "write", "x"}, {"stick", "write", "-y", "nowhere"},
			{"repair", "--jobs", "0"}, {"repair", "--fix", "x", "-n"}, {"diff", "a"}, {"scan", "--jobs", "many"}, {"scan", "nowhere"},
			{"report", "--help"}, {"report"}, {"report", "nowhere"}, {"report", "--format", "x", "."},
		} {
			_, stdout, stderr := runProgram(t, append([]string{"--lang", lang}, args...)...)
			if i := strings.Index(stdout+stderr, "%!"); i >= 0 {
				t.Errorf("unloop %q in %s: %s", args, lang, (stdout + stderr)[i:])
			}
		}
	}
}

func TestLangFrom(t *testing.T) {
	for _, test := range []struct{ all, messages, lang, want string }{
		{"", "", "", "en"},
		{"", "", "ja_JP.UTF-8", "ja"},
		{"", "", "ja", "ja"},
		{"", "", "ja.UTF-8", "ja"},
		{"", "", "ja_JP@mod", "ja"},
		{"", "", "ja-JP", "ja"},
		{"", "", "JA_JP", "ja"},
		{"", "", "jam_JM", "en"}, // another language
		{"", "", "en", "en"},
		{"", "", "C", "en"},
		{"", "", "C.UTF-8", "en"},
		{"", "", "POSIX", "en"},
		{"", "", "de_DE.UTF-8", "en"},
		{"", "C", "ja_JP.UTF-8", "en"},
		{"", "ja_JP.UTF-8", "C", "ja"},
		{"C", "ja_JP.UTF-8", "ja_JP.UTF-8", "en"},
		{"ja_JP.UTF-8", "C", "C", "ja"},
	} {
		vars := map[string]string{"LC_ALL": test.all, "LC_MESSAGES": test.messages, "LANG": test.lang}
		if got := langFrom(func(name string) string { return vars[name] }); got != test.want {
			t.Errorf("langFrom(%v) = %s, want %s", fmt.Sprint(vars), got, test.want)
		}
	}
}

// Japanese messages keep to one word for one thing and to one way of setting it; the list is
// at the top of locale/ja.po.
func TestJapaneseKeepsToItsWords(t *testing.T) {
	for _, rule := range []struct{ never, instead string }{
		{`取り消`, "元に戻す"},
		{`フラグ`, "オプション"},
		{`動詞`, "コマンド"},
		{`書(い|け|き(ま|ず|な))`, "書き込む"},
		{`代償`, "副作用"},
		{`拒否`, "安全のため中止"},
		{`対象外`, "スキップ"},
		{`試行|予行`, "ドライラン"},
		{`(ドライバ|フォルダ|セクタ|エラ|コンピュータ|ユーザ|サーバ|ブラウザ|ヘッダ|フィルタ)([^ー]|$)`, "the long vowel at the end"},
		{`メモリー|USBメモリ`, "メモリ, USB メモリ"},
		{`(^|[^正常に])閉じられてい`, "正常に閉じられていない"},
		{`[ぁ-んァ-ヶ一-龥] ?\(|\)[ぁ-んァ-ヶ一-龥]`, "（）"},
		{`[ぁ-んァ-ヶ一-龥][?!,]|[ぁ-んァ-ヶ一-龥]：`, "？！、: "},
		{`[ぁ-んァ-ヶ一-龥][A-Za-z0-9%]|[A-Za-z0-9][ぁ-んァ-ヶ一-龥]`, "a blank between the letters"},
	} {
		never := regexp.MustCompile(rule.never)
		for key, m := range messagesOf("ja") {
			if bad := never.FindString(m.Get()); bad != "" {
				t.Errorf("%s: %q in %q; use %s", key, bad, m.Get(), rule.instead)
			}
		}
	}
}

// The number in a message chooses its form.
func TestPlural(t *testing.T) {
	for _, test := range []struct {
		lang, key string
		args      []any
		want      string
	}{
		{"en", "planned", []any{"x", 1}, "x: 1 value to change"},
		{"en", "planned", []any{"x", 8}, "x: 8 values to change"},
		{"en", "planned", []any{"x", 0}, "x: 0 values to change"},
		{"en", "applied", []any{"x", 1, int64(512), int64(0)}, "x: 1 sector written in place (512 bytes, and 0 to the log)"},
		{"en", "no.such", nil, "no.such"},
		{"en", "", nil, ""},
		{"ja", "planned", []any{"x", 1}, "x: 変更する値は 1 個です"},
		{"ja", "planned", []any{"x", 8}, "x: 変更する値は 8 個です"},
	} {
		e := &env{lang: test.lang}
		if got := e.text(test.key, test.args...); got != test.want {
			t.Errorf("text(%q, %v) in %s = %q, want %q", test.key, test.args, test.lang, got, test.want)
		}
	}
}
