package regf

import "syscall"

// madvHugepage is MADV_HUGEPAGE of madvise(2).
const madvHugepage = 14

// NewBuffer returns n zero bytes to read or copy a hive into. It asks the kernel
// for large pages: taking 16 MB in pages of 4 KiB costs as much time as checking
// the hive in them. If the kernel has none, the bytes are as good.
func NewBuffer(n int64) []byte {
	b := make([]byte, n)
	if n >= 1<<21 {
		_ = syscall.Madvise(b, madvHugepage)
	}
	return b
}
