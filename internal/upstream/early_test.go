package upstream

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// early reads early lists of a conference until ctx ends, as often as the budget lets it. A list
// becomes due only after an hour.
func early(ctx context.Context, a *Account, lists *atomic.Int32) {
	s := a.OpenSource(ctx, "early")
	for ctx.Err() == nil {
		if s.WaitEarly(ctx, time.Now().Add(time.Hour), nil) {
			lists.Add(1)
			_, err := s.List(ctx)
			s.RecordOutcome(err)
		}
	}
}

// TestA12_EarlyListsTakeOnlyFreeTurns reads early lists beside other feeds, whose lists they must
// not delay.
func TestA12_EarlyListsTakeOnlyFreeTurns(t *testing.T) {
	for name, test := range map[string]struct {
		feeds       int
		least, most int32
	}{
		"alone":                {0, 99, 101},
		"a feed for each turn": {11, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{}
				a := account(t, u)
				var running sync.WaitGroup
				var lists atomic.Int32
				running.Go(func() { feeds(t, a, test.feeds, 10*time.Second) })
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				running.Go(func() { early(ctx, a, &lists) })
				running.Wait()
				if got := lists.Load(); got < test.least || got > test.most {
					t.Errorf("%d early lists, want %d to %d", got, test.least, test.most)
				}
				if got := most(u.times(http.MethodGet)); got > DefaultPollRate {
					t.Errorf("%d requests within a second", got)
				}
			})
		})
	}
}

// TestA12_DueListsKeepTheirTurns reads five conferences every second, with and without early lists
// of another conference: due lists wait for at most the one turn that has begun.
func TestA12_DueListsKeepTheirTurns(t *testing.T) {
	for name, pages := range map[string]int{"one page": 1, "three pages": 3} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: func(r *http.Request) (response, error) {
					key := r.URL.Query().Get("start_key")
					if strings.Contains(r.URL.Path, "early") && len(key) < pages-1 {
						return reply(200, `{"data":[],"next_start_key":"`+key+`x"}`), nil
					}
					return reply(200, `{"data":[]}`), nil
				}}
				a := account(t, u)
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				var running sync.WaitGroup
				var lists atomic.Int32
				running.Go(func() { early(ctx, a, &lists) })
				for i := range 5 {
					s := a.OpenSource(ctx, "due")
					running.Go(func() {
						time.Sleep(time.Duration(i) * 201 * time.Millisecond)
						for ctx.Err() == nil {
							due := time.Now()
							if s.Wait(ctx, false) != nil {
								return
							}
							if waited := time.Since(due); waited > 100*time.Millisecond {
								t.Errorf("a due list waited %v", waited)
							}
							_ = poll(ctx, s)
							time.Sleep(time.Until(due.Add(time.Second)))
						}
					})
				}
				running.Wait()
				if lists.Load() < 20 {
					t.Errorf("%d early lists", lists.Load())
				}
			})
		})
	}
}

// TestA12_EarlyListsWaitForTheRate checks a pause after a 429, and what ends the wait.
func TestA12_EarlyListsWaitForTheRate(t *testing.T) {
	for name, test := range map[string]struct {
		pause, due, cancel time.Duration
		stop, granted      bool
		after              time.Duration
	}{
		"a free turn":          {0, time.Minute, time.Hour, false, true, 0},
		"a pause":              {20 * time.Second, time.Minute, time.Hour, false, true, 20 * time.Second},
		"due during the pause": {20 * time.Second, 15 * time.Second, time.Hour, false, false, 15 * time.Second},
		"stopped":              {20 * time.Second, time.Minute, time.Hour, true, false, 0},
		"cancelled":            {20 * time.Second, time.Minute, 5 * time.Second, false, false, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stop := make(chan struct{}, 1)
				if test.stop {
					stop <- struct{}{}
				}
				ctx, cancel := context.WithTimeout(t.Context(), test.cancel)
				defer cancel()
				a := account(t, &upstream{})
				a.budget.rate.pause(time.Now(), test.pause)
				s, began := a.OpenSource(ctx, "c"), time.Now()
				granted := s.WaitEarly(ctx, began.Add(test.due), stop)
				if took := time.Since(began); granted != test.granted || took != test.after {
					t.Errorf("granted %v after %v, want %v after %v", granted, took, test.granted, test.after)
				}
				if a.budget.queue.waiting != 0 {
					t.Errorf("%d requests are left", a.budget.queue.waiting)
				}
				cancel()
				synctest.Wait()
				if a.budget.timer != nil {
					a.budget.timer.Stop()
				}
			})
		})
	}
}

// TestA12_LaterPagesDoNotWaitForLong reads an early list of two pages while other feeds take each
// turn.
func TestA12_LaterPagesDoNotWaitForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, &upstream{answer: secondPage(always(200, `{"data":[]}`))})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		s := a.OpenSource(ctx, "c")
		if !s.WaitEarly(ctx, time.Now().Add(time.Minute), nil) {
			t.Fatal("no turn")
		}
		var running sync.WaitGroup
		running.Go(func() { feeds(t, a, 20, 5*time.Second) })
		synctest.Wait()
		began := time.Now()
		list, err := s.List(ctx)
		if took := time.Since(began); err != nil || list.Pages != 2 || took < maxEarlyWait || took > maxEarlyWait+200*time.Millisecond {
			t.Errorf("%d pages in %v, %v", list.Pages, took, err)
		}
		running.Wait()
	})
}
