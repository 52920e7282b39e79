//go:build linux

package main

import (
	"bytes"
	"fmt"
	"regexp"
	"sync"
	"time"
)

// A console is all that a PC has said on its serial line: as it came, and as plain
// text, in which a test looks for what it expects, each time behind what it found
// the time before.
type console struct {
	mu    sync.Mutex
	begin time.Time
	raw   bytes.Buffer
	plain plainText
	came  []arrival
	seen  int           // of plain: what has been expected and found
	more  chan struct{} // closed when there is more, or no more will come
	over  bool
}

// arrival says when plain had grown to that length.
type arrival struct {
	length int
	after  time.Duration
}

func newConsole() *console {
	return &console{begin: time.Now(), more: make(chan struct{})}
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(p)
	c.plain.add(p)
	c.came = append(c.came, arrival{len(c.plain.text), time.Since(c.begin)})
	c.wake()
	return len(p), nil
}

// end says that nothing will follow.
func (c *console) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	c.wake()
}

func (c *console) wake() {
	close(c.more)
	c.more = make(chan struct{})
}

func (c *console) text() (raw, plain string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String(), string(c.plain.text)
}

// dead is what ends every expectation at once.
var dead = regexp.MustCompile(`Kernel panic - not syncing|grub rescue>|Security Violation|Verification failed`)

// look searches behind what was found before. It returns the groups of the match and
// when it had come; none and no error when it has to wait for more.
func (c *console) look(re *regexp.Regexp) (groups []string, after time.Duration, more chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rest := c.plain.text[c.seen:]
	at := re.FindSubmatchIndex(rest)
	switch {
	case at != nil:
		for i := 0; i < len(at); i += 2 {
			groups = append(groups, string(rest[max(at[i], 0):max(at[i+1], 0)]))
		}
		c.seen += at[1]
		return groups, c.when(c.seen), nil, nil
	case dead.Match(rest):
		return nil, 0, nil, fmt.Errorf("instead of %q: %q", re, dead.Find(rest))
	case c.over:
		return nil, 0, nil, fmt.Errorf("the PC ended before it said %q", re)
	}
	return nil, 0, c.more, nil
}

// first returns when a word had come for the first time; 0 if it has not.
func (c *console) first(word string) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := bytes.Index(c.plain.text, []byte(word)); at >= 0 {
		return c.when(at + len(word))
	}
	return 0
}

// when returns how long after the beginning the plain text was that long.
func (c *console) when(length int) time.Duration {
	for _, a := range c.came {
		if a.length >= length {
			return a.after
		}
	}
	return 0
}

// expect waits until the pattern has come.
func (c *console) expect(pattern string, limit time.Duration) (groups []string, after time.Duration, err error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, 0, err
	}
	timeout := time.After(limit)
	for {
		groups, after, more, err := c.look(re)
		if err != nil || groups != nil {
			return groups, after, err
		}
		select {
		case <-more:
		case <-timeout:
			return nil, 0, fmt.Errorf("nothing like %q within %v", re, limit)
		}
	}
}

// plainText is what a terminal was sent, less the sequences that place and colour it
// (ECMA-48). Where the cursor jumps ahead in its row there are blanks, where it jumps
// elsewhere a new line begins, so that words neither run together nor apart.
type plainText struct {
	text     []byte
	state    byte // what of a sequence has been read: 0, ESC, '[', ']', '('
	args     []byte
	row, col int // of the cursor, from 1; where nothing has placed it, a guess
}

const (
	esc  = 0x1B
	bell = 0x07
)

func (p *plainText) add(b []byte) {
	for _, c := range b {
		p.one(c)
	}
}

func (p *plainText) one(c byte) {
	switch {
	case p.state == 0 && c == esc, p.state == ']' && c == esc:
		p.state, p.args = esc, nil // the string of ESC ] ends with ESC \
	case p.state == 0:
		p.print(c)
	case p.state == esc && (c == '[' || c == ']'):
		p.state = c
	case p.state == esc && (c == '(' || c == ')' || c == '#'):
		p.state = '('
	case p.state == '[' && c < '@':
		p.args = append(p.args, c)
	case p.state == '[':
		p.state = 0
		p.control(c)
	case p.state != ']' || c == bell:
		p.state = 0
	}
}

func (p *plainText) print(c byte) {
	switch {
	case c == '\n':
		p.text = append(p.text, c)
		p.row, p.col = p.row+1, 1
	case c == '\b' && p.col > 1 && bytes.HasSuffix(p.text, []byte(" ")): // blanks that are written over
		p.text = p.text[:len(p.text)-1]
		p.col--
	case c >= ' ' || c == '\t':
		p.text = append(p.text, c)
		p.col += columns(c)
	}
}

// columns is how far a byte of UTF-8 moves the cursor: letters of East Asia, which begin
// with these, take two columns.
func columns(c byte) int {
	switch {
	case c >= 0x80 && c < 0xC0:
		return 0
	case c >= 0xE3 && c <= 0xED, c == 0xEF:
		return 2
	}
	return 1
}

// control obeys what moves the cursor to a place or clears the screen.
func (p *plainText) control(final byte) {
	row, col := 1, 1
	switch final {
	case 'H', 'f':
		fmt.Sscanf(string(p.args), "%d;%d", &row, &col)
	case 'J':
	default:
		return
	}
	if row == p.row && col >= p.col {
		p.text = append(p.text, bytes.Repeat([]byte(" "), col-p.col)...)
	} else if n := len(p.text); n > 0 && p.text[n-1] != '\n' {
		p.text = append(p.text, '\n')
	}
	p.row, p.col = row, col
}
