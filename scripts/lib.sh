#!/usr/bin/env bash
# Shared by the other scripts: tools and Go made present, programs built, clean-up. Sourced, never run.
#
# Usage: source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Input: go.mod (the Go wanted), XDG_CACHE_HOME (where a fetched Go is kept, default ~/.cache).
# Output: functions; $root, the top of the repository; PATH with the usual places of Go and of the administrator's tools at its end.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export HOME=${HOME:-$(cd ~ && pwd)}
PATH=$PATH:/usr/local/go/bin:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '%s\n' "$*" >&2; }

die() {
	say "${0##*/}: error: $1"
	shift
	for hint in "$@"; do say "${0##*/}: hint: $hint"; done
	exit 1
}

# on_exit COMMAND ARG... runs the command when the script ends, last come first served.
exit_stack=()
on_exit() { exit_stack=("$(printf '%q ' "$@")" "${exit_stack[@]}"); }
unwind() {
	for entry in "${exit_stack[@]}"; do eval "$entry" || true; done
}
trap unwind EXIT

# make_tmp sets $tmp to a new folder that is gone when the script ends.
make_tmp() {
	tmp=$(mktemp -d "$(realpath "${TMPDIR:-/tmp}")/unloop.XXXXXX")
	on_exit rm -rf -- "$tmp"
}

# have THING: a command on PATH, or a file when its name has a slash.
have() {
	case $1 in
	*/*) [[ -e $1 ]] ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# need THING[:PACKAGE]... installs the Debian packages of things that are missing (as root), or names
# them and stops. PACKAGE is THING's own name unless given.
need() {
	local packages
	packages=$(missing_packages "$@")
	[[ -n $packages ]] || return 0
	# Package names hold no blanks: one word each is meant.
	# shellcheck disable=SC2086
	apt_install $packages
	packages=$(missing_packages "$@")
	[[ -z $packages ]] || die "still missing after installing: $packages"
}

missing_packages() {
	local thing
	for thing in "$@"; do
		have "${thing%%:*}" || printf '%s\n' "${thing##*:}"
	done | sort -u | paste -sd ' ' -
}

# apt_install PACKAGE... asks for new package lists once in a script's life. apt itself tries again
# twice when the network stumbles; its words are shown only when it fails.
apt_lists=old
apt_install() {
	have apt-get || die "missing: $*" "install what your system calls these Debian packages"
	[[ $EUID -eq 0 ]] || die "missing packages: $*" "sudo apt-get install --no-install-recommends $*"
	say "installing: $*"
	[[ $apt_lists == new ]] || apt_quietly update || true
	apt_lists=new
	apt_quietly install -y --no-install-recommends "$@" || die "installing $*: see apt-get's words above"
}

apt_quietly() {
	local log
	log=$(mktemp "${TMPDIR:-/tmp}/unloop-apt.XXXXXX")
	if DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=2 -o Acquire::http::Timeout=30 \
		-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -q "$@" </dev/null >"$log" 2>&1; then
		rm -f -- "$log"
		return
	fi
	cat -- "$log" >&2
	rm -f -- "$log"
	return 1
}

# need_go puts a Go that is new enough for go.mod first on PATH: one that is there, or the exact one
# of go.mod, fetched by an older Go and checked by Go's checksum database.
need_go() {
	local want cache go things=()
	want=$(sed -n 's/^go //p' "$root/go.mod")
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/unloop
	unset GOROOT # a leftover of another Go would mix two libraries
	go=$(new_go "$want" "$cache") || have go || things+=(go:golang-go)
	! certificates_missing || things+=(/etc/ssl/certs/ca-certificates.crt:ca-certificates)
	need "${things[@]}"
	if [[ -z $go ]]; then
		fetch_go "$want" "$cache"
		go=$cache/go$want/bin/go
	fi
	export GOTOOLCHAIN=local PATH="${go%/*}:$PATH"
}

# certificates_missing: a fresh Debian cannot speak https, and Go's modules come by it.
certificates_missing() {
	[[ -e /etc/debian_version && -z ${SSL_CERT_FILE:-}${SSL_CERT_DIR:-} ]] && ! have /etc/ssl/certs/ca-certificates.crt
}

# new_go WANT CACHE prints the path of the first Go that is at least version WANT.
new_go() {
	local go
	for go in "$(command -v go)" /usr/local/go/bin/go "$HOME/go-sdk/bin/go" "$2/go$1/bin/go"; do
		go_is_new "$go" "$1" && printf '%s\n' "$go" && return
	done
	return 1
}

# go_is_new GO WANT asks outside of any module, where a Go would switch to another one by itself.
go_is_new() {
	local version
	[[ -x $1 ]] && version=$(cd / && GOTOOLCHAIN=local "$1" env GOVERSION) || return 1
	version=${version##*go}
	printf '%s\n' "$2" "${version%% *}" | sort -V -C
}

# fetch_go WANT CACHE leaves Go WANT in CACHE/goWANT. Toolchains are modules like any other; as such
# they arrive without their run bits.
fetch_go() {
	local want=$1 cache=$2 platform module part dir
	platform=$(go env GOHOSTOS)-$(go env GOHOSTARCH)
	case $platform in
	linux-amd64 | linux-arm64 | linux-386) ;;
	*) die "$(go version) is too old and this script fetches no Go for $platform" "install Go $want yourself" ;;
	esac
	module=golang.org/toolchain@v0.0.1-go$want.$platform
	say "fetching Go $want (about 70 MB) into $cache: $(go env GOVERSION) is too old"
	mkdir -p -- "$cache"
	part=$(mktemp -d "$cache/part.XXXXXX")
	on_exit rm -rf -- "$part"
	(
		cd "$part"
		unset GOTOOLCHAIN
		export GO111MODULE=on GOFLAGS=-modcacherw GOWORK=off GOMODCACHE=$part/mod
		export GOSUMDB=sum.golang.org GONOSUMDB='' GOPRIVATE='' GONOSUMCHECK=''
		go mod download -json "$module" >"$part/answer"
	) || die "fetching $module: $(sed -n 's/^\t"Error": "\(.*\)".*/\1/p' "$part/answer")" "is the network there?"
	dir=$(sed -n 's/^\t"Dir": "\(.*\)".*/\1/p' "$part/answer")
	chmod 755 "$dir"/bin/* "$dir"/pkg/tool/*/*
	# Where another run was faster, its folder is as good as ours.
	mv -T -- "$dir" "$cache/go$want" 2>/dev/null || [[ -x $cache/go$want/bin/go ]]
	rm -rf -- "$part"
}

