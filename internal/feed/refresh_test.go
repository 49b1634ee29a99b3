package feed_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

// slack is how late a list may begin in these tests: nextStart looks every 10 ms.
const slack = 10 * time.Millisecond

// quietFeed watches a conference whose lists are a minute apart and take a time. The last one has
// just begun.
func (h *harness) quietFeed(takes time.Duration) (watched *feed.Feed, began time.Time) {
	h.t.Helper()
	h.Set("a", participant.StatusConnected)
	h.Share(time.Minute)
	h.Slow(takes)
	watched, release := h.watch()
	h.t.Cleanup(release)
	return watched, h.nextStart()
}

// TestA12_RefreshBringsTheNextListForward refreshes at different times after the start of a list.
func TestA12_RefreshBringsTheNextListForward(t *testing.T) {
	for name, test := range map[string]struct {
		takes time.Duration
		// at are the times of calls after the start of a list, which takes so long. want is when the
		// next list starts after that, and then when the one after it does.
		at         []time.Duration
		want, next time.Duration
	}{
		"just after its start":      {0, []time.Duration{0}, 200 * time.Millisecond, time.Minute},
		"150 ms after its start":    {0, []time.Duration{150 * time.Millisecond}, 200 * time.Millisecond, time.Minute},
		"250 ms after its start":    {0, []time.Duration{250 * time.Millisecond}, 250 * time.Millisecond, time.Minute},
		"much later":                {0, []time.Duration{30 * time.Second}, 30 * time.Second, time.Minute},
		"during a short list":       {100 * time.Millisecond, []time.Duration{50 * time.Millisecond}, 200 * time.Millisecond, time.Minute},
		"during a long list":        {time.Second, []time.Duration{500 * time.Millisecond}, time.Second, time.Minute},
		"twice":                     {0, []time.Duration{0, 100 * time.Millisecond}, 200 * time.Millisecond, time.Minute},
		"again after the early one": {0, []time.Duration{0, 300 * time.Millisecond}, 200 * time.Millisecond, 200 * time.Millisecond},
		"never":                     {0, nil, time.Minute, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				_, began := h.quietFeed(test.takes)
				for _, at := range test.at {
					h.sleep(time.Until(began.Add(at)))
					h.hub.Refresh(t.Context(), key())
				}
				h.advance(4 * time.Minute)
				starts := h.Starts()
				for i := range starts {
					if !starts[i].Equal(began) {
						continue
					}
					within := func(got, want time.Duration) bool { return got >= want && got <= want+want/20+slack }
					if got := starts[i+1].Sub(began); !within(got, test.want) {
						t.Errorf("the next list started after %v, want %v", got, test.want)
					}
					if got := starts[i+2].Sub(starts[i+1]); !within(got, test.next) {
						t.Errorf("the one after it started %v later, want %v", got, test.next)
					}
					return
				}
			})
		})
	}
}

// TestA12_AFloodOfRefreshes refreshes 10,000 times a second. It costs one list each 200 ms, and
// changes neither the interval in force nor anything that watchers see.
func TestA12_AFloodOfRefreshes(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		watched, _ := h.quietFeed(30 * time.Millisecond)
		h.advance(time.Second)
		before := watched.State()
		lists := len(h.Starts())
		for range 10 * 10_000 {
			h.hub.Refresh(t.Context(), key())
			h.sleep(100 * time.Microsecond)
		}
		starts := h.Starts()
		for i := lists + 1; i < len(starts); i++ {
			if gap := starts[i].Sub(starts[i-1]); gap < 200*time.Millisecond {
				t.Fatalf("two lists %v apart", gap)
			}
		}
		if got := len(starts) - lists; got < 48 || got > 51 {
			t.Errorf("%d lists in 10 s, want one each 200 ms", got)
		}
		after := watched.State()
		if after.PollInterval != before.PollInterval || after.Stale || after.Changed() != before.Changed() || len(after.History) != len(before.History) {
			t.Errorf("poll interval %v, then %v; state %+v", before.PollInterval, after.PollInterval, after)
		}
		last := starts[len(starts)-1]
		if gap := h.nextStart().Sub(last); gap < 200*time.Millisecond {
			t.Errorf("the last early list came after %v", gap)
		}
		last = h.Starts()[len(h.Starts())-1]
		if gap := h.nextStart().Sub(last); gap < time.Minute {
			t.Errorf("after the flood, the next list started after %v, want the interval", gap)
		}
	})
}

// TestA12_EarlyListsDoNotSlowThePolls refreshes a conference that has just become quiet: lists that
// nobody needed must not make its interval longer.
func TestA12_EarlyListsDoNotSlowThePolls(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusConnected)
		watched, release := h.watch()
		defer release()
		for range 10 {
			h.hub.Refresh(t.Context(), key())
			h.advance(250 * time.Millisecond)
		}
		if got := watched.State().PollInterval; len(h.Starts()) < 10 || got > 1250*time.Millisecond {
			t.Errorf("%d lists, poll interval %v", len(h.Starts()), got)
		}
	})
}

