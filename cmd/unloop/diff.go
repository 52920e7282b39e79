package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"unloop/hive"
)

func (e *env) diffCommand() *cli.Command {
	return &cli.Command{
		Name: "diff", ArgsUsage: "HIVE_A HIVE_B",
		Usage: e.text("diff.usage"), Description: e.text("diff.description"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text|json|reg|" + e.text("flag.formatplain")},
			&cli.BoolFlag{Name: "times", Usage: e.text("flag.times")},
			cli.HelpFlag,
		},
		Action: func(c *cli.Context) error {
			format := c.String("format")
			switch {
			case format != "text" && format != "json" && format != "reg":
				return usageError{"usage.choice", []any{"--format", format, "text, json, reg"}}
			case c.NArg() != 2:
				return usageError{"usage.twohives", []any{c.NArg()}}
			case format == "reg" && c.Bool("times"):
				return usageError{"usage.regtimes", nil}
			}
			return e.runDiff(c.Args().Get(0), c.Args().Get(1), format, c.Bool("times"))
		},
	}
}

type diffResult struct {
	Schema string       `json:"schema"`
	Verb   string       `json:"verb"`
	A      string       `json:"a"`
	B      string       `json:"b"`
	Exit   exitCode     `json:"exit"`
	Same   bool         `json:"same"`
	Keys   []keyDiff    `json:"keys"`
	Error  *errorResult `json:"error,omitempty"`
}

type keyDiff struct {
	Key    string            `json:"key"`
	Side   string            `json:"side"` // both, a, b: where the key is
	Values []editResult      `json:"values,omitempty"`
	Notes  map[string]string `json:"notes,omitempty"`
}

func (e *env) runDiff(a, b, format string, times bool) error {
	labelA, hiveA, err := e.openOne(a)
	if err != nil {
		return e.diffFailed(a, b, a, format, err)
	}
	labelB, hiveB, err := e.openOne(b)
	if err != nil {
		return e.diffFailed(a, b, b, format, err)
	}
	done := e.busy(stageDiff, a)
	d, err := hive.Compare(hiveA, hiveB, times)
	done()
	if err != nil {
		return e.diffFailed(a, b, b, format, err)
	}
	switch format {
	case "json":
		return e.printJSON(diffJSON(labelA, labelB, d))
	case "reg":
		which := a
		if hiveA.IsSystem() {
			which = b
		}
		if !hiveA.IsSystem() || !hiveB.IsSystem() {
			err := fmt.Errorf("%w: .reg text needs the place a hive is loaded at", hive.ErrNotSystem)
			return e.diffFailed(a, b, which, format, err)
		}
		_, err = io.WriteString(e.out, d.Reg(regPrefix))
		return err
	}
	if len(d.Keys) > 0 {
		return e.printDiff(diffHeader(labelA, "", labelB, "") + d.Text())
	}
	return nil
}

// diffFailed says which hive could not be read.
func (e *env) diffFailed(a, b, which, format string, err error) error {
	e.worst = worse(e.worst, e.complain(which, err))
	if format != "json" {
		return nil
	}
	failed := e.errorResult(err)
	return e.printJSON(diffResult{Schema: reportSchema, Verb: "diff", A: a, B: b, Exit: failed.Exit, Keys: []keyDiff{}, Error: failed})
}

// openOne opens the one hive that a target holds.
func (e *env) openOne(target string) (string, *hive.Hive, error) {
	src, err := e.host.Open(target)
	if err != nil {
		return "", nil, err
	}
	defer src.Close() // only read from
	if err := src.NoWindows(); err != nil {
		return "", nil, err
	}
	if n := len(src.Installations()); n != 1 {
		return "", nil, fmt.Errorf("%w: %d Windows installations", errNotTwoHives, n)
	}
	r := new(result)
	defer e.busy(stageInspect, target)()
	_, h, err := e.read(src.Installations()[0], hive.PrimaryFile, r)
	return r.Hive, h, err
}

func diffJSON(a, b string, d *hive.Diff) diffResult {
	out := diffResult{Schema: reportSchema, Verb: "diff", A: a, B: b, Same: len(d.Keys) == 0, Keys: []keyDiff{}}
	for _, k := range d.Keys {
		kd := keyDiff{Key: hive.FormatRegKey(k.Path), Side: [...]string{"both", "b", "a"}[k.Side]}
		for _, v := range k.Values {
			kd.Values = append(kd.Values, editResult{Key: kd.Key, Name: v.Name, Old: v.Old.Text(), New: v.New.Text()})
		}
		for _, n := range k.Notes {
			if kd.Notes == nil {
				kd.Notes = map[string]string{}
			}
			kd.Notes[n.Name] = n.Old + " → " + n.New
		}
		out.Keys = append(out.Keys, kd)
	}
	return out
}
