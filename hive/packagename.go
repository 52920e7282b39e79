package hive

import (
	"strconv"
	"strings"
	"time"

	"unloop/hive/regf"
)

// States of a package of Component Based Servicing, CurrentState (Microsoft, "CBS
// servicing states").
const (
	StateSuperseded     = 80
	StateInstallPending = 96
	StateInstalled      = 112
)

// StateName names a package's CurrentState as Windows does.
func StateName(state int) string {
	switch state {
	case 0:
		return "Absent"
	case 5:
		return "Uninstall Pending"
	case 16:
		return "Resolving"
	case 32:
		return "Resolved"
	case 48:
		return "Staging"
	case 64:
		return "Staged"
	case StateSuperseded:
		return "Superseded"
	case StateInstallPending:
		return "Install Pending"
	case 101:
		return "Partially Installed"
	case StateInstalled:
		return "Installed"
	case 128:
		return "Permanent"
	}
	if state < 0 {
		return "Invalid"
	}
	return "state " + strconv.Itoa(state)
}

// packageName is what the name of a package's key tells.
type packageName struct {
	kb      int    // 0: a monthly rollup
	build   int    // 0: not in the name
	version string // the last part
	sub     bool   // a part of another package
}

// parsePackageName reads the name of a package of 32-bit Windows: five parts between
// tildes, which are name, publisher, architecture, language and version. The name is
// Package_for_RollupFix or Package_for_KB<n>; parts of them are Package_<n>_for_… or
// have an ending such as _SP1.
func parsePackageName(s string) (packageName, bool) {
	parts := strings.Split(s, "~")
	if len(parts) != 5 || !strings.EqualFold(parts[2], "x86") {
		return packageName{}, false
	}
	n := packageName{version: parts[4]}
	prefix, what, ok := cutFold(parts[0], "_for_")
	if !ok {
		return packageName{}, false
	}
	if number, numbered := cutPrefixFold(prefix, "Package_"); numbered && digits(number) {
		n.sub = true
	} else if !strings.EqualFold(prefix, "Package") {
		return packageName{}, false
	}
	if strings.EqualFold(what, "RollupFix") {
		n.build = sp1BuildOf(n.version)
		return n, n.build != 0
	}
	number, ok := cutPrefixFold(what, "KB")
	if !ok {
		return packageName{}, false
	}
	number, _, ending := strings.Cut(number, "_")
	n.sub = n.sub || ending
	if !digits(number) || len(number) > 8 {
		return packageName{}, false
	}
	n.kb, _ = strconv.Atoi(number)
	return n, n.kb != 0
}

// sp1BuildOf reads the build from a rollup's version, 7601.24117.1.6 or, after the
// numbers of Windows 7, 6.1.7601.24117; 0 for that of another Windows.
func sp1BuildOf(version string) int {
	version = strings.TrimPrefix(version, "6.1.")
	f := strings.Split(version, ".")
	if len(f) < 2 || f[0] != "7601" || !digits(f[1]) || len(f[1]) > 5 {
		return 0
	}
	n, _ := strconv.Atoi(f[1])
	return n
}

// update makes the entry of a package; false where neither name nor table tell a build
// and the update is none of the table.
func (n packageName) update(key string) (UpdatePackage, bool) {
	u := UpdatePackage{Package: key, Build: n.build}
	if n.kb == 0 {
		r, _ := ReleaseOfBuild(n.build)
		u.KB = kbName(r.Rollup)
		return u, true
	}
	r, ok := ReleaseOfKB(n.kb)
	u.KB, u.Build = kbName(n.kb), r.buildOf(n.kb)
	return u, ok
}

// digits says whether s is a number in ASCII.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// cutPrefixFold is strings.CutPrefix without case, for an ASCII prefix.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// cutFold is strings.Cut without case, for an ASCII separator.
func cutFold(s, sep string) (before, after string, found bool) {
	for i := 0; i+len(sep) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(sep)], sep) {
			return s[:i], s[i+len(sep):], true
		}
	}
	return s, "", false
}

// packages reads the packages of Component Based Servicing that matter, and when the
// last one of any update was installed.
func (p *peek) packages(servicing []string) (updates []UpdatePackage, last time.Time) {
	folds := map[packageFold]int{} // → place in updates
	for _, k := range p.subkeys(append(servicing, "Packages")...) {
		key := k.Name()
		if _, ok := cutPrefixFold(key, "Package_"); !ok {
			continue
		}
		state, installed := p.packageState(k)
		if state == StateInstalled && installed.After(last) {
			last = installed
		}
		name, ok := parsePackageName(key)
		if !ok {
			continue
		}
		u, ok := name.update(key)
		if !ok || state == noState {
			continue
		}
		u.State, u.Installed = state, installed
		fold := packageFold{name.kb, name.build, name.version}
		at, seen := folds[fold]
		switch {
		case !seen && len(updates) < maxUpdates:
			folds[fold] = len(updates)
			updates = append(updates, u)
		case seen:
			updates[at] = updates[at].merged(u, name.sub)
		}
	}
	return updates, last
}

// maxUpdates bounds what is kept; the table has 80.
const maxUpdates = 1000

// packageFold is what a package and its parts have in common.
type packageFold struct {
	kb, build int
	version   string
}

// merged takes in another package of the same update. The whole package speaks for its
// parts; among parts alone the one that waits does, else the one that came furthest:
// parts that do not apply to a PC are absent there.
func (u UpdatePackage) merged(other UpdatePackage, sub bool) UpdatePackage {
	own, _ := parsePackageName(u.Package)
	switch {
	case !own.sub:
		return u
	case !sub:
		return other
	case u.State == StateInstallPending, other.State != StateInstallPending && other.State <= u.State:
		return u
	}
	return other
}

// noState stands for a package without CurrentState.
const noState = -1 << 31

func (p *peek) packageState(k regf.Key) (int, time.Time) {
	state := p.number(k, "CurrentState")
	if state == nil {
		return noState, time.Time{}
	}
	high, low := p.number(k, "InstallTimeHigh"), p.number(k, "InstallTimeLow")
	if high == nil || low == nil {
		return int(int32(*state)), time.Time{}
	}
	return int(int32(*state)), installTime(*high, *low)
}

// installTime turns the halves of a FILETIME, 100 ns since 1601, into a time; zero where
// that is not within the life of Windows NT: such a time was never written by a clock.
func installTime(high, low uint32) time.Time {
	const perSecond, epoch = 10_000_000, 11_644_473_600
	n := uint64(high)<<32 | uint64(low)
	t := time.Unix(int64(n/perSecond)-epoch, int64(n%perSecond)*100).UTC()
	if t.Year() < 1993 || t.Year() > 2200 {
		return time.Time{}
	}
	return t
}
