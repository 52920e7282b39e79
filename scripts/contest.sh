#!/usr/bin/env bash
# Shared by scripts/bench: the contestants, the proof that each did its work, and how time and bytes are counted. Sourced, never run.
#
# Usage: source "$(dirname "${BASH_SOURCE[0]}")/contest.sh"
# Input: the current folder, which is $tmp: SYSTEM, the hive; pc.img, a disk with it; edits.reg.
# Output: functions; commands for a shell; all of figures.sh and lib.sh.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=figures.sh
source "$(dirname "${BASH_SOURCE[0]}")/figures.sh"

config=Windows/System32/config
log1_size=262144 # of Windows 7's SYSTEM.LOG1
windows_start=5  # MiB, where mksample puts the Windows volume
image_files=(/dev/sda2 "/$config/SYSTEM")

# What each does to the hive pc/SYSTEM. Ours checks, plans, edits, checks again and prints a full diff, and
# repair makes a backup, syncs and reads back; the others only edit. reged says with a 2 that it did.
# They run in $tmp, where the names are the same at every run.
fresh_pc="rm -rf pc backup && mkdir pc && cp SYSTEM pc/SYSTEM && truncate -s $log1_size pc/SYSTEM.LOG1 && sync pc/*"
dry_run='unloop repair --dry-run --crosscheck off pc/SYSTEM'
repair='unloop repair --yes --crosscheck off --backup backup pc/SYSTEM'
merge=merge_hive reged=reged_hive
merge_hive() { hivexregedit --merge --prefix 'HKEY_LOCAL_MACHINE\SYSTEM' "${1:-pc/SYSTEM}" edits.reg; }
reged_hive() { reged -C -I pc/SYSTEM 'HKEY_LOCAL_MACHINE\SYSTEM' edits.reg || (($? == 2)); }

# And to the disk image copy.img.
fresh_image='rm -rf backup && cp --sparse=always pc.img copy.img && sync copy.img'
repair_image='unloop repair --yes --crosscheck off --backup backup copy.img'
judged_image='unloop repair --yes --crosscheck require --backup backup copy.img'
export fresh_pc dry_run repair merge reged fresh_image repair_image judged_image

# edits prints "KEY VALUE-NAME NUMBER", separated by tabs, for all that a repair changes.
edits() {
	local set name
	for set in ControlSet001 ControlSet002; do
		for name in FeatureSettingsOverride FeatureSettingsOverrideMask; do
			printf '%s\t%s\t3\n' "$set\\Control\\Session Manager\\Memory Management" "$name"
		done
		printf '%s\tStart\t4\n' "$set\\services\\Haspnt" "$set\\services\\Hardlock"
	done
}

# regtext turns that into .reg text.
regtext() {
	awk -F '\t' 'BEGIN { print "Windows Registry Editor Version 5.00" }
		{ printf "\n[HKEY_LOCAL_MACHINE\\SYSTEM\\%s]\n\"%s\"=dword:%08x\n", $1, $2, $3 }'
}

# edited HIVE: are all edits in it, as libhivex reads it?
edited() {
	local key name
	edits | while IFS=$'\t' read -r key name _; do hivexget "$1" "$key" "$name"; done | cmp -s - <(edits | cut -f 3)
}

# edited_image IMAGE: the same of a disk's hive, as ntfscat reads it.
edited_image() {
	dd if="$1" of=volume bs=1M skip="$windows_start" status=none
	ntfscat -f -q volume "$config/SYSTEM" >hive.found && edited hive.found
}

# quietly COMMAND... shows what a command said only when it fails.
quietly() {
	"$@" >said 2>&1 && return
	cat -- said >&2
	return 1
}

