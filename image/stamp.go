package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// A Stamp tells whether anybody has written to a volume since it was taken. Windows
// changes both parts as soon as it mounts the volume. ntfs-3g leaves a clean journal
// alone but changes the MFT with every file it touches, and of a journal in use it
// changes that even if it touches none (both tried). Who writes behind the back of NTFS,
// as unloop does, changes neither.
type Stamp struct {
	Journal string // SHA-256 of $LogFile, its restart pages the first of it
	MFT     string // SHA-256 of $MFT, as far as it is initialised
}

// maxStamped bounds what is read of each file: an MFT of four million records, and the
// largest $LogFile there is.
const maxStamped = 4 << 30

// Stamp takes the stamp of the installation's volume. A mounted folder has none: the
// error wraps ErrUnsupported.
func (in *Installation) Stamp() (t Stamp, err error) {
	if in.Volume == nil {
		return t, fmt.Errorf("stamping %s: its volume is mounted: %w", in.Label, ErrUnsupported)
	}
	n := in.Volume.fs
	defer guard(&err, "stamping volume")
	r, err := n.read(logRecord)
	if err != nil {
		return t, fmt.Errorf("stamping $LogFile: %w", err)
	}
	journal, err := n.openData(r)
	if err != nil {
		return t, fmt.Errorf("stamping $LogFile: %w", err)
	}
	if t.Journal, err = n.digest(journal, journal.size); err != nil {
		return t, fmt.Errorf("stamping $LogFile: %w", err)
	}
	if t.MFT, err = n.digest(n.mft, n.mft.initialized); err != nil {
		return t, fmt.Errorf("stamping $MFT: %w", err)
	}
	return t, nil
}

// digest hashes the first size bytes of a stream.
func (n *ntfs) digest(s *stream, size int64) (string, error) {
	if size < 0 || size > maxStamped {
		return "", fmt.Errorf("%d bytes are too many: %w", size, ErrDamaged)
	}
	sum := sha256.New()
	piece := make([]byte, 1<<20)
	for off := int64(0); off < size; off += int64(len(piece)) {
		piece = piece[:min(int64(len(piece)), size-off)]
		if k, err := s.readAt(n.dev, piece, off); k < len(piece) || err != nil && err != io.EOF {
			return "", fmt.Errorf("reading at %d: %w", off+int64(k), err)
		}
		sum.Write(piece)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
