#!/usr/bin/env bash
# Fetches Debian packages for scripts/stick: a private apt, the lock file, a cache by hash, unpacking. Sourced, never run.
#
# Usage: source "$(dirname "${BASH_SOURCE[0]}")/debs.sh", which brings lib.sh; then make_tmp, open_cache, configure_apt
# Input: UNLOOP_MIRROR   address of a Debian archive (default: the one this system's apt uses), and of
#                        this system's apt the proxies and certificates
#        XDG_CACHE_HOME  see $cache
# Output: functions. A list of packages is lines of "NAME ARCH VERSION SHA256", sorted: ARCH is the
#         architecture that apt is asked for, amd64 for packages that suit all.
# Limits: `bookworm main` only, since i386 and amd64 agree there; security updates come an
#         architecture at a time. apt reads no old versions: the archive has the newest of each package.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/unloop
lockfile=$root/scripts/stick.lock
tmp=${tmp:-}
suite=bookworm
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# open_cache keeps other runs out until close_cache, and removes what an interrupted one left.
open_cache() {
	mkdir -p -- "$cache/debs" "$cache/unpacked" "$cache/apt/lists/partial" || die "making the cache $cache"
	exec {cache_lock}>"$cache/lock"
	flock --nonblock "$cache_lock" || say "waiting for another run that uses $cache"
	flock "$cache_lock"
	rm -rf -- "$cache"/debs/part.* "$cache"/unpacked/part.*
}
close_cache() { exec {cache_lock}>&-; }

# configure_apt writes the configuration of a private apt: own state, own source, no installed
# packages, and none of this system's hooks (one of Docker's deletes what was downloaded).
configure_apt() {
	(umask 077 && apt_source >"$tmp/sources.list" && apt_settings >"$tmp/apt.conf")
}
private() { APT_CONFIG=$tmp/apt.conf LC_ALL=C "$@"; }

apt_source() {
	local mirror=${UNLOOP_MIRROR:-}
	[[ -n $mirror ]] || mirror=$(host_mirror)
	printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "${mirror:-http://deb.debian.org/debian}" "$suite"
}

# host_mirror prints the address of the Debian archive among the sources of this system's apt, which
# knows both ways to write them.
host_mirror() {
	{ LC_ALL=C apt-get --print-uris update 2>/dev/null || true; } | awk -F "'" '
		$2 ~ /debian.*\/dists\/(bullseye|bookworm|trixie|forky|sid|(old|oldold)?stable|testing|unstable)\/InRelease$/ &&
			$2 !~ /^cdrom:|security/ && !found++ { sub("/dists/.*", "", $2); print $2 }'
}

# apt_settings: of this system's settings only those of the way to the mirror are taken over.
apt_settings() {
	cat <<-END
		Dir::State "$cache/apt";
		Dir::State::status "/dev/null";
		Dir::Cache "$cache/apt";
		Dir::Cache::srcpkgcache "";
		Dir::Etc::main "/dev/null";
		Dir::Etc::parts "/dev/null";
		Dir::Etc::sourcelist "$tmp/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; "i386"; };
		APT::Sandbox::User "root";
		APT::Update::Error-Mode "any";
		Acquire::GzipIndexes "true";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Acquire::http::Timeout "30";
		Acquire::https::Timeout "30";
		${SSL_CERT_FILE:+Acquire::https::CAInfo "$SSL_CERT_FILE";}
	END
	apt-config dump | grep -E '^Acquire::(https?::|Force|Check-)' || true
}

# refresh_lists asks the archive what it has, and again when the mirror was just being updated.
refresh_lists() {
	local pause
	for pause in 5 20 60; do
		private apt-get -q update >"$tmp/apt.log" 2>&1 && return
		out_of_step || return 1
		say "the mirror is out of step with itself: trying again in $pause s"
		sleep "$pause"
	done
	private apt-get -q update >"$tmp/apt.log" 2>&1
}
out_of_step() { grep -qE 'Hash Sum mismatch|unexpected size|Mirror sync' "$tmp/apt.log"; }

