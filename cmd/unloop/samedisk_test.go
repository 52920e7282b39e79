package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Of what patterns and folders find, extents and layers of others are left out; who names a
// layer means it. One disk is worked on once.
func TestSift(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) fs.FileInfo {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			writeFile(t, path, []byte("same length and time"))
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	disk := func(name string, parts ...string) inside {
		in := inside{files: []fs.FileInfo{file(name)}}
		for _, p := range parts {
			in.parts = append(in.parts, file(p))
		}
		return in
	}
	split := disk("split.vmdk", "split-s001.vmdk", "split-s002.vmdk")
	split.files = append(split.files, split.parts...)
	found := func(paths ...string) (all []target) {
		for _, p := range paths {
			all = append(all, target{path: p, found: true})
		}
		return all
	}
	for _, test := range []struct {
		name    string
		targets []target
		insides []inside
		want    []string
		notes   int
	}{
		{"extents", found("split-s001.vmdk", "split-s002.vmdk", "split.vmdk"),
			[]inside{disk("split-s001.vmdk"), disk("split-s002.vmdk"), split}, []string{"split.vmdk"}, 2},
		{"layers", found("base.qcow2", "top.qcow2", "middle.qcow2"),
			[]inside{disk("base.qcow2"), disk("top.qcow2", "middle.qcow2", "base.qcow2"), disk("middle.qcow2", "base.qcow2")}, []string{"top.qcow2"}, 2},
		{"two that name each other", found("a.qcow2", "b.qcow2", "c.qcow2"),
			[]inside{disk("a.qcow2", "b.qcow2"), disk("b.qcow2", "a.qcow2"), disk("c.qcow2")}, []string{"a.qcow2", "b.qcow2", "c.qcow2"}, 0},
		{"a layer that was named", []target{{path: "base.qcow2"}, {path: "top.qcow2", found: true}},
			[]inside{disk("base.qcow2"), disk("top.qcow2", "base.qcow2")}, []string{"base.qcow2", "top.qcow2"}, 0},
		{"an extent and its whole, both named", []target{{path: "split.vmdk"}, {path: "split-s001.vmdk"}},
			[]inside{split, disk("split-s001.vmdk")}, []string{"split.vmdk"}, 1},
		{"device nodes", []target{{path: "/dev/a"}, {path: "/dev/b"}, {path: "/dev/c"}},
			[]inside{{drive: "sda"}, {drive: "sdb"}, {drive: "sda"}}, []string{"/dev/a", "/dev/b"}, 1},
		{"a file before the loop device that shows it", []target{{path: "x.img"}, {path: "/dev/loop"}, {path: "link"}},
			[]inside{disk("x.img"), {files: []fs.FileInfo{file("x.img")}, drive: "loop0", loop: true}, {files: []fs.FileInfo{file("x.img")}, drive: "loop0", loop: true}},
			[]string{"/dev/loop"}, 2},
		{"what is not there", []target{{path: "x"}, {path: "x"}}, []inside{{}, {}}, []string{"x", "x"}, 0},
	} {
		e := testEnv(t)
		var notes bytes.Buffer
		e.err = &notes
		var got []string
		for _, one := range e.sift(test.targets, test.insides) {
			got = append(got, one.path)
		}
		if !slices.Equal(got, test.want) || bytes.Count(notes.Bytes(), []byte("\n")) != test.notes {
			t.Errorf("%s: %q, want %q; %d notes wanted:\n%s", test.name, got, test.want, test.notes, notes.String())
		}
	}
}