# race NAME RUNS PREPARE [CONTESTANT COMMAND]... times commands side by side, a few runs of each in turn, so that
# what else the machine does in the meantime meets them all. Their medians are NAME's.
race() {
	local name=$1 rounds=$((($2 + 3) / 4)) each=$(($2 < 4 ? $2 : 4)) prepare=$3 contestants=() round
	shift 3
	while (($# > 0)); do
		contestants+=(-n "$1" "$2")
		shift 2
	done
	for ((round = 0; round < rounds; round++)); do
		quietly timeout --foreground 300 hyperfine --style none --shell bash --warmup 1 --runs "$each" --export-csv "$name.round" \
			--prepare "$prepare" "${contestants[@]}" || die "timing $name: see the words above"
		cat "$name.round" >>"$name.csv"
	done
}

# median NAME CONTESTANT prints the median of its rounds' medians, in milliseconds.
median() {
	awk -F , -v name="$2" '$1 == name { print $4 * 1000 }' "$1.csv" >medians
	middle medians
}

# middle FILE prints the median of a file of numbers.
middle() { sort -g -- "$1" | awk '{ n[NR] = $1 } END { printf "%.3f\n", (n[int((NR + 1) / 2)] + n[int(NR / 2) + 1]) / 2 }'; }

# proven PREPARE COMMAND CHECK FILE stops everything when a command does not do its work: its time would
# be worth nothing.
proven() {
	quietly bash -c "$1" || die "this failed: $1"
	quietly timeout --foreground 120 bash -c "$2" || die "this failed: $2"
	"$3" "$4" || die "this did not make the edits: $2"
}

# peak COMMAND prints the most memory it has on a fresh hive, in KiB.
peak() {
	bash -c "$fresh_pc"
	quietly /usr/bin/time -f %M -o kib bash -c "$1" && cat kib
}

# traced COMMAND keeps what it writes on a fresh hive, for written.
traced() {
	bash -c "$fresh_pc"
	quietly strace -f -y -e trace=write,pwrite64,writev,pwritev -o strace bash -c "$1"
}

# written FILE prints how many bytes went to the file in $tmp. strace splits a call that another thread
# interrupts in two lines, and only the first of them has the file.
written() {
	awk -v file="<$tmp/$1>" '
		/ resumed>/ { if ($1 in begun) sum += $NF; delete begun[$1]; next }
		!index($0, file) { next }
		/<unfinished \.\.\.>$/ { begun[$1]; next }
		{ sum += $NF }
		END { print sum + 0 }' strace
}

# sectors A B prints how many 512-byte sectors differ.
sectors() { { cmp -l -- "$1" "$2" || true; } | awk '{ seen[int(($1 - 1) / 512)] } END { print length(seen) }'; }

# seconds COMMAND... runs it and prints how long that took.
seconds() {
	local begin=$EPOCHREALTIME
	quietly "$@" || return
	awk -v begin="$begin" -v end="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", end - begin }'
}

# on_loop OFFSET IMAGE COMMAND... runs a command with a loop device of the image, from so many MiB on, as its
# last word, and prints how many bytes it wrote to that device.
on_loop() {
	local offset=$1 image=$2 device before
	shift 2
	device=$(losetup -f --show -o "${offset}MiB" "$image")
	before=$(loop_sectors "$device")
	quietly "$@" "$device" || return
	blockdev --flushbufs "$device"
	echo $((($(loop_sectors "$device") - before) * 512))
	losetup -d "$device"
}

# loop_sectors DEVICE prints how many sectors the kernel has written to it so far.
loop_sectors() { awk '{ print $7 }' "/sys/block/${1##*/}/stat"; }

# detach_all undoes what a run that was interrupted has left.
detach_all() {
	! mountpoint -q "$tmp/mnt" || umount "$tmp/mnt"
	losetup -n -l -O NAME,BACK-FILE | awk -v dir="$tmp/" 'index($2, dir) == 1 { print $1 }' | xargs -r losetup -d
}

# mount_merge DEVICE edits the hive on a volume the usual way. mounted_image does it on an image.
mount_merge() {
	ntfs-3g "$1" mnt && merge_hive "mnt/$config/SYSTEM" && umount mnt
}

mounted_image() {
	local device
	device=$(losetup -f --show -o "${windows_start}MiB" copy.img) && mount_merge "$device" && losetup -d "$device"
}

# merge_image IMAGE and repair_device DEVICE are the same for other contestants, as commands.
merge_image() { timeout --foreground 300 virt-win-reg --merge "$1" edits.reg; }
repair_device() { unloop repair --yes --crosscheck off --backup backup "$1"; }
export config windows_start
export -f merge_hive reged_hive mount_merge mounted_image

# mounts_work: can volumes in images be mounted here? Prints why not.
mounts_work() {
	bash -c "$fresh_image"
	seconds mounted_image >/dev/null 2>why && return
	detach_all
	tail -n 1 why
	return 1
}

# guestfs_works: does libguestfs run here? Prints why not. It leaves $accelerator: kvm where that works, else
# tcg. A /dev/kvm that opens and then hangs is no use, so it gets half a minute.
guestfs_works() {
	(need guestfish qemu-system-x86_64:qemu-system-x86 virt-win-reg:guestfs-tools supermin) 2>why ||
		return 1
	kernel_for_guestfs || return 1
	export LIBGUESTFS_BACKEND=direct LIBGUESTFS_CACHEDIR=$tmp/appliance
	mkdir -p appliance
	bash -c "$fresh_image"
	export accelerator=TCG
	LIBGUESTFS_BACKEND_SETTINGS=force_tcg start_guestfs 240 || return 1
	if [[ -w /dev/kvm ]] && start_guestfs 30; then
		accelerator=KVM
		return
	fi
	export LIBGUESTFS_BACKEND_SETTINGS=force_tcg
}

kernel_for_guestfs() {
	compgen -G '/boot/vmlinuz-*' >/dev/null || (need "/boot/vmlinuz-$(uname -r):linux-image-amd64") 2>why || compgen -G '/boot/vmlinuz-*' >/dev/null
}

start_guestfs() { timeout --foreground -k 5 "$1" guestfish --ro -a copy.img run </dev/null >why 2>&1; }

# inside_guestfs RUNS writes to the file inside how many seconds an edit takes in a virtual PC that has
# started: mount, download, hivexregedit, upload, unmount.
inside_guestfs() {
	local run
	eval "$(guestfish --listen)"
	on_exit guestfish_ends
	guestfish_says add copy.img
	guestfish_says run
	for ((run = 0; run < $1; run++)); do
		seconds edit_inside >>inside
	done
	guestfish_ends
}

edit_inside() {
	guestfish_says mount "${image_files[0]}" / &&
		guestfish_says download "${image_files[1]}" pulled &&
		merge_hive pulled &&
		guestfish_says upload pulled "${image_files[1]}" &&
		guestfish_says umount /
}

guestfish_says() { timeout --foreground 180 guestfish --remote -- "$@"; }
guestfish_ends() { timeout --foreground 10 guestfish --remote -- exit >/dev/null 2>&1 || kill "$GUESTFISH_PID" 2>/dev/null; }

# stages prints, from a run of a repair on a fresh hive under strace, how many milliseconds the backup took, what
# came after it (write, sync, read back), and all its syncs together.
stages() {
	bash -c "$fresh_pc"
	quietly strace -f -ttt -T -e trace=write,fsync,fdatasync -o strace bash -c "$repair"
	awk '
		{ now = $2 }
		/unloop: diff: / { planned = now }
		/unloop: plan: .*crosscheck/ { planned = now }
		/unloop: backup: / { backed = now }
		/unloop: verify: / { verified = now }
		/f(data)?sync\(|f(data)?sync resumed/ && match($0, /<[0-9.]+>$/) { synced += substr($0, RSTART + 1, RLENGTH - 2) }
		END { printf "%.1f %.1f %.1f\n", (backed - planned) * 1000, (verified - backed) * 1000, synced * 1000 }' strace
}
