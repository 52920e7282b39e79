package main

import (
	"bytes"
	"slices"

	"github.com/urfave/cli/v2"

	"unloop/hive"
	"unloop/image"
)

func (e *env) scanCommand() *cli.Command {
	return &cli.Command{
		Name: "scan", ArgsUsage: "[TARGET...]",
		Usage: e.text("scan.usage"), Description: e.text("scan.description"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text|json|" + e.text("flag.formatplain")},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: e.text("flag.verbose")},
			&cli.StringFlag{Name: "report", Usage: "DIR|" + e.text("flag.report")},
			&cli.BoolFlag{Name: "html", Usage: e.text("flag.html")},
			&cli.IntFlag{Name: "jobs", Value: 1, Usage: "N|" + e.text("flag.jobs")},
			&cli.BoolFlag{Name: "recursive", Usage: e.text("flag.recursive")},
			cli.HelpFlag,
		},
		Action: func(c *cli.Context) error {
			o := common{
				format: c.String("format"), report: c.String("report"), html: c.Bool("html"), jobs: c.Int("jobs"), verbose: c.Bool("verbose"),
				recursive: c.Bool("recursive"), list: slices.Contains(c.Args().Slice(), stdinTargets),
			}
			switch {
			case o.format != "text" && o.format != "json":
				return usageError{"usage.choice", []any{"--format", o.format, "text, json"}}
			case o.html && o.report == "":
				return usageError{"usage.html", nil}
			case o.jobs < 1 || o.jobs > 64:
				return usageError{"usage.jobs", []any{o.jobs}}
			}
			return e.runScan(c.Args().Slice(), o)
		},
	}
}

func (e *env) runScan(named []string, o common) error {
	return e.forEach(named, o, "scan", func(e *env, src *image.Source, in *image.Installation, r *result) error {
		return e.scan(src, in, r, o)
	})
}

// scan looks at one installation and says what is there.
func (e *env) scan(src *image.Source, in *image.Installation, r *result, o common) error {
	r.Status = statusFound
	_, err := e.inspect(in, hive.Scope{}, r)
	for _, why := range src.Refusals(in) {
		r.Refused = append(r.Refused, objection{why})
	}
	return err
}

// printAccount writes the account of a scanned target to stdout.
func (e *env) printAccount(t *targetResult, verbose bool) error {
	var b bytes.Buffer
	e.account(&b, t, verbose)
	_, err := e.out.Write(b.Bytes())
	return err
}
