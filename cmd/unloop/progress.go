package main

import (
	"fmt"
	"strings"
	"time"
)

// progress says on stderr how far a long stage has come: as a bar on a terminal, else
// as a line every five seconds.
type progress struct {
	env         *env
	stage       string
	total, done int64 // bytes
	bar         bool
	start, next time.Time // when it began, and when to speak again
}

func (e *env) progress(stage string, total int64) *progress {
	now := e.now()
	p := &progress{env: e, stage: stage, total: total, bar: isTerminal(e.err), start: now}
	p.next = now.Add(p.pause())
	return p
}

// pause between two words.
func (p *progress) pause() time.Duration {
	if p.bar {
		return 100 * time.Millisecond
	}
	return 5 * time.Second
}

// add notes n bytes more.
func (p *progress) add(n int) {
	p.done = min(p.done+int64(n), p.total)
	if now := p.env.now(); !now.Before(p.next) && p.done < p.total {
		p.next = now.Add(p.pause())
		p.show(now)
	}
}

func (p *progress) show(now time.Time) {
	speed := float64(p.done) / 1e6 / max(now.Sub(p.start).Seconds(), 0.001)
	if !p.bar {
		p.env.stage(p.stage, "progress", p.done/1e6, p.total/1e6, speed)
		return
	}
	full := int(30 * p.done / max(p.total, 1))
	bar := strings.Repeat("#", full) + strings.Repeat(".", 30-full)
	p.env.mu.Lock()
	defer p.env.mu.Unlock()
	fmt.Fprintf(p.env.err, "\runloop: %-8s [%s] %s\x1b[K", p.stage+":", bar, p.env.text("progress", p.done/1e6, p.total/1e6, speed))
}

// end takes the bar away, once.
func (p *progress) end() {
	if p.bar {
		p.bar = false
		p.env.mu.Lock()
		defer p.env.mu.Unlock()
		fmt.Fprint(p.env.err, "\r\x1b[K")
	}
}

// sizeWords gives a number of bytes as disks are sold.
func sizeWords(n int64) string {
	switch {
	case n >= 1e12:
		return fmt.Sprintf("%.1f TB", float64(n)/1e12)
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}
