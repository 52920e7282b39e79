package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/urfave/cli/v2"
)

// Set by the linker; see scripts/demo.
var (
	version = "0.1.0"
	commit  = ""
)

// run is the whole program: it returns the exit code and never exits by itself.
func run(args []string, in io.Reader, out, errw io.Writer) int {
	e := newEnv(args, in, out, errw)
	// A reader of our output that goes away, or a terminal that is closed, must not
	// end the process in mid-write.
	signal.Ignore(syscall.SIGPIPE)
	defer e.openConsole()()
	ctx, stop := signal.NotifyContext(e.ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	e.ctx = ctx
	return int(e.main(args))
}

func (e *env) main(args []string) exitCode {
	if lang := langFlag(args); lang != "" {
		e.lang = lang
	}
	if isInit(args) {
		args = []string{"unloop", "init"} // what the kernel adds is for others
	}
	app := e.app()
	ordered, err := arrangeArgs(app, args)
	if err == nil {
		err = app.RunContext(e.ctx, ordered)
	}
	var usage usageError
	switch {
	case err == nil:
		return e.worst
	case errors.As(err, &usage):
		e.tell("unloop: error: " + e.text(usage.key, usage.args...))
		e.tell("unloop: hint: " + e.text("hint.usage"))
		return exitUsage
	}
	return worse(e.worst, e.complain(e.text("label.pc"), err))
}

// langFlag finds --lang early, so that usage errors speak the right language too.
func langFlag(args []string) string {
	for i, a := range args {
		switch {
		case a == "--":
			return ""
		case a == "--lang=ja", a == "--lang" && i+1 < len(args) && args[i+1] == "ja":
			return "ja"
		case a == "--lang=en", a == "--lang" && i+1 < len(args) && args[i+1] == "en":
			return "en"
		}
	}
	return ""
}

// app describes the command line to the library. It prints only what was asked
// for: errors come back here, and nothing exits the process.
func (e *env) app() *cli.App {
	usage := func(_ *cli.Context, err error, _ bool) error { return usageError{"usage.other", []any{err}} }
	app := &cli.App{
		Name:                      "unloop",
		Usage:                     e.text("app.usage"),
		HideHelpCommand:           true,
		HideVersion:               true,
		DisableSliceFlagSeparator: true,
		Writer:                    e.out,
		ErrWriter:                 e.err,
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              usage,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "lang", Usage: e.text("flag.lang")},
			&cli.BoolFlag{Name: "version", Usage: e.text("flag.version")},
			cli.HelpFlag,
		},
		Before: e.checkLang,
		Action: func(c *cli.Context) error {
			if c.Bool("version") {
				fmt.Fprintln(e.out, versionLine())
				return nil
			}
			return usageError{"usage.noverb", nil}
		},
		Commands: append([]*cli.Command{e.scanCommand(), e.repairCommand(), e.undoCommand(), e.diffCommand(), e.reportCommand(), e.stickCommand()}, e.hiddenCommands()...),
	}
	e.furnish(app.Commands, "", usage)
	app.CustomAppHelpTemplate = e.appHelp(app)
	return app
}

// furnish gives verbs and sub-verbs what the library lets none of them inherit.
func (e *env) furnish(list []*cli.Command, parent string, usage cli.OnUsageErrorFunc) {
	for _, c := range list {
		c.HideHelpCommand = true
		c.OnUsageError = usage
		c.CustomHelpTemplate = e.verbHelp(c, parent+c.Name)
		e.furnish(c.Subcommands, parent+c.Name+" ", usage)
	}
}

func (e *env) checkLang(c *cli.Context) error {
	if lang := c.String("lang"); c.IsSet("lang") && lang != "ja" && lang != "en" {
		return usageError{"usage.lang", []any{lang}}
	}
	return nil
}

// versionLine names version, commit and Go.
func versionLine() string {
	rev := commit
	if info, ok := debug.ReadBuildInfo(); ok && rev == "" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				rev = s.Value
			}
		}
	}
	if rev == "" {
		rev = "unknown"
	}
	return fmt.Sprintf("unloop %s (commit %.12s, %s, %s/%s)", version, rev, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
