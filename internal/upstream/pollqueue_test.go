package upstream

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestW15_OrderOfGrants has requests of all priorities wait behind one.
func TestW15_OrderOfGrants(t *testing.T) {
	for name, test := range map[string]struct {
		waiting []priority
		// want names priorities by their position in waiting.
		want string
	}{
		"lists under way before others": {[]priority{listFirstPage, listNextPage, listFirstPage, listNextPage}, "1 3 0 2"},
		"urgent ones every second turn": {
			[]priority{listFirstPage, listFirstPage, firstListFirstPage, firstListFirstPage, firstListNextPage, firstListFirstPage},
			"4 0 2 1 3 5",
		},
		"reads of adds and first lists alternate": {
			[]priority{firstListFirstPage, firstListFirstPage, reconcileFirstPage, reconcileFirstPage, reconcileNextPage}, "4 0 2 1 3",
		},
		"all together": {
			[]priority{firstListFirstPage, listFirstPage, reconcileFirstPage, firstListFirstPage, listNextPage, reconcileFirstPage, listFirstPage},
			"2 4 0 1 5 6 3",
		},
		"urgent ones alone need not wait": {[]priority{reconcileFirstPage, reconcileFirstPage, reconcileFirstPage}, "0 1 2"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBudget(10, quiet)
				if err := b.take(t.Context(), listFirstPage); err != nil {
					t.Fatal(err)
				}
				var order log
				var running sync.WaitGroup
				for i, c := range test.waiting {
					running.Go(func() {
						if err := b.take(t.Context(), c); err != nil {
							t.Error(err)
						}
						order.note(fmt.Sprint(i))
					})
					synctest.Wait()
				}
				running.Wait()
				if got := strings.Join(order.names, " "); got != test.want {
					t.Errorf("order %s, want %s", got, test.want)
				}
				for i := range order.times[1:] {
					if gap := order.times[i+1].Sub(order.times[i]); gap != 100*time.Millisecond {
						t.Errorf("gap %v", gap)
					}
				}
			})
		})
	}
}

// TestA01_ReadsGoThroughAPause has a read of an add and a list wait for the end of a
// Retry-After.
func TestA01_ReadsGoThroughAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(10, quiet)
		began := time.Now()
		b.rate.pause(began, 30*time.Second)
		var running sync.WaitGroup
		for c, want := range map[priority]time.Duration{
			listFirstPage: 30 * time.Second, firstListFirstPage: 30 * time.Second,
			reconcileFirstPage: 0, reconcileNextPage: 0,
		} {
			running.Go(func() {
				if err := b.take(t.Context(), c); err != nil {
					t.Error(err)
				}
				if waited := time.Since(began); waited < want || waited > want+150*time.Millisecond {
					t.Errorf("priority %d waited %v, want %v", c, waited, want)
				}
			})
		}
		running.Wait()
	})
}

// TestW15_HighRates holds the budget to rates whose requests are closer than timers are
// exact, in real time.
func TestW15_HighRates(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b := newBudget(1000, quiet)
	var running sync.WaitGroup
	began := time.Now()
	for range 20 {
		running.Go(func() {
			for range 20 {
				if err := b.take(ctx, listFirstPage); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	if took := time.Since(began); took < 380*time.Millisecond {
		t.Errorf("400 requests took %v: that is more than 1,000 a second", took)
	}
}

// TestW15_LateTimersAreMadeUpFor checks the arithmetic of a late timer.
func TestW15_LateTimersAreMadeUpFor(t *testing.T) {
	for name, test := range map[string]struct {
		rate, late time.Duration
		want       int
	}{
		"1,000 a second, on time":       {1000, 0, 1},
		"1,000 a second, 4 ms late":     {1000, 4 * time.Millisecond, 5},
		"1,000 a second, a second late": {1000, time.Second, 10},
		"10 a second, 20 ms late":       {10, 20 * time.Millisecond, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBudget(float64(test.rate), quiet)
				b.last = time.Now()
				for range 50 {
					b.queue.push(listFirstPage)
				}
				time.Sleep(b.rate.gap(time.Now()) + test.late)
				b.onTimer()
				if granted := 50 - b.queue.waiting; granted != test.want {
					t.Errorf("granted %d, want %d", granted, test.want)
				}
				b.timer.Stop()
			})
		})
	}
}

// BenchmarkDispatch is the cost of one request while many feeds wait.
func BenchmarkDispatch(b *testing.B) {
	for _, waiting := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprint(waiting), func(b *testing.B) {
			budget := newBudget(1000, quiet)
			for range waiting {
				budget.queue.push(listFirstPage)
			}
			for b.Loop() {
				budget.withdraw(budget.enqueue(listFirstPage))
			}
		})
	}
}
