package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"unloop/hive"
	"unloop/image"
)

// errResumeBusy says that another run notes its work in the same file.
var errResumeBusy = errors.New("another run is writing this file")

// resume is the file of --resume: JSON Lines, one result a target, each with a mark by
// which the target is known again. Of a target that has several lines the last one counts.
type resume struct {
	path string
	past map[string]pastLine // by the absolute path of the target
	file *os.File            // nil: there is none, and this is a dry run

	mu  sync.Mutex
	end int64 // of the last whole line
	dry bool
}

// pastLine is a line of an earlier run, and where it stands.
type pastLine struct {
	Exit   exitCode    `json:"exit"`
	Resume *resumeMark `json:"resume"`
	at     int64
	length int
}

// maxPast bounds a line; one of a target has some 50 kB.
const maxPast = 64 << 20

// openResume reads what earlier runs have finished, and locks the file. A dry run only
// reads it. What is no such file is refused before anything is opened: it would be spoilt.
func openResume(o common) (*resume, error) {
	r := &resume{path: o.resume, past: map[string]pastLine{}, dry: o.dryRun}
	info, err := os.Stat(r.path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil, usageError{"usage.notresume", []any{r.path}}
	case errors.Is(err, fs.ErrNotExist) && r.dry:
		return r, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("opening %s: %w", r.path, err)
	}
	if r.file, err = r.open(); err != nil {
		return nil, err
	}
	if err := r.read(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// resumeElsewhere refuses a file that lies on a target, before it is made there: on a folder
// or the volume of a device. Where a target cannot be looked at nothing of it is mounted.
func (e *env) resumeElsewhere(targets []target, o common) error {
	for _, t := range targets {
		info, err := os.Stat(t.path)
		if o.dryRun || err != nil || t.why != nil || info.Mode().IsRegular() {
			continue
		}
		src, err := e.host.Open(t.path)
		if err != nil {
			continue
		}
		err = errors.Join(e.elsewhere(src, common{resume: o.resume}), src.Close())
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *resume) open() (*os.File, error) {
	if r.dry {
		return os.Open(r.path)
	}
	f, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", r.path, err)
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	if f, err = image.OpenLocked(r.path); errors.Is(err, image.ErrBusy) {
		return nil, fmt.Errorf("%w: %w", errResumeBusy, err)
	}
	return f, err
}

func (r *resume) close() error {
	if r == nil || r.file == nil {
		return nil
	}
	return r.file.Close()
}

// read learns what is finished. A last line without its end, as a killed run leaves it, is
// cut off before the file is continued.
func (r *resume) read() error {
	lines := bufio.NewReader(io.LimitReader(r.file, 1<<40))
	for {
		line, err := readWholeLine(lines)
		whole := bytes.HasSuffix(line, []byte("\n"))
		switch {
		case err != nil && err != io.EOF:
			return fmt.Errorf("reading %s: %w", r.path, err)
		case len(line) > 0 && !r.learn(bytes.TrimRight(line, "\r\n"), whole):
			return usageError{"usage.notresume", []any{r.path}}
		case err == io.EOF && len(line) > 0 && !r.dry:
			return r.file.Truncate(r.end)
		case err == io.EOF:
			return nil
		}
		r.end += int64(len(line))
	}
}

// readWholeLine reads one line with its end; io.EOF comes with what follows the last one.
func readWholeLine(r *bufio.Reader) (line []byte, err error) {
	for {
		piece, err := r.ReadSlice('\n')
		line = append(line, piece...)
		if err != bufio.ErrBufferFull {
			return line, err
		}
		if len(line) > maxPast {
			return nil, bufio.ErrTooLong
		}
	}
}

// learn takes a line in and says whether it is one of ours.
func (r *resume) learn(line []byte, whole bool) bool {
	start := []byte(`{"schema":"` + reportSchema + `"`)
	if !whole && !json.Valid(line) {
		return bytes.HasPrefix(line, start) || bytes.HasPrefix(start, line)
	}
	p := pastLine{at: r.end, length: len(line)}
	if !bytes.HasPrefix(line, start) || json.Unmarshal(line, &p) != nil || p.Resume == nil {
		return false
	}
	if whole { // else it is cut off
		r.past[p.Resume.Path] = p
	}
	return true
}

// finished returns the line of a run that has done with a target what is asked for, if the
// target is still as that run left it.
func (e *env) finished(r *resume, path, asked string) (line []byte, ok bool) {
	abs, err := filepath.Abs(path)
	if r == nil || err != nil {
		return nil, false
	}
	p, known := r.past[abs]
	if !known || p.Exit != exitDone || p.Resume.Asked != asked || !e.stillSo(p.Resume) {
		return nil, false
	}
	line = make([]byte, p.length)
	if _, err := r.file.ReadAt(line, p.at); err != nil {
		return nil, false
	}
	return line, true
}

// add notes a target, and returns when the line is on the medium. A line that could not be
// written leaves no half of it.
func (r *resume) add(t *targetResult, m *resumeMark) error {
	marked := *t
	marked.Resume = m
	line, err := jsonLine(&marked)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err = r.file.WriteAt([]byte(line), r.end); err == nil {
		err = r.file.Sync()
	}
	if err != nil {
		return errors.Join(err, r.file.Truncate(r.end))
	}
	r.end += int64(len(line))
	return nil
}

// pastResult is what of a line is told again.
type pastResult struct {
	Target        string       `json:"target"`
	Error         *errorResult `json:"error"`
	Installations []struct {
		Hive     string        `json:"hive"`
		Status   status        `json:"status"`
		Windows  *hive.Windows `json:"windows"`
		Verdict  hive.Verdict  `json:"verdict"`
		Repaired bool          `json:"alreadyRepaired"`
	} `json:"installations"`
}

// earlier makes a line of an earlier run into a result of this one: for programs the line
// itself, for people what the table shows. The target is spelt as it is now.
func earlier(line []byte, target string) (*targetResult, []byte, error) {
	var p pastResult
	if err := json.Unmarshal(line, &p); err != nil {
		return nil, nil, err
	}
	t := &targetResult{Target: target, Earlier: true}
	for i, in := range p.Installations {
		r := &result{Hive: in.Hive, Status: in.Status, Windows: in.Windows, Verdict: in.Verdict, Repaired: in.Repaired}
		if i > 0 && folderOf(in.Hive) == folderOf(p.Installations[i-1].Hive) {
			r.of = t.Installations[i-1] // a SOFTWARE hive stands behind the SYSTEM hive of its Windows
		}
		t.Installations = append(t.Installations, r)
	}
	return t, append(line[:len(line)-1:len(line)-1], `,"earlier":true}`...), nil
}
