package stick

import "time"

// DefaultSize is the size of an image when none is asked for: it fits a medium of
// 100 MB.
const DefaultSize = 95 << 20

// Config says what goes on a stick.
type Config struct {
	Packages string    // folder with unpacked Debian packages in i386 and amd64, and their list packages.txt
	Programs string    // folder with unloop and unloop-crosscheck, built for 386
	Settings []byte    // unloop.toml; nil: DefaultSettings
	TestMenu []byte    // unloop/test.cfg, which the menu reads, for tests; nil: none
	Size     int64     // of the image in bytes; 0: DefaultSize
	Time     time.Time // of all files; zero: that of the newest file taken from the packages
}
