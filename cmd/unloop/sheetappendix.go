package main

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// appendix is all that was seen, in tables, for who repairs the PC.
func (e *env) appendix(s subject) (list []sheetPart) {
	add := func(key string, widths []int, rows [][]string, heads ...string) {
		list = append(list, sheetPart{Heading: e.text(key), Table: table{e.heads(heads), rows, widths}})
	}
	pairs := []int{26, 74}
	if r := s.r; r != nil {
		add("table.system", pairs, e.systemRows(r))
		add("table.sets", []int{24, 34, 26, 16}, e.overrideRows(r), "table.set", "table.override", "table.mask", "table.active")
		add("table.services", []int{22, 17, 17, 44}, e.serviceRows(r), "table.set", "table.service", "table.start", "table.file")
		add("table.files", []int{42, 22, 13, 23}, e.fileRows(r), "table.file", "table.version", "table.machine", "table.modified")
		add("table.programs", []int{74, 26}, programRows(r), "table.program", "table.version")
		add("table.updates", []int{38, 16, 23, 23}, updateRows(r), "table.kb", "table.build", "table.state", "table.installed")
		if r.findings != nil {
			list = append(list, sheetPart{Heading: e.text("head.autoupdate"), Text: e.autoUpdateLines(r.findings)})
		}
		add("table.dumps", []int{23, 19, 58}, dumpRows(r), "table.date", "table.code", "table.file")
	}
	add("table.volumes", []int{15, 17, 29, 14, 25}, volumeRows(s.t), "table.partition", "table.kind", "table.label", "table.size", "table.serial")
	add("table.written", pairs, e.writtenRows(s))
	return slices.DeleteFunc(list, func(p sheetPart) bool { return len(p.Text)+len(p.Table.Rows) == 0 })
}

func (e *env) heads(keys []string) (heads []string) {
	for _, key := range keys {
		heads = append(heads, e.text(key))
	}
	return heads
}

// row makes a row of strings from a hive or disk.
func row(cells ...string) []string {
	for i, c := range cells {
		cells[i] = escape(c)
	}
	return cells
}

func (e *env) systemRows(r *result) (rows [][]string) {
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, row(name, value))
		}
	}
	if s := r.System; s != nil {
		add("ProductName", s.Product)
		add("CSDVersion", s.CSDVersion)
		add("CurrentBuild", s.Build)
		add("BuildLabEx", s.BuildLab)
		add("PAE", s.PAE)
		add("NX", s.NX)
	}
	if w := r.Windows; w != nil {
		add("CPU", w.CPU)
		add(e.text("table.evidence"), strings.Join(w.Evidence, "; "))
	}
	if s := r.Select; s != nil {
		add("Select", fmt.Sprintf("Default %d, Current %d, LastKnownGood %d", s.Default, s.Current, s.LastKnownGood))
	}
	return rows
}

func (e *env) overrideRows(r *result) (rows [][]string) {
	for _, o := range r.Override {
		active := e.text("no")
		if o.Active {
			active = e.text("yes")
		}
		rows = append(rows, row(o.ControlSet, orAbsent(e, o.Override), orAbsent(e, o.Mask), active))
	}
	return rows
}

func (e *env) serviceRows(r *result) (rows [][]string) {
	f := r.findings
	if f == nil {
		return nil
	}
	for i, s := range slices.Concat(r.Services, r.Others) {
		from := slices.Concat(f.Services, f.Others)[i]
		rows = append(rows, row(s.ControlSet, s.Name, e.startType(from), s.ImagePath))
	}
	return rows
}

func (e *env) fileRows(r *result) (rows [][]string) {
	files := r.DriverFiles
	if r.System != nil {
		files = slices.Concat(r.System.Kernels, files)
	}
	for _, f := range files {
		version := f.Version
		switch {
		case f.Presence == "absent":
			version = e.text("table.missing")
		case f.Problem != "":
			version = f.Problem
		}
		rows = append(rows, row(f.Path, version, f.Machine, stamp(f.Modified)))
	}
	return rows
}

func programRows(r *result) (rows [][]string) {
	for _, p := range r.Programs {
		rows = append(rows, row(p.Name, p.Version))
	}
	return rows
}

func updateRows(r *result) (rows [][]string) {
	for _, u := range r.Updates {
		build := ""
		if u.Build > 0 {
			build = "7601." + strconv.Itoa(u.Build)
		}
		name := u.KB
		if name == "" {
			name = u.Package
		}
		rows = append(rows, row(name, build, fmt.Sprintf("%s (%d)", u.StateName, u.State), stamp(u.Installed)))
	}
	return rows
}

func dumpRows(r *result) (rows [][]string) {
	for _, d := range r.Dumps {
		rows = append(rows, row(stamp(&d.Time), d.Code, d.Path))
	}
	return rows
}

func volumeRows(t *targetResult) (rows [][]string) {
	for _, v := range t.Volumes {
		rows = append(rows, row(strconv.Itoa(v.Partition), v.Kind, v.Label, fmt.Sprintf("%.0f MiB", float64(v.Size)/(1<<20)), v.Serial))
	}
	return rows
}

// writtenRows tell how it was written, and what proves that.
func (e *env) writtenRows(s subject) (rows [][]string) {
	for _, r := range s.results() {
		if u := r.Update; u != nil {
			rows = append(rows, row(path.Base(r.Hive), e.text("table.sectors", u.Sectors, u.HiveBytes, u.LogBytes)), row("SHA-256", u.Sum))
		}
		if r.Crosscheck != "" {
			rows = append(rows, row(e.text("table.crosscheck"), e.crosscheckWords(r.Crosscheck)))
		}
	}
	if s.rec != nil {
		for _, one := range s.rec.Stages {
			rows = append(rows, row(one.Stage, one.Took.String()))
		}
	}
	return rows
}
