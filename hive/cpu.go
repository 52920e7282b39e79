package hive

import (
	"slices"
	"strconv"
	"strings"
)

// processor is what PROCESSOR_IDENTIFIER tells: "x86 Family 6 Model 23 Stepping 10,
// GenuineIntel".
type processor struct {
	vendor        string
	family, model int // -1 if not told
}

// Vendors, as the CPU itself spells them (CPUID).
const (
	vendorIntel = "GenuineIntel"
	vendorAMD   = "AuthenticAMD"
	vendorVIA   = "CentaurHauls"
)

func parseProcessor(identifier string) processor {
	what, vendor, _ := strings.Cut(identifier, ",")
	words := strings.Fields(what)
	number := func(name string) int {
		i := slices.Index(words, name)
		if i < 0 || i+1 >= len(words) {
			return -1
		}
		n, err := strconv.Atoi(words[i+1])
		if err != nil || n < 0 {
			return -1
		}
		return n
	}
	return processor{strings.TrimSpace(vendor), number("Family"), number("Model")}
}

// CPUVendor returns the CPU's vendor as the CPU spells it, "GenuineIntel"; "" if unknown.
func (w Windows) CPUVendor() string { return parseProcessor(w.CPU).vendor }

// immuneAtom says whether Microsoft's check counts the CPU among the Intel ones that
// need no protection from Meltdown (microsoft/SpeculationControl): early Atoms.
func (p processor) immuneAtom() bool {
	return p.vendor == vendorIntel && p.family == 6 && slices.Contains([]int{0x1C, 0x26, 0x27, 0x35, 0x36}, p.model)
}

// lacksSSE2 says whether a CPU of that family and model has no SSE2, by what is commonly
// known of them: Intel's before the Pentium 4 and Pentium M, AMD's before the Athlon 64,
// VIA's before the C7.
func (p processor) lacksSSE2() bool {
	if p.family < 0 || p.model < 0 {
		return false
	}
	switch p.vendor {
	case vendorIntel:
		return p.family < 6 || p.family == 6 && slices.Contains([]int{1, 3, 5, 6, 7, 8, 10, 11}, p.model)
	case vendorAMD:
		return p.family <= 6
	case vendorVIA:
		return p.family < 6 || p.family == 6 && p.model < 10
	}
	return false
}
