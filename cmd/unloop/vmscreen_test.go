//go:build linux

package main

import (
	"bytes"
	"fmt"
	"image"
	_ "image/png" // what QEMU keeps
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"unloop/image/stick"
)

// inJapanese is an unloop.toml of a technician in Japan.
const inJapanese = "mode = \"ask\"\nafter = \"ask\"\nlanguage = \"ja\"\n"

// font takes the font out of the stick's first root file system, with others' programs.
func (s *vmStick) font() (*stick.Font, error) {
	packed := filepath.Join(filepath.Dir(s.path), "user.img")
	if _, err := s.mtools("mcopy", "-o", "::/unloop/user.img", packed); err != nil {
		return nil, err
	}
	cmd := exec.Command("sh", "-c", `zstd -dcq "$1" | cpio -i --quiet --to-stdout lib/unloop/font`, "sh", packed)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("taking the font out of user.img: %w: %s", err, said.String())
	}
	return stick.ParseFont(out.Bytes())
}

// reads keeps a picture of the screen once it is at rest, and reads it as people do: by
// the shapes of the characters. What has another shape, or none, fails the test.
func (m *vmRun) reads(name string) (text string, looks [][]colours) {
	m.t.Helper()
	need(m.t, "zstd", "cpio")
	m.shoot(name)
	font, err := m.stick.font()
	if err != nil {
		m.t.Fatal(err)
	}
	text, looks = newEye(font).read(m.t, m.picture(name))
	if strings.ContainsAny(text, string([]rune{noNarrow, noWide})) {
		m.t.Errorf("on the screen %s characters are missing:\n%s", name, text)
	}
	return text, looks
}

// picture returns what shoot has kept.
func (m *vmRun) picture(name string) image.Image {
	m.t.Helper()
	dir, err := m.out()
	if err != nil {
		m.t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(dir, name+".png"))
	if err != nil {
		m.t.Fatal(err)
	}
	defer file.Close()
	picture, _, err := image.Decode(file)
	if err != nil {
		m.t.Fatal(err)
	}
	return picture
}

// shows wants the screen to be drawn, to have a bar of that mood, and to say all that.
func (m *vmRun) shows(name string, mood mood, words ...string) {
	m.t.Helper()
	text, looks := m.reads(name)
	if want := palette()[barStyle(mood)]; looks[0][0].paper != want.paper {
		m.t.Errorf("the bar of the screen %s is %v, want %v", name, looks[0][0].paper, want.paper)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			m.t.Errorf("the screen %s does not say %q:\n%s", name, word, text)
		}
	}
}

// repairsInJapanese goes through a repair on the PC's own screen, which is drawn.
func (m *vmRun) repairsInJapanese(d *disk) {
	m.t.Helper()
	m.expectWithin(`unloop: 画面でキーを待っています: unloop: .*を修復しますか`, bootTime)
	m.shows("plan", moodCalm, " unloop: UNLOOP-PC を修復しますか？\n", " PC:       UNLOOP-PC（", " 副作用:   この PC では", "\n +\"Start\"=dword:00000004\n",
		" Enter 修復する  D 詳細  U 修復を元に戻す  S シェル  R 再起動  P 電源を切る  E English\n")
	m.press("enter")
	m.result("REPAIRED")
	m.said(`unloop: USB メモリを抜いてもかまいません`)
	m.expect(`unloop: 画面でキーを待っています: 修復しました`)
	m.shows("repaired", moodGood, "\n 修復しました（REPAIRED）\n", "USB メモリを抜き、R を押して Windows を起動してください。")
	m.press("p")
	m.expect(`unloop: 電源を切ります`)
	m.ends("guest-shutdown")
	m.wantRepaired(d)
}
