package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// feeds opens sources and polls them as fast as they may, until the time is up.
func feeds(t *testing.T, a *Account, n int, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var running sync.WaitGroup
	for i := range n {
		s := a.OpenSource(ctx, fmt.Sprint(i))
		running.Go(func() {
			for s.Turn(ctx, false) == nil {
				_ = poll(ctx, s)
			}
		})
	}
	running.Wait()
}

// poll reads a list as a feed does.
func poll(ctx context.Context, s *Source) error {
	list, err := s.List(ctx)
	if err == nil && !list.Complete() {
		err = &apierror.Error{Reason: apierror.UpstreamIncomplete}
	}
	if ctx.Err() == nil {
		s.Settle(err)
	}
	return err
}

var quiet = slog.New(slog.DiscardHandler)

func TestW15_TenRequestsASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		feeds(t, account(t, u), 30, 10*time.Second)
		if got := u.times(http.MethodGet); most(got) > DefaultPollRate || len(got) < 100 {
			t.Errorf("%d polls in 10 s, %d within a second", len(got), most(got))
		}
	})
}

func TestW15_PagesCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{answer: func(r *http.Request) (response, error) {
			switch r.URL.Query().Get("start_key") {
			case "":
				return reply(200, `{"data":[],"next_start_key":"1"}`), nil
			case "1":
				return reply(200, `{"data":[],"next_start_key":"2"}`), nil
			default:
				return reply(200, `{"data":[]}`), nil
			}
		}}
		feeds(t, account(t, u), 5, 10*time.Second)
		if got := u.times(http.MethodGet); most(got) > DefaultPollRate || len(got) < 100 {
			t.Errorf("%d polls in 10 s, %d within a second", len(got), most(got))
		}
	})
}

func TestW15_AddsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		a := account(t, u)
		began := time.Now()
		var running sync.WaitGroup
		running.Go(func() { feeds(t, a, 20, 5*time.Second) })
		running.Go(func() {
			for range 40 {
				running.Go(func() {
					if _, err := a.Add(t.Context(), "c", participant.Add{}, nothing); err != nil {
						t.Error(err)
					}
				})
			}
		})
		running.Wait()
		adds := u.times(http.MethodPost)
		if len(adds) != 40 || adds[39].Sub(began) > 4*addWindow {
			t.Errorf("%d adds, the last after %v", len(adds), adds[len(adds)-1].Sub(began))
		}
		polls := 0
		for _, at := range u.times(http.MethodGet) {
			if at.Sub(began) < 3*time.Second {
				polls++
			}
		}
		if polls < 3 || polls > 5 {
			t.Errorf("%d polls in the 3 s of adds, want about one a second", polls)
		}
	})
}

func TestW15_LimitsSlowEveryFeed(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		// after is when the next poll may come, within how many come in 3 s then.
		after time.Duration
		polls int
	}{
		"429":                      {always(429, ``), time.Second, 17},
		"429 with a Retry-After":   {always(429, ``, "Retry-After", "7"), 7 * time.Second, 22},
		"429 asking for too much":  {always(429, ``, "Retry-After", "3600"), time.Minute, 30},
		"few tokens":               {always(200, `{"data":[],"tokens":{"remaining":19}}`), 0, 16},
		"a 429 in the envelope":    {always(200, `{"error":"429","status":"error"}`), time.Second, 17},
		"enough tokens":            {always(200, `{"data":[],"tokens":{"remaining":20}}`), 0, 30},
		"nothing of the kind, 503": {always(503, ``), 0, 30},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: always(200, `{"data":[],"tokens":{"remaining":100}}`)}
				a := account(t, u)
				_, _ = a.poll(t.Context(), "c", listNextPage)
				u.set(test.answer)
				began := time.Now()
				_, _ = a.poll(t.Context(), "c", listNextPage)
				u.set(nil)
				before := len(u.times(http.MethodGet))
				feeds(t, a, 40, test.after+3*time.Second)
				polls := u.times(http.MethodGet)[before:]
				if first := polls[0].Sub(began); first < test.after || first > test.after+250*time.Millisecond {
					t.Errorf("the next poll came after %v", first)
				}
				if len(polls) < test.polls-1 || len(polls) > test.polls+1 {
					t.Errorf("%d polls, want %d", len(polls), test.polls)
				}
			})
		})
	}
}

func TestW15_WaitersMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(1, quiet)
		if err := b.take(t.Context(), listFirstPage); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := b.take(ctx, listFirstPage); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := b.take(ctx, listFirstPage); err == nil || b.queue.waiting != 0 {
			t.Errorf("%d wait, %v", b.queue.waiting, err)
		}
		time.Sleep(time.Second) // The timer comes to nothing.
	})
}

