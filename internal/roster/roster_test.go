package roster_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

func TestW02_FirstListMakesNoChanges(t *testing.T) {
	tl := newTimeline(t)
	tl.expect(tl.list(person("b", held), person("a", connected)).Changes, "")
	tl.holds("a(connected) b(held)")
}

func TestW02_ListsBecomeChanges(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", dialing), person("b", connected))
	batch := tl.list(person("a", connected), person("c", pending))
	tl.expect(batch.Changes, "a(dialing>connected) +c(pending) -b(connected)")
	tl.between(batch, 1, 2)
	if batch.Total != 2 || batch.Active != 1 {
		t.Errorf("totals after the batch: got %d, %d, want 2, 1", batch.Total, batch.Active)
	}
}

func TestW05_ListBegunBeforeAWriteCompletedIsIgnored(t *testing.T) {
	t.Run("a poll in flight when an Add is answered", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list()
		add := tl.send()
		list := tl.begin()
		tl.expect(add.added(person("a", dialing)).Changes, "+a(dialing)*")
		tl.expect(list.end().Changes, "")
		tl.holds("a(dialing)")
	})
	t.Run("a poll in flight when a Remove is answered", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		remove := tl.send()
		list := tl.begin()
		tl.expect(remove.removed("a").Changes, "-a(connected)*")
		tl.expect(list.end(person("a", connected)).Changes, "")
		tl.holds("")
	})
	t.Run("a poll in flight that shows another status", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", disconnected)) // An earlier call under the same id.
		add := tl.send()
		list := tl.begin()
		tl.expect(add.added(person("a", dialing)).Changes, "a(disconnected>dialing)*")
		tl.expect(list.end(person("a", disconnected)).Changes, "")
		tl.expect(tl.list(person("a", connected)).Changes, "a(dialing>connected)")
	})
	t.Run("the first list in flight", func(t *testing.T) {
		tl := newTimeline(t)
		list := tl.begin()
		tl.send().added(person("a", dialing))
		tl.send().removed("b")
		list.end(person("b", connected), person("c", held))
		tl.holds("a(dialing) c(held)")
	})
}

func TestW05_OvertakenResponseIsNotPublished(t *testing.T) {
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	answer := with(person("a", dialing), participant.FieldCreatedAt, func(p *participant.Participant) { p.CreatedAt = created })

	t.Run("an Add answered after a poll showed it connected", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list()
		add := tl.send()
		tl.expect(tl.list(person("a", connected)).Changes, "+a(connected)")
		batch := add.added(answer)
		tl.expect(batch.Changes, "")
		if len(batch.Members) != 1 || !tl.roster.People().Copy()[0].CreatedAt.Equal(created) {
			t.Error("the answer should fill in created_at, unseen")
		}
		tl.expect(tl.lists(4), "") // It opens the window all the same.
		batch = tl.list()
		tl.expect(batch.Changes, "-a(connected)")
		tl.between(batch, 1, 7) // Held back by the write: since it was sent.
	})
	t.Run("an Add answered after the participant joined and left", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list()
		add := tl.send()
		tl.list(person("a", connected))
		tl.expect(tl.list().Changes, "-a(connected)")
		tl.expect(add.added(answer).Changes, "")
		tl.holds("")
	})
	t.Run("an Add answered after a Remove of it completed", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list()
		add := tl.send()
		tl.send().removed("a")
		tl.expect(add.added(answer).Changes, "")
		tl.holds("")
	})
	t.Run("an Add of a participant listed before it was sent", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", disconnected))
		tl.expect(tl.send().added(answer).Changes, "a(disconnected>dialing)*")
	})
	t.Run("an Add answered after a Remove of it opens no window", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list()
		add := tl.send()
		tl.send().removed("a")
		add.added(answer)
		tl.expect(tl.lists(4, person("a", connected)), "") // The Remove is still pending.
		tl.expect(tl.list(person("a", connected)).Changes, "+a(connected)")
	})
	t.Run("an overtaken Add is pending when a list contains its participant again", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list()
		add := tl.send()
		tl.list(person("a", connected))
		tl.list()
		add.added(answer)
		tl.expect(tl.list(person("a", connected)).Changes, "+a(connected)")
		tl.expect(tl.lists(3), "")
		tl.expect(tl.list().Changes, "-a(connected)")
	})
	t.Run("a list that W6 ignores proves no presence", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		tl.send().removed("a")
		add := tl.send()
		tl.expect(tl.list(person("a", connected)).Changes, "")
		tl.expect(add.added(answer).Changes, "+a(dialing)*")
	})
	t.Run("a Remove answered after a list removed the participant", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		remove := tl.send()
		tl.expect(tl.list().Changes, "-a(connected)")
		tl.expect(remove.removed("a").Changes, "")
		tl.expect(tl.list(person("a", connected)).Changes, "+a(connected)") // No write for W6.
	})
	t.Run("a Remove answered after a list begun before it removed the participant", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		list := tl.begin()
		remove := tl.send()
		tl.expect(list.end().Changes, "-a(connected)")
		tl.expect(remove.removed("a").Changes, "")
		tl.expect(tl.lists(2, person("a", connected)), "") // It is a write, and has its window.
	})
}

