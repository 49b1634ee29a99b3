package roster_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
	"github.com/audian/participant-gateway/internal/roster/encoding"
)

// lasting returns an item with a status and a duration.
func lasting(id string, status participant.Status, seconds int32) participant.Item {
	return with(person(id, status), participant.FieldDuration, func(p *participant.Participant) { p.Duration = seconds })
}

// copied returns a copy of the roster, as another process holds it.
func (tl *timeline) copied() *roster.Roster {
	tl.t.Helper()
	data, err := encoding.EncodeBatch(tl.roster.Base())
	if err != nil {
		tl.t.Fatal(err)
	}
	base, err := encoding.DecodeBatch("conf", data)
	if err != nil {
		tl.t.Fatal(err)
	}
	r := roster.New("conf")
	r.Apply(base)
	return r
}

// lasts checks the first participant's duration in the roster, which is exact, and in a copy.
func (tl *timeline) lasts(want, wantCopied int32) {
	tl.t.Helper()
	if got := tl.roster.People().Copy()[0].Duration; got != want {
		tl.t.Errorf("duration: got %d, want %d", got, want)
	}
	if got := tl.copied().People().Copy()[0].Duration; got != wantCopied {
		tl.t.Errorf("duration in a copy: got %d, want %d", got, wantCopied)
	}
}

// unchanged applies a list that changes the marks alone.
func (tl *timeline) unchanged(items ...participant.Item) {
	tl.t.Helper()
	if batch := tl.list(items...); !batch.Empty() || batch.Changes != nil {
		tl.t.Errorf("the list changes %+v", batch.Members)
	}
}

func TestW09_CopiesPredictDurations(t *testing.T) {
	t.Run("it ticks while connected", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(lasting("a", connected, 7))
		tl.lasts(7, 7)
		for i := range int32(100) {
			tl.unchanged(lasting("a", connected, 8+i))
			tl.lasts(8+i, 8+i)
		}
		tl.unchanged(lasting("a", connected, 109)) // Whole seconds, cut off twice.
		tl.lasts(109, 108)
	})
	t.Run("it ticks from the start of the call, and stands still while held", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(lasting("a", dialing, 0))
		tl.unchanged(lasting("a", dialing, 0))
		tl.lasts(0, 0)
		tl.list(lasting("a", connected, 0))
		tl.unchanged(lasting("a", connected, 1))
		tl.lasts(1, 1)
		tl.list(lasting("a", held, 2))
		tl.lasts(2, 2)
		tl.unchanged(lasting("a", held, 2))
		tl.lasts(2, 2)
	})
	t.Run("a control that is published at once", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(lasting("a", connected, 7))
		tl.unchanged(lasting("a", connected, 8))
		tl.send().control(mute, "a")
		tl.lasts(8, 8)
		tl.send().control(hold, "a")
		tl.list(lasting("a", connected, 9)) // It shows the status before.
		tl.lasts(9, 8)
		tl.send().control(resume, "a")
		tl.unchanged(lasting("a", connected, 10))
		tl.lasts(10, 10)
	})
}

