package feed_test

import (
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

// scene is a hub with an upstream, in virtual time.
type scene struct {
	*feedtest.Upstream

	t   *testing.T
	hub *feed.Hub
}

// play runs a test in virtual time; what it leaves running fails it.
func play(t *testing.T, options feed.Options, test func(s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if options.PollInterval == 0 {
			options.PollInterval, options.MaxPollInterval = time.Second, 5*time.Second
		}
		options.Linger = 30 * time.Second
		if options.Logger == nil {
			options.Logger = slog.New(slog.DiscardHandler)
		}
		if options.History == 0 {
			options.History = 4096
		}
		s := &scene{Upstream: feedtest.New(), t: t, hub: feed.NewHub(options)}
		defer s.hub.Close()
		test(s)
	})
}

func (s *scene) watch() (watched *feed.Feed, release func()) { return s.acquire("conf") }

// after lets time go by.
func (s *scene) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// polls says how many lists began in the last while.
func (s *scene) polls(in time.Duration) int {
	count := 0
	for _, start := range s.Starts() {
		if time.Since(start) < in {
			count++
		}
	}
	return count
}

func key() participant.Key {
	return participant.Key{Credential: participant.Fingerprint{1}, Conference: "conf"}
}

func statusOf(t *testing.T, f *feed.Feed, id string) participant.Status {
	t.Helper()
	for _, p := range f.State().Participants {
		if p.ID == id {
			return p.Status
		}
	}
	return ""
}

func TestFeed_FirstListMakesItKnownAndFresh(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusConnected)
		f, release := s.watch()
		defer release()
		state := f.State()
		if !state.Known || state.Stale || state.Total != 1 || state.Active != 1 {
			t.Errorf("after the first list: %+v", state)
		}
	})
}

func TestW05_WriteReachesTheFeedAtOnce(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		f, release := s.watch()
		defer release()
		ticket := s.hub.Begin(key())
		ticket.Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{
			Participant: participant.Participant{ID: "a", Status: participant.StatusDialing}, Fields: participant.FieldStatus,
		}})
		if got := statusOf(t, f, "a"); got != participant.StatusDialing {
			t.Errorf("status right after the answer: got %q", got)
		}
	})
}

func TestW05_WriteSentBeforeTheFeedBegan(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Slow(time.Second)
		ticket := s.hub.Begin(key()) // No feed: nothing to note.
		f, release := s.watch()      // Its first list is in flight…
		defer release()
		ticket.Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{
			Participant: participant.Participant{ID: "a", Status: participant.StatusDialing}, Fields: participant.FieldStatus,
		}}) // …when the write is answered.
		s.after(1100 * time.Millisecond)
		if got := statusOf(t, f, "a"); got != participant.StatusDialing {
			t.Errorf("status after the first list, which began before: got %q", got)
		}
	})
}

func TestW05_NothingIsKeptWithoutAFeed(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.hub.Begin(key()).Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{
			Participant: participant.Participant{ID: "a"},
		}})
		f, release := s.watch()
		defer release()
		if total := f.State().Total; total != 0 {
			t.Errorf("total: got %d, want 0", total)
		}
	})
}

func TestA01_TicketLendsTheRosterBefore(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusConnected)
		if _, fresh := s.hub.Begin(key()).Before(); fresh {
			t.Error("without a feed there is no fresh roster")
		}
		_, release := s.watch()
		defer release()
		has, fresh := s.hub.Begin(key()).Before()
		if !fresh || !has("a") || has("b") {
			t.Errorf("fresh %v, has a %v, has b %v", fresh, has("a"), has("b"))
		}
	})
}

func TestW10_TurnsStaleAfterFiveSecondsAndFreshWithTheNextList(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusDialing) // In flight: polled every second.
		f, release := s.watch()
		defer release()
		s.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		s.after(4900 * time.Millisecond)
		if f.State().Stale {
			t.Error("stale before 5 s")
		}
		s.after(300 * time.Millisecond)
		state := f.State()
		if !state.Stale || state.StaleReason != apierror.UpstreamUnavailable || state.Total != 1 {
			t.Errorf("after 5.2 s: stale %v, reason %q, total %d", state.Stale, state.StaleReason, state.Total)
		}
		s.after(time.Minute)
		s.Fail(nil)
		s.after(10 * time.Second)
		if f.State().Stale {
			t.Error("still stale 10 s after the upstream recovered")
		}
	})
}

func TestW10_HangingPollCannotHideThatItHangs(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusDialing)
		f, release := s.watch()
		defer release()
		s.Slow(time.Hour)
		s.after(5100 * time.Millisecond)
		if state := f.State(); !state.Stale || state.StaleReason != apierror.PollDelayed {
			t.Errorf("stale %v, reason %q", state.Stale, state.StaleReason)
		}
	})
}

