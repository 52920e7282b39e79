// Unloop repairs, offline, Windows 7 PCs that restart over and over because of old
// HASP dongle drivers and an update of 2018-03 or later. See the README.
package main

import "os"

func main() {
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