func TestW09_CopiesFollowDurationsThatDoNotTickAsExpected(t *testing.T) {
	t.Run("it stands still while connected", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(lasting("a", connected, 7))
		tl.unchanged(lasting("a", connected, 7))
		tl.unchanged(lasting("a", connected, 7))
		tl.lasts(7, 9)
		tl.list(lasting("a", connected, 7))
		for range 100 {
			tl.unchanged(lasting("a", connected, 7))
			tl.lasts(7, 7)
		}
	})
	t.Run("it ticks while held", func(t *testing.T) {
		tl := newTimeline(t)
		for i := range int32(4) {
			tl.list(lasting("a", held, 7+i))
		}
		for i := range int32(100) {
			tl.unchanged(lasting("a", held, 11+i))
			tl.lasts(11+i, 11+i)
		}
	})
	t.Run("it jumps", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(lasting("a", connected, 7))
		tl.list(lasting("a", connected, 50))
		tl.lasts(50, 50)
		tl.unchanged(lasting("a", connected, 51))
		tl.lasts(51, 51)
	})
	t.Run("items no longer contain it", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(lasting("a", connected, 7))
		tl.unchanged(lasting("a", connected, 8))
		tl.list(person("a", connected))
		tl.unchanged(person("a", connected))
		tl.lasts(8, 8)
	})
	t.Run("an incomplete list without the participant", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(lasting("a", connected, 7))
		tl.unchanged(lasting("a", connected, 8))
		tl.next().incomplete()
		tl.next().incomplete()
		tl.lasts(8, 8)
		tl.list(lasting("a", connected, 11))
		tl.lasts(11, 11)
	})
	t.Run("a slow list", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(lasting("a", connected, 7))
		list := tl.next()
		tl.wait(4 * time.Second)
		if batch := list.end(lasting("a", connected, 12)); !batch.Empty() {
			t.Errorf("the list changes %+v", batch.Members)
		}
		tl.lasts(12, 8)
	})
}

// TestW09_UnchangedListsChangeTheMarksAlone: such a batch does not grow with the roster.
func TestW09_UnchangedListsChangeTheMarksAlone(t *testing.T) {
	tl := newTimeline(t)
	items := func(round int32) []participant.Item {
		joined := time.Date(2026, 1, 2, 5, 0, 0, 0, time.FixedZone("", 7200)) // Each list has its own zone.
		var items []participant.Item
		for i := range 100 {
			status := []participant.Status{connected, held, pending, dialing, disconnected, "whispering"}[i%6]
			seconds := map[bool]int32{true: round, false: 3}[status == connected]
			items = append(items, with(lasting(fmt.Sprintf("p%03d", i), status, seconds), participant.FieldJoinedAt,
				func(p *participant.Participant) { p.JoinedAt = joined }))
		}
		return items
	}
	tl.list(append(items(0), person("left", connected), person("removed", connected))...)
	tl.send().removed("removed")
	tl.list(append(items(1), person("removed", disconnected))...)
	for round := range int32(100) {
		batch := tl.list(append(items(2+round), person("removed", disconnected))...)
		data, err := encoding.EncodeBatch(batch)
		if !batch.Empty() || len(data) > 250 || err != nil {
			t.Fatalf("%d bytes, error %v: %s", len(data), err, data)
		}
	}
}

// TestPlan_LeavesNoTrace plans batches that are not applied, as if a shared log refused them.
func TestPlan_LeavesNoTrace(t *testing.T) {
	tl := newTimeline(t)
	tl.list(lasting("a", connected, 7), person("b", dialing))
	tl.list(lasting("a", connected, 8), person("b", dialing))
	refused := roster.Poll{
		List: participant.List{
			Items: []participant.Item{lasting("a", disconnected, 60), person("c", dialing)}, Pages: 1, Read: 2,
			Began: tl.at(3), Ended: tl.at(3),
		},
		Began: 100, Applied: 101,
	}
	tl.expect(tl.roster.PlanPoll(refused).Changes, "a(connected>disconnected) +c(dialing) -b(dialing)")
	w := roster.Write{Write: participant.Write{Kind: participant.WriteRemove, Item: person("a", "")}, Sent: 102, Done: 103}
	tl.expect(tl.roster.PlanWrite(w).Changes, "-a(connected)*")
	c := roster.Control{Controlled: participant.Controlled{Control: hold, Item: participant.Item{Participant: participant.Participant{ID: "a"}}}, Sent: 104, Done: 105}
	tl.expect(tl.roster.PlanControl(c).Changes, "a(connected>held)*")
	tl.holds("a(connected) b(dialing)")
	tl.lasts(8, 8)
	tl.unchanged(lasting("a", connected, 9), person("b", dialing))
}
