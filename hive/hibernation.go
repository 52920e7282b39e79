package hive

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Hibernation is what a repair has discarded of a volume whose Windows slept, and by
// what an undo knows whether it may be put back. A Windows that wakes goes on with what
// it remembers of the volume: that must then be as it was, to the byte.
type Hibernation struct {
	File      string            `json:"file"`               // label of hiberfil.sys
	Signature string            `json:"signature"`          // its first four bytes, hex
	Journal   Digest            `json:"journal,omitempty"`  // of $LogFile; "" where that cannot be told
	MFT       Digest            `json:"mft,omitempty"`      // of $MFT, likewise
	Files     map[string]Digest `json:"files,omitempty"`    // hives and logs on the volume, by path
	Restored  bool              `json:"restored,omitempty"` // by an undo
}

// Bytes returns the four bytes of the signature. Any but "hibr" and "HIBR" are an error:
// nothing else is ever discarded, nor put back.
func (h *Hibernation) Bytes() (sig [4]byte, err error) {
	b, err := hex.DecodeString(h.Signature)
	if err != nil || strings.ToLower(string(b)) != "hibr" {
		return sig, fmt.Errorf("%q is not the signature of a sleeping Windows", h.Signature)
	}
	copy(sig[:], b)
	return sig, nil
}

// Stamped says whether it is known at all how the volume was.
func (h *Hibernation) Stamped() bool { return h.Journal != "" && h.MFT != "" }

// Differs names the first file, in the order of their paths, that is not there as it was;
// "" if all are.
func (h *Hibernation) Differs(now map[string]Digest) string {
	all := maps.Clone(h.Files)
	if all == nil {
		all = map[string]Digest{}
	}
	maps.Copy(all, now)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if h.Files[path] != now[path] {
			return path
		}
	}
	return ""
}

// Discarded lists the backups of repairs that discarded the hibernation of a volume that
// may be the target's, the newest first.
func Discarded(backups []*Backup, target Target) []*Backup {
	found := slices.DeleteFunc(slices.Clone(backups), func(b *Backup) bool {
		return b.Hibernation == nil || b.Action != "repair" || !sameVolume(b.Target, target)
	})
	slices.Reverse(found)
	return found
}