// TestW15_Pace compares the intervals of several feeds.
func TestW15_Pace(t *testing.T) {
	type feed struct {
		want  time.Duration
		pages int
	}
	for name, test := range map[string]struct {
		feeds []feed
		want  []time.Duration
	}{
		"one":                    {[]feed{{time.Second, 1}}, []time.Duration{time.Second}},
		"ten":                    {slicesOf(10, feed{time.Second, 1}), slicesOf(10, time.Second)},
		"twenty":                 {slicesOf(20, feed{time.Second, 1}), slicesOf(20, 2*time.Second)},
		"one of many pages":      {[]feed{{time.Second, 40}}, []time.Duration{4 * time.Second}},
		"who wants less has it":  {[]feed{{time.Second, 10}, {5 * time.Second, 10}}, []time.Duration{1250 * time.Millisecond, 5 * time.Second}},
		"who wants a bit less":   {[]feed{{time.Second, 20}, {3 * time.Second, 20}}, []time.Duration{4 * time.Second, 4 * time.Second}},
		"want nothing in itself": {[]feed{{0, 1}}, []time.Duration{100 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBudget(10, quiet)
			var sources []*Source
			for _, f := range test.feeds {
				s := &Source{account: &Account{budget: b}, want: f.want, pages: f.pages}
				sources = append(sources, s)
				b.open(s)
			}
			for i, s := range sources {
				got := s.Pace(test.feeds[i].want, 0).Interval
				if diff := got - test.want[i]; diff < -time.Microsecond || diff > time.Microsecond {
					t.Errorf("feed %d: %v, want %v", i, got, test.want[i])
				}
			}
		})
	}
}

func slicesOf[T any](n int, v T) []T {
	s := make([]T, n)
	for i := range s {
		s[i] = v
	}
	return s
}

// TestW15_PaceIsTheActualInterval compares the reported interval with the actual one.
func TestW15_PaceIsTheActualInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		a := account(t, u)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		lists := make([]int, 40)
		for i := range lists {
			s := a.OpenSource(ctx, fmt.Sprint(i))
			running.Go(func() {
				want := time.Duration(1+i%2*9) * time.Second
				for began := time.Now(); s.Turn(ctx, false) == nil; began = time.Now() {
					_ = poll(ctx, s)
					lists[i]++
					time.Sleep(time.Until(began.Add(s.Pace(want, 0).Share)))
				}
			})
		}
		time.Sleep(100 * time.Second)
		cancel()
		running.Wait()
		// Of 40 feeds, 20 want a list every 10 s, which takes 2 of the 10 requests a
		// second; the others share 8, so that each has one every 2.5 s.
		for i, got := range lists {
			want := 40 - i%2*30
			if got < want-4 || got > want+2 {
				t.Errorf("feed %d had %d lists, want about %d", i, got, want)
			}
		}
	})
}

func TestW10_PollsTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, &upstream{answer: hang})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := a.OpenSource(ctx, "c")
		began := time.Now()
		_, err := s.List(ctx)
		if apiError(t, err).Reason != apierror.UpstreamTimeout || time.Since(began) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestW15_PagesAreLearned(t *testing.T) {
	u := &upstream{answer: func(r *http.Request) (response, error) {
		if r.URL.Query().Get("start_key") == "" {
			return reply(200, `{"data":[],"next_start_key":"1"}`), nil
		}
		return reply(200, `{"data":[]}`), nil
	}}
	synctest.Test(t, func(t *testing.T) {
		a := account(t, u)
		a.budget = newBudget(1, quiet)
		ctx, cancel := context.WithCancel(t.Context())
		s := a.OpenSource(ctx, "c")
		if err := s.Turn(ctx, true); err != nil {
			t.Fatal(err)
		}
		if _, err := s.List(ctx); err != nil {
			t.Fatal(err)
		}
		if got := s.Pace(time.Second, 0).Interval; got != 2*time.Second {
			t.Errorf("interval %v", got)
		}
		cancel()
		synctest.Wait()
	})
}

func TestW15_ABurstOfAddsDoesNotChangeThePace(t *testing.T) {
	now := time.Now()
	r := newRate(10)
	for range 10 {
		r.addSent(now)
	}
	if got := r.at(now); got != leastRate {
		t.Errorf("rate within the second: got %v, want %v", got, leastRate)
	}
	if got := r.sustained(now); got != 7.5 {
		t.Errorf("rate planned on: got %v, want 7.5", got)
	}
	if got := r.at(now.Add(addWeight)); got != 10 {
		t.Errorf("rate a second later: got %v, want 10", got)
	}
	for second := range 10 {
		for range 9 {
			r.addSent(now.Add(time.Duration(second) * time.Second))
		}
	}
	if got := r.sustained(now.Add(9 * time.Second)); got != leastRate {
		t.Errorf("rate planned on while adds go on: got %v, want %v", got, leastRate)
	}
}
