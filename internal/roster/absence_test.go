package roster_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// partial are the ways in which a list can be incomplete.
var partial = map[string]func(l listing, items ...participant.Item) string{
	"a later page failed": func(l listing, items ...participant.Item) string {
		return told(l.unread(items...).Changes)
	},
	"total is larger": func(l listing, items ...participant.Item) string {
		batch := l.counted(1, items...)
		if batch.Complete {
			l.story.t.Error("the list is taken for complete")
		}
		return told(batch.Changes)
	},
}

func TestW07_IncompleteListProvesWhatItShows(t *testing.T) {
	for name, list := range partial {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			s.list(person("a", connected), person("b", connected))
			got := list(s.next(), person("a", held), person("c", dialing))
			if want := "a(connected>held) +c(dialing)"; got != want {
				t.Errorf("changes: got %q, want %q", got, want)
			}
			s.holds("a(held) b(connected) c(dialing)")
		})
	}
}

func TestW07_IncompleteListMakesTheFeedKnown(t *testing.T) {
	for name, list := range partial {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			if got := list(s.next(), person("a", held)); got != "" {
				t.Errorf("the first list changes nothing for anybody: got %q", got)
			}
			if !s.roster.Known() || !s.roster.ObservedAt().Equal(s.at(1)) {
				t.Errorf("known %v, observed at %v", s.roster.Known(), s.roster.ObservedAt())
			}
			s.holds("a(held)")
			s.expect(s.list(person("a", held), person("b", held)).Changes, "+b(held)")
		})
	}
}

func TestW07_IncompleteListNeitherCountsNorBreaksARow(t *testing.T) {
	for name, list := range partial {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			s.pages = 2
			s.list(person("a", connected), person("b", held))
			s.expect(s.list(person("b", held)).Changes, "")
			list(s.next(), person("b", held))
			list(s.next())
			s.holds("a(connected) b(held)")
			s.expect(s.list(person("b", held)).Changes, "-a(connected)")
		})
	}
}

func TestW07_IncompleteListThatShowsSomebodyIsProofOfPresence(t *testing.T) {
	for name, list := range partial {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			s.pages = 2
			s.list(person("a", connected))
			s.list()
			list(s.next(), person("a", connected))
			s.expect(s.list().Changes, "")
			s.expect(s.list().Changes, "-a(connected)")
		})
	}
}

func TestW07_IncompleteListEndsNoWindowByAbsence(t *testing.T) {
	for name, list := range partial {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			s.list()
			s.send().added(person("a", dialing))
			s.wait(10 * time.Second)
			list(s.next())
			s.holds("a(dialing)")
			s.expect(s.list().Changes, "-a(dialing)")
		})
	}
}

func TestW07_IncompleteListShowsThatARemoveDidNotHold(t *testing.T) {
	for name, list := range partial {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			s.list(person("a", held))
			s.send().removed("a")
			list(s.next(), person("a", held))
			s.holds("")
			s.wait(4 * time.Second)
			list(s.next(), person("a", held))
			s.holds("a(held)")
		})
	}
}

func TestW07_PlaceholderRemovesOnlyAfterASecond(t *testing.T) {
	s := newStory(t)
	s.list(person("a", connected), person("b", held))
	s.next().empty() // 2 s
	s.next().empty() // 3 s: too soon.
	s.holds("a(connected) b(held)")
	batch := s.next().empty()
	s.expect(batch.Changes, "-a(connected) -b(held)")
	s.between(batch, 1, 4) // Since the start of the last list that showed them.
}

func TestW07_PlaceholderIsAListOtherwise(t *testing.T) {
	s := newStory(t)
	batch := s.next().empty()
	if !batch.Complete || !s.roster.Known() {
		t.Errorf("complete %v, known %v", batch.Complete, s.roster.Known())
	}
	batch = s.list(person("a", held))
	s.expect(batch.Changes, "+a(held)")
	s.between(batch, 1, 2)
}

func TestW07_WhatBreaksARowOfPlaceholders(t *testing.T) {
	tests := map[string]struct {
		between func(s *story)
		want    string
	}{
		"nothing":                       {func(*story) {}, "-a(connected)"},
		"a list that shows them":        {func(s *story) { s.begin().end(person("a", connected)) }, ""},
		"an incomplete one that does":   {func(s *story) { s.begin().unread(person("a", connected)) }, ""},
		"an incomplete one that lacks":  {func(s *story) { s.begin().unread() }, "-a(connected)"},
		"a write":                       {func(s *story) { s.send().added(person("a", connected)) }, ""},
		"an empty array removes itself": {func(s *story) { s.expect(s.begin().end().Changes, "-a(connected)") }, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			s.list(person("a", connected))
			s.next().empty()
			s.wait(time.Second)
			test.between(s)
			s.expect(s.next().empty().Changes, test.want)
		})
	}
}

func TestW07_PlaceholdersEndAWindowAsOtherListsDo(t *testing.T) {
	s := newStory(t)
	s.list()
	s.send().added(person("a", dialing))
	for range 6 {
		s.expect(s.next().empty().Changes, "") // The one at 5 s is the first that counts.
	}
	s.expect(s.next().empty().Changes, "-a(dialing)")
}
