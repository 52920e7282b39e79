// Package image finds where a hive lies, reads it there, and overwrites
// sectors of it in place.
//
// Limits first:
//
//   - NTFS is only read. No metadata is ever written: a file on a volume
//     keeps its size, its place, its time stamps, and the volume its journal.
//   - Nothing is mounted. A folder target is a volume somebody else mounted.
//   - A compressed, sparse, encrypted or resident file on a volume is never
//     written; one encrypted, or stored behind a reparse point, is not read.
//   - Clusters above 64 KiB, dynamic disks and software RAID are not
//     assembled. What is recognised of them is refused, not guessed.
//   - A disk in a raw image or fixed VHD is read and written here. Of qcow2, VMDK,
//     dynamic VHD, VHDX and VDI only the headers are read: the disk in them is what
//     [Host].Export, a program of its own, makes of it, and only the top layer of
//     several is ever written.
//   - Block devices are a matter of Linux. On Windows and macOS the targets
//     are hive files, folders and image files.
//
// A [Host] opens what the user named as a [Source]: a hive file, a folder, a
// disk image or a block device. The source lists the Windows installations
// found there; an [Installation] opens its files; a [File] reads, and, after
// [Source.BeginWrite] and [Source.StartWriting], writes whole sectors inside the file's own plain and
// initialised extents. That is the only way to write to a volume.
//
// Beside hives a diagnosis wants [ReadPE], the version of a program or driver,
// and [ReadDump], the code of a crash dump; both take a file and read little.
//
// A stick is made the other way round: a [Drive] is a whole disk with whatever
// is on it, and [Host.Overwrite] opens it for being written over. It is refused
// for a disk that is mounted, in use, or that this machine runs from.
//
// All offsets and sizes are bytes unless a name says otherwise. Every sum of
// numbers read from a disk is made in int64 and compared before it is used.
package image
