package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"unloop/hive/hivetest"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	hive, image := filepath.Join(dir, "SYSTEM"), filepath.Join(dir, "out.img")
	system, err := hivetest.Build("[Select]\n", hivetest.Options{Fill: 20000})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hive, system, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want int
	}{
		{[]string{"-hive", hive, "-table", "gpt", "-fragments", "4", image}, 0},
		{[]string{"-mib", "1", filepath.Join(dir, "SYSTEM.1")}, 0},
		{nil, 2},
		{[]string{image, "-table", "gpt"}, 2},
		{[]string{"-table", "apm", filepath.Join(dir, "no.img")}, 1},
		{[]string{"-hive", filepath.Join(dir, "none"), filepath.Join(dir, "no.img")}, 1},
	} {
		if got := run(tt.args, io.Discard); got != tt.want {
			t.Errorf("run(%q) = %d, want %d", tt.args, got, tt.want)
		}
	}
	want, err := hivetest.SampleDisk(system, "gpt", 4)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(image); err != nil || !bytes.Equal(got, want) {
		t.Errorf("image: %v, %d bytes, want %d", err, len(got), len(want))
	}
	if info, err := os.Stat(filepath.Join(dir, "SYSTEM.1")); err != nil || info.Size() != 1<<20 {
		t.Errorf("hive of 1 MiB: %v, %v", info, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 3 {
		t.Errorf("folder holds %v, %v, want two hives and an image", files, err)
	}
}
