package main

import (
	"os"
	"os/exec"
	"path/filepath"

	"github.com/urfave/cli/v2"
)

// hiddenCommands: startnet.cmd of a WinPE starts one of them.
func (e *env) hiddenCommands() []*cli.Command { return []*cli.Command{e.winpeCommand()} }

// isInit: the stick runs Linux.
func isInit([]string) bool { return false }

// winpeCommand repairs this PC, or only looks, as unloop.toml says: the one on the
// medium that WinPE was started from before the one in its image.
func (e *env) winpeCommand() *cli.Command {
	return &cli.Command{
		Name: "winpe", Hidden: true, Usage: e.text("winpe.usage"),
		Flags: []cli.Flag{cli.HelpFlag},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usageError{"usage.notarget", []any{c.Args().First()}}
			}
			return e.runWinPE(c.IsSet("lang"))
		},
	}
}

func (e *env) runWinPE(langGiven bool) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	paths := []string{filepath.Join(filepath.Dir(exe), settingsName)}
	if drive := e.host.BootDrive(); drive != "" {
		paths = append([]string{filepath.Join(drive, settingsName)}, paths...)
	}
	s := e.readWinpeSettings(os.ReadFile, paths...)
	if s.Language == "ja" && !langGiven {
		e.lang = s.Language
	}
	backup, err := e.defaultBackup()
	if err != nil {
		e.note("winpe.nobackup")
	}
	if err := e.runRepair(nil, winpeRun(s, backup)); err != nil {
		return err
	}
	e.note("winpe.again", exe)
	return e.endWinPE(s.After)
}

// endWinPE restarts the PC or switches it off, if the settings say so and nothing
// failed; else the prompt stays.
func (e *env) endWinPE(after string) error {
	word, ok := map[string]string{afterReboot: "reboot", afterPowerOff: "shutdown"}[after]
	if !ok || e.worst != exitDone {
		return nil
	}
	return exec.CommandContext(e.ctx, "wpeutil", word).Run()
}
