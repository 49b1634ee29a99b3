package feed_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

func TestW15_SlowUpstreamStaysFresh(t *testing.T) {
	for _, latency := range []time.Duration{
		50 * time.Millisecond, time.Second, 2 * time.Second, 2600 * time.Millisecond, 3 * time.Second, 4 * time.Second, 4900 * time.Millisecond,
	} {
		t.Run(latency.String(), func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				h.Slow(latency)
				f, release := h.watch()
				defer release()
				h.advance(6 * time.Second)
				if flips := h.flips(f, 3*time.Minute, h.keepBusy); flips > 0 || f.State().Stale {
					t.Errorf("%d flips, stale %v", flips, f.State().Stale)
				}
				starts := h.Starts()
				gap := starts[len(starts)-1].Sub(starts[len(starts)-2])
				if got := f.State().PollInterval; (got - gap).Abs() > gap/10 {
					t.Errorf("poll interval %v, lists start %v apart", got, gap)
				}
			})
		})
	}
}

func TestW15_VaryingLatencyMakesNoFeedStale(t *testing.T) {
	for name, latency := range map[string]func(random *rand.Rand, n int) time.Duration{
		"anything from 0.1 s to 4.9 s": func(random *rand.Rand, _ int) time.Duration {
			return 100*time.Millisecond + time.Duration(random.Int64N(int64(4800*time.Millisecond)))
		},
		"fast and slow in turns": func(_ *rand.Rand, n int) time.Duration {
			return []time.Duration{100 * time.Millisecond, 4900 * time.Millisecond}[n%2]
		},
		"one in eight is slow": func(_ *rand.Rand, n int) time.Duration {
			if n%8 == 0 {
				return 4900 * time.Millisecond
			}
			return 100 * time.Millisecond
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				random := rand.New(rand.NewPCG(1, 2))
				h.Slow(4900 * time.Millisecond)
				f, release := h.watch()
				defer release()
				h.advance(6 * time.Second)
				flips := h.flips(f, 5*time.Minute, func() {
					h.keepBusy()
					h.Slow(latency(random, len(h.Starts())))
				})
				if flips > 0 {
					t.Errorf("%d flips", flips)
				}
			})
		})
	}
}

// TestW15_GrowingLatencyMakesTheFeedStaleOnce makes a fast upstream slow, which the feed cannot
// expect.
func TestW15_GrowingLatencyMakesTheFeedStaleOnce(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.keepBusy()
		f, release := h.watch()
		defer release()
		h.advance(time.Minute)
		h.Slow(4900 * time.Millisecond)
		if flips := h.flips(f, 5*time.Minute, h.keepBusy); flips > 2 || f.State().Stale {
			t.Errorf("%d flips, stale %v", flips, f.State().Stale)
		}
		h.Slow(50 * time.Millisecond)
		if flips := h.flips(f, 5*time.Minute, h.keepBusy); flips > 0 || f.State().PollInterval > 1100*time.Millisecond {
			t.Errorf("fast again: %d flips, poll interval %v", flips, f.State().PollInterval)
		}
	})
}

func TestW15_PollIntervalIsTheOneInForce(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Set("a", participant.StatusConnected)
		f, release := h.watch()
		defer release()
		h.advance(time.Minute)
		for _, share := range []time.Duration{50 * time.Second, 20 * time.Second, time.Minute} {
			h.Share(share) // Others begin or end.
			h.advance(1100 * time.Millisecond)
			if got := f.State().PollInterval; got != share {
				t.Errorf("poll interval %v, in force %v", got, share)
			}
		}
		before := f.State()
		h.Share(time.Minute + 500*time.Millisecond)
		h.advance(1100 * time.Millisecond)
		if f.State() != before {
			t.Error("a slight difference was published, so that all is encoded again")
		}
	})
}

// TestW15_WriteDuringAListMakesTheNextEarlier completes a write at the start of a list,
// during it and after it, for lists that succeed and fail.
func TestW15_WriteDuringAListMakesTheNextEarlier(t *testing.T) {
	for name, test := range map[string]struct {
		// at is when the write completes, after the start of a list that takes a second.
		at   time.Duration
		fail error
		// latest is when the next list starts at the latest, after the start of that one.
		latest time.Duration
	}{
		"at its start":          {0, nil, 1100 * time.Millisecond},
		"during it":             {500 * time.Millisecond, nil, 1100 * time.Millisecond},
		"just before its end":   {980 * time.Millisecond, nil, 1100 * time.Millisecond},
		"after it":              {3 * time.Second, nil, 3100 * time.Millisecond},
		"during one that fails": {500 * time.Millisecond, feedtest.Outage(apierror.UpstreamTimeout), 1100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, feed.Options{}, func(h *harness) {
				h.Set("a", participant.StatusConnected)
				h.Share(50 * time.Second)
				h.Slow(time.Second)
				_, release := h.watch()
				defer release()
				h.advance(2 * time.Second)
				began := h.nextStart()
				h.Fail(test.fail)
				h.advance(test.at)
				lists := len(h.Starts())
				h.hub.Begin(t.Context(), key()).Done(participant.Write{Kind: participant.WriteRemove, Item: participant.Item{
					Participant: participant.Participant{ID: "a"},
				}})
				if gap := h.startAfter(lists).Sub(began); gap < time.Second || gap > test.latest {
					t.Errorf("the next list started %v after that one, want %v at the latest", gap, test.latest)
				}
			})
		})
	}
}

func TestW15_OnlyTheFirstAttemptHasPriority(t *testing.T) {
	run(t, feed.Options{}, func(h *harness) {
		h.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		_, release := h.watch()
		defer release()
		h.advance(time.Minute)
		h.Fail(nil)
		h.advance(time.Minute)
		for i, first := range h.FirstAttempts() {
			if first != (i == 0) {
				t.Errorf("attempt %d had priority: %v", i, first)
			}
		}
	})
}
