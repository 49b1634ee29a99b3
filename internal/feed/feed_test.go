package feed_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

func TestFeed_FirstListMakesItKnownAndFresh(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusConnected)
		f, release := h.watch()
		defer release()
		state := f.State()
		if !state.Known || state.Stale || state.Total != 1 || state.Active != 1 {
			t.Errorf("after the first list: %+v", state)
		}
	})
}

func TestW05_WriteReachesTheFeedAtOnce(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		f, release := h.watch()
		defer release()
		record := h.hub.Begin(t.Context(), key())
		record.Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{
			Participant: participant.Participant{ID: "a", Status: participant.StatusDialing}, Fields: participant.FieldStatus,
		}})
		if got := statusOf(t, f, "a"); got != participant.StatusDialing {
			t.Errorf("status right after the answer: got %q", got)
		}
	})
}

func TestW05_WriteSentBeforeTheFeedBegan(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Slow(time.Second)
		record := h.hub.Begin(t.Context(), key()) // No feed: there is nothing to record.
		f, release := h.watch()                   // Its first list is in flight…
		defer release()
		record.Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{
			Participant: participant.Participant{ID: "a", Status: participant.StatusDialing}, Fields: participant.FieldStatus,
		}}) // …when the write is answered.
		h.advance(1100 * time.Millisecond)
		if got := statusOf(t, f, "a"); got != participant.StatusDialing {
			t.Errorf("status after the first list, which began before: got %q", got)
		}
	})
}

func TestW05_NothingIsKeptWithoutAFeed(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.hub.Begin(t.Context(), key()).Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{
			Participant: participant.Participant{ID: "a"},
		}})
		f, release := h.watch()
		defer release()
		if total := f.State().Total; total != 0 {
			t.Errorf("total: got %d, want 0", total)
		}
	})
}

func TestA01_TicketContainsTheRosterBefore(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusConnected)
		if _, fresh := h.hub.Begin(t.Context(), key()).Before(); fresh {
			t.Error("without a feed there is no fresh roster")
		}
		_, release := h.watch()
		defer release()
		has, fresh := h.hub.Begin(t.Context(), key()).Before()
		if !fresh || !has("a") || has("b") {
			t.Errorf("fresh %v, has a %v, has b %v", fresh, has("a"), has("b"))
		}
	})
}

func TestW10_TurnsStaleAfterFiveSecondsAndFreshWithTheNextList(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusDialing) // In flight: polled every second.
		f, release := h.watch()
		defer release()
		h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		h.advance(4900 * time.Millisecond)
		if f.State().Stale {
			t.Error("stale before 5 s")
		}
		h.advance(300 * time.Millisecond)
		state := f.State()
		if !state.Stale || state.StaleReason != apierror.UpstreamUnavailable || state.Total != 1 {
			t.Errorf("after 5.2 s: stale %v, reason %q, total %d", state.Stale, state.StaleReason, state.Total)
		}
		h.advance(time.Minute)
		h.Fail(nil)
		h.advance(10 * time.Second)
		if f.State().Stale {
			t.Error("still stale 10 s after the upstream recovered")
		}
	})
}

func TestW10_HangingPollTurnsTheFeedStale(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		f, release := h.watch()
		defer release()
		h.Slow(time.Hour)
		h.advance(5100 * time.Millisecond)
		if state := f.State(); !state.Stale || state.StaleReason != apierror.PollDelayed {
			t.Errorf("stale %v, reason %q", state.Stale, state.StaleReason)
		}
	})
}

func TestW10_StaleAfterTwoIntervalsInForce(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Share(20 * time.Second)
		f, release := h.watch()
		defer release()
		h.Fail(feedtest.Outage(apierror.UpstreamTimeout))
		h.advance(39 * time.Second)
		if state := f.State(); state.Stale || state.PollInterval != 20*time.Second {
			t.Errorf("after 39 s: stale %v, interval %v", state.Stale, state.PollInterval)
		}
		h.advance(1100 * time.Millisecond)
		if !f.State().Stale {
			t.Error("not stale after twice the interval in force")
		}
	})
}

func TestW10_StaleWhenAllPollsOfTheAccountFail(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Share(time.Minute)
		f, release := h.watch()
		defer release()
		h.advance(8 * time.Second)
		h.FailAccount(time.Now(), apierror.UpstreamUnreachable)
		h.advance(4900 * time.Millisecond)
		if f.State().Stale {
			t.Error("stale before 5 s of failing")
		}
		h.advance(200 * time.Millisecond)
		if state := f.State(); !state.Stale || state.StaleReason != apierror.UpstreamUnreachable {
			t.Errorf("stale %v, reason %q", state.Stale, state.StaleReason)
		}
	})
}

