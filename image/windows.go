package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// maxWindows bounds the installations looked for on one volume.
const maxWindows = 64

// Installation is one Windows, or a hive file named by itself.
type Installation struct {
	Label      string  // of the Windows folder; of the folder a hive file lies in
	Volume     *Volume // nil for a folder or hive file
	Hibernated string  // what hiberfil.sys beside the Windows folder says; "" without it

	src     *Source
	windows string // Windows folder, relative to the volume's or folder's root; "" for a hive file
	config  string // config folder, likewise
	root    string // ordinary folders: path of the root; "" if there is none above
	// sleepRoot is where hiberfil.sys would be, for ordinary folders and hive files; ""
	// if that is not known.
	sleepRoot string
	hive      string // hive file: its path
	dir       string // ordinary folders: path of the config folder
}

// Folder is the name of the Windows folder relative to its root, as spelt
// there: "Windows", "WINNT". Empty for a hive file.
func (in *Installation) Folder() string { return in.windows }

// ConfigPath is the path a file of the config folder has, or would have, from the root of
// the volume on; of a hive file, and where no root is known, its name alone.
func (in *Installation) ConfigPath(name string) string {
	if in.config == "" {
		return name
	}
	return in.config + "/" + name
}

// ConfigLabel is the label a file of the config folder has, or would have.
func (in *Installation) ConfigLabel(name string) string {
	switch {
	case in.Volume != nil:
		return in.Volume.prefix(in.src.path) + in.config + "/" + name
	case in.hive == "":
		return filepath.Join(in.dir, name)
	}
	if suffix, ok := strings.CutPrefix(strings.ToUpper(name), "SYSTEM"); ok {
		return in.hive + suffix
	}
	return filepath.Join(filepath.Dir(in.hive), name)
}

// Open opens a file of the config folder, without regard to letter case:
// SYSTEM, SYSTEM.LOG1, SOFTWARE. Of a hive file, SYSTEM is the file itself
// whatever its name, its logs are the siblings NAME.LOG, NAME.LOG1, NAME.LOG2,
// and there is nothing else. fs.ErrNotExist if there is no such file.
func (in *Installation) Open(name string) (*File, error) {
	switch {
	case in.Volume != nil:
		return in.OpenPath(in.config + "/" + name)
	case in.hive != "":
		return in.openSibling(name)
	}
	return in.openIn(in.dir, name)
}

// OpenBeside opens like Open, and beside a hive file also another file of the folder it
// lies in, as if that were a config folder.
func (in *Installation) OpenBeside(name string) (*File, error) {
	if in.hive == "" || strings.HasPrefix(strings.ToUpper(name), "SYSTEM") {
		return in.Open(name)
	}
	dir, _ := filepath.Split(in.hive)
	found, err := resolveIn(orDefault(dir, "."), name)
	if err != nil {
		return nil, fmt.Errorf("opening %s beside %s: %w", name, in.hive, err)
	}
	return in.src.openPlain(found, dir+filepath.Base(found), false)
}

// OpenPath opens a file by its path from the root of the volume or mounted
// folder, with slashes, without regard to letter case. fs.ErrNotExist if there
// is none, or, for a hive file, no root.
func (in *Installation) OpenPath(path string) (*File, error) {
	if in.Volume == nil {
		if in.root == "" {
			return nil, fmt.Errorf("opening %s beside %s: %w", path, in.Label, fs.ErrNotExist)
		}
		return in.openIn(in.root, path)
	}
	v := in.Volume
	label := v.prefix(in.src.path) + path
	root, err := v.fs.root()
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", label, err)
	}
	r, spelt, err := v.fs.resolve(root, path)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", label, err)
	}
	s, err := v.fs.openData(r)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", label, err)
	}
	return &File{src: in.src, label: v.prefix(in.src.path) + spelt, volume: v, stream: s}, nil
}

