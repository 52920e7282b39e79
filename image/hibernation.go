package image

import (
	"fmt"
	"strings"
)

// hiberfil is the file in the volume root that Windows sleeps in.
const hiberfil = "hiberfil.sys"

// hiberHead is how much of it ntfs-3g looks at.
const hiberHead = 4096

// What hiberfil.sys says. HiberSleeping, HiberUnreadable and HiberInUse
// forbid writing; the others are left-overs (facts.md 9.2).
const (
	HiberSleeping   = "hibr"       // Windows sleeps
	HiberWaking     = "wake"       // a resume was tried
	HiberRestoring  = "rstr"       // a resume was under way
	HiberEmpty      = "zero"       // zeroed by a normal resume, or never used
	HiberOther      = "other"      // no signature we know
	HiberUnreadable = "unreadable" // cannot be read, so sleep cannot be ruled out
	HiberInUse      = "in use"     // likewise: the Windows that it belongs to is running
)

// hiberState names the state by the first bytes of hiberfil.sys.
func hiberState(head []byte) string {
	if len(head) < 4 {
		return HiberEmpty
	}
	switch word := strings.ToLower(string(head[:4])); word {
	case HiberSleeping, HiberWaking, HiberRestoring:
		return word
	case "\x00\x00\x00\x00":
		return HiberEmpty
	}
	return HiberOther
}

// hibernationRefusal judges the state found beside an installation.
func (in *Installation) hibernationRefusal() error {
	switch in.Hibernated {
	case HiberSleeping:
		return fmt.Errorf("%s: %w", in.Label, ErrHibernated)
	case HiberInUse:
		return fmt.Errorf("%s: %s is in use, hibernation cannot be ruled out: %w", in.Label, hiberfil, ErrBusy)
	case HiberUnreadable:
		return fmt.Errorf("%s: %s cannot be read, hibernation cannot be ruled out: %w", in.Label, hiberfil, ErrDamaged)
	}
	return nil
}
