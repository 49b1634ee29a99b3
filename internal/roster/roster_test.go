package roster_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

func TestW02_FirstListIsTheBaseAndChangesNothing(t *testing.T) {
	s := newStory(t)
	s.expect(s.list(person("b", held), person("a", connected)).Changes, "")
	s.holds("a(connected) b(held)")
}

func TestW02_ListsBecomeChanges(t *testing.T) {
	s := newStory(t)
	s.list(person("a", dialing), person("b", connected))
	batch := s.list(person("a", connected), person("c", pending))
	s.expect(batch.Changes, "a(dialing>connected) +c(pending) -b(connected)")
	s.between(batch, 1, 2)
	if batch.Total != 2 || batch.Active != 1 {
		t.Errorf("totals after the batch: got %d, %d, want 2, 1", batch.Total, batch.Active)
	}
}

func TestW05_ListBegunBeforeAWriteCompletedSaysNothing(t *testing.T) {
	t.Run("a poll in flight when an Add is answered", func(t *testing.T) {
		s := newStory(t)
		s.list()
		add := s.send()
		list := s.begin()
		s.expect(add.added(person("a", dialing)).Changes, "+a(dialing)*")
		s.expect(list.end().Changes, "")
		s.holds("a(dialing)")
	})
	t.Run("a poll in flight when a Remove is answered", func(t *testing.T) {
		s := newStory(t)
		s.list(person("a", connected))
		remove := s.send()
		list := s.begin()
		s.expect(remove.removed("a").Changes, "-a(connected)*")
		s.expect(list.end(person("a", connected)).Changes, "")
		s.holds("")
	})
	t.Run("a poll in flight that shows another status", func(t *testing.T) {
		s := newStory(t)
		s.list(person("a", disconnected)) // An earlier call under the same id.
		add := s.send()
		list := s.begin()
		s.expect(add.added(person("a", dialing)).Changes, "a(disconnected>dialing)*")
		s.expect(list.end(person("a", disconnected)).Changes, "")
		s.expect(s.list(person("a", connected)).Changes, "a(dialing>connected)")
	})
	t.Run("the first list in flight", func(t *testing.T) {
		s := newStory(t)
		list := s.begin()
		s.send().added(person("a", dialing))
		s.send().removed("b")
		list.end(person("b", connected), person("c", held))
		s.holds("a(dialing) c(held)")
	})
}