# apt_failed DOING shows apt's own words and ends with ours.
apt_failed() {
	cat -- "$tmp/apt.log" >&2
	if out_of_step; then
		die "$1: the mirror is out of step with itself" 'try again in an hour, or name another one: UNLOOP_MIRROR=http://deb.debian.org/debian scripts/stick'
	fi
	case $(<"$tmp/apt.log") in
	*'No space left'* | *'enough free space'*) die "$1: no room in $cache" 'it takes 1 GB; XDG_CACHE_HOME moves it' ;;
	*GPG\ error* | *'not signed'*) die "$1: the mirror is not signed by Debian's keys" 'name another one: UNLOOP_MIRROR=http://deb.debian.org/debian scripts/stick' ;;
	esac
	die "$1: see apt-get's words above" 'is the network there? What is in the cache already is enough with --locked'
}

# records prints what the archive's signed index says of packages, as far as it has them.
records() { private apt-cache show --no-all-versions "$@" 2>/dev/null || true; }

# newest_kernel META:ARCH prints the package that a meta-package for kernels stands for.
newest_kernel() { records "$1" | sed -n 's/^Depends: \([^ ,]*\).*/\1/p'; }

# archive_list NAME:ARCH... prints the list of these packages as the archive's signed index has them,
# with the size of the .deb as a fifth word.
archive_list() {
	records "$@" | awk -v RS= -v asked="$*" '
		function field(name) {
			return match("\n" $0, "\n" name ": [^\n]*") ? substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 3) : ""
		}
		BEGIN { split(asked, list, " "); for (i in list) wanted[list[i]] }
		{
			name = field("Package"); arch = field("Architecture")
			if (arch == "all") arch = "amd64"
			if ((name ":" arch) in wanted) print name, arch, field("Version"), field("SHA256"), field("Size")
		}' | LC_ALL=C sort -u >"$tmp/archive_list"
	for package in "$@"; do
		grep -q "^${package%:*} ${package#*:} " "$tmp/archive_list" || die "$package: not in the archive, $suite main" \
			'scripts/stick --update-lock, where the lock file names an old kernel; otherwise look at the list in scripts/stick'
	done
	cat -- "$tmp/archive_list"
}

locked_list() { sed '/^#/d' "$lockfile"; }
locked_date() { sed -n 's/^# SOURCE_DATE_EPOCH \([0-9]*\).*/\1/p' "$lockfile"; }

# accept NAME ARCH VERSION SHA256 SIZE says what the lock file thinks of a package of the archive, and
# ends where the archive is not to be trusted.
accept() {
	local version sha256
	read -r version sha256 < <(locked_list | sed -n "s/^$1 $2 //p") || version=
	case $version in
	'') say "$1:$2 $3 is not in the lock file: used all the same" ;;
	"$3")
		[[ $sha256 == "$4" ]] || die "$1:$2 $3: the archive has another file than the lock file under the same version" \
			'if that is right: scripts/stick --update-lock'
		;;
	*)
		dpkg --compare-versions "$3" gt "$version" || die "$1:$2: the archive has $3, older than the locked $version" \
			'is the mirror up to date? UNLOOP_MIRROR names another one'
		say "$1:$2: using $3, newer than the locked $version"
		;;
	esac
}

