// Package hivetest makes test data: registry hives from .reg text, PE files and
// crash dumps, small NTFS volumes around them, and disk images around those, all
// in memory, without root and the same bytes every time. PC is a whole sick PC,
// told by what differs from the usual one.
//
// It writes the formats from their public descriptions and shares no code with
// the packages that read them (hive/regf, image), so that one mistake cannot
// sit in builder and reader alike. Its own judges are foreign programs.
//
// Not made: hives of other than format version 1.3 to 1.5, class names,
// volatile keys; NTFS compression, attribute lists, security other than "all
// files alike".
package hivetest
