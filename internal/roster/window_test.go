package roster_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// TestW06_FirstListBegunAfterTheWindowDecides has intervals of any length: five seconds
// after the write completed, one list is enough, and before it none is, however many.
func TestW06_FirstListBegunAfterTheWindowDecides(t *testing.T) {
	lag := map[string]struct {
		before []participant.Item
		write  func(s *story)
		lag    []participant.Item
		want   string
	}{
		"absence after an Add":    {nil, func(s *story) { s.send().added(person("a", dialing)) }, nil, "-a(dialing)"},
		"presence after a Remove": {[]participant.Item{person("a", held)}, func(s *story) { s.send().removed("a") }, []participant.Item{person("a", held)}, "+a(held)"},
	}
	for name, test := range lag {
		for _, after := range []time.Duration{5 * time.Second, 50 * time.Second} {
			t.Run(name+", a list after "+after.String(), func(t *testing.T) {
				s := newStory(t)
				s.list(test.before...)
				test.write(s)
				s.wait(after)
				s.expect(s.begin().end(test.lag...).Changes, test.want)
			})
		}
		t.Run(name+", many lists within", func(t *testing.T) {
			s := newStory(t)
			s.list(test.before...)
			test.write(s)
			for range 49 {
				s.wait(100 * time.Millisecond)
				s.expect(s.begin().end(test.lag...).Changes, "")
			}
		})
		t.Run(name+", a list begun within and read after", func(t *testing.T) {
			s := newStory(t)
			s.list(test.before...)
			test.write(s)
			s.wait(4900 * time.Millisecond)
			list := s.begin()
			s.wait(5 * time.Second)
			s.expect(list.end(test.lag...).Changes, "")
			s.expect(s.begin().end(test.lag...).Changes, test.want)
		})
	}
}

func TestW06_WindowBeginsWhenTheWriteCompletes(t *testing.T) {
	s := newStory(t)
	s.list()
	add := s.send()
	s.wait(4 * time.Second)
	add.added(person("a", dialing))
	s.expect(s.lists(4), "")
	s.expect(s.list().Changes, "-a(dialing)")
}

func TestW06_CallOverBeforeTheAddCompletedEndsNoWindow(t *testing.T) {
	s := newStory(t)
	s.list(person("a", disconnected)) // An earlier call under the same id.
	s.send().added(person("a", dialing))
	s.expect(s.lists(4), "")
	s.expect(s.list().Changes, "-a(dialing)")
}

func TestW06_OverIsADisconnectedOrRejectedItemOnly(t *testing.T) {
	tests := map[participant.Status]string{
		disconnected:               "",
		participant.StatusRejected: "",
		connected:                  "+a(connected)",
		"whispering":               "+a(whispering)",
		participant.StatusPending:  "+a(pending)",
	}
	for status, want := range tests {
		t.Run(string(status), func(t *testing.T) {
			s := newStory(t)
			s.list(person("a", connected), person("b", held))
			s.send().removed("a")
			s.expect(s.lists(4, person("a", status), person("b", held)), "")
			s.expect(s.list(person("a", status), person("b", held)).Changes, want)
		})
	}
}

func TestW06_ItemWithoutStatusStillConfirmsARemove(t *testing.T) {
	s := newStory(t)
	s.list(person("a", connected))
	s.send().removed("a")
	s.list(person("a", disconnected))
	bare := participant.Item{Participant: participant.Participant{ID: "a"}}
	s.expect(s.lists(10, bare), "") // Missing is no change (W8).
	s.expect(s.list(person("a", connected)).Changes, "+a(connected)")
}

func TestW06_IncompleteListsForgetNoRemove(t *testing.T) {
	s := newStory(t)
	s.list(person("a", connected))
	s.send().removed("a")
	s.lists(6, person("a", disconnected))
	s.list() // One complete list lacks a.
	for range 5 {
		s.next().unread()
	}
	s.expect(s.list(person("a", disconnected)).Changes, "")
	s.lists(2)
	s.expect(s.list(person("a", disconnected)).Changes, "+a(disconnected)")
}

// TestW12_RemovedIdsDoNotPileUpWhereNoListIsComplete has an upstream that never gives a
// complete list, so that nothing confirms a Remove.
func TestW12_RemovedIdsDoNotPileUpWhereNoListIsComplete(t *testing.T) {
	s := newStory(t)
	s.send().removed("a")
	s.send().removed("b")
	for range 700 {
		s.next().unread(person("b", disconnected))
	}
	if ids := s.roster.IDs(); ids["a"] || !ids["b"] {
		t.Errorf("kept ids: got %v, want b alone, which lists still show", ids)
	}
}

