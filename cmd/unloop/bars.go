package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// bars show, on a terminal, how far a run over many targets has come: a bar for all of it,
// and a line for each target that is worked on. What else is said scrolls by above them. A
// nil *bars shows nothing.
type bars struct {
	*env
	all   *mpb.Bar
	free  chan *slot // lines of jobs that have no target
	total int
	began time.Time

	mu            sync.Mutex
	ended, failed int
}

// slot is the line of a job: the target that is worked on, and the stage it is at. A nil
// slot is shown nowhere.
type slot struct {
	mu          sync.Mutex
	name, stage string
}

// at notes the stage.
func (s *slot) at(stage string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stage = stage
}

func (s *slot) take(name, stage string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name, s.stage = name, stage
}

// words are what the line says.
func (s *slot) words(st decor.Statistics) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.name == "" {
		return ""
	}
	return "  " + shorten(s.name, max(st.AvailableWidth-13, 8)) + ": " + s.stage
}

// showBars shows them where stderr is a terminal that can be moved about on, and nobody is
// asked. The function it returns takes them away.
func (b *batch) showBars() (done func()) {
	if !movable(b.err) || b.getenv("TERM") == "dumb" || b.asks() {
		return func() {}
	}
	p := mpb.New(mpb.WithOutput(b.err), mpb.WithWidth(30))
	s := &bars{env: b.env, free: make(chan *slot, b.o.jobs), total: len(b.targets), began: b.now()}
	var lines []*mpb.Bar
	for range cap(s.free) {
		one := new(slot)
		lines = append(lines, p.New(0, mpb.NopStyle(), mpb.BarFillerTrim(), mpb.PrependDecorators(decor.Any(one.words))))
		s.free <- one
	}
	style := mpb.BarStyle().Lbound("[").Filler("#").Tip("").Padding(".").Rbound("]")
	s.all = p.New(int64(s.total)+1, style, mpb.AppendDecorators(decor.Any(s.words))) // never full: full ones stay
	out, errw := b.out, b.err
	if sameStream(out, errw) {
		b.out = p
	}
	b.err, b.bars = p, s
	return func() {
		for _, line := range append(lines, s.all) {
			line.Abort(true)
		}
		p.Wait()
		b.out, b.err, b.bars = out, errw, nil
	}
}

// movable says whether a stream is a terminal whose size is known, without which nothing
// can be shown twice at one place.
func movable(stream io.Writer) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	columns, rows, err := term.GetSize(int(f.Fd()))
	return err == nil && columns > 0 && rows > 0
}

// sameStream says whether two streams end on the same terminal.
func sameStream(a, b io.Writer) bool {
	f, isFile := a.(*os.File)
	g, areFiles := b.(*os.File)
	if !isFile || !areFiles || !isTerminal(f) {
		return false
	}
	one, err := f.Stat()
	if err != nil {
		return false
	}
	two, err := g.Stat()
	return err == nil && os.SameFile(one, two)
}

// words stand beside the bar of the whole run.
func (s *bars) words(decor.Statistics) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	words := s.text("bars.all", s.ended, s.total, s.failed)
	if s.ended == 0 {
		return words
	}
	left := s.now().Sub(s.began) / time.Duration(s.ended) * time.Duration(s.total-s.ended)
	return words + "  " + s.text("bars.left", int(left.Round(time.Second).Seconds()))
}

// begin shows a target.
func (s *bars) begin(name string) *slot {
	if s == nil {
		return nil
	}
	one := <-s.free // there are as many as jobs
	one.take(escape(name), stageDiscover)
	return one
}

// end takes a target away and counts it.
func (s *bars) end(one *slot, ok bool) {
	if s == nil {
		return
	}
	one.take("", "")
	s.free <- one
	s.mu.Lock()
	s.ended++
	if !ok {
		s.failed++
	}
	s.mu.Unlock()
	s.all.Increment()
}
