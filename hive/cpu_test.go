package hive

import "testing"

func TestProcessor(t *testing.T) {
	for _, tt := range []struct {
		identifier, vendor string
		noSSE2, atom       bool
	}{
		{"x86 Family 6 Model 23 Stepping 10, GenuineIntel", "GenuineIntel", false, false}, // Core 2
		{"x86 Family 15 Model 2 Stepping 9, GenuineIntel", "GenuineIntel", false, false},  // Pentium 4
		{"x86 Family 6 Model 8 Stepping 6, GenuineIntel", "GenuineIntel", true, false},    // Pentium III
		{"x86 Family 6 Model 11 Stepping 1, GenuineIntel", "GenuineIntel", true, false},   // Pentium III, Tualatin
		{"x86 Family 6 Model 9 Stepping 5, GenuineIntel", "GenuineIntel", false, false},   // Pentium M
		{"x86 Family 6 Model 13 Stepping 8, GenuineIntel", "GenuineIntel", false, false},  // Pentium M
		{"x86 Family 5 Model 4 Stepping 3, GenuineIntel", "GenuineIntel", true, false},    // Pentium MMX
		{"x86 Family 6 Model 28 Stepping 2, GenuineIntel", "GenuineIntel", false, true},   // Atom N270
		{"x86 Family 6 Model 54 Stepping 1, GenuineIntel", "GenuineIntel", false, true},   // Atom N2600
		{"x86 Family 6 Model 55 Stepping 8, GenuineIntel", "GenuineIntel", false, false},  // Atom, Bay Trail
		{"x86 Family 6 Model 10 Stepping 0, AuthenticAMD", "AuthenticAMD", true, false},   // Athlon XP
		{"x86 Family 16 Model 8 Stepping 0, AuthenticAMD", "AuthenticAMD", false, false},
		{"x86 Family 5 Model 10 Stepping 2, AuthenticAMD", "AuthenticAMD", true, false},  // Geode LX
		{"x86 Family 6 Model 9 Stepping 8, CentaurHauls", "CentaurHauls", true, false},   // C3
		{"x86 Family 6 Model 13 Stepping 0, CentaurHauls", "CentaurHauls", false, false}, // C7
		{"x86 Family 5 Model 4 Stepping 3, GenuineTMx86", "GenuineTMx86", false, false},
		{"x86 Family Model 8, GenuineIntel", "GenuineIntel", false, false},
		{"x86 Family 6 Model, GenuineIntel", "GenuineIntel", false, false},
		{"x86 Family -6 Model 8, GenuineIntel", "GenuineIntel", false, false},
		{"", "", false, false},
	} {
		p := parseProcessor(tt.identifier)
		if got := (Windows{CPU: tt.identifier}).CPUVendor(); got != tt.vendor || p.lacksSSE2() != tt.noSSE2 || p.immuneAtom() != tt.atom {
			t.Errorf("%q: vendor %q, no SSE2 %v, Atom %v, want %q, %v, %v", tt.identifier, got, p.lacksSSE2(), p.immuneAtom(), tt.vendor, tt.noSSE2, tt.atom)
		}
	}
}
