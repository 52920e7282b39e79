package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"unloop/hive"
	"unloop/hive/regf"
)

// book lists which hive files are loaded, in a file.
type book struct{ path string }

// mount is a loaded hive.
type mount struct{ Name, File string }

func (b book) read() (all []mount, err error) {
	text, err := os.ReadFile(b.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	return all, err
}

func (b book) write(all []mount) error {
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(b.path, text, 0o644)
}

// split cuts HKLM\NAME\PATH.
func split(key string) (name string, path []string, ok bool) {
	parts := strings.Split(key, `\`)
	if root := strings.ToUpper(parts[0]); root != "HKLM" && root != "HKEY_LOCAL_MACHINE" {
		return "", nil, false
	}
	if len(parts) == 1 {
		return "", nil, true
	}
	return parts[1], parts[2:], true
}

func (b book) load(key, file string) error {
	name, path, ok := split(key)
	all, err := b.read()
	if err != nil || !ok || name == "" || len(path) > 0 || file == "" {
		return errors.Join(err, errUsage)
	}
	if file, err = filepath.Abs(file); err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(m mount) bool { return strings.EqualFold(m.Name, name) || strings.EqualFold(m.File, file) }) {
		return errBusy
	}
	if err := replay(file); err != nil {
		return err
	}
	return b.write(append(all, mount{name, file}))
}

// replay writes what the log of a dirty hive holds into the hive.
func replay(file string) error {
	var f hive.Files
	var err error
	if f.Primary, err = os.ReadFile(file); err != nil {
		return err
	}
	if f.Log1, err = os.ReadFile(file + ".LOG1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	h, err := hive.Open(f)
	if err != nil || h.Replay == nil {
		return err
	}
	return os.WriteFile(file, h.Bytes(), 0o644)
}

func (b book) unload(key string) error {
	name, _, _ := split(key)
	all, err := b.read()
	if err != nil {
		return err
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(m mount) bool { return strings.EqualFold(m.Name, name) })
	if len(rest) == len(all) {
		return errKey
	}
	return b.write(rest)
}

// open finds the loaded hive that a key lies in, the path in it, and the file.
func (b book) open(key string) (h *regf.Hive, path []string, file string, err error) {
	name, path, ok := split(key)
	all, err := b.read()
	if err != nil || !ok {
		return nil, nil, "", errors.Join(err, errUsage)
	}
	i := slices.IndexFunc(all, func(m mount) bool { return strings.EqualFold(m.Name, name) })
	if i < 0 {
		return nil, nil, "", errKey
	}
	data, err := os.ReadFile(all[i].File)
	if err != nil {
		return nil, nil, "", err
	}
	h, err = regf.Parse(data)
	return h, path, all[i].File, err
}
