package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// terminate asks a process to end.
var terminate os.Signal = syscall.SIGTERM

// apart puts a program into a process group of its own, and has it told to end should
// this one die before it is connected. The kernel takes the thread for the parent.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// stayOnThread keeps this goroutine on its thread, and the thread alive, until the
// function that it returns is called.
func stayOnThread() func() {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}
