package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// isInit says whether the kernel of the stick started this program as its first process.
func isInit(args []string) bool {
	return os.Getpid() == 1 && len(args) > 0 && filepath.Base(args[0]) == "init"
}

// initCommand is the first process on the stick, and, with --session, the session that
// it starts. A stick's kernel line is the proof that this is not somebody's own machine.
func (e *env) initCommand() *cli.Command {
	return &cli.Command{
		Name: "init", Hidden: true, Usage: e.text("init.usage"),
		Flags: []cli.Flag{&cli.BoolFlag{Name: "session", Hidden: true}, cli.HelpFlag},
		Action: func(c *cli.Context) error {
			line := readLine("/proc/cmdline")
			_, onStick := kernelOptions(line)["unloop.stick"]
			switch {
			case c.Args().Present():
				return usageError{"usage.notarget", []any{c.Args().First()}}
			case os.Getpid() == 1 && !c.Bool("session"):
				return e.runInit()
			case !onStick || !c.Bool("session"):
				return usageError{"usage.init", nil}
			}
			return e.runRescue(line)
		},
	}
}

// initMounts are the file systems of the kernel's own, and folders for others.
var initMounts = []struct{ source, at, fstype, options string }{
	{"proc", "/proc", "proc", ""},
	{"sysfs", "/sys", "sysfs", ""},
	{"devtmpfs", "/dev", "devtmpfs", "mode=0755"},
	{"tmpfs", "/run", "tmpfs", "mode=0755"},
	{"tmpfs", "/tmp", "tmpfs", "mode=1777"},
}

// runInit is process 1. It never ends, for the kernel would panic; the session is a
// process of its own, so that whatever becomes of it is a message and not the end.
func (e *env) runInit() error {
	for _, m := range initMounts {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			e.note("init.problem", err)
		}
		if err := unix.Mount(m.source, m.at, m.fstype, 0, m.options); err != nil && !errors.Is(err, unix.EBUSY) {
			e.note("init.problem", fmt.Errorf("mounting %s: %w", m.at, err))
		}
	}
	for _, dir := range []string{stickAt, viewAt} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			e.note("init.problem", err)
		}
	}
	quietKernel()
	names := consoles(readLine("/proc/cmdline"))
	console := names[len(names)-1]
	for {
		why := e.superviseSession(console)
		e.askAfterCrash(console, why)
	}
}

// quietKernel keeps the kernel's messages off the screen, and Ctrl-Alt-Del from
// restarting the PC in mid-write.
func quietKernel() {
	const consoleLevel = 8 // syslog(2): SYSLOG_ACTION_CONSOLE_LEVEL; the length is the level
	unix.Klogctl(consoleLevel, make([]byte, 1))
	unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF)
}

// sessionErrors keeps what a session says when it dies.
const sessionErrors = "/run/unloop.err"

// superviseSession runs one session on the console and returns why it ended, which it
// does only by accident.
func (e *env) superviseSession(console string) string {
	tty, err := os.OpenFile(consoleDevice(console), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return err.Error()
	}
	defer tty.Close()
	errs, err := os.OpenFile(sessionErrors, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err.Error()
	}
	defer errs.Close()
	term := "xterm"
	if isVT(console) {
		term = "linux"
	}
	saved, termErr := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	p, err := os.StartProcess("/proc/self/exe", []string{"unloop", "init", "--session"}, &os.ProcAttr{
		Dir:   "/",
		Env:   []string{"PATH=/bin:/sbin:/usr/bin", "HOME=/", "LC_ALL=C.UTF-8", "TERM=" + term, "LINES=24", "COLUMNS=80"},
		Files: []*os.File{tty, tty, errs},
		Sys:   &unix.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0},
	})
	if err != nil {
		return err.Error()
	}
	status := reapUntil(p.Pid)
	clearLeftovers()
	if termErr == nil {
		resetConsole(console, saved)
	}
	why := fmt.Sprintf("exit code %d", status.ExitStatus()) // for a developer, with a stack of Go below it
	if status.Signaled() {
		why = status.Signal().String()
	}
	if said, err := os.ReadFile(sessionErrors); err == nil && len(said) > 0 {
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		why += "\n" + strings.Join(lines[:min(len(lines), 12)], "\n")
	}
	return why
}

// resetConsole leaves the screen that a session may have left up. The console is opened
// anew, for with its session the old file of it has hung up.
func resetConsole(console string, saved *unix.Termios) {
	tty, err := os.OpenFile(consoleDevice(console), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return
	}
	defer tty.Close()
	unix.IoctlSetTermios(int(tty.Fd()), unix.TCSETS, saved)
	if isVT(console) {
		_ = setConsoleMode(tty, kdText)
	}
	fmt.Fprint(tty, "\x1b[?1049l\x1b[0m\x1b[?25h\r\n") // attributes off, cursor on
}

// leftoverTime is how long what was killed may take to go; who waits for a disk that does
// not answer goes later.
const leftoverTime = 10 * time.Second

// clearLeftovers ends what a session has left behind, a mounted Windows volume above all:
// the next one could not open its disk for writing.
func clearLeftovers() {
	unix.Kill(-1, unix.SIGKILL) // everything but process 1
	for end := time.Now().Add(leftoverTime); time.Now().Before(end); {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if err != nil && !errors.Is(err, unix.EINTR) {
			break // there is nobody left
		}
		if pid == 0 {
			time.Sleep(20 * time.Millisecond)
		}
	}
	syncAll()
	for _, at := range []string{viewAt, stickAt} {
		for mountedAt(at) && unix.Unmount(at, unix.MNT_DETACH) == nil {
		}
	}
}

// reapUntil waits for a process, and for every orphan that the kernel gives to process 1.
func reapUntil(pid int) unix.WaitStatus {
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case got == pid:
			return status
		case errors.Is(err, unix.ECHILD):
			return status
		case err != nil && !errors.Is(err, unix.EINTR):
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// askAfterCrash says that a session has died and what can be done. A write that was
// under way is ended by the next session.
func (e *env) askAfterCrash(console, why string) {
	tty, err := os.OpenFile(consoleDevice(console), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		time.Sleep(time.Second) // then there is nobody to ask
		return
	}
	defer tty.Close()
	in := bufio.NewReader(tty)
	for {
		fmt.Fprintf(tty, "\nunloop: error: %s\n", e.text("init.crashed", strings.SplitN(why, "\n", 2)[0]))
		if _, rest, ok := strings.Cut(why, "\n"); ok {
			fmt.Fprintln(tty, rest)
		}
		fmt.Fprintf(tty, "unloop: hint: %s\n> ", e.text("init.crashhint"))
		answer, err := in.ReadString('\n')
		if err != nil {
			time.Sleep(time.Second)
			return
		}
		switch strings.ToUpper(strings.TrimSpace(answer)) {
		case "":
			return
		case "S":
			e.crashShell(tty)
		case "R":
			syncAll()
			unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
		case "P":
			syncAll()
			unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
		}
	}
}

func (e *env) crashShell(tty *os.File) {
	p, err := os.StartProcess("/bin/busybox", []string{"sh", "-l"}, &os.ProcAttr{
		Dir: "/", Env: []string{"PATH=/bin:/sbin:/usr/bin", "HOME=/", "TERM=linux"},
		Files: []*os.File{tty, tty, tty}, Sys: &unix.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0},
	})
	if err != nil {
		fmt.Fprintln(tty, "unloop: error:", err)
		return
	}
	reapUntil(p.Pid)
}

// hiddenCommands are verbs that no person types.
func (e *env) hiddenCommands() []*cli.Command { return []*cli.Command{e.initCommand()} }
