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
}

func newArranger(flags ...[]cli.Flag) *arranger {
	a := &arranger{flags: map[string]cli.Flag{}, given: map[string]string{}}
	for _, list := range flags {
		for _, f := range list {
			for _, name := range f.Names() {
				a.flags[name] = f
			}
		}
	}
	return a
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
		case arg == "-":
			return nil, usageError{"usage.dash", nil}
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
	if len(rest) > 0 && rest[0] == "help" {
		words, err := helpWords(app, global.given, rest[1:])
		return append(out, words...), err
	}
	if len(rest) == 0 {
		return out, nil
	}
	verb := app.Command(rest[0])
	if verb == nil {
		return nil, usageError{"usage.verb", []any{rest[0]}}
	}
	local := newArranger(app.Flags, verb.Flags)
	local.given = global.given
	if _, err := local.arrange(rest[1:], false); err != nil {
		return nil, err
	}
	if _, asked := local.given["version"]; asked {
		return []string{args[0], "--version"}, nil
	}
	var own []string
	for _, word := range local.out {
		if isGlobal(app, word) {
			out = append(out, word)
		} else {
			own = append(own, word)
		}
	}
	out = append(out, rest[0])
	if _, asked := local.given["help"]; asked {
		return append(out, "--help"), nil // before a target the library takes for a topic
	}
	out = append(append(out, own...), "--")
	return append(out, local.extras...), nil
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

// helpWords turns "help" and "help VERB" into what the library calls them.
func helpWords(app *cli.App, given map[string]string, rest []string) ([]string, error) {
	a := newArranger(app.Flags)
	a.given = given
	if _, err := a.arrange(rest, false); err != nil {
		return nil, err
	}
	switch {
	case len(a.extras) == 0:
		return append(a.out, "--help"), nil
	case len(a.extras) > 1 || app.Command(a.extras[0]) == nil:
		return nil, usageError{"usage.verb", []any{strings.Join(a.extras, " ")}}
	}
	return append(a.out, a.extras[0], "--help"), nil
}