func TestW10_StaleByTheIntervalInForce(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Share(20 * time.Second)
		f, release := s.watch()
		defer release()
		s.Fail(feedtest.Outage(apierror.UpstreamTimeout))
		s.after(39 * time.Second)
		if state := f.State(); state.Stale || state.PollInterval != 20*time.Second {
			t.Errorf("after 39 s: stale %v, interval %v", state.Stale, state.PollInterval)
		}
		s.after(1100 * time.Millisecond)
		if !f.State().Stale {
			t.Error("not stale after twice the interval in force")
		}
	})
}

func TestW10_StaleWhenAllPollsOfTheAccountFail(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Share(time.Minute)
		f, release := s.watch()
		defer release()
		s.after(8 * time.Second)
		s.FailAccount(time.Now(), apierror.UpstreamUnreachable)
		s.after(4900 * time.Millisecond)
		if f.State().Stale {
			t.Error("stale before 5 s of failing")
		}
		s.after(200 * time.Millisecond)
		if state := f.State(); !state.Stale || state.StaleReason != apierror.UpstreamUnreachable {
			t.Errorf("stale %v, reason %q", state.Stale, state.StaleReason)
		}
	})
}

func TestW10_BackOffAndTimeoutStayWithinTenSeconds(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		_, release := s.watch()
		defer release()
		s.Slow(5 * time.Second) // As long as a poll request may take.
		s.Fail(feedtest.Outage(apierror.UpstreamTimeout))
		s.after(2 * time.Minute)
		starts := s.Starts()
		for i, start := range starts[1:] {
			if gap := start.Sub(starts[i]); gap > 10*time.Second {
				t.Errorf("gap between lists: %v", gap)
			}
		}
	})
}

func TestW10_RetryAfterMayExceedTheBackOff(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		_, release := s.watch()
		defer release()
		s.Fail(&apierror.Error{Reason: apierror.UpstreamRateLimited, UpstreamStatus: 429, RetryAfter: 5 * time.Minute})
		s.after(10 * time.Second)
		before := len(s.Starts())
		s.after(40 * time.Second)
		if got := len(s.Starts()) - before; got != 0 {
			t.Errorf("%d lists within the Retry-After", got)
		}
		s.after(15 * time.Second)
		if got := len(s.Starts()) - before; got != 1 {
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
			play(t, feed.Options{}, func(s *scene) {
				s.Set("a", participant.StatusDialing)
				f, release := s.watch()
				defer release()
				s.Fail(test.refusal)
				s.after(1500 * time.Millisecond)
				if f.State().End != nil {
					t.Fatal("ended by one refusal")
				}
				s.after(3 * time.Second)
				end := f.State().End
				if end == nil || end.Gone != test.gone || end.Err == nil {
					t.Fatalf("end: %+v", end)
				}
				if f.State().Total != 1 {
					t.Error("nobody is removed by an end")
				}
				again, releaseAgain := s.watch()
				defer releaseAgain()
				if again == f {
					t.Error("a feed that is over is given again")
				}
			})
		})
	}
}

func TestW11_ListBetweenRefusalsClearsThem(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusDialing)
		f, release := s.watch()
		defer release()
		refusal := feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound)
		for range 5 {
			s.Fail(refusal)
			s.after(1500 * time.Millisecond)
			s.Fail(nil)
			s.after(3 * time.Second)
		}
		if f.State().End != nil {
			t.Error("ended though lists were read between")
		}
	})
}

func TestW11_RefusalsOfOtherKindsBetweenDoNotClear(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusDialing)
		f, release := s.watch()
		defer release()
		s.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		s.after(1100 * time.Millisecond)
		s.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		s.after(3 * time.Second)
		if f.State().End != nil {
			t.Fatal("ended by one refusal and an outage")
		}
		s.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		s.after(5 * time.Second)
		if end := f.State().End; end == nil || !end.Gone {
			t.Errorf("end: %+v", end)
		}
	})
}

func TestW10_AnothersRecoveryMakesNobodyFresh(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Share(time.Minute)
		f, release := s.watch()
		defer release()
		s.FailAccount(time.Now(), apierror.UpstreamTimeout)
		s.after(6 * time.Second)
		s.FailAccount(time.Time{}, "") // Another feed of the account has read a list.
		s.after(6 * time.Second)
		if !f.State().Stale {
			t.Error("fresh without a list of its own")
		}
		s.after(time.Minute)
		if f.State().Stale {
			t.Error("stale after a list of its own")
		}
	})
}

func TestW11_WhatIsNotTheVendorsWordNeverEnds(t *testing.T) {
	errs := map[string]error{
		"HTML 404":                  &apierror.Error{Reason: apierror.ConferenceNotFound, UpstreamStatus: 404},
		"429":                       &apierror.Error{Reason: apierror.UpstreamRateLimited, UpstreamStatus: 429, VendorShaped: true},
		"503":                       &apierror.Error{Reason: apierror.UpstreamUnavailable, UpstreamStatus: 503, VendorShaped: true},
		"401 of our own credential": &apierror.Error{Reason: apierror.CredentialRefused, UpstreamStatus: 401, VendorShaped: true},
	}
	for name, err := range errs {
		t.Run(name, func(t *testing.T) {
			play(t, feed.Options{}, func(s *scene) {
				f, release := s.watch()
				defer release()
				s.Fail(err)
				s.after(5 * time.Minute)
				if f.State().End != nil || !f.State().Stale {
					t.Errorf("end %+v, stale %v", f.State().End, f.State().Stale)
				}
			})
		})
	}
}

