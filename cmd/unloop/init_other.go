//go:build !linux && !windows

package main

import "github.com/urfave/cli/v2"

// isInit: the stick runs Linux.
func isInit([]string) bool { return false }

// hiddenCommands: there is nothing to start elsewhere.
func (e *env) hiddenCommands() []*cli.Command { return nil }