func TestW06_AbsenceAfterAnAddIsLagForFiveSeconds(t *testing.T) {
	tl := newTimeline(t)
	tl.list()
	add := tl.send()
	tl.wait(time.Second / 2)
	add.added(person("a", dialing))
	tl.expect(tl.lists(4), "")
	tl.holds("a(dialing)")
	batch := tl.list() // 5 s after the answer, with two lists read since.
	tl.expect(batch.Changes, "-a(dialing)")
	tl.between(batch, 1, 6.5) // Held back by the write: since it was sent.
}

func TestW06_OtherChangesApplyAtOnce(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("b", connected))
	tl.send().added(person("a", dialing))
	tl.expect(tl.list(person("a", connected), person("b", held)).Changes, "a(dialing>connected) b(connected>held)")
	tl.expect(tl.list().Changes, "-b(held)") // For the written participant alone.
	tl.expect(tl.list(person("a", held)).Changes, "a(connected>held)")
}

func TestW06_AbsenceCountsAfterTheCallEnded(t *testing.T) {
	for _, ended := range []participant.Status{disconnected, participant.StatusRejected} {
		tl := newTimeline(t)
		tl.list()
		tl.send().added(person("a", dialing))
		tl.list(person("a", ended))
		tl.expect(tl.list().Changes, fmt.Sprintf("-a(%s)", ended))
	}
}

func TestW06_PresenceAfterARemoveIsLagForFiveSeconds(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", connected))
	tl.send().removed("a")
	tl.expect(tl.lists(4, person("a", connected)), "")
	batch := tl.list(person("a", connected))
	tl.expect(batch.Changes, "+a(connected)")
	tl.between(batch, 1, 6) // Held back by the write: since it was sent.
}

func TestW06_DisconnectedConfirmsARemove(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", connected), person("b", connected))
	tl.send().removed("a")
	tl.expect(tl.lists(60, person("a", disconnected), person("b", connected)), "")
	tl.holds("b(connected)")

	t.Run("until it shows another status", func(t *testing.T) {
		tl.expect(tl.list(person("a", connected), person("b", connected)).Changes, "+a(connected)")
	})
}

func TestW06_TwoMissedListsEndARemove(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", connected))
	tl.send().removed("a")
	tl.lists(10, person("a", disconnected))
	tl.list()
	tl.expect(tl.list(person("a", disconnected)).Changes, "") // Not two in a row.
	tl.lists(2)
	tl.expect(tl.list(person("a", disconnected)).Changes, "+a(disconnected)")
}

func TestW06_LatestWriteDecides(t *testing.T) {
	t.Run("an Add after a Remove", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list(person("a", connected))
		tl.send().removed("a")
		tl.expect(tl.send().added(person("a", dialing)).Changes, "+a(dialing)*")
		tl.expect(tl.list(person("a", connected)).Changes, "a(dialing>connected)")
	})
	t.Run("a Remove after an Add", func(t *testing.T) {
		tl := newTimeline(t)
		tl.list()
		tl.send().added(person("a", dialing))
		tl.expect(tl.send().removed("a").Changes, "-a(dialing)*")
		tl.expect(tl.list(person("a", dialing)).Changes, "")
	})
}

func TestW07_SeveralPagesRemoveOnlyAfterTwoMissedLists(t *testing.T) {
	tl := newTimeline(t)
	tl.pages = 2
	tl.list(person("a", connected), person("b", connected))
	tl.expect(tl.list(person("a", connected)).Changes, "")
	tl.expect(tl.list(person("a", connected), person("b", connected)).Changes, "")
	tl.expect(tl.list(person("a", connected)).Changes, "")
	batch := tl.list(person("a", connected))
	tl.expect(batch.Changes, "-b(connected)")
	tl.between(batch, 3, 5) // Since the start of the last list that showed it.
}

func TestW07_IgnoredListNeitherCountsNorResetsTheCount(t *testing.T) {
	tl := newTimeline(t)
	tl.pages = 2
	tl.list(person("a", connected))
	tl.expect(tl.list().Changes, "") // One.
	list := tl.begin()
	tl.send().added(person("a", dialing)) // Pending from here on; the count begins again.
	list.end()
	tl.expect(tl.lists(5), "") // The window ignores the absence.
	tl.holds("a(dialing)")
	tl.expect(tl.list().Changes, "-a(dialing)")
}

func TestW07_MissedListsMayHaveOneOrSeveralPages(t *testing.T) {
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
			tl := newTimeline(t)
			tl.list(person("a", connected))
			var changes []roster.Change
			for _, pages := range test.pages {
				tl.pages = pages
				changes = append(changes, tl.list().Changes...)
			}
			tl.expect(changes, test.want)
		})
	}
}

