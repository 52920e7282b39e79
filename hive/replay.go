package hive

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"unloop/hive/regf"
)

// ErrNoLog: the hive is dirty and no log that is there belongs to it.
var ErrNoLog = errors.New("no log belongs to the dirty hive")

// ErrNewLog: the hive is dirty and its log is of Windows 8.1 or later.
var ErrNewLog = regf.ErrNewLog

// Replay says how a dirty hive was made clean in memory.
type Replay struct {
	Why     string // why the hive counts as dirty
	Log     string // the log that was replayed: SYSTEM.LOG1 …
	Sectors int    // of hive bins that the log changes
	Torn    bool   // the base block was unreadable and came from the log

	found    []byte // the hive's file as it lies on the medium
	diff     func() (*Diff, error)
	sequence uint32
}

// Diff compares the hive as found with the replayed one. It gives an error where
// the hive as found cannot be read by itself, which a reset may well leave behind.
func (r *Replay) Diff() (*Diff, error) { return r.diff() }

// openDirty replays the log that belongs to a dirty hive and opens the result.
func openDirty(f Files, why string) (*Hive, error) {
	replayed, r, err := replay(f, why)
	if err != nil {
		return nil, err
	}
	return openReplayed(f, replayed, r)
}

// replay finds the log that belongs to a dirty hive and replays it into new bytes. The
// rule is Windows 7's: a log belongs to a hive if their times agree, and SYSTEM.LOG1
// counts before SYSTEM.LOG2. Its versions differ in what they do when both belong;
// where that matters nothing is guessed.
func replay(f Files, why string) ([]byte, *Replay, error) {
	type candidate struct {
		name  string
		bytes []byte
		log   *regf.Log
	}
	var usable []*candidate
	var reasons []error
	for _, c := range []*candidate{{name: f.name() + ".LOG1", bytes: f.Log1}, {name: f.name() + ".LOG2", bytes: f.Log2}, {name: f.name() + ".LOG", bytes: f.Log}} {
		if len(c.bytes) == 0 {
			continue
		}
		log, err := regf.DecodeLog(c.bytes)
		if err == nil {
			err = log.Applies(f.Primary)
		}
		if err != nil {
			reasons = append(reasons, fmt.Errorf("%s: %w", c.name, err))
			continue
		}
		c.log = log
		usable = append(usable, c)
	}
	if len(usable) == 0 {
		return nil, nil, noLog(why, reasons)
	}
	chosen := usable[0]
	replayed, err := chosen.log.Replay(f.Primary)
	if err != nil {
		return nil, nil, fmt.Errorf("replaying %s: %w", chosen.name, err)
	}
	for _, other := range usable[1:] {
		second, err := other.log.Replay(f.Primary)
		if err != nil || !bytes.Equal(second, replayed) {
			return nil, nil, fmt.Errorf("%w: %s, and both %s and %s belong to it but lead to different hives", ErrNoLog, why, chosen.name, other.name)
		}
	}
	return replayed, &Replay{Why: why, Log: chosen.name, found: f.Primary, sequence: chosen.log.Base.PrimarySeq}, nil
}

// noLog explains why a dirty hive cannot be replayed. A log of a newer Windows is
// the reason only if there is no other.
func noLog(why string, reasons []error) error {
	if len(reasons) == 0 {
		return fmt.Errorf("%w: %s, and there is no log with anything in it", ErrNoLog, why)
	}
	all := errors.Join(reasons...)
	if errors.Is(all, ErrNewLog) {
		return fmt.Errorf("%w: %s", ErrNewLog, why)
	}
	return fmt.Errorf("%w: %s; %w", ErrNoLog, why, all)
}

func openReplayed(f Files, replayed []byte, r *Replay) (*Hive, error) {
	reg, err := regf.Parse(replayed)
	if err != nil {
		return nil, fmt.Errorf("replaying %s: %w", r.Log, err)
	}
	h, err := open(reg)
	if err != nil {
		return nil, fmt.Errorf("replaying %s: %w", r.Log, err)
	}
	bb, err := regf.DecodeBaseBlock(f.Primary)
	r.Torn = err != nil || bb.Checksum != bb.Sum
	for _, w := range differingSectors(f.Primary, replayed) {
		if w.Offset >= regf.BaseBlockSize {
			r.Sectors++
		}
	}
	r.diff = sync.OnceValues(func() (*Diff, error) { return r.compare(h) })
	h.Files, h.identity, h.Replay = f, sync.OnceValue(f.Identity), r
	return h, nil
}

// compare compares the hive as found, its dirty mark apart, with the replayed one.
func (r *Replay) compare(h *Hive) (*Diff, error) {
	reg, err := regf.ParseAnyway(r.found)
	if err != nil {
		return nil, fmt.Errorf("reading hive as found: %w", err)
	}
	found, err := open(reg)
	if err != nil {
		return nil, fmt.Errorf("reading hive as found: %w", err)
	}
	return Compare(found, h, false)
}

// steps are the writes that bring the replay to the medium: the pages, then a clean
// base block. The log is not touched, so that after a crash it is simply replayed
// again. A torn base block is made readable first, still dirty: until then the log
// is known by the time stamp of the first hive bin, which the pages may change.
func (r *Replay) steps(h *Hive) []Step {
	clean := h.Bytes()
	var bins, block []Write
	for _, w := range differingSectors(r.found, clean) {
		if w.Offset < regf.BaseBlockSize {
			block = append(block, w)
		} else {
			bins = append(bins, w)
		}
	}
	u := &Update{}
	if r.Torn {
		dirty := h.reg.Sequenced(r.sequence, r.sequence-1, h.reg.Base().LastWritten)
		u.add("replay: base block", PrimaryFile, []Write{{0, dirty}})
	}
	u.add("replay: pages of the log", PrimaryFile, bins)
	u.add("replay: base block: clean", PrimaryFile, block)
	return u.Steps
}

// Sum returns the digest of the hive itself: replayed, if it was dirty.
func (h *Hive) Sum() Digest {
	if h.Replay == nil {
		return h.ID().Primary
	}
	return h.sum()
}
