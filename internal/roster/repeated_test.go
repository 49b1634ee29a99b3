package roster_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// TestRepeatedItems_AllocateNothing applies lists of which only durations tick, while somebody who
// has left is still kept.
func TestRepeatedItems_AllocateNothing(t *testing.T) {
	allocations := func(participants int) float64 {
		tl := newTimeline(t)
		items := make([]participant.Item, participants)
		for i := range items {
			items[i] = lasting(fmt.Sprintf("p%04d", i), connected, 0)
		}
		list := func(items []participant.Item) {
			tl.wait(time.Second)
			for i := range items {
				items[i].Duration++
			}
			began := tl.tick()
			tl.roster.Apply(tl.roster.PlanPoll(roster.Poll{
				List:  participant.List{Items: items, Pages: 1, Read: len(items), Began: tl.now, Ended: tl.now},
				Began: began, Applied: tl.tick(),
			}))
			if people := tl.roster.People(); people.Len() != len(items) || people.At(0).Duration != items[0].Duration {
				t.Fatalf("%d people of %d, duration %d of %d", people.Len(), len(items), people.At(0).Duration, items[0].Duration)
			}
		}
		list(items)
		list(items[:participants-1])
		return testing.AllocsPerRun(20, func() { list(items[:participants-1]) })
	}
	if few, many := allocations(10), allocations(1000); many > few {
		t.Errorf("a list of 1,000 takes %v allocations, one of 10 takes %v", many, few)
	}
}

// TestDroppedMember_IsNotFoundAgain lists an id again that the roster no longer keeps, in its place
// of the last list with anybody. It must not be taken for the participant who is missing.
func TestDroppedMember_IsNotFoundAgain(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", connected))
	tl.list()
	tl.wait(3 * time.Minute)
	tl.list()
	if kept := tl.roster.IDs(); len(kept) > 0 {
		t.Fatalf("keeps %v", kept)
	}
	tl.send().added(person("c", connected))
	tl.wait(10 * time.Second)
	tl.expect(tl.list(person("a", connected)).Changes, "+a(connected) -c(connected)")
}

// TestPeople_NeverChange keeps what was shown while lists, a write and a control change it.
func TestPeople_NeverChange(t *testing.T) {
	tl := newTimeline(t)
	tl.list(lasting("b", connected, 7), lasting("a", dialing, 0), lasting("c", connected, 3))
	before := tl.roster.People()
	want := "[a dialing 0 b connected 7 c connected 3]"
	tl.list(lasting("b", connected, 8), lasting("a", connected, 1), lasting("c", connected, 4))
	tl.send().control(hold, "b")
	tl.send().removed("c")
	tl.list(lasting("a", connected, 2), lasting("b", held, 9), lasting("d", connected, 0))
	if got := shownPeople(before); got != want {
		t.Errorf("shows %s now, showed %s", got, want)
	}
	if got, want := shownPeople(tl.roster.People()), "[a connected 2 b held 9 d connected 0]"; got != want {
		t.Errorf("shows %s, want %s", got, want)
	}
	if _, found := before.Find("d"); found {
		t.Error("found somebody who joined later")
	}
	if c, found := before.Find("c"); !found || c.Duration != 3 {
		t.Errorf("found %t, %+v", found, c)
	}
}

func shownPeople(people roster.People) string {
	shown := []any{}
	for _, p := range people.Copy() {
		shown = append(shown, p.ID, p.Status, p.Duration)
	}
	return fmt.Sprint(shown)
}
