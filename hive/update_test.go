package hive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"unloop/hive"
	"unloop/hive/hivetest"
	"unloop/hive/regf"
)

func update(t testing.TB, c *hive.Change, logRoom int64) *hive.Update {
	t.Helper()
	u, err := c.Update(logRoom)
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	return u
}

// The log is written where it fits, whole, into a file that is there; else the
// order does without it.
func TestUpdateWithAndWithoutLog(t *testing.T) {
	primary := build(t, "", hivetest.Options{Fill: 4096})
	_, need := update(t, prepare(t, open(t, hive.Files{Primary: primary, Log1: make([]byte, log1Size)}), hive.Scope{}, false), log1Size).Bytes()
	for _, tt := range []struct {
		name string
		size int64 // of LOG1; negative: there is none
		room int64
		want bool
	}{
		{"ample", log1Size, log1Size, true},
		{"just enough", need, need, true},
		{"one sector short", need - 512, need - 512, false},
		{"long enough, but not to be written", log1Size, 0, false},
		{"long enough, but its first part alone may be written", log1Size, need - 512, false},
		{"shorter than is said", need - 512, log1Size, false},
		{"empty", 0, log1Size, false},
		{"missing", -1, log1Size, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &medium{primary: bytes.Clone(primary)}
			f := hive.Files{Primary: primary, Log2: []byte{}}
			if tt.size >= 0 {
				m.log1 = bytes.Repeat([]byte{0xAA}, int(tt.size))
				f.Log1 = bytes.Clone(m.log1)
			}
			c := prepare(t, open(t, f), hive.Scope{}, false)
			u := update(t, c, tt.room)
			if u.Log != tt.want {
				t.Fatalf("the update has a log: %v, want %v", u.Log, tt.want)
			}
			log1 := hive.Sum(f.Log1)
			if err := u.Apply(mediumFile{m, hive.PrimaryFile}, mediumFile{m, hive.Log1File}); err != nil {
				t.Fatal(err)
			}
			if err := u.Verify(mediumFile{m, hive.PrimaryFile}); err != nil || !bytes.Equal(m.primary, c.New.Bytes()) {
				t.Errorf("the hive is not the new one: Verify: %v", err)
			}
			if tt.want {
				log1 = hive.Sum(m.log1)
			} else if tt.size > 0 && hive.Sum(m.log1) != log1 {
				t.Error("LOG1 changed")
			}
			if want := (hive.Identity{Primary: hive.Sum(m.primary), Log1: log1, Log2: hive.Sum([]byte{})}); u.After != want {
				t.Errorf("After = %v, want %v", u.After, want)
			}
			if got := prepare(t, open(t, m.files()), hive.Scope{}, false); len(got.Edits) > 0 {
				t.Errorf("a second repair would write %v", got.Edits)
			}
		})
	}
}

// What a repair of the 16 MB hive writes is bounded.
func TestUpdateOfRealHiveIsSmall(t *testing.T) {
	primary := realHive(t, haspHive)
	for _, room := range []int64{log1Size, 0} {
		c := prepare(t, open(t, hive.Files{Primary: primary, Log1: make([]byte, log1Size)}), hive.Scope{}, false)
		u := update(t, c, room)
		hiveBytes, logBytes := u.Bytes()
		t.Logf("log %v: %d bytes in %d sectors to the hive, %d to its log", u.Log, hiveBytes, u.Sectors(), logBytes)
		if u.Log != (room > 0) || hiveBytes > 12288 || logBytes > 131072 || u.Sectors() > 24 {
			t.Errorf("log %v: %d bytes in %d sectors to the hive, %d to its log; more than 12288, 24, 131072", u.Log, hiveBytes, u.Sectors(), logBytes)
		}
		if c.New.Size() != c.Old.Size() {
			t.Errorf("the hive grows from %d to %d bytes", c.Old.Size(), c.New.Size())
		}
		if n := len(differing(c.Old.Bytes(), c.New.Bytes())); n > u.Sectors() {
			t.Errorf("%d sectors differ, %d are written", n, u.Sectors())
		}
	}
}

// differing lists the sectors in which two files of one length differ.
func differing(a, b []byte) []int {
	var offsets []int
	for off := 0; off < len(a); off += regf.SectorSize {
		if !bytes.Equal(a[off:off+regf.SectorSize], b[off:off+regf.SectorSize]) {
			offsets = append(offsets, off)
		}
	}
	return offsets
}

// The same hive gives the same writes, whenever and wherever they are made.
func TestUpdateIsReproducible(t *testing.T) {
	make := func() []op {
		j := journeys(t, fragmented(t, hivetest.Options{Fill: 3000}), false, true)[0]
		return j.record(t).ops
	}
	a, b := make(), make()
	if len(a) != len(b) {
		t.Fatalf("%d operations, then %d", len(a), len(b))
	}
	for i := range a {
		if a[i].kind != b[i].kind || a[i].file != b[i].file || a[i].offset != b[i].offset || !bytes.Equal(a[i].data, b[i].data) {
			t.Errorf("operation %d differs", i)
		}
	}
}

