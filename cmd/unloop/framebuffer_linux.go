package main

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Requests of the framebuffer and console drivers (linux/fb.h, linux/kd.h), and what
// their answers say.
const (
	fbGetVariable = 0x4600 // FBIOGET_VSCREENINFO
	fbGetFixed    = 0x4602 // FBIOGET_FSCREENINFO
	fbPacked      = 0      // FB_TYPE_PACKED_PIXELS: a pixel's bits lie together
	fbTrueColour  = 2      // FB_VISUAL_TRUECOLOR: they are the colour, and no number in a table

	kdSetMode  = 0x4B3A // KDSETMODE
	kdText     = 0
	kdGraphics = 1
)

// fbVariable is the kernel's struct fb_var_screeninfo as far as it matters.
type fbVariable struct {
	width, height               uint32
	virtualWidth, virtualHeight uint32
	x, y                        uint32 // where in the virtual screen the visible one begins
	depth, grayscale            uint32
	red, green, blue, alpha     struct{ offset, length, msbRight uint32 }
	_                           [20]uint32
}

// fbFixed is its struct fb_fix_screeninfo.
type fbFixed struct {
	_             [16]byte
	_             uintptr
	size          uint32 // of the framebuffer in bytes
	kind, kindAux uint32
	visual        uint32
	_             [3]uint16
	stride        uint32 // bytes of a row
	_             uintptr
	_, _          uint32
	_, _, _       uint16
	_/* for growth */ [16]byte
}

// framebuffer is the PC's screen as a file of pixels. It is written to and not mapped:
// a write that fails is an error, a page that is gone a crash.
type framebuffer struct {
	*os.File
	pixels
	size int64
}

// openFramebuffer opens one, if characters can be drawn on it; else the error wraps
// errNoCanvas.
func openFramebuffer(path string) (*framebuffer, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoCanvas, err)
	}
	b := &framebuffer{File: f}
	if err := b.ask(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return b, nil
}

// ask reads from the driver how the framebuffer is laid out.
func (b *framebuffer) ask() error {
	var v fbVariable
	var f fbFixed
	for request, answer := range map[uintptr]unsafe.Pointer{fbGetVariable: unsafe.Pointer(&v), fbGetFixed: unsafe.Pointer(&f)} {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, b.Fd(), request, uintptr(answer)); errno != 0 {
			return fmt.Errorf("%w: asking how it is laid out: %w", errNoCanvas, errno)
		}
	}
	if err := directColours(&v, &f); err != nil {
		return err
	}
	b.size = int64(f.size)
	b.pixels = layout(&v, &f)
	return b.check(b.size)
}

// directColours refuses what keeps its pixels in planes, or as numbers in a table.
func directColours(v *fbVariable, f *fbFixed) error {
	if f.kind != fbPacked || f.visual != fbTrueColour || v.grayscale != 0 || v.red.msbRight|v.green.msbRight|v.blue.msbRight != 0 {
		return fmt.Errorf("%w: %d bits a pixel, of type %d and visual %d", errNoCanvas, v.depth, f.kind, f.visual)
	}
	return nil
}

// layout translates the kernel's words. Its numbers are not to be trusted before check.
func layout(v *fbVariable, f *fbFixed) pixels {
	return pixels{
		width: clipped(v.width), height: clipped(v.height), depth: clipped(v.depth), stride: clipped(f.stride),
		base: int64(v.y)*int64(f.stride) + int64(v.x)*int64(v.depth/8),
		red:  channel{v.red.offset, v.red.length}, green: channel{v.green.offset, v.green.length}, blue: channel{v.blue.offset, v.blue.length},
	}
}

// clipped makes an int of a number that is absurd if it is large.
func clipped(n uint32) int { return int(min(n, 1<<24)) }

// setConsoleMode says who draws on the virtual terminal: the kernel its text, or we. A
// terminal that is not one of the PC's own is left alone.
func setConsoleMode(tty *os.File, mode int) error {
	if err := unix.IoctlSetInt(int(tty.Fd()), kdSetMode, mode); err != nil {
		return fmt.Errorf("switching the console: %w", err)
	}
	return nil
}
