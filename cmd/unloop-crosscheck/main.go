// Command unloop-crosscheck is the judge: it reads a hive through libhivex, an implementation that shares nothing with
// package hive, and answers which values it finds there. It never writes to the hive it is asked about.
//
//	unloop-crosscheck [--tree] HIVE < QUESTION    question, answer and listing: see protocol.go
//	unloop-crosscheck build BASE OUT < TEXT       make the hive OUT from BASE and .reg text, for tests: see build.go
//
// Example:
//
//	$ echo '{"keys":[{"path":["Select"],"values":["Default"]}]}' | unloop-crosscheck SYSTEM
//	{"judge":"libhivex...","keys":[{"path":["Select"],"found":true,"values":[{"name":"Default","found":true,"type":4,"data":"01000000"}]}]}
//
// One process reads one hive, so that a crash of libhivex is an answer about that hive and nothing else. Before it
// answers, it reads a tiny hive of its own; what it misreads there it would misread anywhere.
//
// Limits: clean hives only (libhivex knows no logs); no key more than 512 levels deep; no hive in which a key is reached
// twice; names that are no valid UTF-16 cannot be read.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxQuestion bounds what is read from standard input, in bytes; .reg text for build included.
const maxQuestion = 16 << 20

const usage = `usage: unloop-crosscheck [--tree] HIVE < QUESTION.json
       unloop-crosscheck build BASE OUT < TEXT.reg
`

var (
	errUsage       = errors.New("wrong usage")
	errCannotJudge = errors.New("cannot judge")
)

func main() {
	crashBySignal()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments; it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := dispatch(args, stdin, stdout)
	if err == nil {
		return exitAnswered
	}
	fmt.Fprintf(stderr, "unloop-crosscheck: error: %v\n", err)
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprint(stderr, usage)
		return exitUsage
	case errors.Is(err, errCannotJudge):
		return exitCannotJudge
	}
	return exitUnreadable
}

func dispatch(args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) > 0 && args[0] == "build" {
		return runBuild(args[1:], stdin)
	}
	path, tree, err := parseArgs(args)
	if err != nil {
		return err
	}
	q, err := readQuestion(stdin)
	if err != nil {
		return err
	}
	if err := selfTest(); err != nil {
		return err
	}
	return judge(path, q, tree, stdout)
}

func runBuild(args []string, stdin io.Reader) error {
	if len(args) != 2 {
		return fmt.Errorf("%w: build needs BASE and OUT", errUsage)
	}
	if err := selfTest(); err != nil {
		return err
	}
	return build(args[0], args[1], io.LimitReader(stdin, maxQuestion))
}

// parseArgs takes "--tree" on either side of HIVE, and "--" before a HIVE that starts with a dash.
func parseArgs(args []string) (path string, tree bool, err error) {
	var rest []string
	for i, arg := range args {
		if arg == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		switch {
		case arg == "--tree":
			tree = true
		case len(arg) > 0 && arg[0] == '-':
			return "", false, fmt.Errorf("%w: unknown flag %q", errUsage, arg)
		default:
			rest = append(rest, arg)
		}
	}
	if len(rest) != 1 || rest[0] == "" {
		return "", false, fmt.Errorf("%w: exactly one hive is needed", errUsage)
	}
	return rest[0], tree, nil
}

// readQuestion is strict: a question with a misspelt field would be answered, but not the way it was meant.
func readQuestion(r io.Reader) (Question, error) {
	var q Question
	dec := json.NewDecoder(io.LimitReader(r, maxQuestion))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&q); err != nil {
		return Question{}, fmt.Errorf("%w: reading the question: %w", errUsage, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return Question{}, fmt.Errorf("%w: reading the question: more than one JSON value", errUsage)
	}
	return q, nil
}

// judge prints the answer, and the listing if tree is set. The answer is complete before its first byte is printed.
func judge(path string, q Question, tree bool, stdout io.Writer) error {
	if err := checkClean(path); err != nil {
		return err
	}
	h, err := openHive(path, false)
	if err != nil {
		return err
	}
	defer h.close()
	a, err := answer(h, q)
	if err != nil {
		return err
	}
	a.Judge = judgeName()
	out := bufio.NewWriterSize(stdout, 1<<16)
	if err := json.NewEncoder(out).Encode(a); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	if tree {
		if err := printTree(h, out); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}