func TestW06_UpdateAfterADeferredAbsence(t *testing.T) {
	tl := newTimeline(t)
	tl.list()
	tl.send().added(person("a", dialing))
	tl.expect(tl.list().Changes, "") // Held back.
	tl.expect(tl.list(person("a", connected)).Changes, "a(dialing>connected)")
	tl.lists(6, person("a", connected))
	tl.expect(tl.list().Changes, "-a(connected)") // The window is over: nothing is held any more.
}

func TestW08_MissingFieldsKeepTheirValues(t *testing.T) {
	joined := time.Date(2026, 1, 2, 3, 0, 5, 0, time.UTC)
	full := person("a", connected)
	full = with(full, participant.FieldName, func(p *participant.Participant) { p.Name = "Ada" })
	full = with(full, participant.FieldMuted, func(p *participant.Participant) { p.Muted = true })
	full = with(full, participant.FieldJoinedAt, func(p *participant.Participant) { p.JoinedAt = joined })

	tl := newTimeline(t)
	tl.list(full)
	tl.expect(tl.list(participant.Item{Participant: participant.Participant{ID: "a"}}).Changes, "")
	got := tl.roster.People().Copy()[0]
	want := participant.Participant{ID: "a", ConferenceID: "conf", Name: "Ada", Status: connected, Muted: true, JoinedAt: joined}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	null := with(person("a", connected), participant.FieldJoinedAt, func(*participant.Participant) {})
	tl.expect(tl.list(null).Changes, "a(connected,muted>connected,muted)") // joined_at: null is a value.
}

func TestW08_ReturningParticipantKeepsKnownFields(t *testing.T) {
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	answer := with(person("a", dialing), participant.FieldCreatedAt, func(p *participant.Participant) { p.CreatedAt = created })
	answer = with(answer, participant.FieldName, func(p *participant.Participant) { p.Name = "Ada" })
	comeBack := map[string]func(*timeline){
		"after a Remove that did not hold": func(tl *timeline) {
			tl.send().removed("a")
			tl.lists(5, person("a", connected))
		},
		"after a list without them": func(tl *timeline) {
			tl.list(person("a", connected))
			tl.lists(6)
			tl.list(person("a", connected))
		},
	}
	for name, happens := range comeBack {
		t.Run(name, func(t *testing.T) {
			tl := newTimeline(t)
			tl.list()
			tl.send().added(answer)
			happens(tl)
			tl.holds("a(connected)")
			if got := tl.roster.People().Copy()[0]; got.Name != "Ada" || !got.CreatedAt.Equal(created) {
				t.Errorf("lost what was known: %+v", got)
			}
		})
	}
}

func TestW08_FirstCreatedAtIsNoEvent(t *testing.T) {
	at := func(hour int) participant.Item {
		return with(person("a", connected), participant.FieldCreatedAt, func(p *participant.Participant) {
			p.CreatedAt = time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC)
		})
	}
	tl := newTimeline(t)
	tl.list(person("a", connected))
	tl.expect(tl.list(at(1)).Changes, "")
	tl.expect(tl.list(at(2)).Changes, "a(connected>connected)")
}

func TestW08_UpstreamDisconnectedIsAnUpdate(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", connected))
	tl.expect(tl.list(person("a", disconnected)).Changes, "a(connected>disconnected)")
	tl.expect(tl.list().Changes, "-a(disconnected)")
}

func TestW08_UnknownStatusesPassThrough(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", "whispering"))
	tl.expect(tl.list(person("a", "shouting")).Changes, "a(whispering>shouting)")
	tl.holds("a(shouting)")
}

func TestW09_DurationAloneIsNoEvent(t *testing.T) {
	at := func(seconds int32) participant.Item {
		return with(person("a", connected), participant.FieldDuration, func(p *participant.Participant) { p.Duration = seconds })
	}
	tl := newTimeline(t)
	tl.list(at(1))
	batch := tl.list(at(2))
	tl.expect(batch.Changes, "")
	if !batch.Empty() {
		t.Error("a ticking duration should make no entry")
	}
	if got := tl.roster.People().Copy()[0].Duration; got != 2 {
		t.Errorf("duration in the roster: got %d, want 2", got)
	}
}

func TestW15_InFlightForNinetySeconds(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", pending))
	tl.lists(88, person("a", dialing))
	if !tl.roster.InFlight(tl.now) {
		t.Error("a call of 88 s is in flight")
	}
	tl.lists(3, person("a", dialing))
	if tl.roster.InFlight(tl.now) {
		t.Error("a call of 91 s no longer counts")
	}
}

func TestForget_DropsIdsThatLeft(t *testing.T) {
	tl := newTimeline(t)
	tl.list(person("a", connected), person("b", connected))
	tl.list(person("b", connected))
	tl.send().removed("c")
	tl.lists(140, person("b", connected))
	if ids := tl.roster.IDs(); len(ids) != 1 || !ids["b"] {
		t.Errorf("kept ids: got %v, want b alone", ids)
	}
}
