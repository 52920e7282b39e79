package main

import (
	"cmp"
	"strings"

	"unloop/hive"
)

// How things stand with a Windows, in one word.
const (
	outcomeRepaired    = "repaired"
	outcomeAlready     = "already repaired" // by an earlier run, or by hand
	outcomeOpen        = "to be repaired"
	outcomeBarred      = "would be refused" // as it is now, a repair
	outcomeUndone      = "undone"
	outcomeNotAffected = "not affected"
	outcomeRefused     = "refused"
	outcomeFailed      = "failed"
	outcomeNoWindows   = "no windows"
	outcomeUnknown     = "unknown" // nothing tells which Windows it is
)

// outcomes lists them as a person asks: what is left to do stands before what is done.
func outcomes() []string {
	return []string{
		outcomeFailed, outcomeRefused, outcomeBarred, outcomeOpen, outcomeUnknown, outcomeRepaired, outcomeAlready,
		outcomeUndone, outcomeNotAffected, outcomeNoWindows,
	}
}

// failure is the error that counts; nil if all went well.
func (s subject) failure() *errorResult {
	if s.r != nil && s.worst().Error != nil {
		return s.worst().Error
	}
	return s.t.Error
}

// statusWord is how the work ended, as JSON has it for a Windows. A target without one has
// failed, was refused, or there is no more to say.
func (s subject) statusWord() string {
	why := s.failure()
	switch {
	case s.r != nil && (why == nil || s.worst().Error != nil):
		return string(s.worst().Status)
	case why != nil && why.Exit == exitRefused:
		return string(statusRefused)
	case why != nil, s.rec != nil && s.r == nil && s.rec.Result == resultFailed:
		return string(statusFailed)
	}
	return ""
}

// fillTrouble tells why something was not done, and what to do about it.
func (e *env) fillTrouble(row *fleetRow, s subject) {
	why := s.failure()
	switch {
	case why != nil:
		row.Error, row.Detail, row.Reason, row.Hint = why.Key, why.Detail, why.Detail, why.Hint
		if hasMessage(e.lang, "error."+why.Key) && why.Key != "other" {
			row.Reason, row.Hint = strings.TrimPrefix(e.text("error."+why.Key, ""), ": "), e.text("hint."+why.Key)
		}
		if s.rec != nil && hasMessage(e.lang, "stickhint."+why.Key) {
			row.Hint = e.text("stickhint." + why.Key)
		}
	case s.rec != nil && s.rec.Reason != "":
		row.Reason = s.rec.Reason
	case s.outcome() == outcomeBarred:
		e.fillObjections(row, s.objections())
	}
}

// fillObjections tells why a repair would be refused. The hint is that of the first reason.
func (e *env) fillObjections(row *fleetRow, all []objection) {
	var details, reasons []string
	for _, why := range all {
		key := keyOfWords(why.Error())
		reason := why.Error()
		if key != "" {
			reason = e.text("acc.because", strings.TrimPrefix(e.text("error."+key, ""), ": "), reason)
			row.Hint = cmp.Or(row.Hint, e.text("hint."+key))
		}
		details, reasons = append(details, why.Error()), append(reasons, e.text("acc.refused", reason))
	}
	row.Detail, row.Reason = strings.Join(details, "; "), strings.Join(reasons, "; ")
}

// keyOfWords finds the error that a record tells by its words alone: the longest of those
// that they hold, as one may stand in another.
func keyOfWords(words string) (key string) {
	longest := 0
	for _, x := range explanations() {
		if is := x.err.Error(); len(is) > longest && strings.Contains(words, is) {
			key, longest = x.key, len(is)
		}
	}
	return key
}

// objections are what forbids a repair of what was looked at only.
func (s subject) objections() (all []objection) {
	if s.r == nil {
		return nil
	}
	for _, r := range s.results() {
		if r.Status == statusFound || r.Status == statusPlanned || r.Status == statusLeft {
			all = append(all, r.Refused...)
		}
	}
	return all
}

// outcome says how things stand with it now.
func (s subject) outcome() string {
	word := s.statusWord()
	switch {
	case s.r != nil && s.r.Verdict == hive.NotAffected && (word == string(statusRefused) && s.failure().Key == "notaffected" || word == string(statusSkipped)):
		return outcomeNotAffected
	case word == string(statusFailed):
		return outcomeFailed
	case word == string(statusRefused):
		return outcomeRefused
	case s.r == nil:
		return outcomeNoWindows
	case word == string(statusRepaired):
		return outcomeRepaired
	case word == string(statusUndone), word == string(statusNothing) && s.t.Verb == "undo":
		return outcomeUndone
	case word == string(statusNothing), s.r.Repaired, s.t.Verb == "undo" && word != string(statusSkipped):
		return outcomeAlready
	case s.r.Verdict == hive.NotAffected:
		return outcomeNotAffected
	case len(s.objections()) > 0:
		return outcomeBarred
	case s.r.curable():
		return outcomeOpen
	}
	return outcomeUnknown
}
