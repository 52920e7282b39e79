package hive_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"strconv"
	"testing"

	"unloop/hive"
	"unloop/hive/regf"
)

// A medium is a hive and its first log in memory. It records what is written to
// them, so that a crash can be played at any point of it.
type medium struct {
	name          string // of the hive; "" is SYSTEM
	primary, log1 []byte
	mayGrow       bool // the hive is an ordinary file
	ops           []op
}

// op is a write to a file, a sync of it, or a new length for it.
type op struct {
	kind   opKind
	file   string
	offset int64 // or the new length
	data   []byte
}

type opKind int

const (
	opWrite opKind = iota
	opSync
	opTruncate
)

func (m *medium) file(name string) *[]byte {
	if name == hive.Log1File {
		return &m.log1
	}
	return &m.primary
}

// clone returns a medium that holds the same, with nothing recorded.
func (m *medium) clone() *medium {
	return &medium{name: m.name, primary: bytes.Clone(m.primary), log1: bytes.Clone(m.log1), mayGrow: m.mayGrow}
}

func (m *medium) files() hive.Files {
	f := hive.Files{Name: m.name, Primary: m.primary}
	if len(m.log1) > 0 {
		f.Log1 = m.log1
	}
	return f
}

// mediumFile is one file of a medium as an update sees it.
type mediumFile struct {
	m    *medium
	name string
}

func (f mediumFile) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(*f.m.file(f.name)).ReadAt(p, off)
}

func (f mediumFile) WriteAt(p []byte, off int64) (int, error) {
	data := f.m.file(f.name)
	switch end := off + int64(len(p)); {
	case off%regf.SectorSize != 0 || len(p)%regf.SectorSize != 0 || len(p) == 0:
		return 0, fmt.Errorf("%d bytes at 0x%x are not whole sectors", len(p), off)
	case end > int64(len(*data)) && (f.name == hive.Log1File || !f.m.mayGrow):
		return 0, fmt.Errorf("%d bytes at 0x%x are outside the file: %w", len(p), off, io.ErrShortWrite)
	}
	f.m.play(op{opWrite, f.name, off, bytes.Clone(p)})
	return len(p), nil
}

func (f mediumFile) Sync() error {
	f.m.play(op{kind: opSync, file: f.name})
	return nil
}

func (f mediumFile) Truncate(size int64) error {
	if f.name != hive.PrimaryFile || !f.m.mayGrow {
		return fmt.Errorf("the length of %s cannot be changed", f.name)
	}
	f.m.play(op{kind: opTruncate, file: f.name, offset: size})
	return nil
}

// play carries an operation out and records it.
func (m *medium) play(o op) {
	m.ops = append(m.ops, o)
	data := m.file(o.file)
	switch o.kind {
	case opWrite:
		if missing := o.offset + int64(len(o.data)) - int64(len(*data)); missing > 0 {
			*data = append(*data, make([]byte, missing)...)
		}
		copy((*data)[o.offset:], o.data)
	case opTruncate:
		*data = (*data)[:o.offset]
	}
}

// apply carries an update out on m and verifies it.
func (m *medium) apply(t testing.TB, u *hive.Update) {
	t.Helper()
	if err := u.Apply(mediumFile{m, hive.PrimaryFile}, mediumFile{m, hive.Log1File}); err != nil {
		t.Fatalf("Apply: %v", err)
	}
	if err := u.Verify(mediumFile{m, hive.PrimaryFile}); err != nil {
		t.Fatalf("Verify: %v", err)
	}
	if got := m.files().Identity(); got.Primary != u.After.Primary || got.Log1 != u.After.Log1 {
		t.Errorf("after the update the files are %v, announced %v", got, u.After)
	}
}

// sector is a sector that has been written but not synced.
type sector struct {
	file   string
	offset int64
}

// A crash is a state a power cut may leave a medium in.
type crash struct {
	*medium
	label   string
	version int // of the hive's bytes: equal in two states only if the bytes are
}

