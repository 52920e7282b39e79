//go:build !windows

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// apart puts a program into a process group of its own.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends such a group at once.
func killGroup(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGKILL) }
