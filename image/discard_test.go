package image

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sleeping makes a volume with a Windows that sleeps.
func sleeping(t testing.TB, head string) string {
	t.Helper()
	return makeNTFS(t, 20<<20, func(root string) {
		writeWindows(t, root, hiveBytes(8192))
		write(t, append([]byte(head), hiveBytes(100_000)...), root, "HiberFil.sys")
	})
}

func openSleepFile(t testing.TB, in *Installation) *SleepFile {
	t.Helper()
	f, err := in.OpenSleepFile()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Four bytes of the volume become zero, and what they were again.
func TestDiscard(t *testing.T) {
	for _, head := range []string{"hibr", "HIBR"} {
		img := sleeping(t, head)
		first := mustRead(t, img)
		s := open(t, img)
		in := only(t, s)
		f := openSleepFile(t, in)
		was, err := f.Signature()
		if err != nil || string(was[:]) != head || !was.Sleeping() {
			t.Fatalf("Signature() = %q, %v", was, err)
		}
		if err := f.Discard(was); err == nil {
			t.Error("Discard without BeginWrite succeeded")
		}
		if err := s.BeginWrite(); err != nil {
			t.Fatal(err)
		}
		if err := f.Discard(was); err != nil {
			t.Fatal(err)
		}
		at := f.Extents()[0].DeviceOffset
		want := bytes.Clone(first)
		clear(want[at : at+4])
		if !bytes.Equal(mustRead(t, img), want) {
			t.Error("not just the signature changed")
		}
		if in.Hibernated != HiberEmpty || in.Volume.Hibernated != HiberEmpty || s.Refusal(in) != nil {
			t.Errorf("afterwards: %q, %q, %v", in.Hibernated, in.Volume.Hibernated, s.Refusal(in))
		}
		if err := f.Discard(was); !errors.Is(err, ErrChanged) {
			t.Errorf("a second Discard: %v, want ErrChanged", err)
		}
		if err := f.PutBack(was); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(mustRead(t, img), first) || !errors.Is(s.Refusal(in), ErrHibernated) {
			t.Error("PutBack does not give the volume back")
		}
		if err := f.PutBack(was); !errors.Is(err, ErrChanged) {
			t.Errorf("a second PutBack: %v, want ErrChanged", err)
		}
	}
}

// Of no other signature is anything written.
func TestDiscardOnlySleep(t *testing.T) {
	img := sleeping(t, "wake")
	first := mustRead(t, img)
	s := open(t, img)
	f := openSleepFile(t, only(t, s))
	if err := s.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	for _, sig := range []Signature{{'w', 'a', 'k', 'e'}, {}, {'r', 's', 't', 'r'}} {
		if err := f.Discard(sig); err == nil || errors.Is(err, ErrChanged) {
			t.Errorf("Discard(%q) = %v", sig, err)
		}
		if err := f.PutBack(sig); err == nil || errors.Is(err, ErrChanged) {
			t.Errorf("PutBack(%q) = %v", sig, err)
		}
	}
	if err := f.Discard(Signature{'h', 'i', 'b', 'r'}); !errors.Is(err, ErrChanged) {
		t.Errorf("Discard of what does not sleep: %v, want ErrChanged", err)
	}
	if !bytes.Equal(mustRead(t, img), first) {
		t.Error("the volume changed")
	}
}

// Where hiberfil.sys does not lie in clusters of its own it is left alone.
func TestDiscardRefusals(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(rec, data []byte)
		want  error
	}{
		{"sparse", func(_, data []byte) { data[13] |= 0x80 }, ErrSparse},
		{"encrypted", func(_, data []byte) { data[13] |= 0x40 }, ErrEncrypted},
		{"compressed", func(rec, _ []byte) {
			info := attribute(rec, attrStandardInformation)
			info[24+0x21] |= 8
		}, ErrCompressed},
		{"uninitialised", func(_, data []byte) { clear(data[56:64]) }, ErrUninitialised},
	} {
		img := sleeping(t, "hibr")
		patchRecord(t, img, "hiberfil.sys", func(rec []byte) { tt.spoil(rec, attribute(rec, attrData)) })
		first := mustRead(t, img)
		s := open(t, img)
		f := openSleepFile(t, only(t, s))
		if err := f.Refusal(); !errors.Is(err, tt.want) {
			t.Errorf("%s: Refusal() = %v, want %v", tt.name, err, tt.want)
		}
		if err := s.BeginWrite(); err != nil {
			t.Fatal(err)
		}
		if err := f.Discard(Signature{'h', 'i', 'b', 'r'}); err == nil || !bytes.Equal(mustRead(t, img), first) {
			t.Errorf("%s: Discard: %v", tt.name, err)
		}
	}
	img := makeNTFS(t, 20<<20, func(root string) {
		writeWindows(t, root, hiveBytes(8192))
		write(t, []byte("hibr"), root, "hiberfil.sys")
	})
	f := openSleepFile(t, only(t, open(t, img)))
	if err := f.Refusal(); !errors.Is(err, ErrResident) {
		t.Errorf("resident: Refusal() = %v, want %v", err, ErrResident)
	}
}

