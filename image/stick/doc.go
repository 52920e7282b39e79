// Package stick makes the rescue stick: one disk image with a partition table,
// the boot code of a BIOS, and one FAT32 volume.
//
// Limits first:
//
//   - One partition, from 1 MiB to the end of the disk, in an MBR. No GPT.
//   - FAT32 only, written once and as a whole. Nothing is ever changed in a
//     volume that is there: [Image.Write] overwrites, [Read] reads.
//   - Sectors of 512 bytes, at most 2 TiB, files below 4 GiB.
//   - All content is in memory.
//
// The same [Image] gives the same bytes, whatever the order of its files: they
// are sorted, and every time stamp is the image's. Words: a cluster is FAT's
// unit of allocation, a long name is one in UTF-16 beside the short name (8.3)
// that every entry has. Numbers come from Microsoft's "FAT: General Overview of
// On-Disk Format", version 1.03, named FAT below.
package stick
