package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"unloop/image"
	"unloop/image/stick"
)

// stickImage is the image that "stick build" makes unless told otherwise.
const stickImage = "unloop-stick.img"

// maxStick is the largest disk that a stick's volume fills: Windows formats FAT32 up
// to 32 GiB, and some old BIOSes start from no larger one.
const maxStick = 32<<30 + 1<<20

// largestStick is the size in bytes above which a disk on USB is rather somebody's
// archive: who wants to lose it types its name.
const largestStick = 260e9

// Errors of writing a stick.
var (
	errLargeDrive       = errors.New("larger than a stick")
	errHoldsWindows     = errors.New("a Windows is installed on it")
	errMayHoldWindows   = errors.New("a Windows may be on it")
	errWrongName        = errors.New("not the name of the disk")
	errHalfStick        = errors.New("the stick is incomplete")
	errStickNotVerified = errors.New("the stick is not proven")
)

type stickWriteOptions struct {
	image     string // file that is written
	forceName string // the device's kernel name: overwrite it even if it looks like no stick
	yes       bool   // do not ask
	dryRun    bool   // stop before the first write
	keepSize  bool   // byte for byte, with the image's own size and ids
}

func (e *env) stickWriteCommand() *cli.Command {
	return &cli.Command{
		Name: "write", ArgsUsage: "DEVICE",
		Usage: e.text("stickwrite.usage"), Description: e.text("stickwrite.description"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "image", Usage: "FILE|" + e.text("flag.stickimage")},
			&cli.BoolFlag{Name: "dry-run", Aliases: []string{"n"}, Usage: e.text("flag.stickdryrun")},
			&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: e.text("flag.yes")},
			&cli.StringFlag{Name: "force-name", Usage: "NAME|" + e.text("flag.forcename")},
			&cli.BoolFlag{Name: "keep-size", Usage: e.text("flag.keepsize")},
			cli.HelpFlag,
		},
		Action: func(c *cli.Context) error {
			o := stickWriteOptions{
				image: c.String("image"), forceName: c.String("force-name"),
				yes: c.Bool("yes"), dryRun: c.Bool("dry-run"), keepSize: c.Bool("keep-size"),
			}
			if o.image == "" {
				o.image = stickImage
			}
			switch {
			case c.Args().Len() != 1:
				return usageError{"usage.onedevice", []any{c.Args().Len()}}
			case !o.dryRun && !o.yes && o.forceName == "" && !e.inTTY:
				return usageError{"usage.stickyes", nil}
			}
			return e.runStickWrite(c.Args().First(), o)
		},
	}
}

// runStickWrite writes the image to the device, once both have been looked at and
// somebody has agreed. Until then everything is open for reading only.
func (e *env) runStickWrite(device string, o stickWriteOptions) error {
	label := o.image
	p, err := e.openStickImage(o)
	if err == nil {
		defer p.close()
		label = device
		err = e.writeStick(device, p, o)
	}
	if err != nil {
		e.worst = worse(e.worst, e.complain(label, err))
	}
	return nil
}

func (e *env) writeStick(device string, p *stickSource, o stickWriteOptions) error {
	d, err := e.host.Drive(device)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(e.out, e.text("drive", d.Path, strings.Join(driveWords(d), ", "), sizeWords(d.Size))); err != nil {
		return fmt.Errorf("%w: %w", errNotShown, err)
	}
	if err := e.host.Occupied(d); err != nil {
		return err
	}
	doubts, err := e.inspectDrive(d)
	if err != nil {
		return err
	}
	if err := p.fit(d, o.keepSize); err != nil {
		return err
	}
	e.stage(stagePlan, "stickplan", device, p.image.Label, sizeWords(p.image.Size))
	if err := e.agree(d, doubts, o); err != nil {
		return err
	}
	if o.dryRun {
		e.stage(stageReport, "dryrun", device)
		return nil
	}
	if err := e.interrupted(); err != nil {
		return err
	}
	return e.burn(d, p)
}

// stickSource is what is written to a stick, and how.
type stickSource struct {
	file  *os.File
	image *stick.Image
	plain bool // byte for byte
}

func (p *stickSource) close() { p.file.Close() }

// openStickImage reads and checks the image.
func (e *env) openStickImage(o stickWriteOptions) (*stickSource, error) {
	info, err := os.Stat(o.image)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file: %w", o.image, stick.ErrNotStick)
	}
	f, err := os.Open(o.image)
	if err != nil {
		return nil, err
	}
	im, err := stick.Read(f, info.Size())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	e.stage(stageDiscover, "stickimage", o.image, im.Label, sizeWords(im.Size), len(im.Files), im.Time.Format("2006-01-02"))
	return &stickSource{file: f, image: im, plain: o.keepSize}, nil
}

