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

// TestW10_AFailingFeedWaitsForTheLonger compares the waits of a failing feed with its
// back-off and the interval in force.
func TestW10_AFailingFeedWaitsForTheLonger(t *testing.T) {
	for name, test := range map[string]struct{ share, least, most time.Duration }{
		"back-off":              {time.Second, 4 * time.Second, 4500 * time.Millisecond},
		"the interval in force": {50 * time.Second, 45 * time.Second, 50 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, feed.Options{}, func(s *scene) {
				s.Share(test.share)
				s.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
				_, release := s.watch()
				defer release()
				s.after(10 * time.Minute)
				starts := s.Starts()[4:]
				for i, start := range starts[1:] {
					if gap := start.Sub(starts[i]); gap < test.least || gap > test.most {
						t.Errorf("gap %v, want %v to %v", gap, test.least, test.most)
					}
				}
			})
		})
	}
}

// TestW10_OneFailureMakesNoQuietFeedStale has one poll of a quiet feed fail.
func TestW10_OneFailureMakesNoQuietFeedStale(t *testing.T) {
	for _, longest := range []time.Duration{5 * time.Second, 30 * time.Second} {
		t.Run(longest.String(), func(t *testing.T) {
			play(t, feed.Options{PollInterval: time.Second, MaxPollInterval: longest}, func(s *scene) {
				f, release := s.watch()
				defer release()
				s.after(5 * time.Minute)
				for range 5 {
					s.nextStart()
					s.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
					s.nextStart()
					s.Fail(nil)
					if flips := s.flips(f, 3*longest, func() {}); flips > 0 {
						t.Errorf("%d flips", flips)
					}
				}
			})
		})
	}
}

func TestW10_ProbesWhenTheAccountSaysSo(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Share(time.Minute)
		_, release := s.watch()
		defer release()
		s.OfferProbe()
		s.after(30 * time.Second)
		if got := len(s.Starts()); got != 1 {
			t.Errorf("%d lists, though the last did not fail", got)
		}
		s.nextStart()
		s.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		failed := s.nextStart()
		s.OfferProbe()
		if gap := s.nextStart().Sub(failed); gap > 2*time.Second {
			t.Errorf("probed after %v", gap)
		}
	})
}

// TestW07_IncompleteListIsNoSuccess has lists lack somebody, or a page.
func TestW07_IncompleteListIsNoSuccess(t *testing.T) {
	for name, incomplete := range map[string]func(*participant.List){
		"total is larger": func(l *participant.List) { total := l.Read + 1; l.Total = &total },
		"a page failed":   func(l *participant.List) { l.PageErr = errors.New("502") },
		"a later page is refused": func(l *participant.List) {
			l.PageErr = feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, feed.Options{}, func(s *scene) {
				s.Set("a", participant.StatusDialing)
				f, release := s.watch()
				defer release()
				s.after(10 * time.Second)
				s.Alter(incomplete)
				s.nextStart()
				success := f.State().LastSuccess
				s.after(time.Until(success.Add(4900 * time.Millisecond)))
				if f.State().Stale {
					t.Error("stale before 5 s")
				}
				s.after(40 * time.Second)
				state := f.State()
				if !state.Stale || state.StaleReason != apierror.UpstreamIncomplete || state.End != nil || !state.LastSuccess.Equal(success) {
					t.Errorf("stale %v, reason %s, end %v, last success %v", state.Stale, state.StaleReason, state.End, state.LastSuccess)
				}
				if polls := s.polls(30 * time.Second); polls < 6 {
					t.Errorf("%d lists in 30 s: an incomplete list is followed by the next after the interval", polls)
				}
				if reason := apierror.ReasonOf(s.Settled()); reason != apierror.UpstreamIncomplete {
					t.Errorf("the account was told %q", reason)
				}
				s.Alter(nil)
				s.after(6 * time.Second)
				if f.State().Stale || s.Settled() != nil {
					t.Errorf("stale after a complete list: %v", s.Settled())
				}
			})
		})
	}
}

// TestW11_AnIncompleteListIsAList has one between two refusals.
func TestW11_AnIncompleteListIsAList(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusDialing)
		f, release := s.watch()
		defer release()
		for range 5 {
			s.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
			s.after(1500 * time.Millisecond)
			s.Fail(nil)
			s.Alter(func(l *participant.List) { l.PageErr = errors.New("502") })
			s.after(3 * time.Second)
			s.Alter(nil)
		}
		if f.State().End != nil {
			t.Error("ended though lists were read between")
		}
	})
}

// TestW01_A404JustAfterAnAddIsLag has the upstream answer 404 from an Add on.
func TestW01_A404JustAfterAnAddIsLag(t *testing.T) {
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
			play(t, feed.Options{}, func(s *scene) {
				var f *feed.Feed
				var release func()
				if test.watchedBefore {
					s.Set("b", participant.StatusDialing)
					f, release = s.watch()
					defer release()
				}
				s.Fail(test.err)
				s.hub.Begin(key()).Done(test.write)
				wrote := time.Now()
				s.after(test.later)
				if !test.watchedBefore {
					f, release = s.watch()
					defer release()
				}
				s.after(time.Until(wrote.Add(9900 * time.Millisecond)))
				if ended := f.State().End != nil; ended == test.lag {
					t.Errorf("ended within 10 s: %v", ended)
				}
				if test.lag {
					s.after(15 * time.Second)
					if f.State().End == nil {
						t.Error("not ended long after the Add")
					}
				}
			})
		})
	}
}

func TestW01_LagEndsWithTheFirstList(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		s.hub.Begin(key()).Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{Participant: participant.Participant{ID: "a"}}})
		f, release := s.watch()
		defer release()
		if state := f.State(); !state.Stale || state.StaleReason != apierror.ConferenceNotFound {
			t.Errorf("stale %v, reason %q", state.Stale, state.StaleReason)
		}
		s.Fail(nil)
		s.after(5 * time.Second)
		if state := f.State(); state.Stale || !state.Known {
			t.Errorf("stale %v, known %v", state.Stale, state.Known)
		}
	})
}

// TestW01_AnAddClears404sFromBefore has an Add succeed between two.
func TestW01_AnAddClears404sFromBefore(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("b", participant.StatusDialing)
		f, release := s.watch()
		defer release()
		s.Fail(feedtest.Refusal(http.StatusNotFound, apierror.ConferenceNotFound))
		s.after(1100 * time.Millisecond)
		s.hub.Begin(key()).Done(participant.Write{Kind: participant.WriteAdd, Item: participant.Item{Participant: participant.Participant{ID: "a"}}})
		added := time.Now()
		for s.nextStart().Sub(added) < 10*time.Second {
			if f.State().End != nil {
				t.Fatal("ended though the upstream may lag")
			}
		}
		if f.State().End != nil {
			t.Error("ended by one 404 after the lag, and one from before the Add")
		}
		s.nextStart()
		if f.State().End == nil {
			t.Error("not ended by the second 404 after the lag")
		}
	})
}