# stamp prints the -ldflags that tell a program its version and commit, as far as git knows them; the
# program's own words stand for the rest.
stamp() {
	local flags=(-s -w) version commit
	! version=$(git -C "$root" describe --tags --match 'v*' --dirty 2>/dev/null) || flags+=("-X main.version=${version#v}")
	! commit=$(git -C "$root" rev-parse HEAD 2>/dev/null) || flags+=("-X main.commit=$commit")
	printf '%s\n' "${flags[*]}"
}

# build_unloop DIR and build_crosscheck DIR build one program each.
build_unloop() {
	(cd "$root" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "$(stamp)" -o "$1/unloop" ./cmd/unloop)
}

build_crosscheck() {
	(cd "$root" && CGO_ENABLED=1 go build -trimpath -buildvcs=false -ldflags "$(stamp)" -o "$1/unloop-crosscheck" ./cmd/unloop-crosscheck)
}

# build_for_stick CC DIR builds both programs for the oldest PC the stick starts: no SSE, and not a trace
# of where CC lies.
build_for_stick() {
	(
		cd "$root"
		export GOARCH=386 GO386=softfloat CC="'$1'" CGO_CFLAGS=-O2 CGO_LDFLAGS=''
		CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "$(stamp) -buildid=" -o "$2/unloop" ./cmd/unloop
		CGO_ENABLED=1 go build -trimpath -buildvcs=false -ldflags "$(stamp) -buildid=" -o "$2/unloop-crosscheck" ./cmd/unloop-crosscheck
	)
}

# testdata prints the folder of real hives, absolute.
testdata() { realpath -m -- "${UNLOOP_TESTDATA:-$root/../shared/hives}"; }