func TestW01_OneRefusalEndsAFeedThatIsNotKnown(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		f, release := s.watch()
		defer release()
		if end := f.State().End; end == nil || end.Gone {
			t.Errorf("end: %+v", end)
		}
	})
}

func TestW14_OnePollHoweverManyWatch(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusDialing)
		for range 100 {
			_, release := s.watch()
			t.Cleanup(release)
		}
		s.after(10 * time.Second)
		if polls := s.polls(10 * time.Second); polls < 9 || polls > 11 {
			t.Errorf("%d lists in 10 s", polls)
		}
	})
}

func TestW14_LingersThenNothingIsPolled(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		f, release := s.watch()
		release()
		s.after(29 * time.Second)
		again, releaseAgain := s.watch()
		if again != f {
			t.Error("another feed within the linger")
		}
		releaseAgain()
		s.after(31 * time.Second)
		before := len(s.Starts())
		s.after(time.Minute)
		if polled := len(s.Starts()) - before; polled != 0 {
			t.Errorf("%d lists after the linger", polled)
		}
	})
}

func TestW01_FeedNeverKnownDoesNotLinger(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		_, release := s.watch()
		release()
		synctest.Wait()
		before := len(s.Starts())
		s.after(20 * time.Second)
		if polled := len(s.Starts()) - before; polled != 0 {
			t.Errorf("%d lists for nobody", polled)
		}
	})
}

func TestW15_QuietConferencesArePolledMoreSlowly(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusConnected)
		f, release := s.watch()
		defer release()
		s.after(time.Minute)
		if polls := s.polls(30 * time.Second); polls < 5 || polls > 7 {
			t.Errorf("%d lists in 30 quiet seconds", polls)
		}
		if got := f.State().PollInterval; got != 5*time.Second {
			t.Errorf("interval in force: got %v", got)
		}
		s.Set("b", participant.StatusPending)
		s.after(20 * time.Second)
		if polls := s.polls(10 * time.Second); polls < 9 {
			t.Errorf("%d lists in 10 s with a call in flight", polls)
		}
	})
}

func TestW15_WriteBringsTheNextPollForward(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusConnected)
		_, release := s.watch()
		defer release()
		s.after(time.Minute)
		last := s.Starts()[len(s.Starts())-1]
		ticket := s.hub.Begin(key())
		ticket.Done(participant.Write{Kind: participant.WriteRemove, Item: participant.Item{Participant: participant.Participant{ID: "a"}}})
		s.after(1100 * time.Millisecond)
		next := s.Starts()[len(s.Starts())-1]
		if next.Equal(last) || next.Sub(last) < time.Second {
			t.Errorf("next list %v after the last", next.Sub(last))
		}
	})
}

func TestW15_WriteNeverBringsAPollNearerThanTheBaseInterval(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusDialing) // In flight: the base interval is in force.
		_, release := s.watch()
		defer release()
		for range 30 {
			s.after(330 * time.Millisecond)
			s.hub.Begin(key()).Done(participant.Write{Kind: participant.WriteRemove, Item: participant.Item{
				Participant: participant.Participant{ID: "b"},
			}})
		}
		starts := s.Starts()
		for i, start := range starts[1:] {
			if gap := start.Sub(starts[i]); gap < time.Second {
				t.Errorf("%v between two lists", gap)
			}
		}
	})
}

func TestW04_HistoryIsBoundedByChangesAndAge(t *testing.T) {
	play(t, feed.Options{History: 10}, func(s *scene) {
		s.Set("a", participant.StatusPending)
		f, release := s.watch()
		defer release()
		start := f.State().Position
		flip := map[bool]participant.Status{true: participant.StatusDialing, false: participant.StatusPending}
		for i := range 10 {
			s.Set("a", flip[i%2 == 0])
			s.after(1100 * time.Millisecond)
		}
		if missed, kept := f.State().After(start); !kept || len(missed) != 10 {
			t.Fatalf("10 changes: kept %v, %d entries", kept, len(missed))
		}
		s.Set("b", participant.StatusConnected)
		s.after(6 * time.Second)
		if _, kept := f.State().After(start); kept {
			t.Error("the eleventh change should push the first out")
		}
		recent := f.State().Position
		recent.Seq--
		s.after(9 * time.Minute)
		if _, kept := f.State().After(recent); !kept {
			t.Error("nine minutes are kept")
		}
		s.after(2 * time.Minute)
		if _, kept := f.State().After(recent); kept {
			t.Error("more than ten minutes are kept")
		}
	})
}

func TestW04_PositionsOfOtherLogsAreNotKept(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		f, release := s.watch()
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
