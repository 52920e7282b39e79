package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// The library's parser stops at the first argument that is not a flag: "repair X
// --dry-run" would give two targets and no dry run, and would write. So the
// arguments are put in order before it sees them, from the verb's own list of
// flags: flags first, then "--", then targets. Whatever is not understood is a
// usage error before anything is opened.

// arranger puts the arguments of one command line in order.
type arranger struct {
	flags  map[string]cli.Flag // by every name it has
	out    []string            // flags with their values, in the order given
	given  map[string]string   // flags that may be given once, with their value
	extras []string            // the rest: verbs before a verb is known, then targets
	dash   bool                // one of them is "-", and not after "--"
}

func newArranger(flags []cli.Flag) *arranger {
	a := &arranger{flags: map[string]cli.Flag{}, given: map[string]string{}}
	a.know(flags)
	return a
}

// know adds flags to those that are understood.
func (a *arranger) know(list []cli.Flag) {
	for _, f := range list {
		for _, name := range f.Names() {
			a.flags[name] = f
		}
	}
}

func takesValue(f cli.Flag) bool {
	_, isBool := f.(*cli.BoolFlag)
	return !isBool
}

// arrange sorts args into flags and extras. stopAtExtra ends it before the first
// argument that is no flag, and returns what is left from there on.
func (a *arranger) arrange(args []string, stopAtExtra bool) (rest []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		switch {
		case arg == "--":
			if !stopAtExtra {
				a.extras = append(a.extras, args[1:]...)
				return nil, nil
			}
			return args, nil
		case arg == "-" && stopAtExtra:
			return nil, usageError{"usage.dash", nil}
		case arg == "-":
			a.dash = true
			a.extras = append(a.extras, arg)
			args = args[1:]
		case strings.HasPrefix(arg, "--"):
			args, err = a.long(args)
		case strings.HasPrefix(arg, "-"):
			args, err = a.short(args)
		case stopAtExtra:
			return args, nil
		default:
			a.extras = append(a.extras, arg)
			args = args[1:]
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// long takes --name, --name=value or --name value off the front of args.
func (a *arranger) long(args []string) ([]string, error) {
	name, value, hasValue := strings.Cut(strings.TrimPrefix(args[0], "--"), "=")
	f, ok := a.flags[name]
	if !ok || len(name) == 1 {
		return nil, usageError{"usage.flag", []any{"--" + name}}
	}
	if !takesValue(f) {
		if hasValue && value != "true" && value != "false" {
			return nil, usageError{"usage.bool", []any{"--" + name, value}}
		}
		return args[1:], a.add(f, name, value, hasValue)
	}
	args = args[1:]
	if !hasValue {
		if len(args) == 0 || strings.HasPrefix(args[0], "-") {
			return nil, usageError{"usage.value", []any{"--" + name}}
		}
		value, args = args[0], args[1:]
	}
	if value == "" {
		return nil, usageError{"usage.value", []any{"--" + name}}
	}
	return args, a.add(f, name, value, true)
}

// short takes -x, or several such flags in one word, off the front of args. No
// short flag takes a value.
func (a *arranger) short(args []string) ([]string, error) {
	for _, c := range args[0][1:] {
		f, ok := a.flags[string(c)]
		if !ok || takesValue(f) {
			return nil, usageError{"usage.flag", []any{args[0]}}
		}
		if err := a.add(f, string(c), "", false); err != nil {
			return nil, err
		}
	}
	return args[1:], nil
}

// add notes a flag. One that holds a single value may not be given two.
func (a *arranger) add(f cli.Flag, name, value string, hasValue bool) error {
	if _, many := f.(*cli.StringSliceFlag); !many {
		first := f.Names()[0]
		if old, twice := a.given[first]; twice && old != value {
			return usageError{"usage.twice", []any{"--" + first}}
		}
		a.given[first] = value
	}
	word := "--" + name
	if len(name) == 1 {
		word = "-" + name
	}
	if hasValue {
		word += "=" + value
	}
	a.out = append(a.out, word)
	return nil
}

// arrangeArgs puts a whole command line in order for app. Global flags may stand
// before and after the verb.
func arrangeArgs(app *cli.App, args []string) ([]string, error) {
	global := newArranger(app.Flags)
	rest, err := global.arrange(args[1:], true)
	if err != nil {
		return nil, err
	}
	out := append([]string{args[0]}, global.out...)
	if len(rest) == 0 {
		return out, nil
	}
	v, err := findVerb(app, global.given, rest)
	if err != nil {
		return nil, err
	}
	if v.help {
		words, err := helpWords(app, global.given, v.path, v.rest)
		return append(out, words...), err
	}
	if _, err := v.arrange(v.rest, false); err != nil {
		return nil, err
	}
	if _, lists := v.flags["recursive"]; v.dash && !lists {
		return nil, usageError{"usage.dash", nil} // the verb takes no lists
	}
	if _, asked := v.given["version"]; asked {
		return []string{args[0], "--version"}, nil
	}
	var own []string
	for _, word := range v.out {
		if isGlobal(app, word) {
			out = append(out, word)
		} else {
			own = append(own, word)
		}
	}
	out = append(out, v.path...)
	if _, asked := v.given["help"]; asked {
		return append(out, "--help"), nil // before a target the library takes for a topic
	}
	out = append(append(out, own...), "--")
	return append(out, v.extras...), nil
}

// verb is what the words before the targets say is to be done.
type verb struct {
	*arranger
	path []string // its name, or those of a verb and its sub-verb
	rest []string // arguments after that
	help bool     // they are verbs to be explained: "help" stood there
}

// findVerb follows the names of a verb and its sub-verb. Between the two, global
// flags may stand.
func findVerb(app *cli.App, given map[string]string, rest []string) (v verb, err error) {
	v.arranger = newArranger(app.Flags)
	v.given = given
	for list := app.Commands; ; {
		if rest[0] == "help" {
			v.rest, v.help = rest[1:], true
			return v, nil
		}
		c := commandIn(list, rest[0])
		if c == nil {
			return v, usageError{"usage.verb", []any{strings.Join(append(v.path, rest[0]), " ")}}
		}
		v.know(c.Flags)
		v.path, v.rest = append(v.path, rest[0]), rest[1:]
		if list = c.Subcommands; len(list) == 0 {
			return v, nil
		}
		if rest, err = v.arrange(v.rest, true); err != nil {
			return v, err
		}
		v.rest = nil
		if len(rest) == 0 {
			return v, v.alone(list)
		}
	}
}

// alone refuses a verb without its sub-verb, unless no more than help was wanted.
func (v verb) alone(list []*cli.Command) error {
	_, help := v.given["help"]
	if _, version := v.given["version"]; help || version {
		return nil
	}
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
	}
	return usageError{"usage.subverb", []any{strings.Join(v.path, " "), strings.Join(names, ", ")}}
}

func commandIn(list []*cli.Command, name string) *cli.Command {
	for _, c := range list {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

// isGlobal says whether a flag belongs before the verb; help belongs to the verb.
func isGlobal(app *cli.App, word string) bool {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	for _, f := range app.Flags {
		for _, n := range f.Names() {
			if n == name && f != cli.HelpFlag {
				return true
			}
		}
	}
	return false
}

// helpWords turns "help", "help VERB" and "help VERB SUB-VERB" into what the library
// calls them. The path before "help" may be the beginning of that.
func helpWords(app *cli.App, given map[string]string, path, rest []string) ([]string, error) {
	a := newArranger(app.Flags)
	a.given = given
	if _, err := a.arrange(rest, false); err != nil {
		return nil, err
	}
	words := append(path, a.extras...)
	list := app.Commands
	for _, name := range words {
		c := commandIn(list, name)
		if c == nil {
			return nil, usageError{"usage.verb", []any{strings.Join(words, " ")}}
		}
		list = c.Subcommands
	}
	return append(append(a.out, words...), "--help"), nil
}
