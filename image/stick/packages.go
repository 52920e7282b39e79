package stick

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// ErrMissing means that a file of an unpacked Debian package is not there; the
// text names file and package.
var ErrMissing = errors.New("file of a package is missing")

// maxLinks is how many symbolic links one name may lead through, as in Linux.
const maxLinks = 40

// tree is a folder with the unpacked Debian packages of one architecture. Its
// symbolic links are meant for a system whose root it is: an absolute one, or
// one with many "..", leads to another place of the tree and never out of it.
type tree struct {
	root   string
	arch   string    // Debian's word: i386, amd64
	newest time.Time // of the files read so far
}

// openTree opens one architecture's folder in the folder of the packages.
func openTree(packages, arch string) (*tree, error) {
	t := &tree{root: filepath.Join(packages, arch), arch: arch}
	info, err := os.Stat(t.root)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !info.IsDir():
		return nil, fmt.Errorf("looking for the folder %s: %w", t.root, ErrMissing)
	case err != nil:
		return nil, fmt.Errorf("looking for the packages of %s: %w", arch, err)
	}
	return t, nil
}

// resolve follows the links of a slash-separated name and returns where it ends,
// relative to the root. The last part need not be there.
func (t *tree) resolve(name string) (string, error) {
	rest, done := strings.Split(name, "/"), ""
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		if part == "" || part == "." || part == ".." {
			if part == ".." {
				done = path.Join("/", done, "..")[1:]
			}
			continue
		}
		next := path.Join(done, part)
		target, err := os.Readlink(t.host(next))
		if err != nil { // no link
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("following the links of %s in %s: more than %d", name, t.root, maxLinks)
		}
		if path.IsAbs(target) {
			done = ""
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done, nil
}

// host is the name that the system knows a resolved name by.
func (t *tree) host(resolved string) string {
	return filepath.Join(t.root, filepath.FromSlash(resolved))
}

// find returns the system's name of the first of several names that is a file;
// "" when none is.
func (t *tree) find(names ...string) (string, error) {
	for _, name := range names {
		resolved, err := t.resolve(name)
		if err != nil {
			return "", err
		}
		if info, err := os.Stat(t.host(resolved)); err == nil && info.Mode().IsRegular() {
			return t.host(resolved), nil
		}
	}
	return "", nil
}

// need is find for a file that has to be there; pkg is the Debian package that
// brings it.
func (t *tree) need(pkg string, names ...string) (string, error) {
	found, err := t.find(names...)
	if err == nil && found == "" {
		err = fmt.Errorf("looking for %s of package %s:%s in %s: %w", names[0], pkg, t.arch, t.root, ErrMissing)
	}
	return found, err
}

// read returns a file that has to be there.
func (t *tree) read(pkg string, names ...string) ([]byte, error) {
	found, err := t.need(pkg, names...)
	if err != nil {
		return nil, err
	}
	return t.readHost(found)
}

// readHost reads a file that find found.
func (t *tree) readHost(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("reading a file of %s: %w", t.arch, err)
	}
	if info.ModTime().After(t.newest) {
		t.newest = info.ModTime()
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading a file of %s: %w", t.arch, err)
	}
	return data, nil
}

// list returns the sorted names in a folder; none when the folder is not there.
func (t *tree) list(folder string) ([]string, error) {
	resolved, err := t.resolve(folder)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(t.host(resolved))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing %s: %w", t.host(resolved), err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	sort.Strings(names)
	return names, nil
}
