package main

// This file is what the asking side needs to know. It builds without cgo and uses nothing else of the package.
//
// The judge is started as
//
//	unloop-crosscheck [--tree] HIVE
//
// with one Question on standard input, and prints one Answer, on one line, on standard output. With --tree, that line
// is followed by one line for each key, depth first, a key before its subkeys, subkeys in the order in which the
// hive lists them:
//
//	HASH PATH
//
// PATH is the key's names from the root, joined by a backslash. Inside a name each byte of a backslash, of a control
// character (Unicode class Cc) and of anything that is not UTF-8 is written as \x and two lower-case hexadecimal digits.
// The root's path is empty, so its line ends in the space after the hash.
//
// HASH is the first 32 lower-case hexadecimal digits of the SHA-256 of the key's record. The record holds the values in
// stored order, each as
//
//	u32 length of the name in bytes | name in UTF-8 | u32 type | u32 length of the data in bytes | data
//
// with little-endian numbers. The last line, without which the listing is incomplete, is
//
//	END KEYS VALUES
//
// with both numbers in decimal, the root counted as a key.
//
// Standard output counts only with exit code 0; with any other there may be half of it. Standard error then holds
// one line, "unloop-crosscheck: error: ...". A crash of libhivex ends the process by a signal, and libhivex has no time
// limit: the asking side must have one.

// Exit codes of the judge.
const (
	exitAnswered    = 0 // the answer, and the listing if asked for, is complete
	exitUnreadable  = 1 // the hive cannot be opened, is dirty, or cannot be read where asked; or writing the answer failed
	exitUsage       = 2 // wrong arguments, or a question that is not one (or the Go runtime gave up, which exits the same way)
	exitCannotJudge = 3 // the judge itself is unfit: no libhivex in it, or it misreads the hive it made for itself
)

// Question is what is asked about one hive.
type Question struct {
	Keys []KeyQuestion `json:"keys"`
}

// KeyQuestion names a key and those of its values that are asked for.
type KeyQuestion struct {
	// Path holds the names from the root down; empty for the root. ASCII letters match in either case, all other
	// characters only themselves; a name that matches exactly wins.
	Path []string `json:"path"`
	// Values holds names of values, matched in the same way; "" is the key's unnamed value.
	Values []string `json:"values"`
}

// Answer is what libhivex reads, in the order of the question.
type Answer struct {
	// Judge says which library read the hive, in words meant for a report.
	Judge string      `json:"judge"`
	Keys  []KeyAnswer `json:"keys"`
}

// KeyAnswer answers one KeyQuestion.
type KeyAnswer struct {
	Path   []string      `json:"path"` // as asked, not as stored
	Found  bool          `json:"found"`
	Values []ValueAnswer `json:"values"` // as many as were asked for, all not found if the key is not
}

// ValueAnswer answers one name of KeyQuestion.Values.
type ValueAnswer struct {
	Name  string `json:"name"` // as asked, not as stored
	Found bool   `json:"found"`
	Type  uint32 `json:"type"` // 0 (REG_NONE) too if not found
	Data  string `json:"data"` // lower-case hexadecimal, as stored; "" too if not found
}
