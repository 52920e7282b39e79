package image

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxNeighbours bounds the files that are looked at for one that stands on an image.
const maxNeighbours = 1 << 16

// overlay finds an image that stands on the one at path, or that it is a part of, in its
// folder or where VirtualBox keeps snapshots; "" if there is none. id is what the image
// calls itself.
func overlay(path, id string) string {
	own, err := os.Stat(path)
	if err != nil {
		return ""
	}
	folders := []string{filepath.Dir(path)}
	if real, err := filepath.EvalSymlinks(path); err == nil && filepath.Dir(real) != folders[0] {
		folders = append(folders, filepath.Dir(real))
	}
	for _, folder := range folders {
		for _, dir := range []string{folder, filepath.Join(folder, "Snapshots")} {
			if over := overlayIn(dir, own, id); over != "" {
				return over
			}
		}
	}
	return ""
}

func overlayIn(dir string, own fs.FileInfo, id string) string {
	f, err := os.Open(dir)
	if err != nil {
		return ""
	}
	list, _ := f.ReadDir(maxNeighbours)
	f.Close()
	for _, entry := range list {
		if !entry.Type().IsRegular() {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		if standsOn(path, own, id) {
			return path
		}
	}
	return ""
}

// standsOn says whether the file at path is an image over the given one, or one that has
// it as a part.
func standsOn(path string, own fs.FileInfo, id string) bool {
	f, info, err := openPart(path)
	if err != nil || os.SameFile(info, own) {
		if f != nil {
			f.Close()
		}
		return false
	}
	defer f.Close()
	h := readHeader(f, info.Size())
	for _, x := range h.extents {
		if part, err := os.Stat(filepath.Join(filepath.Dir(path), x.name)); err == nil && os.SameFile(part, own) {
			return true
		}
	}
	if !h.stacked {
		return false
	}
	if h.base == "" { // it knows its base by an identifier alone
		return id != "" && h.parent == id
	}
	bases := described(h.base)
	if base, err := beside(path, h); err == nil {
		bases = []string{base}
	}
	return slices.ContainsFunc(bases, func(base string) bool {
		if !filepath.IsAbs(base) {
			base = filepath.Join(filepath.Dir(path), base)
		}
		now, err := os.Stat(base)
		return err == nil && os.SameFile(now, own)
	})
}

// described are the files that a base may mean whose name is a description of QEMU's, or
// begins with "file:". Such a base is not read, but must not be changed either.
func described(name string) []string {
	if file, ok := strings.CutPrefix(name, "file:"); ok {
		return []string{file}
	}
	var words any
	if text, ok := strings.CutPrefix(name, "json:"); !ok || json.Unmarshal([]byte(text), &words) != nil {
		return nil
	}
	return texts(words)
}

// texts are all texts in a value of JSON.
func texts(value any) (all []string) {
	switch v := value.(type) {
	case string:
		all = append(all, strings.TrimPrefix(v, "file:"))
	case []any:
		for _, one := range v {
			all = append(all, texts(one)...)
		}
	case map[string]any:
		for _, one := range v {
			all = append(all, texts(one)...)
		}
	}
	return all
}
