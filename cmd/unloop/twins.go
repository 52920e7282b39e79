package main

import (
	"fmt"
	"sync"
)

// serials remembers which volume of a run has which NTFS serial number. Two with the
// same one are copies, as in a fleet of cloned PCs, or halves of a mirror that bear no
// mark of it: that is said, and forbids nothing.
type serials struct {
	mu   sync.Mutex
	seen map[string]string // serial number to volume
	told map[string]bool   // what was spoken of: serial numbers that had a copy, and advice
}

// first says whether a thing was not spoken of before. Of clones once is enough.
func (s *serials) first(thing string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.told[thing]
	s.told[thing] = true
	return !was
}

// note gives each volume of a target that has the serial number of another one the
// name of that one.
func (s *serials) note(target string, volumes []volumeResult) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, v := range volumes {
		if v.Serial == "" {
			continue
		}
		name := target
		if v.Partition > 0 {
			name = fmt.Sprintf("%s:%d", target, v.Partition)
		}
		if other := s.seen[v.Serial]; other != "" && other != name {
			volumes[i].SameSerial = other
			continue
		}
		s.seen[v.Serial] = name
	}
}
