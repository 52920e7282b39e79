package hive

import (
	"fmt"
	"strings"
	"time"
)

// Text gives the diff in unloop's stable format: .reg spelling inside a unified
// diff. Every line ends with \n; the two header lines with the hives' names are
// the caller's. It is safe to print on a terminal.
func (d *Diff) Text() string {
	var b strings.Builder
	for _, k := range d.Keys {
		fmt.Fprintf(&b, "%s[%s]\n", [...]string{"", "+", "-"}[k.Side], FormatRegKey(k.Path))
		for _, n := range k.Notes {
			if n.Old != "" {
				fmt.Fprintf(&b, "-;%s=%s\n", n.Name, quoteReg(n.Old))
			}
			if n.New != "" {
				fmt.Fprintf(&b, "+;%s=%s\n", n.Name, quoteReg(n.New))
			}
		}
		for _, v := range k.Values {
			if v.Old != nil {
				fmt.Fprintf(&b, "-%s\n", FormatRegValue(v.Name, v.Old.Type, v.Old.Bytes))
			}
			if v.New != nil {
				fmt.Fprintf(&b, "+%s\n", FormatRegValue(v.Name, v.New.Type, v.New.Bytes))
			}
		}
	}
	return b.String()
}

// Reg gives the diff as .reg text that turns the old hive into the new one when
// it is imported, with prefix (such as HKEY_LOCAL_MACHINE\SYSTEM) before every
// key. Class names, security and times cannot be said there.
func (d *Diff) Reg(prefix string) string {
	var b strings.Builder
	b.WriteString("Windows Registry Editor Version 5.00\r\n")
	for _, k := range d.Keys {
		if k.Side == InBoth && len(k.Values) == 0 {
			continue
		}
		minus := ""
		if k.Side == Removed {
			minus = "-"
		}
		fmt.Fprintf(&b, "\r\n[%s%s]\r\n", minus, strings.TrimSuffix(prefix+`\`+FormatRegKey(k.Path), `\`))
		if k.Side == Removed {
			continue
		}
		for _, v := range k.Values {
			if v.New == nil {
				b.WriteString(strings.TrimSuffix(FormatRegValue(v.Name, RegNone, nil), "hex(0):") + "-\r\n")
				continue
			}
			b.WriteString(FormatRegValue(v.Name, v.New.Type, v.New.Bytes) + "\r\n")
		}
	}
	return b.String()
}

// fileTime spells a FILETIME in UTC.
func fileTime(t uint64) string {
	const to1970 = 116444736000000000 // 100 ns between 1601 and 1970
	n := int64(t) - to1970
	return time.Unix(n/1e7, n%1e7*100).UTC().Format("2006-01-02T15:04:05.0000000Z")
}