func TestW05_AnswerThatListsOvertookIsNotPublished(t *testing.T) {
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	answer := with(person("a", dialing), participant.FieldCreatedAt, func(p *participant.Participant) { p.CreatedAt = created })

	t.Run("an Add answered after a poll showed it connected", func(t *testing.T) {
		s := newStory(t)
		s.list()
		add := s.send()
		s.expect(s.list(person("a", connected)).Changes, "+a(connected)")
		batch := add.added(answer)
		s.expect(batch.Changes, "")
		if len(batch.Members) != 1 || !s.roster.Participants()[0].CreatedAt.Equal(created) {
			t.Error("the answer should fill in created_at, unseen")
		}
		s.expect(s.lists(4), "") // It opens the window all the same.
		batch = s.list()
		s.expect(batch.Changes, "-a(connected)")
		s.between(batch, 1, 7) // Held back by the write: since it was sent.
	})
	t.Run("an Add answered after the participant came and went", func(t *testing.T) {
		s := newStory(t)
		s.list()
		add := s.send()
		s.list(person("a", connected))
		s.expect(s.list().Changes, "-a(connected)")
		s.expect(add.added(answer).Changes, "")
		s.holds("")
	})
	t.Run("an Add answered after a Remove of it completed", func(t *testing.T) {
		s := newStory(t)
		s.list()
		add := s.send()
		s.send().removed("a")
		s.expect(add.added(answer).Changes, "")
		s.holds("")
	})
	t.Run("an Add of somebody listed before it was sent", func(t *testing.T) {
		s := newStory(t)
		s.list(person("a", disconnected))
		s.expect(s.send().added(answer).Changes, "a(disconnected>dialing)*")
	})
	t.Run("an Add answered after a Remove of it opens no window", func(t *testing.T) {
		s := newStory(t)
		s.list()
		add := s.send()
		s.send().removed("a")
		add.added(answer)
		s.expect(s.lists(4, person("a", connected)), "") // The Remove still governs.
		s.expect(s.list(person("a", connected)).Changes, "+a(connected)")
	})
	t.Run("an overtaken Add whose participant left is held when a list shows it again", func(t *testing.T) {
		s := newStory(t)
		s.list()
		add := s.send()
		s.list(person("a", connected))
		s.list()
		add.added(answer)
		s.expect(s.list(person("a", connected)).Changes, "+a(connected)")
		s.expect(s.lists(3), "")
		s.expect(s.list().Changes, "-a(connected)")
	})
	t.Run("a list that W6 ignored has shown nobody", func(t *testing.T) {
		s := newStory(t)
		s.list(person("a", connected))
		s.send().removed("a")
		add := s.send()
		s.expect(s.list(person("a", connected)).Changes, "")
		s.expect(add.added(answer).Changes, "+a(dialing)*")
	})
	t.Run("a Remove answered after a poll REMOVED it", func(t *testing.T) {
		s := newStory(t)
		s.list(person("a", connected))
		remove := s.send()
		s.expect(s.list().Changes, "-a(connected)")
		s.expect(remove.removed("a").Changes, "")
		s.expect(s.list(person("a", connected)).Changes, "+a(connected)") // No write for W6.
	})
	t.Run("a Remove answered after a list begun before it REMOVED it", func(t *testing.T) {
		s := newStory(t)
		s.list(person("a", connected))
		list := s.begin()
		remove := s.send()
		s.expect(list.end().Changes, "-a(connected)")
		s.expect(remove.removed("a").Changes, "")
		s.expect(s.lists(2, person("a", connected)), "") // It is a write, and has its window.
	})
}

func TestW06_AbsenceAfterAnAddIsLagForAWhile(t *testing.T) {
	s := newStory(t)
	s.list()
	add := s.send()
	s.wait(time.Second / 2)
	add.added(person("a", dialing))
	s.expect(s.lists(4), "")
	s.holds("a(dialing)")
	batch := s.list() // 5 s after the answer, with two lists read since.
	s.expect(batch.Changes, "-a(dialing)")
	s.between(batch, 1, 6.5) // Held back by the write: since it was sent.
}

func TestW06_OtherNewsCountsAtOnce(t *testing.T) {
	s := newStory(t)
	s.list(person("b", connected))
	s.send().added(person("a", dialing))
	s.expect(s.list(person("a", connected), person("b", held)).Changes, "a(dialing>connected) b(connected>held)")
	s.expect(s.list().Changes, "-b(held)") // For the written participant alone.
	s.expect(s.list(person("a", held)).Changes, "a(connected>held)")
}

func TestW06_AbsenceCountsOnceTheCallWasSeenOver(t *testing.T) {
	for _, over := range []participant.Status{disconnected, participant.StatusRejected} {
		s := newStory(t)
		s.list()
		s.send().added(person("a", dialing))
		s.list(person("a", over))
		s.expect(s.list().Changes, fmt.Sprintf("-a(%s)", over))
	}
}

func TestW06_PresenceAfterARemoveIsLagForAWhile(t *testing.T) {
	s := newStory(t)
	s.list(person("a", connected))
	s.send().removed("a")
	s.expect(s.lists(4, person("a", connected)), "")
	batch := s.list(person("a", connected))
	s.expect(batch.Changes, "+a(connected)")
	s.between(batch, 1, 6) // Held back by the write: since it was sent.
}

func TestW06_LingeringConfirmsARemove(t *testing.T) {
	s := newStory(t)
	s.list(person("a", connected), person("b", connected))
	s.send().removed("a")
	s.expect(s.lists(60, person("a", disconnected), person("b", connected)), "")
	s.holds("b(connected)")

	t.Run("until it shows another status", func(t *testing.T) {
		s.expect(s.list(person("a", connected), person("b", connected)).Changes, "+a(connected)")
	})
}

