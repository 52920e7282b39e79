package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// A Signature is the first four bytes of hiberfil.sys, which say whether Windows sleeps
// in it. All zero: it does not.
type Signature [4]byte

// Sleeping says whether it is that of a Windows that sleeps: "hibr" or "HIBR".
func (s Signature) Sleeping() bool { return strings.ToLower(string(s[:])) == HiberSleeping }

// SleepFile is hiberfil.sys of a volume or mounted folder. Of it nothing but the
// signature is ever written.
type SleepFile struct {
	*File
	in *Installation
}

// OpenSleepFile opens the hiberfil.sys that an installation shares with all others on
// its volume. fs.ErrNotExist if there is none, or if it is not known where it would be.
func (in *Installation) OpenSleepFile() (*SleepFile, error) {
	var f *File
	var err error
	switch {
	case in.Volume != nil:
		f, err = in.OpenPath(hiberfil)
	case in.sleepRoot == "":
		err = fmt.Errorf("opening %s beside %s: %w", hiberfil, in.Label, fs.ErrNotExist)
	default:
		f, err = in.openIn(in.sleepRoot, hiberfil)
	}
	if err != nil {
		return nil, err
	}
	return &SleepFile{f, in}, nil
}

// Signature reads the signature.
func (s *SleepFile) Signature() (sig Signature, err error) {
	if _, err = s.ReadAt(sig[:], 0); err != nil {
		return sig, fmt.Errorf("reading the signature: %w", err)
	}
	return sig, nil
}

// Refusal says why the signature may not be overwritten where it lies: the reasons of
// InPlace, and of an ordinary file that it cannot be written.
func (s *SleepFile) Refusal() error { return errors.Join(s.InPlace(), s.writeRefusal()) }

// Discard zeroes the signature of a Windows that sleeps: it will then start anew, and
// what was open in it is lost. It needs Source.BeginWrite. Everything is on the medium
// and read back when it returns. ErrChanged if the signature is no longer was.
func (s *SleepFile) Discard(was Signature) error {
	if !was.Sleeping() {
		return fmt.Errorf("discarding %s: %q is not the signature of a sleeping Windows", s.label, was[:])
	}
	return s.replace(was, Signature{})
}

// PutBack writes back the signature that Discard has zeroed. It is the caller's to know
// that not one byte of the volume has changed since then: a Windows that wakes goes on
// with what it remembers of the volume.
func (s *SleepFile) PutBack(sig Signature) error {
	if !sig.Sleeping() {
		return fmt.Errorf("putting %s back: %q is not the signature of a sleeping Windows", s.label, sig[:])
	}
	return s.replace(Signature{}, sig)
}

// replace overwrites the signature, and makes the state that was read before follow.
func (s *SleepFile) replace(from, to Signature) error {
	if err := s.BeginWrite(); err != nil {
		return err
	}
	if err := s.DropCache(); err != nil {
		return err
	}
	sector := make([]byte, sectorSize)
	if s.plain != nil {
		sector = sector[:len(from)] // it may be shorter than a sector
	}
	if n, err := s.ReadAt(sector, 0); n < len(sector) {
		if err == nil || err == io.EOF {
			err = ErrDamaged
		}
		return fmt.Errorf("reading %s: %w", s.label, err)
	}
	if Signature(sector) != from {
		return fmt.Errorf("%s begins with %q, not with %q: %w", s.label, sector[:len(from)], from[:], ErrChanged)
	}
	copy(sector, to[:])
	if _, err := s.WriteAt(sector, 0); err != nil {
		return err
	}
	if err := errors.Join(s.Sync(), s.DropCache()); err != nil {
		return err
	}
	now, err := s.Signature()
	if err == nil && now != to {
		err = fmt.Errorf("%s reads back as %q instead of %q: %w", s.label, now[:], to[:], ErrDamaged)
	}
	if err == nil {
		s.in.slept(hiberState(to[:]))
	}
	return err
}

// slept notes what hiberfil.sys says by now, for all that share it.
func (in *Installation) slept(state string) {
	for _, other := range in.src.found {
		if other.Volume == in.Volume && other.sleepRoot == in.sleepRoot {
			other.Hibernated = state
		}
	}
	if in.Volume != nil {
		in.Volume.Hibernated = state
	}
}

// Disjoint makes sure that no two of these files share a byte of their disk, as those
// of a damaged volume may. nil among them is passed over. Its errors wrap ErrMisplaced.
func Disjoint(files ...*File) error {
	for i, a := range files {
		for _, b := range files[i+1:] {
			if a == nil || b == nil {
				continue
			}
			if a.plain != nil || b.plain != nil {
				if err := a.notSame(b); err != nil {
					return err
				}
				continue
			}
			if e, ok := overlap(a.stream.extents, b.stream.extents); ok {
				return fmt.Errorf("cluster at %d belongs to %s and to %s: %w", e.DeviceOffset, a.label, b.label, ErrMisplaced)
			}
		}
	}
	return nil
}
