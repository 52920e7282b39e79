package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"unloop/image/stick"
)

// What may be wrong with the words of stick build.
var (
	errNotImageFile  = errors.New("not an ordinary file")
	errStickSettings = errors.New("not settings for a stick")
)

// maxStickMiB is the largest disk that a partition table of the BIOS can describe.
const maxStickMiB = 2<<20 - 1

func (e *env) stickBuildCommand() *cli.Command {
	return &cli.Command{
		Name: "build", ArgsUsage: "IMAGE",
		Usage: e.text("stickbuild.usage"), Description: e.text("stickbuild.description"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "packages", Usage: "DIR|" + e.text("flag.packages")},
			&cli.StringFlag{Name: "programs", Usage: "DIR|" + e.text("flag.programs")},
			&cli.StringFlag{Name: "settings", Usage: "FILE|" + e.text("flag.settings")},
			&cli.StringFlag{Name: "test-menu", Usage: "FILE|" + e.text("flag.testmenu")},
			&cli.IntFlag{Name: "size", Value: stick.DefaultSize >> 20, Usage: "MIB|" + e.text("flag.size")},
			cli.HelpFlag,
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usageError{"usage.oneimage", []any{c.NArg()}}
			}
			for _, name := range []string{"packages", "programs"} {
				if !c.IsSet(name) {
					return usageError{"usage.required", []any{"--" + name}}
				}
			}
			if mib := c.Int("size"); mib < 1 || mib > maxStickMiB {
				return usageError{"usage.size", []any{mib}}
			}
			stamp, err := sourceDate(e.getenv("SOURCE_DATE_EPOCH"))
			if err != nil {
				return err
			}
			config := stick.Config{Packages: c.String("packages"), Programs: c.String("programs"),
				Size: int64(c.Int("size")) << 20, Time: stamp}
			return e.runStickBuild(c.Args().First(), config, c.String("settings"), c.String("test-menu"))
		},
	}
}

// sourceDate reads SOURCE_DATE_EPOCH, the time that reproducible files get. Without
// it the time is zero. FAT knows the years 1980 to 2107.
func sourceDate(value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if t := time.Unix(n, 0).UTC(); err == nil && t.Year() >= 1980 && t.Year() <= 2105 {
		return t, nil
	}
	return time.Time{}, usageError{"usage.epoch", []any{value}}
}

// runStickBuild makes the image. Its errors name the file concerned by themselves.
func (e *env) runStickBuild(path string, config stick.Config, settings, testMenu string) error {
	sum, im, err := e.buildStick(path, config, settings, testMenu)
	if err != nil {
		e.worst = worse(e.worst, e.complain(path, err))
		return nil
	}
	return e.printStick(path, sum, im)
}

func (e *env) buildStick(path string, config stick.Config, settings, testMenu string) (sum string, im *stick.Image, err error) {
	if err := ordinaryFile(path); err != nil {
		return "", nil, err
	}
	if config.Settings, err = readSettings(settings); err != nil {
		return "", nil, err
	}
	if testMenu != "" {
		if config.TestMenu, err = os.ReadFile(testMenu); err != nil {
			return "", nil, fmt.Errorf("reading the test menu: %w", err)
		}
	}
	if im, err = stick.Build(config); err != nil {
		return "", nil, err
	}
	sum, err = e.saveStick(path, im)
	return sum, im, err
}

// ordinaryFile refuses to put the image in the place of a device or a folder.
func ordinaryFile(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("looking at %s: %w", path, errNotImageFile)
	}
	return err
}

// readSettings reads the settings for the stick, which have to be such that the stick
// understands them; nil without a name.
func readSettings(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	if _, err := parseSettings(string(data)); err != nil {
		return nil, fmt.Errorf("reading %s: %w: %w", name, errStickSettings, err)
	}
	return data, nil
}

// saveStick writes the image beside its place, reads it back, and moves it there when
// it is whole and on the medium: nobody ever sees half of one. It returns the sha256.
func (e *env) saveStick(path string, im *stick.Image) (sum string, err error) {
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return "", fmt.Errorf("making the image: %w", err)
	}
	sum, err = e.fillStick(f, im)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("making the image: %w", err), os.Remove(part))
	}
	return sum, nil
}

func (e *env) fillStick(f *os.File, im *stick.Image) (string, error) {
	if err := im.Write(interruptible{e.ctx, f}); err != nil {
		return "", err
	}
	if err := f.Sync(); err != nil {
		return "", err
	}
	if err := im.Verify(f); err != nil {
		return "", fmt.Errorf("%w: %w", errStickNotVerified, err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, im.Size)); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), e.ctx.Err()
}

// interruptible is a file that can no longer be written after Ctrl-C.
type interruptible struct {
	ctx context.Context
	w   io.WriterAt
}

// WriteAt writes, unless the context has ended.
func (w interruptible) WriteAt(p []byte, off int64) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.w.WriteAt(p, off)
}

// printStick says what was made, and what is in it.
func (e *env) printStick(path, sum string, im *stick.Image) error {
	used, err := im.Length()
	if err != nil {
		return err
	}
	size := map[string]int{}
	version := map[string]string{}
	for _, f := range im.Files {
		size[f.Path] = len(f.Data)
		version[f.Path] = stick.KernelVersion(f.Data)
	}
	mib := func(n int64) float64 { return float64(n) / (1 << 20) }
	of := func(names ...string) float64 {
		var n int
		for _, name := range names {
			n += size["unloop/"+name]
		}
		return mib(int64(n))
	}
	lines := []string{
		escape(filepath.Clean(path)),
		e.text("stickbuild.size", im.Size, mib(im.Size), mib(im.Size-used)),
		e.text("stickbuild.sum", sum),
		e.text("stickbuild.volume", im.Label, stick.VolumeIDText(im.VolumeID), im.Time.Format(time.DateTime)),
		e.text("stickbuild.kernel32", version["unloop/vmlinuz32"], of("vmlinuz32"), of("user.img", "mods32.img")),
		e.text("stickbuild.kernel64", version["unloop/vmlinuz64"], of("vmlinuz64"), of("user.img", "mods64.img")),
	}
	if _, err := io.WriteString(e.out, strings.Join(lines, "\n  ")+"\n"); err != nil {
		return fmt.Errorf("%w: %w", errNotShown, err)
	}
	return nil
}
