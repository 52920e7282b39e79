package main

import (
	"unloop/hive"
	"unloop/image"
)

// point is a sentence and how it is to be taken. Word says the same as the colour does.
type point struct {
	mood mood
	Word string
	Text string
}

// Mood names the colour, as the page's style does.
func (p point) Mood() string { return moodNames[p.mood] }

// texts are the sentences alone.
func texts(points []point) (lines []string) {
	for _, p := range points {
		lines = append(lines, p.Text)
	}
	return lines
}

// judged makes a point that says whether something is good to write to.
func (e *env) judged(m mood, key string, args ...any) point {
	word := map[mood]string{moodGood: "safety.good", moodBad: "safety.forbids"}[m]
	if word == "" {
		word = "safety.note"
	}
	return point{m, e.text(word), e.text(key, args...)}
}

// safety tells whether it is safe to write, and what a repair would touch besides.
func (e *env) safety(r *result) (points []point) {
	add := func(m mood, key string, args ...any) { points = append(points, e.judged(m, key, args...)) }
	if r.in != nil && r.in.Folder() != "" {
		points = append(points, e.volumeState(r.in)...)
	}
	switch {
	case r.Replay != nil:
		add(moodNote, "acc.dirty", r.Replay.Why)
		add(moodNote, "acc.replay", r.Replay.Log, r.Replay.Sectors, len(r.Replay.Edits))
	case r.findings != nil:
		add(moodGood, "safe.clean")
	}
	if r.findings != nil {
		points = append(points, e.besides(r.findings)...)
	}
	for _, w := range r.Warnings {
		add(moodNote, "acc.warning", withoutUser(w))
	}
	for _, why := range r.Refused {
		add(moodBad, "acc.refused", e.refused(why))
	}
	if r.Status == statusFound && r.findings != nil && r.Verdict != hive.NotAffected && len(r.Refused) == 0 {
		add(moodGood, "safe.nothing")
	}
	return append(points, e.hibernationPoints(r)...)
}

// besides tells what a repair would touch beside the drivers themselves.
func (e *env) besides(f *hive.Findings) (points []point) {
	for _, x := range f.Filters {
		points = append(points, e.judged(moodNote, "acc.filter", x.Service, hive.FormatRegKey(x.Path), x.Value))
	}
	if len(f.Services) > 0 && len(f.Filters) == 0 {
		points = append(points, e.judged(moodGood, "safe.nofilter"))
	}
	for _, d := range f.Bereaved() {
		points = append(points, e.judged(moodNote, "dependent", d.Name, d.Service, hive.ControlSetName(d.Set)))
	}
	return points
}

// volumeState tells in which state the volume of a Windows was left.
func (e *env) volumeState(in *image.Installation) []point {
	points := []point{e.judged(moodGood, "safe.awake")}
	if hibernation := map[string]string{
		image.HiberEmpty: "safe.hiberempty", image.HiberSleeping: "safe.sleeping", image.HiberWaking: "safe.woken",
		image.HiberRestoring: "safe.woken", image.HiberUnreadable: "safe.hiberunreadable", image.HiberOther: "safe.hiberother",
		image.HiberInUse: "safe.hiberunreadable",
	}[in.Hibernated]; hibernation != "" {
		m := map[string]mood{image.HiberEmpty: moodGood, image.HiberSleeping: moodBad, image.HiberUnreadable: moodBad, image.HiberInUse: moodBad}[in.Hibernated]
		if m == 0 {
			m = moodNote
		}
		points = []point{e.judged(m, hibernation, in.Hibernated)}
	}
	switch v := in.Volume; {
	case v == nil: // a folder: who mounted it has seen to that
	case v.JournalUnread: // a problem of the target, which is told there
	case v.JournalUnclean:
		points = append(points, e.judged(moodNote, "safe.journal"))
	default:
		points = append(points, e.judged(moodGood, "safe.journalclean"))
	}
	if in.Volume != nil && newerJournal(in.Volume.RestartVersion) {
		points = append(points, e.judged(moodNote, "acc.journalnew", in.Volume.RestartVersion))
	}
	if in.Volume != nil && in.Volume.Dirty {
		points = append(points, e.judged(moodNote, "safe.dirtyflag"))
	}
	return points
}

// hibernationPoints tell what becomes of a sleeping Windows, if anything.
func (e *env) hibernationPoints(r *result) []point {
	if r.slept == nil {
		return nil
	}
	return []point{e.judged(moodNote, "acc.slept", r.slept.text(e))}
}
