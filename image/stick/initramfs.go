package stick

import "time"

// The first root file system of the stick: one archive with the programs, the
// same for both kernels, and one with each kernel's modules.

// userArchive returns the archive with the programs.
func userArchive(t *tree, programs string) (*archive, error) {
	a := newArchive()
	for _, name := range []string{"proc", "sys", "dev", "run", "tmp", "stick", "windows", "mnt"} {
		a.folder(name)
	}
	a.device("dev/console", 5, 1)
	a.link("init", "bin/unloop")
	a.link("bin/sh", "busybox")
	if err := addPrograms(a, t, programs); err != nil {
		return nil, err
	}
	return a, addConversions(a, t)
}

func addPrograms(a *archive, t *tree, programs string) error {
	unloop, err := readProgram(programs, "unloop")
	if err != nil {
		return err
	}
	if err := addStatic(a, "bin/unloop", unloop); err != nil {
		return err
	}
	judge, err := readProgram(programs, "unloop-crosscheck")
	if err != nil {
		return err
	}
	if err := addDynamic(a, t, "bin/unloop-crosscheck", judge); err != nil {
		return err
	}
	busybox, err := t.read("busybox-static", "bin/busybox", "usr/bin/busybox")
	if err != nil {
		return err
	}
	if err := addStatic(a, "bin/busybox", busybox); err != nil {
		return err
	}
	ntfs, err := t.read("ntfs-3g", "bin/ntfs-3g", "usr/bin/ntfs-3g")
	if err != nil {
		return err
	}
	return addDynamic(a, t, "bin/ntfs-3g", ntfs)
}

// addConversions adds what libc converts text with: without them libhivex can
// read no name of a key.
func addConversions(a *archive, t *tree) error {
	const folder = "usr/lib/i386-linux-gnu/gconv/"
	for _, name := range []string{"UTF-16.so", "ISO8859-1.so", "gconv-modules"} {
		data, err := t.read("libc6", folder+name)
		if err != nil {
			return err
		}
		a.file(folder+name, data)
		if name == "gconv-modules" {
			continue
		}
		l, err := readLinkage(name, data)
		if err != nil {
			return err
		}
		if err := addLibraries(a, t, l.needs); err != nil {
			return err
		}
	}
	return nil
}

// addFont adds the font for a screen that unloop draws itself.
func addFont(a *archive, t *tree) error {
	source, err := t.read("unifont", fontSource)
	if err != nil {
		return err
	}
	font, err := PackFont(source)
	if err != nil {
		return err
	}
	a.file(fontName, font)
	return nil
}

// moduleArchive returns the archive with a kernel's modules and their lists.
func moduleArchive(t *tree, k kernel) (*archive, error) {
	all, err := readModuleTree(t, k)
	if err != nil {
		return nil, err
	}
	set, err := all.choose()
	if err != nil {
		return nil, err
	}
	index, err := moduleIndex(set)
	if err != nil {
		return nil, err
	}
	a := newArchive()
	for _, mod := range set {
		a.file(all.folder+"/"+mod.path, mod.data)
	}
	for name, text := range index {
		a.file(all.folder+"/"+name, text)
	}
	return a, nil
}

// packedModules is moduleArchive, compressed.
func packedModules(t *tree, k kernel, stamp time.Time) ([]byte, error) {
	a, err := moduleArchive(t, k)
	if err != nil {
		return nil, err
	}
	return a.packed(stamp)
}
