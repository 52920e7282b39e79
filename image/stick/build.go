package stick

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// volumeLabel is what Windows and GRUB show.
const volumeLabel = "UNLOOP"

// Build makes a stick in memory out of unpacked packages and programs. The same
// input gives the same bytes: the ids of disk and volume come from the content.
//
// Errors: ErrMissing, ErrKernel, ErrModule, ErrProgram and ErrBootLoader for
// packages and programs that are not what the stick needs, ErrFont for its font.
func Build(c Config) (*Image, error) {
	b, err := newBuilder(c)
	if err != nil {
		return nil, err
	}
	for _, step := range []func() error{b.kernels, b.loaders, b.user, b.modules, b.texts} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("building the stick: %w", err)
		}
	}
	b.identify()
	return &b.image, nil
}

// builder is a stick in the making.
type builder struct {
	config      Config
	i386, amd64 *tree
	is32, is64  kernel
	image       Image
}

func newBuilder(c Config) (*builder, error) {
	b := &builder{config: c, image: Image{Size: c.Size, Label: volumeLabel, Time: c.Time}}
	if c.Size == 0 {
		b.image.Size = DefaultSize
	}
	var err error
	if b.i386, err = openTree(c.Packages, "i386"); err != nil {
		return nil, fmt.Errorf("building the stick: %w", err)
	}
	if b.amd64, err = openTree(c.Packages, "amd64"); err != nil {
		return nil, fmt.Errorf("building the stick: %w", err)
	}
	return b, nil
}

func (b *builder) add(path string, data []byte) {
	b.image.Files = append(b.image.Files, File{Path: path, Data: data})
}

func (b *builder) kernels() error {
	var err error
	if b.is32, err = readKernel(b.i386, false); err != nil {
		return err
	}
	if b.is64, err = readKernel(b.amd64, true); err != nil {
		return err
	}
	b.add("unloop/vmlinuz32", b.is32.image)
	b.add("unloop/vmlinuz64", b.is64.image)
	return nil
}

func (b *builder) loaders() error {
	var err error
	if b.image.BootCode, err = bootCode(b.amd64); err != nil {
		return err
	}
	if b.image.Core, err = coreImage(b.amd64); err != nil {
		return err
	}
	for _, t := range []*tree{b.i386, b.amd64} {
		files, err := uefi(t)
		if err != nil {
			return err
		}
		b.image.Files = append(b.image.Files, files...)
	}
	b.image.Files = append(b.image.Files, menuFiles()...)
	return nil
}

// user adds the programs' archive. With it the last file of a package has been
// read but for modules, which are as old as their kernel: so the time is known.
func (b *builder) user() error {
	a, err := userArchive(b.i386, b.config.Programs)
	if err != nil {
		return err
	}
	if err := addFont(a, b.amd64); err != nil {
		return err
	}
	if b.image.Time.IsZero() {
		b.image.Time = newer(b.i386.newest, b.amd64.newest).UTC()
	}
	packed, err := a.packed(b.image.Time)
	if err != nil {
		return err
	}
	b.add("unloop/user.img", packed)
	return nil
}

func newer(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (b *builder) modules() error {
	mods32, err := packedModules(b.i386, b.is32, b.image.Time)
	if err != nil {
		return err
	}
	mods64, err := packedModules(b.amd64, b.is64, b.image.Time)
	if err != nil {
		return err
	}
	b.add("unloop/mods32.img", mods32)
	b.add("unloop/mods64.img", mods64)
	return nil
}

// texts adds what people read, and the folder for the records.
func (b *builder) texts() error {
	name := filepath.Join(b.config.Packages, "packages.txt")
	list, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking for the list of the packages, %s: %w", name, ErrMissing)
	}
	if err != nil {
		return fmt.Errorf("reading the list of the packages: %w", err)
	}
	b.add("unloop/packages.txt", list)
	if b.config.TestMenu != nil {
		b.add("unloop/test.cfg", b.config.TestMenu)
	}
	settings := b.config.Settings
	if settings == nil {
		settings = DefaultSettings()
	}
	b.add("unloop.toml", settings)
	b.add("README.txt", windowsText(readme))
	b.image.Files = append(b.image.Files, File{Path: "records", Dir: true})
	return nil
}

// identify derives the ids of disk and volume from all that is on the stick.
func (b *builder) identify() {
	h := sha256.New()
	put := func(data []byte) {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(data))))
		h.Write(data)
	}
	put(binary.LittleEndian.AppendUint64(nil, uint64(b.image.Size)))
	put(binary.LittleEndian.AppendUint64(nil, uint64(b.image.Time.Unix())))
	put(b.image.BootCode)
	put(b.image.Core)
	for _, f := range b.image.Files {
		put([]byte(f.Path))
		put(f.Data)
	}
	sum := h.Sum(nil)
	b.image.DiskID = binary.LittleEndian.Uint32(sum[:4])
	b.image.VolumeID = binary.LittleEndian.Uint32(sum[4:8])
}
