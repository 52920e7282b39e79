package main

import (
	"slices"
	"strconv"
	"strings"
)

// What is worth knowing of a Windows beside its verdict.
const (
	remarkDirty     = "hive dirty"
	remarkJournal   = "journal in use"
	remarkNewer     = "journal of a newer windows"
	remarkSleeps    = "hibernated"
	remarkDiscarded = "hibernation discarded"
	remarkRestored  = "hibernation restored"
	remarkCheck     = "chkdsk due"
	remarkClone     = "same volume serial"
	remarkOthers    = "other causes possible"
	remarkForbidden = "repair would be refused"
	remarkUnseen    = "not all looked at"
)

// remarks tell what state the disk was found in, and left.
func (s subject) remarks() (list []string) {
	add := func(is bool, remark string) {
		if is {
			list = append(list, remark)
		}
	}
	v, r := s.volume(), s.r
	any := func(is func(r *result) bool) bool { return slices.ContainsFunc(s.results(), is) }
	add(any(func(r *result) bool { return r.Replay != nil }), remarkDirty)
	add(v.JournalUnclean, remarkJournal)
	add(newerJournal(v.JournalVersion), remarkNewer)
	add(v.Hibernated == "hibr" && !any((*result).discardedSleep), remarkSleeps)
	add(any((*result).discardedSleep), remarkDiscarded)
	add(any(func(r *result) bool { return r.Hibernation != nil && r.Hibernation.Restored }), remarkRestored)
	add(v.Dirty, remarkCheck)
	add(v.SameSerial != "", remarkClone)
	add(r.Diagnosis != nil && len(r.Diagnosis.LookAlikes) > 0, remarkOthers)
	add(len(s.objections()) > 0, remarkForbidden)
	add(len(s.t.Problems) > 0, remarkUnseen)
	return list
}

// volume is the one that a Windows lies on; a zero one where that is not told.
func (s subject) volume() volumeResult {
	rest, ok := strings.CutPrefix(s.r.Hive, s.t.Target+":")
	number, _, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 {
		return volumeResult{}
	}
	n, _ := strconv.Atoi(number) // none: the only volume, 0
	for _, v := range s.t.Volumes {
		if v.Partition == n {
			return v
		}
	}
	return volumeResult{}
}
