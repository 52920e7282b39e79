package hive

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// ManifestName is the file that describes a backup, in the backup's own folder.
const ManifestName = "manifest.json"

// manifestFormat is raised when older versions could no longer read it.
const manifestFormat = 1

// State says how far the run came that made a backup.
type State string

// The states of a backup.
const (
	StateStarted State = "started" // writing may have begun
	StateDone    State = "done"    // written and verified
	StateFailed  State = "failed"  // ended by an error
	StateUndone  State = "undone"  // taken back by a later undo
)

// Target says in a manifest where a hive lay. It is for people, and for telling
// apart hives that are alike to the byte.
type Target struct {
	Path         string `json:"path"`  // as the user named it, made absolute; on the stick, the disk by its own names
	Label        string `json:"label"` // of the hive, as in the diff
	Partition    int    `json:"partition,omitempty"`
	Offset       int64  `json:"offset,omitempty"` // of the volume, in bytes
	VolumeSerial string `json:"volumeSerial,omitempty"`
}

// same says whether two targets are one place. Labels are for people: that of a disk
// changes with the order in which disks are found.
func (t Target) same(o Target) bool {
	t.Label, o.Label = "", ""
	return t == o
}

// BackupFile is one file of a backup.
type BackupFile struct {
	Name   string `json:"name"` // SYSTEM, SYSTEM.LOG1, SYSTEM.LOG2 or SYSTEM.LOG; of another hive SOFTWARE …
	Size   int64  `json:"size"`
	SHA256 Digest `json:"sha256"`
}

// HiveID tells hives of different Windows installations apart, whatever is edited
// in them. Cloned installations share it.
type HiveID struct {
	ResourceManager string `json:"resourceManager"` // from the base block, hex
	Computer        string `json:"computer"`
}

// Manifest describes one backup: what was backed up, what for, and how it ended.
type Manifest struct {
	Format  int       `json:"format"`
	Tool    string    `json:"tool"`   // program and version
	Action  string    `json:"action"` // "repair" or "undo"
	State   State     `json:"state"`
	Time    time.Time `json:"time"`
	Target  Target    `json:"target"`
	Windows string    `json:"windows"`
	Hive    HiveID    `json:"hive"`

	HiveFile string `json:"hiveFile,omitempty"` // SoftwareFile; "", as in older manifests: PrimaryFile

	Files  []BackupFile `json:"files"`
	Before Identity     `json:"before"`
	Clean  Digest       `json:"replayed,omitempty"` // of the hive after replaying its log, if it was dirty
	After  Identity     `json:"after"`              // as planned
	Edits  []Edit       `json:"edits"`

	Hibernation *Hibernation `json:"hibernation,omitempty"` // discarded by this run; nil: none was
}

// HiveName says which hive it is a backup of: PrimaryFile or SoftwareFile.
func (m *Manifest) HiveName() string {
	if m.HiveFile == "" {
		return PrimaryFile
	}
	return m.HiveFile
}

// before is the digest of the clean hive that the backup stands for.
func (m *Manifest) before() Digest {
	if m.Clean != "" {
		return m.Clean
	}
	return m.Before.Primary
}

// Backup is a manifest in its folder.
type Backup struct {
	Dir string
	Manifest
	undoing bool // an undo of it has begun and not ended
}

// ErrBackup says that a backup could not be written and read back, or that one on
// the medium is damaged.
var ErrBackup = errors.New("the backup is not good")

// Identify returns what tells the installation this hive belongs to from others.
func (h *Hive) Identify() HiveID {
	rm := h.reg.Base().RmID
	id := HiveID{ResourceManager: hex.EncodeToString(rm[:])}
	if sel, err := h.readSelect(); err == nil {
		id.Computer = h.computerName(sel.Default)
	}
	return id
}

// named returns the files that exist, under the names they have in a backup.
func (f Files) named() []namedFile {
	var files []namedFile
	for _, n := range []namedFile{
		{f.name(), f.Primary}, {f.name() + ".LOG1", f.Log1}, {f.name() + ".LOG2", f.Log2}, {f.name() + ".LOG", f.Log},
	} {
		if n.data != nil {
			files = append(files, n)
		}
	}
	return files
}

type namedFile struct {
	name string
	data []byte
}

