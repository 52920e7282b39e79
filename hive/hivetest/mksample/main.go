// Mksample writes the disk image of a PC that restarts in a loop, or its SYSTEM hive.
//
//	go run ./hive/hivetest/mksample [-hive FILE] [-table mbr|gpt|none] [-fragments N] OUT.img
//	go run ./hive/hivetest/mksample -mib N SYSTEM
//
// Without -hive the SYSTEM hive is a small built one. The image is 64 MiB, most
// of it holes. With -mib only a built hive of so many MiB is written. Both are the
// same at every run.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"unloop/hive/hivetest"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

func run(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("mksample", flag.ContinueOnError)
	flags.SetOutput(stderr)
	hive := flags.String("hive", "", "SYSTEM hive `FILE` to put on the disk; default: a built one")
	table := flags.String("table", "mbr", "partition `TABLE`: mbr, gpt or none")
	fragments := flags.Int("fragments", 1, "extents of the hive")
	mib := flags.Int("mib", 0, "write no image but a built hive of `N` MiB")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() != 1 {
		fmt.Fprintln(stderr, "mksample: name one file to write, after the flags")
		return 2
	}
	var err error
	if *mib > 0 {
		err = makeHive(*mib<<20, flags.Arg(0))
	} else {
		err = makeSample(*hive, *table, *fragments, flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(stderr, "mksample:", err)
		return 1
	}
	return 0
}

func makeHive(size int, out string) error {
	system, err := hivetest.Win7Sized(size)
	if err != nil {
		return err
	}
	return writeSparse(out, system)
}

func makeSample(hive, table string, fragments int, out string) error {
	system, err := readOrBuild(hive)
	if err != nil {
		return err
	}
	image, err := hivetest.SampleDisk(system, table, fragments)
	if err != nil {
		return err
	}
	return writeSparse(out, image)
}

// readOrBuild returns the file, or a Windows 7 hive if there is none.
func readOrBuild(file string) ([]byte, error) {
	if file != "" {
		return os.ReadFile(file)
	}
	return hivetest.Build(hivetest.Win7(""), hivetest.Options{Fill: 8192, Slack: 65536})
}

// writeSparse writes image to a new file, leaving out blocks of zeros, and
// renames it to name when it is whole.
func writeSparse(name string, image []byte) (err error) {
	f, err := os.Create(name + ".part")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := f.Truncate(int64(len(image))); err != nil {
		return err
	}
	const block = 4096
	var zeros [block]byte
	for at := 0; at < len(image); at += block {
		b := image[at:min(at+block, len(image))]
		if string(b) == string(zeros[:len(b)]) {
			continue
		}
		if _, err := f.WriteAt(b, int64(at)); err != nil {
			return err
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
