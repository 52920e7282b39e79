package hivetest

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// compressionUnit is the binary logarithm of the clusters compressed together.
const compressionUnit = 4

// volume is an NTFS volume while it is written.
type volume struct {
	o       NTFSOptions
	cluster int64
	image   []byte
	used    []bool // clusters; the last sector, the backup boot sector, is in none
	search  int64  // no cluster before this one is free
	mft     stream
	boot    stream
	mirror  stream
	mftBits stream
	bitmap  stream
	unused  []run // clusters in use that $Bitmap is to call free
}

func newVolume(o NTFSOptions) *volume {
	clusters := (o.Size - sectorSize) / int64(o.ClusterSize)
	return &volume{o: o, cluster: int64(o.ClusterSize), image: make([]byte, o.Size), used: make([]bool, clusters)}
}

// build writes the whole volume. Files come first, because folders hold their
// sizes; $Bitmap comes last but for the boot sectors.
func (v *volume) build(root *ntfsNode) error {
	nodes := root.all(nil)
	records := int64(firstUser + len(nodes) - 1)
	if err := v.reserve(records); err != nil {
		return err
	}
	system, err := v.systemFiles(root)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if n.file != nil {
			if err := v.file(n); err != nil {
				return fmt.Errorf("file %s: %w", n.file.Path, err)
			}
		}
	}
	for _, n := range nodes {
		if n.file == nil && n != root {
			if err := v.folder(n, n.children); err != nil {
				return fmt.Errorf("folder %s: %w", n.name, err)
			}
		}
	}
	if err := v.folder(root, append(system, root.children...)); err != nil {
		return fmt.Errorf("root folder: %w", err)
	}
	return v.finish(records)
}

// all returns the node and all below it.
func (n *ntfsNode) all(list []*ntfsNode) []*ntfsNode {
	list = append(list, n)
	for _, c := range n.children {
		list = c.all(list)
	}
	return list
}

// reserve places what has to be known first: boot sector at cluster 0, then,
// as Windows 7 does, the mirror, then the MFT and its bitmap.
func (v *volume) reserve(records int64) (err error) {
	mft := roundUp((records+8)*recordSize, max(8*recordSize, v.cluster))
	for _, s := range []struct {
		stream *stream
		size   int64
	}{
		{&v.boot, 8192},
		{&v.mirror, max(mirrorSize*recordSize, v.cluster)},
		{&v.mft, mft},
		{&v.mftBits, roundUp(mft/recordSize, 64) / 8},
	} {
		if *s.stream, err = v.alloc(s.size, 1); err != nil {
			return err
		}
	}
	return nil
}

func roundUp(n, unit int64) int64 { return (n + unit - 1) / unit * unit }

// alloc gives out clusters for size bytes, in as many runs as told.
func (v *volume) alloc(size int64, fragments int) (stream, error) {
	clusters := roundUp(size, v.cluster) / v.cluster
	s := stream{allocated: clusters * v.cluster, size: size, initialized: size}
	if int64(fragments) > clusters {
		return s, fmt.Errorf("%d fragments of %d clusters", fragments, clusters)
	}
	for i := range int64(fragments) {
		length := clusters*(i+1)/int64(fragments) - clusters*i/int64(fragments)
		lcn, err := v.find(length, fragments > 1)
		if err != nil {
			return s, err
		}
		s.runs = append(s.runs, run{lcn, length})
	}
	for i := 0; i+1 < len(s.runs); i += 2 { // every other step goes backwards
		a, b := s.runs[i], s.runs[i+1]
		if a.length == b.length {
			s.runs[i], s.runs[i+1] = b, a
		}
	}
	return s, nil
}

// find marks length adjacent free clusters as used, the first ones there are;
// with gap, a free one stays before them.
func (v *volume) find(length int64, gap bool) (int64, error) {
	for v.search < int64(len(v.used)) && v.used[v.search] {
		v.search++
	}
	need := length
	if gap {
		need++
	}
	free := int64(0)
	for i := v.search; i < int64(len(v.used)); i++ {
		if free++; v.used[i] {
			free = 0
		}
		if free == need {
			lcn := i + 1 - length
			for j := lcn; j <= i; j++ {
				v.used[j] = true
			}
			return lcn, nil
		}
	}
	return 0, fmt.Errorf("no %d free clusters side by side", need)
}

// write puts data into the clusters of runs.
func (v *volume) write(runs []run, data []byte) {
	for _, r := range runs {
		n := min(r.length*v.cluster, int64(len(data)))
		if r.lcn >= 0 {
			copy(v.image[r.lcn*v.cluster:], data[:n])
		}
		data = data[n:]
	}
}

// store allocates clusters for data and writes it.
func (v *volume) store(data []byte) (stream, error) {
	s, err := v.alloc(int64(len(data)), 1)
	if err != nil {
		return s, err
	}
	v.write(s.runs, data)
	return s, nil
}

// put writes a finished record into the MFT.
func (v *volume) put(r *record) error {
	b, err := r.bytes()
	if err != nil {
		return err
	}
	if r.broken {
		b[recordSize-1] ^= 0xFF
	}
	copy(v.image[v.mft.runs[0].lcn*v.cluster+int64(r.number)*recordSize:], b)
	return nil
}

// begin returns a record with the attributes all files have.
func (v *volume) begin(n *ntfsNode, flags uint16) *record {
	r := newRecord(n.number, n.seq, flags)
	r.broken = n.file != nil && n.file.Broken
	r.resident(attrStandardInformation, "", standardInformation(n.attributes, n.modified()), 0)
	for _, name := range n.fileNames() {
		r.resident(attrFileName, "", name, 0)
	}
	return r
}

