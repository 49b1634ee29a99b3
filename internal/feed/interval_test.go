package feed_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
)

// flips counts how often a feed turns stale or fresh in a time, while step changes the
// upstream before each look.
func (s *scene) flips(f *feed.Feed, d time.Duration, step func()) int {
	flips, was := 0, f.State().Stale
	for end := time.Now().Add(d); time.Now().Before(end); {
		step()
		s.after(100 * time.Millisecond)
		if now := f.State().Stale; now != was {
			flips, was = flips+1, now
		}
	}
	return flips
}

// keepBusy keeps somebody in flight, so that the base interval is wanted.
func (s *scene) keepBusy() { s.Set(fmt.Sprint(time.Now().Unix()/60), participant.StatusDialing) }

func TestW15_SlowUpstreamThatWorksIsFresh(t *testing.T) {
	for _, latency := range []time.Duration{
		50 * time.Millisecond, time.Second, 2 * time.Second, 2600 * time.Millisecond, 3 * time.Second, 4 * time.Second, 4900 * time.Millisecond,
	} {
		t.Run(latency.String(), func(t *testing.T) {
			play(t, feed.Options{}, func(s *scene) {
				s.Slow(latency)
				f, release := s.watch()
				defer release()
				s.after(6 * time.Second)
				if flips := s.flips(f, 3*time.Minute, s.keepBusy); flips > 0 || f.State().Stale {
					t.Errorf("%d flips, stale %v", flips, f.State().Stale)
				}
				starts := s.Starts()
				gap := starts[len(starts)-1].Sub(starts[len(starts)-2])
				if got := f.State().PollInterval; (got - gap).Abs() > gap/10 {
					t.Errorf("poll interval %v, lists start %v apart", got, gap)
				}
			})
		})
	}
}

func TestW15_LatencyThatVariesMakesNoFeedFlap(t *testing.T) {
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
			play(t, feed.Options{}, func(s *scene) {
				random := rand.New(rand.NewPCG(1, 2))
				s.Slow(4900 * time.Millisecond)
				f, release := s.watch()
				defer release()
				s.after(6 * time.Second)
				flips := s.flips(f, 5*time.Minute, func() {
					s.keepBusy()
					s.Slow(latency(random, len(s.Starts())))
				})
				if flips > 0 {
					t.Errorf("%d flips", flips)
				}
			})
		})
	}
}

// TestW15_LatencyThatGrowsFlipsOnce has a fast upstream become a slow one: that it would
// was not to be expected.
func TestW15_LatencyThatGrowsFlipsOnce(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.keepBusy()
		f, release := s.watch()
		defer release()
		s.after(time.Minute)
		s.Slow(4900 * time.Millisecond)
		if flips := s.flips(f, 5*time.Minute, s.keepBusy); flips > 2 || f.State().Stale {
			t.Errorf("%d flips, stale %v", flips, f.State().Stale)
		}
		s.Slow(50 * time.Millisecond)
		if flips := s.flips(f, 5*time.Minute, s.keepBusy); flips > 0 || f.State().PollInterval > 1100*time.Millisecond {
			t.Errorf("fast again: %d flips, poll interval %v", flips, f.State().PollInterval)
		}
	})
}

func TestW15_PollIntervalIsTheOneInForceNow(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Set("a", participant.StatusConnected)
		f, release := s.watch()
		defer release()
		s.after(time.Minute)
		for _, share := range []time.Duration{50 * time.Second, 20 * time.Second, time.Minute} {
			s.Share(share) // Others begin or end.
			s.after(1100 * time.Millisecond)
			if got := f.State().PollInterval; got != share {
				t.Errorf("poll interval %v, in force %v", got, share)
			}
		}
		before := f.State()
		s.Share(time.Minute + 500*time.Millisecond)
		s.after(1100 * time.Millisecond)
		if f.State() != before {
			t.Error("a slight difference was published, so that all is encoded again")
		}
	})
}

// TestW15_WriteDuringAListBringsTheNextForward has a write complete before a list, in it
// and after it, with lists that succeed and fail.
func TestW15_WriteDuringAListBringsTheNextForward(t *testing.T) {
	for name, test := range map[string]struct {
		// at is when the write completes, after the start of a list that takes a second.
		at   time.Duration
		fail error
		// latest is when the next list starts at the latest, after the start of that one.
		latest time.Duration
	}{
		"at its start":        {0, nil, 1100 * time.Millisecond},
		"amid it":             {500 * time.Millisecond, nil, 1100 * time.Millisecond},
		"just before its end": {980 * time.Millisecond, nil, 1100 * time.Millisecond},
		"after it":            {3 * time.Second, nil, 3100 * time.Millisecond},
		"amid one that fails": {500 * time.Millisecond, feedtest.Outage(apierror.UpstreamTimeout), 1100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, feed.Options{}, func(s *scene) {
				s.Set("a", participant.StatusConnected)
				s.Share(50 * time.Second)
				s.Slow(time.Second)
				_, release := s.watch()
				defer release()
				s.after(2 * time.Second)
				began := s.nextStart()
				s.Fail(test.fail)
				s.after(test.at)
				s.hub.Begin(key()).Done(participant.Write{Kind: participant.WriteRemove, Item: participant.Item{
					Participant: participant.Participant{ID: "a"},
				}})
				if gap := s.nextStart().Sub(began); gap < time.Second || gap > test.latest {
					t.Errorf("the next list started %v after that one, want %v at the latest", gap, test.latest)
				}
			})
		})
	}
}

// nextStart waits for the next list and says when it started.
func (s *scene) nextStart() time.Time {
	s.t.Helper()
	n := len(s.Starts())
	for began := time.Now(); len(s.Starts()) == n; s.after(10 * time.Millisecond) {
		if time.Since(began) > 10*time.Minute {
			s.t.Fatal("no further list")
		}
	}
	return s.Starts()[len(s.Starts())-1]
}

func TestW15_OnlyTheFirstAttemptGoesAhead(t *testing.T) {
	play(t, feed.Options{}, func(s *scene) {
		s.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		_, release := s.watch()
		defer release()
		s.after(time.Minute)
		s.Fail(nil)
		s.after(time.Minute)
		for i, first := range s.Ahead() {
			if first != (i == 0) {
				t.Errorf("attempt %d went ahead: %v", i, first)
			}
		}
	})
}
