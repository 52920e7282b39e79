package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"unloop/image"
)

// env is what a verb may use of the world: streams, clock, machine, language.
type env struct {
	ctx        context.Context
	in         *bufio.Reader // one for all questions, or it would swallow later answers
	out        io.Writer
	err        io.Writer
	host       image.Host
	getenv     func(string) string
	now        func() time.Time
	lang       string
	inTTY      bool
	outTTY     bool
	colour     bool                   // stdout is a terminal that obeys escape sequences
	args       []string               // as given, for a report
	judgeTime  time.Duration          // how long the judge may think
	exportTime time.Duration          // how long qemu-nbd may take until it serves an image
	run        string                 // names this run in backups and reports
	times      *stopwatch             // how long each stage took; nil: nobody asks
	flush      func(dir string) error // puts all of a medium's file system on it, beyond what was synced; nil: not needed
	onStick    bool                   // this is the session on the rescue stick

	// Of a job among several.
	about string // the target, which advice names then
	quiet bool   // stages are not told one by one
	slot  *slot  // where its stage is shown; nil: nowhere

	// diskName names a disk otherwise than by its path, where paths change from one
	// start to the next; nil: by its path.
	diskName func(path string) string

	serials  *serials      // of all volumes of this run
	lost     *atomic.Int64 // results that could not be printed or saved
	large    *sync.Mutex   // held while a hive as large as SOFTWARE is looked into: one at a time
	scripted *atomic.Bool  // stdout got a script for cmd.exe

	mu    *sync.Mutex // guards err: several targets may be worked on at once
	worst exitCode    // of the targets so far
}

func newEnv(args []string, in io.Reader, out, errw io.Writer) *env {
	e := &env{
		ctx: context.Background(), in: bufio.NewReader(in), out: out, err: errw,
		getenv: os.Getenv, now: time.Now, args: args, mu: new(sync.Mutex), judgeTime: judgeTime, exportTime: exportTime,
		lost: new(atomic.Int64), serials: &serials{seen: map[string]string{}, told: map[string]bool{}}, large: new(sync.Mutex), scripted: new(atomic.Bool),
	}
	e.host.Export = e.exportImage
	e.lang = langFrom(e.getenv)
	e.inTTY, e.outTTY = isTerminal(in), isTerminal(out)
	e.run = fmt.Sprintf("%s-%.8s", e.now().UTC().Format("20060102T150405Z"), strings.ToLower(rand.Text()))
	return e
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// langFrom picks the language as gettext does: LC_ALL, LC_MESSAGES, LANG; else the
// system's own. Country, code set and variant, as in ja_JP.UTF-8@x, do not matter; a
// language that unloop does not speak is English.
func langFrom(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			if i := strings.IndexAny(v, "_-.@"); i >= 0 {
				v = v[:i]
			}
			if strings.EqualFold(v, "ja") {
				return "ja"
			}
			return "en"
		}
	}
	return systemLang()
}

// note prints one line of progress or advice for a person, on stderr.
func (e *env) note(key string, args ...any) { e.remark(e.text(key, args...)) }

// remark prints a note whose text is made already. Of several targets it says which one it
// is about.
func (e *env) remark(text string) {
	if about := escape(e.about); about != "" && !strings.Contains(text, about) {
		text = about + ": " + text
	}
	e.tell("unloop: " + text)
}

// stage announces a stage of the run by its name, the same in every language.
func (e *env) stage(name, key string, args ...any) {
	e.times.ended(name)
	e.slot.at(name)
	if !e.quiet {
		e.stageLine(name, key, args...)
	}
}

// stageLine prints a line of a stage that goes on.
func (e *env) stageLine(name, key string, args ...any) { e.stageText(name, e.text(key, args...)) }

// stageText prints a line of a stage whose text is made already.
func (e *env) stageText(name, text string) {
	e.tell(fmt.Sprintf("unloop: %-8s %s", name+":", text))
}

func (e *env) tell(line string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	fmt.Fprintln(e.err, line)
}

// text looks a message up and fills it in. Strings and errors among the arguments
// may come from a hive or disk: they are made safe for a terminal.
func (e *env) text(key string, args ...any) string {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = escape(a)
		case error:
			args[i] = escape(a.Error())
		case fmt.Stringer:
			args[i] = escape(a.String())
		}
	}
	return fmt.Sprintf(message(e.lang, key, counted(args)), args...)
}

// busy says on stderr, after a second and then every five, that a stage goes on.
// The function it returns ends that.
func (e *env) busy(stage, label string) (done func()) {
	e.slot.at(stage)
	if e.slot != nil {
		return func() {} // it is seen
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		start := time.Now()
		next := time.Second
		for {
			select {
			case <-stop:
				return
			case <-time.After(next):
				e.stageLine(stage, "busy", label, int(time.Since(start).Seconds()))
				next = 5 * time.Second
			}
		}
	})
	return func() { close(stop); wait.Wait() }
}