func TestW10_BackOffAndTimeoutAreWithinTenSeconds(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		_, release := h.watch()
		defer release()
		h.Slow(5 * time.Second) // As long as a poll request may take.
		h.Fail(feedtest.Outage(apierror.UpstreamTimeout))
		h.advance(2 * time.Minute)
		starts := h.Starts()
		for i, start := range starts[1:] {
			if gap := start.Sub(starts[i]); gap > 10*time.Second {
				t.Errorf("gap between lists: %v", gap)
			}
		}
	})
}

func TestW10_RetryAfterMayExceedTheBackOff(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		_, release := h.watch()
		defer release()
		h.Fail(&apierror.Error{Reason: apierror.UpstreamRateLimited, UpstreamStatus: 429, RetryAfter: 5 * time.Minute})
		h.advance(10 * time.Second)
		before := len(h.Starts())
		h.advance(40 * time.Second)
		if got := len(h.Starts()) - before; got != 0 {
			t.Errorf("%d lists within the Retry-After", got)
		}
		h.advance(15 * time.Second)
		if got := len(h.Starts()) - before; got != 1 {
			t.Errorf("%d lists after 60 s, the cap, want 1", got)
		}
	})
}

func TestW11_TwoRefusalsApartEndAKnownFeed(t *testing.T) {
	tests := map[string]struct {
		refusal error
		gone    bool
	}{
		"404": {feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound), true},
		"403": {feedtest.Refusal(http.StatusForbidden, apierror.UpstreamForbidden), false},
		"401": {feedtest.Refusal(http.StatusUnauthorized, apierror.UpstreamUnauthenticated), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				h.Set("a", participant.StatusDialing)
				f, release := h.watch()
				defer release()
				h.Fail(test.refusal)
				h.advance(1500 * time.Millisecond)
				if f.State().End != nil {
					t.Fatal("ended by one refusal")
				}
				h.advance(3 * time.Second)
				end := f.State().End
				if end == nil || end.Gone != test.gone || end.Err == nil {
					t.Fatalf("end: %+v", end)
				}
				if f.State().Total != 1 {
					t.Error("the end removed participants")
				}
				again, releaseAgain := h.watch()
				defer releaseAgain()
				if again == f {
					t.Error("Acquire returned a feed that has ended")
				}
			})
		})
	}
}

func TestW11_ListBetweenRefusalsResetsThem(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		f, release := h.watch()
		defer release()
		refusal := feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound)
		for range 5 {
			h.Fail(refusal)
			h.advance(1500 * time.Millisecond)
			h.Fail(nil)
			h.advance(3 * time.Second)
		}
		if f.State().End != nil {
			t.Error("ended though lists were read between")
		}
	})
}

func TestW11_OtherErrorsBetweenRefusalsDoNotResetThem(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		f, release := h.watch()
		defer release()
		h.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		h.advance(1100 * time.Millisecond)
		h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		h.advance(3 * time.Second)
		if f.State().End != nil {
			t.Fatal("ended by one refusal and an outage")
		}
		h.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		h.advance(5 * time.Second)
		if end := f.State().End; end == nil || !end.Gone {
			t.Errorf("end: %+v", end)
		}
	})
}

func TestW10_RecoveryOfAnotherFeedMakesNoFeedFresh(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Share(time.Minute)
		f, release := h.watch()
		defer release()
		h.FailAccount(time.Now(), apierror.UpstreamTimeout)
		h.advance(6 * time.Second)
		h.FailAccount(time.Time{}, "") // Another feed of the account has read a list.
		h.advance(6 * time.Second)
		if !f.State().Stale {
			t.Error("fresh before the feed has a list")
		}
		h.advance(time.Minute)
		if f.State().Stale {
			t.Error("stale after the feed's first list")
		}
	})
}

func TestW11_ErrorsThatAreNotVendorShapedEndNothing(t *testing.T) {
	errs := map[string]error{
		"HTML 404":                  &apierror.Error{Reason: apierror.ConferenceNotFound, UpstreamStatus: 404},
		"429":                       &apierror.Error{Reason: apierror.UpstreamRateLimited, UpstreamStatus: 429, FromUpstream: true},
		"503":                       &apierror.Error{Reason: apierror.UpstreamUnavailable, UpstreamStatus: 503, FromUpstream: true},
		"401 of our own credential": &apierror.Error{Reason: apierror.CredentialRefused, UpstreamStatus: 401, FromUpstream: true},
	}
	for name, err := range errs {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				f, release := h.watch()
				defer release()
				h.Fail(err)
				h.advance(5 * time.Minute)
				if f.State().End != nil || !f.State().Stale {
					t.Errorf("end %+v, stale %v", f.State().End, f.State().Stale)
				}
			})
		})
	}
}

func TestW01_OneRefusalEndsAFeedThatIsNotKnown(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		f, release := h.watch()
		defer release()
		if end := f.State().End; end == nil || end.Gone {
			t.Errorf("end: %+v", end)
		}
	})
}