// faulty is a file that fails at one operation.
type faulty struct {
	mediumFile
	left  *int // operations before the one that fails
	short bool // which writes half of it
}

var errFault = errors.New("i/o error")

func (f faulty) WriteAt(p []byte, off int64) (int, error) {
	if *f.left--; *f.left != -1 {
		return f.mediumFile.WriteAt(p, off)
	}
	if f.short {
		return len(p) / 2, nil
	}
	return 0, errFault
}

func (f faulty) Sync() error {
	if *f.left--; *f.left == -1 {
		return errFault
	}
	return f.mediumFile.Sync()
}

// An error at any operation ends the update there, is reported with its step, and
// says whether the hive was touched.
func TestApplyStopsAtTheFirstError(t *testing.T) {
	for _, logged := range []bool{true, false} {
		j := journeys(t, fragmented(t, hivetest.Options{Fill: 3000}), false, logged)[0]
		all := j.record(t).ops
		for i := range all {
			m, left := j.start.clone(), i
			err := j.u.Apply(faulty{mediumFile{m, hive.PrimaryFile}, &left, false}, faulty{mediumFile{m, hive.Log1File}, &left, false})
			var apply *hive.ApplyError
			if !errors.As(err, &apply) || !errors.Is(err, errFault) || apply.Step == "" || !strings.Contains(err.Error(), apply.Step) {
				t.Fatalf("Apply with a fault at operation %d: %v, want an ApplyError with its step", i, err)
			}
			if len(m.ops) != i {
				t.Errorf("after a fault at operation %d there were %d more", i, len(m.ops)-i)
			}
			if want := all[i].file == hive.PrimaryFile; apply.HiveTouched != want {
				t.Errorf("fault at operation %d: hive touched %v, want %v", i, apply.HiveTouched, want)
			}
			if !apply.HiveTouched && !bytes.Equal(m.primary, j.start.primary) {
				t.Errorf("fault at operation %d: the hive is touched, and it is said not to be", i)
			}
		}
	}
}

func TestApplyShortWrite(t *testing.T) {
	j := journeys(t, fragmented(t, hivetest.Options{Fill: 3000}), false, false)[0]
	m, left := j.start.clone(), 2
	err := j.u.Apply(faulty{mediumFile{m, hive.PrimaryFile}, &left, true}, nil)
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("Apply: %v, want %v", err, io.ErrShortWrite)
	}
}

func TestApplyWithoutLogFile(t *testing.T) {
	j := journeys(t, fragmented(t, hivetest.Options{Fill: 3000}), false, true)[0]
	m := j.start.clone()
	var apply *hive.ApplyError
	if err := j.u.Apply(mediumFile{m, hive.PrimaryFile}, nil); !errors.As(err, &apply) || apply.HiveTouched || len(m.ops) > 0 {
		t.Errorf("Apply without LOG1: %v after %d operations, want an error before the first", err, len(m.ops))
	}
}

// A hive that a repair made longer is cut again only where that can be done.
func TestApplyUndoOfGrownHive(t *testing.T) {
	undo := journeys(t, fragmented(t, hivetest.Options{Full: true}), true, true)[1]
	if int64(len(undo.record(t).primary)) != undo.new.Size() || undo.new.Size() >= undo.old.Size() {
		t.Errorf("undo ends with %d bytes, want %d, less than %d", len(undo.record(t).primary), undo.new.Size(), undo.old.Size())
	}
	m := undo.start.clone()
	fixed := struct{ hive.File }{mediumFile{m, hive.PrimaryFile}} // has no Truncate
	if err := undo.u.Apply(fixed, mediumFile{m, hive.Log1File}); err == nil || !strings.Contains(err.Error(), "length") {
		t.Errorf("Apply to a file that cannot be cut: %v, want an error", err)
	}
}

func TestVerify(t *testing.T) {
	j := journeys(t, fragmented(t, hivetest.Options{Fill: 3000}), false, false)[0]
	good := j.record(t).primary
	if err := j.u.Verify(bytes.NewReader(good)); err != nil {
		t.Errorf("Verify: %v", err)
	}
	for _, off := range []int{0, 511, 0x1234, len(good) - 1} {
		bad := bytes.Clone(good)
		bad[off] ^= 0x40
		err := j.u.Verify(bytes.NewReader(bad))
		if !errors.Is(err, hive.ErrNotVerified) || !strings.HasSuffix(err.Error(), fmt.Sprintf("0x%x", off)) {
			t.Errorf("Verify with another byte at 0x%x: %v, want %v", off, err, hive.ErrNotVerified)
		}
	}
	if err := j.u.Verify(bytes.NewReader(good[:len(good)-1])); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Verify of a file that ends early: %v, want an error", err)
	}
}
