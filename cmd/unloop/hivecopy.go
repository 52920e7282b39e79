package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// hiveCopy is a copy of a hive that another program may read. Where the system allows, the
// file has no name, so that it is gone with the last of us, be it by kill -9: it is the
// hive of somebody's PC.
type hiveCopy struct {
	file *os.File
	name string // "": it has none
}

// inheritedFile is the first of exec.Cmd.ExtraFiles, as a path for the program that gets it.
const inheritedFile = "/proc/self/fd/3"

// copyHive makes a copy.
func copyHive(data []byte) (*hiveCopy, error) {
	f, err := os.CreateTemp("", "unloop-*.hive")
	if err != nil {
		return nil, err
	}
	c := &hiveCopy{f, f.Name()}
	if byNumber(f) && os.Remove(c.name) == nil { // before anything is in it
		c.name = ""
	}
	_, err = f.Write(data)
	if err == nil && c.name != "" {
		err = f.Close() // Windows lets no other program open it before
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// byNumber says whether a program may be given an open file by its number.
func byNumber(f *os.File) bool {
	if runtime.GOOS != "linux" {
		return false
	}
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	return err == nil && os.SameFile(a, b)
}

// giveTo appends the copy to the arguments of a program.
func (c *hiveCopy) giveTo(cmd *exec.Cmd) {
	if c.name != "" {
		cmd.Args = append(cmd.Args, c.name)
		return
	}
	cmd.ExtraFiles = []*os.File{c.file}
	cmd.Args = append(cmd.Args, inheritedFile)
}

func (c *hiveCopy) close() error {
	err := c.file.Close()
	if c.name == "" {
		return err
	}
	return os.Remove(c.name) // it was closed for the other program
}