// openIn opens a file below an ordinary folder.
func (in *Installation) openIn(dir, path string) (*File, error) {
	spelt, err := resolveIn(dir, path)
	if err != nil {
		return nil, fmt.Errorf("opening %s in %s: %w", path, dir, err)
	}
	return in.src.openPlain(spelt, spelt, false)
}

// openSibling opens a hive file, or a log beside it.
func (in *Installation) openSibling(name string) (*File, error) {
	switch suffix, _ := strings.CutPrefix(strings.ToUpper(name), "SYSTEM"); suffix {
	case "":
		return in.src.openPlain(in.hive, in.hive, true)
	case ".LOG", ".LOG1", ".LOG2":
		dir, base := filepath.Split(in.hive)
		found, err := resolveIn(orDefault(dir, "."), base+suffix)
		if err != nil {
			return nil, fmt.Errorf("opening %s: %w", in.hive+suffix, err)
		}
		return in.src.openPlain(found, dir+filepath.Base(found), false)
	}
	return nil, fmt.Errorf("opening %s beside %s: %w", name, in.hive, fs.ErrNotExist)
}

// findHive makes a hive file the only installation.
func (s *Source) findHive() error {
	in := &Installation{Label: filepath.Dir(s.path), src: s, hive: s.path}
	if abs, err := filepath.Abs(s.path); err == nil {
		in.sleepRoot = rootAbove(filepath.Dir(abs))
		in.Hibernated = hibernationBeside(in.sleepRoot)
	}
	s.found = []*Installation{in}
	_, err := in.Open("SYSTEM")
	return err
}

// rootAbove is the volume root if dir is the config folder of a Windows.
func rootAbove(dir string) string {
	system32 := filepath.Dir(dir)
	if !sameName(filepath.Base(dir), "config") || !sameName(filepath.Base(system32), "System32") {
		return ""
	}
	return filepath.Dir(filepath.Dir(system32))
}

// findInFolder resolves a folder: a volume root, a Windows folder, its
// System32, or the config folder itself.
func (s *Source) findInFolder() error {
	abs, err := filepath.Abs(s.path)
	if err != nil {
		return openError(s.path, err)
	}
	for _, name := range strings.Split(filepath.ToSlash(abs), "/") {
		if oldWindows(name) {
			return fmt.Errorf("%s is a former Windows: %w", s.path, ErrNoWindows)
		}
	}
	for _, below := range []string{"SYSTEM", "config/SYSTEM", "System32/config/SYSTEM"} {
		if hive, err := resolveIn(s.path, below); err == nil && regular(hive) {
			s.addFolder(filepath.Dir(hive), abs)
			return nil
		}
	}
	names, err := folders(s.path)
	if err != nil {
		return openError(s.path, err)
	}
	var denied error
	for _, name := range names {
		hive, err := resolveIn(s.path, name+"/System32/config/SYSTEM")
		if errors.Is(err, fs.ErrPermission) && isFolder(s.path, name+"/System32/config") {
			denied = err
		}
		if err == nil && regular(hive) && !skipFolder(name) && len(s.found) < maxWindows {
			s.addFolder(filepath.Dir(hive), abs)
		}
	}
	if len(s.found) == 0 && denied != nil {
		return openError(s.path, denied)
	}
	if len(s.found) == 0 {
		return fmt.Errorf("%s: %w", s.path, ErrNoWindows)
	}
	return nil
}

func isFolder(dir, path string) bool {
	found, err := resolveIn(dir, path)
	if err != nil {
		return false
	}
	info, err := os.Lstat(found)
	return err == nil && info.IsDir()
}

// addFolder adds the installation whose config folder is dir. Its root is
// known where the folders above have the names they have in a Windows.
func (s *Source) addFolder(dir, abs string) {
	in := &Installation{Label: dir, src: s, dir: dir}
	full, err := filepath.Abs(dir)
	if root := rootAbove(full); err == nil && root != "" {
		in.root, in.sleepRoot = root, root
		in.windows = filepath.Base(filepath.Dir(filepath.Dir(full)))
		in.config = in.windows + "/" + filepath.Base(filepath.Dir(full)) + "/" + filepath.Base(full)
		in.Hibernated = hibernationBeside(root)
		if len(abs) < len(full)-len("/config") {
			in.Label = filepath.Dir(filepath.Dir(dir))
		}
	}
	s.found = append(s.found, in)
}

