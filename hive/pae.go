package hive

// Settings of the boot entry's elements nx and pae.
const (
	nxAlwaysOff    = 2
	paeForceEnable = 1
)

// PAE says whether Windows runs with physical address extension: not by the boot entry or
// by what the last start left in the registry, or with it, by the registry or because the
// entry forces it. That the registry tells how the last start was is inferred.
func (f *Findings) PAE() (on, known bool) {
	boot := f.Evidence.Boot
	switch {
	case boot != nil && boot.paeOff(), f.pae != nil && *f.pae == 0:
		return false, true
	case f.pae != nil, boot != nil && boot.PAE != nil && *boot.PAE == paeForceEnable:
		return true, true
	}
	return false, false
}

// paeOff says whether 32-bit Windows 7 runs without PAE by that boot entry: protection
// by the NX bit, which implies PAE, is off, and PAE not forced on (geoffchappell.com,
// "PAE").
func (b *BootConfig) paeOff() bool {
	return b.NX != nil && *b.NX == nxAlwaysOff && (b.PAE == nil || *b.PAE != paeForceEnable)
}