// TestA12_FailingFeedsKeepTheirBackOff refreshes all the time while lists fail.
func TestA12_FailingFeedsKeepTheirBackOff(t *testing.T) {
	slowDown := &apierror.Error{Reason: apierror.UpstreamRateLimited, UpstreamStatus: 429, RetryAfter: 20 * time.Second}
	for name, test := range map[string]struct {
		fail   func(h *harness)
		within time.Duration
		most   int
	}{
		"outage":      {func(h *harness) { h.Fail(feedtest.Outage(apierror.UpstreamUnavailable)) }, 50 * time.Second, 1},
		"retry after": {func(h *harness) { h.Fail(slowDown) }, 19 * time.Second, 1},
		"retry after of a later page": {func(h *harness) {
			h.Alter(func(list *participant.List) { list.PageErr = slowDown })
		}, 19 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				h.quietFeed(0)
				h.advance(time.Second)
				test.fail(h)
				lists := len(h.Starts())
				for end := time.Now().Add(test.within); time.Now().Before(end); h.advance(50 * time.Millisecond) {
					h.hub.Refresh(t.Context(), key())
				}
				if got := len(h.Starts()) - lists; got != test.most {
					t.Errorf("%d lists, want %d", got, test.most)
				}
			})
		})
	}
}

// TestA12_WithoutATurnTheListComesWhenItIsDue leaves no turn for early lists.
func TestA12_WithoutATurnTheListComesWhenItIsDue(t *testing.T) {
	for name, test := range map[string]struct {
		meanwhile func(h *harness, release func())
		want      time.Duration
	}{
		"no turn": {func(*harness, func()) {}, time.Minute},
		"a turn after 10 s": {func(h *harness, release func()) {
			h.sleep(8 * time.Second)
			release()
		}, 10 * time.Second},
		"a write after 10 s": {func(h *harness, _ func()) {
			h.sleep(8 * time.Second)
			h.hub.Begin(t.Context(), key()).Done(participant.Write{Kind: participant.WriteAdd, Item: itemOf("b")})
		}, 10 * time.Second},
		"another Refresh": {func(h *harness, _ func()) {
			for range 100 {
				h.sleep(10 * time.Millisecond)
				h.hub.Refresh(t.Context(), key())
			}
		}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				release := h.HoldEarly()
				_, began := h.quietFeed(0)
				h.sleep(time.Until(began.Add(2 * time.Second)))
				h.hub.Refresh(t.Context(), key())
				lists := len(h.Starts())
				test.meanwhile(h, release)
				if got := h.startAfter(lists).Sub(began); got < test.want || got > test.want+test.want/20+slack {
					t.Errorf("the next list started after %v, want %v", got, test.want)
				}
			})
		})
	}
}

// TestA12_WithoutWatchersRefreshDoesNothing refreshes conferences without a feed, with a feed that
// lingers, and under another credential.
func TestA12_WithoutWatchersRefreshDoesNothing(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.hub.Refresh(t.Context(), key())
		h.advance(time.Minute)
		if opened, _ := h.Sources(); opened != 0 {
			t.Fatalf("%d feeds", opened)
		}
		h.Share(time.Minute)
		_, release := h.watch()
		h.advance(5 * time.Second)
		lists := len(h.Starts())
		h.hub.Refresh(t.Context(), participant.Key{Credential: participant.Fingerprint{9}, Conference: "conf"})
		h.hub.Refresh(t.Context(), participant.Key{Credential: key().Credential, Conference: "other"})
		h.advance(5 * time.Second)
		release()
		h.hub.Refresh(t.Context(), key())
		h.advance(5 * time.Second)
		if got := len(h.Starts()) - lists; got != 0 {
			t.Errorf("%d lists", got)
		}
	})
}

// TestA12_DetectionDelay measures how long a change takes to reach watchers, with and without
// a Refresh that follows the change.
func TestA12_DetectionDelay(t *testing.T) {
	delay := func(refresh bool) (total time.Duration) {
		run(t, feed.Options{PollInterval: 5 * time.Second, MaxPollInterval: 5 * time.Second}, func(h *harness) {
			h.Slow(50 * time.Millisecond)
			watched, release := h.watch()
			defer release()
			h.advance(time.Second)
			for i := range 20 {
				h.sleep(time.Duration(i) * 1370 * time.Millisecond % (5 * time.Second))
				changed, began := watched.State().Changed(), time.Now()
				h.Set("a", []participant.Status{participant.StatusConnected, participant.StatusHeld}[i%2])
				if refresh {
					h.hub.Refresh(t.Context(), key())
				}
				<-changed
				total += time.Since(began)
			}
		})
		return total / 20
	}
	with, without := delay(true), delay(false)
	t.Logf("mean delay at an interval of 5 s: %v with a Refresh, %v without", with, without)
	if with > 250*time.Millisecond || without < 10*with {
		t.Errorf("mean delay %v with a Refresh, %v without", with, without)
	}
}
