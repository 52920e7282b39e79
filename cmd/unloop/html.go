package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

// pageTemplate is report.html with its style; it asks for nothing from elsewhere and
// runs no script.
//
//go:embed report.html.tmpl
var pageTemplate string

// lookCSS is what all pages have in common: colours and letters.
//
//go:embed look.css
var lookCSS string

// htmlPage is what the template is filled with. Text of hives and disks is escaped by
// the template engine, wherever it stands.
type htmlPage struct {
	*sheet
	Look     template.CSS
	Appendix string // its heading
}

// sheetHTML is report.html: a page to print and to keep.
func (e *env) sheetHTML(s *sheet) ([]byte, error) {
	t, err := template.New("report").Parse(pageTemplate)
	if err != nil {
		return nil, fmt.Errorf("reading the page's template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, htmlPage{s, template.CSS(lookCSS), e.text("sheet.appendix")}); err != nil {
		return nil, fmt.Errorf("writing the page: %w", err)
	}
	return b.Bytes(), nil
}
