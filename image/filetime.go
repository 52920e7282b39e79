package image

import "time"

// fileTime turns a FILETIME, 100 ns since 1601, into a time; zero where that is not
// within the life of Windows NT: no clock wrote it.
func fileTime(n uint64) time.Time {
	const perSecond, epoch = 10_000_000, 11_644_473_600
	t := time.Unix(int64(n/perSecond)-epoch, int64(n%perSecond)*100).UTC()
	if t.Year() < 1993 || t.Year() > 2200 {
		return time.Time{}
	}
	return t
}
