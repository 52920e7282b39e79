package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// The library's own help speaks English only; ours is made from the catalogue and
// handed over as finished text.

// appHelp is what "unloop --help" prints.
func (e *env) appHelp(app *cli.App) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n", app.Usage, e.text("help.usage"))
	for _, c := range app.VisibleCommands() {
		fmt.Fprintf(&b, "  unloop %-7s %-16s %s\n", c.Name, c.ArgsUsage, c.Usage)
	}
	fmt.Fprintf(&b, "\n%s\n", e.text("help.targets"))
	fmt.Fprintf(&b, "\n%s\n", e.text("help.global"))
	e.flagLines(&b, app.Flags)
	fmt.Fprintf(&b, "\n%s\n", e.text("help.codes"))
	return literal(b.String())
}

// verbHelp is what "unloop VERB --help" prints; name is the verb with those it
// belongs to.
func (e *env) verbHelp(c *cli.Command, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n", c.Usage, e.text("help.usage"))
	if len(c.Subcommands) == 0 {
		fmt.Fprintf(&b, "  unloop %s %s\n", name, c.ArgsUsage)
	}
	for _, sub := range c.Subcommands {
		fmt.Fprintf(&b, "  unloop %s %-7s %-10s %s\n", name, sub.Name, sub.ArgsUsage, sub.Usage)
	}
	fmt.Fprintf(&b, "\n%s\n\n%s\n", c.Description, e.text("help.flags"))
	e.flagLines(&b, c.Flags)
	fmt.Fprintf(&b, "\n%s\n", e.text("help.codes"))
	return literal(b.String())
}

func (e *env) flagLines(b *strings.Builder, flags []cli.Flag) {
	for _, f := range flags {
		var names []string
		for _, n := range f.Names() {
			if len(n) == 1 {
				names = append(names, "-"+n)
			} else {
				names = append(names, "--"+n)
			}
		}
		spec, usage := strings.Join(names, ", "), e.text("flag.help")
		if doc, ok := f.(cli.DocGenerationFlag); ok && f != cli.HelpFlag {
			usage = doc.GetUsage()
			if doc.TakesValue() {
				cut := strings.LastIndex(usage, "|")
				spec, usage = spec+" "+usage[:max(cut, 0)], usage[cut+1:]
			}
		}
		fmt.Fprintf(b, "  %-34s %s\n", spec, usage)
	}
}

// literal keeps the library's template engine away from a finished text.
func literal(s string) string { return strings.ReplaceAll(s, "{{", "{{`{{`}}") }