func TestW14_OnePollForManyWatchers(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusDialing)
		for range 100 {
			_, release := h.watch()
			t.Cleanup(release)
		}
		h.advance(10 * time.Second)
		if polls := h.pollsWithin(10 * time.Second); polls < 9 || polls > 11 {
			t.Errorf("%d lists in 10 s", polls)
		}
	})
}

func TestW14_PollingStopsAfterTheLinger(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		f, release := h.watch()
		release()
		h.advance(29 * time.Second)
		again, releaseAgain := h.watch()
		if again != f {
			t.Error("another feed within the linger")
		}
		releaseAgain()
		h.advance(31 * time.Second)
		before := len(h.Starts())
		h.advance(time.Minute)
		if polled := len(h.Starts()) - before; polled != 0 {
			t.Errorf("%d lists after the linger", polled)
		}
	})
}

func TestW01_FeedNeverKnownDoesNotLinger(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		_, release := h.watch()
		release()
		synctest.Wait()
		before := len(h.Starts())
		h.advance(20 * time.Second)
		if polled := len(h.Starts()) - before; polled != 0 {
			t.Errorf("%d lists without a watcher", polled)
		}
	})
}

func TestW15_QuietConferencesArePolledMoreSlowly(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusConnected)
		f, release := h.watch()
		defer release()
		h.advance(time.Minute)
		if polls := h.pollsWithin(30 * time.Second); polls < 5 || polls > 7 {
			t.Errorf("%d lists in 30 quiet seconds", polls)
		}
		if got := f.State().PollInterval; got != 5*time.Second {
			t.Errorf("interval in force: got %v", got)
		}
		h.Set("b", participant.StatusPending)
		h.advance(20 * time.Second)
		if polls := h.pollsWithin(10 * time.Second); polls < 9 {
			t.Errorf("%d lists in 10 s with a call in flight", polls)
		}
	})
}

func TestW15_WriteMakesTheNextPollEarlier(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusConnected)
		_, release := h.watch()
		defer release()
		h.advance(time.Minute)
		last := h.Starts()[len(h.Starts())-1]
		record := h.hub.Begin(t.Context(), key())
		record.Done(participant.Write{Kind: participant.WriteRemove, Item: participant.Item{Participant: participant.Participant{ID: "a"}}})
		h.advance(1100 * time.Millisecond)
		next := h.Starts()[len(h.Starts())-1]
		if next.Equal(last) || next.Sub(last) < time.Second {
			t.Errorf("next list %v after the last", next.Sub(last))
		}
	})
}

func TestW15_WritesNeverPollFasterThanTheBaseInterval(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusDialing) // In flight: the base interval is in force.
		_, release := h.watch()
		defer release()
		for range 30 {
			h.advance(330 * time.Millisecond)
			h.hub.Begin(t.Context(), key()).Done(participant.Write{Kind: participant.WriteRemove, Item: participant.Item{
				Participant: participant.Participant{ID: "b"},
			}})
		}
		starts := h.Starts()
		for i, start := range starts[1:] {
			if gap := start.Sub(starts[i]); gap < time.Second {
				t.Errorf("%v between two lists", gap)
			}
		}
	})
}

func TestW04_HistoryIsBoundedByChangesAndAge(t *testing.T) {
	run(t, feed.Options{History: 10}, func(h *harness) {
		h.Set("a", participant.StatusPending)
		f, release := h.watch()
		defer release()
		start := f.State().Position
		flip := map[bool]participant.Status{true: participant.StatusDialing, false: participant.StatusPending}
		for i := range 10 {
			h.Set("a", flip[i%2 == 0])
			h.advance(1100 * time.Millisecond)
		}
		if missed, kept := f.State().After(start); !kept || len(missed) != 10 {
			t.Fatalf("10 changes: kept %v, %d entries", kept, len(missed))
		}
		recent := f.State().Position
		h.Set("b", participant.StatusConnected)
		h.advance(6 * time.Second)
		if _, kept := f.State().After(start); kept {
			t.Error("the eleventh change should push the first out")
		}
		h.advance(9 * time.Minute)
		if _, kept := f.State().After(recent); !kept {
			t.Error("nine minutes are kept")
		}
		h.advance(2 * time.Minute)
		if _, kept := f.State().After(recent); kept {
			t.Error("more than ten minutes are kept")
		}
	})
}

func TestW04_PositionsOfOtherLogsCannotBeResumed(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		f, release := h.watch()
		defer release()
		head := f.State().Position
		ahead, other := head, head
		ahead.Seq++
		other.Epoch[0]++
		for name, position := range map[string]feed.Position{"ahead": ahead, "other epoch": other} {
			if _, kept := f.State().After(position); kept {
				t.Errorf("%s: kept", name)
			}
		}
		if missed, kept := f.State().After(head); !kept || len(missed) != 0 {
			t.Error("the head itself misses nothing")
		}
	})
}