// crashes plays the recording of m over start and calls fn with the states that
// power cuts may leave: after every sector of every write; then, the write being
// done, with every one or two sectors lost of those written since the last sync. A
// lost sector is what it was before or, if garble, garbage. Of pairs there are about
// that many, chosen by a fixed seed; all if pairs is negative. fn must leave the
// medium as it is; its first error ends the play.
func (m *medium) crashes(start *medium, garble bool, pairs int, fn func(crash) error) error {
	count := player{now: start.clone(), synced: start.clone(), fn: func(crash) error { return nil }}
	crowded := 0 // writes after which there is a pair to lose
	for _, o := range m.ops {
		count.play(o)
		if o.kind == opWrite && len(count.flying) > 1 {
			crowded++
		}
	}
	p := player{now: start.clone(), synced: start.clone(), random: rand.New(rand.NewSource(7)), garble: garble, fn: fn}
	p.label = "before the first write"
	p.state("")
	for i, o := range m.ops {
		p.label = fmt.Sprintf("operation %d of %d", i+1, len(m.ops))
		p.play(o)
		if o.kind != opWrite {
			continue
		}
		p.lose(0, 1, "")
		if pairs < 0 {
			p.lose(0, 2, "")
		} else if len(p.flying) > 1 {
			p.losePairs((pairs + crowded - 1) / crowded)
		}
	}
	return p.err
}

// player plays a recording.
type player struct {
	now, synced *medium
	flying      []sector // written since the last sync
	random      *rand.Rand
	garble      bool
	label       string
	version     int
	fn          func(crash) error
	err         error
}

// play carries out one operation; of a long write every part is a state.
func (p *player) play(o op) {
	switch o.kind {
	case opSync:
		for _, s := range p.flying {
			p.synced.play(op{opWrite, s.file, s.offset, p.now.sector(s)})
		}
		p.flying = nil
	case opTruncate:
		p.now.play(o)
		p.synced.play(o)
		p.version++
		p.state("")
	default:
		for at := int64(0); at < int64(len(o.data)); at += regf.SectorSize {
			s := sector{o.file, o.offset + at}
			p.now.play(op{opWrite, s.file, s.offset, o.data[at : at+regf.SectorSize]})
			p.flying = append(p.flying, s)
			p.changed(s)
			p.state("")
		}
	}
	p.now.ops, p.synced.ops = nil, nil
}

// sector returns the bytes of a sector, which must be there.
func (m *medium) sector(s sector) []byte { return (*m.file(s.file))[s.offset:][:regf.SectorSize] }

// changed notes that the sector has other bytes now.
func (p *player) changed(s sector) {
	if s.file == hive.PrimaryFile {
		p.version++
	}
}

func (p *player) state(loss string) {
	if p.err != nil {
		return
	}
	if p.err = p.fn(crash{p.now, p.label + loss, p.version}); p.err != nil {
		p.err = fmt.Errorf("%s%s: %w", p.label, loss, p.err)
	}
}

// lose loses every set of n of the flying sectors from the given one on, each in
// every way.
func (p *player) lose(from, n int, loss string) {
	for i := from; i < len(p.flying) && p.err == nil; i++ {
		for _, way := range p.ways() {
			p.without(i, way, func() {
				loss := loss + ", " + way + " " + strconv.Itoa(i)
				if n > 1 {
					p.lose(i+1, n-1, loss)
				} else {
					p.state(loss)
				}
			})
		}
	}
}

// losePairs loses n pairs of flying sectors.
func (p *player) losePairs(n int) {
	for ways := p.ways(); n > 0; n-- {
		i := p.random.Perm(len(p.flying))
		a, b := ways[p.random.Intn(len(ways))], ways[p.random.Intn(len(ways))]
		p.without(i[0], a, func() {
			p.without(i[1], b, func() { p.state(fmt.Sprintf(", %s %d, %s %d", a, i[0], b, i[1])) })
		})
	}
}

func (p *player) ways() []string {
	if p.garble {
		return []string{"lost", "garbled"}
	}
	return []string{"lost"}
}

// without calls fn while a flying sector is lost.
func (p *player) without(flying int, way string, fn func()) {
	s := p.flying[flying]
	now := p.now.sector(s)
	written := bytes.Clone(now)
	before := make([]byte, regf.SectorSize)
	if old := *p.synced.file(s.file); s.offset < int64(len(old)) {
		copy(before, old[s.offset:])
	}
	switch {
	case way == "lost":
		copy(now, before)
	case p.random.Intn(2) == 0: // torn: its first bytes new, the others old
		cut := 1 + p.random.Intn(regf.SectorSize-1)
		copy(now[cut:], before[cut:])
	default:
		p.random.Read(now)
	}
	p.changed(s)
	fn()
	copy(now, written)
	p.changed(s)
}
