package hivetest

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// noise returns n bytes that do not repeat.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(b)
	return b
}

// manyFiles are files enough for an index of several levels.
func manyFiles(n int) []NTFSFile {
	var files []NTFSFile
	for i := range n {
		name := fmt.Sprintf("many/%04d %s.file", i*7919%n, strings.Repeat("x", i%100))
		files = append(files, NTFSFile{Path: name, Data: []byte(name), Resident: true})
	}
	return files
}

// sampleFiles have one of each kind.
var sampleFiles = []NTFSFile{
	{Path: "Windows/System32/config/SYSTEM", Data: noise(300_001)},
	{Path: "Windows/System32/config/SYSTEM.LOG1", Data: make([]byte, 262144)},
	{Path: "Windows/System32/config/SYSTEM.LOG2"},
	{Path: "Windows/System32/drivers/haspnt.sys", Data: noise(70)},
	{Path: "fragments", Data: noise(100_000), Fragments: 7},
	{Path: "many fragments", Data: noise(200_000), Fragments: 40},
	{Path: "resident", Data: noise(300), Resident: true},
	{Path: "compressed", Data: noise(100_000), Compressed: true, Fragments: 2},
	{Path: "sparse", Data: noise(100_000), Sparse: true, Fragments: 3},
	{Path: "initialized", Data: noise(50_000), Initialized: 20_001},
	{Path: "日本語のフォルダ/長い名前のファイル.dat", Data: noise(5000)},
	{Path: "日本語のフォルダ/長い名前のファイル.data", Data: noise(5001)},
}

var volumes = []struct {
	name  string
	files []NTFSFile
	o     NTFSOptions
}{
	{"empty", nil, NTFSOptions{Size: 2 << 20}},
	{"sample", sampleFiles, NTFSOptions{Size: 8 << 20, Label: "Windows 7"}},
	{"512 byte clusters", sampleFiles, NTFSOptions{Size: 8 << 20, ClusterSize: 512, Serial: 0x0123456789ABCDEF}},
	{"1 KiB clusters", sampleFiles, NTFSOptions{Size: 8<<20 + 512, ClusterSize: 1024}},
	{"64 KiB clusters", sampleFiles[:4], NTFSOptions{Size: 16<<20 - 512, ClusterSize: 65536}},
	{"many files", manyFiles(3000), NTFSOptions{}},
	{"many files, 512 byte clusters", manyFiles(300), NTFSOptions{Size: 4 << 20, ClusterSize: 512}},
	{"dirty", sampleFiles[:1], NTFSOptions{Size: 8 << 20, Dirty: true}},
}

func writeVolume(t *testing.T, files []NTFSFile, o NTFSOptions) string {
	t.Helper()
	b, err := BuildNTFS(files, o)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != o.Size && o.Size != 0 {
		t.Fatalf("volume of %d bytes, want %d", len(b), o.Size)
	}
	file := filepath.Join(t.TempDir(), "volume")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// wantData is what a file system reads from the file.
func wantData(f NTFSFile, clusterSize int) []byte {
	b := bytes.Clone(f.Data)
	if f.Sparse {
		n := (len(b) + clusterSize - 1) / clusterSize
		clear(b[n/3*clusterSize : (n-n/3)*clusterSize])
	}
	if f.Initialized > 0 {
		clear(b[f.Initialized:])
	}
	return b
}

func TestBuildNTFSAgainstNtfscat(t *testing.T) {
	for _, tt := range volumes {
		t.Run(tt.name, func(t *testing.T) {
			file := writeVolume(t, tt.files, tt.o)
			for i, f := range tt.files {
				if i >= 20 && i%200 != 0 {
					continue
				}
				out, err := judge(t, "ntfscat", "-f", file, f.Path)
				if err != nil || out != string(wantData(f, clusterSize(tt.o))) {
					t.Errorf("ntfscat %s: error %v, %d bytes, equal: %v", f.Path, err, len(out), out == string(wantData(f, clusterSize(tt.o))))
				}
			}
		})
	}
}

func clusterSize(o NTFSOptions) int { return cmp.Or(o.ClusterSize, 4096) }

// TestBuildNTFSIsSound asks the checkers: ntfsfix compares MFT and mirror and
// both boot sectors, ntfsresize accounts for every cluster.
func TestBuildNTFSIsSound(t *testing.T) {
	for _, tt := range volumes {
		t.Run(tt.name, func(t *testing.T) {
			file := writeVolume(t, tt.files, tt.o)
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out, err := judge(t, "ntfsfix", "-n", file)
			if err != nil || strings.Contains(out, "FAILED") || !strings.Contains(out, "processed successfully") {
				t.Errorf("ntfsfix -n: %v:\n%s", err, out)
			}
			out, err = judge(t, "ntfsresize", "--info", "--force", "--no-progress-bar", file)
			if err != nil || !strings.Contains(out, "Collecting resizing constraints") {
				t.Errorf("ntfsresize --info: %v:\n%s", err, out)
			}
			out, err = judge(t, "ntfsinfo", "-m", "-f", file)
			dirty := strings.Contains(out, "Volume Flags: 0x0001")
			if err != nil || dirty != tt.o.Dirty || !strings.Contains(out, "Volume Version: 3.1") || !strings.Contains(out, "Volume Name: "+tt.o.Label) {
				t.Errorf("ntfsinfo -m: %v:\n%s", err, out)
			}
			if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
				t.Errorf("volume changed by reading it: %v", err)
			}
		})
	}
}

