//go:build linux

package main

import "testing"

// The oldest PC is repaired without a hand on the keyboard.
func TestStickBIOSAuto(t *testing.T) {
	t.Parallel()
	d := loopingDisk(t)
	m := bootStick(t, vm{disks: []*disk{d}})
	m.result("REPAIRED")
	m.said(`unloop: the stick may be pulled out now`)
	m.expect(`unloop: power off`)
	m.ends("guest-shutdown")
	m.wantRepaired(d)
}

// A technician in Japan looks at the plan on the screen of an old PC, and says yes.
func TestStickBIOSAsk(t *testing.T) {
	t.Parallel()
	d := loopingDisk(t)
	m := bootStick(t, vm{cpu: "pentium3", bus: "AHCI", disks: []*disk{d}, mode: "ask", settings: inJapanese, screen: "tty0"})
	m.repairsInJapanese(d)
}

// A new PC lets the stick start although it checks every signature.
func TestStickSecureBootAuto(t *testing.T) {
	t.Parallel()
	d := loopingDisk(t)
	m := bootStick(t, vm{firmware: "UEFI x64 Secure Boot", disks: []*disk{d}})
	m.result("REPAIRED")
	m.expect(`unloop: power off`)
	m.ends("guest-shutdown")
	m.wantRepaired(d)
}
