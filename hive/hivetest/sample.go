package hivetest

// LoopingPC returns the files of the Windows volume of the usual PC around the SYSTEM
// hive, which is laid out in so many fragments.
func LoopingPC(system []byte, fragments int) ([]NTFSFile, error) {
	return PC{System: system, Fragments: fragments}.Windows()
}

// SampleDisk returns the 64 MiB disk of the usual PC around the SYSTEM hive. table is
// "mbr", "gpt" or "none", which is the Windows volume alone.
func SampleDisk(system []byte, table string, fragments int) ([]byte, error) {
	const disk, windowsStart = 64 * diskMiB, 5 * diskMiB
	return PC{System: system, Fragments: fragments, NTFS: NTFSOptions{Size: disk - windowsStart - diskMiB}}.Disk(table)
}
