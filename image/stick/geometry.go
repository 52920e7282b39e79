package stick

import (
	"encoding/binary"
	"fmt"
)

const (
	sectorSize     = 512
	partitionStart = 2048       // sector at 1 MiB, where every partitioning tool starts
	fatType        = 0x0C       // MBR: FAT32 with LBA, which Windows shows
	reserved       = 32         // sectors before the first FAT, as usual (FAT 3.1)
	minClusters    = 65525      // with fewer, a reader takes it for FAT16 (FAT 3.5) ...
	spareClusters  = 16         // ... and not every reader counts right
	maxSectors     = 1<<32 - 1  // of a disk, by the MBR's and the volume's fields
	tracks, heads  = 63, 255    // the geometry every BIOS gives a USB disk
	bootSignature  = 0xAA55     // ends the MBR, the boot sector and FSInfo
	rootCluster    = 2          // the first there is
	endOfChain     = 0x0FFFFFFF // FAT 4
)

// geometry says where the parts of the volume lie, in sectors.
type geometry struct {
	sectors  int64 // of the partition
	cluster  int64 // sectors per cluster
	reserved int64 // before the first FAT
	fat      int64 // of one FAT
	fats     int64 // how many
	clusters int64 // how many, the first has number 2
}

// clusterSize gives the sectors per cluster that Windows takes for a FAT32
// volume of n sectors (FAT 3.5).
func clusterSize(n int64) int64 {
	switch mib := n / 2048; {
	case mib <= 260:
		return 1
	case mib <= 8<<10:
		return 8
	case mib <= 16<<10:
		return 16
	case mib <= 32<<10:
		return 32
	}
	return 64
}

// layOut lays a volume out on a disk of size bytes. The first cluster begins
// at a whole number of clusters, and of 4 KiB, on the disk: flash is written
// in pages.
func layOut(size int64) (geometry, error) {
	if size/sectorSize > maxSectors {
		return geometry{}, fmt.Errorf("laying out a disk of %d bytes: more than 2 TiB", size)
	}
	g := geometry{sectors: size/sectorSize - partitionStart, reserved: reserved, fats: 2}
	g.cluster = clusterSize(g.sectors)
	// A cluster costs its sectors and four bytes in each FAT.
	most := (g.sectors - reserved) * sectorSize / (g.cluster*sectorSize + 8)
	if most < minClusters+spareClusters {
		return geometry{}, tooSmall(size)
	}
	g.fat = roundUp((most+2)*4, sectorSize) / sectorSize
	g.reserved = roundUp(reserved+2*g.fat, max(g.cluster, 8)) - 2*g.fat
	g.clusters = (g.sectors - g.data()) / g.cluster
	if g.clusters < minClusters+spareClusters {
		return geometry{}, tooSmall(size)
	}
	return g, nil
}

func tooSmall(size int64) error {
	return fmt.Errorf("laying out a disk of %d bytes, FAT32 needs 34 MiB: %w", size, ErrTooSmall)
}

func roundUp(n, unit int64) int64 { return (n + unit - 1) / unit * unit }

// data is the first sector of the clusters, counted from the partition's.
func (g geometry) data() int64 { return g.reserved + g.fats*g.fat }

// bytes of one cluster.
func (g geometry) bytes() int64 { return g.cluster * sectorSize }

// offset of a cluster on the disk in bytes.
func (g geometry) offset(cluster int64) int64 {
	return (partitionStart + g.data() + (cluster-rootCluster)*g.cluster) * sectorSize
}

// clustersFor is how many clusters n bytes take.
func (g geometry) clustersFor(n int64) int64 { return roundUp(n, g.bytes()) / g.bytes() }

// mbr makes sector 0: boot code, disk signature and the one partition.
func (im *Image) mbr(g geometry) []byte {
	b := make([]byte, sectorSize)
	copy(b[:440], im.BootCode)
	binary.LittleEndian.PutUint32(b[440:], im.DiskID)
	entry := b[446:]
	entry[0], entry[4] = 0x80, fatType
	putCHS(entry[1:], partitionStart)
	putCHS(entry[5:], partitionStart+g.sectors-1)
	binary.LittleEndian.PutUint32(entry[8:], partitionStart)
	binary.LittleEndian.PutUint32(entry[12:], uint32(g.sectors))
	binary.LittleEndian.PutUint16(b[510:], bootSignature)
	return b
}

// putCHS writes a sector's number as cylinder, head and sector; what lies
// beyond cylinder 1023 gets the highest there is, as usual.
func putCHS(b []byte, sector int64) {
	c, h, s := sector/(tracks*heads), sector/tracks%heads, sector%tracks+1
	if c > 1023 {
		c, h, s = 1023, 254, 63
	}
	b[0], b[1], b[2] = byte(h), byte(s|c>>8<<6), byte(c)
}
