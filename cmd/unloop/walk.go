package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"unloop/hive"
	"unloop/image"
)

// errNothingInside says that a folder holds nothing that could be repaired.
var errNothingInside = errors.New("no disk image, hive or Windows is in it")

// What is not looked at, and not passed over either.
var (
	// errLink says that a target is a link. It may lead out of the folder, to the disk of
	// this machine or of another customer.
	errLink = errors.New("a symbolic link, which is not followed")
	// errTooDeep says that a folder lies too deep below the one that was named.
	errTooDeep = errors.New("too many folders deep")
)

// maxDepth bounds how deep folders are walked.
const maxDepth = 64

// imageNames are the extensions of disk images. A file of such a name is a target even if
// it cannot be recognised: a broken image is to be told, not to be passed over.
func imageNames() []string {
	return []string{
		".img", ".raw", ".dd", ".vhd", ".vhdx", ".avhd", ".avhdx", ".vmdk", ".qcow", ".qcow2", ".qed", ".vdi", ".e01", ".ex01",
	}
}

// finder looks for targets below a folder.
type finder struct {
	*env
	apart []os.FileInfo // folders that are not looked into
	found []target
	links []string // that are called like targets
	other int      // files that are no targets
}

// walk returns what of a folder can be worked on, in the order of its names. If that is
// nothing the folder itself is the target, with the reason.
func (e *env) walk(dir string, o common) []target {
	w := &finder{env: e}
	top, err := os.Stat(dir)
	for _, own := range []string{o.backup, o.report} {
		// One that is the folder itself is no reason to pass over all that is in it.
		if info, ownErr := os.Stat(own); own != "" && err == nil && ownErr == nil && !os.SameFile(top, info) {
			w.apart = append(w.apart, info)
		}
	}
	w.folder(dir, 0)
	w.strayLinks()
	if w.other > 0 {
		e.note("walk.other", dir, w.other)
	}
	if len(w.found) == 0 {
		return []target{{path: dir, why: errNothingInside}}
	}
	return w.found
}

func (w *finder) add(path string, why error) {
	w.found = append(w.found, target{path: path, why: why, found: true})
}

// folder looks into a folder. One that holds a mounted Windows is a target as a whole.
func (w *finder) folder(dir string, depth int) {
	info, err := os.Stat(dir)
	if err == nil && slices.ContainsFunc(w.apart, func(own os.FileInfo) bool { return os.SameFile(own, info) }) {
		return
	}
	entries, listErr := os.ReadDir(dir)
	switch {
	case err != nil || listErr != nil:
		w.add(dir, errors.Join(err, listErr))
		return
	case w.interrupted() != nil || isBackup(dir):
		return
	case depth > maxDepth:
		w.add(dir, errTooDeep)
		return
	case w.isVolume(dir):
		w.add(dir, nil)
		return
	}
	config := slices.ContainsFunc(entries, isSystem)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		switch {
		case entry.IsDir() && config && strings.EqualFold(entry.Name(), "RegBack"): // Windows' own copies of these hives
		case entry.IsDir() && isFormer(entry.Name()):
		case entry.IsDir():
			w.folder(path, depth+1)
		case entry.Type() == fs.ModeSymlink && (hasImageName(path) || strings.EqualFold(entry.Name(), hive.PrimaryFile)):
			w.links = append(w.links, path)
		case isSystem(entry), isImage(path, entry):
			w.add(path, nil)
		default:
			w.other++
		}
	}
}

// strayLinks reports links to what is not in the folder itself.
func (w *finder) strayLinks() {
	inside := fileSet{}
	for _, t := range w.found {
		inside.add(t.path, stats([]string{t.path})...)
	}
	for _, link := range w.links {
		if inside.find("", stats([]string{link})...) == "" {
			w.add(link, errLink)
		}
	}
}

// isVolume says whether a folder is a mounted Windows: its hive lies further below, not in
// the folder itself.
func (w *finder) isVolume(dir string) bool {
	src, err := w.host.Open(dir)
	if err != nil {
		return false
	}
	defer src.Close()
	return slices.ContainsFunc(src.Installations(), func(in *image.Installation) bool {
		return filepath.Dir(in.ConfigLabel(hive.PrimaryFile)) != filepath.Clean(dir)
	})
}

// isBackup says whether a folder is a backup of ours, whose hives nobody wants repaired.
func isBackup(dir string) bool {
	_, err := hive.ReadBackup(dir)
	return err == nil
}

// isFormer recognises Windows.old, Windows.old.000 and so on, which are never repaired.
func isFormer(name string) bool {
	lower := strings.ToLower(name)
	return lower == "windows.old" || strings.HasPrefix(lower, "windows.old.")
}

func isSystem(entry fs.DirEntry) bool {
	return entry.Type().IsRegular() && strings.EqualFold(entry.Name(), hive.PrimaryFile)
}

// hasImageName says whether a file is called as images are.
func hasImageName(path string) bool {
	return slices.Contains(imageNames(), strings.ToLower(filepath.Ext(path)))
}

// isImage says whether a file is the image of a disk, or by its name should be one.
func isImage(path string, entry fs.DirEntry) bool {
	if !entry.Type().IsRegular() {
		return false
	}
	if hasImageName(path) {
		return true
	}
	c, err := image.Inside(path)
	return err == nil && c.Format != ""
}
