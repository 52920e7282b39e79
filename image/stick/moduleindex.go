package stick

import (
	"errors"
	"fmt"
	"strings"
)

// The lists of modules, in the text format that depmod gives them; modprobe and
// unloop init read them.

// moduleIndex returns modules.dep, modules.alias and modules.softdep of a set of
// modules, by name of the file.
func moduleIndex(set []*module) (map[string][]byte, error) {
	byName := map[string]*module{}
	for _, mod := range set {
		byName[mod.name] = mod
	}
	var dep, alias, soft strings.Builder
	alias.WriteString("# Aliases extracted from modules themselves.\n")
	soft.WriteString("# Soft dependencies extracted from modules themselves.\n")
	for _, mod := range set {
		needs, err := closure(mod, byName)
		if err != nil {
			return nil, err
		}
		dep.WriteString(mod.path + ":")
		for _, need := range needs {
			dep.WriteString(" " + need.path)
		}
		dep.WriteString("\n")
		for _, a := range mod.aliases {
			fmt.Fprintf(&alias, "alias %s %s\n", a, mod.name)
		}
		for _, s := range mod.soft {
			fmt.Fprintf(&soft, "softdep %s %s\n", mod.name, s)
		}
	}
	return map[string][]byte{
		"modules.dep":     []byte(dep.String()),
		"modules.alias":   []byte(alias.String()),
		"modules.softdep": []byte(soft.String()),
	}, nil
}

// closure returns what has to be loaded before mod. As in depmod's file the list
// is read from its end: a module stands left of all those it needs itself.
// A name that is not in the set is built into the kernel.
func closure(mod *module, byName map[string]*module) ([]*module, error) {
	var order []*module
	state := map[*module]int{} // 1: being looked at, 2: in order
	var visit func(m *module) error
	visit = func(m *module) error {
		switch state[m] {
		case 1:
			return fmt.Errorf("ordering the modules that %s needs: %w", mod.name, errors.Join(ErrModule, errors.New("a circle")))
		case 2:
			return nil
		}
		state[m] = 1
		for _, name := range m.depends {
			if need := byName[name]; need != nil {
				if err := visit(need); err != nil {
					return err
				}
			}
		}
		state[m] = 2
		order = append([]*module{m}, order...)
		return nil
	}
	err := visit(mod)
	if err != nil {
		return nil, err
	}
	return order[1:], nil
}
