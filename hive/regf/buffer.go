//go:build !linux

package regf

// NewBuffer returns n zero bytes to read or copy a hive into.
func NewBuffer(n int64) []byte { return make([]byte, n) }
