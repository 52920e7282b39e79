package hive_test

import (
	"strings"
	"testing"

	"unloop/hive"
)

func TestHibernationBytes(t *testing.T) {
	for text, want := range map[string]string{"68696272": "hibr", "48494252": "HIBR", "77616b65": "", "00000000": "", "6869627200": "", "xx": "", "": ""} {
		sig, err := (&hive.Hibernation{Signature: text}).Bytes()
		if (err == nil) != (want != "") || err == nil && string(sig[:]) != want {
			t.Errorf("Bytes of %q = %q, %v", text, sig, err)
		}
	}
}

func TestHibernationDiffers(t *testing.T) {
	h := &hive.Hibernation{Files: map[string]hive.Digest{"a": "1", "b": "2"}}
	for _, tt := range []struct {
		now  map[string]hive.Digest
		want string
	}{
		{map[string]hive.Digest{"a": "1", "b": "2"}, ""},
		{map[string]hive.Digest{"a": "1", "b": "3"}, "b"},
		{map[string]hive.Digest{"a": "1"}, "b"},
		{map[string]hive.Digest{"a": "1", "b": "2", "c": "3"}, "c"},
		{nil, "a"},
	} {
		if got := h.Differs(tt.now); got != tt.want {
			t.Errorf("Differs(%v) = %q, want %q", tt.now, got, tt.want)
		}
	}
	if got := new(hive.Hibernation).Differs(nil); got != "" {
		t.Errorf("nothing differs by %q from nothing", got)
	}
}

// A manifest that would have other bytes written is not one.
func TestManifestOfHibernation(t *testing.T) {
	const text = `{"format":1,"files":[{"name":"SYSTEM"}],"hibernation":{"signature":"%"}}`
	if m, err := hive.ParseManifest([]byte(strings.Replace(text, "%", "68696272", 1))); err != nil || m.Hibernation == nil {
		t.Errorf("ParseManifest = %v, %v", m, err)
	}
	if m, err := hive.ParseManifest([]byte(strings.Replace(text, "%", "4e544653", 1))); err == nil {
		t.Errorf("ParseManifest of another signature = %v", m)
	}
}

func TestDiscarded(t *testing.T) {
	here := hive.Target{Path: "/dev/sda", Partition: 2, VolumeSerial: "AAAA"}
	make := func(dir string, change func(b *hive.Backup)) *hive.Backup {
		b := &hive.Backup{Dir: dir, Manifest: hive.Manifest{Action: "repair", Target: here, Hibernation: &hive.Hibernation{Signature: "68696272"}}}
		change(b)
		return b
	}
	none := func(*hive.Backup) {}
	found := hive.Discarded([]*hive.Backup{
		make("old", none),
		make("other", func(b *hive.Backup) { b.Target.VolumeSerial = "BBBB" }),
		make("awake", func(b *hive.Backup) { b.Hibernation = nil }),
		make("undo", func(b *hive.Backup) { b.Action = "undo" }),
		make("new", func(b *hive.Backup) { b.Target.Path = "/dev/sdb" }),
	}, here)
	var got []string
	for _, b := range found {
		got = append(got, b.Dir)
	}
	if strings.Join(got, " ") != "new old" {
		t.Errorf("Discarded = %q, want new and old", got)
	}
}
