package upstream

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// trip opens an account's breaker.
func trip(t *testing.T, a *Account, u *upstream) {
	t.Helper()
	u.set(refuse)
	for range tripAfter {
		time.Sleep(tripOver / (tripAfter / 2))
		if err := a.Remove(t.Context(), "c", "p"); apiError(t, err).Reason != apierror.UpstreamUnavailable {
			t.Fatalf("got %v", err)
		}
	}
	if err := a.Remove(t.Context(), "c", "p"); apiError(t, err).Reason != apierror.BreakerOpen {
		t.Fatalf("got %v", err)
	}
}

func TestA06_BreakerOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		a := account(t, u)
		trip(t, a, u)
		_, add := a.Add(t.Context(), "c", participant.Add{}, func() { t.Error("an add was sent") })
		_, list := a.List(t.Context(), "c")
		for name, err := range map[string]error{"add": add, "list": list, "remove": a.Remove(t.Context(), "c", "p")} {
			e := apiError(t, err)
			if e.Reason != apierror.BreakerOpen || e.Dialled != apierror.DialledNo || e.RetryAfter <= 0 || e.RetryAfter > 5*time.Second {
				t.Errorf("%s: %v, dialled %q, retry after %v", name, err, e.Dialled, e.RetryAfter)
			}
		}
		for name, read := range map[string]func() error{
			"a read of A1": func() error { _, err := a.ListToReconcile(t.Context(), "c"); return err },
			"a poll":       func() error { _, err := a.OpenSource(t.Context(), "c").List(t.Context()); return err },
		} {
			if err := read(); apiError(t, err).Reason == apierror.BreakerOpen {
				t.Errorf("%s met the breaker", name)
			}
		}
		u.set(nil)
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

// TestA06_LongProbes has the probe be an add that takes a minute: the next probe does not
// wait for it.
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
		if err := a.Remove(t.Context(), "c", "p"); apiError(t, err).Reason != apierror.BreakerOpen {
			t.Errorf("got %v", err)
		}
		time.Sleep(5 * time.Second)
		if err := a.Remove(t.Context(), "c", "p"); err != nil {
			t.Errorf("after 5 s: %v", err)
		}
		<-done
	})
}

// TestW15_PollsCloseTheBreaker has a poll be answered: that shows more than a probe would.
func TestW15_PollsCloseTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		a := account(t, u)
		trip(t, a, u)
		u.set(nil)
		if _, err := a.OpenSource(t.Context(), "c").List(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := a.Remove(t.Context(), "c", "p"); err != nil {
			t.Error(err)
		}
	})
}

func TestW15_PollsDoNotTripTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{answer: refuse}
		a := account(t, u)
		feeds(t, a, 1, 10*time.Second)
		if err := a.breaker.check(); err != nil || len(u.times(http.MethodGet)) < tripAfter {
			t.Errorf("%d polls, %v", len(u.times(http.MethodGet)), err)
		}
	})
}

// TestA06_OnlyADeadUpstreamTripsTheBreaker has every call fail in one way, for long.
func TestA06_OnlyADeadUpstreamTripsTheBreaker(t *testing.T) {
	const shaped = `{"error":"503","message":"this one conference is broken","status":"error"}`
	for name, test := range map[string]struct {
		answer answer
		open   bool
	}{
		"no connection":           {refuse, true},
		"no answer":               {hang, true},
		"503 of a proxy":          {always(503, `<html>`), true},
		"500, empty":              {always(500, ``), true},
		"503 of the vendor":       {always(503, shaped), false},
		"503 in a 200":            {always(200, shaped), false},
		"an error without a code": {always(200, `{"message":"oops","status":"error"}`), false},
		"404":                     {always(404, `<html>`), false},
		"408":                     {always(408, ``), false},
		"429":                     {always(429, ``), false},
		"a redirect":              {always(302, ``), false},
		"not to be read":          {always(200, `<html>`), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := account(t, &upstream{answer: test.answer})
				for n := range 2 * tripAfter {
					ctx, cancel := context.WithTimeout(t.Context(), minSilence)
					_ = a.Remove(ctx, fmt.Sprint(n%2), "p")
					cancel()
					time.Sleep(time.Second)
				}
				if got := a.breaker.open; got != test.open {
					t.Errorf("open is %v", got)
				}
			})
		})
	}
}

// TestA06_NotEnoughToTripTheBreaker has calls fail as those to a dead upstream do, but too
// few, too fast, or with an answer between.
func TestA06_NotEnoughToTripTheBreaker(t *testing.T) {
	remove := func(ctx context.Context, a *Account) { _ = a.Remove(ctx, "c", "p") }
	for name, fail := range map[string]func(ctx context.Context, a *Account, u *upstream){
		"few": func(ctx context.Context, a *Account, _ *upstream) {
			for range tripAfter - 1 {
				remove(ctx, a)
				time.Sleep(time.Second)
			}
		},
		"a burst": func(ctx context.Context, a *Account, _ *upstream) {
			for range 10 * tripAfter {
				remove(ctx, a)
			}
		},
		"few, with many tries": func(ctx context.Context, a *Account, _ *upstream) {
			for range tripAfter - 1 {
				remove(ctx, a)
				for range 3 {
					time.Sleep(time.Second)
					remove(requestctx.WithRetry(ctx), a)
				}
			}
		},
		"few lists, with their tries": func(ctx context.Context, a *Account, _ *upstream) {
			for range tripAfter - 1 {
				_, _ = a.List(ctx, "c")
			}
		},
		"an error of the vendor's between": func(ctx context.Context, a *Account, u *upstream) {
			for n := range 4 * tripAfter {
				u.set(refuse)
				if n%(tripAfter-1) == 0 {
					u.set(always(503, `{"success":false}`))
				}
				remove(ctx, a)
				time.Sleep(time.Second)
			}
		},
		"callers who leave soon": func(ctx context.Context, a *Account, u *upstream) {
			u.set(hang)
			for range 2 * tripAfter {
				soon, cancel := context.WithTimeout(ctx, time.Second)
				remove(soon, a)
				cancel()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: refuse}
				a := account(t, u)
				fail(t.Context(), a, u)
				if err := a.breaker.check(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