# write_lock FILE makes the lock file say what is in a list. Its date, that of the suite, becomes the
# date of all on the stick.
write_lock() {
	local date
	date=$(sed -n 's/^Date: //p' "$cache"/apt/lists/*_InRelease)
	{
		echo '# What the stick is made of, written by scripts/stick --update-lock: package, architecture, version, sha256 of the .deb.'
		echo "# SOURCE_DATE_EPOCH $(date -d "$date" +%s): $suite of $date"
		cut -d ' ' -f 1-4 -- "$1"
	} >"$tmp/lock"
	cp -- "$tmp/lock" "$lockfile.part" && mv -- "$lockfile.part" "$lockfile"
}

deb() { printf '%s\n' "$cache/debs/$1.deb"; }

# not_cached < LIST prints those packages of a list whose .deb is not in the cache.
not_cached() {
	local name arch version sha256 rest
	while read -r name arch version sha256 rest; do
		[[ -s $(deb "$sha256") ]] || printf '%s\n' "$name $arch $version $sha256 $rest"
	done
}

# download FILE fetches all packages of a list into the cache. apt compares each with its signed
# index; what came whole before something went wrong stays.
download() {
	local part status=0
	[[ -s $1 ]] || return 0
	say "fetching $(wc -l <"$1") packages, $(awk '{ sum += $5 } END { printf "%.0f", sum / 1e6 }' "$1") MB"
	part=$(mktemp -d "$cache/debs/part.XXXXXX")
	on_exit rm -rf -- "$part"
	awk '{ print $1 ":" $2 "=" $3 }' "$1" |
		(cd "$part" && private xargs apt-get -q download) >"$tmp/apt.log" 2>&1 || status=$?
	keep "$1" "$part"
	((status == 0)) || apt_failed 'fetching packages'
	not_cached <"$1" >"$tmp/wrong"
	[[ ! -s $tmp/wrong ]] || die "what came is not what the index says: $(cut -d ' ' -f 1-3 "$tmp/wrong" | paste -sd ,)"
}

# keep FILE FOLDER moves from the folder into the cache what a list knows by its hash.
keep() {
	(cd "$2" && find . -name '*.deb' -exec sha256sum -- {} +) | while read -r sha256 file; do
		! grep -q " $sha256 " "$1" || mv -- "$2/$file" "$(deb "$sha256")"
	done
}
sha256() { sha256sum -- "$1" | cut -d ' ' -f 1; }

# unpack_deb FOLDER SHA256 unpacks a package, without what nobody reads and without setuid bits. A
# file of the cache that has changed since it came is thrown away.
unpack_deb() {
	local file
	file=$(deb "$2")
	mkdir -p -- "$1"
	if [[ $(sha256 "$file") != "$2" ]]; then
		rm -f -- "$file"
		die "unpacking $file: it was damaged, and is deleted now" 'run this again'
	fi
	dpkg-deb --fsys-tarfile "$file" | tar -x -C "$1" --no-same-owner --no-same-permissions \
		--exclude='./usr/share/man' --exclude='./usr/share/locale' --exclude='./usr/share/info' \
		--exclude='./usr/share/lintian' --exclude='./usr/share/doc/*/*.gz' --exclude='*/lto1' --exclude='*/lto-dump*' \
		--exclude='./lib/modules/*/kernel/sound' --exclude='./lib/modules/*/kernel/drivers/gpu' \
		--exclude='./lib/modules/*/kernel/drivers/media' --exclude='./lib/modules/*/kernel/drivers/net/wireless'
}

# licence FOLDER PACKAGE prints the licences that the package's copyright file names.
licence() {
	local doc=$1/usr/share/doc/$2 names
	[[ -r $doc/copyright ]] || { printf 'see copyright of %s\n' "$(basename "$(readlink "$doc" || echo "$2")")" && return; }
	if grep -q '^Format:' "$doc/copyright"; then
		sed -n 's/^License: *\([^ ].*\)/\1/p' "$doc/copyright" | LC_ALL=C sort -u | paste -sd ';' | sed 's/;/; /g'
		return
	fi
	names=$(grep -o '/usr/share/common-licenses/[A-Za-z0-9.+-]*[A-Za-z0-9+]' "$doc/copyright" | LC_ALL=C sort -u | sed 's|.*/||' | paste -sd ',' || true)
	printf 'see copyright%s\n' "${names:+ (it mentions ${names//,/, })}"
}
