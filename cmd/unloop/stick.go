package main

import "github.com/urfave/cli/v2"

// stickCommand makes rescue sticks; the work is in its sub-verbs.
func (e *env) stickCommand() *cli.Command {
	return &cli.Command{
		Name: "stick", ArgsUsage: "build | write",
		Usage: e.text("stick.usage"), Description: e.text("stick.description"),
		Flags:       []cli.Flag{cli.HelpFlag},
		Subcommands: []*cli.Command{e.stickBuildCommand(), e.stickWriteCommand()},
	}
}