func TestW06_NotBeforeOfWhatTheWindowHeldBack(t *testing.T) {
	t.Run("a Remove whose absence lists have shown since", func(t *testing.T) {
		s := newStory(t)
		s.list(person("a", connected)) // 1 s
		s.send().removed("a")
		s.list(person("a", connected)) // 2 s: lag.
		s.lists(5)                     // 3 s to 7 s: gone.
		batch := s.list(person("a", connected))
		s.expect(batch.Changes, "+a(connected)")
		s.between(batch, 7, 8)
	})
	t.Run("an Add that lists have shown since", func(t *testing.T) {
		s := newStory(t)
		s.list()
		s.send().added(person("a", dialing))
		s.list()                     // 2 s: lag.
		s.list(person("a", dialing)) // 3 s
		s.wait(5 * time.Second)
		batch := s.list()
		s.expect(batch.Changes, "-a(dialing)")
		s.between(batch, 3, 9)
	})
}

func TestNotBefore_IsTheLastListThatWasAppliedToEverybodyInTheBatch(t *testing.T) {
	t.Run("a join after a list that W5 silenced", func(t *testing.T) {
		s := newStory(t)
		s.list()
		add := s.send()
		s.list(person("a", dialing))
		s.expect(s.list().Changes, "-a(dialing)") // 3 s: the last that was applied to a.
		silenced := s.next()
		add.added(person("a", dialing))
		s.expect(silenced.end(person("a", dialing)).Changes, "")
		batch := s.list(person("a", dialing))
		s.expect(batch.Changes, "+a(dialing)")
		s.between(batch, 3, 5)
	})
	t.Run("an update after a list that W5 silenced", func(t *testing.T) {
		s := newStory(t)
		s.list(person("a", connected)) // 1 s
		silenced := s.next()
		s.send().added(person("a", connected))
		silenced.end(person("a", held))
		batch := s.list(person("a", held), person("b", held))
		s.expect(batch.Changes, "a(connected>held) +b(held)")
		s.between(batch, 1, 3) // b alone would be 2 s.
	})
	t.Run("an update after an Add whose answer did not contain the field", func(t *testing.T) {
		s := newStory(t)
		named := func(name string) participant.Item {
			return with(person("a", connected), participant.FieldName, func(p *participant.Participant) { p.Name = name })
		}
		s.list(named("Ada"))
		s.wait(time.Second)
		s.send().added(person("a", connected))
		batch := s.list(named("Bob"))
		s.between(batch, 1, 3)
	})
	t.Run("a join after incomplete lists", func(t *testing.T) {
		s := newStory(t)
		s.list()
		s.next().unread()
		s.next().unread(person("b", held))
		batch := s.list(person("a", held), person("b", held))
		s.expect(batch.Changes, "+a(held)")
		s.between(batch, 1, 4)
	})
	t.Run("an update after incomplete lists, of which one showed it", func(t *testing.T) {
		s := newStory(t)
		s.list(person("a", held))
		s.next().unread(person("a", held)) // 2 s
		s.next().unread()
		batch := s.list(person("a", connected))
		s.between(batch, 2, 4)
	})
	t.Run("a leaving after incomplete lists", func(t *testing.T) {
		s := newStory(t)
		s.list(person("a", held))
		s.next().unread(person("a", held)) // 2 s
		s.next().unread()
		s.between(s.list(), 2, 4)
	})
	t.Run("a join when no list has proved an absence", func(t *testing.T) {
		s := newStory(t)
		s.next().unread(person("b", held))
		batch := s.list(person("a", held), person("b", held))
		s.expect(batch.Changes, "+a(held)")
		if !batch.NotBefore.IsZero() {
			t.Errorf("not_before is %v, and nothing is known", batch.NotBefore)
		}
	})
	t.Run("a join after one placeholder, and after two", func(t *testing.T) {
		s := newStory(t)
		s.list()         // 1 s
		s.next().empty() // 2 s
		s.between(s.list(person("a", held)), 1, 3)
		s.list()
		for range 3 {
			s.next().empty() // 5 s to 7 s
		}
		s.between(s.list(person("b", held)), 7, 8)
	})
	t.Run("several pages that lacked somebody once", func(t *testing.T) {
		s := newStory(t)
		s.pages = 2
		s.list(person("a", held), person("b", held)) // 1 s
		s.list(person("b", held))
		batch := s.list(person("b", connected))
		s.expect(batch.Changes, "b(held>connected) -a(held)")
		s.between(batch, 1, 3)
	})
}

func TestW05_NoListBegunBeforeAWriteCountsInARow(t *testing.T) {
	s := newStory(t)
	s.pages = 2
	s.list(person("a", connected))
	s.expect(s.list().Changes, "") // One.
	s.send().added(person("a", connected))
	s.wait(5 * time.Second)
	s.expect(s.list().Changes, "") // One again: the first was before the write.
	s.expect(s.list().Changes, "-a(connected)")
}
