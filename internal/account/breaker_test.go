package account

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// trip opens an account's breaker.
func trip(t *testing.T, a *Account, u *upstream) {
	t.Helper()
	u.set(refuse)
	for range tripAfter {
		if err := a.Remove(t.Context(), "c", "p"); told(t, err).Reason != participant.UpstreamUnavailable {
			t.Fatalf("got %v", err)
		}
	}
	if err := a.Remove(t.Context(), "c", "p"); told(t, err).Reason != participant.BreakerOpen {
		t.Fatalf("got %v", err)
	}
}

func TestA06_BreakerOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		a := account(t, u)
		trip(t, a, u)
		u.set(nil)
		_, add := a.Add(t.Context(), "c", participant.Add{}, func() { t.Error("an add was sent") })
		_, list := a.Participants(t.Context(), "c")
		for name, err := range map[string]error{"add": add, "list": list} {
			e := told(t, err)
			if e.Reason != participant.BreakerOpen || e.RetryAfter <= 0 || e.RetryAfter > 5*time.Second {
				t.Errorf("%s: %v, retry after %v", name, err, e.RetryAfter)
			}
		}
		if told(t, add).Dialled != participant.DialledNo {
			t.Errorf("dialled %q", told(t, add).Dialled)
		}
		if _, err := a.List(t.Context(), "c"); err != nil {
			t.Errorf("a read of A1 met the breaker: %v", err)
		}
		if _, err := a.OpenSource(t.Context(), "c").List(t.Context()); err != nil {
			t.Errorf("a poll met the breaker: %v", err)
		}
		time.Sleep(5 * time.Second)
		for range 3 {
			if _, err := a.Add(t.Context(), "c", participant.Add{}, nothing); err != nil {
				t.Errorf("after 5 s: %v", err)
			}
		}
	})
}

func TestA06_OneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		a := account(t, u)
		trip(t, a, u)
		before := len(u.times(http.MethodDelete))
		for range 10 * 10 {
			time.Sleep(100 * time.Millisecond)
			_ = a.Remove(t.Context(), "c", "p")
		}
		if probes := len(u.times(http.MethodDelete)) - before; probes != 2 {
			t.Errorf("%d probes in 10 s", probes)
		}
	})
}

// TestA06_LongProbes has the probe be an add that takes a minute, or a call whose
// caller goes away: the next probe does not wait for them.
func TestA06_LongProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		a := account(t, u)
		trip(t, a, u)
		time.Sleep(5 * time.Second)
		u.set(func(r *http.Request) (response, error) {
			time.Sleep(time.Minute)
			return well(r)
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = a.Add(t.Context(), "c", participant.Add{}, nothing)
		}()
		synctest.Wait()
		u.set(nil)
		if err := a.Remove(t.Context(), "c", "p"); told(t, err).Reason != participant.BreakerOpen {
			t.Errorf("got %v", err)
		}
		time.Sleep(5 * time.Second)
		if err := a.Remove(t.Context(), "c", "p"); err != nil {
			t.Errorf("after 5 s: %v", err)
		}
		<-done
	})
}

func TestA06_WhatTripsTheBreaker(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		open   bool
	}{
		"503":       {always(503, ``), true},
		"404":       {always(404, ``), false},
		"429":       {always(429, ``), false},
		"a timeout": {hang, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := account(t, &upstream{answer: test.answer})
				for range tripAfter {
					_ = a.Remove(t.Context(), "c", "p")
				}
				if got := a.breaker.closed() != nil; got != test.open {
					t.Errorf("open is %v", got)
				}
			})
		})
	}
}

func TestA06_CallersWhoLeaveTripNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, &upstream{answer: hang})
		for range 2 * tripAfter {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_ = a.Remove(ctx, "c", "p")
			cancel()
		}
		if err := a.breaker.closed(); err != nil {
			t.Error(err)
		}
	})
}
