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
// [Build] makes an [Image] out of unpacked Debian packages and our programs: two
// kernels, one archive with the programs and one with each kernel's modules, GRUB
// for the BIOS, signed shim and GRUB for UEFI, one menu. It knows these limits:
//
//   - Kernels with modules that are not compressed, as Debian 12's; the one for
//     64-bit CPUs has to be signed.
//   - GRUB's own grub-mkimage is run, so only Linux on amd64 can build.
//
// The same [Image] gives the same bytes, whatever the order of its files: they
// are sorted, and every time stamp is the image's. Words: a cluster is FAT's
// unit of allocation, a long name is one in UTF-16 beside the short name (8.3)
// that every entry has. Numbers come from Microsoft's "FAT: General Overview of
// On-Disk Format", version 1.03, named FAT below.
package stick
