package roster_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// TestW06_FirstListBegunAfterTheWindowDecides varies the interval between lists. Five
// seconds after the write completed one list is enough; before that no number is.
func TestW06_FirstListBegunAfterTheWindowDecides(t *testing.T) {
	lag := map[string]struct {
		before []participant.Item
		write  func(tl *timeline)
		lag    []participant.Item
		want   string
	}{
		"absence after an Add":    {nil, func(tl *timeline) { tl.send().added(person("a", dialing)) }, nil, "-a(dialing)"},
		"presence after a Remove": {[]participant.Item{person("a", held)}, func(tl *timeline) { tl.send().removed("a") }, []participant.Item{person("a", held)}, "+a(held)"},
	}
	for name, test := range lag {
		for _, after := range []time.Duration{5 * time.Second, 50 * time.Second} {
			t.Run(name+", a list after "+after.String(), func(t *testing.T) {
				tl := newTimeline(t)
				tl.list(test.before...)
				test.write(tl)
				tl.wait(after)
				tl.expect(tl.begin().end(test.lag...).Changes, test.want)
			})
		}
		t.Run(name+", many lists within", func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(test.before...)
			test.write(tl)
			for range 49 {
				tl.wait(100 * time.Millisecond)
				tl.expect(tl.begin().end(test.lag...).Changes, "")
			}
		})
		t.Run(name+", a list begun within and read after", func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(test.before...)
			test.write(tl)
			tl.wait(4900 * time.Millisecond)
			list := tl.begin()
			tl.wait(5 * time.Second)
			tl.expect(list.end(test.lag...).Changes, "")
			tl.expect(tl.begin().end(test.lag...).Changes, test.want)
		})
	}
}

func TestW06_WindowBeginsWhenTheWriteCompletes(t *testing.T) {
	tl := newTimeline(t)
	tl.list()
	add := tl.send()
	tl.wait(4 * time.Second)
	add.added(person("a", dialing))
	tl.expect(tl.lists(4), "")
	tl.expect(tl.list().Changes, "-a(dialing)")
}

func TestW06_CallEndedBeforeTheAddCompletedEndsNoWindow(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", disconnected)) // An earlier call under the same id.
	tl.send().added(person("a", dialing))
	tl.expect(tl.lists(4), "")
	tl.expect(tl.list().Changes, "-a(dialing)")
}

func TestW06_OnlyDisconnectedOrRejectedConfirmsARemove(t *testing.T) {
	tests := map[participant.Status]string{
		disconnected:               "",
		participant.StatusRejected: "",
		connected:                  "+a(connected)",
		"whispering":               "+a(whispering)",
		participant.StatusPending:  "+a(pending)",
	}
	for status, want := range tests {
		t.Run(string(status), func(t *testing.T) {
			tl := newTimeline(t)
			tl.list(person("a", connected), person("b", held))
			tl.send().removed("a")
			tl.expect(tl.lists(4, person("a", status), person("b", held)), "")
			tl.expect(tl.list(person("a", status), person("b", held)).Changes, want)
		})
	}
}

func TestW06_ItemWithoutStatusStillConfirmsARemove(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", connected))
	tl.send().removed("a")
	tl.list(person("a", disconnected))
	bare := participant.Item{Participant: participant.Participant{ID: "a"}}
	tl.expect(tl.lists(10, bare), "") // Missing is no change (W8).
	tl.expect(tl.list(person("a", connected)).Changes, "+a(connected)")
}

func TestW06_IncompleteListsEndNoRemove(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", connected))
	tl.send().removed("a")
	tl.lists(6, person("a", disconnected))
	tl.list() // One complete list without a.
	for range 5 {
		tl.next().incomplete()
	}
	tl.expect(tl.list(person("a", disconnected)).Changes, "")
	tl.lists(2)
	tl.expect(tl.list(person("a", disconnected)).Changes, "+a(disconnected)")
}

// TestW12_RemovedIdsAreDroppedWithoutACompleteList lets an upstream never give a
// complete list, so that nothing confirms a Remove.
func TestW12_RemovedIdsAreDroppedWithoutACompleteList(t *testing.T) {
	tl := newTimeline(t)
	tl.send().removed("a")
	tl.send().removed("b")
	for range 700 {
		tl.next().incomplete(person("b", disconnected))
	}
	if ids := tl.roster.IDs(); ids["a"] || !ids["b"] {
		t.Errorf("kept ids: got %v, want b alone, which lists still show", ids)
	}
}

