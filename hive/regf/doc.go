// Package regf reads, checks, replays and edits registry hives, the files whose
// first four bytes are "regf". It knows base blocks, hive bins, cells, keys,
// values and transaction logs, and nothing of Windows' meaning for them.
//
// What it does not do:
//
//   - Logs of the new format (HvLE entries, Windows 8.1 and later) are recognised
//     and refused; only the old format (DIRT, up to Windows 8) is read and written.
//   - Hives of format versions before 1.3 and after 1.5 are refused.
//   - A hive never shrinks, keys are never created or deleted, and the editor
//     writes values of at most 16,344 bytes. Big data is read, never written.
//   - Security descriptors are bounded, their contents are not looked at.
//
// A hive is a base block of 4,096 bytes followed by hive bins. Offsets stored in
// a hive (of cells) count from the first bin; offsets in errors count from the
// start of the file. All numbers are little-endian.
//
// The source for the layouts is the public "Windows registry file format
// specification" (github.com/msuhanov/regf); section names in comments are its.
package regf

import "fmt"

// FormatError says what is wrong in a hive or log, and where.
type FormatError struct {
	Structure string // what was being read: "base block", "hive bin", "key node" …
	Offset    int64  // bytes from the start of the file
	Problem   string // what is wrong there
	Path      string // the key concerned, components joined by \, if known
}

// Error gives structure, place and problem in one line.
func (e *FormatError) Error() string {
	if e.Path != "" {
		return fmt.Sprintf("%s at offset 0x%x (key %s): %s", e.Structure, e.Offset, e.Path, e.Problem)
	}
	return fmt.Sprintf("%s at offset 0x%x: %s", e.Structure, e.Offset, e.Problem)
}

func formatErrorf(structure string, offset int64, format string, args ...any) error {
	return &FormatError{Structure: structure, Offset: offset, Problem: fmt.Sprintf(format, args...)}
}
