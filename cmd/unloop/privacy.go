package main

import (
	"fmt"
	"regexp"
	"strings"

	"unloop/hive"
)

// userFolder finds the name of a person's folder: what follows \Users\ or, on Windows XP,
// \Documents and Settings\, with single, doubled or forward slashes.
var userFolder = regexp.MustCompile(`(?i)([\\/](?:users|documents and settings)[\\/]+)([^\\/"'<>|:*?]+)`)

// commonFolders are the folders of nobody in particular.
var commonFolders = map[string]bool{"public": true, "default": true, "default user": true, "all users": true}

// withoutUser takes the names of persons out of the paths in s. A report is for the
// customer to keep and to show.
func withoutUser(s string) string {
	return userFolder.ReplaceAllStringFunc(s, func(path string) string {
		part := userFolder.FindStringSubmatch(path)
		if commonFolders[strings.ToLower(part[2])] {
			return path
		}
		return part[1] + "…"
	})
}

// discreet spells a value that is none of ours: a number as it is, of all else type and
// length; "" if it is absent.
func discreet(d *hive.Data) string {
	if d == nil {
		return ""
	}
	if d.Type == hive.RegDWORD && len(d.Bytes) == 4 {
		return d.Text()
	}
	return fmt.Sprintf("%v, %d bytes", d.Type, len(d.Bytes))
}
