// Reg is a stand-in for Windows' reg.exe in tests of scripts: it loads and unloads hive
// files, which Wine's own cannot, and queries, adds and deletes values in them.
//
//	reg load HKLM\NAME FILE
//	reg unload HKLM\NAME
//	reg query HKLM | HKLM\NAME\PATH [[/s] /v VALUE]
//	reg add HKLM\NAME\PATH /v VALUE /t TYPE /d DATA /f
//	reg delete HKLM\NAME\PATH /v VALUE /f
//
// Its limits: it works on hives alone that it has loaded itself, as a list in the file
// that UNLOOP_REG names says; the same hive cannot be loaded twice, and no lock is
// taken. Whatever is written goes to the file at once, and a dirty hive is replayed
// when it is loaded, as Windows does it. A key must be there to be added to. Of types
// it knows REG_DWORD, REG_SZ and REG_MULTI_SZ. It prints as the one of Windows 7 does,
// exits with 0 or 1 as that does, and with UNLOOP_REG_PE set it says that this is WinPE.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, out, errw io.Writer) int {
	b := book{path: os.Getenv("UNLOOP_REG")}
	if err := b.do(args, out); err != nil {
		fmt.Fprintln(errw, "ERROR:", err)
		return 1
	}
	return 0
}

var (
	errUsage = errors.New("invalid syntax")
	errKey   = errors.New("no such key or value")
	errBusy  = errors.New("the file is in use")
)

func (b book) do(args []string, out io.Writer) error {
	if len(args) < 2 {
		return errUsage
	}
	verb, key := args[0], args[1]
	o, err := parseOptions(args[2:])
	if err != nil {
		return err
	}
	switch verb {
	case "load":
		return b.load(key, o.file)
	case "unload":
		return b.unload(key)
	case "query":
		return b.query(key, o, out)
	case "add", "delete":
		return b.change(verb, key, o)
	}
	return errUsage
}

// options are what follows the key.
type options struct {
	value, typ, data, file string
	hasValue, below        bool
}

func parseOptions(args []string) (o options, err error) {
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		field := map[string]*string{"/v": &o.value, "/t": &o.typ, "/d": &o.data}[word]
		switch {
		case word == "/f":
		case word == "/s":
			o.below = true
		case field != nil && len(args) > 0:
			*field, args = args[0], args[1:]
			o.hasValue = o.hasValue || word == "/v"
		case field == nil && o.file == "":
			o.file = word
		default:
			return o, errUsage
		}
	}
	return o, nil
}
