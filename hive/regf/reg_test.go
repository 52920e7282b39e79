package regf_test

import (
	"fmt"
	"strings"

	"unloop/hive"
)

// regText spells a key with values as .reg text.
func regText(path []string, values ...value) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s]\n", hive.FormatRegKey(path))
	for _, v := range values {
		b.WriteString(hive.FormatRegValue(v.Name, hive.ValueType(v.Type), []byte(v.Data)) + "\n")
	}
	return b.String()
}

// text is data of n bytes, each size another.
func text(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + n)
	}
	return string(b)
}

// big is a key with n subkeys.
func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "[many\\%04d]\n\"v\"=dword:%08x\n", i, i)
	}
	return b.String()
}
