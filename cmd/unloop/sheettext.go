package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/rivo/uniseg"
)

// sheetText is report.txt: the sheet, then the account of what was found. t may be nil.
func (e *env) sheetText(s *sheet, t *targetResult) string {
	var b strings.Builder
	b.WriteString(s.Title + "\n")
	for _, c := range s.Cases {
		b.WriteString("\n")
		e.caseText(&b, c)
	}
	if t != nil {
		var account bytes.Buffer
		e.accountFound(&account, t)
		b.WriteString("\n" + heading(e.text("rec.account")) + account.String())
	}
	b.WriteString("\n" + s.Tool + "\n")
	return b.String()
}

func (e *env) caseText(b *strings.Builder, c *sheetCase) {
	for _, f := range c.Facts {
		b.WriteString(labelled(f.Label, f.Value))
	}
	if label, why, ok := strings.Cut(c.Why, ": "); ok {
		b.WriteString(labelled(label, why))
	}
	if c.Result != "" {
		b.WriteString(labelled(e.text("sheet.result"), c.Result))
	}
	for i, line := range c.Trouble {
		label := ""
		if i == 0 {
			label = e.text("sheet.reason")
		}
		b.WriteString(labelled(label, line))
	}
	for _, one := range c.Parts {
		if one.Told {
			continue
		}
		b.WriteString("\n" + heading(one.Heading) + one.text())
	}
}

func (s sheetPart) text() string {
	var b strings.Builder
	for _, text := range s.Text {
		b.WriteString(text + "\n")
	}
	for _, code := range s.Code {
		b.WriteString("  " + code + "\n")
	}
	for _, p := range s.Points {
		b.WriteString("- " + p.Word + ": " + p.Text + "\n")
	}
	for _, line := range s.Diff {
		b.WriteString(line.Text + "\n")
	}
	for i, x := range s.Steps {
		if len(s.Steps) > 1 {
			fmt.Fprintf(&b, "%d. ", i+1)
		}
		b.WriteString(x.Text + "\n")
		if x.Code != "" {
			b.WriteString("  " + x.Code + "\n")
		}
	}
	return b.String()
}

// labelColumns is how wide labels are, with the colon.
const labelColumns = 10

// labelled puts a value beside its label.
func labelled(label, value string) string {
	if label != "" {
		label += ":"
	}
	return label + strings.Repeat(" ", max(1, labelColumns-uniseg.StringWidth(label))) + value + "\n"
}

// heading underlines a line.
func heading(text string) string {
	return text + "\n" + strings.Repeat("-", uniseg.StringWidth(text)) + "\n"
}
