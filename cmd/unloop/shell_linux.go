package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"
	"golang.org/x/sys/unix"
)

// show shows a page and returns the key that was pressed. Where no screen can be had the
// page is printed and the key typed.
func (r *rescue) show(p *page) rune {
	defer r.times.skip()
	screen, err := r.openScreen()
	if err == nil {
		r.log.Aside("unloop: " + r.text("init.waits", p.title))
		var key rune
		key, err = p.show(screen, r.text("page.more"))
		screen.Fini()
		if err == nil {
			return key
		}
	}
	if r.frame != nil { // this page keeps its language, the next is English
		r.lend()
		r.plainText(err)
	}
	r.note("init.noscreen", err)
	if err := forgetKeys(os.Stdin); err == nil {
		r.in.Discard(r.in.Buffered())
	}
	for {
		key, err := p.ask(r.in, os.Stdout)
		if err == nil {
			return key
		}
		time.Sleep(time.Second) // a terminal that is gone may come back
	}
}

// openScreen opens the screen for a page: the terminal, or where unloop draws itself the
// frame, with the terminal for its keys.
func (r *rescue) openScreen() (screen, error) {
	s, err := r.places.screen(r.frame != nil)
	if err != nil || r.frame == nil {
		return s, err
	}
	return r.frame.open(s), nil
}

// openTerminal opens the terminal as a screen; a quiet one has keys and shows nothing.
func openTerminal(quiet bool) (screen, error) {
	if err := forgetKeys(os.Stdin); err != nil {
		return nil, err
	}
	tty, err := tcell.NewDevTty()
	if err != nil {
		return nil, err
	}
	if quiet {
		tty = quietTty{tty}
	}
	screen, err := tcell.NewTerminfoScreenFromTty(tty)
	if err != nil {
		return nil, errors.Join(err, tty.Close())
	}
	if err := screen.Init(); err != nil {
		return nil, errors.Join(err, tty.Close())
	}
	return screen, nil
}

// endHolders ends programs that a shell has left behind in one of these folders: neither
// could be unmounted, and the disk not be written to.
func endHolders(folders ...string) {
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return
	}
	more, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range append(links, more...) {
		target, err := os.Readlink(link)
		if err != nil || !slices.ContainsFunc(folders, func(dir string) bool { return target == dir || strings.HasPrefix(target, dir+"/") }) {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(link, "/")[2])
		if err == nil && pid > 1 && pid != os.Getpid() {
			unix.Kill(pid, unix.SIGKILL)
		}
	}
}

// shell gives the technician a shell; the Windows volume is at /windows, the stick at
// /stick.
func (r *rescue) shell() {
	defer r.times.skip()
	defer r.lend()()
	if err := r.findStick(); err != nil {
		r.note("init.problem", err)
	}
	r.openView()
	r.note("init.shell", viewAt, r.stickAt)
	if out, err := exec.Command("busybox", "--install", "-s", "/bin").CombinedOutput(); err != nil {
		r.note("init.problem", fmt.Errorf("%w: %s", err, out))
	}
	cmd := exec.Command("sh", "-l")
	// Our own standard error is a file, for the case that we crash.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stdout
	cmd.Env = append(os.Environ(), "PS1=unloop:\\w# ", "HOME=/", "XDG_STATE_HOME="+r.stickAt+"/"+recordsFolder)
	if err := cmd.Run(); err != nil {
		r.note("init.shellend", err)
	}
	endHolders(viewAt, r.stickAt)
	// A shell that was killed has not given the terminal back.
	if err := unix.IoctlSetPointerInt(int(os.Stdin.Fd()), unix.TIOCSPGRP, unix.Getpgrp()); err != nil {
		r.note("init.problem", err)
	}
}
