package upstream

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestA01_AddsOfOneConferenceShareTheirReads reconciles adds of one conference, or of as
// many conferences as there are adds.
func TestA01_AddsOfOneConferenceShareTheirReads(t *testing.T) {
	for name, test := range map[string]struct {
		adds, conferences int
		apart             time.Duration
		want              int
	}{
		"one":                        {1, 1, 0, 10},
		"ten at once":                {10, 1, 0, 10},
		"ten, one after the other":   {10, 1, 70 * time.Millisecond, 11},
		"three in three conferences": {3, 3, 0, 30},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: func(r *http.Request) (response, error) {
					time.Sleep(80 * time.Millisecond)
					return well(r)
				}}
				a := account(t, u)
				var running sync.WaitGroup
				for i := range test.adds {
					running.Go(func() {
						time.Sleep(time.Duration(i) * test.apart)
						lists := reconcile(t, a, fmt.Sprint(i%test.conferences))
						if lists < 9 {
							t.Errorf("add %d saw %d lists in 10 s", i, lists)
						}
					})
				}
				running.Wait()
				time.Sleep(2 * sharedReadInterval)
				synctest.Wait()
				if got := len(u.times(http.MethodGet)); got < test.want-1 || got > test.want+1 {
					t.Errorf("%d reads, want %d", got, test.want)
				}
				if left := len(a.reconcileReads.conferences); left > 0 {
					t.Errorf("%d conferences are kept", left)
				}
			})
		})
	}
}

// reconcile reads lists for 10 s, one a second.
func reconcile(t *testing.T, a *Account, conference string) (lists int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		asked := time.Now()
		list, err := a.ListToReconcile(ctx, conference)
		if err == nil {
			lists++
			if list.Began.Before(asked) {
				t.Errorf("a list that began %v before it was asked for", asked.Sub(list.Began))
			}
		}
		wait(ctx, time.Until(asked.Add(time.Second)))
	}
	return lists
}

// TestA01_LeavingEndsNoReadOfOthers cancels the add that began a shared list.
func TestA01_LeavingEndsNoReadOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		a := account(t, u)
		a.budget.last = time.Now().Add(time.Second) // Reads wait so long for their turn.
		first, leave := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if _, err := a.ListToReconcile(first, "c"); err == nil {
				t.Error("the one that left got a list")
			}
		})
		synctest.Wait()
		running.Go(func() {
			if _, err := a.ListToReconcile(t.Context(), "c"); err != nil {
				t.Errorf("the other: %v", err)
			}
		})
		synctest.Wait()
		leave()
		running.Wait()
		alone, leave := context.WithCancel(t.Context())
		running.Go(func() { _, _ = a.ListToReconcile(alone, "c") })
		synctest.Wait()
		leave()
		running.Wait()
		time.Sleep(5 * time.Second)
		if got := len(u.times(http.MethodGet)); got != 1 {
			t.Errorf("%d reads, want that of the one who stayed", got)
		}
	})
}

// TestA01_APanicInAReadIsAnError makes the transport panic.
func TestA01_APanicInAReadIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, &upstream{answer: func(*http.Request) (response, error) { panic("transport") }})
		if _, err := a.ListToReconcile(t.Context(), "c"); err == nil {
			t.Error("no error")
		}
	})
}