func TestBuildNTFSAgainstNtfsls(t *testing.T) {
	files := manyFiles(3000)
	out, err := judge(t, "ntfsls", "-f", "-p", "/many", writeVolume(t, files, NTFSOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimPrefix(strings.TrimSpace(out), ".\n"), "\n")
	var want []string
	for _, f := range files {
		want = append(want, strings.TrimPrefix(f.Path, "many/"))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("ntfsls lists %d names, want %d", len(got), len(want))
	}
}

// TestBuildNTFSMounted reads everything through a read-only mount.
func TestBuildNTFSMounted(t *testing.T) {
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Getuid() != 0 {
		t.Skip("mounting needs root and /dev/fuse")
	}
	for _, tt := range volumes {
		t.Run(tt.name, func(t *testing.T) {
			file, dir := writeVolume(t, tt.files, tt.o), t.TempDir()
			if out, err := judge(t, "ntfs-3g", "-o", "ro", file, dir); err != nil {
				t.Fatal(out, err)
			}
			defer func() {
				if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
					t.Errorf("umount: %v: %s", err, out)
				}
			}()
			for _, f := range tt.files {
				got, err := os.ReadFile(filepath.Join(dir, f.Path))
				if err != nil || !bytes.Equal(got, wantData(f, clusterSize(tt.o))) {
					t.Errorf("%s: error %v, %d bytes, want %d", f.Path, err, len(got), len(f.Data))
				}
			}
			entries, err := os.ReadDir(filepath.Join(dir, "many"))
			if len(tt.files) >= 300 && (err != nil || len(entries) != len(tt.files)) {
				t.Errorf("folder of %d entries, error %v, want %d", len(entries), err, len(tt.files))
			}
		})
	}
}

// TestBuildNTFSJournal: the probe of ntfs-3g ends with 15 for a journal in use.
func TestBuildNTFSJournal(t *testing.T) {
	for _, size := range []int64{8 << 20, 64 << 20} {
		for unclean, want := range map[bool]string{false: "<nil>", true: "exit status 15"} {
			file := writeVolume(t, nil, NTFSOptions{Size: size, Unclean: unclean})
			_, err := judge(t, "ntfs-3g.probe", "--readwrite", file)
			if got := fmt.Sprint(err); !strings.Contains(got, want) {
				t.Errorf("unclean %v, %d bytes: ntfs-3g.probe --readwrite: %v, want %s", unclean, size, err, want)
			}
			if _, err := judge(t, "ntfs-3g.probe", "--readonly", file); err != nil {
				t.Errorf("unclean %v: ntfs-3g.probe --readonly: %v", unclean, err)
			}
		}
	}
}

// TestBuildNTFSNewJournal: the probe of ntfs-3g ends with 14 for one of Windows 8.
func TestBuildNTFSNewJournal(t *testing.T) {
	for _, unclean := range []bool{false, true} {
		file := writeVolume(t, nil, NTFSOptions{Size: 8 << 20, Unclean: unclean, NewJournal: true})
		if _, err := judge(t, "ntfs-3g.probe", "--readwrite", file); err == nil || !strings.Contains(err.Error(), "exit status 14") {
			t.Errorf("unclean %v: ntfs-3g.probe --readwrite: %v, want exit status 14", unclean, err)
		}
	}
}

// TestBuildNTFSDamage: what is built damaged is found so by others.
func TestBuildNTFSDamage(t *testing.T) {
	free := writeVolume(t, []NTFSFile{{Path: "free", Data: noise(50_000), Free: true}}, NTFSOptions{Size: 8 << 20})
	out, err := judge(t, "ntfsresize", "--info", "--force", "--no-progress-bar", free)
	if err == nil || !strings.Contains(out+err.Error(), "Cluster accounting failed") {
		t.Errorf("ntfsresize --info of free clusters: %v\n%s", err, out)
	}
	torn := writeVolume(t, []NTFSFile{{Path: "torn", Data: noise(5000), Broken: true}}, NTFSOptions{Size: 8 << 20})
	if out, err := judge(t, "ntfscat", "-f", torn, "torn"); err == nil {
		t.Errorf("ntfscat of a torn record gives %d bytes", len(out))
	}
}