// hibernationBeside reads hiberfil.sys in an ordinary folder.
func hibernationBeside(root string) string {
	if root == "" {
		return ""
	}
	path, err := resolveIn(root, hiberfil)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil || !regular(path) {
		return HiberUnreadable
	}
	f, err := openRead(path, false)
	if err != nil && isBusy(err) {
		return HiberInUse
	}
	if err != nil {
		return HiberUnreadable
	}
	defer f.Close()
	head := make([]byte, hiberHead)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return HiberUnreadable
	}
	return hiberState(head[:n])
}

// findOnVolume looks for a Windows in every folder of the volume root.
func (s *Source) findOnVolume(v *Volume) ([]*Installation, error) {
	root, err := v.fs.root()
	if err != nil {
		return nil, err
	}
	dirs, problem := v.fs.list(root, func(name string) bool { return !skipFolder(name) })
	sort.SliceStable(dirs, func(i, j int) bool { return dirs[i].name < dirs[j].name })
	var all []*Installation
	for _, c := range dirs {
		if !c.rec.dir || len(all) == maxWindows {
			continue
		}
		r, spelt, err := v.fs.resolve(c.rec, "System32/config/SYSTEM")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			problem = errors.Join(problem, fmt.Errorf("%s: %w", c.name, err))
			continue
		}
		if r.dir {
			continue
		}
		all = append(all, &Installation{Label: v.prefix(s.path) + c.name, Volume: v, Hibernated: v.Hibernated,
			src: s, windows: c.name, config: c.name + "/" + spelt[:strings.LastIndex(spelt, "/")]})
	}
	return all, problem
}

// skipFolder says which folders of a volume root hold no installation: those
// of NTFS itself, the recycle bin, and a Windows that was replaced.
func skipFolder(name string) bool {
	return name == "." || strings.HasPrefix(name, "$") || oldWindows(name)
}

// oldWindows reports Windows.old, Windows.old.000 and so on.
func oldWindows(name string) bool {
	lower := strings.ToLower(name)
	return lower == "windows.old" || strings.HasPrefix(lower, "windows.old.")
}

// resolveIn walks a path with slashes below an ordinary folder, without regard
// to letter case, and returns it as spelt there.
func resolveIn(dir, path string) (string, error) {
	for _, name := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		found, err := findName(dir, name)
		if err != nil {
			return "", err
		}
		dir = filepath.Join(dir, found)
	}
	return dir, nil
}

// findName finds a name in an ordinary folder: in the same letters, else in
// other letter case.
func findName(dir, name string) (string, error) {
	names, err := readNames(dir)
	if err != nil {
		return "", err
	}
	other := ""
	for _, n := range names {
		if n.Type()&fs.ModeSymlink != 0 {
			continue // a link may lead out of the volume
		}
		if n.Name() == name {
			return name, nil
		}
		if other == "" && sameName(n.Name(), name) {
			other = n.Name()
		}
	}
	if other == "" {
		return "", fmt.Errorf("%s: %w", filepath.Join(dir, name), fs.ErrNotExist)
	}
	return other, nil
}

// folders lists the folders in a folder, without links.
func folders(dir string) ([]string, error) {
	list, err := readNames(dir)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, e := range list {
		if e.IsDir() {
			all = append(all, e.Name())
		}
	}
	return all, nil
}

// readNames lists a folder in order, leaving its access time alone.
func readNames(dir string) ([]fs.DirEntry, error) {
	f, err := openRead(dir, true)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.ReadDir(-1)
	sort.Slice(list, func(i, j int) bool { return list[i].Name() < list[j].Name() })
	return list, err
}

// regular reports an ordinary file that is no link.
func regular(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}
