package feed_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

// TestW10_FailingFeedWaitsForBackOffAndInterval compares the waits of a failing feed with its
// back-off and the interval in force.
func TestW10_FailingFeedWaitsForBackOffAndInterval(t *testing.T) {
	for name, test := range map[string]struct{ share, least, most time.Duration }{
		"back-off":              {time.Second, 4 * time.Second, 4500 * time.Millisecond},
		"the interval in force": {50 * time.Second, 45 * time.Second, 50 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				h.Share(test.share)
				h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
				_, release := h.watch()
				defer release()
				h.advance(10 * time.Minute)
				starts := h.Starts()[4:]
				for i, start := range starts[1:] {
					if gap := start.Sub(starts[i]); gap < test.least || gap > test.most {
						t.Errorf("gap %v, want %v to %v", gap, test.least, test.most)
					}
				}
			})
		})
	}
}

// TestW10_OneFailureMakesNoQuietFeedStale makes one poll of a quiet feed fail.
func TestW10_OneFailureMakesNoQuietFeedStale(t *testing.T) {
	for _, longest := range []time.Duration{5 * time.Second, 30 * time.Second} {
		t.Run(longest.String(), func(t *testing.T) {
			run(t, feed.Options{PollInterval: time.Second, MaxPollInterval: longest}, func(h *harness) {
				f, release := h.watch()
				defer release()
				h.advance(5 * time.Minute)
				for range 5 {
					h.nextStart()
					h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
					h.nextStart()
					h.Fail(nil)
					if flips := h.flips(f, 3*longest, func() {}); flips > 0 {
						t.Errorf("%d flips", flips)
					}
				}
			})
		})
	}
}

func TestW10_ProbesWhenTheAccountAsksForIt(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Share(time.Minute)
		_, release := h.watch()
		defer release()
		h.OfferProbe()
		h.advance(30 * time.Second)
		if got := len(h.Starts()); got != 1 {
			t.Errorf("%d lists, though the last did not fail", got)
		}
		h.nextStart()
		h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		failed := h.nextStart()
		h.OfferProbe()
		if gap := h.nextStart().Sub(failed); gap > 2*time.Second {
			t.Errorf("probed after %v", gap)
		}
	})
}

// TestW07_IncompleteListIsNoSuccess reads lists without a participant, or without a page.
func TestW07_IncompleteListIsNoSuccess(t *testing.T) {
	for name, incomplete := range map[string]func(*participant.List){
		"total is larger": func(l *participant.List) { total := l.Read + 1; l.Total = &total },
		"a page failed":   func(l *participant.List) { l.PageErr = errors.New("502") },
		"a later page is refused": func(l *participant.List) {
			l.PageErr = feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				h.Set("a", participant.StatusDialing)
				f, release := h.watch()
				defer release()
				h.advance(10 * time.Second)
				h.Alter(incomplete)
				h.nextStart()
				success := f.State().LastSuccess
				h.advance(time.Until(success.Add(4900 * time.Millisecond)))
				if f.State().Stale {
					t.Error("stale before 5 s")
				}
				h.advance(40 * time.Second)
				state := f.State()
				if !state.Stale || state.StaleReason != apierror.UpstreamIncomplete || state.End != nil || !state.LastSuccess.Equal(success) {
					t.Errorf("stale %v, reason %s, end %v, last success %v", state.Stale, state.StaleReason, state.End, state.LastSuccess)
				}
				if polls := h.pollsWithin(30 * time.Second); polls < 6 {
					t.Errorf("%d lists in 30 s: an incomplete list is followed by the next after the interval", polls)
				}
				if reason := apierror.ReasonOf(h.Settled()); reason != apierror.UpstreamIncomplete {
					t.Errorf("the account got %q", reason)
				}
				h.Alter(nil)
				h.advance(6 * time.Second)
				if f.State().Stale || h.Settled() != nil {
					t.Errorf("stale after a complete list: %v", h.Settled())
				}
			})
		})
	}
}

// TestW01_404AfterAnAddIsLag lets the upstream answer 404 after an Add.
func TestW01_404AfterAnAddIsLag(t *testing.T) {
	notFound := feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound)
	forbidden := feedtest.Refusal(http.StatusForbidden, apierror.UpstreamForbidden)
	add := participant.Write{Kind: participant.WriteAdd, Item: participant.Item{Participant: participant.Participant{ID: "a"}}}
	remove := participant.Write{Kind: participant.WriteRemove, Item: participant.Item{Participant: participant.Participant{ID: "a"}}}
	for name, test := range map[string]struct {
		watchedBefore bool
		write         participant.Write
		// later is how long after the write the conference is watched.
		later time.Duration
		err   error
		lag   bool
	}{
		"known feed":              {true, add, 0, notFound, true},
		"no feed at the Add":      {false, add, 0, notFound, true},
		"no feed, 9 s later":      {false, add, 9 * time.Second, notFound, true},
		"no feed, 11 s later":     {false, add, 11 * time.Second, notFound, false},
		"after a Remove":          {false, remove, 0, notFound, false},
		"known feed, a Remove":    {true, remove, 0, notFound, false},
		"403 is no lag":           {false, add, 0, forbidden, false},
		"known feed, 403 neither": {true, add, 0, forbidden, false},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				var f *feed.Feed
				var release func()
				if test.watchedBefore {
					h.Set("b", participant.StatusDialing)
					f, release = h.watch()
					defer release()
				}
				h.Fail(test.err)
				h.hub.Begin(t.Context(), key()).Done(test.write)
				wrote := time.Now()
				h.advance(test.later)
				if !test.watchedBefore {
					f, release = h.watch()
					defer release()
				}
				h.advance(time.Until(wrote.Add(9900 * time.Millisecond)))
				if ended := f.State().End != nil; ended == test.lag {
					t.Errorf("ended within 10 s: %v", ended)
				}
				if test.lag {
					h.advance(15 * time.Second)
					if f.State().End == nil {
						t.Error("not ended long after the Add")
					}
				}
			})
		})
	}
}

func TestW01_LagEndsWithTheFirstList(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		h.hub.Begin(t.Context(), key()).Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{Participant: participant.Participant{ID: "a"}}})
		f, release := h.watch()
		defer release()
		if state := f.State(); !state.Stale || state.StaleReason != apierror.ConferenceNotFound {
			t.Errorf("stale %v, reason %q", state.Stale, state.StaleReason)
		}
		h.Fail(nil)
		h.advance(5 * time.Second)
		if state := f.State(); state.Stale || !state.Known {
			t.Errorf("stale %v, known %v", state.Stale, state.Known)
		}
	})
}

// TestW01_AddResetsEarlier404s makes an Add succeed between two 404s.
func TestW01_AddResetsEarlier404s(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("b", participant.StatusDialing)
		f, release := h.watch()
		defer release()
		h.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		h.advance(1100 * time.Millisecond)
		h.hub.Begin(t.Context(), key()).Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{Participant: participant.Participant{ID: "a"}}})
		added := time.Now()
		for h.nextStart().Sub(added) < 10*time.Second {
			if f.State().End != nil {
				t.Fatal("ended though the upstream may lag")
			}
		}
		if f.State().End != nil {
			t.Error("ended by one 404 after the lag, and one from before the Add")
		}
		h.nextStart()
		if f.State().End == nil {
			t.Error("not ended by the second 404 after the lag")
		}
	})
}