// TestBuildNTFSExtents reads flags and data runs of the files with ntfsinfo.
func TestBuildNTFSExtents(t *testing.T) {
	files := append(slices.Clone(sampleFiles), NTFSFile{Path: "encrypted", Data: noise(5000), Encrypted: true})
	volume := writeVolume(t, files, NTFSOptions{Size: 8 << 20})
	for _, tt := range []struct {
		path, flags string
		runs        int // 0: resident
	}{
		{"Windows/System32/config/SYSTEM", "0x0000", 1},
		{"Windows/System32/config/SYSTEM.LOG2", "0x0000", 0},
		{"fragments", "0x0000", 7},
		{"many fragments", "0x0000", 40},
		{"resident", "0x0000", 0},
		{"compressed", "0x0001", 2},
		{"encrypted", "0x4000", 1},
	} {
		out, err := judge(t, "ntfsinfo", "-v", "-f", "-F", "/"+tt.path, volume)
		if err != nil {
			t.Errorf("ntfsinfo %s: %v", tt.path, err)
			continue
		}
		_, data, _ := strings.Cut(out, "Dumping attribute $DATA")
		if !strings.Contains(strings.Join(strings.Fields(data), " "), "Attribute flags: "+tt.flags) {
			t.Errorf("%s: flags are not %s:\n%s", tt.path, tt.flags, data)
		}
		var runs [][3]int64
		for line := range strings.Lines(data) {
			var r [3]int64
			if n, _ := fmt.Sscanf(line, " 0x%x 0x%x 0x%x", &r[0], &r[1], &r[2]); n == 3 {
				runs = append(runs, r)
			}
		}
		if len(runs) != tt.runs {
			t.Errorf("%s: %d runs, want %d:\n%s", tt.path, len(runs), tt.runs, data)
		}
		for i := 1; i < len(runs); i++ {
			if runs[i-1][1]+runs[i-1][2] == runs[i][1] {
				t.Errorf("%s: runs %x and %x are side by side", tt.path, runs[i-1], runs[i])
			}
		}
	}
}

func TestBuildNTFSErrors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []NTFSFile
		o     NTFSOptions
		want  string
	}{
		{"too small", nil, NTFSOptions{Size: 1 << 20}, "size of 1048576 bytes"},
		{"half a sector", nil, NTFSOptions{Size: 2<<20 + 100}, "size of"},
		{"clusters", nil, NTFSOptions{ClusterSize: 1000}, "cluster size 1000"},
		{"label", nil, NTFSOptions{Label: strings.Repeat("x", 33)}, "label of 33"},
		{"no room", []NTFSFile{{Path: "a", Data: make([]byte, 3<<20)}}, NTFSOptions{Size: 2 << 20}, "file a: no 768 free clusters"},
		{"twice", []NTFSFile{{Path: "a/b"}, {Path: "A/B"}}, NTFSOptions{}, "is there already"},
		{"file and folder", []NTFSFile{{Path: "a"}, {Path: "a/b"}}, NTFSOptions{}, "is there already"},
		{"folder and file", []NTFSFile{{Path: "a/b"}, {Path: "a"}}, NTFSOptions{}, "is there already"},
		{"system file", []NTFSFile{{Path: "$MFT"}}, NTFSOptions{}, "is there already"},
		{"path", []NTFSFile{{Path: "a//b"}}, NTFSOptions{}, `path "a//b"`},
		{"resident", []NTFSFile{{Path: "a", Data: make([]byte, 1000), Resident: true}}, NTFSOptions{}, "do not fit"},
		{"fragments", []NTFSFile{{Path: "a", Data: make([]byte, 5000), Fragments: 3}}, NTFSOptions{}, "3 fragments of 2 clusters"},
		{"initialized", []NTFSFile{{Path: "a", Data: make([]byte, 5), Initialized: 6}}, NTFSOptions{}, "6 of 5 bytes initialised"},
	} {
		if got, err := BuildNTFS(tt.files, tt.o); err == nil || !strings.Contains(err.Error(), tt.want) || got != nil {
			t.Errorf("%s: BuildNTFS = %d bytes, %v, want error with %q", tt.name, len(got), err, tt.want)
		}
	}
}

func TestShortName(t *testing.T) {
	dir := newNode("", nil)
	for _, tt := range []struct{ name, want string }{
		{"Windows", ""}, {"haspnt.sys", ""}, {"SYSTEM", ""},
		{"SYSTEM.LOG1", "SYSTEM~1.LOG"}, {"SYSTEM.LOG2", "SYSTEM~2.LOG"},
		{"Program Files", "PROGRA~1"}, {".dot", "DOT~1"}, {"a.b.c", "AB~1.C"}, {"日本.txt", "~1.TXT"},
		{"abcdefghi", "ABCDEF~1"}, {"abcdefghj", "ABCDEF~2"}, {"abcdefghk", "ABCDEF~3"}, {"abcdefghl", "ABCDEF~4"}, {"abcdefghm", "AB4CB6~1"},
	} {
		if got := shortName(tt.name, dir); got != tt.want {
			t.Errorf("shortName(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}
