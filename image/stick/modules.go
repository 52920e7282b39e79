package stick

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"sort"
	"strings"
)

// ErrModule means that a kernel module the stick cannot do without is neither in
// the kernel's package nor built into the kernel, or is not what it should be.
var ErrModule = errors.New("kernel module is missing or wrong")

// module is one file of a kernel's tree of modules.
type module struct {
	name    string   // as the kernel spells it, with underscores
	path    string   // relative to lib/modules/VERSION: kernel/drivers/ata/ahci.ko
	data    []byte   // the whole file
	depends []string // modules it cannot be loaded without
	soft    []string // modules it would like to have, as written: "pre: ehci_pci"
	aliases []string // what it serves: patterns of device names, names of file systems
}

// moduleTree is what a kernel's package brings.
type moduleTree struct {
	tree    *tree
	kernel  kernel
	folder  string            // lib/modules/VERSION
	paths   map[string]string // of the modules, by name
	builtIn map[string]bool   // by name
}

// moduleName is the kernel's spelling of the name of a module's file.
func moduleName(file string) string {
	return strings.ReplaceAll(strings.TrimSuffix(path.Base(file), ".ko"), "-", "_")
}

// readModuleTree finds the modules of a kernel; none is read yet.
func readModuleTree(t *tree, k kernel) (*moduleTree, error) {
	m := &moduleTree{tree: t, kernel: k, folder: "lib/modules/" + k.version,
		paths: map[string]string{}, builtIn: map[string]bool{}}
	list, err := t.read(k.pkg, m.folder+"/modules.builtin")
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Fields(string(list)) {
		m.builtIn[moduleName(line)] = true
	}
	resolved, err := t.resolve(m.folder)
	if err != nil {
		return nil, err
	}
	top := t.host(resolved)
	err = filepath.WalkDir(filepath.Join(top, "kernel"), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".ko") || !entry.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(top, name)
		m.paths[moduleName(entry.Name())] = filepath.ToSlash(rel)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for the modules of %s: %w", k.version, err)
	}
	return m, nil
}

// choose returns the wide set with all that it depends on, by path.
func (m *moduleTree) choose() ([]*module, error) {
	for _, name := range mustModules() {
		if m.paths[name] == "" && !m.builtIn[name] {
			return nil, fmt.Errorf("looking for module %s of package %s:%s: %w", name, m.kernel.pkg, m.tree.arch, ErrModule)
		}
	}
	var todo []string
	for name, p := range m.paths {
		if wide(name, p) {
			todo = append(todo, name)
		}
	}
	chosen := map[string]*module{}
	for len(todo) > 0 {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if chosen[name] != nil {
			continue
		}
		mod, err := m.read(name)
		if err != nil {
			return nil, err
		}
		chosen[name] = mod
		todo = append(todo, m.wanted(mod)...)
	}
	return byPath(chosen), nil
}

func byPath(chosen map[string]*module) []*module {
	var list []*module
	for _, mod := range chosen {
		list = append(list, mod)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].path < list[j].path })
	return list
}

// wanted names the modules that have to come with mod, and of those it would only
// like to have the ones that are there.
func (m *moduleTree) wanted(mod *module) []string {
	var names []string
	for _, name := range mod.depends {
		if m.paths[name] != "" || !m.builtIn[name] {
			names = append(names, name)
		}
	}
	for _, line := range mod.soft {
		for _, word := range strings.Fields(line) {
			if name := moduleName(word); m.paths[name] != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// read reads one module and what it says of itself.
func (m *moduleTree) read(name string) (*module, error) {
	if m.paths[name] == "" {
		return nil, fmt.Errorf("looking for module %s of package %s:%s: %w", name, m.kernel.pkg, m.tree.arch, ErrModule)
	}
	mod := &module{name: name, path: m.paths[name]}
	var err error
	if mod.data, err = m.tree.read(m.kernel.pkg, m.folder+"/"+mod.path); err != nil {
		return nil, err
	}
	info, err := moduleInfo(mod.data, m.kernel.machine)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", mod.path, err)
	}
	for _, field := range info {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "depends":
			mod.depends = append(mod.depends, splitNames(value)...)
		case "softdep":
			mod.soft = append(mod.soft, value)
		case "alias":
			mod.aliases = append(mod.aliases, value)
		case "vermagic":
			if version, _, _ := strings.Cut(value, " "); version != m.kernel.version {
				return nil, fmt.Errorf("reading %s, made for kernel %q: %w", mod.path, version, ErrKernel)
			}
		}
	}
	return mod, nil
}

// splitNames splits the list of depends=.
func splitNames(list string) []string {
	var names []string
	for _, name := range strings.Split(list, ",") {
		if name != "" {
			names = append(names, moduleName(name))
		}
	}
	return names
}

// moduleInfo returns the strings of a module's section .modinfo.
func moduleInfo(data []byte, machine elf.Machine) ([]string, error) {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModule, err)
	}
	section := f.Section(".modinfo")
	if f.Machine != machine || section == nil {
		return nil, fmt.Errorf("%w: made for %v", ErrModule, f.Machine)
	}
	info, err := section.Data()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModule, err)
	}
	return strings.FieldsFunc(string(info), func(r rune) bool { return r == 0 }), nil
}
