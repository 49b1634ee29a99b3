package roster_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// surplusLists reads lists whose total is larger, one a second, and counts those that
// were complete.
func (tl *timeline) surplusLists(lists, surplus int, items ...participant.Item) (complete int) {
	for range lists {
		if tl.next().withSurplus(surplus, items...).Complete {
			complete++
		}
	}
	return complete
}

func TestW07_SteadySurplusIsLearned(t *testing.T) {
	tl := newTimeline(t)
	a, b := person("a", connected), person("b", held)
	tl.list(a, b)
	if complete := tl.surplusLists(60, 1, a, b); complete != 0 {
		t.Fatalf("%d lists of the first 60 s are complete", complete)
	}
	batch := tl.next().withSurplus(1, a, b)
	if !batch.Complete || batch.LearnedSurplus != 1 {
		t.Fatalf("after 60 s: complete %v, learned %d", batch.Complete, batch.LearnedSurplus)
	}
	batch = tl.next().withSurplus(1, a)
	tl.expect(batch.Changes, "-b(held)")
	if batch.LearnedSurplus != 0 {
		t.Error("learned once more")
	}
}

func TestW07_SurplusNeedsTenLists(t *testing.T) {
	tl := newTimeline(t)
	a := person("a", connected)
	for range 9 {
		tl.wait(50 * time.Second)
		if tl.next().withSurplus(2, a).Complete {
			t.Fatal("learned from fewer than ten lists")
		}
	}
	if !tl.next().withSurplus(2, a).Complete {
		t.Error("not learned from ten lists over eight minutes")
	}
}

func TestW07_SurplusNeedsEverybodyListed(t *testing.T) {
	tl := newTimeline(t)
	a, b := person("a", connected), person("b", held)
	tl.list(a, b)
	if complete := tl.surplusLists(200, 1, a); complete != 0 {
		t.Fatalf("b may be the one who is counted and not listed, and %d lists are complete", complete)
	}
	tl.holds("a(connected) b(held)")
	if complete := tl.surplusLists(1, 1, a, b); complete != 1 {
		t.Error("everybody was shown, and nothing is learned")
	}
}

func TestW07_WhatResetsTheSurplusCount(t *testing.T) {
	a := person("a", connected)
	breaks := map[string]func(l listing){
		"another surplus":      func(l listing) { l.withSurplus(2, a) },
		"no surplus":           func(l listing) { l.withSurplus(0, a) },
		"no total":             func(l listing) { l.end(a) },
		"fewer than listed":    func(l listing) { l.withSurplus(-1, a) },
		"a page that failed":   func(l listing) { l.incomplete(a) },
		"a list without array": func(l listing) { l.placeholder() },
	}
	for name, breaks := range breaks {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.surplusLists(59, 1, a)
			breaks(tl.next())
			if complete := tl.surplusLists(60, 1, a); complete != 0 {
				t.Errorf("%d lists are complete", complete)
			}
			if complete := tl.surplusLists(1, 1, a); complete != 1 {
				t.Error("not learned 60 s later")
			}
		})
	}
}

func TestW07_WhatUnlearnsASurplus(t *testing.T) {
	a := person("a", connected)
	tests := map[string]struct {
		between  func(l listing) bool
		complete bool
		kept     bool
	}{
		"a larger surplus":   {func(l listing) bool { return l.withSurplus(3, a).Complete }, false, false},
		"a smaller surplus":  {func(l listing) bool { return l.withSurplus(1, a).Complete }, false, false},
		"no surplus":         {func(l listing) bool { return l.withSurplus(0, a).Complete }, true, false},
		"no total":           {func(l listing) bool { return l.end(a).Complete }, true, true},
		"a page that failed": {func(l listing) bool { return l.incomplete(a).Complete }, false, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.surplusLists(61, 2, a)
			if got := test.between(tl.next()); got != test.complete {
				t.Errorf("complete: got %v, want %v", got, test.complete)
			}
			if got := tl.next().withSurplus(2, a).Complete; got != test.kept {
				t.Errorf("the surplus is still known: got %v, want %v", got, test.kept)
			}
		})
	}
}
