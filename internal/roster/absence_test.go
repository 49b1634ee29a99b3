package roster_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// partial are the ways in which a list can be incomplete.
var partial = map[string]func(l listing, items ...participant.Item) string{
	"a later page failed": func(l listing, items ...participant.Item) string {
		return describe(l.incomplete(items...).Changes)
	},
	"total is larger": func(l listing, items ...participant.Item) string {
		batch := l.withSurplus(1, items...)
		if batch.Complete {
			l.timeline.t.Error("the list counts as complete")
		}
		return describe(batch.Changes)
	},
}

func TestW07_IncompleteListProvesPresence(t *testing.T) {
	for name, list := range partial {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(person("a", connected), person("b", connected))
			got := list(tl.next(), person("a", held), person("c", dialing))
			if want := "a(connected>held) +c(dialing)"; got != want {
				t.Errorf("changes: got %q, want %q", got, want)
			}
			tl.holds("a(held) b(connected) c(dialing)")
		})
	}
}

func TestW07_IncompleteListMakesTheFeedKnown(t *testing.T) {
	for name, list := range partial {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			if got := list(tl.next(), person("a", held)); got != "" {
				t.Errorf("the first list changes nothing for anybody: got %q", got)
			}
			if !tl.roster.Known() || !tl.roster.ObservedAt().Equal(tl.at(1)) {
				t.Errorf("known %v, observed at %v", tl.roster.Known(), tl.roster.ObservedAt())
			}
			tl.holds("a(held)")
			tl.expect(tl.list(person("a", held), person("b", held)).Changes, "+b(held)")
		})
	}
}

func TestW07_IncompleteListNeitherCountsNorResetsMissedLists(t *testing.T) {
	for name, list := range partial {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.pages = 2
			tl.list(person("a", connected), person("b", held))
			tl.expect(tl.list(person("b", held)).Changes, "")
			list(tl.next(), person("b", held))
			list(tl.next())
			tl.holds("a(connected) b(held)")
			tl.expect(tl.list(person("b", held)).Changes, "-a(connected)")
		})
	}
}

func TestW07_IncompleteListResetsMissedListsOfThoseItContains(t *testing.T) {
	for name, list := range partial {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.pages = 2
			tl.list(person("a", connected))
			tl.list()
			list(tl.next(), person("a", connected))
			tl.expect(tl.list().Changes, "")
			tl.expect(tl.list().Changes, "-a(connected)")
		})
	}
}

func TestW07_IncompleteListEndsNoWindowByAbsence(t *testing.T) {
	for name, list := range partial {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.list()
			tl.send().added(person("a", dialing))
			tl.wait(10 * time.Second)
			list(tl.next())
			tl.holds("a(dialing)")
			tl.expect(tl.list().Changes, "-a(dialing)")
		})
	}
}

func TestW07_IncompleteListCanDisproveARemove(t *testing.T) {
	for name, list := range partial {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(person("a", held))
			tl.send().removed("a")
			list(tl.next(), person("a", held))
			tl.holds("")
			tl.wait(4 * time.Second)
			list(tl.next(), person("a", held))
			tl.holds("a(held)")
		})
	}
}

func TestW07_PlaceholderRemovesOnlyAfterASecondOne(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", connected), person("b", held))
	tl.next().placeholder() // 2 s
	tl.next().placeholder() // 3 s: too soon.
	tl.holds("a(connected) b(held)")
	batch := tl.next().placeholder()
	tl.expect(batch.Changes, "-a(connected) -b(held)")
	tl.between(batch, 1, 4) // Since the start of the last list that showed them.
}

func TestW07_PlaceholderIsAListOtherwise(t *testing.T) {
	tl := newTimeline(t)
	batch := tl.next().placeholder()
	if !batch.Complete || !tl.roster.Known() {
		t.Errorf("complete %v, known %v", batch.Complete, tl.roster.Known())
	}
	batch = tl.list(person("a", held))
	tl.expect(batch.Changes, "+a(held)")
	tl.between(batch, 1, 2)
}

func TestW07_WhatResetsPlaceholders(t *testing.T) {
	tests := map[string]struct {
		between func(tl *timeline)
		want    string
	}{
		"nothing":                        {func(*timeline) {}, "-a(connected)"},
		"a list that shows them":         {func(tl *timeline) { tl.begin().end(person("a", connected)) }, ""},
		"an incomplete one that does":    {func(tl *timeline) { tl.begin().incomplete(person("a", connected)) }, ""},
		"an incomplete one without them": {func(tl *timeline) { tl.begin().incomplete() }, "-a(connected)"},
		"a write":                        {func(tl *timeline) { tl.send().added(person("a", connected)) }, ""},
		"an empty array removes itself":  {func(tl *timeline) { tl.expect(tl.begin().end().Changes, "-a(connected)") }, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(person("a", connected))
			tl.next().placeholder()
			tl.wait(time.Second)
			test.between(tl)
			tl.expect(tl.next().placeholder().Changes, test.want)
		})
	}
}

func TestW07_PlaceholdersEndAWindowLikeOtherLists(t *testing.T) {
	tl := newTimeline(t)
	tl.list()
	tl.send().added(person("a", dialing))
	for range 6 {
		tl.expect(tl.next().placeholder().Changes, "") // The one at 5 s is the first that counts.
	}
	tl.expect(tl.next().placeholder().Changes, "-a(dialing)")
}
