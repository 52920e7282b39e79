//go:build !linux

package main

import (
	"os"
	"os/exec"
)

// terminate asks a process to end.
var terminate os.Signal = os.Interrupt

// apart does nothing here: the program ends when we do, as its connection is gone.
func apart(*exec.Cmd) {}

func stayOnThread() func() { return func() {} }
