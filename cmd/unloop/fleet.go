package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"
)

// Why a table is not where it was to be.
var (
	errNotReportFile = errors.New("not a file to replace by a table") // something else is there
	errNoTable       = errors.New("the table is not written")
	errTableNotShown = errors.New("standard output does not take the table")
)

// fleetOptions are what a table is to be like.
type fleetOptions struct {
	format string // text, csv, json, html
	output string // file; "" for stdout
	latest bool
}

func (e *env) reportCommand() *cli.Command {
	return &cli.Command{
		Name: "report", ArgsUsage: "DIR...",
		Usage: e.text("fleet.usage"), Description: e.text("fleet.description"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text|csv|json|html|" + e.text("flag.formattable")},
			&cli.StringFlag{Name: "output", Usage: "FILE|" + e.text("flag.output")},
			&cli.BoolFlag{Name: "latest", Usage: e.text("flag.latest")},
			cli.HelpFlag,
		},
		Action: func(c *cli.Context) error {
			o := fleetOptions{format: c.String("format"), output: c.String("output"), latest: c.Bool("latest")}
			switch {
			case !slices.Contains([]string{"text", "csv", "json", "html"}, o.format):
				return usageError{"usage.choice", []any{"--format", o.format, "text, csv, json, html"}}
			case c.NArg() == 0:
				return usageError{"usage.nodir", nil}
			}
			return e.runReport(c.Args().Slice(), o)
		},
	}
}

// runReport makes one table of all records in folders and files. Where there is none it
// makes no table either: an old one is worth more.
func (e *env) runReport(named []string, o fleetOptions) error {
	f := e.newFleetReader()
	err := f.readAll(named)
	e.worst = worse(e.worst, f.worst)
	if err != nil || len(f.rows) == 0 {
		return err
	}
	t := f.table(o.latest)
	if t.Duplicates > 0 {
		e.note("fleet.twice", t.Duplicates)
	}
	text, err := e.tableAs(o.format, t)
	switch {
	case err != nil:
		return err
	case o.output != "":
		if err := f.save(o.output, text); err != nil {
			e.worst = worse(e.worst, e.complain(o.output, err))
		}
		return nil
	}
	if _, err := io.WriteString(e.out, text); err != nil {
		return fmt.Errorf("%w: %w", errTableNotShown, err)
	}
	return nil
}

// tableAs writes a table in a format.
func (e *env) tableAs(format string, t *fleetTable) (string, error) {
	switch format {
	case "csv":
		return t.csv()
	case "json":
		return jsonLine(t)
	case "html":
		return e.tableHTML(t)
	}
	return e.tableText(t), nil
}

// save writes the table into a file, which is there whole or not at all. It replaces an
// ordinary file that may be written to, but none that a record was read from.
func (f *fleetReader) save(path, text string) error {
	if info, err := os.Lstat(path); err == nil {
		switch {
		case !info.Mode().IsRegular():
			return fmt.Errorf("%w: it is something else than an ordinary file", errNotReportFile)
		case slices.ContainsFunc(f.files, func(of fs.FileInfo) bool { return os.SameFile(of, info) }):
			return fmt.Errorf("%w: it holds a record", errNotReportFile)
		case !writable(path, info):
			return fmt.Errorf("%w: it is write-protected", errNotReportFile)
		}
	}
	if err := replaceFile(path, []byte(text)); err != nil {
		return fmt.Errorf("%w: %w", errNoTable, err)
	}
	f.stage(stageReport, "reportat", path)
	return nil
}

// writable says whether a file may be written to. Root may in any case: that is not asked.
func writable(path string, info fs.FileInfo) bool {
	if info.Mode().Perm()&0o222 == 0 {
		return false
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	return err == nil && file.Close() == nil
}

// replaceFile writes a file beside its place, and moves it there when it is whole and on
// the medium.
func replaceFile(path string, data []byte) error {
	part, err := os.CreateTemp(filepath.Dir(path), ".unloop-*.part")
	if err != nil {
		return err
	}
	_, err = part.Write(data)
	if err == nil {
		err = part.Chmod(0o644) // as all reports
	}
	if err == nil {
		err = part.Sync()
	}
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return nil
}