// file writes the data and the record of a file.
func (v *volume) file(n *ntfsNode) error {
	f := n.file
	flags, attributes := fileFlags(f)
	n.attributes |= attributes
	if f.Initialized < 0 || f.Initialized > int64(len(f.Data)) || f.Compressed && (f.Sparse || v.cluster > 4096) {
		return fmt.Errorf("no such file: %d of %d bytes initialised, compressed %v, sparse %v, clusters of %d bytes",
			f.Initialized, len(f.Data), f.Compressed, f.Sparse, v.cluster)
	}
	if f.Resident || len(f.Data) == 0 {
		n.allocated, n.size = int64(align8(len(f.Data))), int64(len(f.Data))
		r := v.begin(n, 0)
		r.resident(attrData, "", f.Data, flags)
		return v.put(r)
	}
	s, err := v.allocFile(f)
	if err != nil {
		return err
	}
	s.flags = flags
	v.write(s.runs, f.Data)
	if f.Free {
		v.unused = append(v.unused, s.runs...)
	}
	n.allocated, n.size = s.clusters()*v.cluster, s.size
	r := v.begin(n, 0)
	r.nonResident(attrData, "", s)
	return v.put(r)
}

// fileFlags returns the flags of $DATA and the file attributes that go with them.
func fileFlags(f *NTFSFile) (flags uint16, attributes uint32) {
	if f.Compressed {
		flags, attributes = flags|flagCompressed, attributes|attrCompressed
	}
	if f.Encrypted {
		flags, attributes = flags|flagEncrypted, attributes|attrEncrypted
	}
	if f.Sparse {
		flags, attributes = flags|flagSparse, attributes|attrSparse
	}
	return flags, attributes
}

// allocFile places the data of a file that is not resident.
func (v *volume) allocFile(f *NTFSFile) (stream, error) {
	fragments := max(f.Fragments, 1)
	size := int64(len(f.Data))
	if f.Compressed { // whole units: one with a hole would be a compressed one
		size = roundUp(size, v.cluster<<compressionUnit)
	}
	s, err := v.alloc(size, fragments)
	if err != nil {
		return s, err
	}
	s.size, s.initialized = int64(len(f.Data)), int64(len(f.Data))
	if f.Initialized > 0 {
		s.initialized = f.Initialized
	}
	if f.Sparse {
		s.runs = v.punch(s.runs)
	}
	return s, nil
}

// punch gives the middle third of the clusters back.
func (v *volume) punch(runs []run) []run {
	var total, at int64
	for _, r := range runs {
		total += r.length
	}
	from, to := total/3, total-total/3
	var out []run
	for _, r := range runs {
		head := min(max(from-at, 0), r.length)
		tail := min(max(at+r.length-to, 0), r.length)
		for i := head; i < r.length-tail; i++ {
			v.used[r.lcn+i] = false
			v.search = min(v.search, r.lcn+i)
		}
		out = append(out, run{r.lcn, head}, run{-1, r.length - tail - head}, run{r.lcn + r.length - tail, tail})
		at += r.length
	}
	return slices.DeleteFunc(out, func(r run) bool { return r.length == 0 })
}

// folder writes the index and the record of a folder.
func (v *volume) folder(n *ntfsNode, children []*ntfsNode) error {
	type named struct {
		name  string
		entry indexEntry
	}
	var list []named
	for _, c := range children {
		names := []string{c.name, c.short}
		for i, key := range c.fileNames() {
			head := binary.LittleEndian.AppendUint64(nil, c.reference())
			list = append(list, named{names[i], indexEntry{head: head, key: key, child: -1}})
		}
	}
	slices.SortFunc(list, func(a, b named) int { return compareNames(a.name, b.name) })
	entries := make([]indexEntry, len(list))
	for i := range list {
		entries[i] = list[i].entry
	}
	r := v.begin(n, recordFolder)
	if err := v.index(r, entries); err != nil {
		return err
	}
	return v.put(r)
}

// index adds the attributes of a file name index to the record.
func (v *volume) index(r *record, entries []indexEntry) error {
	const name = "$I30"
	step := int64(indexSize / indexUnit(v.o.ClusterSize))
	const rootOverhead = 24 + 8 + 32
	root, blocks := indexTree(entries, r.free()-rootOverhead, step)
	if len(blocks) > 0 { // once more, with room for the other two attributes
		bits := align8(len(blocks)/8+1) + 8
		root, blocks = indexTree(entries, r.free()-rootOverhead-(64+8+24)-(24+8+bits), step)
	}
	r.resident(attrIndexRoot, name, indexRoot(attrFileName, collateFileName, v.o.ClusterSize, root), 0)
	if len(blocks) == 0 {
		return nil
	}
	s, err := v.store(slices.Concat(blocks...))
	if err != nil {
		return err
	}
	// A cluster larger than a block leaves room for blocks that are not there.
	s.size, s.initialized = s.allocated, s.allocated
	r.nonResident(attrIndexAllocation, name, s)
	bits := make([]byte, align8((int(s.allocated)/indexSize+7)/8))
	setBits(bits, 0, len(blocks))
	r.resident(attrBitmap, name, bits, 0)
	return nil
}

// setBits sets the bits from up to, not including, to.
func setBits(b []byte, from, to int) {
	for i := from; i < to; i++ {
		b[i/8] |= 1 << (i % 8)
	}
}
