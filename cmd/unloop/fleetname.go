package main

import "strings"

// targetNames calls each target by its last name, and puts as many folders before that as
// tell it from all others.
func targetNames(rows []*fleetRow) map[string]string {
	names, open := map[string]string{}, map[string]bool{}
	for _, row := range rows {
		open[row.whole()] = true
	}
	for n := 1; len(open) > 0; n++ {
		like := map[string]int{}
		for whole := range open {
			like[lastParts(whole, n)]++
		}
		for whole := range open {
			if name := lastParts(whole, n); like[name] == 1 || name == whole {
				names[whole] = name
				delete(open, whole)
			}
		}
	}
	return names
}

// cutNames cuts what is too long for a column, unless that makes two the same.
func cutNames(names map[string]string) map[string]string {
	like := map[string]int{}
	for _, name := range names {
		like[shortened(name)]++
	}
	for whole, name := range names {
		if short := shortened(name); like[short] == 1 {
			names[whole] = short
		}
	}
	return names
}

// lastParts are the last n parts of a path, be it of Linux or of Windows.
func lastParts(path string, n int) string {
	end := len(strings.TrimRight(path, `/\`))
	for at := end; ; {
		at = strings.LastIndexAny(path[:at], `/\`)
		if n--; at < 0 {
			return path
		} else if n == 0 && at+1 < end {
			return path[at+1:]
		}
	}
}