// fit makes the image fill the drive, with numbers of its own, lest two sticks in one
// PC are taken for each other; or sees to it that it has room as it is.
func (p *stickSource) fit(d *image.Drive, keep bool) error {
	if keep {
		if d.Size < p.image.Size {
			return fmt.Errorf("%d bytes, the image has %d: %w", d.Size, p.image.Size, stick.ErrTooSmall)
		}
		return nil
	}
	id := make([]byte, 8)
	rand.Read(id)
	p.image.Renumber(binary.BigEndian.Uint32(id), binary.BigEndian.Uint32(id[4:]))
	p.image.Size = min(d.Size, maxStick)
	_, err := p.image.Length()
	return err
}

// inspectDrive shows what is on the drive. Doubts are reasons against overwriting it
// that its owner may overrule.
func (e *env) inspectDrive(d *image.Drive) (doubts []error, err error) {
	done := e.busy(stageInspect, d.Path)
	src, err := e.host.Open(d.Path)
	done()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	for _, p := range src.Problems() {
		e.note("problem", p)
	}
	var b bytes.Buffer
	e.driveContent(&b, src)
	if _, err := e.out.Write(b.Bytes()); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotShown, err)
	}
	if !d.Pluggable() {
		doubts = append(doubts, fmt.Errorf("%s, bus %q: %w", d.Path, d.Bus, image.ErrFixed))
	}
	if d.Size > largestStick {
		doubts = append(doubts, fmt.Errorf("%s, %s: %w", d.Path, sizeWords(d.Size), errLargeDrive))
	}
	if err := windowsOn(src); err != nil {
		doubts = append(doubts, err)
	}
	return doubts, nil
}

// driveWords says what can be known of a drive without opening it.
func driveWords(d *image.Drive) (words []string) {
	name := strings.TrimSpace(d.Vendor + " " + d.Model)
	for _, w := range []string{name, d.Bus, d.Serial} {
		if w != "" {
			words = append(words, w)
		}
	}
	return words
}

// driveContent lists what is lost with the drive.
func (e *env) driveContent(b *bytes.Buffer, src *image.Source) {
	line := func(indent int, key string, args ...any) {
		fmt.Fprintf(b, "%*s%s\n", 2*indent, "", e.text(key, args...))
	}
	bare, label := src.Filesystem(0)
	if bare != "" {
		line(1, "drive.bare", bare, label)
	}
	for _, v := range src.Volumes() {
		name, label := v.Kind.String(), v.Label
		if v.Kind == image.VolumeOther {
			name, label = src.Filesystem(v.Offset)
		}
		line(1, "drive.volume", v.Index, sizeWords(v.Size), name, label)
	}
	for _, in := range src.Installations() {
		line(1, "drive.windows", in.ConfigLabel("SYSTEM"))
	}
	if bare == "" && len(src.Volumes()) == 0 {
		line(1, "drive.nothing")
	}
}

// windowsOn says whether a Windows is on the drive, or could be where nobody can look.
func windowsOn(src *image.Source) error {
	if all := src.Installations(); len(all) > 0 {
		return fmt.Errorf("%s: %w", all[0].ConfigLabel("SYSTEM"), errHoldsWindows)
	}
	none := src.NoWindows()
	for _, hidden := range []error{image.ErrBitLocker, image.ErrRaidMember, image.ErrDynamicDisk} {
		if errors.Is(none, hidden) {
			return fmt.Errorf("%w: %w", errMayHoldWindows, none)
		}
	}
	for _, v := range src.Volumes() {
		if v.Kind == image.VolumeNTFS && len(src.Problems()) > 0 {
			return fmt.Errorf("%w: %w", errMayHoldWindows, src.Problems()[0])
		}
	}
	return nil
}

// agree waits for the word of the drive's owner: yes, or the drive's name where there
// are doubts. A name given beforehand must be the right one.
func (e *env) agree(d *image.Drive, doubts []error, o stickWriteOptions) error {
	if o.forceName != "" && o.forceName != d.Name {
		return fmt.Errorf("%q, the kernel calls it %q: %w", o.forceName, d.Name, errWrongName)
	}
	switch {
	case o.forceName != "":
		for _, why := range doubts {
			e.stage(stagePlan, "forced", why)
		}
		return nil
	case len(doubts) > 0 && (o.dryRun || o.yes || !e.inTTY):
		return errors.Join(doubts...)
	case len(doubts) > 0:
		for _, why := range doubts {
			e.stage(stagePlan, "doubt", why)
		}
		if e.answer("askname", d.Name) != d.Name {
			return errors.Join(append([]error{e.interrupted()}, doubts...)...)
		}
		return nil
	case o.dryRun || o.yes:
		return nil
	}
	return e.ask(d.Path)
}

// answer puts a question and returns what was typed; "" on Ctrl-C.
func (e *env) answer(key string, args ...any) string {
	e.mu.Lock()
	fmt.Fprint(e.err, "unloop: "+e.text(key, args...)+" ")
	e.mu.Unlock()
	typed := make(chan string, 1)
	go func() {
		line, _ := e.in.ReadString('\n')
		typed <- strings.TrimSpace(line)
	}()
	select {
	case <-e.ctx.Done():
		return ""
	case line := <-typed:
		return line
	}
}