func TestW06_TwoListsWithoutForgetARemove(t *testing.T) {
	s := newStory(t)
	s.list(person("a", connected))
	s.send().removed("a")
	s.lists(10, person("a", disconnected))
	s.list()
	s.expect(s.list(person("a", disconnected)).Changes, "") // Not two in a row.
	s.lists(2)
	s.expect(s.list(person("a", disconnected)).Changes, "+a(disconnected)")
}

func TestW06_LatestWriteGoverns(t *testing.T) {
	t.Run("an Add after a Remove", func(t *testing.T) {
		s := newStory(t)
		s.list(person("a", connected))
		s.send().removed("a")
		s.expect(s.send().added(person("a", dialing)).Changes, "+a(dialing)*")
		s.expect(s.list(person("a", connected)).Changes, "a(dialing>connected)")
	})
	t.Run("a Remove after an Add", func(t *testing.T) {
		s := newStory(t)
		s.list()
		s.send().added(person("a", dialing))
		s.expect(s.send().removed("a").Changes, "-a(dialing)*")
		s.expect(s.list(person("a", dialing)).Changes, "")
	})
}

func TestW07_SeveralPagesRemoveOnlyWhoIsMissingTwice(t *testing.T) {
	s := newStory(t)
	s.pages = 2
	s.list(person("a", connected), person("b", connected))
	s.expect(s.list(person("a", connected)).Changes, "")
	s.expect(s.list(person("a", connected), person("b", connected)).Changes, "")
	s.expect(s.list(person("a", connected)).Changes, "")
	batch := s.list(person("a", connected))
	s.expect(batch.Changes, "-b(connected)")
	s.between(batch, 3, 5) // Since the start of the last list that showed it.
}

func TestW07_IgnoredListNeitherCountsNorBreaksTheRow(t *testing.T) {
	s := newStory(t)
	s.pages = 2
	s.list(person("a", connected))
	s.expect(s.list().Changes, "") // One.
	list := s.begin()
	s.send().added(person("a", dialing)) // Governs from here; the row begins anew.
	list.end()
	s.expect(s.lists(5), "") // The window ignores the absence.
	s.holds("a(dialing)")
	s.expect(s.list().Changes, "-a(dialing)")
}

func TestW07_RowMayMixListsOfOneAndSeveralPages(t *testing.T) {
	tests := map[string]struct {
		pages []int
		want  string
	}{
		"several, then one": {[]int{2, 1}, "-a(connected)"},
		"one alone":         {[]int{1}, "-a(connected)"},
		"several alone":     {[]int{2}, ""},
		"several, several":  {[]int{3, 2}, "-a(connected)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			s.list(person("a", connected))
			var changes []roster.Change
			for _, pages := range test.pages {
				s.pages = pages
				changes = append(changes, s.list().Changes...)
			}
			s.expect(changes, test.want)
		})
	}
}

func TestW06_UpdateAfterAHeldAbsence(t *testing.T) {
	s := newStory(t)
	s.list()
	s.send().added(person("a", dialing))
	s.expect(s.list().Changes, "") // Held back.
	s.expect(s.list(person("a", connected)).Changes, "a(dialing>connected)")
	s.lists(6, person("a", connected))
	s.expect(s.list().Changes, "-a(connected)") // The window is over: nothing is held any more.
}