// WriteBackup makes the folder dir, which must not exist yet, and writes copies of
// the files and the manifest into it, in state started. Everything is synced, read
// back and compared. m.Before, if set, are the digests of the files, which then need
// not be computed once more. If that does not succeed the folder is removed again and the
// error wraps ErrBackup.
func WriteBackup(dir string, f Files, m Manifest) (*Backup, error) {
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	b := &Backup{Dir: dir, Manifest: m}
	b.Format, b.State, b.Files, b.HiveFile = manifestFormat, StateStarted, nil, ""
	if f.name() != PrimaryFile {
		b.HiveFile = f.name()
	}
	if b.Before == (Identity{}) {
		b.Before = f.Identity()
	}
	if err := b.write(f); err != nil {
		b.Remove()
		return nil, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	return b, nil
}

func (b *Backup) write(f Files) error {
	sums := map[string]Digest{
		f.name(): b.Before.Primary, f.name() + ".LOG1": b.Before.Log1, f.name() + ".LOG2": b.Before.Log2, f.name() + ".LOG": b.Before.Log,
	}
	for _, file := range f.named() {
		path := filepath.Join(b.Dir, file.name)
		if err := writeFile(path, file.data); err != nil {
			return err
		}
		if err := holds(path, file.data); err != nil {
			return fmt.Errorf("reading back %s: %w", path, err)
		}
		b.Files = append(b.Files, BackupFile{file.name, int64(len(file.data)), sums[file.name]})
	}
	if err := b.save(); err != nil {
		return err
	}
	if _, err := ReadBackup(b.Dir); err != nil {
		return err
	}
	return nil
}

// Remove removes the backup, as far as it is there, and its folder if nothing else is in
// it. It is for one whose run has written nothing.
func (b *Backup) Remove() {
	for _, suffix := range []string{"", ".LOG1", ".LOG2", ".LOG"} {
		os.Remove(filepath.Join(b.Dir, b.HiveName()+suffix))
	}
	os.Remove(filepath.Join(b.Dir, ManifestName))
	os.Remove(b.Dir)
}

// makeDir makes dir, which must not exist yet, and the folders above it, and makes
// their names durable. A folder above may vanish meanwhile: a run beside this one
// that fails removes what it left empty. Then it is made once more.
func makeDir(dir string) error {
	parent := filepath.Dir(dir)
	for again := true; ; again = false {
		if err := makeParents(parent); err != nil {
			return err
		}
		err := os.Mkdir(dir, 0o700)
		if err == nil {
			return syncDir(parent)
		}
		if !again || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
}

func makeParents(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeParents(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// holds checks that a file holds just these bytes.
func holds(path string, data []byte) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Size() != int64(len(data)) {
		err = fmt.Errorf("%d bytes instead of %d", info.Size(), len(data))
	}
	if err == nil {
		err = Same(f, data)
	}
	return err
}

// SetState records how the run ended. The manifest is replaced as a whole.
func (b *Backup) SetState(s State) error {
	b.State = s
	return b.save()
}

func (b *Backup) save() error {
	text, err := json.MarshalIndent(b.Manifest, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(b.Dir, ManifestName)
	if err := writeFile(path+".new", append(text, '\n')); err != nil {
		os.Remove(path + ".new")
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	// FAT writes where a renamed file begins only with the file itself: a power cut before
	// that would leave an empty manifest.
	if err := syncFile(path); err != nil {
		return err
	}
	return syncDir(b.Dir)
}

// syncFile makes a file that is there already durable.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// writeFile writes a new file and syncs it.
func writeFile(path string, data []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// maxManifest bounds what is read as a manifest; real ones have a few kilobytes.
const maxManifest = 4 << 20

// ReadBackup reads the manifest in dir and checks that it can be one. The copies
// are not looked at; Read does that.
func ReadBackup(dir string) (*Backup, error) {
	if info, err := os.Stat(filepath.Join(dir, ManifestName)); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not an ordinary file", ErrBackup, filepath.Join(dir, ManifestName))
	}
	f, err := os.Open(filepath.Join(dir, ManifestName))
	if err != nil {
		return nil, fmt.Errorf("reading manifest: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("reading manifest: %w", err)
	}
	m, err := ParseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Join(dir, ManifestName), err)
	}
	return &Backup{Dir: dir, Manifest: *m}, nil
}

// ParseManifest decodes the text of a manifest.
func ParseManifest(text []byte) (*Manifest, error) {
	if len(text) > maxManifest {
		return nil, fmt.Errorf("%w: a manifest of more than %d bytes", ErrBackup, maxManifest)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	if m.Format != manifestFormat {
		return nil, fmt.Errorf("%w: manifest format %d, this version reads %d", ErrBackup, m.Format, manifestFormat)
	}
	if name := m.HiveName(); name != PrimaryFile && name != SoftwareFile {
		return nil, fmt.Errorf("%w: of a hive %q, which unloop does not edit", ErrBackup, name)
	}
	if !m.hasPrimary() {
		return nil, fmt.Errorf("%w: the manifest lists no %s", ErrBackup, m.HiveName())
	}
	if m.Hibernation != nil {
		if _, err := m.Hibernation.Bytes(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBackup, err)
		}
	}
	for _, e := range m.Edits {
		if len(e.Path) == 0 || e.Old == nil && e.New == nil {
			return nil, fmt.Errorf("%w: an edit without key or values", ErrBackup)
		}
	}
	return &m, nil
}

func (m *Manifest) hasPrimary() bool {
	return slices.ContainsFunc(m.Files, func(f BackupFile) bool { return f.Name == m.HiveName() })
}

// maxBackupFile bounds what is read as a copy of a hive or log.
const maxBackupFile = 512 << 20

// Read reads the copies and compares them with the manifest's checksums.
func (b *Backup) Read() (Files, error) {
	f := Files{Name: b.HiveFile}
	for name, field := range map[string]*[]byte{
		f.name(): &f.Primary, f.name() + ".LOG1": &f.Log1, f.name() + ".LOG2": &f.Log2, f.name() + ".LOG": &f.Log,
	} {
		for _, file := range b.Files {
			if file.Name != name {
				continue
			}
			data, err := readCopy(filepath.Join(b.Dir, name), file)
			if err != nil {
				return Files{}, fmt.Errorf("%w: %w", ErrBackup, err)
			}
			*field = data
		}
	}
	return f, nil
}

func readCopy(path string, file BackupFile) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not an ordinary file", path)
	}
	if info.Size() != file.Size || file.Size > maxBackupFile {
		return nil, fmt.Errorf("%s has %d bytes, its manifest says %d", path, info.Size(), file.Size)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := NewBuffer(file.Size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, err
	}
	if Sum(data) != file.SHA256 {
		return nil, fmt.Errorf("%s does not have the checksum its manifest says", path)
	}
	return data, nil
}
