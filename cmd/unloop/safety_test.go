package main

import (
	"slices"
	"testing"

	"unloop/image"
)

// Nothing is said of a journal that could not be read.
func TestUnreadJournal(t *testing.T) {
	e := testEnv(t)
	for unread, want := range map[bool]bool{true: false, false: true} {
		points := e.volumeState(&image.Installation{Volume: &image.Volume{JournalUnread: unread}})
		if said := slices.Contains(texts(points), e.text("safe.journalclean")); said != want {
			t.Errorf("journal unread %v: says %v that it is not in use", unread, said)
		}
	}
}
