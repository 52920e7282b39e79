package main

import (
	"fmt"
	"strings"

	"github.com/rivo/uniseg"
	"github.com/urfave/cli/v2"
)

// The library's own help speaks English only; ours is made from the catalogue and
// handed over as finished text.

// helpWidth is what the narrowest terminal has, the PC's own among them.
const helpWidth = 80

// appHelp is what "unloop --help" prints.
func (e *env) appHelp(app *cli.App) string {
	var b strings.Builder
	paragraph(&b, app.Usage)
	fmt.Fprintf(&b, "\n%s\n", e.text("help.usage"))
	for _, c := range app.VisibleCommands() {
		hang(&b, fmt.Sprintf("  unloop %-7s %-16s ", c.Name, c.ArgsUsage), c.Usage)
	}
	b.WriteString("\n")
	paragraph(&b, e.text("help.targets"))
	b.WriteString("\n")
	paragraph(&b, e.text("help.many"))
	fmt.Fprintf(&b, "\n%s\n", e.text("help.global"))
	e.flagLines(&b, app.Flags)
	b.WriteString("\n")
	paragraph(&b, e.text("help.codes"))
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
		hang(&b, fmt.Sprintf("  unloop %s %-7s %-10s ", name, sub.Name, sub.ArgsUsage), sub.Usage)
	}
	b.WriteString("\n")
	paragraph(&b, c.Description)
	fmt.Fprintf(&b, "\n%s\n", e.text("help.flags"))
	e.flagLines(&b, c.Flags)
	b.WriteString("\n")
	paragraph(&b, e.text("help.codes"))
	return literal(b.String())
}

// flagLines writes a list of flags in two columns.
func (e *env) flagLines(b *strings.Builder, flags []cli.Flag) {
	column := 0
	for _, f := range flags {
		spec, _ := e.flagWords(f)
		column = max(column, len(spec))
	}
	for _, f := range flags {
		spec, usage := e.flagWords(f)
		hang(b, fmt.Sprintf("  %-*s  ", column, spec), usage)
	}
}

// flagWords tells how a flag is spelt, with what it takes, and what it does.
func (e *env) flagWords(f cli.Flag) (spec, usage string) {
	var names []string
	for _, n := range f.Names() {
		if len(n) == 1 {
			names = append(names, "-"+n)
		} else {
			names = append(names, "--"+n)
		}
	}
	spec, usage = strings.Join(names, ", "), e.text("flag.help")
	if doc, ok := f.(cli.DocGenerationFlag); ok && f != cli.HelpFlag {
		usage = doc.GetUsage()
		if doc.TakesValue() {
			cut := strings.LastIndex(usage, "|")
			spec, usage = spec+" "+usage[:max(cut, 0)], usage[cut+1:]
		}
	}
	return spec, usage
}

// paragraph writes text in lines of at most helpWidth columns.
func paragraph(b *strings.Builder, text string) { hang(b, "", text) }

// hang writes text behind head; what does not fit on the line goes on below where it
// began.
func hang(b *strings.Builder, head, text string) {
	indent := uniseg.StringWidth(head)
	for line := range strings.SplitSeq(text, "\n") {
		for rest := line; ; head = strings.Repeat(" ", indent) {
			var piece string
			piece, rest = cutLine(rest, helpWidth-indent)
			b.WriteString(head + piece + "\n")
			if rest == "" {
				break
			}
		}
		head = strings.Repeat(" ", indent)
	}
}

// literal keeps the library's template engine away from a finished text.
func literal(s string) string { return strings.ReplaceAll(s, "{{", "{{`{{`}}") }
