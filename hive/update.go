package hive

import (
	"bytes"
	"fmt"

	"unloop/hive/regf"
)

// Names of the files an update writes to, as Windows calls those of a SYSTEM hive.
// For another hive they stand for its own primary file and first log.
const (
	PrimaryFile = "SYSTEM"
	Log1File    = "SYSTEM.LOG1"
)

// SoftwareFile is the name of the one other hive that is edited.
const SoftwareFile = "SOFTWARE"

// Write is one run of whole sectors.
type Write struct {
	Offset int64 // in the file, a multiple of 512
	Data   []byte
}

// Step is a set of writes to one file that may reach the medium in any order,
// followed by a sync of that file.
type Step struct {
	Name   string // for a message: "log pages", "base block" …
	File   string // PrimaryFile or Log1File
	Writes []Write
	Resize int64 // if not 0: make the file this long first
}

// Update is the ordered list of writes that turns the old hive on a medium into
// the new one. After any prefix of it the hive is the old or the new one, by
// itself or after replaying the log (design: "Apply"); nothing is decided later.
type Update struct {
	Steps []Step
	Log   bool     // the log is written first; else the order alone keeps the hive sound
	NoLog string   // why the log is not used although LOG1 may be written
	After Identity // of hive and LOG1 when everything is written; other logs are not touched
	bytes []byte   // the new hive
}

// Update makes the list of writes for c. logRoom is how many bytes of LOG1, from its
// start, may be written in place; 0 if there is no LOG1 or it must not be written.
// If the log does not fit there, the ordered variant is made instead.
func (c *Change) Update(logRoom int64) (*Update, error) {
	u := &Update{bytes: c.New.Bytes(), After: c.Old.ID()}
	u.After.Primary = Sum(u.bytes)
	if c.Old.Replay != nil {
		u.Steps = c.Old.Replay.steps(c.Old)
	}
	if sameBins(c.Old, c.New) {
		u.add("base block and slack", PrimaryFile, differingSectors(c.Old.Bytes(), u.bytes))
		c.restoreLog(u, c.Old.Files.Log1, logRoom)
		c.resize(u)
		return u, nil
	}
	encoded := regf.EncodeLog(c.Old.reg, c.New.reg, c.Old.reg.Base().PrimarySeq+1)
	room := min(logRoom, int64(len(c.Old.Files.Log1)))
	other := c.otherLog()
	switch {
	case int64(len(encoded)) <= room && other == "":
		if err := c.logged(u, encoded); err != nil {
			return nil, err
		}
		return u, nil
	case other != "":
		u.NoLog = other + " has the time of the hive, too, and would be replayed over it"
	case room > 0:
		u.NoLog = fmt.Sprintf("%d bytes, %d are needed", room, len(encoded))
	}
	if err := c.ordered(u); err != nil {
		return nil, err
	}
	c.restoreLog(u, c.Old.Files.Log1, logRoom)
	return u, nil
}

// otherLog names a log besides LOG1 that Windows would find to belong to the hive as
// soon as that is marked dirty: one with the time of the first hive bin. It would be
// replayed over a half-written hive, or make it doubtful which log counts.
func (c *Change) otherLog() string {
	for _, l := range []namedFile{{c.Old.Name() + ".LOG2", c.Old.Files.Log2}, {c.Old.Name() + ".LOG", c.Old.Files.Log}} {
		log, err := regf.DecodeLog(l.data)
		if err == nil && log.Base.LastWritten == c.Old.reg.FirstBinTime() {
			return l.name
		}
	}
	return ""
}

// sameBins says whether two hives differ outside their hive bins at most.
func sameBins(a, b *Hive) bool {
	return a == b || bytes.Equal(a.reg.Bins(), b.reg.Bins())
}

// restoreLog gives LOG1, which holds these bytes by then, its first ones back, if
// it is to have them. The hive is clean by then, so nobody reads its log.
func (c *Change) restoreLog(u *Update, log1 []byte, room int64) {
	if c.log1 == nil || room < int64(len(c.log1)) {
		return
	}
	u.add("log as it was", Log1File, differingSectors(log1, c.log1))
	u.After.Log1 = Sum(c.log1)
}

// logged makes the update of a hive that has a log: the log whole and on the
// medium first, then the mark in the base block, the sectors, the base block.
func (c *Change) logged(u *Update, encoded []byte) error {
	if err := c.provesLog(encoded); err != nil {
		return err
	}
	u.Log = true
	seq := c.Old.reg.Base().PrimarySeq
	dirty := c.Old.reg.Sequenced(seq+1, seq, c.Old.reg.FirstBinTime())
	sectors, added := c.changedSectors()
	u.add("bins in the slack", PrimaryFile, added)
	u.add("log pages", Log1File, []Write{{regf.SectorSize, encoded[regf.SectorSize:]}})
	u.add("log base block", Log1File, []Write{{0, encoded[:regf.SectorSize]}})
	u.add("base block: dirty", PrimaryFile, []Write{{0, dirty}})
	u.add("sectors", PrimaryFile, sectors)
	u.add("base block: clean", PrimaryFile, []Write{{0, u.bytes[:regf.SectorSize]}})
	log1 := bytes.Clone(c.Old.Files.Log1)
	copy(log1, encoded)
	u.After.Log1 = Sum(log1)
	c.restoreLog(u, log1, int64(len(log1)))
	c.resize(u)
	return nil
}

