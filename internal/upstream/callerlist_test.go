package upstream

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// slowly answers like another answer, after a time.
func slowly(d time.Duration, next answer) answer {
	return func(r *http.Request) (response, error) {
		time.Sleep(d)
		return next(r)
	}
}

// TestA07_ConcurrentGetsShareLists counts the lists of calls that arrive at the same time, or one
// after the other while a list is read. No call gets a list that began before it.
func TestA07_ConcurrentGetsShareLists(t *testing.T) {
	for name, test := range map[string]struct {
		calls, conferences int
		apart, takes       time.Duration
		want               int
	}{
		"one":                                 {1, 1, 0, 0, 1},
		"100 at once":                         {100, 1, 0, 80 * time.Millisecond, 1},
		"100 within 20 ms":                    {100, 1, 200 * time.Microsecond, 80 * time.Millisecond, 1},
		"100 within 200 ms":                   {100, 1, 2 * time.Millisecond, 80 * time.Millisecond, 1},
		"5 that pause for 15 ms":              {5, 1, 15 * time.Millisecond, 80 * time.Millisecond, 1},
		"100 that arrive during a list":       {100, 1, 4 * time.Millisecond, 300 * time.Millisecond, 2},
		"10 that arrive during a slower list": {10, 1, 60 * time.Millisecond, 700 * time.Millisecond, 2},
		"100 for ten conferences":             {100, 10, 0, 80 * time.Millisecond, 10},
		"five, one after the other":           {5, 1, 200 * time.Millisecond, 80 * time.Millisecond, 5},
		"a list that hangs":                   {20, 1, 250 * time.Millisecond, 20 * time.Second, 6},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: slowly(test.takes, well)}
				a := account(t, u)
				var running sync.WaitGroup
				for i := range test.calls {
					running.Go(func() {
						time.Sleep(time.Duration(i) * test.apart)
						arrived := time.Now()
						list, err := a.ListShared(t.Context(), string(rune('a'+i%test.conferences)))
						if err != nil || len(list.Items) != 1 || list.Began.Before(arrived) {
							t.Errorf("call %d: list %v, %v", i, list, err)
						}
						if late := time.Since(arrived) - 2*test.takes; late > time.Second {
							t.Errorf("call %d waited for two lists and %v", i, late)
						}
					})
				}
				running.Wait()
				if got := len(u.times(http.MethodGet)); got != test.want {
					t.Errorf("%d lists, want %d", got, test.want)
				}
				time.Sleep(2 * sharedReadInterval)
				synctest.Wait()
				if left := len(a.callerReads.conferences); left > 0 {
					t.Errorf("%d conferences are kept", left)
				}
			})
		})
	}
}

// TestA07_SharedListsFailLikeLists makes the lists of 20 calls fail. Each call gets an error of
// its own, and the retries are those of one list.
func TestA07_SharedListsFailLikeLists(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		reason apierror.Reason
		lists  int
	}{
		"404":                     {always(404, `{"success":false}`), apierror.ConferenceNotFound, 1},
		"403":                     {always(403, `{"success":false}`), apierror.UpstreamForbidden, 1},
		"503":                     {always(503, ``), apierror.UpstreamUnavailable, 3},
		"429 beyond the patience": {always(429, ``, "Retry-After", "9"), apierror.UpstreamRateLimited, 1},
		"429 beyond the deadline": {always(429, ``, "Retry-After", "2"), apierror.UpstreamRateLimited, 1},
		"not to be read":          {always(200, `<html>`), apierror.UpstreamUndecodable, 1},
		"no connection":           {refuse, apierror.UpstreamUnavailable, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: test.answer}
				a := account(t, u)
				var running sync.WaitGroup
				var mu sync.Mutex
				seen := map[*apierror.Error]bool{}
				for range 20 {
					running.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), 1900*time.Millisecond)
						defer cancel()
						_, err := a.ListShared(ctx, "c")
						failed := apiError(t, err)
						mu.Lock()
						defer mu.Unlock()
						if failed.Reason != test.reason || ctx.Err() != nil || seen[failed] {
							t.Errorf("got %v, shared: %v", err, seen[failed])
						}
						seen[failed] = true
					})
				}
				running.Wait()
				if got := len(u.times(http.MethodGet)); got != test.lists {
					t.Errorf("%d requests, want %d", got, test.lists)
				}
			})
		})
	}
}

// TestA07_SharedListsPassTheBreaker opens the breaker first.
func TestA07_SharedListsPassTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{answer: refuse}
		a := account(t, u)
		for range 20 {
			_, _ = a.List(t.Context(), "c")
		}
		before := len(u.times(http.MethodGet))
		_, err := a.ListShared(t.Context(), "c")
		if apiError(t, err).Reason != apierror.BreakerOpen || len(u.times(http.MethodGet)) != before {
			t.Errorf("got %v", err)
		}
	})
}

// TestA07_ALaterPageIsMissing checks that the first page is returned, with the page's error.
func TestA07_ALaterPageIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, &upstream{answer: secondPage(always(503, ``))})
		list, err := a.ListShared(t.Context(), "c")
		if err != nil || len(list.Items) != 1 || list.PageErr == nil || list.Complete() {
			t.Errorf("got %v, %v", list, err)
		}
	})
}

// TestA07_CallersLeaveWithoutDisturbingOthers ends two of three calls, in each state of their list.
func TestA07_CallersLeaveWithoutDisturbingOthers(t *testing.T) {
	for name, at := range map[string]time.Duration{
		"before it begins": gatherCalls / 2, "while it is read": 100 * time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: slowly(200*time.Millisecond, well)}
				a := account(t, u)
				cancelled, cancel := context.WithCancel(t.Context())
				expired, stop := context.WithTimeout(t.Context(), at)
				defer stop()
				var running sync.WaitGroup
				for ctx, want := range map[context.Context]apierror.Reason{
					cancelled: apierror.Cancelled, expired: apierror.DeadlineExceeded, t.Context(): "",
				} {
					running.Go(func() {
						began := time.Now()
						_, err := a.ListShared(ctx, "c")
						if want == "" && err != nil || want != "" && (apiError(t, err).Reason != want || time.Since(began) > at) {
							t.Errorf("got %v after %v, want %q", err, time.Since(began), want)
						}
					})
				}
				time.Sleep(at)
				cancel()
				running.Wait()
				if got := len(u.times(http.MethodGet)); got != 1 {
					t.Errorf("%d lists, want one", got)
				}
			})
		})
	}
}

// TestA07_AListThatNobodyWaitsForEnds cancels the only call.
func TestA07_AListThatNobodyWaitsForEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		a := account(t, &upstream{answer: func(r *http.Request) (response, error) {
			<-r.Context().Done()
			ended <- r.Context().Err()
			return response{}, r.Context().Err()
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.ListShared(ctx, "c"); apiError(t, err).Reason != apierror.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the request ended with %v", err)
		}
	})
}

// TestA07_APanicInASharedListIsAnError makes the transport panic.
func TestA07_APanicInASharedListIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, &upstream{answer: func(*http.Request) (response, error) { panic("transport") }})
		if _, err := a.ListShared(t.Context(), "c"); err == nil {
			t.Error("no error")
		}
	})
}
