package stick

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// ErrProgram means that a program is not one the stick can run: 386, for Linux.
var ErrProgram = errors.New("not a program for the stick")

// loaderName is where a dynamic 386 program expects its loader.
const loaderName = "lib/ld-linux.so.2"

// libraryFolder is where the loader looks for libraries without being told to.
const libraryFolder = "lib/i386-linux-gnu"

// readProgram reads a program of ours from the folder of the programs.
func readProgram(folder, name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for %s in %s: %w: it is not there", name, folder, ErrProgram)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the program %s: %w", name, err)
	}
	return data, nil
}

// linkage is what a program or library says about how it wants to be loaded.
type linkage struct {
	loader string   // "" of a static program and of most libraries
	needs  []string // libraries, by name
}

// readLinkage reads it, and refuses what a 386 could not run.
func readLinkage(name string, data []byte) (linkage, error) {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return linkage{}, fmt.Errorf("reading %s: %w: %w", name, ErrProgram, err)
	}
	if f.Class != elf.ELFCLASS32 || f.Machine != elf.EM_386 || (f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN) {
		return linkage{}, fmt.Errorf("reading %s: %w: it is %v, %v", name, ErrProgram, f.Machine, f.Type)
	}
	var l linkage
	for _, segment := range f.Progs {
		if segment.Type != elf.PT_INTERP {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(segment.Open(), 4096))
		if err != nil {
			return linkage{}, fmt.Errorf("reading %s: %w: %w", name, ErrProgram, err)
		}
		l.loader = strings.TrimRight(string(text), "\x00")
	}
	if f.SectionByType(elf.SHT_DYNAMIC) == nil {
		return l, nil
	}
	if l.needs, err = f.ImportedLibraries(); err != nil {
		return linkage{}, fmt.Errorf("reading %s: %w: %w", name, ErrProgram, err)
	}
	return l, nil
}

// addStatic adds a program that needs nothing else.
func addStatic(a *archive, name string, data []byte) error {
	l, err := readLinkage(path.Base(name), data)
	if err != nil {
		return err
	}
	if l.loader != "" || len(l.needs) > 0 {
		return fmt.Errorf("reading %s: %w: it is not static", path.Base(name), ErrProgram)
	}
	a.program(name, data)
	return nil
}

// addDynamic adds a program with the loader and the libraries it needs, and those
// which these need, out of the packages.
func addDynamic(a *archive, t *tree, name string, data []byte) error {
	l, err := readLinkage(path.Base(name), data)
	if err != nil {
		return err
	}
	if l.loader != "" && l.loader != "/"+loaderName {
		return fmt.Errorf("reading %s: %w: its loader is %q", path.Base(name), ErrProgram, l.loader)
	}
	a.program(name, data)
	if l.loader != "" {
		loader, err := t.read("libc6", loaderName)
		if err != nil {
			return err
		}
		a.program(loaderName, loader)
	}
	return addLibraries(a, t, l.needs)
}

// addLibraries adds libraries and all that they need.
func addLibraries(a *archive, t *tree, names []string) error {
	for len(names) > 0 {
		name := names[0]
		names = names[1:]
		to := libraryFolder + "/" + name
		if _, there := a.members[to]; there || name == path.Base(loaderName) {
			continue
		}
		if name != path.Base(name) {
			return fmt.Errorf("looking for the library %q: %w", name, ErrProgram)
		}
		data, err := t.read(libraryPackage(name), to, "usr/"+to, "lib/"+name, "usr/lib/"+name)
		if err != nil {
			return err
		}
		l, err := readLinkage(name, data)
		if err != nil {
			return err
		}
		a.file(to, data)
		names = append(names, l.needs...)
	}
	return nil
}

// libraryPackage guesses the Debian package that brings a library, for a message.
func libraryPackage(soname string) string {
	name, version, _ := strings.Cut(soname, ".so.")
	switch {
	case strings.HasPrefix(name, "libhivex"), strings.HasPrefix(name, "libntfs-3g"):
		return name + version
	case name == "libgcc_s":
		return "libgcc-s1"
	}
	return "libc6"
}