// provesLog makes sure that the log, as it will be written, belongs to the old hive
// once that is marked dirty, and that replaying it gives the new one.
func (c *Change) provesLog(encoded []byte) error {
	log, err := regf.DecodeLog(encoded)
	if err != nil {
		return fmt.Errorf("proving log: %w", err)
	}
	old := c.Old.reg
	dirty := bytes.Clone(old.Bytes()[:regf.BaseBlockSize+regf.SectorSize])
	copy(dirty, old.Sequenced(old.Base().PrimarySeq+1, old.Base().PrimarySeq, old.FirstBinTime()))
	if err := log.Applies(dirty); err != nil {
		return fmt.Errorf("proving log: %w", err)
	}
	clear(dirty[:regf.SectorSize]) // torn: the first hive bin must do
	if err := log.Applies(dirty); err != nil {
		return fmt.Errorf("proving log: %w", err)
	}
	if !log.ReplayEquals(old.Bytes(), c.New.Bytes()) {
		return fmt.Errorf("proving log: %w", ErrMismatch)
	}
	return nil
}

// changedSectors lists the sectors of hive bins that differ: those in bins both
// hives have, and those in bins that only the new one has.
func (c *Change) changedSectors() (sectors, added []Write) {
	oldBytes, newBytes := c.Old.Bytes(), c.New.Bytes()
	end := regf.BaseBlockSize + int64(c.Old.reg.Base().BinsSize)
	for _, w := range differingSectors(oldBytes, newBytes) {
		switch {
		case w.Offset >= end:
			added = append(added, w)
		case w.Offset >= regf.SectorSize:
			sectors = append(sectors, w)
		}
	}
	return sectors, added
}

// differingSectors lists the sectors of b that differ from a's or that a lacks.
func differingSectors(a, b []byte) []Write {
	var writes []Write
	for off := 0; off < len(b); off += regf.SectorSize {
		end := min(off+regf.SectorSize, len(b))
		if end <= len(a) && bytes.Equal(a[off:end], b[off:end]) {
			continue
		}
		writes = append(writes, Write{int64(off), b[off:end]})
	}
	return writes
}

// add appends a step, unless it writes nothing.
func (u *Update) add(name, file string, writes []Write) {
	if len(writes) > 0 {
		u.Steps = append(u.Steps, Step{Name: name, File: file, Writes: writes})
	}
}

// resize lets an undo give back what a repair made an ordinary file grow by.
func (c *Change) resize(u *Update) {
	if c.New.Size() < c.Old.Size() {
		u.Steps = append(u.Steps, Step{Name: "length", File: PrimaryFile, Resize: c.New.Size()})
	}
}

// ordered makes the update of a hive without a usable log: group by group as the
// editor orders them. An undo walks the same states backward.
func (c *Change) ordered(u *Update) error {
	from, to := c.Old.Bytes(), c.New.Bytes()
	groups := c.groups
	if c.backward {
		var err error
		if groups, err = c.retrace(); err != nil {
			return err
		}
		from, to = to, from
	}
	sectors := map[int64][]byte{} // as the groups so far have left them
	var forward, backward []Step
	for i, group := range groups {
		touched := map[int64]bool{}
		var before, after []Write
		for _, p := range group {
			for off := p.Offset &^ (regf.SectorSize - 1); off < p.Offset+int64(len(p.Data)); off += regf.SectorSize {
				sector := sectorAt(sectors, from, off)
				if !touched[off] {
					touched[off] = true
					before = append(before, Write{off, bytes.Clone(sector)})
					after = append(after, Write{off, nil})
				}
				copyInto(sector, off, p)
			}
		}
		for j := range after {
			after[j].Data = bytes.Clone(sectors[after[j].Offset])
		}
		name := fmt.Sprintf("step %d of %d", i+1, len(groups))
		forward = append(forward, Step{Name: name, File: PrimaryFile, Writes: after})
		name = fmt.Sprintf("step %d of %d", len(groups)-i, len(groups))
		backward = append([]Step{{Name: name, File: PrimaryFile, Writes: before}}, backward...)
	}
	if err := coversAll(sectors, from, to); err != nil {
		return err
	}
	if c.backward {
		forward = backward
	}
	u.Steps = append(u.Steps, forward...)
	c.resize(u)
	return nil
}

// coversAll proves that the groups lead from one hive to the other and that no
// sector differs which they do not write.
func coversAll(sectors map[int64][]byte, from, to []byte) error {
	for _, w := range differingSectors(from, to) {
		if !bytes.Equal(sectors[w.Offset], w.Data) {
			return fmt.Errorf("ordering writes: %w: sector 0x%x", ErrMismatch, w.Offset)
		}
	}
	return nil
}

// sectorAt returns the sector at off as it is by now, zeroes beyond the file's end.
func sectorAt(sectors map[int64][]byte, file []byte, off int64) []byte {
	sector, ok := sectors[off]
	if !ok {
		sector = make([]byte, regf.SectorSize)
		if off < int64(len(file)) {
			copy(sector, file[off:])
		}
		sectors[off] = sector
	}
	return sector
}

// copyInto puts the part of p that lies in the sector at off there.
func copyInto(sector []byte, off int64, p regf.Patch) {
	if p.Offset >= off {
		copy(sector[p.Offset-off:], p.Data)
		return
	}
	copy(sector, p.Data[off-p.Offset:])
}

// Bytes counts what the update writes to each file.
func (u *Update) Bytes() (primary, log int64) {
	for _, s := range u.Steps {
		for _, w := range s.Writes {
			if s.File == PrimaryFile {
				primary += int64(len(w.Data))
			} else {
				log += int64(len(w.Data))
			}
		}
	}
	return primary, log
}

// Sectors counts the different sectors of the hive that the update writes.
func (u *Update) Sectors() int {
	seen := map[int64]bool{}
	for _, s := range u.Steps {
		if s.File != PrimaryFile {
			continue
		}
		for _, w := range s.Writes {
			for off := w.Offset; off < w.Offset+int64(len(w.Data)); off += regf.SectorSize {
				seen[off] = true
			}
		}
	}
	return len(seen)
}
