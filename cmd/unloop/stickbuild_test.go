package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"unloop/image/stick"
)

// smallStick is as small as FAT32 can be.
func smallStick() *stick.Image {
	return &stick.Image{Size: 40 << 20, Label: "UNLOOP", VolumeID: 0x1234ABCD, Time: time.Unix(1e9, 0),
		Files: []stick.File{{Path: "a.txt", Data: []byte("text")}}}
}

// stickEnv is what saveStick needs of the world.
func stickEnv(t *testing.T) (*env, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return &env{ctx: ctx, lang: "en", mu: new(sync.Mutex)}, cancel
}

func TestSaveStick(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stick.img")
	if err := os.WriteFile(path+".part", make([]byte, 50<<20), 0o600); err != nil { // left by a killed run, and longer
		t.Fatal(err)
	}
	e, _ := stickEnv(t)
	sum, err := e.saveStick(path, smallStick())
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(data)); len(data) != 40<<20 || got != sum {
		t.Errorf("%d bytes with sha256 %s, want %d with %s", len(data), got, 40<<20, sum)
	}
	onlyFile(t, path)
}

// TestSaveStickFails: whatever goes wrong, an image that was there stays, and nothing
// is left beside it.
func TestSaveStickFails(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(im *stick.Image, cancel context.CancelFunc)
		want  error
	}{
		{"Ctrl-C", func(_ *stick.Image, cancel context.CancelFunc) { cancel() }, context.Canceled},
		{"too small", func(im *stick.Image, _ context.CancelFunc) { im.Size = 1 << 20 }, stick.ErrTooSmall},
		{"no room", func(im *stick.Image, _ context.CancelFunc) {
			im.Files = append(im.Files, stick.File{Path: "b", Data: make([]byte, 40<<20)})
		}, stick.ErrTooSmall},
	} {
		path := filepath.Join(t.TempDir(), "stick.img")
		if err := os.WriteFile(path, []byte("the old one"), 0o600); err != nil {
			t.Fatal(err)
		}
		e, cancel := stickEnv(t)
		im := smallStick()
		test.spoil(im, cancel)
		if sum, err := e.saveStick(path, im); !errors.Is(err, test.want) || sum != "" {
			t.Errorf("%s: sum %q, error %v, want %v", test.name, sum, err, test.want)
		}
		if data, err := os.ReadFile(path); string(data) != "the old one" {
			t.Errorf("%s: the old image is gone: %d bytes, %v", test.name, len(data), err)
		}
		onlyFile(t, path)
	}
}

func TestSaveStickFullDisk(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("mounting a tmpfs: %v: %s", err, out)
	}
	defer exec.Command("umount", dir).Run()
	path := filepath.Join(dir, "stick.img")
	if err := os.WriteFile(path, []byte("the old one"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, _ := stickEnv(t)
	im := smallStick()
	im.Files = append(im.Files, stick.File{Path: "b", Data: make([]byte, 2<<20)})
	if _, err := e.saveStick(path, im); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v, want %v", err, syscall.ENOSPC)
	}
	onlyFile(t, path)
}

// onlyFile wants nothing else in a file's folder.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("beside %s: %v, %v", path, entries, err)
	}
}

func TestSourceDate(t *testing.T) {
	for _, test := range []struct {
		value string
		want  time.Time
		ok    bool
	}{
		{"", time.Time{}, true},
		{"1000000000", time.Date(2001, 9, 9, 1, 46, 40, 0, time.UTC), true},
		{"315532800", time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{"315532799", time.Time{}, false},
		{"4291747199", time.Date(2105, 12, 31, 23, 59, 59, 0, time.UTC), true},
		{"4291747200", time.Time{}, false},
		{"-1", time.Time{}, false},
		{"today", time.Time{}, false},
		{"99999999999999999999", time.Time{}, false},
	} {
		got, err := sourceDate(test.value)
		if !got.Equal(test.want) || (err == nil) != test.ok {
			t.Errorf("sourceDate(%q) = %v, %v, want %v", test.value, got, err, test.want)
		}
	}
}

// TestDefaultSettings: the file a new stick gets says what goes without it.
func TestDefaultSettings(t *testing.T) {
	got, err := parseSettings(string(stick.DefaultSettings()))
	if err != nil || fmt.Sprint(got) != fmt.Sprint(defaultSettings()) {
		t.Errorf("got %+v, %v, want %+v", got, err, defaultSettings())
	}
}
