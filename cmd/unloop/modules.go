package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// moduleIndex knows the kernel modules on the stick: which one drives a device and
// what it needs first. It is read from modules.dep, modules.alias and modules.softdep
// in the form that depmod gives them.
type moduleIndex struct {
	files   map[string]string        // of a module by its name, relative to the index's folder
	needs   map[string][]string      // files to be loaded before, in order of loading
	soft    map[string][]string      // names of modules to be loaded before, if they are there
	aliases map[string][]moduleAlias // by the bus they begin with, or one is searched for too long; "": of any
}

// moduleAlias says that a module drives the devices whose modalias fits the pattern.
type moduleAlias struct{ pattern, module string }

// readModules reads the index in a folder such as /lib/modules/6.1.0-50-686.
func readModules(dir fs.FS) (*moduleIndex, error) {
	m := &moduleIndex{
		files: map[string]string{}, needs: map[string][]string{},
		soft: map[string][]string{}, aliases: map[string][]moduleAlias{},
	}
	for _, one := range []struct {
		file string
		line func(string)
	}{{"modules.dep", m.addFile}, {"modules.alias", m.addAlias}, {"modules.softdep", m.addSoft}} {
		f, err := dir.Open(one.file)
		if errors.Is(err, fs.ErrNotExist) && one.file == "modules.softdep" {
			continue
		}
		if err == nil {
			err = errors.Join(eachLine(f, one.line), f.Close())
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", one.file, err)
		}
	}
	return m, nil
}

// eachLine hands out the lines that are neither empty nor comments.
func eachLine(r io.Reader, do func(string)) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			do(line)
		}
	}
	return lines.Err()
}

// addFile reads "kernel/a.ko: kernel/c.ko kernel/b.ko", where c needs b.
func (m *moduleIndex) addFile(line string) {
	file, rest, ok := strings.Cut(line, ":")
	if !ok {
		return
	}
	m.files[moduleName(file)] = file
	needs := strings.Fields(rest)
	for i := len(needs) - 1; i >= 0; i-- {
		m.needs[file] = append(m.needs[file], needs[i])
	}
}

// addAlias reads "alias pci:v00008086d* ahci".
func (m *moduleIndex) addAlias(line string) {
	if f := strings.Fields(line); len(f) == 3 && f[0] == "alias" {
		bus := aliasBus(f[1])
		m.aliases[bus] = append(m.aliases[bus], moduleAlias{f[1], f[2]})
	}
}

// addSoft reads "softdep NAME pre: A B post: C". What comes after is loaded by its own
// devices.
func (m *moduleIndex) addSoft(line string) {
	f := strings.Fields(line)
	if len(f) < 3 || f[0] != "softdep" {
		return
	}
	before := false
	for _, word := range f[2:] {
		switch {
		case strings.HasSuffix(word, ":"):
			before = word == "pre:"
		case before:
			m.soft[moduleName(f[1])] = append(m.soft[moduleName(f[1])], word)
		}
	}
}

// moduleName is what the kernel calls the module of a file: without folder and ending,
// and with _ for -.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// aliasBus is the part of a modalias or of a pattern that names the bus: "pci", "usb".
// It is empty where that part holds a wildcard, as in "acpi*:PNP0A03:*".
func aliasBus(alias string) string {
	bus, _, _ := strings.Cut(alias, ":")
	if strings.ContainsAny(bus, `*?[\`) {
		return ""
	}
	return bus
}

// drives names the modules for a device, by its modalias.
func (m *moduleIndex) drives(modalias string) []string {
	var names []string
	for _, bus := range []string{aliasBus(modalias), ""} {
		for _, a := range m.aliases[bus] {
			if ok, err := path.Match(a.pattern, modalias); ok && err == nil {
				names = append(names, moduleName(a.module))
			}
		}
	}
	return names
}

// order lists the files to be loaded for a module, itself last; nil if the stick does
// not have it, as when it is built into the kernel.
func (m *moduleIndex) order(name string) []string {
	return m.ordered(moduleName(name), map[string]bool{})
}

func (m *moduleIndex) ordered(name string, seen map[string]bool) []string {
	file, ok := m.files[name]
	if !ok || seen[name] {
		return nil
	}
	seen[name] = true
	var all []string
	for _, need := range m.needs[file] {
		all = append(all, m.ordered(moduleName(need), seen)...)
	}
	for _, soft := range m.soft[name] {
		if slices.Contains(m.needs[m.files[moduleName(soft)]], file) {
			continue // it needs this one, and can only come after it
		}
		all = append(all, m.ordered(moduleName(soft), seen)...)
	}
	return append(all, file)
}
