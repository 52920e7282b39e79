package stick

// GRUB's scripts know no "&&" and no "||": a line with them is an error, and GRUB
// goes on with the next one.

// menu is the one menu, for BIOS and UEFI: boot/grub/grub.cfg. A PC with a BIOS
// gets the kernel that runs on every CPU. UEFI gets the signed one if the CPU can
// run it. GRUB's root is the volume it was loaded from, so that a second stick in
// the same PC is no matter.
const menu = `# The menu of the stick, for BIOS and UEFI.
set default=0
set timeout=3
set bits=32
set extra=
if [ "$grub_platform" = efi ]; then
	regexp --set=1:root '^\(([^)]*)\)' "$cmdpath"
	if cpuid -l; then set bits=64; fi
fi
set video=1024x768x32,1024x768,800x600x32,800x600,auto
probe --set=uuid --fs-uuid "$root"
if [ -f "($root)/unloop/test.cfg" ]; then
	source "($root)/unloop/test.cfg"
fi

function start_unloop {
	echo "unloop: loading ..."
	linux "($root)/unloop/vmlinuz$bits" unloop.stick=$uuid quiet loglevel=3 panic=0 $1 $2 $extra
	initrd "($root)/unloop/user.img" "($root)/unloop/mods$bits.img"
}

menuentry "unloop" {
	set gfxpayload=$video
	start_unloop
}
menuentry "unloop, look only (dry run)" {
	set gfxpayload=$video
	start_unloop "unloop.mode=dry-run"
}
menuentry "unloop, plain text screen" {
	if [ "$grub_platform" != efi ]; then set gfxpayload=text; fi
	start_unloop nomodeset unloop.screen=text
}
menuentry "unloop in Japanese (Nihongo)" {
	set gfxpayload=$video
	start_unloop unloop.lang=ja
}
`

// uefiMenu is where the signed GRUB begins. Debian made it look in EFI/debian
// first, and search every disk for an installation medium if that folder is not
// there; then in the folder it was loaded from.
const uefiMenu = `# GRUB for UEFI begins here and goes on with the menu of the stick it was loaded from.
regexp --set=1:root '^\(([^)]*)\)' "$cmdpath"
set prefix=($root)/boot/grub
source $prefix/grub.cfg
`

func menuFiles() []File {
	return []File{
		{Path: "boot/grub/grub.cfg", Data: []byte(menu)},
		{Path: "EFI/BOOT/grub.cfg", Data: []byte(uefiMenu)},
		{Path: "EFI/debian/grub.cfg", Data: []byte(uefiMenu)},
	}
}