func TestW08_MissingKeysKeepWhatWasKnown(t *testing.T) {
	joined := time.Date(2026, 1, 2, 3, 0, 5, 0, time.UTC)
	full := person("a", connected)
	full = with(full, participant.FieldName, func(p *participant.Participant) { p.Name = "Ada" })
	full = with(full, participant.FieldMuted, func(p *participant.Participant) { p.Muted = true })
	full = with(full, participant.FieldJoinedAt, func(p *participant.Participant) { p.JoinedAt = joined })

	s := newStory(t)
	s.list(full)
	s.expect(s.list(participant.Item{Participant: participant.Participant{ID: "a"}}).Changes, "")
	got := s.roster.Participants()[0]
	want := participant.Participant{ID: "a", ConferenceID: "conf", Name: "Ada", Status: connected, Muted: true, JoinedAt: joined}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	null := with(person("a", connected), participant.FieldJoinedAt, func(*participant.Participant) {})
	s.expect(s.list(null).Changes, "a(connected>connected)") // joined_at: null is told.
}

func TestW08_WhoComesBackKeepsWhatWasKnown(t *testing.T) {
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	answer := with(person("a", dialing), participant.FieldCreatedAt, func(p *participant.Participant) { p.CreatedAt = created })
	answer = with(answer, participant.FieldName, func(p *participant.Participant) { p.Name = "Ada" })
	comeBack := map[string]func(*story){
		"after a Remove that did not hold": func(s *story) {
			s.send().removed("a")
			s.lists(5, person("a", connected))
		},
		"after a list that lacked them": func(s *story) {
			s.list(person("a", connected))
			s.lists(6)
			s.list(person("a", connected))
		},
	}
	for name, happens := range comeBack {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			s.list()
			s.send().added(answer)
			happens(s)
			s.holds("a(connected)")
			if got := s.roster.Participants()[0]; got.Name != "Ada" || !got.CreatedAt.Equal(created) {
				t.Errorf("lost what was known: %+v", got)
			}
		})
	}
}

func TestW08_FirstSightOfCreatedAtIsNoEvent(t *testing.T) {
	at := func(hour int) participant.Item {
		return with(person("a", connected), participant.FieldCreatedAt, func(p *participant.Participant) {
			p.CreatedAt = time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC)
		})
	}
	s := newStory(t)
	s.list(person("a", connected))
	s.expect(s.list(at(1)).Changes, "")
	s.expect(s.list(at(2)).Changes, "a(connected>connected)")
}

func TestW08_UpstreamDisconnectedIsAnUpdate(t *testing.T) {
	s := newStory(t)
	s.list(person("a", connected))
	s.expect(s.list(person("a", disconnected)).Changes, "a(connected>disconnected)")
	s.expect(s.list().Changes, "-a(disconnected)")
}

func TestW08_UnknownWordsPassThrough(t *testing.T) {
	s := newStory(t)
	s.list(person("a", "whispering"))
	s.expect(s.list(person("a", "shouting")).Changes, "a(whispering>shouting)")
	s.holds("a(shouting)")
}

func TestW09_DurationAloneIsNoEvent(t *testing.T) {
	at := func(seconds int32) participant.Item {
		return with(person("a", connected), participant.FieldDuration, func(p *participant.Participant) { p.Duration = seconds })
	}
	s := newStory(t)
	s.list(at(1))
	batch := s.list(at(2))
	s.expect(batch.Changes, "")
	if !batch.Empty() {
		t.Error("a ticking duration should make no entry")
	}
	if got := s.roster.Participants()[0].Duration; got != 2 {
		t.Errorf("duration in the roster: got %d, want 2", got)
	}
}

func TestW15_InFlightForNinetySeconds(t *testing.T) {
	s := newStory(t)
	s.list(person("a", pending))
	s.lists(88, person("a", dialing))
	if !s.roster.InFlight(s.now) {
		t.Error("a call of 88 s is in flight")
	}
	s.lists(3, person("a", dialing))
	if s.roster.InFlight(s.now) {
		t.Error("a call of 91 s no longer counts")
	}
}

func TestForget_GoneIdsAreNotKeptForEver(t *testing.T) {
	s := newStory(t)
	s.list(person("a", connected), person("b", connected))
	s.list(person("b", connected))
	s.send().removed("c")
	s.lists(140, person("b", connected))
	if ids := s.roster.IDs(); len(ids) != 1 || !ids["b"] {
		t.Errorf("kept ids: got %v, want b alone", ids)
	}
}