// Beside a hive file and in a mounted folder, it is an ordinary file.
func TestDiscardInFolder(t *testing.T) {
	root := t.TempDir()
	write(t, hiveBytes(8192), root, systemPath)
	for _, target := range []string{"", systemPath} {
		sleep := write(t, []byte("HIBRand more"), root, "Hiberfil.SYS")
		s := open(t, filepath.Join(root, target))
		in := only(t, s)
		f := openSleepFile(t, in)
		if err := errors.Join(f.Refusal(), s.BeginWrite(), f.Discard(Signature{'H', 'I', 'B', 'R'})); err != nil {
			t.Fatal(err)
		}
		if got := mustRead(t, sleep); string(got) != "\x00\x00\x00\x00and more" || in.Hibernated != HiberEmpty {
			t.Errorf("%q: %q, %s", target, got, in.Hibernated)
		}
		if _, err := in.Stamp(); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%q: Stamp: %v", target, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	alone := only(t, open(t, write(t, hiveBytes(8192), t.TempDir(), "SYSTEM")))
	if _, err := alone.OpenSleepFile(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenSleepFile beside a lone hive: %v", err)
	}
}

// stampOf takes the stamp of a bare volume.
func stampOf(t testing.TB, img string) Stamp {
	t.Helper()
	stamp, err := only(t, open(t, img)).Stamp()
	if err != nil {
		t.Fatal(err)
	}
	return stamp
}

// Whatever ntfs-3g changes on a volume, the stamp tells; a mount that changes nothing,
// and what is written behind its back, it does not.
func TestStamp(t *testing.T) {
	img := sleeping(t, "\x00\x00\x00\x00")
	in := "Windows/System32/config/SYSTEM"
	for _, tt := range []struct {
		name    string
		changes bool
		f       func(root string)
	}{
		{"nothing", false, func(string) {}},
		{"look", false, func(root string) { mustRead(t, filepath.Join(root, in)) }},
		{"touch", true, func(root string) { run(t, "touch", filepath.Join(root, in)) }},
		{"write in place", true, func(root string) {
			f, err := os.OpenFile(filepath.Join(root, in), os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.WriteAt([]byte("x"), 4096)
			if err := errors.Join(err, f.Close()); err != nil {
				t.Fatal(err)
			}
		}},
		{"new file", true, func(root string) { write(t, []byte("x"), root, "new") }},
		{"rename", true, func(root string) { run(t, "mv", filepath.Join(root, "new"), filepath.Join(root, "old")) }},
		{"delete", true, func(root string) { run(t, "rm", filepath.Join(root, "old")) }},
	} {
		before := stampOf(t, img)
		onNTFS(t, img, "", tt.f)
		if after := stampOf(t, img); (after != before) != tt.changes {
			t.Errorf("%s: the stamp was %v, is %v", tt.name, before, after)
		}
	}
	before := stampOf(t, img)
	s := open(t, img)
	f := openFile(t, only(t, s), "SYSTEM")
	if err := s.BeginWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 512), 512); err != nil {
		t.Fatal(err)
	}
	if after := stampOf(t, img); after != before {
		t.Errorf("a write in place changes the stamp from %v to %v", before, after)
	}
}

// A journal in use, as Windows leaves it, is emptied by ntfs-3g's mount alone.
func TestStampOfUncleanJournal(t *testing.T) {
	need(t, "ntfs-3g")
	needRoot(t)
	img := write(t, unclean(t), t.TempDir(), "partition.dd")
	stamp := func() Stamp {
		s := open(t, img)
		in := &Installation{Volume: s.volumes[0], src: s}
		stamp, err := in.Stamp()
		if err != nil {
			t.Fatal(err)
		}
		return stamp
	}
	before := stamp()
	onNTFS(t, img, "", func(string) {})
	if after := stamp(); after.Journal == before.Journal || after.MFT != before.MFT {
		t.Errorf("the stamp was %v, is %v, want another journal alone", before, after)
	}
}

// A volume cut short has no stamp.
func TestStampOfCutVolume(t *testing.T) {
	b := seedVolume(t)
	s := lookAt(bytes.NewReader(b), int64(len(b)))
	in := only(t, s)
	whole, err := in.Stamp()
	if err != nil || len(whole.Journal) != 64 || len(whole.MFT) != 64 {
		t.Fatalf("Stamp() = %v, %v", whole, err)
	}
	in.Volume.fs.dev = bytes.NewReader(b[:8192])
	if cut, err := in.Stamp(); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "$") {
		t.Errorf("Stamp() of a cut volume = %v, %v", cut, err)
	}
}

func TestDisjoint(t *testing.T) {
	at := func(off int64) *File { return &File{stream: &stream{extents: []Extent{{0, off, 4096}}}} }
	if err := Disjoint(at(0), nil, at(4096), at(16384)); err != nil {
		t.Errorf("Disjoint = %v", err)
	}
	if err := Disjoint(at(0), at(8192), nil, at(12287)); !errors.Is(err, ErrMisplaced) {
		t.Errorf("Disjoint = %v, want ErrMisplaced", err)
	}
}
