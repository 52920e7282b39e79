//go:build linux

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// The disks that the virtual PCs get are what they are meant to be, and what is asked of
// them afterwards holds for a repair without any PC.
func TestDisks(t *testing.T) {
	for _, tt := range []struct {
		name    string
		make    func(*testing.T) *disk
		verdict string // in what scan says
		sick    bool
	}{
		{"looping", loopingDisk, "verdict: affected", true},
		{"real", func(t *testing.T) *disk { return realDisk(t, "win7-x86-hasp-SYSTEM") }, "verdict: affected", true},
		{"dirty", dirtyDisk, "verdict: affected", true},
		{"sleeping", sleepingDisk, "hibernat", false},
		{"repaired", repairedDisk, "already repaired", false},
		{"Windows 10", func(t *testing.T) *disk { return realDisk(t, "win10-SYSTEM") }, "not affected", false},
		{"empty", emptyDisk, "no Windows", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := tt.make(t)
			d.plugIn(t)
			if _, stdout, stderr := unloop("scan", d.path); !strings.Contains(stdout+stderr, tt.verdict) {
				t.Errorf("scan does not say %q:\n%s%s", tt.verdict, stdout, stderr)
			}
			if err := d.untouched(); err != nil {
				t.Errorf("after scan: %v", err)
			}
			if err := d.repaired(); err == nil {
				t.Error("it counts as repaired without a repair")
			}
			if !tt.sick {
				return
			}
			repairHere(t, d)
			if err := d.repaired(); err != nil {
				t.Error(err)
			}
			if err := d.untouched(); err == nil {
				t.Error("it counts as untouched after a repair")
			}
		})
	}
}

// A repaired disk with one more byte changed, anywhere, is not repaired.
func TestDiskSpoiled(t *testing.T) {
	d := loopingDisk(t)
	d.plugIn(t)
	repairHere(t, d)
	good, err := os.ReadFile(d.path)
	if err != nil {
		t.Fatal(err)
	}
	aksusb := d.extents[0].DeviceOffset + int64(bytes.Index(d.files.Primary, []byte("SafeNet Inc."))&^1)
	for name, at := range map[string]int64{"boot sector": 0, "MFT": 5<<20 + 64<<10, "last byte": int64(len(good)) - 1, "a name in the hive": aksusb} {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		if err := os.WriteFile(d.path, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := d.repaired(); err == nil {
			t.Errorf("with another byte in %s it counts as repaired", name)
		}
	}
}
