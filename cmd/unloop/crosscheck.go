package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"unloop/hive"
)

// judgeName is the program that reads a hive with libhivex; its question and
// answer are described in its own source.
const judgeName = "unloop-crosscheck"

// judgeTime is how long the judge may think, and judgeTimePerMiB how much longer for each
// MiB of the hive: a SOFTWARE hive is four times a SYSTEM hive, and the PC may be slow.
// libhivex has no limit of its own.
const (
	judgeTime       = 30 * time.Second
	judgeTimePerMiB = 2 * time.Second
)

// judgeCannot is the judge's exit code for "I am not fit to judge".
const judgeCannot = 3

type judgeQuestion struct {
	Keys []judgeKey `json:"keys"`
}

type judgeKey struct {
	Path   []string `json:"path"`
	Values []string `json:"values"`
}

type judgeAnswer struct {
	Judge string `json:"judge"`
	Keys  []struct {
		Found  bool `json:"found"`
		Values []struct {
			Found bool   `json:"found"`
			Type  uint32 `json:"type"`
			Data  string `json:"data"`
		} `json:"values"`
	} `json:"keys"`
}

// judgePath finds the judge beside this program, else on PATH; "" if there is none.
func judgePath() string {
	name := judgeName
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside
		}
	}
	path, err := exec.LookPath(judgeName)
	if err != nil {
		return ""
	}
	return path
}

// askJudge has the edited values of a change, and then every other value, read by
// the judge from a copy of the new hive. mode is auto, require or off. The answer is what the report says.
func (e *env) askJudge(c *hive.Change, mode string) (string, error) {
	if mode == "off" {
		return "off", nil
	}
	program := judgePath()
	if program == "" {
		if mode == "require" {
			return "not installed", fmt.Errorf("%w: %s is neither beside unloop nor on PATH", errNoJudge, judgeName)
		}
		return "not installed", nil
	}
	answer, listing, err := e.runJudge(program, c)
	var cannot cannotJudge
	switch {
	case err != nil && e.ctx.Err() != nil: // Ctrl-C reaches the judge too
		return "interrupted", errInterrupted
	case errors.As(err, &cannot) && mode == "auto":
		return "cannot judge", nil
	case errors.As(err, &cannot):
		return "cannot judge", fmt.Errorf("%w: %w", errNoJudge, err)
	case err != nil:
		return "disagrees", fmt.Errorf("%w: %w", errDisagree, err)
	}
	if err := compareAnswer(c, answer); err != nil {
		return "disagrees", fmt.Errorf("%w: %w", errDisagree, err)
	}
	if err := compareListing(c.New, listing); err != nil {
		return "disagrees", fmt.Errorf("%w: %w", errDisagree, err)
	}
	judge, _, _ := strings.Cut(answer.Judge, " ") // the library; its path and binding follow
	return "agrees (" + judge + ")", nil
}

// cannotJudge is the judge's own word that its answer would be worth nothing.
type cannotJudge struct{ why string }

func (c cannotJudge) Error() string { return c.why }

// runJudge starts the judge on a copy and reads its answer and its listing of the
// whole hive. A crash of it, or no answer in time, is an error like any other.
func (e *env) runJudge(program string, c *hive.Change) (answer *judgeAnswer, listing []byte, err error) {
	copied, err := copyHive(c.New.Bytes())
	if err != nil {
		return nil, nil, cannotJudge{err.Error()}
	}
	defer copied.close()
	var q judgeQuestion
	for _, edit := range c.Edits {
		q.Keys = append(q.Keys, judgeKey{edit.Path, []string{edit.Name}})
	}
	question, err := json.Marshal(q)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), e.judgeTime+time.Duration(c.New.Size()>>20)*judgeTimePerMiB)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--tree")
	copied.giveTo(cmd)
	cmd.WaitDelay = time.Second // for what it may have started
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(question), &out, &errOut
	if err := cmd.Run(); err != nil {
		why := strings.TrimSpace(errOut.String())
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == judgeCannot {
			return nil, nil, cannotJudge{why}
		}
		return nil, nil, fmt.Errorf("running %s: %w: %s", program, err, why)
	}
	first, listing, _ := bytes.Cut(out.Bytes(), []byte("\n"))
	answer = new(judgeAnswer)
	if err := json.Unmarshal(first, answer); err != nil {
		return nil, nil, fmt.Errorf("reading the answer of %s: %w", program, err)
	}
	return answer, listing, nil
}

// compareListing compares the judge's listing of the whole hive with ours, and names
// the first key about which they differ.
func compareListing(h *hive.Hive, theirs []byte) error {
	var ours bytes.Buffer
	if err := h.Listing(&ours); err != nil {
		return err
	}
	if bytes.Equal(ours.Bytes(), theirs) {
		return nil
	}
	for line := range bytes.Lines(ours.Bytes()) {
		other, rest, _ := bytes.Cut(theirs, []byte("\n"))
		theirs = rest
		if mine := bytes.TrimSuffix(line, []byte("\n")); !bytes.Equal(mine, other) {
			_, path, _ := bytes.Cut(mine, []byte(" "))
			_, theirPath, _ := bytes.Cut(other, []byte(" "))
			if bytes.Equal(path, theirPath) {
				return fmt.Errorf("it reads other values in the key %q", path)
			}
			return fmt.Errorf("where unloop reads the key %q it reads %q", path, theirPath)
		}
	}
	return fmt.Errorf("it reads %d bytes of listing too many", len(theirs))
}

// compareAnswer compares what the judge read with what was planned.
func compareAnswer(c *hive.Change, a *judgeAnswer) error {
	if len(a.Keys) != len(c.Edits) {
		return fmt.Errorf("%d keys answered of %d", len(a.Keys), len(c.Edits))
	}
	for i, edit := range c.Edits {
		k := a.Keys[i]
		if !k.Found || len(k.Values) != 1 {
			return fmt.Errorf("it does not find the key %s", hive.FormatRegKey(edit.Path))
		}
		v := k.Values[0]
		switch data, err := hex.DecodeString(v.Data); {
		case err != nil:
			return fmt.Errorf("reading its answer for %s: %w", edit, err)
		case v.Found != (edit.New != nil),
			v.Found && (v.Type != uint32(edit.New.Type) || !bytes.Equal(data, edit.New.Bytes)):
			return fmt.Errorf("it reads %s otherwise", edit)
		}
	}
	return nil
}