func TestW06_NotBeforeOfDeferredChanges(t *testing.T) {
	t.Run("a Remove whose absence lists have shown since", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected)) // 1 s
		tl.send().removed("a")
		tl.list(person("a", connected)) // 2 s: lag.
		tl.lists(5)                     // 3 s to 7 s: gone.
		batch := tl.list(person("a", connected))
		tl.expect(batch.Changes, "+a(connected)")
		tl.between(batch, 7, 8)
	})
	t.Run("an Add that lists have shown since", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list()
		tl.send().added(person("a", dialing))
		tl.list()                     // 2 s: lag.
		tl.list(person("a", dialing)) // 3 s
		tl.wait(5 * time.Second)
		batch := tl.list()
		tl.expect(batch.Changes, "-a(dialing)")
		tl.between(batch, 3, 9)
	})
}

func TestNotBefore_IsTheLastListAppliedToEverybodyInTheBatch(t *testing.T) {
	t.Run("a join after a list that W5 ignores", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list()
		add := tl.send()
		tl.list(person("a", dialing))
		tl.expect(tl.list().Changes, "-a(dialing)") // 3 s: the last that was applied to a.
		ignored := tl.next()
		add.added(person("a", dialing))
		tl.expect(ignored.end(person("a", dialing)).Changes, "")
		batch := tl.list(person("a", dialing))
		tl.expect(batch.Changes, "+a(dialing)")
		tl.between(batch, 3, 5)
	})
	t.Run("an update after a list that W5 ignores", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected)) // 1 s
		ignored := tl.next()
		tl.send().added(person("a", connected))
		ignored.end(person("a", held))
		batch := tl.list(person("a", held), person("b", held))
		tl.expect(batch.Changes, "a(connected>held) +b(held)")
		tl.between(batch, 1, 3) // b alone would be 2 s.
	})
	t.Run("an update after an Add whose answer did not contain the field", func(t *testing.T) {
		tl := newTimeline(t)
		named := func(name string) participant.Item {
			return with(person("a", connected), participant.FieldName, func(p *participant.Participant) { p.Name = name })
		}
		tl.list(named("Ada"))
		tl.wait(time.Second)
		tl.send().added(person("a", connected))
		batch := tl.list(named("Bob"))
		tl.between(batch, 1, 3)
	})
	t.Run("a join after incomplete lists", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list()
		tl.next().incomplete()
		tl.next().incomplete(person("b", held))
		batch := tl.list(person("a", held), person("b", held))
		tl.expect(batch.Changes, "+a(held)")
		tl.between(batch, 1, 4)
	})
	t.Run("an update after incomplete lists, of which one showed it", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", held))
		tl.next().incomplete(person("a", held)) // 2 s
		tl.next().incomplete()
		batch := tl.list(person("a", connected))
		tl.between(batch, 2, 4)
	})
	t.Run("a leaving after incomplete lists", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", held))
		tl.next().incomplete(person("a", held)) // 2 s
		tl.next().incomplete()
		tl.between(tl.list(), 2, 4)
	})
	t.Run("a join when no list has proved an absence", func(t *testing.T) {
		tl := newTimeline(t)
		tl.next().incomplete(person("b", held))
		batch := tl.list(person("a", held), person("b", held))
		tl.expect(batch.Changes, "+a(held)")
		if !batch.NotBefore.IsZero() {
			t.Errorf("not_before is %v, and nothing is known", batch.NotBefore)
		}
	})
	t.Run("a join after one placeholder, and after two", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list()               // 1 s
		tl.next().placeholder() // 2 s
		tl.between(tl.list(person("a", held)), 1, 3)
		tl.list()
		for range 3 {
			tl.next().placeholder() // 5 s to 7 s
		}
		tl.between(tl.list(person("b", held)), 7, 8)
	})
	t.Run("several pages that missed somebody once", func(t *testing.T) {
		tl := newTimeline(t)
		tl.pages = 2
		tl.list(person("a", held), person("b", held)) // 1 s
		tl.list(person("b", held))
		batch := tl.list(person("b", connected))
		tl.expect(batch.Changes, "b(held>connected) -a(held)")
		tl.between(batch, 1, 3)
	})
}

func TestW05_MissedListsBeforeAWriteDoNotCount(t *testing.T) {
	tl := newTimeline(t)
	tl.pages = 2
	tl.list(person("a", connected))
	tl.expect(tl.list().Changes, "") // One.
	tl.send().added(person("a", connected))
	tl.wait(5 * time.Second)
	tl.expect(tl.list().Changes, "") // One again: the first was before the write.
	tl.expect(tl.list().Changes, "-a(connected)")
}
