package upstream

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// TestA06_AWaitBeyondTheDeadlineIsNotStarted has lists fail with little time left: the
// upstream's answer is returned at once.
func TestA06_AWaitBeyondTheDeadlineIsNotStarted(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		within time.Duration
		reads  int
		reason apierror.Reason
	}{
		"429 for 2 s":                   {always(429, ``, "Retry-After", "2"), 1500 * time.Millisecond, 1, apierror.UpstreamRateLimited},
		"429 for exactly as long":       {always(429, ``, "Retry-After", "1"), time.Second, 1, apierror.UpstreamRateLimited},
		"429 without a time":            {always(429, ``), 900 * time.Millisecond, 1, apierror.UpstreamRateLimited},
		"503 for 2 s":                   {always(503, ``, "Retry-After", "2"), 1500 * time.Millisecond, 1, apierror.UpstreamUnavailable},
		"503, time for no back-off":     {always(503, ``), 100 * time.Millisecond, 1, apierror.UpstreamUnavailable},
		"503, time for one back-off":    {always(503, ``), 400 * time.Millisecond, 2, apierror.UpstreamUnavailable},
		"429 for 1 s, time for one try": {always(429, ``, "Retry-After", "1"), 2 * time.Second, 2, apierror.UpstreamRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: test.answer}
				ctx, cancel := context.WithTimeout(t.Context(), test.within)
				defer cancel()
				_, err := account(t, u).List(ctx, "c")
				if got := len(u.times(http.MethodGet)); apiError(t, err).Reason != test.reason || got != test.reads || ctx.Err() != nil {
					t.Errorf("read %d times, %v", got, err)
				}
				if last := u.times(http.MethodGet); !time.Now().Equal(last[len(last)-1]) {
					t.Errorf("returned %v after the last answer", time.Since(last[len(last)-1]))
				}
			})
		})
	}
}

// secondPage answers the first page of a list, and its second with what is given.
func secondPage(second answer) answer {
	return func(r *http.Request) (response, error) {
		if r.URL.Query().Get("start_key") == "" {
			return reply(200, `{"data":[{"id":"part_1"}],"next_start_key":"k"}`), nil
		}
		return second(r)
	}
}

// TestW07_ALaterPageIsMissing has a second page fail: a caller is not given half a list, and
// polls and the reads of A1 are.
func TestW07_ALaterPageIsMissing(t *testing.T) {
	for name, test := range map[string]struct {
		second answer
		reads  int
		reason apierror.Reason
	}{
		"503":              {always(503, ``), 6, apierror.UpstreamUnavailable},
		"lost":             {refuse, 6, apierror.UpstreamUnavailable},
		"429 for long":     {always(429, ``, "Retry-After", "30"), 2, apierror.UpstreamRateLimited},
		"a circle":         {always(200, `{"data":[],"next_start_key":"k"}`), 2, apierror.UpstreamIncomplete},
		"not to be read":   {always(200, `<html>`), 2, apierror.UpstreamUndecodable},
		"the vendor's 404": {always(404, `{"success":false}`), 2, apierror.ConferenceNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{answer: secondPage(test.second)}
				a := account(t, u)
				list, err := a.List(t.Context(), "c")
				if got := len(u.times(http.MethodGet)); apiError(t, err).Reason != test.reason || got != test.reads || list.Items != nil {
					t.Errorf("%d requests, %v", got, err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				source := a.OpenSource(ctx, "c")
				for way, read := range map[string]func() (participant.List, error){
					"a poll": func() (participant.List, error) { return source.List(ctx) },
					"ahead":  func() (participant.List, error) { return a.ListToReconcile(ctx, "c") },
				} {
					list, err := read()
					if err != nil || len(list.Items) != 1 || list.Complete() || apierror.ReasonOf(list.PageErr) != test.reason {
						t.Errorf("%s: %+v, %v", way, list, err)
					}
				}
			})
		})
	}
}

// TestW15_A429OnALaterPageSlowsThePolls has the budget learn from a page that failed.
func TestW15_A429OnALaterPageSlowsThePolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, &upstream{answer: secondPage(always(429, ``, "Retry-After", "7"))})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		source := a.OpenSource(ctx, "c")
		if _, err := source.List(ctx); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := source.Turn(ctx, false); err != nil || time.Since(began) != 7*time.Second {
			t.Errorf("the next turn came after %v, %v", time.Since(began), err)
		}
	})
}

// TestA05_ALaterPageRefusesTheCredential has health learn from a page that failed, and not
// believe a proxy's 401 that the credential is taken again.
func TestA05_ALaterPageRefusesTheCredential(t *testing.T) {
	u := &upstream{answer: secondPage(always(401, `{"success":false}`))}
	a := account(t, u)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	source := a.OpenSource(ctx, "c")
	for _, step := range []struct {
		answer  answer
		serving bool
	}{
		{secondPage(always(401, `{"success":false}`)), false},
		{always(401, `<html>`), false},
		{nil, true},
		{always(401, `<html>`), true},
		{always(200, `{"error":"401","status":"error"}`), false},
	} {
		u.set(step.answer)
		_, err := source.List(ctx)
		if a.CredentialAccepted() != step.serving {
			t.Errorf("serving is %v after %v", a.CredentialAccepted(), err)
		}
	}
}

// TestA03_ASlowExchangeSendsNoAddEarly has a burst of adds wait for a token.
func TestA03_ASlowExchangeSendsNoAddEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		u.set(func(r *http.Request) (response, error) {
			if r.Method == http.MethodPut {
				time.Sleep(1500 * time.Millisecond)
				return reply(200, `{"auth_token":"good-token"}`), nil
			}
			return well(r)
		})
		a, err := New(audian.APIKey("key"), participant.Fingerprint{}, options(u))
		if err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		for range 25 {
			running.Go(func() {
				if _, err := a.Add(t.Context(), "c", participant.Add{}, nothing); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		if got := u.times(http.MethodPost); len(got) != 25 || most(got) > addsPerWindow {
			t.Errorf("%d adds, %d within a second", len(got), most(got))
		}
	})
}
