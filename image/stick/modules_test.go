package stick

import (
	"debug/elf"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// chosen reads the modules of the small packages, changed by change.
func chosen(t testing.TB, change func(map[string]fixtureFile)) ([]*module, error) {
	t.Helper()
	files := packageFiles()
	change(files)
	tree, err := openTree(writeFiles(t, files), "i386")
	if err != nil {
		t.Fatal(err)
	}
	all, err := readModuleTree(tree, kernel{version: version32, pkg: "linux-image-" + version32, machine: elf.EM_386})
	if err != nil {
		return nil, err
	}
	return all.choose()
}

func TestModuleIndex(t *testing.T) {
	set, err := chosen(t, func(map[string]fixtureFile) {})
	if err != nil {
		t.Fatal(err)
	}
	index, err := moduleIndex(set)
	if err != nil {
		t.Fatal(err)
	}
	const folder = "kernel/drivers/any/"
	for _, want := range []struct{ file, line string }{
		{"modules.dep", folder + "ahci.ko: " + folder + "libahci.ko " + folder + "libata.ko " + folder + "scsi_mod.ko " + folder + "scsi-common.ko"},
		{"modules.dep", folder + "libata.ko: " + folder + "scsi_mod.ko " + folder + "scsi-common.ko"},
		{"modules.dep", folder + "scsi-common.ko:"},
		{"modules.dep", folder + "uhci_hcd.ko:"}, // it needs what is built in
		{"modules.alias", "alias pci:v*bc01sc06i01* ahci"},
		{"modules.softdep", "softdep uhci_hcd pre: ehci_pci post: not-there"},
	} {
		if !slices.Contains(strings.Split(string(index[want.file]), "\n"), want.line) {
			t.Errorf("%s has no line %q:\n%s", want.file, want.line, index[want.file])
		}
	}
	if strings.Contains(string(index["modules.dep"]), "unwanted") {
		t.Error("a module that nobody asked for is in modules.dep")
	}
}

func TestModuleErrors(t *testing.T) {
	const folder = "i386/lib/modules/" + version32 + "/kernel/drivers/any/"
	put := func(name string, data []byte) func(map[string]fixtureFile) {
		return func(files map[string]fixtureFile) { files[folder+name+".ko"] = fixtureFile{"", data} }
	}
	for _, test := range []struct {
		name   string
		change func(map[string]fixtureFile)
		want   error
		text   string
	}{
		{"must have", func(f map[string]fixtureFile) { delete(f, folder+"usb_storage.ko") }, ErrModule, "usb_storage"},
		{"dependency", func(f map[string]fixtureFile) { delete(f, folder+"scsi_mod.ko") }, ErrModule, "scsi_mod"},
		{"other kernel", put("ahci", aModule(elf.EM_386, "6.1.0-2-686")), ErrKernel, `"6.1.0-2-686"`},
		{"other CPU", put("ahci", aModule(elf.EM_X86_64, version32)), ErrModule, "ahci.ko"},
		{"no module", put("ahci", []byte("text")), ErrModule, "ahci.ko"},
		{"empty", put("ahci", nil), ErrModule, "ahci.ko"},
		{"cut short", put("ahci", aModule(elf.EM_386, version32)[:0x180]), ErrModule, "ahci.ko"},
		{"no .modinfo", put("ahci", elfFixture{machine: elf.EM_386, kind: elf.ET_REL}.bytes()), ErrModule, "ahci.ko"},
		{"list of what is built in", func(f map[string]fixtureFile) { delete(f, "i386/lib/modules/"+version32+"/modules.builtin") },
			ErrMissing, "linux-image-" + version32 + ":i386"},
	} {
		set, err := chosen(t, test.change)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %d modules, error %v; want %v with %q", test.name, len(set), err, test.want, test.text)
		}
	}
}

func TestModuleCircle(t *testing.T) {
	a := &module{name: "a", path: "a.ko", depends: []string{"b"}}
	b := &module{name: "b", path: "b.ko", depends: []string{"a"}}
	if index, err := moduleIndex([]*module{a, b}); !errors.Is(err, ErrModule) {
		t.Errorf("got %q, error %v, want %v", index, err, ErrModule)
	}
}

// TestPackagesDepmod compares our lists of real modules with those that depmod makes of the
// same set.
func TestPackagesDepmod(t *testing.T) {
	packages := realPackages(t)
	for _, arch := range []string{"i386", "amd64"} {
		tree, err := openTree(packages, arch)
		if err != nil {
			t.Fatal(err)
		}
		k, err := readKernel(tree, arch == "amd64")
		if err != nil {
			t.Fatal(err)
		}
		all, err := readModuleTree(tree, k)
		if err != nil {
			t.Fatal(err)
		}
		set, err := all.choose()
		if err != nil {
			t.Fatal(err)
		}
		ours, err := moduleIndex(set)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for _, mod := range set {
			writeFile(t, filepath.Join(dir, all.folder, mod.path), mod.data)
		}
		judge(t, nil, "depmod", "-b", dir, k.version)
		for name, text := range ours {
			theirs, err := os.ReadFile(filepath.Join(dir, all.folder, name))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(indexLines(string(theirs)), indexLines(string(text))); d != "" {
				t.Errorf("%s, %s (-depmod +ours):\n%s", arch, name, d)
			}
		}
		checkOrder(t, string(ours["modules.dep"]))
	}
}

// indexLines returns the lines of an index, sorted, and the words of modules.dep
// too: there depmod may put modules that do not need each other either way round.
func indexLines(text string) []string {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		if mod, needs, is := strings.Cut(line, ".ko:"); is {
			words := strings.Fields(needs)
			sort.Strings(words)
			line = mod + ": " + strings.Join(words, " ")
		}
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	sort.Strings(lines)
	return lines
}

// checkOrder loads every line of modules.dep from its end, as modprobe does.
func checkOrder(t *testing.T, dep string) {
	t.Helper()
	needs := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(dep), "\n") {
		mod, list, _ := strings.Cut(line, ":")
		needs[mod] = strings.Fields(list)
	}
	for mod, list := range needs {
		loaded := map[string]bool{}
		for _, one := range slices.Backward(list) {
			for _, before := range needs[one] {
				if !loaded[before] {
					t.Errorf("%s: %s is loaded before %s, which it needs (%v)", mod, one, before, slices.Sorted(maps.Keys(loaded)))
				}
			}
			loaded[one] = true
		}
	}
}
