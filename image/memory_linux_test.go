package image

import "testing"

func TestFreeMemory(t *testing.T) {
	for text, want := range map[string]int64{
		"MemTotal:        1024 kB\nMemFree:          200 kB\nMemAvailable:     512 kB\n": 512 << 10,
		"MemTotal: 1024 kB\n":                 0,
		"MemAvailable: many kB\n":             0,
		"MemAvailable: -5 kB\n":               0,
		"MemAvailable: 9999999999999999 kB\n": 0,
		"":                                    0,
	} {
		root := t.TempDir()
		write(t, []byte(text), root, "meminfo")
		if got := (Host{ProcRoot: root}).FreeMemory(); got != want {
			t.Errorf("FreeMemory() of %q = %d, want %d", text, got, want)
		}
	}
	if got := (Host{ProcRoot: t.TempDir()}).FreeMemory(); got != 0 {
		t.Errorf("FreeMemory() without /proc = %d", got)
	}
	if got := (Host{}).FreeMemory(); got < 1<<20 {
		t.Errorf("FreeMemory() of this machine = %d", got)
	}
}
